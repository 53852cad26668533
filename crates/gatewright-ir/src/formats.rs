//! Which texts and numbers the formats admit that become types of their own: defaults of a document are held against
//! them, as the server holds requests against them.

use crate::json::{Json, Number};

/// Whether a value is one of this format. Values of other kinds are, and so is everything of formats that stay texts.
pub fn admits(format: &str, value: &Json) -> bool {
    let whole = |number: &Number, least: i128, most: i128| {
        number.as_i128().map_or(!number.is_integer(), |value| least <= value && value <= most)
    };
    match (format, value) {
        ("int32", Json::Number(n)) => whole(n, i32::MIN.into(), i32::MAX.into()),
        ("int64", Json::Number(n)) => whole(n, i64::MIN.into(), i64::MAX.into()),
        ("uint32", Json::Number(n)) => whole(n, 0, u32::MAX.into()),
        ("uint64", Json::Number(n)) => whole(n, 0, u64::MAX.into()),
        ("date", Json::String(text)) => is_date(text),
        ("date-time", Json::String(text)) => is_timestamp(text),
        ("uuid", Json::String(text)) => is_uuid(text),
        ("byte", Json::String(text)) => is_base64(text),
        _ => true,
    }
}

fn digits(text: &str) -> Option<u32> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// A full date of RFC 3339, section 5.6.
pub fn is_date(text: &str) -> bool {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next(), parts.next(), parts.next());
    let of = |part: Option<&str>, length: usize| part.filter(|text| text.len() == length).and_then(digits);
    let (Some(year), Some(month), Some(day), None) = (of(year, 4), of(month, 2), of(day, 2), parts.next()) else {
        return false;
    };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// A date and time of RFC 3339, section 5.6, without a leap second.
pub fn is_timestamp(text: &str) -> bool {
    let Some((date, time)) = text.split_once(['T', 't']) else { return false };
    let clock = |text: &str, parts: usize| {
        let all: Vec<Option<u32>> =
            text.split(':').map(|part| (part.len() == 2).then(|| digits(part)).flatten()).collect();
        all.len() == parts && all.iter().zip([23, 59, 59]).all(|(part, most)| part.is_some_and(|part| part <= most))
    };
    let zone = time.find(['Z', 'z', '+', '-']).and_then(|at| time.split_at_checked(at));
    let Some((time, zone)) = zone else { return false };
    let zone = match zone {
        "Z" | "z" => true,
        offset => offset.get(1..).is_some_and(|offset| clock(offset, 2)),
    };
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    is_date(date) && clock(time, 3) && (1..=9).contains(&fraction.len()) && digits(fraction).is_some() && zone
}

/// A UUID in its usual form (RFC 9562, section 4).
pub fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// Base64 with padding (RFC 4648, section 4).
pub fn is_base64(text: &str) -> bool {
    let body = text.strip_suffix("==").or_else(|| text.strip_suffix('=')).unwrap_or(text);
    // What is left over at the end must be zero, which only the last character says.
    let last = body.chars().next_back();
    let clean = match text.len() - body.len() {
        1 => last.is_some_and(|c| "AEIMQUYcgkosw048".contains(c)),
        2 => last.is_some_and(|c| "AQgw".contains(c)),
        _ => true,
    };
    text.len().is_multiple_of(4) && clean && body.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_the_runtime_would_refuse_are_no_defaults() {
        for (text, date) in [("2024-02-29", true), ("2023-02-29", false), ("2024-2-29", false), ("today", false)] {
            assert_eq!(is_date(text), date, "{text}");
        }
        for (text, timestamp) in [
            ("2024-01-01T00:00:00Z", true),
            ("2024-01-01t23:59:59.123456789+01:30", true),
            ("2024-01-01T24:00:00Z", false),
            ("2024-01-01T00:00:00", false),
            ("2024-01-01T00:00:00.Z", false),
            ("now", false),
        ] {
            assert_eq!(is_timestamp(text), timestamp, "{text}");
        }
        assert!(is_uuid("00000000-0000-0000-0000-000000000000") && !is_uuid("none"));
        for (text, base64) in
            [("", true), ("QQ==", true), ("QR==", false), ("QUI=", true), ("QUJ=", false), ("a", false)]
        {
            assert_eq!(is_base64(text), base64, "{text}");
        }
        let number = |text: &str| Json::Number(Number::parse(text).unwrap());
        assert!(admits("int32", &number("2147483647")) && !admits("int32", &number("2147483648")));
        assert!(!admits("uint64", &number("-1")) && !admits("int64", &number("1e30")));
        assert!(admits("int32", &Json::Null) && admits("nobody's", &number("1e30")));
    }
}
