//! Tells each request which connection it came by: from whom, and over which TLS.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes};
use axum_server::accept::Accept;
use axum_server::tls::TlsInfo;
use http::{Extensions, Request, Response};
use hyper::body::Incoming;
use rustls::ProtocolVersion;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tower_service::Service;

use super::answers::{Answer, Answering, Answers};
use super::linger::Lingering;
use crate::auth::jwt::sha256;
use crate::net::{CertificateDer, Peer};

/// Makes the service of a connection.
#[derive(Clone)]
pub(super) struct Peers {
    router: Router,
}

impl Peers {
    pub(super) fn new(router: Router) -> Peers {
        Peers { router }
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
        ready(Ok(OfPeer {
            router: self.router.clone(),
            peer,
            certificate: Arc::default(),
            answers: Answers::default(),
        }))
    }
}

/// The router, for the requests of one connection.
#[derive(Clone)]
pub(super) struct OfPeer {
    router: Router,
    peer: Peer,
    /// The client's certificate and its SHA-256, once it was looked at.
    certificate: Arc<OnceLock<Option<Shown>>>,
    answers: Answers,
}

/// A certificate's SHA-256, and the certificate.
type Shown = ([u8; 32], CertificateDer);

impl OfPeer {
    pub(super) fn answers(&self) -> &Answers {
        &self.answers
    }

    /// The peer, with what the handshake agreed on and verified of it.
    fn verified(&self, agreed: Option<Agreed>, extensions: &mut Extensions) -> Peer {
        let peer = match agreed {
            Some(Agreed::Modern) => self.peer.over_tls(),
            Some(Agreed::Old) => self.peer.over_tls_1_2(),
            None => self.peer,
        };
        let shown = self.certificate.get_or_init(|| {
            let tls = extensions.get::<Arc<TlsInfo>>()?;
            let der = tls.peer_certificates.first()?;
            Some((sha256(der), CertificateDer(Bytes::copy_from_slice(der))))
        });
        let Some((sha256, der)) = shown else { return peer };
        extensions.insert(der.clone());
        peer.with_certificate(*sha256)
    }
}

impl Service<Request<Incoming>> for OfPeer {
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = Answering<<Router as Service<Request<Body>>>::Future>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // A router is always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        // Over HTTP/1.1 hyper takes care of it, and reading there would ask for a body that is still held back
        // (`Expect: 100-continue`).
        let (mut request, answers) = match request.version() {
            http::Version::HTTP_2 => (request.map(|body| Body::new(Lingering::new(body))), Some(self.answers.clone())),
            _ => (request.map(Body::new), None),
        };
        let agreed = request.extensions_mut().remove::<Agreed>();
        let peer = self.verified(agreed, request.extensions_mut());
        request.extensions_mut().insert(peer);
        Answering::new(self.router.call(request), answers)
    }
}

/// What a handshake agreed on. Only [`Telling`] puts it into a request, and nothing outside can name it.
#[derive(Clone, Copy)]
enum Agreed {
    Old,
    Modern,
}

/// An acceptor of TLS that remembers what was agreed on.
#[derive(Clone)]
pub(super) struct Telling<A>(pub(super) A);

type Accepted<I, S> = Pin<Box<dyn Future<Output = io::Result<(TlsStream<I>, Told<S>)>> + Send>>;

impl<A, I, S> Accept<TcpStream, S> for Telling<A>
where
    A: Accept<TcpStream, S, Stream = TlsStream<I>>,
    A::Future: Send + 'static,
{
    type Stream = TlsStream<I>;
    type Service = Told<A::Service>;
    type Future = Accepted<I, A::Service>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let accepting = self.0.accept(stream, service);
        Box::pin(async move {
            let (stream, service) = accepting.await?;
            let agreed = match stream.get_ref().1.protocol_version() {
                Some(ProtocolVersion::TLSv1_3) => Agreed::Modern,
                _ => Agreed::Old,
            };
            Ok((stream, Told { service, agreed }))
        })
    }
}

/// The service of a connection over TLS.
#[derive(Clone)]
pub(super) struct Told<S> {
    service: S,
    agreed: Agreed,
}

impl<S: Service<Request<Incoming>>> Service<Request<Incoming>> for Told<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Incoming>) -> S::Future {
        request.extensions_mut().insert(self.agreed);
        self.service.call(request)
    }
}
