//! Patterns: ECMA 262 regular expressions read, checked, and said again in the syntax of the `regex` crate, which matches
//! in linear time. Both sides agree on code points (the `u` flag); escapes that only Annex B of ECMA 262 allows are
//! taken where they cannot be misread, because real documents are full of `\-` and `\_`. So are the names that other
//! languages have for sets of ASCII characters, `\p{Alnum}`, and their `\A` and `\z`: ECMA 262 has nothing of that name, so
//! they can only mean what they mean there.

use std::collections::HashSet;

/// A compiled pattern may need this much memory: the `regex` crate's own limit, which the server keeps too.
const SIZE_LIMIT: usize = 10 << 20;
/// Groups nest at most this deep.
const DEPTH_LIMIT: usize = 100;
/// Longer patterns are refused unread.
const LENGTH_LIMIT: usize = 64 << 10;

/// The least and the largest length in code points.
pub type Length = (u64, Option<u64>);

/// What became of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Translation {
    /// The same language in the syntax of the `regex` crate; `None` for look-around and back-references.
    pub translated: Option<String>,
    /// A length in code points that must hold besides: `^.{0,100000}$` is too big for a linear engine, and is exactly
    /// `^.*$` with a largest length.
    pub length: Option<Length>,
    /// What in it is another language's, as it stands there.
    pub foreign: Option<String>,
}

/// Why a pattern is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatternError {
    /// It is no regular expression. `at` counts bytes.
    Invalid {
        /// Where.
        at: usize,
        /// What is wrong, in words.
        why: String,
    },
    /// It would need more memory to match than we spend.
    TooBig,
}

/// Reads a pattern and says it again for a linear-time engine.
///
/// # Errors
/// It is no ECMA 262 pattern, or its automaton would be larger than 10 MiB.
pub fn translate(source: &str) -> Result<Translation, PatternError> {
    if source.len() > LENGTH_LIMIT {
        return Err(PatternError::TooBig);
    }
    let mut reader = Reader::new(source);
    let terms = reader.disjunction(0)?;
    if reader.at < reader.chars.len() {
        return Err(reader.invalid("a `)` closes no group"));
    }
    if let Some(name) = reader.references.iter().find(|name| !reader.names.contains(*name)) {
        let why = format!("`\\k<{name}>` refers to no group");
        return Err(PatternError::Invalid { at: source.len(), why });
    }
    if let Some(Foreign { at, text }) = &reader.foreign
        && (!reader.linear || source.contains("&&"))
    {
        // What looks around is matched as it stands; what another language takes for an intersection is none here.
        return Err(PatternError::Invalid { at: *at, why: format!("`{text}` means nothing in ECMA 262") });
    }
    let foreign = reader.foreign.map(|foreign| foreign.text);
    if !reader.linear {
        return Ok(Translation { translated: None, length: None, foreign });
    }
    let plain = terms.text;
    match build(&plain) {
        Ok(()) => Ok(Translation { translated: Some(plain), length: None, foreign }),
        Err(PatternError::TooBig) => {
            let simple = terms.repeated.and_then(Repeated::simplify).ok_or(PatternError::TooBig)?;
            Ok(Translation { foreign, ..simple })
        }
        Err(other) => Err(other),
    }
}

/// What another language of patterns says.
struct Foreign {
    at: usize,
    text: String,
}

/// Sets of ASCII characters that POSIX, Java and others name, and ECMA 262 does not.
const POSIX: [(&str, &str); 10] = [
    ("Alnum", "0-9A-Za-z"),
    ("Blank", r"\x{09}\x{20}"),
    ("Cntrl", r"\x{00}-\x{1F}\x{7F}"),
    ("Digit", "0-9"),
    ("Graph", r"\x{21}-\x{7E}"),
    ("Print", r"\x{20}-\x{7E}"),
    ("Punct", r"\x{21}-\x{2F}\x{3A}-\x{40}\x{5B}-\x{60}\x{7B}-\x{7E}"),
    ("Space", r"\x{09}-\x{0D}\x{20}"),
    ("XDigit", "0-9A-Fa-f"),
    ("all", r"\x{00}-\x{10FFFF}"),
];

