//! Addresses and hosts: who a request really comes from, and whom it is for.

pub(crate) mod client_cert;
mod devices;
pub(crate) mod forwarded;
pub(crate) mod host;
mod ranges;

pub(crate) use devices::{Devices, parse as parse_device};
pub use ranges::Ranges;
pub(crate) use ranges::{normal, parse as parse_network};

use std::net::{IpAddr, SocketAddr};

/// The other end of the TCP connection. The listener puts it into the request's extensions; a request without one comes
/// from nowhere: it is in no network, and its connection is not secure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    address: SocketAddr,
    tls: Tls,
    certificate: Option<[u8; 32]>,
}

/// The TLS that ends here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tls {
    Without,
    V1_2,
    V1_3,
}

impl Peer {
    /// A peer on a plain connection.
    #[must_use]
    pub fn new(address: SocketAddr) -> Peer {
        Peer { address, tls: Tls::Without, certificate: None }
    }

    /// The same on a connection with TLS 1.3 that ends here.
    #[must_use]
    pub fn over_tls(self) -> Peer {
        Peer { tls: Tls::V1_3, ..self }
    }

    /// The same on a connection with TLS 1.2 that ends here: refused where the spec says `min-tls: "1.3"`.
    #[must_use]
    pub fn over_tls_1_2(self) -> Peer {
        Peer { tls: Tls::V1_2, ..self }
    }

    /// The same with a client certificate that the handshake verified: the SHA-256 of its DER form.
    #[must_use]
    pub fn with_certificate(self, sha256: [u8; 32]) -> Peer {
        Peer { certificate: Some(sha256), ..self }
    }

    /// The SHA-256 of the client's certificate.
    #[must_use]
    pub fn certificate(&self) -> Option<[u8; 32]> {
        self.certificate
    }

    /// Its address, with an IPv4-mapped IPv6 address as IPv4.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        normal(self.address.ip())
    }

    /// Whether TLS ends here.
    #[must_use]
    pub fn tls(&self) -> bool {
        self.tls != Tls::Without
    }

    /// Whether it is TLS, and older than 1.3.
    #[must_use]
    pub fn old_tls(&self) -> bool {
        self.tls == Tls::V1_2
    }
}

/// The DER form of the client's certificate that the handshake verified, beside [`Peer`] in a request's extensions.
#[derive(Clone, Debug)]
pub struct CertificateDer(pub axum::body::Bytes);

/// Which header a trusted proxy writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forwarding {
    /// `X-Forwarded-For`, `-Proto` and `-Host`.
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}
