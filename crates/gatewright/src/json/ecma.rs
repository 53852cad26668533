//! Patterns with look-around or back-references, said again for the backtracking engine: its syntax is that of the
//! `regex` crate, where some escapes mean other characters than in ECMA 262.

/// Digits, word characters and white space as ECMA 262 has them.
const DIGIT: &str = "0-9";
const WORD: &str = "0-9A-Za-z_";
const SPACE: &str = r"\t\n\x0b\x0c\r \x{a0}\x{feff}\x{2028}\x{2029}\p{Zs}";

/// The pattern for the engine. What is wrong with it the engine finds; the compiler has refused such patterns before.
pub(super) fn adapt(source: &str) -> String {
    let mut out = String::with_capacity(source.len() + 16);
    let mut chars = source.chars().peekable();
    let mut class = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('d') => set(&mut out, DIGIT, class, false),
                Some('D') => set(&mut out, DIGIT, class, true),
                Some('w') => set(&mut out, WORD, class, false),
                Some('W') => set(&mut out, WORD, class, true),
                Some('s') => set(&mut out, SPACE, class, false),
                Some('S') => set(&mut out, SPACE, class, true),
                Some('b') if class => out.push_str(r"\x08"),
                // Word boundaries look at ASCII words.
                Some('b') => out.push_str(&format!("(?:(?<=[{WORD}])(?![{WORD}])|(?<![{WORD}])(?=[{WORD}]))")),
                Some('B') => out.push_str(&format!("(?:(?<=[{WORD}])(?=[{WORD}])|(?<![{WORD}])(?![{WORD}]))")),
                Some('0') => out.push_str(r"\x00"),
                Some('c') => {
                    let letter = chars.next().map_or(0, |letter| u32::from(letter) % 32);
                    out.push_str(&format!(r"\x{{{letter:x}}}"));
                }
                Some('u') if chars.peek() == Some(&'{') => out.push_str(r"\x"),
                Some('u') => unit(&mut chars, &mut out),
                // What needs no escape must have none: engines give letters and signs meanings of their own.
                Some(plain @ ('/' | '"' | '\'' | ':' | ';' | ',' | '%' | '!' | '<' | '>' | '=' | '@' | '`' | '_')) => {
                    out.push(plain);
                }
                Some('v') => out.push_str(r"\x0b"),
                Some(other) => out.extend(['\\', other]),
                None => out.push('\\'),
            },
            '[' if class => out.push_str(r"\["),
            '[' => {
                class = true;
                out.push('[');
                if chars.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                if chars.next_if_eq(&']').is_some() {
                    // `[]` matches nothing and `[^]` everything; elsewhere a first bracket is a plain one.
                    class = false;
                    let everything = out.ends_with('^');
                    out.truncate(out.len() - if everything { 2 } else { 1 });
                    out.push_str(if everything { r"[\s\S]" } else { "(?!)" });
                }
            }
            ']' if class => {
                class = false;
                out.push(']');
            }
            // Set operations of the other syntax.
            '&' | '~' if class => out.extend(['\\', c]),
            '-' if class && chars.peek() == Some(&'-') => out.push_str(r"\-"),
            '.' if !class => out.push_str(r"[^\n\r\x{2028}\x{2029}]"),
            c => out.push(c),
        }
    }
    out
}

fn set(out: &mut String, members: &str, class: bool, negated: bool) {
    match (class, negated) {
        (true, false) => out.push_str(members),
        (_, true) => out.push_str(&format!("[^{members}]")),
        (false, false) => out.push_str(&format!("[{members}]")),
    }
}

/// `\u` and four digits; a pair of surrogates is one character.
fn unit(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) {
    let mut four = || chars.by_ref().take(4).try_fold(0, |unit, c| Some(unit << 4 | c.to_digit(16)?));
    let Some(mut unit) = four() else { return out.push('\u{fffd}') };
    if (0xD800..0xDC00).contains(&unit) && chars.next() == Some('\\') && chars.next() == Some('u') {
        let low = chars.by_ref().take(4).try_fold(0, |unit, c| Some(unit << 4 | c.to_digit(16)?));
        unit = 0x1_0000 + ((unit - 0xD800) << 10) + (low.unwrap_or(0xDC00) & 0x3FF);
    }
    out.push_str(&format!(r"\x{{{unit:x}}}"));
}
