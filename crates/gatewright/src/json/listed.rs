//! One of several: enumerations of strings, and values that have one of several forms.

use super::decode::Mismatch;
use super::document::Value;
use super::violations::{Check, Violations};

/// The one of `values` whose text a string is.
///
/// # Errors
/// The value is none of these strings.
pub fn listed<T: Copy>(value: Value<'_>, values: &[(&str, T)]) -> Result<T, Mismatch> {
    let found = value.as_str().and_then(|text| values.iter().find(|(listed, _)| *listed == text));
    found.map(|(_, listed)| *listed).ok_or_else(|| Mismatch::new(value, "enum", "must be one of the listed values"))
}

/// A form: what its values must be, and how one is read.
type Form<T> = (Check, for<'d> fn(Value<'d>) -> Result<T, Mismatch>);

/// The value in the first of the forms whose check finds nothing wrong.
///
/// # Errors
/// It has none of them, or its type cannot hold it.
pub fn probed<T>(value: Value<'_>, forms: &[Form<T>]) -> Result<T, Mismatch> {
    let mut found = Violations::new();
    match forms.iter().find(|(check, _)| found.probe(*check, value)) {
        Some((_, decode)) => decode(value),
        None => Err(no_form(value, "oneOf")),
    }
}

/// What is said of a value that has none of its forms.
#[must_use]
pub fn no_form(value: Value<'_>, rule: &'static str) -> Mismatch {
    Mismatch::new(value, rule, "must have one of the listed forms")
}
