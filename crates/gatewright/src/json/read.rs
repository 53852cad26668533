//! The reader: strict RFC 8259, one pass, no recursion, every growth bounded.

use std::fmt;

use super::document::{Node, Tag};

/// How much a document may hold. Its length is bounded before, by the body limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Arrays and objects within each other. Default 64.
    pub depth: usize,
    /// Values and member names together. Default 4,194,304 (a node costs 16 bytes).
    pub nodes: usize,
    /// Members of one object. Default 65,536.
    pub members: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { depth: 64, nodes: 4 << 20, members: 64 << 10 }
    }
}

/// Exponents beyond this are refused: comparing such numbers exactly would cost more than they are worth.
const MAX_EXPONENT: i64 = 100_000;

/// Why a text is refused, and at which byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The byte where reading stopped, from 0.
    pub offset: usize,
    /// Why.
    pub reason: Reason,
}

/// Why a text is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// It is empty, or ends in the middle.
    Ends,
    /// Something other than `…` stands there.
    Expected(&'static str),
    /// Bytes follow the document.
    Trailing,
    /// The bytes are not UTF-8.
    Utf8,
    /// It begins with a byte order mark.
    ByteOrderMark,
    /// A control character stands unescaped in a string.
    Control,
    /// An unknown escape.
    Escape,
    /// Half of a surrogate pair.
    Surrogate,
    /// An object has this name already.
    Duplicate,
    /// Nested too deeply.
    Depth,
    /// Too many values, or too many members in one object.
    Size,
    /// A number's exponent is out of range.
    Exponent,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason {
            Reason::Ends => f.write_str("the text ends too early"),
            Reason::Expected(what) => write!(f, "expected {what}"),
            Reason::Trailing => f.write_str("something follows the value"),
            Reason::Utf8 => f.write_str("not UTF-8"),
            Reason::ByteOrderMark => f.write_str("a byte order mark is not allowed"),
            Reason::Control => f.write_str("a control character must be escaped"),
            Reason::Escape => f.write_str("unknown escape"),
            Reason::Surrogate => f.write_str("half of a surrogate pair"),
            Reason::Duplicate => f.write_str("an object has a name twice"),
            Reason::Depth => f.write_str("nested too deeply"),
            Reason::Size => f.write_str("too many values"),
            Reason::Exponent => f.write_str("an exponent is out of range"),
        }?;
        write!(f, ", at byte {}", self.offset)
    }
}

impl std::error::Error for ParseError {}

/// The bytes as text, if they can be a document.
pub(super) fn text(bytes: Vec<u8>, _limits: &Limits) -> Result<String, ParseError> {
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        return Err(ParseError { offset: 0, reason: Reason::ByteOrderMark });
    }
    if u32::try_from(bytes.len()).is_err() {
        return Err(ParseError { offset: 0, reason: Reason::Size });
    }
    String::from_utf8(bytes)
        .map_err(|error| ParseError { offset: error.utf8_error().valid_up_to(), reason: Reason::Utf8 })
}

pub(super) struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    nodes: Vec<Node>,
    side: String,
    /// The open containers' nodes.
    open: Vec<u32>,
    limits: &'t Limits,
}

