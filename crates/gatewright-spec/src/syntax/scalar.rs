//! What a plain scalar says, by the core schema of YAML 1.2 (section 10.3.2), of which JSON's literals are a part.
//!
//! `yes`, `on`, `0b101`, `1_000`, `12:30` are text. A number keeps its digits: nothing is rounded on the way in.

use std::cmp::Ordering;

/// A scalar's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar<'t> {
    /// `null`, `~`, or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, exactly as written.
    Number(Number<'t>),
    /// Text.
    Str(&'t str),
}

/// A number exactly as written. Compare and convert through its methods; nothing is rounded before you ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number<'t> {
    text: &'t str,
}

impl<'t> Scalar<'t> {
    /// Resolves a plain scalar.
    pub fn of_plain(text: &'t str) -> Scalar<'t> {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
            "true" | "True" | "TRUE" => Scalar::Bool(true),
            "false" | "False" | "FALSE" => Scalar::Bool(false),
            _ => Number::parse(text).map_or(Scalar::Str(text), Scalar::Number),
        }
    }

    /// The word for its type, for messages.
    pub fn type_name(self) -> &'static str {
        match self {
            Scalar::Null => "null",
            Scalar::Bool(_) => "true or false",
            Scalar::Number(_) => "a number",
            Scalar::Str(_) => "text",
        }
    }
}

impl Number<'static> {
    pub(crate) const ZERO: Self = Number { text: "0" };
}

impl<'t> Number<'t> {
    /// Reads a number of YAML's core schema: decimal, `0x`, `0o`, `.inf`, `.nan`.
    pub fn parse(text: &'t str) -> Option<Number<'t>> {
        let first = *text.as_bytes().first()?;
        if !(first.is_ascii_digit() || matches!(first, b'-' | b'+' | b'.')) {
            return None;
        }
        let ok = match text.get(..2) {
            Some("0x") => text.len() > 2 && text.bytes().skip(2).all(|b| b.is_ascii_hexdigit()),
            Some("0o") => text.len() > 2 && text.bytes().skip(2).all(|b| matches!(b, b'0'..=b'7')),
            _ => is_decimal(text) || is_special(text),
        };
        ok.then_some(Number { text })
    }

    /// As written.
    pub fn text(self) -> &'t str {
        self.text
    }

    /// Whether it is neither infinite nor `.nan`.
    pub fn is_finite(self) -> bool {
        !is_special(self.text)
    }

    /// The number as JSON writes it, exact; `None` for infinities and `.nan`, which JSON lacks.
    pub fn to_json(self) -> Option<String> {
        if let Some((negative, digits, exponent)) = self.decimal() {
            let sign = if negative { "-" } else { "" };
            return Some(match exponent {
                0 => format!("{sign}{digits}"),
                // Written out while it stays readable; else with an exponent, which JSON has too.
                1..=40 => format!("{sign}{digits}{}", "0".repeat(exponent as usize)),
                -40..=-1 => {
                    let places = exponent.unsigned_abs() as usize;
                    let padded = format!("{digits:0>width$}", width = places + 1);
                    let (whole, part) = padded.split_at(padded.len() - places);
                    format!("{sign}{whole}.{part}")
                }
                _ => format!("{sign}{digits}e{exponent}"),
            });
        }
        None
    }

    /// The exact integer, if it is one (`1.0` and `1e3` are, as JSON Schema says) and fits.
    pub fn as_i128(self) -> Option<i128> {
        let (negative, digits, exponent) = self.decimal()?;
        if !(0..=40).contains(&exponent) {
            return None;
        }
        let magnitude: i128 = digits.parse().ok()?;
        let magnitude = magnitude.checked_mul(10i128.checked_pow(exponent as u32)?)?;
        Some(if negative { -magnitude } else { magnitude })
    }

    /// The exact integer, if it is one and fits.
    pub fn as_u64(self) -> Option<u64> {
        self.as_i128().and_then(|n| n.try_into().ok())
    }

