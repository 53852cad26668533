//! Exact arithmetic on the text of numbers: order, equality, divisibility, integers. No float stands in between.

use std::cmp::Ordering;

/// The parts of a JSON number's text: `0.digits * 10^magnitude`, without leading and trailing zeros.
#[derive(Clone, Copy)]
pub(super) struct Parts<'t> {
    negative: bool,
    /// The significant digits, with possibly a point among them.
    digits: &'t str,
    /// Where the first significant digit stands: `12` has 2, `0.5` has 0.
    magnitude: i64,
    /// How many digits are in `digits`.
    count: i64,
}

impl<'t> Parts<'t> {
    /// Takes apart what the reader has accepted.
    pub(super) fn of(text: &'t str) -> Parts<'t> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match rest.find(['e', 'E']) {
            Some(at) => {
                let (mantissa, exponent) = rest.split_at(at);
                (mantissa, exponent.get(1..).and_then(|text| text.parse::<i64>().ok()).unwrap_or(0))
            }
            None => (rest, 0),
        };
        let point = mantissa.find('.').unwrap_or(mantissa.len());
        let digits = mantissa.trim_matches(['0', '.']);
        if digits.is_empty() {
            return Parts { negative: false, digits, magnitude: 0, count: 0 };
        }
        let first = mantissa.len() - mantissa.trim_start_matches(['0', '.']).len();
        let (whole, zeros) = (point.saturating_sub(first), first.saturating_sub(point + 1));
        let magnitude = whole as i64 - zeros as i64 + exponent;
        let count = digits.len() as i64 - i64::from(digits.contains('.'));
        Parts { negative, digits, magnitude, count }
    }

    fn digits(self) -> impl Iterator<Item = u8> + 't {
        self.digits.bytes().filter(|byte| *byte != b'.').map(|byte| byte - b'0')
    }

    pub(super) fn is_zero(self) -> bool {
        self.count == 0
    }

    /// Whether it has no fraction.
    pub(super) fn is_integer(self) -> bool {
        self.magnitude >= self.count || self.is_zero()
    }

    fn compare(self, other: Parts<'_>) -> Ordering {
        let sign = |parts: Parts<'_>| match (parts.is_zero(), parts.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let by_sign = sign(self).cmp(&sign(other));
        if by_sign != Ordering::Equal || self.is_zero() {
            return by_sign;
        }
        let by_size = self.magnitude.cmp(&other.magnitude).then_with(|| self.digits().cmp(other.digits()));
        if self.negative { by_size.reverse() } else { by_size }
    }
}

/// A number of at most 18 digits, written without exponent: `mantissa / 10^scale`, exactly. Nearly all numbers are, and
/// two of them compare in a few instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Short {
    mantissa: i64,
    scale: u8,
}

/// What a mantissa is multiplied with to have as many places as another.
const POWERS: [i128; 19] = {
    let mut powers = [1_i128; 19];
    let (mut rest, mut power) = (powers.as_mut_slice(), 1);
    while let [first, others @ ..] = rest {
        *first = power;
        power *= 10;
        rest = others;
    }
    powers
};

/// Those that a 64-bit float holds exactly.
const FLOATS: [f64; 19] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18];

impl Short {
    /// Takes apart what the reader has accepted; nothing for what is longer, or has an exponent.
    #[inline]
    pub(super) fn of(text: &[u8]) -> Option<Short> {
        let digits = text.strip_prefix(b"-").unwrap_or(text);
        // Of 19 bytes one must be the point, or there are too many digits.
        if digits.is_empty() || digits.len() > 19 {
            return None;
        }
        let (mut mantissa, mut scale, mut point) = (0_i64, 0, false);
        for byte in digits {
            match byte {
                b'0'..=b'9' => {
                    mantissa = mantissa.wrapping_mul(10).wrapping_add(i64::from(byte - b'0'));
                    scale += u8::from(point);
                }
                b'.' if !point => point = true,
                _ => return None,
            }
        }
        if digits.len() - usize::from(point) > 18 {
            return None;
        }
        Some(Short { mantissa: if digits.len() < text.len() { -mantissa } else { mantissa }, scale })
    }

    const fn whole(value: i64) -> Short {
        Short { mantissa: value, scale: 0 }
    }

    /// The value where no fraction is written.
    #[inline]
    pub(super) fn integer(self) -> Option<i64> {
        (self.scale == 0).then_some(self.mantissa)
    }

