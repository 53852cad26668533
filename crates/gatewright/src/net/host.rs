//! The host that a request is for. hyper serves a request without `Host`, with two, and with an absolute target that
//! names another one; RFC 9112, 3.2 wants 400 for each.

use http::Version;
use http::header::HOST;
use http::request::Parts;
use http::uri::Authority;

/// What the request says about its host.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// One host, in lower case, without port and final dot.
    One(String),
    /// None, several that differ, or no host at all.
    Bad,
}

/// The host of the request itself.
pub(crate) fn of(parts: &Parts) -> Named {
    let mut lines = parts.headers.get_all(HOST).iter();
    let line = lines.next();
    if lines.next().is_some() {
        return Named::Bad;
    }
    let header = match line.map(|l| l.to_str().ok().and_then(name)) {
        Some(None) => return Named::Bad,
        Some(Some(host)) => Some(host),
        None => None,
    };
    let target = match parts.uri.authority().map(|a| name(a.as_str())) {
        Some(None) => return Named::Bad,
        Some(Some(host)) => Some(host),
        None => None,
    };
    match (header, target) {
        (Some(a), Some(b)) if a != b => Named::Bad,
        (Some(host), _) => Named::One(host),
        // HTTP/2 carries it in `:authority`; an HTTP/1.1 request must have the field even with an absolute target.
        (None, Some(host)) if parts.version >= Version::HTTP_2 => Named::One(host),
        (None, _) => Named::Bad,
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
    // The usual host is a plain name already.
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    if !text.is_empty() && !text.ends_with('.') && text.bytes().all(plain) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn named(version: Version, uri: &str, hosts: &[&[u8]]) -> Named {
        let mut request = Request::builder().version(version).uri(uri);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        of(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn a_request_names_one_host() {
        let one = |h: &str| Named::One(h.into());
        let h1 = Version::HTTP_11;
        for (version, uri, hosts, want) in [
            (h1, "/", &[b"api.example.com".as_slice()][..], one("api.example.com")),
            (h1, "/", &[b"API.example.com:8443"], one("api.example.com")),
            (h1, "/", &[b"api.example.com."], one("api.example.com")),
            (h1, "/", &[b"[2001:db8::1]:443"], one("[2001:db8::1]")),
            (h1, "/", &[], Named::Bad),
            (h1, "/", &[b""], Named::Bad),
            (h1, "/", &[b"a", b"a"], Named::Bad),
            (h1, "/", &[b"a", b"b"], Named::Bad),
            (h1, "/", &[b"user@a"], Named::Bad),
            (h1, "/", &[b"a:99999"], Named::Bad),
            (h1, "/", &[b"a:x"], Named::Bad),
            (h1, "/", &[b"a/b"], Named::Bad),
            (h1, "/", &[b"a, b"], Named::Bad),
            (h1, "/", &[b"\xff"], Named::Bad),
            (h1, "http://a/", &[b"a"], one("a")),
            (h1, "http://evil/", &[b"a"], Named::Bad),
            (h1, "http://a/", &[], Named::Bad),
            (Version::HTTP_2, "https://a:8443/", &[], one("a")),
            (Version::HTTP_2, "https://a/", &[b"b"], Named::Bad),
            (Version::HTTP_2, "/", &[], Named::Bad),
        ] {
            assert_eq!(named(version, uri, hosts), want, "{version:?} {uri} {hosts:?}");
        }
    }
}
