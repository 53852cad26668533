//! The host that a request is for. hyper serves a request without `Host`, with two, and with an absolute target that
//! names another one; RFC 9112, 3.2 wants 400 for each.

use std::ops::Deref;

use http::header::HOST;
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderValue, Version};

/// A host's name, in lower case, without port and final dot.
#[derive(Clone, Debug)]
pub(crate) enum Name {
    /// As the field has it: to share that costs nothing.
    Field(HeaderValue),
    Text(Box<str>),
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            // It was read as a text before.
            Name::Field(value) => value.to_str().unwrap_or_default(),
            Name::Text(text) => text,
        }
    }
}

/// The host of the request itself; nothing where it names none, several that differ, or what is no host at all.
pub(crate) fn of(parts: &Parts) -> Option<Name> {
    let mut lines = parts.headers.get_all(HOST).iter();
    let line = lines.next();
    if lines.next().is_some() {
        return None;
    }
    let field = |value: &HeaderValue| match value.to_str().ok()? {
        text if is_plain(text) => Some(Name::Field(value.clone())),
        text => name(text).map(|name| Name::Text(name.into())),
    };
    let header = match line.map(field) {
        Some(None) => return None,
        Some(Some(host)) => Some(host),
        None => None,
    };
    let target = match parts.uri.authority().map(|a| name(a.as_str())) {
        Some(None) => return None,
        Some(Some(host)) => Some(host),
        None => None,
    };
    match (header, target) {
        (Some(a), Some(b)) if *a != *b => None,
        (Some(host), _) => Some(host),
        // HTTP/2 carries it in `:authority`; an HTTP/1.1 request must have the field even with an absolute target.
        (None, Some(host)) if parts.version >= Version::HTTP_2 => Some(Name::Text(host.into())),
        (None, _) => None,
    }
}

/// The port that the request names, if it names one.
pub(crate) fn port(parts: &Parts) -> Option<u16> {
    let header = parts.headers.get(HOST).and_then(|line| line.to_str().ok());
    header.or_else(|| parts.uri.authority().map(Authority::as_str)).and_then(port_of)
}

/// The port of a `Host` value.
pub(crate) fn port_of(text: &str) -> Option<u16> {
    text.parse::<Authority>().ok()?.port_u16()
}

/// A `Host` value as a name to compare: no user information, no port, lower case.
pub(crate) fn name(text: &str) -> Option<String> {
    if is_plain(text) {
        return Some(text.to_owned());
    }
    if text.contains('@') {
        return None;
    }
    let authority: Authority = text.parse().ok()?;
    let port = text.strip_prefix(authority.host())?;
    let port_is_good = match port.strip_prefix(':') {
        Some(digits) => digits.is_empty() || digits.parse::<u16>().is_ok(),
        None => port.is_empty(),
    };
    let host = authority.host().strip_suffix('.').unwrap_or(authority.host());
    (port_is_good && !host.is_empty()).then(|| host.to_ascii_lowercase())
}

/// Whether a text is a name as we compare it: the usual host is.
fn is_plain(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    !text.is_empty() && !text.ends_with('.') && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn named(version: Version, uri: &str, hosts: &[&[u8]]) -> Option<String> {
        let mut request = Request::builder().version(version).uri(uri);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        of(&request.body(()).unwrap().into_parts().0).map(|name| name.to_string())
    }

    #[test]
    fn a_request_names_one_host() {
        let one = |h: &str| Some(h.to_owned());
        let h1 = Version::HTTP_11;
        for (version, uri, hosts, want) in [
            (h1, "/", &[b"api.example.com".as_slice()][..], one("api.example.com")),
            (h1, "/", &[b"API.example.com:8443"], one("api.example.com")),
            (h1, "/", &[b"api.example.com."], one("api.example.com")),
            (h1, "/", &[b"[2001:db8::1]:443"], one("[2001:db8::1]")),
            (h1, "/", &[], None),
            (h1, "/", &[b""], None),
            (h1, "/", &[b"a", b"a"], None),
            (h1, "/", &[b"a", b"b"], None),
            (h1, "/", &[b"user@a"], None),
            (h1, "/", &[b"a:99999"], None),
            (h1, "/", &[b"a:x"], None),
            (h1, "/", &[b"a/b"], None),
            (h1, "/", &[b"a, b"], None),
            (h1, "/", &[b"\xff"], None),
            (h1, "http://a/", &[b"a"], one("a")),
            (h1, "http://evil/", &[b"a"], None),
            (h1, "http://a/", &[], None),
            (Version::HTTP_2, "https://a:8443/", &[], one("a")),
            (Version::HTTP_2, "https://a/", &[b"b"], None),
            (Version::HTTP_2, "/", &[], None),
        ] {
            assert_eq!(named(version, uri, hosts), want, "{version:?} {uri} {hosts:?}");
        }
    }
}