    /// The nearest 64-bit float, where one division of exact floats gives it (and so rounds once).
    #[inline]
    pub(super) fn float(self) -> Option<f64> {
        let exact = self.mantissa != 0 && self.mantissa.unsigned_abs() < 1 << 53;
        let power = FLOATS.get(usize::from(self.scale)).filter(|_| exact)?;
        Some(self.mantissa as f64 / power)
    }

    /// Both mantissas at the same scale. 18 digits times 10^18 fit in 128 bits.
    #[inline]
    fn aligned(self, other: Short) -> (i128, i128) {
        let power = |places: u8| POWERS.get(usize::from(places)).copied().unwrap_or(1);
        let (a, b) = (i128::from(self.mantissa), i128::from(other.mantissa));
        (a * power(other.scale.saturating_sub(self.scale)), b * power(self.scale.saturating_sub(other.scale)))
    }

    #[inline]
    fn compare(self, other: Short) -> Ordering {
        if self.scale == other.scale {
            return self.mantissa.cmp(&other.mantissa);
        }
        let (a, b) = self.aligned(other);
        a.cmp(&b)
    }
}

/// The order of two numbers by value.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    Parts::of(a).compare(Parts::of(b))
}

/// The integer that a number is, if it has no fraction and fits.
pub(super) fn integer(text: &str) -> Option<i128> {
    if let Some(value) = Short::of(text.as_bytes()).and_then(Short::integer) {
        return Some(value.into());
    }
    let parts = Parts::of(text);
    if !parts.is_integer() || parts.magnitude > 39 {
        return None;
    }
    let mut value = 0_i128;
    for digit in parts.digits() {
        let digit = i128::from(digit);
        value = value.checked_mul(10)?.checked_add(if parts.negative { -digit } else { digit })?;
    }
    for _ in 0..parts.magnitude - parts.count {
        value = value.checked_mul(10)?;
    }
    Some(value)
}

/// Whether `text` is a whole multiple of `of`. A divisor of more than 36 significant digits divides nothing but zero
/// (no real document has one): refused, not guessed.
pub(super) fn is_multiple(text: &str, of: &str) -> bool {
    if let (Some(value), Some(divisor)) = (Short::of(text.as_bytes()), Short::of(of.as_bytes())) {
        let (value, divisor) = value.aligned(divisor);
        return value == 0 || value.checked_rem(divisor) == Some(0);
    }
    let (value, divisor) = (Parts::of(text), Parts::of(of));
    if value.is_zero() {
        return true;
    }
    if divisor.is_zero() || divisor.count > 36 {
        return false;
    }
    // value = x * 10^a and divisor = m * 10^b, where neither x nor m ends in a zero.
    let shift = (value.magnitude - value.count) - (divisor.magnitude - divisor.count);
    if shift < 0 {
        return false;
    }
    let mut m = divisor.digits().fold(0_u128, |m, digit| m * 10 + u128::from(digit));
    // x * 10^shift is a multiple of m just if x is one of m without the twos and fives that 10^shift has.
    for prime in [2, 5] {
        let mut left = shift;
        while left > 0 && m % prime == 0 {
            m /= prime;
            left -= 1;
        }
    }
    m == 1 || value.digits().fold(0_u128, |rest, digit| (rest * 10 + u128::from(digit)) % m) == 0
}

/// A bound of a schema.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    pub(super) text: &'static str,
    short: Option<Short>,
}

impl Bound {
    /// `text` is a JSON number; `short` its value if it is a whole number of at most 18 digits, for quick comparison.
    #[must_use]
    pub const fn new(text: &'static str, short: Option<i64>) -> Self {
        Bound { text, short: if let Some(value) = short { Some(Short::whole(value)) } else { None } }
    }

