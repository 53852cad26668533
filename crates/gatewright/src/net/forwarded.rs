//! Whom proxies say a request is from. Only a trusted peer's headers count, and they are read from the right: each proxy
//! appends what it saw, so the first address from the right that is no trusted proxy is the client. What cannot be read
//! ends the walk: then there is no address, which no allowed network holds and which shares one limit.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use http::header::{FORWARDED, HeaderName};

use super::{Forwarding, Ranges, normal};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Hops that are looked at; more is no chain of proxies but an attack.
const MOST_HOPS: usize = 64;

/// What trusted proxies say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Hop {
    /// The client, if it could be read.
    pub(crate) client: Option<IpAddr>,
    /// `Some(false)` where any hop says that it was plain HTTP, `Some(true)` where all that speak say HTTPS.
    pub(crate) secure: Option<bool>,
    /// The host that the client named.
    pub(crate) host: Option<String>,
}

/// Reads the headers of a peer that is trusted.
pub(crate) fn read(headers: &HeaderMap, peer: IpAddr, trusted: &Ranges, forwarding: Forwarding) -> Hop {
    match forwarding {
        Forwarding::XForwardedFor => x_forwarded(headers, peer, trusted),
        Forwarding::Forwarded => forwarded(headers, peer, trusted),
    }
}

fn x_forwarded(headers: &HeaderMap, peer: IpAddr, trusted: &Ranges) -> Hop {
    let chain: Vec<&str> = list(headers, &X_FORWARDED_FOR);
    let client = walk(chain.iter().rev().map(|text| address(text)), peer, trusted);
    let protocols = list(headers, &X_FORWARDED_PROTO);
    let secure = (!protocols.is_empty()).then(|| protocols.iter().all(|p| p.eq_ignore_ascii_case("https")));
    let host = list(headers, &X_FORWARDED_HOST).last().map(|h| (*h).to_owned());
    Hop { client, secure, host }
}

fn forwarded(headers: &HeaderMap, peer: IpAddr, trusted: &Ranges) -> Hop {
    let mut hops = Vec::new();
    for line in headers.get_all(FORWARDED) {
        let Some(mut more) = line.to_str().ok().and_then(elements) else {
            // What was appended after an unreadable line is still from a proxy, what stood before is not to be had.
            hops.clear();
            hops.push(Element { readable: false, ..Element::default() });
            continue;
        };
        hops.append(&mut more);
    }
    let client = walk(hops.iter().rev().map(|h| h.node.as_deref().and_then(address)), peer, trusted);
    let mut secure = None;
    for hop in &hops {
        if !hop.readable {
            secure = Some(false);
        } else if let Some(proto) = &hop.proto {
            secure = Some(secure.unwrap_or(true) && proto.eq_ignore_ascii_case("https"));
        }
    }
    Hop { client, secure, host: hops.last().and_then(|h| h.host.clone()) }
}

/// The first from the right that is not trusted; the leftmost where all are; none where one cannot be read.
fn walk(chain: impl Iterator<Item = Option<IpAddr>>, peer: IpAddr, trusted: &Ranges) -> Option<IpAddr> {
    let mut last = peer;
    for (i, hop) in chain.enumerate() {
        let hop = hop?;
        if i >= MOST_HOPS {
            return None;
        }
        last = hop;
        if !trusted.contains(hop) {
            break;
        }
    }
    Some(last)
}

fn list<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Vec<&'a str> {
    headers
        .get_all(name)
        .iter()
        // A line that is no text becomes one element that nothing can read.
        .flat_map(|line| line.to_str().unwrap_or("?").split(','))
        .map(str::trim)
        .collect()
}

/// `203.0.113.7`, `203.0.113.7:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`. Not `unknown`, not `_hidden`.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
    let address = match bare {
        Some(v6) => IpAddr::V6(v6.parse().ok()?),
        None => text.parse::<IpAddr>().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|s| s.ip()))?,
    };
    Some(normal(address))
}

#[derive(Debug, PartialEq, Eq)]
struct Element {
    readable: bool,
    node: Option<String>,
    proto: Option<String>,
    host: Option<String>,
}

impl Default for Element {
    fn default() -> Element {
        Element { readable: true, node: None, proto: None, host: None }
    }
}

/// The elements of one `Forwarded` line (RFC 7239, 4), or nothing if it breaks the grammar.
fn elements(line: &str) -> Option<Vec<Element>> {
    split(line, b',')?.into_iter().map(element).collect()
}

fn element(text: &str) -> Option<Element> {
    let mut out = Element::default();
    for pair in split(text, b';')? {
        if pair.trim().is_empty() {
            continue;
        }
        let (name, value) = pair.split_once('=')?;
        let value = unquote(value.trim())?.into_owned();
        let slot = match name.trim().to_ascii_lowercase().as_str() {
            "for" => &mut out.node,
            "proto" => &mut out.proto,
            "host" => &mut out.host,
            _ => continue,
        };
        if slot.replace(value).is_some() {
            return None;
        }
    }
    Some(out)
}

