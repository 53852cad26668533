//! Base64 (RFC 4648) without leniency: one text for one value. A decoder that forgives lets a token be altered without
//! breaking its signature.

/// The URL-safe alphabet without padding (RFC 7515, 2).
pub(crate) fn url(text: &str) -> Option<Vec<u8>> {
    decode(text.as_bytes(), b'-', b'_')
}

/// The standard alphabet with its padding.
pub(crate) fn standard(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let bare = text.strip_suffix("==").or_else(|| text.strip_suffix('=')).unwrap_or(text);
    decode(bare.as_bytes(), b'+', b'/')
}

fn decode(text: &[u8], sixty_two: u8, sixty_three: u8) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b if b == sixty_two => Some(62),
        b if b == sixty_three => Some(63),
        _ => None,
    };
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for group in text.chunks(4) {
        let mut bits = 0u32;
        for &byte in group {
            bits = bits << 6 | u32::from(digit(byte)?);
        }
        let [_, a, b, c] = (bits << (6 * (4 - group.len()))).to_be_bytes();
        match group.len() {
            4 => out.extend([a, b, c]),
            3 if c == 0 => out.extend([a, b]),
            2 if b == 0 && c == 0 => out.push(a),
            // One digit is no byte; bits left over would make two texts for one value.
            _ => return None,
        }
    }
    Some(out)
}

/// Writes the URL-safe alphabet without padding.
pub(crate) fn encode_url(bytes: &[u8]) -> String {
    encode(bytes, *b"-_")
}

/// Writes the standard alphabet with its padding.
pub(crate) fn encode_standard(bytes: &[u8]) -> String {
    let mut out = encode(bytes, *b"+/");
    while !out.len().is_multiple_of(4) {
        out.push('=');
    }
    out
}

fn encode(bytes: &[u8], last: [u8; 2]) -> String {
    const DIGITS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let digit = |bits: u32| match usize::try_from(bits & 63).unwrap_or(0) {
        62 => last.first().copied(),
        63 => last.last().copied(),
        n => DIGITS.get(n).copied(),
    };
    let mut out = String::with_capacity(bytes.len() * 4 / 3 + 3);
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0u32, |bits, b| bits << 8 | u32::from(*b)) << (8 * (3 - group.len()));
        for i in 0..=group.len() {
            out.extend(digit(bits >> (18 - 6 * i)).map(char::from));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_for_one_value() {
        for (text, want) in [
            ("", Some(&b""[..])),
            ("AQ", Some(&[1])),
            ("AR", None),
            ("AQI", Some(&[1, 2])),
            ("AQJ", None),
            ("AQID", Some(&[1, 2, 3])),
            ("A", None),
            ("AQIDB", None),
            ("AQ==", None),
            ("-_-_", Some(&[0xfb, 0xff, 0xbf])),
            ("+/+/", None),
            ("AQ I", None),
            ("AQI\n", None),
            ("ÄQI", None),
        ] {
            assert_eq!(url(text).as_deref(), want, "{text:?}");
        }
        for bytes in [&b""[..], b"a", b"ab", b"abc", b"\xff\xfe\xfd\xfc"] {
            assert_eq!(url(&encode_url(bytes)).as_deref(), Some(bytes));
            assert_eq!(standard(&encode_standard(bytes)).as_deref(), Some(bytes));
        }
        assert_eq!(standard("+/+/").as_deref(), Some(&[0xfb, 0xff, 0xbf][..]));
        assert_eq!(standard("AQ==").as_deref(), Some(&[1][..]));
        assert_eq!(standard("===="), None);
    }
}
