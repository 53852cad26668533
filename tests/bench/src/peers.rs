//! Says where each connection comes from, as the product's own listener does, and that it came over TLS, which the
//! benchmark leaves out on both sides.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::Request;
use axum::serve::IncomingStream;
use gatewright::Peer;
use tokio::net::TcpListener;
use tower_service::Service;

/// Makes the service of a connection.
pub(crate) struct Peers(pub(crate) Router);

impl Service<IncomingStream<'_, TcpListener>> for Peers {
    type Response = OfPeer;
    type Error = Infallible;
    type Future = Ready<Result<OfPeer, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, stream: IncomingStream<'_, TcpListener>) -> Self::Future {
        ready(Ok(OfPeer { router: self.0.clone(), peer: Peer::new(*stream.remote_addr()).over_tls() }))
    }
}

/// The router, for the requests of one connection.
#[derive(Clone)]
pub(crate) struct OfPeer {
    router: Router,
    peer: Peer,
}

impl Service<Request> for OfPeer {
    type Response = <Router as Service<Request>>::Response;
    type Error = Infallible;
    type Future = <Router as Service<Request>>::Future;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        request.extensions_mut().insert(self.peer);
        self.router.call(request)
    }
}