/// Whether the `regex` crate takes it within the limit.
fn build(pattern: &str) -> Result<(), PatternError> {
    match regex::RegexBuilder::new(pattern).size_limit(SIZE_LIMIT).nest_limit(1000).build() {
        Ok(_) => Ok(()),
        Err(regex::Error::CompiledTooBig(_)) => Err(PatternError::TooBig),
        Err(error) => {
            // Only a Unicode property can be unknown to the engine once our own reading has passed.
            let text = error.to_string();
            let why = text.lines().last().unwrap_or("").trim().trim_start_matches("error: ");
            Err(PatternError::Invalid { at: 0, why: why.to_owned() })
        }
    }
}

/// A whole pattern that is one repeated character class, between optional anchors.
struct Repeated {
    class: String,
    min: u64,
    max: Option<u64>,
    from_start: bool,
    to_end: bool,
}

impl Repeated {
    /// The same language without a large count, if there is such a form.
    fn simplify(self) -> Option<Translation> {
        let Repeated { class, min, max, from_start, to_end } = self;
        if from_start && to_end {
            return Some(Translation {
                translated: Some(format!("^{class}*$")),
                length: Some((min, max)),
                foreign: None,
            });
        }
        // With an open side a longest repetition forbids nothing.
        let (start, end) = (if from_start { "^" } else { "" }, if to_end { "$" } else { "" });
        let translated = format!("{start}{class}{{{min}}}{end}");
        build(&translated).ok()?;
        Some(Translation { translated: Some(translated), length: None, foreign: None })
    }
}

/// What a disjunction became.
struct Terms {
    text: String,
    repeated: Option<Repeated>,
}

/// What stands in a class, or for itself.
enum Item {
    /// A code point, possibly a surrogate.
    Code(u32),
    /// A set, as the items of a class.
    Set(String),
}

struct Reader {
    chars: Vec<(usize, char)>,
    end: usize,
    at: usize,
    groups: usize,
    names: HashSet<String>,
    references: Vec<String>,
    linear: bool,
    dot_all: bool,
    foreign: Option<Foreign>,
}

type Read<T> = Result<T, PatternError>;

const SPACES: &str = r"\x{09}-\x{0D}\x{20}\x{A0}\x{FEFF}\x{2028}\x{2029}\p{Zs}";
const NOTHING: &str = "[a&&b]";
const ANYTHING: &str = "(?s:.)";

