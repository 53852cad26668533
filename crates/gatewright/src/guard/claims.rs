//! Conditions on claims. A claim that is absent, or of another type than what it is compared with, never holds; neither
//! does a reference to a parameter that the request lacks or repeats.

use gatewright_policy::Refusal;
use gatewright_policy::table::{Claim, Must, Operand};
use http::request::Parts;
use serde_json::Value;

use crate::auth::Identity;
use crate::auth::carrier::{Held, query};
use crate::gateway::PathValues;
use crate::problem::Refused;

/// A value in the parsed body that a claim may be compared with; any other value equals no claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyValue<'b> {
    /// A string.
    Text(&'b str),
    /// A whole number.
    Integer(i64),
    /// A boolean.
    Bool(bool),
}

/// Whether a condition can only be checked once the body is parsed.
pub(super) fn needs_body(claim: &Claim) -> bool {
    let body = |o: &Operand| matches!(o, Operand::Body(_));
    match &claim.must {
        Must::Equal(o) | Must::Contain(o) => body(o),
        Must::In(list) => list.iter().any(body),
    }
}

/// Checks those that need no body.
pub(super) fn check(
    claims: &[Claim],
    identity: Option<&Identity>,
    parts: &Parts,
    path: &dyn PathValues,
) -> Result<(), Refused> {
    let known = |operand: &Operand, value: &Value| match operand {
        Operand::Text(text) => value.as_str() == Some(text),
        Operand::Integer(n) => value.as_i64() == Some(*n),
        Operand::Bool(b) => value.as_bool() == Some(*b),
        Operand::Path(name) => path.get(name).is_some_and(|text| same_text(value, text)),
        Operand::Query(name) => match query(parts.uri.query().unwrap_or_default(), name) {
            Held::One(text) => same_text(value, &text),
            _ => false,
        },
        Operand::Header(name) => {
            let mut lines = parts.headers.get_all(*name).iter();
            match (lines.next().and_then(|l| l.to_str().ok()), lines.next()) {
                (Some(text), None) => same_text(value, text),
                _ => false,
            }
        }
        Operand::Body(_) => false,
    };
    all(claims.iter().filter(|c| !needs_body(c)), identity, &known)
}

/// Checks those that need the body.
pub(super) fn check_body<'b>(
    claims: &[Claim],
    identity: Option<&Identity>,
    body: &dyn Fn(&str) -> Option<BodyValue<'b>>,
) -> Result<(), Refused> {
    let known = |operand: &Operand, value: &Value| match operand {
        Operand::Text(text) => value.as_str() == Some(text),
        Operand::Integer(n) => value.as_i64() == Some(*n),
        Operand::Bool(b) => value.as_bool() == Some(*b),
        Operand::Body(pointer) => match body(pointer) {
            Some(BodyValue::Text(text)) => value.as_str() == Some(text),
            Some(BodyValue::Integer(n)) => value.as_i64() == Some(n),
            Some(BodyValue::Bool(b)) => value.as_bool() == Some(b),
            None => false,
        },
        // The compiler does not mix these with the body in one condition.
        Operand::Path(_) | Operand::Query(_) | Operand::Header(_) => false,
    };
    all(claims.iter().filter(|c| needs_body(c)), identity, &known)
}

fn all<'c>(
    claims: impl Iterator<Item = &'c Claim>,
    identity: Option<&Identity>,
    equal: &dyn Fn(&Operand, &Value) -> bool,
) -> Result<(), Refused> {
    for claim in claims {
        let holds = identity.and_then(|i| i.claim(claim.path)).is_some_and(|value| match &claim.must {
            Must::Equal(operand) => equal(operand, value),
            Must::In(operands) => operands.iter().any(|o| equal(o, value)),
            Must::Contain(operand) => match value {
                Value::Array(items) => items.iter().any(|item| equal(operand, item)),
                Value::String(text) => {
                    text.split(' ').filter(|w| !w.is_empty()).any(|w| equal(operand, &Value::String(w.to_owned())))
                }
                _ => false,
            },
        });
        if !holds {
            return Err(Refused::new(Refusal::ClaimMismatch));
        }
    }
    Ok(())
}

/// A parameter is text: a claim equals it if it is that string, or the number or boolean that is written so.
fn same_text(value: &Value, text: &str) -> bool {
    match value {
        Value::String(claim) => claim == text,
        Value::Number(claim) => claim.to_string() == text,
        Value::Bool(claim) => text == if *claim { "true" } else { "false" },
        _ => false,
    }
}
