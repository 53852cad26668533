//! Tells each request which connection it came by.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use http::Request;
use hyper::body::Incoming;
use tower_service::Service;

use super::linger::Lingering;
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
        ready(Ok(OfPeer { router: self.router.clone(), peer }))
    }
}

/// The router, for the requests of one connection.
#[derive(Clone)]
pub(super) struct OfPeer {
    router: Router,
    peer: Peer,
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
        request.extensions_mut().insert(self.peer);
        self.router.call(request)
    }
}
