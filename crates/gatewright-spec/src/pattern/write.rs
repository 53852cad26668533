//! What was read, in the syntax of the `regex` crate.

use super::PatternError;
use super::class::Item;
use super::read::Read;

/// A class that no character is in.
pub(super) const NOTHING: &str = "[a&&b]";
/// Any character, line ends too.
pub(super) const ANYTHING: &str = "(?s:.)";

pub(super) fn write_quantifier(text: &mut String, min: u64, max: Option<u64>) -> Read<()> {
    let most = u64::from(u32::MAX);
    if min > most {
        return Err(PatternError::TooBig);
    }
    let max = max.filter(|max| *max <= most);
    text.push_str(&match (min, max) {
        (0, None) => "*".to_owned(),
        (1, None) => "+".to_owned(),
        (0, Some(1)) => "?".to_owned(),
        (min, None) => format!("{{{min},}}"),
        (min, Some(max)) if min == max => format!("{{{min}}}"),
        (min, Some(max)) => format!("{{{min},{max}}}"),
    });
    Ok(())
}

/// A code point as an atom. A lone surrogate is in no text.
pub(super) fn literal(code: u32) -> String {
    match char::from_u32(code) {
        Some(c) => escaped(c),
        None => NOTHING.to_owned(),
    }
}

fn escaped(c: char) -> String {
    if c.is_alphanumeric() || matches!(c, ' ' | '_' | '/' | ':' | ',' | '@' | '"' | '\'' | '=' | '%' | ';') {
        return c.to_string();
    }
    if regex_syntax::is_meta_character(c) {
        return format!("\\{c}");
    }
    format!("\\x{{{:X}}}", u32::from(c))
}

pub(super) fn push_item(items: &mut String, item: &Item) {
    match item {
        Item::Code(code) => push_range(items, *code, *code),
        Item::Set(set) => items.push_str(set),
    }
}

pub(super) fn push_range(items: &mut String, low: u32, high: u32) {
    let low = if (0xd800..0xe000).contains(&low) { 0xe000 } else { low };
    let high = if (0xd800..0xe000).contains(&high) { 0xd7ff } else { high };
    let (Some(low), Some(high)) = (char::from_u32(low), char::from_u32(high)) else { return };
    if low > high {
        return;
    }
    items.push_str(&escaped(low));
    if low < high {
        items.push('-');
        items.push_str(&escaped(high));
    }
}
