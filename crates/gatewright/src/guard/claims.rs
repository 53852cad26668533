//! Conditions on claims. A claim that is absent, or of another type than what it is compared with, never holds; neither
//! does a reference to a parameter that the request lacks or repeats.

use std::fmt::{self, Write};

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
    let known = |operand: &Operand, value: Said<'_>| match operand {
        Operand::Text(text) => value.is_text(text),
        Operand::Integer(n) => value.is_integer(*n),
        Operand::Bool(b) => value.is_bool(*b),
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
    let known = |operand: &Operand, value: Said<'_>| match operand {
        Operand::Text(text) => value.is_text(text),
        Operand::Integer(n) => value.is_integer(*n),
        Operand::Bool(b) => value.is_bool(*b),
        Operand::Body(pointer) => match body(pointer) {
            Some(BodyValue::Text(text)) => value.is_text(text),
            Some(BodyValue::Integer(n)) => value.is_integer(n),
            Some(BodyValue::Bool(b)) => value.is_bool(b),
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
    equal: &dyn Fn(&Operand, Said<'_>) -> bool,
) -> Result<(), Refused> {
    for claim in claims {
        let holds = identity.and_then(|i| i.claim(claim.path)).is_some_and(|value| match &claim.must {
            Must::Equal(operand) => equal(operand, Said::of(value)),
            Must::In(operands) => operands.iter().any(|o| equal(o, Said::of(value))),
            Must::Contain(operand) => match value {
                Value::Array(items) => items.iter().any(|item| equal(operand, Said::of(item))),
                Value::String(text) => text.split(' ').filter(|w| !w.is_empty()).any(|w| equal(operand, Said::Text(w))),
                _ => false,
            },
        });
        if !holds {
            return Err(Refused::new(Refusal::ClaimMismatch));
        }
    }
    Ok(())
}

/// What a claim says, or one word of it.
#[derive(Clone, Copy)]
enum Said<'v> {
    Text(&'v str),
    Other(&'v Value),
}

impl<'v> Said<'v> {
    fn of(value: &'v Value) -> Said<'v> {
        value.as_str().map_or(Said::Other(value), Said::Text)
    }

    fn is_text(self, text: &str) -> bool {
        matches!(self, Said::Text(said) if said == text)
    }

    fn is_integer(self, n: i64) -> bool {
        matches!(self, Said::Other(value) if value.as_i64() == Some(n))
    }

    fn is_bool(self, b: bool) -> bool {
        matches!(self, Said::Other(value) if value.as_bool() == Some(b))
    }
}

/// A parameter is text: a claim equals it if it is that string, or the number or boolean that is written so.
fn same_text(value: Said<'_>, text: &str) -> bool {
    match value {
        Said::Text(claim) => claim == text,
        Said::Other(Value::Number(claim)) => {
            let mut left = Left(text);
            write!(left, "{claim}").is_ok() && left.0.is_empty()
        }
        Said::Other(Value::Bool(claim)) => text == if *claim { "true" } else { "false" },
        Said::Other(_) => false,
    }
}

/// What of a text is not written yet; writing anything else fails.
struct Left<'t>(&'t str);

impl fmt::Write for Left<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.0 = self.0.strip_prefix(part).ok_or(fmt::Error)?;
        Ok(())
    }
}