    /// The exact integer, if it is one and fits.
    pub fn as_i64(self) -> Option<i64> {
        self.as_i128().and_then(|n| n.try_into().ok())
    }

    /// The nearest double: rounded, infinite where it is too large.
    pub fn as_f64(self) -> f64 {
        match self.text.trim_start_matches(['-', '+']) {
            ".inf" | ".Inf" | ".INF" if self.text.starts_with('-') => f64::NEG_INFINITY,
            ".inf" | ".Inf" | ".INF" => f64::INFINITY,
            ".nan" | ".NaN" | ".NAN" => f64::NAN,
            _ => self.as_i128().map(|n| n as f64).or_else(|| self.text.parse().ok()).unwrap_or(f64::NAN),
        }
    }

    /// Whether it has no fractional part: `1`, `1.0`, `1e3`, whatever its size.
    pub fn is_integer(self) -> bool {
        self.decimal().is_some_and(|(_, _, exponent)| exponent >= 0)
    }

    /// Sign, digits without leading or trailing zeros (zero is `0`), and the power of ten to multiply by:
    /// a normal form, equal exactly where the numbers are. `None` for infinities, `.nan`, absurd exponents, and hex
    /// or octal beyond 128 bits.
    pub fn decimal(self) -> Option<(bool, String, i64)> {
        let radix = match self.text.get(..2) {
            Some("0x") => Some(16),
            Some("0o") => Some(8),
            _ => None,
        };
        if let Some(radix) = radix {
            let n = u128::from_str_radix(self.text.get(2..)?, radix).ok()?;
            return Some(normal(false, n.to_string(), 0));
        }
        if is_special(self.text) {
            return None;
        }
        let negative = self.text.starts_with('-');
        let body = self.text.trim_start_matches(['-', '+']);
        let (mantissa, exponent) = match body.find(['e', 'E']) {
            Some(at) => (body.get(..at)?, body.get(at + 1..)?.parse::<i32>().ok()?),
            None => (body, 0),
        };
        let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        Some(normal(negative, format!("{whole}{part}"), i64::from(exponent) - part.len() as i64))
    }

    /// Exact comparison. `None` where one of them has no [decimal form](Self::decimal).
    pub fn compare(self, other: Number<'_>) -> Option<Ordering> {
        let (a_negative, a, a_exponent) = self.decimal()?;
        let (b_negative, b, b_exponent) = other.decimal()?;
        if a_negative != b_negative {
            return Some(if a_negative { Ordering::Less } else { Ordering::Greater });
        }
        let magnitude = match (a == "0", b == "0") {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => {
                // The place of the first digit decides; where equal, digits compare as text, since none has
                // leading zeros and a missing tail is zeros.
                let (top_a, top_b) = (a.len() as i64 + a_exponent, b.len() as i64 + b_exponent);
                top_a.cmp(&top_b).then_with(|| a.cmp(&b))
            }
        };
        Some(if a_negative { magnitude.reverse() } else { magnitude })
    }
}

fn normal(negative: bool, digits: String, mut exponent: i64) -> (bool, String, i64) {
    let digits = digits.trim_start_matches('0');
    let short = digits.trim_end_matches('0');
    if short.is_empty() {
        return (false, "0".to_owned(), 0);
    }
    exponent += (digits.len() - short.len()) as i64;
    (negative, short.to_owned(), exponent)
}

