//! Enumerations of strings.

use super::decode::Mismatch;
use super::document::Value;

/// The one of `values` whose text a string is.
///
/// # Errors
/// The value is none of these strings.
pub fn listed<T: Copy>(value: Value<'_>, values: &[(&str, T)]) -> Result<T, Mismatch> {
    let found = value.as_str().and_then(|text| values.iter().find(|(listed, _)| *listed == text));
    found.map(|(_, listed)| *listed).ok_or_else(|| Mismatch::new(value, "enum", "must be one of the listed values"))
}
