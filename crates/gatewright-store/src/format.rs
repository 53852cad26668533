//! The text of an API key: `wx_<id>_<secret><checksum>`.
//!
//! - The prefix says whose key it is, so that scanners of leaked text find it.
//! - The id (16 letters, 95 bits) is public: it finds the record and stands in logs.
//! - The secret (43 letters, 256 bits) is not kept anywhere but by the client.
//! - The checksum (6 letters, CRC-32 of ISO 3309 over all before it) refuses typing errors without a look into the store. It
//!   protects nothing else.
//!
//! Letters are those of base62, most significant first: `0-9A-Za-z`.

use aws_lc_rs::rand;
use zeroize::Zeroizing;

const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// How many letters an id has.
pub const ID_LETTERS: usize = 16;
/// How many letters a secret has.
pub const SECRET_LETTERS: usize = 43;
/// How many letters a checksum has.
pub const CHECKSUM_LETTERS: usize = 6;

/// A presented key whose form and checksum are right. Nothing is known of its secret yet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Parsed<'a> {
    /// The public part.
    pub id: &'a str,
    /// The secret part.
    pub secret: &'a str,
    /// All that stands before the checksum: what is hashed.
    pub(crate) body: &'a str,
}

/// Reads a key of this prefix.
#[must_use]
pub fn parse<'a>(prefix: &str, text: &'a str) -> Option<Parsed<'a>> {
    if !text.is_ascii() {
        return None;
    }
    let rest = text.strip_prefix(prefix)?.strip_prefix('_')?;
    if rest.len() != ID_LETTERS + 1 + SECRET_LETTERS + CHECKSUM_LETTERS {
        return None;
    }
    let (id, rest) = rest.split_once('_')?;
    let (secret, checksum) = rest.split_at_checked(SECRET_LETTERS)?;
    // Without a way out of the loop, many bytes are looked at in one step.
    let letters = |part: &str| part.bytes().fold(true, |all, b| all & b.is_ascii_alphanumeric());
    if id.len() != ID_LETTERS || !letters(id) || !letters(rest) {
        return None;
    }
    let body = body(text);
    (checksum.as_bytes() == checksum_of(body)).then_some(Parsed { id, secret, body })
}

/// Writes a key.
#[must_use]
pub fn write(prefix: &str, id: &str, secret: &str) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(prefix.len() + 68));
    for part in [prefix, "_", id, "_", secret] {
        text.push_str(part);
    }
    let checksum = checksum_of(&text);
    text.extend(checksum.map(char::from));
    text
}

/// What of a written key is hashed: all but its checksum.
pub(crate) fn body(text: &str) -> &str {
    text.get(..text.len().saturating_sub(CHECKSUM_LETTERS)).unwrap_or_default()
}

/// As many random letters, each of 62 equally likely.
///
/// # Errors
/// When the system has no randomness to give.
pub fn random(letters: usize) -> Result<Zeroizing<String>, NoRandomness> {
    let mut text = Zeroizing::new(String::with_capacity(letters));
    let mut bytes = Zeroizing::new([0u8; 64]);
    while text.len() < letters {
        rand::fill(&mut *bytes).map_err(|_| NoRandomness)?;
        // 248 = 4 · 62: larger bytes would make the first letters likelier.
        for byte in bytes.iter().filter(|b| **b < 248) {
            if text.len() < letters {
                text.extend(LETTERS.get(usize::from(byte % 62)).map(|b| char::from(*b)));
            }
        }
    }
    Ok(text)
}

/// The system's random numbers are not to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRandomness;

impl std::fmt::Display for NoRandomness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the system has no random numbers to give")
    }
}

impl std::error::Error for NoRandomness {}

/// Whether a text can be a prefix: small letters and digits, beginning with a letter, at most 16.
#[must_use]
pub fn is_prefix(text: &str) -> bool {
    (1..=16).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

fn checksum_of(text: &str) -> [u8; CHECKSUM_LETTERS] {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut out = [b'0'; CHECKSUM_LETTERS];
    for place in out.iter_mut().rev() {
        *place = LETTERS.get(usize::try_from(rest % 62).unwrap_or(0)).copied().unwrap_or(b'0');
        rest /= 62;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_stay_what_they_were() {
        // CRC-32 of ISO 3309, as in Ethernet and zip: 0xCBF4_3926, in base62.
        assert_eq!(&checksum_of("123456789"), b"3jZRME");
    }

    #[test]
    fn reads_what_it_wrote_and_nothing_else() {
        let id = random(ID_LETTERS).unwrap();
        let secret = random(SECRET_LETTERS).unwrap();
        let key = write("wx", &id, &secret);
        let parsed = parse("wx", &key).unwrap();
        assert_eq!((parsed.id, parsed.secret), (&**id, &**secret));
        assert!(parse("w", &key).is_none());
        assert!(parse("wx2", &key).is_none());
        // Every single letter counts.
        for i in 0..key.len() {
            let mut altered = key.to_string().into_bytes();
            altered[i] = if altered[i] == b'A' { b'B' } else { b'A' };
            assert!(parse("wx", std::str::from_utf8(&altered).unwrap()).is_none(), "{i}");
        }
        for text in ["", "wx_", "wx__", "wx_a_b", &key[..key.len() - 1], &format!("{}A", *key), &key.replace('_', "-")]
        {
            assert!(parse("wx", text).is_none(), "{text}");
        }
        assert!(parse("wx", &"é".repeat(69 / 2)).is_none());
    }

    #[test]
    fn letters_are_random() {
        let text = random(62 * 200).unwrap();
        for letter in LETTERS {
            let count = text.bytes().filter(|b| b == letter).count();
            assert!((100..=320).contains(&count), "{letter}: {count}");
        }
        assert_ne!(random(43).unwrap(), random(43).unwrap());
    }
}
