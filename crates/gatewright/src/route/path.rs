//! A request's path as segments: percent-decoded, dot segments removed, before anything is compared with a route.

use std::borrow::Cow;

use smallvec::SmallVec;

/// The most segments that a path may have: more than any document declares, so a longer one is no route.
const MAX_SEGMENTS: usize = 64;

/// One segment of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment<'p> {
    /// As it was sent.
    pub(crate) raw: &'p str,
    /// Percent-decoded. A `%2F` is a `/` in here: it separates nothing.
    pub(crate) text: Cow<'p, str>,
}

/// Few paths have more than six.
pub(crate) type Segments<'p> = SmallVec<[Segment<'p>; 6]>;

/// Why a path has no segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadPath {
    /// A `%` that no two hex digits follow, or bytes that are no UTF-8.
    Malformed,
    /// More segments than any route has.
    TooLong,
}

/// The segments of `path`. Dot segments are removed as RFC 3986, 5.2.4 says, after decoding, so `%2e%2e` is one too; a
/// last one leaves the trailing slash that the RFC leaves.
pub(crate) fn segments(path: &str) -> Result<Segments<'_>, BadPath> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let mut out = Segments::new();
    let mut ends_in_dots = false;
    let escaped = path.bytes().fold(false, |any, b| any | (b == b'%'));
    for raw in path.split('/') {
        let text = if escaped { decode(raw).ok_or(BadPath::Malformed)? } else { Cow::Borrowed(raw) };
        ends_in_dots = false;
        match text.as_ref() {
            "." => ends_in_dots = true,
            ".." => {
                out.pop();
                ends_in_dots = true;
            }
            _ => out.push(Segment { raw, text }),
        }
        if out.len() > MAX_SEGMENTS {
            return Err(BadPath::TooLong);
        }
    }
    if ends_in_dots {
        out.push(Segment { raw: "", text: Cow::Borrowed("") });
    }
    Ok(out)
}

/// Percent-decoding (RFC 3986, 2.1); `None` for what is not well-formed, decodes to no UTF-8, or holds a NUL.
pub(crate) fn decode(raw: &str) -> Option<Cow<'_, str>> {
    if !raw.contains('%') {
        return Some(Cow::Borrowed(raw));
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes().iter();
    while let Some(&byte) = rest.next() {
        if byte == b'%' {
            let high = hex(*rest.next()?)?;
            let low = hex(*rest.next()?)?;
            bytes.push(high << 4 | low);
        } else {
            bytes.push(byte);
        }
    }
    if bytes.contains(&0) {
        return None;
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

fn hex(byte: u8) -> Option<u8> {
    (byte as char).to_digit(16).map(|d| d as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(path: &str) -> Vec<String> {
        segments(path).unwrap().into_iter().map(|s| s.text.into_owned()).collect()
    }

    #[test]
    fn dots_go_and_escapes_are_read_before_matching() {
        for (path, expected) in [
            ("/a/b", vec!["a", "b"]),
            ("/", vec![""]),
            ("/a/", vec!["a", ""]),
            ("/a/./b", vec!["a", "b"]),
            ("/a/../b", vec!["b"]),
            ("/a/%2e%2E/b", vec!["b"]),
            ("/../../b", vec!["b"]),
            ("/a/..", vec![""]),
            ("/a/b/.", vec!["a", "b", ""]),
            ("/a%2Fb/c", vec!["a/b", "c"]),
            ("/a//b", vec!["a", "", "b"]),
            ("/%61dmin", vec!["admin"]),
        ] {
            assert_eq!(texts(path), expected, "{path}");
        }
        for bad in ["/%", "/%4", "/%zz", "/%ff", "/%00", "/a%2"] {
            assert_eq!(segments(bad), Err(BadPath::Malformed), "{bad}");
        }
        assert_eq!(segments(&"/a".repeat(100)), Err(BadPath::TooLong));
    }
}
