//! Base64 with padding (RFC 4648, section 4), for `format: byte`.

use std::fmt;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Bytes that stand as base64 in JSON.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Base64(pub Vec<u8>);

impl fmt::Debug for Base64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Base64({} bytes)", self.0.len())
    }
}

impl From<Vec<u8>> for Base64 {
    fn from(bytes: Vec<u8>) -> Self {
        Base64(bytes)
    }
}

impl Base64 {
    /// Reads base64: padded, canonical, nothing between.
    #[must_use]
    pub fn parse(text: &str) -> Option<Base64> {
        if !text.len().is_multiple_of(4) {
            return None;
        }
        let body = text.strip_suffix("==").or_else(|| text.strip_suffix('=')).unwrap_or(text);
        let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
        let (mut buffer, mut bits) = (0_u32, 0);
        for byte in body.bytes() {
            let value = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                _ => return None,
            };
            buffer = buffer << 6 | u32::from(value);
            bits += 6;
            if bits >= 8 {
                bits -= 8;
                bytes.push((buffer >> bits) as u8);
                buffer &= (1 << bits) - 1;
            }
        }
        // What is left over must be zero: one value has one text.
        (buffer == 0).then_some(Base64(bytes))
    }

    /// The bytes as text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::with_capacity(self.0.len().div_ceil(3) * 4);
        for chunk in self.0.chunks(3) {
            let at = |place: usize| chunk.get(place).copied().map_or(0, u32::from);
            let word = at(0) << 16 | at(1) << 8 | at(2);
            for place in 0..4 {
                let letter = ALPHABET.get((word >> (18 - 6 * place)) as usize & 63).copied().unwrap_or(b'A');
                text.push(if place <= chunk.len() { letter.into() } else { '=' });
            }
        }
        text
    }
}

pub(super) fn is_base64(text: &str) -> bool {
    Base64::parse(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes() {
        for (bytes, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE=")]
        {
            assert_eq!(Base64(bytes.into()).to_text(), text);
            assert_eq!(Base64::parse(text), Some(Base64(bytes.into())));
        }
        for bad in ["Zg", "Zg=", "Z===", "Zh==", "Zm9v\n", "Zm 9", "=", "====", "Zg==Zg=="] {
            assert_eq!(Base64::parse(bad), None, "{bad}");
        }
    }
}