    /// How a value compares with the bound; `None` if it is no number.
    pub(super) fn order(&self, value: super::Value<'_>) -> Option<Ordering> {
        let text = value.as_number()?;
        match (Short::of(text.as_bytes()), self.short.or_else(|| Short::of(self.text.as_bytes()))) {
            (Some(value), Some(bound)) => Some(value.compare(bound)),
            _ => Some(compare(text, self.text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_by_value() {
        for (a, b, order) in [
            ("1.0", "1", Ordering::Equal),
            ("100", "1e2", Ordering::Equal),
            ("-0.0", "0", Ordering::Equal),
            ("0.001", "1e-3", Ordering::Equal),
            ("12.50", "125e-1", Ordering::Equal),
            ("-5", "-4.9", Ordering::Less),
            ("9007199254740993", "9007199254740992", Ordering::Greater),
            ("0.1", "0.11", Ordering::Less),
            ("0.09", "0.1", Ordering::Less),
            ("12", "101", Ordering::Less),
            ("1e99999", "9e99998", Ordering::Greater),
            ("10.01", "10.1", Ordering::Less),
            ("1E+2", "100.000", Ordering::Equal),
        ] {
            assert_eq!(compare(a, b), order, "{a} {b}");
            assert_eq!(compare(b, a), order.reverse(), "{b} {a}");
        }
    }

    #[test]
    fn short_numbers_are_exact() {
        let short = |text: &str| Short::of(text.as_bytes());
        for text in ["", "-", "1e2", "1234567890123456789", "0.1234567890123456789", "-1234567890123456789"] {
            assert_eq!(short(text).filter(|_| text != "-"), None, "{text}");
        }
        let texts = [
            "0",
            "-0",
            "0.0",
            "1",
            "1.0",
            "1.00",
            "-1",
            "9.99",
            "10",
            "0.1",
            "0.10",
            "0.11",
            "-0.1",
            "-0.11",
            "123456789012345678",
            "-123456789012345678",
            "0.00000000000000001",
            "12345678901234567.8",
            "99999999999999999.9",
            "999999999999999999",
        ];
        for (a, b) in texts.iter().flat_map(|a| texts.iter().map(move |b| (a, b))) {
            let long = Parts::of(a).compare(Parts::of(b));
            assert_eq!(short(a).unwrap().compare(short(b).unwrap()), long, "{a} {b}");
        }
        for text in texts {
            if let Some(float) = short(text).unwrap().float() {
                assert_eq!(float.to_bits(), text.parse::<f64>().unwrap().to_bits(), "{text}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn short_ways_lead_where_long_ones_do(a in "-?(0|[1-9][0-9]{0,9})(\\.[0-9]{1,9})?", b in "-?(0|[1-9][0-9]{0,9})(\\.[0-9]{1,9})?") {
            let (x, y) = (Short::of(a.as_bytes()), Short::of(b.as_bytes()));
            if let (Some(x), Some(y)) = (x, y) {
                proptest::prop_assert_eq!(x.compare(y), Parts::of(&a).compare(Parts::of(&b)));
                // An exponent of zero keeps the value and takes the long way.
                proptest::prop_assert_eq!(is_multiple(&a, &b), is_multiple(&format!("{a}e0"), &b));
                proptest::prop_assert_eq!(integer(&a), integer(&format!("{a}e0")));
                if let Some(float) = x.float() {
                    proptest::prop_assert_eq!(float.to_bits(), a.parse::<f64>().unwrap().to_bits());
                }
            }
        }
    }

    #[test]
    fn knows_integers() {
        for (text, value) in [
            ("1.0", Some(1)),
            ("1e2", Some(100)),
            ("12.50e1", Some(125)),
            ("1.5", None),
            ("-0.0", Some(0)),
            ("-9223372036854775809", Some(-9_223_372_036_854_775_809)),
            ("1e-1", None),
            ("1e39", None),
            ("170141183460469231731687303715884105727", Some(i128::MAX)),
            ("-170141183460469231731687303715884105728", Some(i128::MIN)),
            ("170141183460469231731687303715884105728", None),
        ] {
            assert_eq!(integer(text), value, "{text}");
        }
    }

    #[test]
    fn divides_exactly() {
        for (value, of, yes) in [
            ("0.3", "0.1", true),
            ("19.99", "0.01", true),
            ("19.995", "0.01", false),
            ("1e308", "0.123456789", false),
            ("1e99999", "8", true),
            ("1e99999", "7", false),
            ("4.5", "1.5", true),
            ("0", "7", true),
            ("-9", "3", true),
            ("12391239123", "0.01", true),
            ("1e2", "4", true),
            ("0.0075", "0.0001", true),
            ("0.00751", "0.0001", false),
            ("35", "1.5", false),
            ("7", "2", false),
            ("7e1", "2", true),
        ] {
            assert_eq!(is_multiple(value, of), yes, "{value} {of}");
        }
    }
}
