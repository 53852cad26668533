//! Constants, and schemas made of schemas.

use std::sync::OnceLock;

use super::scalar::Listed;
use crate::json::document::{Document, Value};
use crate::json::equal;
use crate::json::violations::{Check, Violations};

/// The values of `enum` or `const`, as JSON texts, read once.
#[derive(Debug)]
pub struct Constants {
    texts: &'static [&'static str],
    read: OnceLock<Vec<Document>>,
}

impl Constants {
    /// The values with these JSON texts.
    #[must_use]
    pub const fn new(texts: &'static [&'static str]) -> Self {
        Constants { texts, read: OnceLock::new() }
    }

    /// Whether one of them equals `value`. A text that is no JSON equals nothing.
    fn contains(&self, value: Value<'_>) -> bool {
        let read = self
            .read
            .get_or_init(|| self.texts.iter().filter_map(|text| Document::parse(text.as_bytes()).ok()).collect());
        read.iter().any(|constant| equal::equal(constant.root(), value))
    }
}

/// `enum` and `const`.
pub fn constant(value: Value<'_>, found: &mut Violations, allowed: &'static Constants) {
    if found.step(1) && !allowed.contains(value) {
        match allowed.texts {
            [one] => found.at(value, "const", format_args!("must be {}", Listed(std::slice::from_ref(one)))),
            all => found.at(value, "enum", format_args!("must be one of {}", Listed(all))),
        }
    }
}

type Probe = fn(&mut Violations, Check, Value<'_>) -> bool;

fn any_of_by(value: Value<'_>, found: &mut Violations, branches: &'static [Check], probe: Probe) {
    for branch in branches {
        if !found.step(1) || probe(found, *branch, value) {
            return;
        }
    }
    found.at(value, "anyOf", format_args!("must match at least one of {} forms", branches.len()));
}

fn one_of_by(value: Value<'_>, found: &mut Violations, branches: &'static [Check], probe: Probe) {
    let mut matching = 0_usize;
    for branch in branches {
        if !found.step(1) {
            return;
        }
        matching += usize::from(probe(found, *branch, value));
        if matching > 1 {
            let detail = format_args!("must match exactly one of {} forms, but matches several", branches.len());
            return found.at(value, "oneOf", detail);
        }
    }
    if matching == 0 {
        found.at(value, "oneOf", format_args!("must match exactly one of {} forms", branches.len()));
    }
}

/// `anyOf`
pub fn any_of(value: Value<'_>, found: &mut Violations, branches: &'static [Check]) {
    any_of_by(value, found, branches, Violations::probe);
}

/// `anyOf` whose branches may hold the same union again, deeper.
pub fn any_of_recursive(value: Value<'_>, found: &mut Violations, branches: &'static [Check]) {
    any_of_by(value, found, branches, Violations::probe_once);
}

/// `oneOf`: exactly one, counted.
pub fn one_of(value: Value<'_>, found: &mut Violations, branches: &'static [Check]) {
    one_of_by(value, found, branches, Violations::probe);
}

/// `oneOf` whose branches may hold the same union again, deeper.
pub fn one_of_recursive(value: Value<'_>, found: &mut Violations, branches: &'static [Check]) {
    one_of_by(value, found, branches, Violations::probe_once);
}

/// `not`
pub fn except(value: Value<'_>, found: &mut Violations, check: Check) {
    if found.step(1) && found.probe(check, value) {
        found.at(value, "not", format_args!("has a form that is not allowed"));
    }
}

/// `if`, `then`, `else`.
pub fn when(value: Value<'_>, found: &mut Violations, when: Check, then: Option<Check>, otherwise: Option<Check>) {
    if !found.step(1) {
        return;
    }
    if let Some(check) = if found.probe(when, value) { then } else { otherwise } {
        check(value, found);
    }
}

/// `dependentSchemas`
pub fn dependent_schema(value: Value<'_>, found: &mut Violations, name: &'static str, check: Check) {
    if value.get(name).is_some() {
        check(value, found);
    }
}

/// OpenAPI's `discriminator`.
#[derive(Debug)]
pub struct Discriminator {
    /// `propertyName`
    pub property: &'static str,
    /// Which value means which branch.
    pub branches: &'static [(&'static str, Check)],
    /// Of a value that has no such property, or one that names no branch (`defaultMapping`).
    pub default: Option<Check>,
}

/// A union whose branch the discriminator names: that one must hold, and no other is asked.
pub fn discriminated(value: Value<'_>, found: &mut Violations, rules: &'static Discriminator) {
    if !found.step(1) || !super::types(value, found, super::OBJECT) {
        return;
    }
    let given = value.get(rules.property);
    let named = given.and_then(Value::as_str);
    let branch = named.and_then(|name| rules.branches.iter().find(|(value, _)| *value == name));
    match (branch.map(|branch| branch.1).or(rules.default), given) {
        (Some(check), _) => check(value, found),
        (None, None) => found.at_member(value, rules.property, "required", format_args!("is required")),
        (None, Some(given)) => {
            let names: Vec<&str> = rules.branches.iter().map(|(name, _)| *name).take(10).collect();
            found.at(given, "discriminator", format_args!("must be one of `{}`", names.join("`, `")));
        }
    }
}
