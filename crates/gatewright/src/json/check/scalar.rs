//! Numbers and strings.

use std::cmp::Ordering;

use crate::json::document::Value;
use crate::json::format::Format;
use crate::json::number::{self, Bound};
use crate::json::pattern::Pattern;
use crate::json::violations::Violations;

/// `minimum`
pub fn minimum(value: Value<'_>, found: &mut Violations, bound: &Bound) {
    if bound.order(value) == Some(Ordering::Less) {
        found.at(value, "minimum", format_args!("must be at least {}", bound.text));
    }
}

/// `maximum`
pub fn maximum(value: Value<'_>, found: &mut Violations, bound: &Bound) {
    if bound.order(value) == Some(Ordering::Greater) {
        found.at(value, "maximum", format_args!("must be at most {}", bound.text));
    }
}

/// `exclusiveMinimum`
pub fn exclusive_minimum(value: Value<'_>, found: &mut Violations, bound: &Bound) {
    if matches!(bound.order(value), Some(Ordering::Less | Ordering::Equal)) {
        found.at(value, "exclusiveMinimum", format_args!("must be greater than {}", bound.text));
    }
}

/// `exclusiveMaximum`
pub fn exclusive_maximum(value: Value<'_>, found: &mut Violations, bound: &Bound) {
    if matches!(bound.order(value), Some(Ordering::Greater | Ordering::Equal)) {
        found.at(value, "exclusiveMaximum", format_args!("must be less than {}", bound.text));
    }
}

/// `multipleOf`
pub fn multiple_of(value: Value<'_>, found: &mut Violations, of: &Bound) {
    if value.as_number().is_some_and(|text| !number::is_multiple(text, of.text)) {
        found.at(value, "multipleOf", format_args!("must be a multiple of {}", of.text));
    }
}

/// How many code points a text has; counts only where its length in bytes leaves a doubt.
fn length(text: &str) -> u64 {
    if text.is_ascii() { text.len() as u64 } else { text.chars().count() as u64 }
}

struct Count(u64, &'static str);

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}{}", self.0, self.1, if self.0 == 1 { "" } else { "s" })
    }
}

/// `minLength`, in code points.
#[inline]
pub fn min_length(value: Value<'_>, found: &mut Violations, least: u64) {
    // A code point takes one to four bytes, so counting is only for lengths between.
    let short = |text: &str| (text.len().div_ceil(4) as u64) < least && length(text) < least;
    if value.as_str().is_some_and(short) {
        found.at(value, "minLength", format_args!("must have at least {}", Count(least, "character")));
    }
}

/// `maxLength`, in code points.
#[inline]
pub fn max_length(value: Value<'_>, found: &mut Violations, most: u64) {
    if value.as_str().is_some_and(|text| text.len() as u64 > most && length(text) > most) {
        found.at(value, "maxLength", format_args!("must have at most {}", Count(most, "character")));
    }
}

/// `pattern`
pub fn pattern(value: Value<'_>, found: &mut Violations, pattern: &Pattern) {
    if value.as_str().is_some_and(|text| !pattern.matches(text, found)) {
        found.at(value, "pattern", format_args!("must match the pattern {}", pattern.source()));
    }
}

/// `format`
pub fn format(value: Value<'_>, found: &mut Violations, format: Format) {
    if !format.admits(value) {
        found.at(value, "format", format_args!("must be {}", format.in_words()));
    }
}

/// `enum` of strings alone.
pub fn one_of_strings(value: Value<'_>, found: &mut Violations, allowed: &'static [&'static str]) {
    if !value.as_str().is_some_and(|text| allowed.contains(&text)) {
        found.at(value, "enum", format_args!("must be one of {}", Listed(allowed)));
    }
}

/// The first values of an enumeration.
pub(super) struct Listed(pub(super) &'static [&'static str]);

impl std::fmt::Display for Listed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (place, text) in self.0.iter().take(10).enumerate() {
            let short: String = text.chars().take(60).collect();
            write!(f, "{}`{short}`", if place == 0 { "" } else { ", " })?;
        }
        if self.0.len() > 10 { write!(f, " and {} others", self.0.len() - 10) } else { Ok(()) }
    }
}
