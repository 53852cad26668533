//! Strings that hold something else: `contentEncoding`, `contentMediaType`, `contentSchema`.
//!
//! JSON Schema leaves it to the application whether these only tell or also refuse. Here they refuse what is plainly not
//! as said, as `format` does: a handler that decodes relies on it.

use crate::json::base64::Base64;
use crate::json::document::{Document, Value};
use crate::json::violations::{Check, Scope, Violations};

/// How bytes are written as text (RFC 4648).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Section 4, with padding.
    Base64,
    /// Section 5, with or without padding.
    Base64Url,
    /// Section 6, with padding.
    Base32,
    /// Section 8.
    Base16,
}

impl Encoding {
    const fn name(self) -> &'static str {
        match self {
            Encoding::Base64 => "base64",
            Encoding::Base64Url => "base64url",
            Encoding::Base32 => "base32",
            Encoding::Base16 => "base16",
        }
    }

    /// The bytes of a text; `None` if it is not so encoded.
    fn decode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Encoding::Base64 => Base64::parse(text).map(|bytes| bytes.0),
            Encoding::Base64Url => {
                let body = text.strip_suffix("==").or_else(|| text.strip_suffix('=')).unwrap_or(text);
                let padded = body.len() < text.len();
                if body.contains(['+', '/', '=']) || (padded && !text.len().is_multiple_of(4)) {
                    return None;
                }
                let mut standard: String = body
                    .chars()
                    .map(|c| {
                        if c == '-' {
                            '+'
                        } else if c == '_' {
                            '/'
                        } else {
                            c
                        }
                    })
                    .collect();
                while !standard.len().is_multiple_of(4) {
                    standard.push('=');
                }
                Base64::parse(&standard).map(|bytes| bytes.0)
            }
            Encoding::Base32 => {
                let body = text.trim_end_matches('=');
                if !text.len().is_multiple_of(8) || ![0, 1, 3, 4, 6].contains(&(text.len() - body.len())) {
                    return None;
                }
                bits(body, 5, |byte| match byte {
                    b'A'..=b'Z' => Some(byte - b'A'),
                    b'2'..=b'7' => Some(byte - b'2' + 26),
                    _ => None,
                })
            }
            Encoding::Base16 if !text.len().is_multiple_of(2) => None,
            Encoding::Base16 => bits(text, 4, |byte| char::from(byte).to_digit(16).map(|digit| digit as u8)),
        }
    }
}

/// Joins characters of `width` bits each; what is left over must be zero.
fn bits(text: &str, width: u32, value: impl Fn(u8) -> Option<u8>) -> Option<Vec<u8>> {
    let (mut bytes, mut buffer, mut count) = (Vec::with_capacity(text.len()), 0_u32, 0);
    for byte in text.bytes() {
        buffer = buffer << width | u32::from(value(byte)?);
        count += width;
        if count >= 8 {
            count -= 8;
            bytes.push((buffer >> count) as u8);
            buffer &= (1 << count) - 1;
        }
    }
    (buffer == 0 && count < width).then_some(bytes)
}

/// What a string holds.
#[derive(Debug)]
pub struct Content {
    /// `contentEncoding`, where it is one that can be told.
    pub encoding: Option<Encoding>,
    /// `contentMediaType` is JSON.
    pub json: bool,
    /// `contentSchema` of that JSON.
    pub schema: Option<Check>,
}

/// `contentEncoding`, `contentMediaType` of JSON, and `contentSchema`.
pub fn content(value: Value<'_>, found: &mut Violations, rules: &'static Content) {
    let Some(text) = value.as_str() else { return };
    if !found.step(1 + text.len() / 64) {
        return;
    }
    let bytes = match rules.encoding {
        None => text.as_bytes().to_vec(),
        Some(encoding) => match encoding.decode(text) {
            Some(bytes) => bytes,
            None => return found.at(value, "contentEncoding", format_args!("must be {}", encoding.name())),
        },
    };
    if !rules.json {
        return;
    }
    let Ok(document) = Document::parse(&bytes) else {
        return found.at(value, "contentMediaType", format_args!("must hold JSON"));
    };
    let Some(check) = rules.schema else { return };
    // Places and verdicts are those of another document, so it is judged by itself.
    let mut inside = Violations::new();
    inside.scope(Scope::Body, document.root());
    check(document.root(), &mut inside);
    if let Some(first) = inside.list().first() {
        let (pointer, detail) = (&first.pointer, &first.detail);
        found.at(value, "contentSchema", format_args!("holds JSON that is not as wanted: `{pointer}` {detail}"));
    } else if !inside.is_empty() {
        found.at(value, "contentSchema", format_args!("holds JSON that takes too much work to check"));
    }
}

#[cfg(test)]
mod tests {
    use super::Encoding::{Base16, Base32, Base64, Base64Url};

    #[test]
    fn decodes_as_the_rfc_says() {
        for (encoding, text, bytes) in [
            (Base64, "Zm9vYg==", Some("foob")),
            (Base64, "Zm9vYg", None),
            (Base64, "Zm9vYh==", None),
            (Base64Url, "Zm9vYg==", Some("foob")),
            (Base64Url, "Zm9vYg", Some("foob")),
            (Base64Url, "Zm9vYg=", None),
            (Base64Url, "fn5-", Some("~~~")),
            (Base64Url, "fn5+", None),
            (Base64Url, "Z", None),
            (Base32, "MZXW6YQ=", Some("foob")),
            (Base32, "MZXW6YTB", Some("fooba")),
            (Base32, "MZXW6YTBOI======", Some("foobar")),
            (Base32, "MZXW6YQ", None),
            (Base32, "mzxw6yq=", None),
            (Base16, "666F6f62", Some("foob")),
            (Base16, "666F6", None),
            (Base16, "6G", None),
        ] {
            let decoded = encoding.decode(text);
            assert_eq!(decoded.as_deref(), bytes.map(str::as_bytes), "{text}");
        }
    }
}
