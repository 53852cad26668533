//! JSON values of a spec (`enum`, `const`, `default`, examples), with numbers as exact as they were written.

use std::cmp::Ordering;
use std::fmt;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, exact.
    Number(Number),
    /// A string.
    String(String),
    /// An array.
    Array(Vec<Json>),
    /// An object, in the order of the text, without duplicate names.
    Object(Vec<(String, Json)>),
}

/// A decimal number of any size: `digits * 10^exponent`, compared by value (`1.0 == 1`, `100 == 1e2`).
#[derive(Clone, Debug)]
pub struct Number {
    negative: bool,
    /// Without leading or trailing zeros; empty for zero.
    digits: String,
    exponent: i64,
    text: String,
}

/// Exponents beyond this are refused: no real document has them, and a comparison must stay cheap.
const MAX_EXPONENT: i64 = 100_000;

impl Number {
    /// Reads a JSON number. Also a leading `+`, `.5` and `5.` as YAML 1.2 allows them. `None` for anything else, and for
    /// exponents beyond ±100,000.
    pub fn parse(text: &str) -> Option<Number> {
        let (negative, rest) = match text.as_bytes().first()? {
            b'-' => (true, text.get(1..)?),
            b'+' => (false, text.get(1..)?),
            _ => (false, text),
        };
        let (mantissa, exponent) = match rest.find(['e', 'E']) {
            Some(at) => (rest.get(..at)?, rest.get(at + 1..)?.parse::<i64>().ok()?),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        if exponent.abs() > MAX_EXPONENT || whole.len() + fraction.len() > MAX_EXPONENT as usize {
            return None;
        }
        let joined = format!("{whole}{fraction}");
        let significant = joined.trim_start_matches('0');
        let digits = significant.trim_end_matches('0');
        let exponent = if digits.is_empty() {
            0
        } else {
            exponent - fraction.len() as i64 + (significant.len() - digits.len()) as i64
        };
        Some(Number {
            negative: negative && !digits.is_empty(),
            digits: digits.to_owned(),
            exponent,
            text: text.to_owned(),
        })
    }

    /// The number as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it has no fraction (`1.0` has none).
    pub fn is_integer(&self) -> bool {
        self.digits.is_empty() || self.exponent >= 0
    }

    /// Its value if it is an integer that fits.
    pub fn as_i128(&self) -> Option<i128> {
        if !self.is_integer() || self.exponent > 39 {
            return None;
        }
        let magnitude = if self.digits.is_empty() {
            0
        } else {
            self.digits.parse::<i128>().ok()?.checked_mul(10i128.checked_pow(self.exponent as u32)?)?
        };
        Some(if self.negative { -magnitude } else { magnitude })
    }

    /// The nearest float.
    pub fn as_f64(&self) -> f64 {
        self.canonical().parse().unwrap_or(f64::NAN)
    }

    /// The shortest JSON text of this value: equal numbers have equal texts.
    pub fn canonical(&self) -> String {
        if self.digits.is_empty() {
            return "0".to_owned();
        }
        let sign = if self.negative { "-" } else { "" };
        match self.exponent {
            0 => format!("{sign}{}", self.digits),
            1..=20 => format!("{sign}{}{}", self.digits, "0".repeat(self.exponent as usize)),
            -20..=-1 => {
                let places = self.exponent.unsigned_abs() as usize;
                if self.digits.len() > places {
                    let (whole, fraction) = self.digits.split_at(self.digits.len() - places);
                    format!("{sign}{whole}.{fraction}")
                } else {
                    format!("{sign}0.{}{}", "0".repeat(places - self.digits.len()), self.digits)
                }
            }
            e => format!("{sign}{}e{e}", self.digits),
        }
    }

    /// The order of magnitudes: where the first digit stands.
    fn magnitude(&self) -> i64 {
        self.digits.len() as i64 + self.exponent
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |n: &Number| match (n.digits.is_empty(), n.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let by_sign = sign(self).cmp(&sign(other));
        if by_sign != Ordering::Equal || self.digits.is_empty() {
            return by_sign;
        }
        // Digits have no trailing zeros, so comparing them as text at equal magnitude is comparing by value.
        let by_size = self.magnitude().cmp(&other.magnitude()).then_with(|| self.digits.cmp(&other.digits));
        if self.negative { by_size.reverse() } else { by_size }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Number::parse(&value.to_string()).unwrap_or(Number {
            negative: false,
            digits: String::new(),
            exponent: 0,
            text: "0".to_owned(),
        })
    }
}

impl Json {
    /// Writes it as compact JSON; equal numbers are written alike.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Json::Null => out.push_str("null"),
            Json::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
            Json::Number(n) => out.push_str(&n.canonical()),
            Json::String(s) => write_string(s, out),
            Json::Array(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Json::Object(members) => {
                out.push('{');
                for (i, (name, value)) in members.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    write_string(name, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if (c as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    #[test]
    fn numbers_compare_by_value() {
        assert_eq!(number("1.0"), number("1"));
        assert_eq!(number("100"), number("1e2"));
        assert_eq!(number("-0"), number("0"));
        assert!(number("-5") < number("-4.9"));
        assert!(number("9007199254740993") > number("9007199254740992"));
        assert!(number("0.1") < number("0.11"));
        assert!(number("12") < number("101"));
        assert!(Number::parse("1e999999").is_none());
        assert!(Number::parse("0x10").is_none());
        assert!(Number::parse("-").is_none());
    }

    #[test]
    fn numbers_have_one_canonical_text() {
        for (text, canonical) in
            [("1.50", "1.5"), ("1e3", "1000"), ("-0.0", "0"), ("0.001", "0.001"), ("12e-1", "1.2"), ("1e30", "1e30")]
        {
            assert_eq!(number(text).canonical(), canonical);
        }
        assert_eq!(number("18446744073709551615").as_i128(), Some(18_446_744_073_709_551_615));
        assert!(number("1.5").as_i128().is_none());
    }
}