/// Splits at `at` outside quotes; nothing if a quote is left open.
fn split(text: &str, at: u8) -> Option<Vec<&str>> {
    let mut parts = Vec::new();
    let (mut quoted, mut escaped) = (false, false);
    let mut start = 0;
    for (i, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b if b == at && !quoted => {
                parts.push(text.get(start..i)?);
                start = i + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(start..)?);
    (!quoted).then_some(parts)
}

fn unquote(text: &str) -> Option<Cow<'_, str>> {
    let Some(inner) = text.strip_prefix('"') else {
        return (!text.contains('"')).then_some(Cow::Borrowed(text));
    };
    let inner = inner.strip_suffix('"')?;
    if !inner.contains('\\') {
        return (!inner.contains('"')).then_some(Cow::Borrowed(inner));
    }
    let mut out = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        out.push(if c == '\\' { chars.next()? } else { c });
    }
    Some(Cow::Owned(out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::ranges::parse;

    const PEER: &str = "10.0.0.1";

    fn hop(forwarding: Forwarding, lines: &[(&'static str, &str)]) -> Hop {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        let trusted = Ranges::new(&[parse("10.0.0.0/8").unwrap(), parse("2001:db8:ffff::/48").unwrap()]);
        read(&headers, PEER.parse().unwrap(), &trusted, forwarding)
    }

    #[test]
    fn x_forwarded_for_is_walked_from_the_right() {
        for (lines, client) in [
            (vec!["203.0.113.9"], Some("203.0.113.9")),
            (vec!["1.2.3.4, 203.0.113.9"], Some("203.0.113.9")),
            (vec!["1.2.3.4, 203.0.113.9, 10.1.1.1"], Some("203.0.113.9")),
            (vec!["1.2.3.4", "203.0.113.9", "10.1.1.1"], Some("203.0.113.9")),
            (vec!["10.2.2.2, 10.1.1.1"], Some("10.2.2.2")),
            (vec!["203.0.113.9:4711"], Some("203.0.113.9")),
            (vec!["[2001:db8::1]:4711"], Some("2001:db8::1")),
            (vec!["::ffff:203.0.113.9"], Some("203.0.113.9")),
            (vec!["203.0.113.9, unknown"], None),
            (vec!["203.0.113.9, "], None),
            (vec!["unknown, 203.0.113.9"], Some("203.0.113.9")),
            (vec!["203.0.113.9, 10.0.0.300"], None),
            (vec![], Some(PEER)),
        ] {
            let lines: Vec<_> = lines.iter().map(|l| ("x-forwarded-for", *l)).collect();
            let want = client.map(|c| c.parse().unwrap());
            assert_eq!(hop(Forwarding::XForwardedFor, &lines).client, want, "{lines:?}");
        }
    }

    /// Rows: X3.
    #[test]
    fn forwarded_is_read_by_its_grammar() {
        for (lines, client) in [
            (vec!["for=203.0.113.9"], Some("203.0.113.9")),
            (vec!["For=\"[2001:db8::1]:4711\";proto=https"], Some("2001:db8::1")),
            (vec!["for=1.2.3.4, for=203.0.113.9;by=10.0.0.1, for=10.1.1.1"], Some("203.0.113.9")),
            (vec!["for=1.2.3.4;x=\"a, for=6.6.6.6\""], Some("1.2.3.4")),
            (vec!["for=1.2.3.4;x=\"\\\", for=6.6.6.6\""], Some("1.2.3.4")),
            (vec!["for=1.2.3.4", "for=10.1.1.1"], Some("1.2.3.4")),
            (vec!["for=_hidden"], None),
            (vec!["for=unknown"], None),
            (vec!["for=1.2.3.4, for=_hidden, for=10.1.1.1"], None),
            (vec!["proto=https"], None),
            (vec!["for=1.2.3.4;x=\"open"], None),
            (vec!["for=1.2.3.4;for=5.6.7.8"], None),
            (vec!["for"], None),
            (vec!["for=\"1.2.3.4"], None),
            (vec!["for=6.6.6.6;x=\"", "for=9.9.9.9"], Some("9.9.9.9")),
            (vec!["for=6.6.6.6;x=\"", "for=10.1.1.1"], None),
        ] {
            let lines: Vec<_> = lines.iter().map(|l| ("forwarded", *l)).collect();
            let want = client.map(|c| c.parse().unwrap());
            assert_eq!(hop(Forwarding::Forwarded, &lines).client, want, "{lines:?}");
        }
    }

    /// Rows: X4.
    #[test]
    fn only_the_configured_header_counts() {
        let both = [("x-forwarded-for", "1.1.1.1"), ("forwarded", "for=2.2.2.2")];
        assert_eq!(hop(Forwarding::XForwardedFor, &both).client, Some("1.1.1.1".parse().unwrap()));
        assert_eq!(hop(Forwarding::Forwarded, &both).client, Some("2.2.2.2".parse().unwrap()));
    }

    #[test]
    fn one_plain_hop_makes_it_plain() {
        for (value, secure) in [("https", true), ("HTTPS", true), ("http", false), ("http, https", false), ("", false)]
        {
            let found = hop(Forwarding::XForwardedFor, &[("x-forwarded-proto", value)]);
            assert_eq!(found.secure, Some(secure), "{value}");
        }
        assert_eq!(hop(Forwarding::XForwardedFor, &[]).secure, None);
        let found = hop(Forwarding::Forwarded, &[("forwarded", "for=1.1.1.1;proto=http, for=10.1.1.1;proto=https")]);
        assert_eq!(found.secure, Some(false));
    }

    #[test]
    fn a_very_long_chain_has_no_client() {
        let chain = vec!["10.1.1.1"; 1_000].join(",");
        assert_eq!(hop(Forwarding::XForwardedFor, &[("x-forwarded-for", &chain)]).client, None);
    }
}
