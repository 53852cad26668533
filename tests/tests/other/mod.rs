//! The other validator: the `jsonschema` crate, which shares no code with ours.

use serde_json::Value;

/// What it says of each value; `None` if it takes the schema for none.
pub(crate) fn verdicts(schema: &Value, values: &[Value]) -> Option<Vec<bool>> {
    let options = jsonschema::options().with_draft(jsonschema::Draft::Draft202012).should_validate_formats(true);
    let validator = options.build(schema).ok()?;
    Some(values.iter().map(|value| validator.is_valid(value)).collect())
}
