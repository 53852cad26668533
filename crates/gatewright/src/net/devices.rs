//! Devices by the thumbprints of what only they hold: the key of a client certificate, or of DPoP proofs.

use crate::auth::jwt::base64;

/// A set of SHA-256 thumbprints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Devices(Box<[[u8; 32]]>);

impl Devices {
    pub(crate) fn new(mut thumbprints: Vec<[u8; 32]>) -> Devices {
        thumbprints.sort_unstable();
        thumbprints.dedup();
        Devices(thumbprints.into())
    }

    pub(crate) fn has(&self, thumbprint: &[u8; 32]) -> bool {
        self.0.binary_search(thumbprint).is_ok()
    }
}

/// Reads a thumbprint: 64 hexadecimal digits, with or without colons, as certificate tools print them; or the 43 letters of
/// base64url, as `x5t#S256` (RFC 8705) and `jkt` (RFC 9449) have them.
pub(crate) fn parse(text: &str) -> Option<[u8; 32]> {
    if let Some(thumbprint) = base64::url(text).and_then(|bytes| bytes.try_into().ok()) {
        return Some(thumbprint);
    }
    let digits: Vec<u8> = text.bytes().filter(|b| *b != b':').collect();
    if digits.len() != 64 {
        return None;
    }
    let mut out = [0u8; 32];
    for (place, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.bytes().all(|b| b.is_ascii_hexdigit()))?;
        *place = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thumbprints_are_read_as_tools_write_them() {
        let want = Some([0xAB; 32]);
        let hex = "ab".repeat(32);
        assert_eq!(parse(&hex), want);
        assert_eq!(parse(&hex.to_uppercase()), want);
        assert_eq!(parse(&vec!["AB"; 32].join(":")), want);
        assert_eq!(parse(&base64::encode_url(&[0xAB; 32])), want);
        for bad in ["", "ab", &hex[1..], &format!("{hex}a"), &hex.replace('a', "g"), &hex.replace("ab", "+b")] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_set_has_what_it_was_made_of() {
        let set = Devices::new(vec![[3; 32], [1; 32], [3; 32]]);
        assert!(set.has(&[1; 32]) && set.has(&[3; 32]) && !set.has(&[2; 32]));
        assert!(!Devices::default().has(&[0; 32]));
    }
}
