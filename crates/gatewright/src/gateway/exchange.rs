//! One request and its answer, from the guards' side.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Bytes;
use http::HeaderValue;
use http::header::HeaderName;
use http::request::Parts;

use super::{Edge, Shared};
use crate::auth::jwt::sha256;
use crate::guard::Guard;
use crate::net::{CertificateDer, Peer, Ranges, client_cert, forwarded, host};

pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What is known of a request before any of it is believed.
#[derive(Debug)]
pub struct Exchange {
    id: Id,
    client: Option<IpAddr>,
    pub(crate) secure: bool,
    /// TLS older than 1.3 ends here. What a trusted proxy agreed on with the client is the proxy's to say.
    pub(crate) old_tls: bool,
    pub(crate) host: Option<host::Name>,
    /// What a trusted proxy says that the client wrote as its host.
    named: Option<String>,
    /// The client's certificate. Behind a trusted proxy it is what `Client-Cert` says, if that counts: the connection's is
    /// the proxy's.
    certificate: Option<Box<ClientCertificate>>,
    /// Monotonic nanoseconds.
    pub(crate) started: u64,
    opened: tokio::time::Instant,
    /// Seconds since 1970.
    pub(crate) unix: i64,
    pub(crate) api: Option<usize>,
    pub(crate) method: http::Method,
    #[cfg(feature = "otel")]
    pub(crate) trace: Option<Box<crate::trace::Open>>,
}

/// The certificate that a client showed.
#[derive(Debug)]
struct ClientCertificate {
    sha256: [u8; 32],
    /// Where a listener passes it on.
    der: Option<Bytes>,
}

impl Exchange {
    pub(super) fn open(shared: &Shared, edge: &Edge, api: Option<usize>, parts: &Parts) -> Exchange {
        let peer = parts.extensions.get::<Peer>();
        let proxies = edge.trusted.load();
        let trusted = peer.is_some_and(|p| proxies.contains(p.address()));
        let opened = tokio::time::Instant::now();
        let now = shared.clock.readings(opened.into_std());
        let mut exchange = Exchange {
            id: Id::Ours([b'0'; 32]),
            client: peer.map(Peer::address),
            secure: peer.is_some_and(Peer::tls),
            old_tls: peer.is_some_and(Peer::old_tls) && !trusted,
            host: host::of(parts),
            named: None,
            certificate: None,
            started: now.monotonic,
            opened,
            unix: now.unix,
            api,
            method: parts.method.clone(),
            #[cfg(feature = "otel")]
            trace: shared.traces.as_ref().map(|traces| Box::new(traces.open(&parts.headers, trusted))),
        };
        if let Some(sha256) = peer.filter(|_| !trusted).and_then(Peer::certificate) {
            let der = parts.extensions.get::<CertificateDer>().map(|der| der.0.clone());
            exchange.certificate = Some(Box::new(ClientCertificate { sha256, der }));
        }
        if let (true, Some(peer)) = (trusted, peer) {
            exchange.believe(parts, peer.address(), &proxies, shared);
        }
        let theirs = if trusted && shared.trust_request_id { parts.headers.get(&X_REQUEST_ID) } else { None };
        exchange.id = match theirs.filter(|id| is_id(id)) {
            Some(id) => Id::Theirs(id.clone()),
            None => Id::Ours(shared.ids.next()),
        };
        exchange
    }

    fn believe(&mut self, parts: &Parts, peer: IpAddr, proxies: &Ranges, shared: &Shared) {
        let hop = forwarded::read(&parts.headers, peer, proxies, shared.forwarding);
        if shared.certificate_header {
            let shown = client_cert::read(&parts.headers);
            self.certificate = shown.map(|der| Box::new(ClientCertificate { sha256: sha256(&der), der: Some(der) }));
        }
        self.client = hop.client;
        self.secure = hop.secure.unwrap_or(self.secure);
        if let Some(named) = hop.host {
            // A request that itself names no host properly stays refused.
            self.host = self.host.take().and_then(|_| host::name(&named)).map(|name| host::Name::Text(name.into()));
            self.named = Some(named);
        }
    }

    /// Lets its handler know which trace it is part of.
    #[cfg(feature = "otel")]
    pub(crate) fn tell_trace(&self, extensions: &mut http::Extensions) {
        if let Some(trace) = &self.trace {
            extensions.insert(trace.context());
        }
    }

    /// Its id: in the response, in problems, in the log.
    #[must_use]
    pub fn id(&self) -> &str {
        match &self.id {
            Id::Ours(text) => std::str::from_utf8(text).unwrap_or_default(),
            Id::Theirs(value) => value.to_str().unwrap_or_default(),
        }
    }

