//! How diagnostics are shown: [`plain`] needs nothing, `human` looks like rustc (feature `render`), and `machine` has
//! JSON lines, SARIF and GitHub's annotations (feature `machine`).
//!
//! Whatever stands in a spec is untrusted text: control characters and the characters that turn the writing direction
//! never reach a terminal as they are.

#[cfg(feature = "render")]
pub mod human;
#[cfg(feature = "machine")]
pub mod machine;
pub mod plain;

/// `text` with control characters and bidirectional formatting written as escapes, on one line.
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push(' '),
            '\t' => out.push(' '),
            c if c.is_control() || is_direction(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// The characters that reorder what stands around them ("Trojan Source"), and the invisible ones of their kind.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// How many errors and warnings there are, in words: `2 errors, 1 warning`; empty where there is neither.
pub fn tally(diagnostics: &[crate::Diagnostic], not_shown: usize) -> String {
    let count = |level| diagnostics.iter().filter(|d| d.level == level).count();
    let words = |n: usize, what: &str| match n {
        0 => None,
        1 => Some(format!("1 {what}")),
        n => Some(format!("{n} {what}s")),
    };
    let mut parts: Vec<String> =
        [words(count(crate::Level::Error), "error"), words(count(crate::Level::Warning), "warning")]
            .into_iter()
            .flatten()
            .collect();
    if not_shown > 0 {
        parts.push(format!("{not_shown} more not shown"));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn nothing_drives_the_terminal() {
        assert_eq!(clean("a\x1b[2Jb\u{202e}c\nd"), "a\\u{1b}[2Jb\\u{202e}c d");
    }
}
