//! Basic credentials (RFC 7617), decoded strictly.

use zeroize::Zeroizing;

/// `user:password`.
pub(crate) struct Basic {
    text: Zeroizing<String>,
    colon: usize,
}

impl Basic {
    pub(crate) fn parts(&self) -> (&str, &str) {
        // The colon was found there, and is one byte long.
        (self.text.get(..self.colon).unwrap_or_default(), self.text.get(self.colon + 1..).unwrap_or_default())
    }
}

/// Decodes what stands behind `Basic `: nothing if it is no padded base64, no UTF-8, or has a control character.
pub(crate) fn decode(credential: &str) -> Option<Basic> {
    let bytes = super::jwt::base64::standard(credential)?;
    let text = Zeroizing::new(String::from_utf8(bytes).ok()?);
    if text.chars().any(char::is_control) {
        return None;
    }
    let colon = text.find(':')?;
    Some(Basic { text, colon })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_as_rfc_7617_says() {
        for (text, want) in [
            ("QWxhZGRpbjpvcGVuIHNlc2FtZQ==", Some(("Aladdin", "open sesame"))),
            ("dGVzdDoxMjPCow==", Some(("test", "123£"))),
            ("YTpiOmM=", Some(("a", "b:c"))),
            ("Og==", Some(("", ""))),
            ("", None),
            ("YWI=", None),
            ("QWxhZGRpbjpvcGVuIHNlc2FtZQ", None),
            ("QWxhZGRpbjpvcGVuIHNlc2FtZR==", None),
            ("YTpi\nYzpk", None),
            ("YTr/", None),
            ("YTpiAA==", None),
        ] {
            let found = decode(text);
            assert_eq!(found.as_ref().map(Basic::parts), want, "{text}");
        }
    }
}
