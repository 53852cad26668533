//! Descriptions as doc comments. The text is the spec's, so anything may stand in it: nothing of it may end the comment,
//! become a doc test, or hide what a reviewer reads.

use crate::docs::harmless;

/// Of one description this much is kept; the spec has the rest.
const MOST_LINES: usize = 8;
const MOST_CHARS: usize = 600;

/// The first paragraph or two of a description, harmless.
pub(super) fn lines(text: Option<&str>) -> Vec<String> {
    text.map(shortened).unwrap_or_default()
}

fn shortened(text: &str) -> Vec<String> {
    let mut left = MOST_CHARS;
    let mut kept: Vec<String> = Vec::new();
    for line in text.trim().lines().take(MOST_LINES) {
        let mut clean = String::new();
        // One space for any run: four of them would be a code block, and run as a doc test.
        for word in line.split_whitespace() {
            if !clean.is_empty() {
                clean.push(' ');
            }
            clean.extend(word.chars().take(left));
            left = left.saturating_sub(word.chars().count() + 1);
            if left == 0 {
                clean.push('…');
                break;
            }
        }
        // Fences would open a doc test too, links and elements warn.
        let clean = harmless(&clean);
        if clean.is_empty() && kept.last().is_none_or(String::is_empty) {
            continue;
        }
        kept.push(clean);
        if left == 0 {
            break;
        }
    }
    while kept.last().is_some_and(String::is_empty) {
        kept.pop();
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_stays_a_comment() {
        let all = shortened("*/ fn main() {}\r\n\n\n    let x = 1;\n```\nrm\n```\n\u{202e}evil\u{7}");
        assert_eq!(all, ["*/ fn main() {}", "", "let x = 1;", "'''", "rm", "'''", "evil"]);
        assert!(shortened(&"word ".repeat(1000)).concat().chars().count() <= MOST_CHARS + 2);
        assert!(shortened(" \n ").is_empty());
    }
}