    pub(crate) fn id_value(&self) -> HeaderValue {
        match &self.id {
            Id::Ours(text) => HeaderValue::from_bytes(text).unwrap_or(HeaderValue::from_static("none")),
            Id::Theirs(value) => value.clone(),
        }
    }

    /// The client's address, behind trusted proxies; `None` where it cannot be known.
    #[must_use]
    pub fn client(&self) -> Option<IpAddr> {
        self.client
    }

    /// The SHA-256 of the client's certificate.
    pub(crate) fn certificate(&self) -> Option<&[u8; 32]> {
        self.certificate.as_ref().map(|shown| &shown.sha256)
    }

    /// The client's certificate itself.
    pub(crate) fn certificate_der(&self) -> Option<&[u8]> {
        self.certificate.as_ref()?.der.as_deref()
    }

    /// Whether it came over HTTPS.
    #[must_use]
    pub fn secure(&self) -> bool {
        self.secure
    }

    /// The host it is for, in lower case without port.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// The port that the client wrote; none where it is its scheme's. Few ask, so it is read only then.
    pub(crate) fn port(&self, parts: &Parts) -> Option<u16> {
        match &self.named {
            Some(named) => host::port_of(named),
            None => host::port(parts),
        }
    }

    /// The moment after which it is too late, counted from the request's head.
    #[must_use]
    pub fn deadline(&self, guard: &Guard) -> tokio::time::Instant {
        self.opened + guard.timeout()
    }
}

/// The id of a request. Our own is kept as text: a header value of it is made once, where it is sent.
#[derive(Debug)]
enum Id {
    Ours([u8; 32]),
    /// Of a trusted proxy.
    Theirs(HeaderValue),
}

/// An id that may be passed on: short, and nothing that a log or shell would take for more than a word.
fn is_id(value: &HeaderValue) -> bool {
    let bytes = value.as_bytes();
    (1..=128).contains(&bytes.len())
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// Makes request ids: a counter, scrambled, so that ids neither repeat nor tell how busy the server is.
pub(crate) struct Ids {
    counter: AtomicU64,
    seeds: [u64; 2],
}

impl Ids {
    pub(crate) fn new() -> Ids {
        use std::hash::{BuildHasher, RandomState};
        Ids { counter: AtomicU64::new(0), seeds: [RandomState::new().hash_one(1), RandomState::new().hash_one(2)] }
    }

    pub(crate) fn next(&self) -> [u8; 32] {
        let n = self.counter.fetch_add(1, Ordering::Relaxed);
        let [a, b] = self.seeds;
        let mut text = [0u8; 32];
        let halves = [mix(a ^ n), mix(n.wrapping_add(b))];
        let quarters = halves.map(|half| [half >> 32, half & 0xFFFF_FFFF]);
        for (place, quarter) in text.chunks_exact_mut(8).zip(quarters.as_flattened()) {
            place.copy_from_slice(&hex(*quarter));
        }
        text
    }
}

/// Eight hexadecimal digits of a number of 32 bits, all at once.
fn hex(n: u64) -> [u8; 8] {
    // One digit a byte, then each as a letter: from 10 on, 39 lie between the digits and `a`.
    let n = (n | n << 16) & 0x0000_FFFF_0000_FFFF;
    let n = (n | n << 8) & 0x00FF_00FF_00FF_00FF;
    let n = (n | n << 4) & 0x0F0F_0F0F_0F0F_0F0F;
    let from_ten = ((n + 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101;
    (n + 0x3030_3030_3030_3030 + from_ten * 39).to_be_bytes()
}

/// A bijection of 64 bits (SplitMix64's finalizer): different counters give different ids.
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_do_not_repeat() {
        let ids = Ids::new();
        let made: std::collections::HashSet<_> = (0..10_000).map(|_| ids.next()).collect();
        assert_eq!(made.len(), 10_000);
        assert!(made.iter().all(|id| id.len() == 32));
    }

    #[test]
    fn digits_are_written_as_the_standard_library_does() {
        for n in [0, 1, 9, 10, 15, 16, 0x0123_4567, 0x89ab_cdef, 0xffff_ffff, 0xdead_beef] {
            assert_eq!(hex(n).as_slice(), format!("{n:08x}").as_bytes());
        }
    }

    #[test]
    fn only_words_are_passed_on() {
        for (text, good) in [("abc-1", true), ("", false), ("a b", false), ("a\"b", false), (&"a".repeat(129), false)] {
            assert_eq!(is_id(&HeaderValue::from_str(text).unwrap()), good, "{text}");
        }
    }
}