type Read<T> = Result<T, ParseError>;

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str, limits: &'t Limits) -> Self {
        // Real bodies have a node for every eight bytes or more.
        let nodes = Vec::with_capacity((text.len() / 8).min(1 << 16) + 4);
        Reader { text, bytes: text.as_bytes(), at: 0, nodes, side: String::new(), open: Vec::new(), limits }
    }

    pub(super) fn run(mut self) -> Read<(Vec<Node>, String)> {
        loop {
            // A value must stand here.
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    self.string()?;
                }
                Some(b'-' | b'0'..=b'9') => self.number()?,
                Some(b'{') => {
                    self.enter(Tag::Object)?;
                    if self.peek() == Some(b'}') {
                        self.at += 1;
                        self.leave()?;
                    } else {
                        self.name()?;
                        continue;
                    }
                }
                Some(b'[') => {
                    self.enter(Tag::Array)?;
                    if self.peek() == Some(b']') {
                        self.at += 1;
                        self.leave()?;
                    } else {
                        continue;
                    }
                }
                Some(b't') => self.word("true", Tag::True)?,
                Some(b'f') => self.word("false", Tag::False)?,
                Some(b'n') => self.word("null", Tag::Null)?,
                Some(_) => return self.fail(Reason::Expected("a value")),
                None => return self.fail(Reason::Ends),
            }
            // Behind a value: what closes, and what goes on.
            loop {
                let next = self.peek();
                let Some(&container) = self.open.last() else {
                    return match next {
                        None => Ok((self.nodes, self.side)),
                        Some(_) => self.fail(Reason::Trailing),
                    };
                };
                let object = self.nodes.get(container as usize).is_some_and(|node| node.tag == Tag::Object);
                match (next, object) {
                    (Some(b','), true) => {
                        self.at += 1;
                        self.name()?;
                        break;
                    }
                    (Some(b','), false) => {
                        self.at += 1;
                        if let Some(node) = self.nodes.get_mut(container as usize) {
                            node.start += 1;
                        }
                        break;
                    }
                    (Some(b'}'), true) | (Some(b']'), false) => {
                        self.at += 1;
                        self.leave()?;
                    }
                    (Some(_), true) => return self.fail(Reason::Expected("`,` or `}`")),
                    (Some(_), false) => return self.fail(Reason::Expected("`,` or `]`")),
                    (None, _) => return self.fail(Reason::Ends),
                }
            }
        }
    }

    fn fail<T>(&self, reason: Reason) -> Read<T> {
        Err(ParseError { offset: self.at, reason })
    }

    /// The next byte that is no white space; does not pass it.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.bytes.get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    #[inline]
    fn push(&mut self, tag: Tag, side: bool, start: usize, end: usize) -> Read<()> {
        if self.nodes.len() >= self.limits.nodes {
            return self.fail(Reason::Size);
        }
        let past = self.nodes.len() as u32 + 1;
        self.nodes.push(Node { tag, side, start: start as u32, end: end as u32, past });
        Ok(())
    }

    fn enter(&mut self, tag: Tag) -> Read<()> {
        if self.open.len() >= self.limits.depth {
            return self.fail(Reason::Depth);
        }
        self.at += 1;
        self.open.push(self.nodes.len() as u32);
        // An array that does not end at once has an item; each comma adds one.
        let first = usize::from(tag == Tag::Array);
        self.push(tag, false, first, 0)
    }

    fn leave(&mut self) -> Read<()> {
        let past = self.nodes.len() as u32;
        let Some(container) = self.open.pop() else { return Ok(()) };
        let Some(node) = self.nodes.get_mut(container as usize) else { return Ok(()) };
        node.past = past;
        if past == container + 1 {
            node.start = 0;
        }
        if node.tag == Tag::Object {
            let count = node.start as usize;
            if count > 1 && repeats(self.text, &self.side, &self.nodes, container, count) {
                return self.fail(Reason::Duplicate);
            }
        }
        Ok(())
    }

    fn name(&mut self) -> Read<()> {
        match self.peek() {
            Some(b'"') => self.at += 1,
            Some(_) => return self.fail(Reason::Expected("a member name")),
            None => return self.fail(Reason::Ends),
        }
        if let Some(node) = self.open.last().and_then(|open| self.nodes.get_mut(*open as usize)) {
            node.start += 1;
            if node.start as usize > self.limits.members {
                return self.fail(Reason::Size);
            }
        }
        self.string()?;
        match self.peek() {
            Some(b':') => self.at += 1,
            Some(_) => return self.fail(Reason::Expected("`:`")),
            None => return self.fail(Reason::Ends),
        }
        Ok(())
    }

    fn word(&mut self, word: &'static str, tag: Tag) -> Read<()> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return self.fail(if word.as_bytes().starts_with(rest) {
                Reason::Ends
            } else {
                Reason::Expected("a value")
            });
        }
        self.at += word.len();
        self.push(tag, false, 0, 0)
    }

    #[inline]
    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        self.at - start
    }

    fn number(&mut self) -> Read<()> {
        let start = self.at;
        let mut tag = Tag::Integer;
        if self.bytes.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        let zero = self.bytes.get(self.at) == Some(&b'0');
        match self.digits() {
            0 => return self.fail(if self.at < self.bytes.len() { Reason::Expected("a digit") } else { Reason::Ends }),
            1 => {}
            _ if zero => return self.fail(Reason::Expected("a number without leading zeros")),
            _ => {}
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            tag = Tag::Decimal;
            self.at += 1;
            if self.digits() == 0 {
                return self.fail(Reason::Expected("a digit"));
            }
        }
        if matches!(self.bytes.get(self.at), Some(b'e' | b'E')) {
            tag = Tag::Decimal;
            self.at += 1;
            let sign = self.at;
            if matches!(self.bytes.get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return self.fail(Reason::Expected("a digit"));
            }
            let exponent = self.text.get(sign..self.at).and_then(|text| text.parse::<i64>().ok());
            if exponent.is_none_or(|exponent| exponent.abs() > MAX_EXPONENT) {
                return self.fail(Reason::Exponent);
            }
        }
        self.push(tag, false, start, self.at)
    }

    /// A string, from behind its opening quote.
    fn string(&mut self) -> Read<()> {
        let start = self.at;
        self.at = plain(self.bytes, start);
        match self.bytes.get(self.at) {
            Some(b'"') => {
                self.at += 1;
                self.push(Tag::String, false, start, self.at - 1)
            }
            Some(b'\\') => self.escaped(start),
            Some(_) => self.fail(Reason::Control),
            None => self.fail(Reason::Ends),
        }
    }

    /// A string with escapes: it is written out into the side buffer.
    fn escaped(&mut self, mut start: usize) -> Read<()> {
        let begin = self.side.len();
        loop {
            self.side.push_str(self.text.get(start..self.at).unwrap_or_default());
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return self.push(Tag::String, true, begin, self.side.len());
                }
                Some(b'\\') => {
                    let c = self.escape()?;
                    self.side.push(c);
                }
                Some(_) => return self.fail(Reason::Control),
                None => return self.fail(Reason::Ends),
            }
            start = self.at;
            self.at = plain(self.bytes, start);
        }
    }

    fn escape(&mut self) -> Read<char> {
        let Some(&letter) = self.bytes.get(self.at + 1) else { return self.fail(Reason::Ends) };
        let c = match letter {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.unit(self.at + 2)?;
                if let Some(c) = char::from_u32(unit) {
                    self.at += 6;
                    return Ok(c);
                }
                let low = match (unit, self.bytes.get(self.at + 6..self.at + 8)) {
                    (0xD800..=0xDBFF, Some(b"\\u")) => self.unit(self.at + 8)?,
                    _ => return self.fail(Reason::Surrogate),
                };
                if !(0xDC00..=0xDFFF).contains(&low) {
                    return self.fail(Reason::Surrogate);
                }
                let Some(c) = char::from_u32(0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00)) else {
                    return self.fail(Reason::Surrogate);
                };
                self.at += 12;
                return Ok(c);
            }
            _ => return self.fail(Reason::Escape),
        };
        self.at += 2;
        Ok(c)
    }

    /// Four hexadecimal digits.
    fn unit(&self, at: usize) -> Read<u32> {
        let Some(digits) = self.bytes.get(at..at + 4) else { return self.fail(Reason::Ends) };
        digits.iter().try_fold(0, |value, digit| match (*digit as char).to_digit(16) {
            Some(digit) => Ok(value << 4 | digit),
            None => self.fail(Reason::Escape),
        })
    }
}

