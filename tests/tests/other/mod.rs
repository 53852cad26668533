//! The other validator: the `jsonschema` crate, which shares no code with ours.

use serde_json::Value;

/// What it says of each value; `None` if it takes the schema for none, and for verdicts that are known to be wrong.
pub(crate) fn verdicts(schema: &Value, values: &[Value]) -> Option<Vec<Option<bool>>> {
    let options = jsonschema::options().with_draft(jsonschema::Draft::Draft202012).should_validate_formats(true);
    let validator = options.build(schema).ok()?;
    let fraction = multiple_of_fraction(schema);
    let verdict = |value: &Value| (!(fraction && beyond_floats(value))).then(|| validator.is_valid(value));
    Some(values.iter().map(verdict).collect())
}

/// It divides by fractions as floats do, which have no place for all digits of large integers: see `values/found.json`.
fn multiple_of_fraction(schema: &Value) -> bool {
    match schema {
        Value::Object(members) => {
            members.get("multipleOf").is_some_and(|of| !of.is_u64()) || members.values().any(multiple_of_fraction)
        }
        Value::Array(items) => items.iter().any(multiple_of_fraction),
        _ => false,
    }
}

fn beyond_floats(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_u64().is_some_and(|number| number > 1 << 53),
        Value::Object(members) => members.values().any(beyond_floats),
        Value::Array(items) => items.iter().any(beyond_floats),
        _ => false,
    }
}
