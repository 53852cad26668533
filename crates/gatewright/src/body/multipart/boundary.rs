//! The boundary between parts (RFC 2046, 5.1.1).

use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// A boundary with what stands before it: `\r\n--boundary`.
#[derive(Clone, Debug)]
pub(crate) struct Boundary(Vec<u8>);

impl Boundary {
    /// The one that a request's `Content-Type` names; `None` where it names none, several, or one that is none.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Boundary> {
        let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
        let mut found = None;
        for (name, value) in super::head::parameters(value)? {
            if name.eq_ignore_ascii_case("boundary") && found.replace(value).is_some() {
                return None;
            }
        }
        Boundary::new(&found?)
    }

    pub(super) fn new(text: &str) -> Option<Boundary> {
        let sound = |b: u8| b.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&b);
        let good = (1..=70).contains(&text.len()) && text.bytes().all(sound) && !text.ends_with(' ');
        good.then(|| Boundary([b"\r\n--", text.as_bytes()].concat()))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries() {
        for (sent, expected) in [
            ("multipart/form-data; boundary=abc", Some("abc")),
            ("multipart/form-data; BOUNDARY=\"a b:c\"; x=y", Some("a b:c")),
            ("multipart/form-data", None),
            ("multipart/form-data; boundary=", None),
            ("multipart/form-data; boundary=a; boundary=b", None),
            ("multipart/form-data; boundary=\"a", None),
            ("multipart/form-data; boundary=\"a \"", None),
            ("multipart/form-data; boundary=\"a\\\r\n\"", None),
            ("multipart/form-data; boundary=ä", None),
        ] {
            let mut headers = HeaderMap::new();
            if let Ok(value) = sent.parse() {
                headers.insert(CONTENT_TYPE, value);
            }
            let got = Boundary::of(&headers).map(|b| String::from_utf8(b.0).unwrap());
            assert_eq!(got, expected.map(|e| format!("\r\n--{e}")), "{sent}");
        }
        assert!(Boundary::new(&"a".repeat(70)).is_some());
        assert!(Boundary::new(&"a".repeat(71)).is_none());
    }
}
