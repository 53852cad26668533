//! Tells each request which connection it came by.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum_server::tls::TlsInfo;
use http::{Extensions, Request};
use hyper::body::Incoming;
use tower_service::Service;

use super::linger::Lingering;
use crate::auth::jwt::sha256;
use crate::net::Peer;

/// Makes the service of a connection.
#[derive(Clone)]
pub(super) struct Peers {
    router: Router,
    tls: bool,
}

impl Peers {
    pub(super) fn new(router: Router, tls: bool) -> Peers {
        Peers { router, tls }
    }
}

impl Service<SocketAddr> for Peers {
    type Response = OfPeer;
    type Error = Infallible;
    type Future = Ready<Result<OfPeer, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, address: SocketAddr) -> Self::Future {
        let peer = Peer::new(address);
        let peer = if self.tls { peer.over_tls() } else { peer };
        ready(Ok(OfPeer { router: self.router.clone(), peer, certificate: Arc::default() }))
    }
}

/// The router, for the requests of one connection.
#[derive(Clone)]
pub(super) struct OfPeer {
    router: Router,
    peer: Peer,
    /// The SHA-256 of the client's certificate, once it was looked at.
    certificate: Arc<OnceLock<Option<[u8; 32]>>>,
}

impl OfPeer {
    /// The peer, with what the handshake verified of it.
    fn verified(&self, extensions: &Extensions) -> Peer {
        let sha256 = self.certificate.get_or_init(|| {
            let tls = extensions.get::<Arc<TlsInfo>>()?;
            Some(sha256(tls.peer_certificates.first()?))
        });
        sha256.map_or(self.peer, |sha256| self.peer.with_certificate(sha256))
    }
}

impl Service<Request<Incoming>> for OfPeer {
    type Response = <Router as Service<Request<Body>>>::Response;
    type Error = Infallible;
    type Future = <Router as Service<Request<Body>>>::Future;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // A router is always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        // Over HTTP/1.1 hyper takes care of it, and reading there would ask for a body that is still held back
        // (`Expect: 100-continue`).
        let mut request = match request.version() {
            http::Version::HTTP_2 => request.map(|body| Body::new(Lingering::new(body))),
            _ => request.map(Body::new),
        };
        let peer = self.verified(request.extensions());
        request.extensions_mut().insert(peer);
        self.router.call(request)
    }
}