impl Reader {
    fn new(source: &str) -> Reader {
        let chars: Vec<(usize, char)> = source.char_indices().collect();
        Reader {
            groups: count_groups(&chars),
            chars,
            end: source.len(),
            at: 0,
            names: HashSet::new(),
            references: Vec::new(),
            linear: true,
            dot_all: false,
            foreign: None,
        }
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).map(|(_, c)| *c)
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = text.chars().enumerate().all(|(i, c)| self.chars.get(self.at + i).map(|(_, c)| *c) == Some(c));
        if found {
            self.at += text.chars().count();
        }
        found
    }

    fn invalid(&self, why: impl Into<String>) -> PatternError {
        let at = self.chars.get(self.at).map_or(self.end, |(at, _)| *at);
        PatternError::Invalid { at, why: why.into() }
    }

    fn disjunction(&mut self, depth: usize) -> Read<Terms> {
        if depth > DEPTH_LIMIT {
            return Err(PatternError::TooBig);
        }
        let mut terms = self.alternative(depth)?;
        while self.eat("|") {
            terms.text.push('|');
            terms.text.push_str(&self.alternative(depth)?.text);
            terms.repeated = None;
        }
        Ok(terms)
    }

    fn alternative(&mut self, depth: usize) -> Read<Terms> {
        let mut text = String::new();
        let (mut from_start, mut to_end) = (false, false);
        let mut repeated: Option<Repeated> = None;
        let mut simple = true;
        while let Some(c) = self.peek() {
            match c {
                '|' | ')' => break,
                '^' => {
                    self.at += 1;
                    text.push('^');
                    simple &= repeated.is_none() && !from_start && !to_end;
                    from_start = true;
                    self.no_quantifier()?;
                }
                '$' => {
                    self.at += 1;
                    text.push('$');
                    simple &= repeated.is_some() && !to_end;
                    to_end = true;
                    self.no_quantifier()?;
                }
                _ => {
                    let (atom, single) = self.atom(depth)?;
                    let Some(atom) = atom else {
                        simple = false;
                        continue;
                    };
                    text.push_str(&atom);
                    simple &= repeated.is_none() && !to_end && single;
                    if let Some((min, max)) = self.quantifier()? {
                        write_quantifier(&mut text, min, max)?;
                        repeated = Some(Repeated { class: atom, min, max, from_start, to_end: false });
                    } else {
                        simple = false;
                    }
                }
            }
        }
        let repeated = repeated.filter(|_| simple).map(|r| Repeated { to_end, ..r });
        Ok(Terms { text, repeated })
    }

    /// One atom, and whether it is one character. `None` for an assertion that left nothing to write.
    fn atom(&mut self, depth: usize) -> Read<(Option<String>, bool)> {
        match self.next() {
            Some('.') => {
                let any = if self.dot_all { ANYTHING } else { r"[^\n\r\x{2028}\x{2029}]" };
                Ok((Some(any.to_owned()), true))
            }
            Some('(') => self.group(depth).map(|group| (group, false)),
            Some('[') => Ok((Some(self.class()?), true)),
            Some('\\') => self.atom_escape(),
            Some('*' | '+' | '?') => {
                self.at -= 1;
                Err(self.invalid("there is nothing to repeat"))
            }
            Some('{') => {
                self.at -= 1;
                if self.quantifier()?.is_some() {
                    return Err(self.invalid("there is nothing to repeat"));
                }
                self.at += 1;
                Ok((Some(r"\{".to_owned()), true))
            }
            Some(c) => Ok((Some(literal(u32::from(c))), true)),
            None => Err(self.invalid("the pattern ends too early")),
        }
    }

    fn group(&mut self, depth: usize) -> Read<Option<String>> {
        let dot_all = self.dot_all;
        let mut open = "(?:".to_owned();
        let mut look = false;
        let mut quantifiable = true;
        if self.eat("?=") || self.eat("?!") {
            look = true;
        } else if self.eat("?<=") || self.eat("?<!") {
            look = true;
            quantifiable = false;
        } else if self.eat("?<") {
            let name = self.name()?;
            if !self.names.insert(name) {
                return Err(self.invalid("two groups have one name"));
            }
        } else if self.eat("?P<") {
            return Err(self.invalid("a named group is written `(?<name>…)`"));
        } else if self.eat("?") && !self.eat(":") {
            open = self.modifiers()?;
        }
        let body = self.disjunction(depth + 1)?;
        self.dot_all = dot_all;
        if !self.eat(")") {
            return Err(self.invalid("a group is never closed"));
        }
        if look {
            self.linear = false;
            if quantifiable {
                self.quantifier()?;
            } else {
                self.no_quantifier()?;
            }
            return Ok(None);
        }
        Ok(Some(format!("{open}{})", body.text)))
    }

    /// `(?i:…)` and its kin (ECMA 262 of 2025).
    fn modifiers(&mut self) -> Read<String> {
        let mut open = "(?".to_owned();
        let mut on = true;
        let mut case = String::new();
        loop {
            match self.next() {
                Some('i') => case.push('i'),
                Some('s') => self.dot_all = on,
                Some('-') if on => {
                    on = false;
                    case.push('-');
                }
                Some(':') => break,
                Some(')') => {
                    return Err(
                        self.invalid("flags for the rest of a pattern are not ECMA 262: write `(?i:…)` around it")
                    );
                }
                _ => {
                    self.at = self.at.saturating_sub(1);
                    return Err(self.invalid("an unknown kind of group"));
                }
            }
        }
        open.push_str(case.trim_end_matches('-'));
        open.push(':');
        Ok(open)
    }

    fn name(&mut self) -> Read<String> {
        let mut name = String::new();
        loop {
            match self.next() {
                Some('>') if !name.is_empty() => return Ok(name),
                Some(c) if c.is_alphanumeric() || c == '_' || c == '$' => name.push(c),
                _ => {
                    self.at = self.at.saturating_sub(1);
                    return Err(self.invalid("a group's name is made of letters, digits, `_` and `$`"));
                }
            }
        }
    }

    fn no_quantifier(&mut self) -> Read<()> {
        match self.quantifier()? {
            Some(_) => Err(self.invalid("there is nothing to repeat")),
            None => Ok(()),
        }
    }

    /// A quantifier, lazy or not: for whether a text matches, that is the same.
    fn quantifier(&mut self) -> Read<Option<(u64, Option<u64>)>> {
        let start = self.at;
        let found = match self.next() {
            Some('*') => Some((0, None)),
            Some('+') => Some((1, None)),
            Some('?') => Some((0, Some(1))),
            Some('{') => self.counted(),
            _ => None,
        };
        let Some((min, max)) = found else {
            self.at = start;
            return Ok(None);
        };
        if max.is_some_and(|max| max < min) {
            return Err(self.invalid("a repetition's bounds are out of order"));
        }
        self.eat("?");
        Ok(Some((min, max)))
    }

    /// `2}`, `2,}` or `2,3}`; anything else makes the `{` an ordinary character.
    fn counted(&mut self) -> Option<(u64, Option<u64>)> {
        let min = self.number()?;
        let max =
            if self.eat(",") { if self.peek() == Some('}') { None } else { Some(self.number()?) } } else { Some(min) };
        self.eat("}").then_some((min, max))
    }

    fn number(&mut self) -> Option<u64> {
        let mut value: Option<u64> = None;
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
            self.at += 1;
            value = Some(value.unwrap_or(0).saturating_mul(10).saturating_add(u64::from(digit)));
        }
        value
    }

    fn atom_escape(&mut self) -> Read<(Option<String>, bool)> {
        match self.peek() {
            Some('b') => {
                self.at += 1;
                self.no_quantifier()?;
                Ok((Some(r"(?-u:\b)".to_owned()), false))
            }
            Some('B') => {
                self.at += 1;
                self.no_quantifier()?;
                Ok((Some(r"(?-u:\B)".to_owned()), false))
            }
            Some(c @ ('A' | 'z' | 'Z')) => {
                self.foreign(self.at.saturating_sub(1), format!("\\{c}"));
                self.at += 1;
                self.no_quantifier()?;
                Ok((Some(if c == 'A' { r"\A" } else { r"\z" }.to_owned()), false))
            }
            Some('k') => {
                self.at += 1;
                if !self.eat("<") {
                    return Err(self.invalid("`\\k` is followed by `<name>`"));
                }
                let name = self.name()?;
                self.references.push(name);
                self.linear = false;
                self.quantifier()?;
                Ok((None, false))
            }
            Some(digit @ '1'..='9') => {
                let start = self.at;
                let number = self.number().unwrap_or(u64::MAX);
                if number > self.groups as u64 {
                    self.at = start;
                    return Err(self.invalid(format!("`\\{digit}` refers to no group")));
                }
                self.linear = false;
                self.quantifier()?;
                Ok((None, false))
            }
            _ => Ok((
                Some(match self.escape()? {
                    Item::Code(code) => literal(code),
                    Item::Set(set) => format!("[{set}]"),
                }),
                true,
            )),
        }
    }

    /// An escape that stands for a character or a set, in and out of classes.
    fn escape(&mut self) -> Read<Item> {
        let Some(c) = self.next() else {
            return Err(self.invalid("the pattern ends in a backslash"));
        };
        Ok(match c {
            'd' => Item::Set("0-9".to_owned()),
            'D' => Item::Set("[^0-9]".to_owned()),
            'w' => Item::Set("0-9A-Za-z_".to_owned()),
            'W' => Item::Set("[^0-9A-Za-z_]".to_owned()),
            's' => Item::Set(SPACES.to_owned()),
            'S' => Item::Set(format!("[^{SPACES}]")),
            't' => Item::Code(9),
            'n' => Item::Code(10),
            'v' => Item::Code(11),
            'f' => Item::Code(12),
            'r' => Item::Code(13),
            '0' if !self.peek().is_some_and(|c| c.is_ascii_digit()) => Item::Code(0),
            'c' => match self.next() {
                Some(letter) if letter.is_ascii_alphabetic() => Item::Code(u32::from(letter) % 32),
                _ => return Err(self.invalid("`\\c` is followed by a letter")),
            },
            'x' => Item::Code(self.hex(2).ok_or_else(|| self.invalid("`\\x` is followed by two hexadecimal digits"))?),
            'u' => Item::Code(self.unicode()?),
            'p' | 'P' => Item::Set(self.property(c)?),
            c if c.is_ascii_alphanumeric() => {
                self.at -= 1;
                return Err(self.invalid(format!("`\\{c}` means nothing in ECMA 262")));
            }
            c => Item::Code(u32::from(c)),
        })
    }

    fn hex(&mut self, digits: usize) -> Option<u32> {
        let mut value = 0;
        for i in 0..digits {
            value = value * 16 + self.chars.get(self.at + i)?.1.to_digit(16)?;
        }
        self.at += digits;
        Some(value)
    }

    fn unicode(&mut self) -> Read<u32> {
        if self.eat("{") {
            let mut value: u32 = 0;
            let start = self.at;
            while let Some(digit) = self.peek().and_then(|c| c.to_digit(16)) {
                self.at += 1;
                value = value.saturating_mul(16).saturating_add(digit);
            }
            if self.at == start || value > 0x10_ffff || !self.eat("}") {
                return Err(self.invalid("`\\u{…}` holds no code point"));
            }
            return Ok(value);
        }
        let Some(high) = self.hex(4) else {
            return Err(self.invalid("`\\u` is followed by four hexadecimal digits"));
        };
        let after = self.at;
        if (0xd800..0xdc00).contains(&high) && self.eat("\\u") {
            if let Some(low) = self.hex(4).filter(|low| (0xdc00..0xe000).contains(low)) {
                return Ok(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00));
            }
            self.at = after;
        }
        Ok(high)
    }

    /// Notes the first text of another language.
    fn foreign(&mut self, at: usize, text: String) {
        let at = self.chars.get(at).map_or(self.end, |(at, _)| *at);
        self.foreign.get_or_insert(Foreign { at, text });
    }

    fn property(&mut self, kind: char) -> Read<String> {
        let start = self.at;
        if self.eat("{") {
            let mut name = String::new();
            while let Some(c) = self.next() {
                match c {
                    '}' if !name.is_empty() => {
                        let Some((_, set)) = POSIX.iter().find(|(posix, _)| *posix == name) else {
                            return Ok(format!("\\{kind}{{{name}}}"));
                        };
                        self.foreign(start.saturating_sub(2), format!("\\{kind}{{{name}}}"));
                        return Ok(if kind == 'p' { (*set).to_owned() } else { format!("[^{set}]") });
                    }
                    c if c.is_ascii_alphanumeric() || c == '_' || c == '=' => name.push(c),
                    _ => break,
                }
            }
        }
        self.at = start;
        Err(self.invalid(format!("`\\{kind}` is followed by a property in braces")))
    }

    fn class(&mut self) -> Read<String> {
        let negated = self.eat("^");
        let mut items = String::new();
        loop {
            let Some(c) = self.peek() else {
                return Err(self.invalid("a character class is never closed"));
            };
            if c == ']' {
                self.at += 1;
                break;
            }
            let low = self.class_item()?;
            let is_range = self.peek() == Some('-') && !matches!(self.chars.get(self.at + 1), None | Some((_, ']')));
            if !is_range {
                push_item(&mut items, &low);
                continue;
            }
            self.at += 1;
            let high = self.class_item()?;
            match (&low, &high) {
                (Item::Code(low), Item::Code(high)) if low > high => {
                    return Err(self.invalid("a range of a character class is out of order"));
                }
                (Item::Code(low), Item::Code(high)) => push_range(&mut items, *low, *high),
                _ => {
                    push_item(&mut items, &low);
                    items.push_str("\\-");
                    push_item(&mut items, &high);
                }
            }
        }
        Ok(match (items.is_empty(), negated) {
            (true, false) => NOTHING.to_owned(),
            (true, true) => ANYTHING.to_owned(),
            (false, true) => format!("[^{items}]"),
            (false, false) => format!("[{items}]"),
        })
    }

    fn class_item(&mut self) -> Read<Item> {
        match self.next() {
            Some('\\') if self.eat("b") => Ok(Item::Code(8)),
            Some('\\') => self.escape(),
            Some(c) => Ok(Item::Code(u32::from(c))),
            None => Err(self.invalid("a character class is never closed")),
        }
    }
}

