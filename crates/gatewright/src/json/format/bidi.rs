//! Host names that are written from right to left: RFC 5893, section 2, and where letters join (RFC 5892, appendix A.1).
//!
//! The classes are those of the blocks that names are made of, not all of Unicode's tables.

use std::borrow::Cow;

use super::net::is_mark;

/// Bidirectional classes, as far as the rule tells them apart.
#[derive(Clone, Copy, PartialEq)]
enum Class {
    Left,
    /// R and AL.
    Right,
    /// EN
    Digit,
    /// AN
    ArabicDigit,
    /// NSM
    Mark,
    Other,
}

fn class(c: char) -> Class {
    match c {
        '0'..='9' | '\u{6f0}'..='\u{6f9}' => Class::Digit,
        '\u{660}'..='\u{669}' | '\u{66b}' | '\u{66c}' | '\u{6dd}' => Class::ArabicDigit,
        c if is_mark(c) => Class::Mark,
        '\u{590}'..='\u{8ff}'
        | '\u{fb1d}'..='\u{fdff}'
        | '\u{fe70}'..='\u{fefe}'
        | '\u{10800}'..='\u{10fff}'
        | '\u{1e800}'..='\u{1efff}' => Class::Right,
        c if c.is_alphabetic() => Class::Left,
        _ => Class::Other,
    }
}

/// Whether every label keeps the rule, where any of them is written from right to left.
pub(super) fn holds<'t>(labels: impl Iterator<Item = Cow<'t, str>>) -> bool {
    let labels: Vec<Vec<Class>> = labels.map(|label| label.chars().map(class).collect()).collect();
    let right = |class: &Class| matches!(class, Class::Right | Class::ArabicDigit);
    !labels.iter().flatten().any(right) || labels.iter().all(|label| keeps(label))
}

fn keeps(label: &[Class]) -> bool {
    let last = label.iter().rev().find(|class| **class != Class::Mark);
    let any = |wanted: Class| label.contains(&wanted);
    match label.first() {
        Some(Class::Right) => {
            !any(Class::Left)
                && matches!(last, Some(Class::Right | Class::Digit | Class::ArabicDigit))
                && !(any(Class::Digit) && any(Class::ArabicDigit))
        }
        Some(Class::Left) => {
            !any(Class::Right) && !any(Class::ArabicDigit) && matches!(last, Some(Class::Left | Class::Digit))
        }
        _ => false,
    }
}

/// Whether the zero-width non-joiner at `place` stands between letters that would join.
pub(super) fn joins(chars: &[char], place: usize) -> bool {
    let before = chars.get(..place).into_iter().flatten().rev().find(|c| !is_mark(**c));
    let after = chars.get(place + 1..).into_iter().flatten().find(|c| !is_mark(**c));
    before.is_some_and(|c| joins_both(*c)) && after.is_some_and(|c| joins_both(*c) || joins_right(*c))
}

/// Joining type D of the Arabic block.
fn joins_both(c: char) -> bool {
    matches!(c, '\u{620}' | '\u{626}' | '\u{628}' | '\u{62a}'..='\u{62e}' | '\u{633}'..='\u{63f}'
        | '\u{641}'..='\u{647}' | '\u{649}' | '\u{64a}' | '\u{66e}' | '\u{66f}' | '\u{678}'..='\u{687}'
        | '\u{69a}'..='\u{6bf}' | '\u{6c1}' | '\u{6c2}' | '\u{6cc}' | '\u{6ce}' | '\u{6d0}' | '\u{6d1}'
        | '\u{6fa}'..='\u{6fc}' | '\u{6ff}')
}

/// Joining type R of the Arabic block.
fn joins_right(c: char) -> bool {
    matches!(c, '\u{622}'..='\u{625}' | '\u{627}' | '\u{629}' | '\u{62f}'..='\u{632}' | '\u{648}'
        | '\u{671}'..='\u{673}' | '\u{675}'..='\u{677}' | '\u{688}'..='\u{699}' | '\u{6c0}'
        | '\u{6c3}'..='\u{6cb}' | '\u{6cd}' | '\u{6cf}' | '\u{6d2}' | '\u{6d3}' | '\u{6d5}' | '\u{6ee}'
        | '\u{6ef}')
}

#[cfg(test)]
mod tests {
    use super::super::net::is_idn_hostname;

    #[test]
    fn labels_keep_one_direction() {
        for (name, good) in [
            ("0a.\u{5d0}", false),
            ("a.\u{5d0}", true),
            ("0\u{627}", false),
            ("a\u{5d0}", false),
            ("\u{5d0}a", false),
            ("\u{5d0}0", true),
            ("\u{5d0}0\u{660}", false),
            ("\u{628}\u{64a}\u{200c}\u{628}\u{64a}", true),
            ("\u{627}\u{200c}\u{628}", false),
            ("0a.example", true),
        ] {
            assert_eq!(is_idn_hostname(name), good, "{name}");
        }
    }
}
