//! Arrays.

use super::mark::{Mark, Marks};
use crate::json::document::{Kind, Value};
use crate::json::equal;
use crate::json::violations::{Check, Violations};

/// `contains`, `minContains`, `maxContains`.
#[derive(Debug)]
pub struct Contains {
    /// `contains`
    pub check: Check,
    /// `minContains`; 1 where it is unsaid.
    pub min: u64,
    /// `maxContains`; the largest where it is unsaid.
    pub max: u64,
}

/// What a schema says about arrays.
#[derive(Debug)]
pub struct Array {
    /// `minItems`
    pub min: u64,
    /// `maxItems`; the largest where it is unsaid.
    pub max: u64,
    /// `uniqueItems`
    pub unique: bool,
    /// `prefixItems`
    pub prefix: &'static [Check],
    /// `items`
    pub items: Option<Check>,
    /// `contains`
    pub contains: Option<&'static Contains>,
}

impl Array {
    /// Admits every array.
    pub const ANY: Array = Array { min: 0, max: u64::MAX, unique: false, prefix: &[], items: None, contains: None };
}

/// Every keyword for arrays but `unevaluatedItems`.
pub fn array(value: Value<'_>, found: &mut Violations, rules: &'static Array) {
    if value.kind() != Kind::Array || !found.step(1 + value.len()) {
        return;
    }
    let count = value.len() as u64;
    if count < rules.min {
        found.at(value, "minItems", format_args!("must have at least {} items", rules.min));
    }
    if count > rules.max {
        found.at(value, "maxItems", format_args!("must have at most {} items", rules.max));
        // The items of an array that is too long are not worth the work.
        return;
    }
    let mut prefix = rules.prefix.iter();
    for item in value.items() {
        if found.settled() {
            return;
        }
        match prefix.next().copied().or(rules.items) {
            Some(check) => check(item, found),
            None => break,
        }
    }
    if rules.unique
        && count > 1
        && let Some(item) = equal::repeated(value)
    {
        found.at(item, "uniqueItems", format_args!("must not equal another item"));
    }
    if let Some(contains) = rules.contains {
        let mut matching = 0;
        for item in value.items() {
            matching += u64::from(found.probe(contains.check, item));
        }
        if matching < contains.min {
            let detail = format_args!("must have at least {} items that match `contains`", contains.min);
            found.at(value, if contains.min == 1 { "contains" } else { "minContains" }, detail);
        }
        if matching > contains.max {
            let detail = format_args!("must have at most {} items that match `contains`", contains.max);
            found.at(value, "maxContains", detail);
        }
    }
}

/// `unevaluatedItems`: what no keyword beside it has looked at.
pub fn unevaluated_items(value: Value<'_>, found: &mut Violations, mark: Mark, check: Check) {
    if value.kind() != Kind::Array || !found.step(1 + value.len()) {
        return;
    }
    let mut marks = Marks::new(value.len());
    mark(value, found, &mut marks);
    for (place, item) in value.items().enumerate() {
        if !marks.has(place) {
            if found.probe(check, item) {
                continue;
            }
            found.at(item, "unevaluatedItems", format_args!("is an unknown item"));
        }
    }
}
