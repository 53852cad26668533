//! Escapes and character classes.

use super::read::{Foreign, Read, Reader};
use super::write::{ANYTHING, NOTHING, push_item, push_range};

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

const SPACES: &str = r"\x{09}-\x{0D}\x{20}\x{A0}\x{FEFF}\x{2028}\x{2029}\p{Zs}";

/// What stands in a class, or for itself.
pub(super) enum Item {
    /// A code point, possibly a surrogate.
    Code(u32),
    /// A set, as the items of a class.
    Set(String),
}

impl Reader {
    /// An escape that stands for a character or a set, in and out of classes.
    pub(super) fn escape(&mut self) -> Read<Item> {
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
    pub(super) fn foreign(&mut self, at: usize, text: String) {
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

    pub(super) fn class(&mut self) -> Read<String> {
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