fn is_special(text: &str) -> bool {
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    matches!(body, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN")
}

/// `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
fn is_decimal(text: &str) -> bool {
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match body.find(['e', 'E']) {
        Some(at) => (body.get(..at).unwrap_or(""), body.get(at + 1..)),
        None => (body, None),
    };
    if exponent.is_some_and(|e| !digits(e.strip_prefix(['-', '+']).unwrap_or(e))) {
        return false;
    }
    match mantissa.split_once('.') {
        None => digits(mantissa),
        Some(("", part)) => digits(part),
        Some((whole, part)) => digits(whole) && (part.is_empty() || digits(part)),
    }
}

/// Whether YAML 1.1 tools (many Ruby and Python ones) read another value where 1.2 reads text or a decimal number.
pub fn yaml_1_1_differs(text: &str) -> bool {
    let word = matches!(
        text,
        "y" | "Y" | "yes" | "Yes" | "YES" | "n" | "N" | "no" | "No" | "NO" | "on" | "On" | "ON" | "off" | "Off" | "OFF"
    );
    if word {
        return true;
    }
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    let starts_with_digit = body.as_bytes().first().is_some_and(u8::is_ascii_digit);
    if !starts_with_digit {
        return false;
    }
    // Octal to some, decimal to others, text to the rest (`042`, `08`).
    let octal = body.len() > 1 && body.starts_with('0') && body.bytes().all(|b| b.is_ascii_digit());
    let grouped = body.contains('_') && body.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'_' | b'.'));
    let binary = body.strip_prefix("0b").is_some_and(|b| !b.is_empty() && b.bytes().all(|b| matches!(b, b'0' | b'1')));
    let sixty = body.contains(':')
        && body.split(':').all(|p| (1..=2).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit()));
    octal || grouped || binary || sixty
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number<'_> {
        Number::parse(text).unwrap()
    }

    #[test]
    fn the_core_schema_decides() {
        for text in [
            "yes",
            "on",
            "NO",
            "1_000",
            "0b101",
            "12:30:45",
            "2024-01-02",
            "-",
            ".",
            "+",
            "1e",
            "0x",
            "e5",
            "1.2.3",
            "-0x1",
        ] {
            assert_eq!(Scalar::of_plain(text), Scalar::Str(text), "{text}");
        }
        for text in ["", "~", "null", "NULL"] {
            assert_eq!(Scalar::of_plain(text), Scalar::Null);
        }
        for text in ["0", "-1", "+1", "017", "0o17", "0x1F", "1.", ".5", "1e400", "-.inf", ".NaN", "1.0e-3"] {
            assert!(matches!(Scalar::of_plain(text), Scalar::Number(_)), "{text}");
        }
    }

    #[test]
    fn numbers_stay_exact() {
        assert_eq!(number("18446744073709551615").as_u64(), Some(u64::MAX));
        assert_eq!(number("18446744073709551616").as_u64(), None);
        assert_eq!(number("1.0").as_u64(), Some(1));
        assert_eq!(number("1e3").as_i128(), Some(1000));
        assert_eq!(number("0x1F").as_i128(), Some(31));
        assert_eq!(number("017").as_i128(), Some(17));
        assert_eq!(number("0.5").as_i128(), None);
        assert!(number("1e400").is_integer() && number("1e400").as_f64().is_infinite());
        assert_eq!(number("9007199254740993").to_json().unwrap(), "9007199254740993");
        assert_eq!(number("-0.0125").to_json().unwrap(), "-0.0125");
        assert_eq!(number("1200").to_json().unwrap(), "1200");
        assert_eq!(number("1e400").to_json().unwrap(), "1e400");
        assert_eq!(number("1e99999999999").decimal(), None);
    }

    #[test]
    fn comparison_is_exact() {
        use Ordering::{Equal, Greater, Less};
        let rows = [
            ("1", "1.0", Equal),
            ("9007199254740993", "9007199254740992", Greater),
            ("-2", "-1", Less),
            ("-1", "1", Less),
            ("0", "0.001", Less),
            ("-0", "0", Equal),
            ("0.1", "1e-1", Equal),
            ("99", "1e2", Less),
            ("12", "119", Less),
            ("12", "1.19", Greater),
        ];
        for (a, b, expected) in rows {
            assert_eq!(number(a).compare(number(b)), Some(expected), "{a} {b}");
        }
    }

    #[test]
    fn old_yaml_reads_these_otherwise() {
        for text in ["yes", "Off", "017", "08", "1_000", "0b11", "12:30"] {
            assert!(yaml_1_1_differs(text), "{text}");
        }
        for text in ["maybe", "17", "0", "0.5", "12:30:45Z", "1.2.3", "2024-01-02"] {
            assert!(!yaml_1_1_differs(text), "{text}");
        }
    }
}
