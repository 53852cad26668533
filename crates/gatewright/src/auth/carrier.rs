//! Where credentials stand in a request, read strictly. One place may hold one credential: a second one is refused, since
//! two parties that read different ones disagree on who the caller is (RFC 6750, 2).

use std::borrow::Cow;

use gatewright_policy::table::{Carrier, Scheme};
use http::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName};
use http::request::Parts;

/// A place in a request; all schemes that use it are judged together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Header(HeaderName),
    Query(&'static str),
    Cookie(&'static str),
    /// The handshake, or what a trusted proxy says of its own: not the request itself.
    Certificate,
}

/// What a place holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Held<'p> {
    Nothing,
    One(Cow<'p, str>),
    Several,
    /// Something that is no text.
    Unreadable,
}

impl Place {
    /// The place of a scheme; an error for a header that has no valid name.
    pub(crate) fn of(scheme: &Scheme) -> Result<Place, ()> {
        match scheme.carrier {
            Carrier::Authorization(_) => Ok(Place::Header(AUTHORIZATION)),
            Carrier::Header(name) => HeaderName::from_bytes(name.as_bytes()).map(Place::Header).map_err(|_| ()),
            Carrier::Query(name) => Ok(Place::Query(name)),
            Carrier::Cookie(name) => Ok(Place::Cookie(name)),
            Carrier::ClientCertificate => Ok(Place::Certificate),
        }
    }

    pub(crate) fn held<'p>(&self, parts: &'p Parts) -> Held<'p> {
        match self {
            Place::Header(name) => header(&parts.headers, name),
            Place::Query(name) => query(parts.uri.query().unwrap_or_default(), name),
            Place::Cookie(name) => cookie(&parts.headers, name),
            Place::Certificate => Held::Nothing,
        }
    }
}

/// The credential of such a carrier in what its place holds: for `Authorization`, what stands behind the scheme's name and one
/// space, if that is the name.
pub(crate) fn credential(carrier: Carrier, held: &str) -> Option<&str> {
    match carrier {
        Carrier::Authorization(name) => {
            let (found, rest) = held.split_once(' ')?;
            found.eq_ignore_ascii_case(name).then_some(rest)
        }
        _ => Some(held),
    }
}

fn header<'p>(headers: &'p HeaderMap, name: &HeaderName) -> Held<'p> {
    let mut lines = headers.get_all(name).iter();
    let Some(line) = lines.next() else { return Held::Nothing };
    if lines.next().is_some() {
        return Held::Several;
    }
    line.to_str().map_or(Held::Unreadable, |text| Held::One(Cow::Borrowed(text)))
}

/// One query parameter.
pub(crate) fn query<'p>(query: &'p str, name: &str) -> Held<'p> {
    let mut found = Held::Nothing;
    if query.is_empty() {
        return found;
    }
    for pair in query.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if decoded(key).is_none_or(|key| key != name) {
            continue;
        }
        if found != Held::Nothing {
            return Held::Several;
        }
        found = decoded(value).map_or(Held::Unreadable, Held::One);
    }
    found
}

fn cookie<'p>(headers: &'p HeaderMap, name: &str) -> Held<'p> {
    let mut found = Held::Nothing;
    // HTTP/2 may send one cookie a line (RFC 9113, 8.2.3).
    for line in headers.get_all(COOKIE) {
        let Ok(line) = line.to_str() else { return Held::Unreadable };
        for pair in line.split(';') {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if key.trim() != name {
                continue;
            }
            if found != Held::Nothing {
                return Held::Several;
            }
            found = Held::One(Cow::Borrowed(value.trim()));
        }
    }
    found
}

/// `application/x-www-form-urlencoded` text, or nothing where an escape is broken or the result no UTF-8.
fn decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.bytes().any(|b| b == b'%' || b == b'+') {
        return Some(Cow::Borrowed(text));
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            other => other,
        });
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    #[test]
    fn places_hold_one_credential() {
        let one = |text: &'static str| Held::One(Cow::Borrowed(text));
        let key = || Place::Header(HeaderName::from_static("x-api-key"));
        for (place, uri, lines, want) in [
            (key(), "/", vec![("x-api-key", "a")], one("a")),
            (key(), "/", vec![("x-api-key", "")], one("")),
            (key(), "/", vec![], Held::Nothing),
            (key(), "/", vec![("x-api-key", "a"), ("x-api-key", "a")], Held::Several),
            (key(), "/", vec![("x-api-key", "ä")], Held::Unreadable),
            (Place::Query("k"), "/?a=b&k=x%2By", vec![], one("x+y")),
            (Place::Query("k"), "/?%6b=1", vec![], one("1")),
            (Place::Query("k"), "/?k", vec![], one("")),
            (Place::Query("k"), "/?k=1&k=1", vec![], Held::Several),
            (Place::Query("k"), "/?k=1&%6B=2", vec![], Held::Several),
            (Place::Query("k"), "/?k=%zz", vec![], Held::Unreadable),
            (Place::Query("k"), "/?k=%ff", vec![], Held::Unreadable),
            (Place::Query("k"), "/?kk=1", vec![], Held::Nothing),
            (Place::Cookie("s"), "/", vec![("cookie", "a=b; s=1"), ("cookie", "c=d")], one("1")),
            (Place::Cookie("s"), "/", vec![("cookie", "s=1; s=2")], Held::Several),
            (Place::Cookie("s"), "/", vec![("cookie", "s=1"), ("cookie", "s=2")], Held::Several),
            (Place::Cookie("s"), "/", vec![("cookie", "ss=1")], Held::Nothing),
        ] {
            let mut request = Request::builder().uri(uri);
            for (name, value) in &lines {
                request = request.header(*name, value.as_bytes());
            }
            let parts = request.body(()).unwrap().into_parts().0;
            assert_eq!(place.held(&parts), want, "{place:?} {uri} {lines:?}");
        }
    }
}
