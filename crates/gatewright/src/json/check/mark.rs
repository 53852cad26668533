//! Which members or items some keyword has looked at: kept only for schemas with `unevaluatedProperties` or
//! `unevaluatedItems`, said or meant.

use crate::json::document::Value;
use crate::json::pattern::Pattern;
use crate::json::violations::{Check, Violations};

/// Marks what a schema looks at in a value that it admits, as the generator writes it.
pub type Mark = for<'d> fn(Value<'d>, &mut Violations, &mut Marks);

/// One bit for each member or item.
#[derive(Debug)]
pub struct Marks {
    all: bool,
    bits: Vec<u64>,
}

impl Marks {
    pub(super) fn new(count: usize) -> Self {
        Marks { all: false, bits: vec![0; count.div_ceil(64)] }
    }

    pub(super) fn has(&self, place: usize) -> bool {
        self.all || self.bits.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1)
    }

    fn set(&mut self, place: usize) {
        if let Some(word) = self.bits.get_mut(place / 64) {
            *word |= 1 << (place % 64);
        }
    }

    /// Everything is looked at: `additionalProperties`, `items`, or an `unevaluated…` within.
    pub fn all(&mut self) {
        self.all = true;
    }

    /// `properties` and `patternProperties`.
    pub fn properties(
        &mut self,
        value: Value<'_>,
        found: &mut Violations,
        names: &'static [&'static str],
        patterns: &'static [&'static Pattern],
    ) {
        if self.all {
            return;
        }
        for (place, member) in value.members().enumerate() {
            if names.contains(&member.name) || patterns.iter().any(|pattern| pattern.matches(member.name, found)) {
                self.set(place);
            }
        }
    }

    /// `prefixItems` without `items`: the first `count`.
    pub fn first(&mut self, count: usize) {
        for place in 0..count.min(self.bits.len() * 64) {
            self.set(place);
        }
    }

    /// `contains`
    pub fn contains(&mut self, value: Value<'_>, found: &mut Violations, check: Check) {
        for (place, item) in value.items().enumerate() {
            if found.probe(check, item) {
                self.set(place);
            }
        }
    }

    /// `anyOf`, `oneOf`: the branches that hold.
    pub fn branches(&mut self, value: Value<'_>, found: &mut Violations, branches: &'static [(Check, Mark)]) {
        for (check, mark) in branches {
            if found.step(1) && found.probe(*check, value) {
                mark(value, found, self);
            }
        }
    }

    /// `if`, `then`, `else`.
    pub fn when(
        &mut self,
        value: Value<'_>,
        found: &mut Violations,
        when: (Check, Mark),
        then: Option<Mark>,
        otherwise: Option<Mark>,
    ) {
        let next = if found.probe(when.0, value) {
            (when.1)(value, found, self);
            then
        } else {
            otherwise
        };
        if let Some(mark) = next {
            mark(value, found, self);
        }
    }

    /// `dependentSchemas`
    pub fn dependent(&mut self, value: Value<'_>, found: &mut Violations, name: &'static str, mark: Mark) {
        if value.get(name).is_some() {
            mark(value, found, self);
        }
    }

    /// A union whose branch the discriminator names. Where it names none the value is refused for that, and nothing more is
    /// said of its members.
    pub fn discriminated(
        &mut self,
        value: Value<'_>,
        found: &mut Violations,
        property: &'static str,
        branches: &'static [(&'static str, Mark)],
        default: Option<Mark>,
    ) {
        let name = value.get(property).and_then(Value::as_str);
        let branch = name.and_then(|name| branches.iter().find(|(value, _)| *value == name));
        match branch.map(|branch| branch.1).or(default) {
            Some(mark) => mark(value, found, self),
            None => self.all(),
        }
    }
}
