//! Objects.

use super::mark::{Mark, Marks};
use crate::json::document::{Kind, Value};
use crate::json::pattern::Pattern;
use crate::json::violations::{Check, Violations};

/// One of `properties`, or another name that a schema speaks of.
#[derive(Debug)]
pub struct Property {
    /// The name.
    pub name: &'static str,
    /// What its value must be.
    pub check: Check,
    /// Bits of [`Property`]'s constants.
    pub flags: u8,
}

impl Property {
    /// It must be there.
    pub const REQUIRED: u8 = 1;
    /// It must not be there: only responses have it.
    pub const READ_ONLY: u8 = 2;
    /// It is let pass unread: only responses have it.
    pub const IGNORED: u8 = 4;
    /// A neighbour in `allOf` speaks of it; here it is only known. Patterns and the rest still look at it if this
    /// schema says them itself.
    pub const ELSEWHERE: u8 = 8;
}

const fn property(name: &'static str, check: Check, flags: u8) -> Property {
    Property { name, check, flags }
}

/// A property that may be absent.
#[must_use]
pub const fn optional(name: &'static str, check: Check) -> Property {
    property(name, check, 0)
}

/// A property that must be there.
#[must_use]
pub const fn required(name: &'static str, check: Check) -> Property {
    property(name, check, Property::REQUIRED)
}

/// A property that only responses have: it must not be there.
#[must_use]
pub const fn refused(name: &'static str) -> Property {
    property(name, super::any, Property::READ_ONLY)
}

/// A property that only responses have: it is let pass unread.
#[must_use]
pub const fn ignored(name: &'static str) -> Property {
    property(name, super::any, Property::IGNORED)
}

/// A name that must be there, and of which a neighbour in `allOf` says the rest.
#[must_use]
pub const fn named(name: &'static str) -> Property {
    property(name, super::any, Property::REQUIRED | Property::ELSEWHERE)
}

/// What becomes of members that neither `properties` nor `patternProperties` names.
#[derive(Debug)]
pub enum Rest {
    /// They may stay.
    Open,
    /// They are refused, by `additionalProperties: false` or because the request's policy refuses unknown fields.
    Closed,
    /// They must hold this.
    Check(Check),
}

/// What a schema says about objects.
#[derive(Debug)]
pub struct Object {
    /// `properties`, in the order of the text.
    pub properties: &'static [Property],
    /// How many of `properties` are required.
    pub required: usize,
    /// The indexes of `properties` in the order of the names, if there are too many to look through one by one.
    pub sorted: &'static [u16],
    /// `patternProperties`
    pub patterns: &'static [(&'static Pattern, Check)],
    /// `additionalProperties`
    pub rest: Rest,
    /// `propertyNames`
    pub names: Option<Check>,
    /// `minProperties`
    pub min: u64,
    /// `maxProperties`; the largest where it is unsaid.
    pub max: u64,
    /// `dependentRequired`
    pub dependent: &'static [(&'static str, &'static [&'static str])],
}

impl Object {
    /// Admits every object.
    pub const ANY: Object = Object {
        properties: &[],
        required: 0,
        sorted: &[],
        patterns: &[],
        rest: Rest::Open,
        names: None,
        min: 0,
        max: u64::MAX,
        dependent: &[],
    };

    /// The place of a property. `hint` is the place behind the one found last: senders mostly keep the order.
    fn find(&self, name: &str, hint: usize) -> Option<usize> {
        if self.properties.get(hint).is_some_and(|property| property.name == name) {
            return Some(hint);
        }
        if self.sorted.is_empty() {
            return self.properties.iter().position(|property| property.name == name);
        }
        let at = |place: &u16| self.properties.get(usize::from(*place)).map_or("", |property| property.name);
        let found = self.sorted.binary_search_by(|place| at(place).cmp(name)).ok()?;
        self.sorted.get(found).map(|place| usize::from(*place))
    }
}

/// Every keyword for objects but `dependentSchemas` and `unevaluatedProperties`.
pub fn object(value: Value<'_>, found: &mut Violations, rules: &'static Object) {
    if value.kind() != Kind::Object || !found.step(1 + value.len()) {
        return;
    }
    let mut required = rules.required;
    let mut hint = 0;
    for member in value.members() {
        if found.settled() {
            return;
        }
        if let Some(names) = rules.names {
            // The name is a string node of its own, so it is checked like any string.
            names(member.key(), found);
        }
        let mut spoken_of = false;
        if let Some(place) = rules.find(member.name, hint)
            && let Some(property) = rules.properties.get(place)
        {
            hint = place + 1;
            required -= usize::from(property.flags & Property::REQUIRED != 0);
            if property.flags & Property::READ_ONLY != 0 {
                found.at(member.value, "readOnly", format_args!("is set by the server and must not be sent"));
                continue;
            }
            if property.flags & Property::IGNORED != 0 {
                continue;
            }
            spoken_of = property.flags & Property::ELSEWHERE == 0;
            (property.check)(member.value, found);
        }
        for (pattern, check) in rules.patterns {
            if pattern.matches(member.name, found) {
                spoken_of = true;
                check(member.value, found);
            }
        }
        if !spoken_of {
            match rules.rest {
                Rest::Open => {}
                Rest::Closed => found.at(member.value, "additionalProperties", format_args!("is not a known field")),
                Rest::Check(check) => check(member.value, found),
            }
        }
    }
    if required > 0 {
        let missing = rules.properties.iter().filter(|property| property.flags & Property::REQUIRED != 0);
        for property in missing.filter(|property| value.get(property.name).is_none()) {
            found.at_member(value, property.name, "required", format_args!("is required"));
        }
    }
    let count = value.len() as u64;
    if count < rules.min {
        found.at(value, "minProperties", format_args!("must have at least {} members", rules.min));
    }
    if count > rules.max {
        found.at(value, "maxProperties", format_args!("must have at most {} members", rules.max));
    }
    for (name, needed) in rules.dependent {
        if value.get(name).is_some() {
            for needed in needed.iter().filter(|needed| value.get(needed).is_none()) {
                let detail = format_args!("is required where `{name}` is present");
                found.at_member(value, needed, "dependentRequired", detail);
            }
        }
    }
}

/// `unevaluatedProperties`: what no keyword beside it has looked at.
pub fn unevaluated_properties(value: Value<'_>, found: &mut Violations, mark: Mark, rest: &Rest) {
    if value.kind() != Kind::Object || !found.step(1 + value.len()) {
        return;
    }
    let mut marks = Marks::new(value.len());
    mark(value, found, &mut marks);
    for (place, member) in value.members().enumerate() {
        if marks.has(place) {
            continue;
        }
        match rest {
            Rest::Open => {}
            Rest::Closed => found.at(member.value, "unevaluatedProperties", format_args!("is not a known field")),
            Rest::Check(check) => check(member.value, found),
        }
    }
}