/// How many capturing groups there are, which decides what `\1` is.
fn count_groups(chars: &[(usize, char)]) -> usize {
    let mut groups = 0;
    let mut in_class = false;
    let mut at = 0;
    let char_at = |i: usize| chars.get(i).map(|(_, c)| *c);
    while let Some(c) = char_at(at) {
        match c {
            '\\' => at += 1,
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => {
                let named = char_at(at + 2) == Some('<') && !matches!(char_at(at + 3), Some('=' | '!'));
                groups += usize::from(char_at(at + 1) != Some('?') || named);
            }
            _ => {}
        }
        at += 1;
    }
    groups
}

fn write_quantifier(text: &mut String, min: u64, max: Option<u64>) -> Read<()> {
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
fn literal(code: u32) -> String {
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

fn push_item(items: &mut String, item: &Item) {
    match item {
        Item::Code(code) => push_range(items, *code, *code),
        Item::Set(set) => items.push_str(set),
    }
}

fn push_range(items: &mut String, low: u32, high: u32) {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn matcher(source: &str) -> regex::Regex {
        regex::Regex::new(&translate(source).unwrap().translated.unwrap()).unwrap()
    }

    #[test]
    fn means_what_ecma_262_says() {
        for (source, yes, no) in [
            (r"^\d+$", "123", "١٢٣"),
            (r"^\w+$", "a_1", "é"),
            (r"^\s$", "\u{feff}", "a"),
            (r"^\s$", "\u{3000}", "\u{200b}"),
            (r"^\S$", "a", "\u{2028}"),
            ("^.$", "a", "\u{2028}"),
            ("^.$", "😀", "\r"),
            ("^a$", "a", "a\n"),
            (r"^\cI$", "\t", "I"),
            (r"^[a\-z]$", "-", "b"),
            (r"^[\w-.]$", "-", "é"),
            ("^[[&&~~]+$", "[&~", "a"),
            (r"^\ud83d\ude00$", "😀", "a"),
            (r"^\u{1F600}$", "😀", "a"),
            ("^[^]$", "\n", ""),
            ("^[^a]$", "\n", "a"),
            (r"^a{,2}$", "a{,2}", "aa"),
            (r"^(?<year>\d{4})-(?:x|y)$", "2026-x", "2026-z"),
            (r"\bword\b", "a word", "éword1"),
            (r"^\/\_\@$", "/_@", "/"),
            (r"^[\b]$", "\u{8}", "b"),
            (r"^\p{Lu}$", "É", "é"),
            (r"^[\uD800-\uE001]$", "\u{e000}", "a"),
            ("/^a/", "x/a", "/a"),
            ("^(?i:ab)c$", "ABc", "ABC"),
        ] {
            let translated = translate(source);
            if source == "/^a/" {
                // Delimiters of another language are ordinary characters, so this one matches nothing.
                assert!(!matcher(source).is_match("/a/"));
                continue;
            }
            assert!(translated.is_ok(), "{source}: {translated:?}");
            assert!(matcher(source).is_match(yes), "{source} {yes:?}");
            assert!(!matcher(source).is_match(no), "{source} {no:?}");
        }
        assert!(!matcher("[]").is_match("a"));
        assert!(matcher(r"a\Bb").is_match("ab"));
    }

    #[test]
    fn names_of_other_languages_mean_what_they_mean_there() {
        for (source, yes, no) in [
            (r"\A\p{XDigit}{2}\z", "fA", "fG"),
            (r"^[\p{Alnum}_]+\Z", "aZ9_", "é"),
            (r"^\P{Punct}$", "a", "$"),
            (r"^[\p{Graph}\x20]*$", "a b", "a\tb"),
            (r"^\p{all}$", "\n", ""),
        ] {
            assert!(translate(source).unwrap().foreign.is_some(), "{source}");
            assert!(matcher(source).is_match(yes), "{source} {yes:?}");
            assert!(!matcher(source).is_match(no), "{source} {no:?}");
        }
        // The names that ECMA 262 has too are its own.
        assert_eq!(translate(r"^\p{Alpha}\p{Lower}$").unwrap().foreign, None);
    }

    #[test]
    fn look_around_and_back_references_are_left_to_bounded_work() {
        for source in ["^(?!a)b", "(?=a)*b", "(?<=a)b", r"(a)\1", r"(?<n>a)\k<n>", "^(?=.*[A-Z]).{12,}$"] {
            assert_eq!(translate(source).unwrap().translated, None, "{source}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for source in [
            "[a-z",
            "(a",
            "a)",
            "*a",
            "a**",
            "^*",
            r"\",
            "[z-a]",
            "a{2,1}",
            r"\1",
            r"\k<x>",
            r"\u12",
            r"\xg",
            r"[\A]",
            r"\A*b",
            r"(?!a)\p{Alnum}",
            r"[\p{Print}&&[^a]]",
            "(?i)a",
            "(?P<n>a)",
            "(?#c)",
            r"\p{Nonsense}",
            r"\pL",
            "(?<n>a)(?<n>b)",
            "{2}",
            "(?<=a)*",
        ] {
            assert!(matches!(translate(source), Err(PatternError::Invalid { .. })), "{source}");
        }
    }

    #[test]
    fn size_is_bounded() {
        assert_eq!(translate("^((a{1000}){1000}){1000}$"), Err(PatternError::TooBig));
        assert_eq!(translate(&"(".repeat(5000)), Err(PatternError::TooBig));
        assert_eq!(translate(&"a".repeat(70_000)), Err(PatternError::TooBig));
        assert_eq!(translate("(?:ab){99999999999}"), Err(PatternError::TooBig));
    }

    #[test]
    fn one_class_repeated_often_is_a_length() {
        let huge = translate("^.{1,400000}$").unwrap();
        assert_eq!(huge.length, Some((1, Some(400_000))));
        assert_eq!(huge.translated.as_deref(), Some(r"^[^\n\r\x{2028}\x{2029}]*$"));
        assert_eq!(translate(r"^[\s\S]{0,1048576}").unwrap().length, None);
        assert_eq!(translate("^.{0,99999999999999999999}$").unwrap().length, None);
        assert_eq!(translate("^[a-z]{1,64}$").unwrap().length, None);
    }
}
