//! Reads a pattern from left to right: alternatives, groups, repetitions. Classes and escapes are in [`class`](super::class).

use std::collections::HashSet;

use super::class::Item;
use super::write::{ANYTHING, literal, write_quantifier};
use super::{PatternError, Repeated};

/// Groups nest at most this deep.
const DEPTH_LIMIT: usize = 100;

pub(super) type Read<T> = Result<T, PatternError>;

/// What another language of patterns says.
pub(super) struct Foreign {
    pub(super) at: usize,
    pub(super) text: String,
}

/// What a disjunction became.
pub(super) struct Terms {
    pub(super) text: String,
    pub(super) repeated: Option<Repeated>,
}

pub(super) struct Reader {
    pub(super) chars: Vec<(usize, char)>,
    pub(super) end: usize,
    pub(super) at: usize,
    pub(super) groups: usize,
    pub(super) names: HashSet<String>,
    pub(super) references: Vec<String>,
    pub(super) linear: bool,
    pub(super) dot_all: bool,
    pub(super) foreign: Option<Foreign>,
}

impl Reader {
    pub(super) fn new(source: &str) -> Reader {
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

    pub(super) fn peek(&self) -> Option<char> {
        self.chars.get(self.at).map(|(_, c)| *c)
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    pub(super) fn eat(&mut self, text: &str) -> bool {
        let found = text.chars().enumerate().all(|(i, c)| self.chars.get(self.at + i).map(|(_, c)| *c) == Some(c));
        if found {
            self.at += text.chars().count();
        }
        found
    }

    pub(super) fn invalid(&self, why: impl Into<String>) -> PatternError {
        let at = self.chars.get(self.at).map_or(self.end, |(at, _)| *at);
        PatternError::Invalid { at, why: why.into() }
    }

    pub(super) fn disjunction(&mut self, depth: usize) -> Read<Terms> {
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

    pub(super) fn name(&mut self) -> Read<String> {
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

    pub(super) fn no_quantifier(&mut self) -> Read<()> {
        match self.quantifier()? {
            Some(_) => Err(self.invalid("there is nothing to repeat")),
            None => Ok(()),
        }
    }

    /// A quantifier, lazy or not: for whether a text matches, that is the same.
    pub(super) fn quantifier(&mut self) -> Read<Option<(u64, Option<u64>)>> {
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

    pub(super) fn number(&mut self) -> Option<u64> {
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
