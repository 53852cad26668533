//! JSON, RFC 8259: iterative, with the place of every value, and messages for what people get wrong.

use std::sync::Arc;

use gatewright_diag::{FileId, Sink, codes};

use super::build::{Builder, Stop};
use super::tree::Tree;

pub(super) fn read(file: FileId, text: Arc<str>, sink: &mut Sink) -> Option<Tree> {
    let builder = Builder::new(file, text.clone(), true, sink);
    let mut reader = Reader { bytes: text.as_bytes(), text: &text, at: 0, out: builder, open: Vec::new() };
    reader.space();
    if reader.at == reader.bytes.len() {
        return None;
    }
    reader.document().ok()?;
    reader.out.finish()
}

struct Reader<'t, 's> {
    bytes: &'t [u8],
    text: &'t str,
    at: usize,
    out: Builder<'s>,
    /// The brackets open now, with their places: for the message when one is never closed.
    open: Vec<(u8, usize)>,
}

/// What may stand here.
#[derive(Clone, Copy, PartialEq)]
enum Want {
    Value,
    /// A value or, just after `[`, its end.
    FirstItem,
    Key,
    /// A key or, just after `{`, its end.
    FirstKey,
    /// A comma or the end of the innermost container.
    Comma,
}

impl Reader<'_, '_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn fail<T>(&mut self, message: impl Into<String>, help: &str) -> Result<T, Stop> {
        let len = self.text.get(self.at..).and_then(|t| t.chars().next()).map_or(0, char::len_utf8);
        self.fail_at(self.at, self.at + len, message, help)
    }

    fn fail_at<T>(&mut self, start: usize, end: usize, message: impl Into<String>, help: &str) -> Result<T, Stop> {
        let span = self.out.span(start, end);
        self.out.sink.error(codes::JSON_SYNTAX, span, message).help(help);
        Err(Stop)
    }

    fn document(&mut self) -> Result<(), Stop> {
        let mut want = Want::Value;
        loop {
            self.space();
            if self.out.done() {
                return match self.peek() {
                    None => Ok(()),
                    Some(_) => {
                        self.fail("something follows the end of the document", "remove it: a JSON file holds one value")
                    }
                };
            }
            let Some(byte) = self.peek() else { return self.ends_early() };
            want = match (want, byte) {
                (Want::FirstItem, b']') | (Want::FirstKey, b'}') => self.close(),
                (Want::Value | Want::FirstItem, _) => self.value(byte)?,
                (Want::Key | Want::FirstKey, b'"') => {
                    self.string()?;
                    self.space();
                    if self.peek() != Some(b':') {
                        return self.fail("expected `:` after the key", "write `\"key\": value`");
                    }
                    self.at += 1;
                    Want::Value
                }
                (Want::Key, b'}') => return self.trailing_comma(),
                (Want::Key | Want::FirstKey, b'\'') => {
                    return self.fail("expected a key in double quotes", "JSON has no single quotes: write `\"key\"`");
                }
                (Want::Key | Want::FirstKey, _) => {
                    return self.fail("expected a key in double quotes", "write `\"key\": value`");
                }
                (Want::Comma, b',') => {
                    self.at += 1;
                    if self.open.last().is_some_and(|(b, _)| *b == b'{') { Want::Key } else { Want::Value }
                }
                (Want::Comma, b'}' | b']') => {
                    let opened = self.open.last().map(|(b, _)| *b);
                    if (opened == Some(b'{')) != (byte == b'}') {
                        let (found, wanted) = if byte == b'}' { ('}', ']') } else { (']', '}') };
                        return self.fail(format!("expected `{wanted}`, found `{found}`"), "make the brackets match");
                    }
                    self.close()
                }
                (Want::Comma, b'/') => return self.comment(),
                (Want::Comma, _) => {
                    return self.fail("expected `,` or the end of the list or object", "add the missing comma");
                }
            };
        }
    }

    fn ends_early(&mut self) -> Result<(), Stop> {
        match self.open.last().copied() {
            Some((bracket, at)) => {
                let bracket = char::from(bracket);
                self.fail_at(at, at + 1, format!("this `{bracket}` is never closed"), "the file may be cut short")
            }
            None => self.fail("the file ends where a value is expected", "finish the document"),
        }
    }

    fn trailing_comma<T>(&mut self) -> Result<T, Stop> {
        let before = self.text.get(..self.at).unwrap_or("").trim_end();
        let comma = before.len().saturating_sub(1);
        self.fail_at(comma, comma + 1, "a comma stands before the closing bracket", "remove the comma")
    }

    fn comment<T>(&mut self) -> Result<T, Stop> {
        self.fail("JSON has no comments", "remove the comment, or write the document as YAML")
    }

    fn close(&mut self) -> Want {
        self.at += 1;
        self.open.pop();
        self.out.close(self.at);
        Want::Comma
    }

    fn value(&mut self, byte: u8) -> Result<Want, Stop> {
        match byte {
            b'"' => self.string()?,
            b'{' | b'[' => {
                let span = self.out.span(self.at, self.at + 1);
                self.out.open(span, byte == b'{', true, 0)?;
                self.open.push((byte, self.at));
                self.at += 1;
                return Ok(if byte == b'{' { Want::FirstKey } else { Want::FirstItem });
            }
            b'-' | b'0'..=b'9' => self.number()?,
            b']' if self.out.depth() > 0 => return self.trailing_comma(),
            b'\'' => return self.fail("expected a value", "JSON has no single quotes: write \"…\""),
            b'/' => return self.comment(),
            b'#' => return self.comment(),
            _ => self.word()?,
        }
        Ok(Want::Comma)
    }

    fn word(&mut self) -> Result<(), Stop> {
        let rest = self.bytes.get(self.at..).unwrap_or(&[]);
        let len = rest.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-')).count();
        let word = self.text.get(self.at..self.at + len).unwrap_or("");
        let span = self.out.span(self.at, self.at + len);
        match word {
            "true" | "false" | "null" => {
                self.out.slice(span, self.at, len, false)?;
                self.at += len;
                Ok(())
            }
            "" => self.fail("expected a value", "write text in double quotes"),
            _ => {
                let shown: String = word.chars().take(64).collect();
                let help = match word {
                    "True" | "False" | "None" | "NULL" | "Null" | "TRUE" | "FALSE" | "undefined" => {
                        "JSON writes `true`, `false` and `null`"
                    }
                    "NaN" | "Infinity" => "JSON has no such number",
                    _ => "write text in double quotes",
                };
                self.fail_at(self.at, self.at + len, format!("`{shown}` is no JSON value"), help)
            }
        }
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    fn number(&mut self) -> Result<(), Stop> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let first = self.peek();
        let whole = self.digits();
        if whole == 0 {
            return self.fail("expected a digit", "write the number out: `0.5`, `-1`");
        }
        if first == Some(b'0') && whole > 1 {
            return self.fail_at(
                start,
                self.at,
                "a number must not start with `0`",
                "remove the zero, or put the text in quotes",
            );
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return self.fail("expected a digit after the point", "write `1.0` or `1`");
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return self.fail("expected the exponent's digits", "write `1e6`");
            }
        }
        let span = self.out.span(start, self.at);
        self.out.slice(span, start, self.at - start, false)?;
        Ok(())
    }

    /// A string; `self.at` is at its first quote.
    fn string(&mut self) -> Result<(), Stop> {
        let start = self.at;
        let mut at = start + 1;
        // Most strings have no escape and are a part of the source.
        loop {
            match self.bytes.get(at) {
                Some(b'"') => {
                    self.at = at + 1;
                    let span = self.out.span(start, at + 1);
                    self.out.slice(span, start + 1, at - start - 1, true)?;
                    return Ok(());
                }
                Some(b'\\' | 0..=0x1f) | None => break,
                Some(_) => at += 1,
            }
        }
        let side = self.out.side().len();
        let mut from = start + 1;
        loop {
            let byte = self.bytes.get(at).copied();
            match byte {
                Some(b'"' | b'\\') => {
                    let part = self.text.get(from..at).unwrap_or("");
                    self.out.side().push_str(part);
                    if byte == Some(b'"') {
                        self.at = at + 1;
                        let span = self.out.span(start, at + 1);
                        self.out.unescaped(span, side)?;
                        return Ok(());
                    }
                    at = self.escape(at)?;
                    from = at;
                }
                Some(b'\n' | b'\r') | None => {
                    return self.fail_at(
                        start,
                        start + 1,
                        "a quoted text is not closed in its line",
                        "close it, or write `\\n` for a line break",
                    );
                }
                Some(control @ 0..=0x1f) => {
                    let message = format!("the control character U+{control:04X} stands bare in a text");
                    return self.fail_at(at, at + 1, message, "write it as an escape such as `\\t` or `\\u0001`");
                }
                Some(_) => at += 1,
            }
        }
    }

    /// One escape at `at`; returns where the text goes on.
    fn escape(&mut self, at: usize) -> Result<usize, Stop> {
        let plain = match self.bytes.get(at + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(at),
            _ => return self.fail_at(at, at + 2, "unknown escape in a text", "write `\\\\` for a backslash"),
        };
        self.out.side().push(plain);
        Ok(at + 2)
    }

    fn unicode(&mut self, at: usize) -> Result<usize, Stop> {
        let unit = |reader: &Self, at: usize| {
            let digits = reader.bytes.get(at + 2..at + 6).filter(|d| d.iter().all(u8::is_ascii_hexdigit))?;
            let lead = reader.bytes.get(at..at + 2)?;
            let digits = std::str::from_utf8(digits).ok()?;
            (lead == b"\\u").then(|| u32::from_str_radix(digits, 16).ok())?
        };
        let Some(high) = unit(self, at) else {
            return self.fail_at(at, at + 2, "`\\u` wants four hexadecimal digits", "write for example `\\u00e9`");
        };
        let (code, past) = match high {
            0xd800..=0xdbff => match unit(self, at + 6) {
                Some(low @ 0xdc00..=0xdfff) => (0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00), at + 12),
                _ => (high, at + 6),
            },
            _ => (high, at + 6),
        };
        match char::from_u32(code) {
            Some(c) => self.out.side().push(c),
            None => {
                return self.fail_at(
                    at,
                    at + 6,
                    "this escape is half of a pair and names no character",
                    "write the character itself",
                );
            }
        }
        Ok(past)
    }
}