/// The first byte from `at` on that is no plain part of a string: a quote, a backslash or a control character. Eight
/// bytes at a time.
#[inline]
pub(super) fn plain(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk);
        // A borrow can only mark bytes above the first true mark, and only the first counts.
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        let marks = control | zero(word ^ (ONES * 0x22)) | zero(word ^ (ONES * 0x5C));
        if marks != 0 {
            return at + (marks.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)) {
        at += 1;
    }
    at
}

/// Whether an object has a name twice. Few names are compared with each other; many are sorted, so that no choice of
/// names costs more than sorting them.
pub(super) fn repeats(text: &str, side: &str, nodes: &[Node], container: u32, count: usize) -> bool {
    let key = |at: u32| {
        let node = nodes.get(at as usize)?;
        let from = if node.side { side } else { text };
        from.as_bytes().get(node.start as usize..node.end as usize)
    };
    let next = |at: u32| nodes.get(at as usize + 1).map_or(u32::MAX, |value| value.past);
    if count <= 12 {
        let mut seen: [&[u8]; 12] = [&[]; 12];
        let mut at = container + 1;
        for place in 0..count {
            let Some(name) = key(at) else { return true };
            if seen.iter().take(place).any(|other| other.len() == name.len() && *other == name) {
                return true;
            }
            if let Some(slot) = seen.get_mut(place) {
                *slot = name;
            }
            at = next(at);
        }
        return false;
    }
    let mut names = Vec::with_capacity(count);
    let mut at = container + 1;
    for _ in 0..count {
        let Some(name) = key(at) else { return true };
        names.push(name);
        at = next(at);
    }
    names.sort_unstable_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
    names.windows(2).any(|pair| pair.first() == pair.get(1))
}
