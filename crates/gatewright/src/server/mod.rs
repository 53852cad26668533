//! The listener: HTTPS with every time and size bounded, because nothing below it is by default. A client that sends its
//! head, its handshake or nothing at all slowly is cut off; a slow body is the guards' to end.
//!
//! hyper itself answers what is no HTTP at all, with a bare 400 or 431; everything else reaches the gateway.

#[cfg(feature = "acme")]
mod acme;
mod answers;
mod caps;
mod certificate;
mod clients;
#[cfg(test)]
mod clients_tests;
mod linger;
mod logs;
mod peer;
#[cfg(test)]
mod tests;

#[cfg(feature = "acme")]
pub use acme::Acme;
pub use certificate::Certificate;
pub use clients::ClientAuthorities;
pub use logs::{Logs, log};

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use axum::Router;
use axum_server::tls_rustls::RustlsAcceptor;
use gatewright_policy::table::{ClientCertificates, Transport};
use tokio::task::JoinHandle;

use crate::Gateway;
use caps::{Capped, Caps};
use certificate::Tls;
use peer::{Peers, Telling};

type Handle = axum_server::Handle<SocketAddr>;

/// What a listener bears.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Open connections in all. Default 10,000.
    pub connections: usize,
    /// Open connections of one address, IPv6 by /64. Default 512; raise it where all come through one proxy.
    pub connections_per_address: usize,
    /// How long a TLS handshake may take. Default 10 s.
    pub handshake: Duration,
    /// From the handshake to the end of the first request's head. Default 10 s.
    pub first_request: Duration,
    /// From the first byte of a head, or the end of the answer before it, to the head's end. Default 15 s.
    pub head: Duration,
    /// How long a client may take nothing of what it is sent; over HTTP/2, of one answer. Default 60 s.
    pub stalled: Duration,
    /// Fields of a head. Default 100.
    pub fields: usize,
    /// Bytes of a head. Default 64 KiB.
    pub head_bytes: u32,
    /// Requests at a time on an HTTP/2 connection. Default 128.
    pub streams: u32,
    /// HTTP/2 streams that a client opened and reset before they were looked at: one more ends the connection
    /// (CVE-2023-44487). Default 32.
    pub resets: usize,
    /// How often a silent HTTP/2 connection is asked whether it lives; it has the same time again to answer. Default 30 s.
    pub ping: Duration,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds {
            connections: 10_000,
            connections_per_address: 512,
            handshake: Duration::from_secs(10),
            first_request: Duration::from_secs(10),
            head: Duration::from_secs(15),
            stalled: Duration::from_secs(60),
            fields: 100,
            head_bytes: 64 * 1024,
            streams: 128,
            resets: 32,
            ping: Duration::from_secs(30),
        }
    }
}

/// A server to be started.
#[derive(Clone, Debug)]
pub struct Server {
    router: Router,
    bounds: Bounds,
    tls13_only: bool,
    client_certificates: ClientCertificates,
    authorities: Option<ClientAuthorities>,
    gateway: Option<Gateway>,
}

impl Server {
    /// Serves a router that [`Gateway`] stands in.
    #[must_use]
    pub fn new(router: Router) -> Server {
        Server {
            router,
            bounds: Bounds::default(),
            tls13_only: false,
            client_certificates: ClientCertificates::Off,
            authorities: None,
            gateway: None,
        }
    }

    /// The gateway that stands in the router: when the server is told to stop, it says that it is not ready, and keeps what
    /// was counted ([`Gateway::drain`], [`Gateway::flush`]).
    #[must_use]
    pub fn gateway(mut self, gateway: &Gateway) -> Server {
        self.gateway = Some(gateway.clone());
        self
    }

    /// What its listeners bear.
    #[must_use]
    pub fn bounds(mut self, bounds: Bounds) -> Server {
        self.bounds = bounds;
        self
    }

    /// What the spec asks of connections, so that a handshake is refused that every request would be refused for: the
    /// gateway holds requests to it in any case. For several versions, call it with each: the strictest counts.
    #[must_use]
    pub fn transport(mut self, transport: &Transport) -> Server {
        self.tls13_only |= transport.tls13_only;
        self.client_certificates = match (self.client_certificates, transport.client_certificates) {
            (ClientCertificates::Required, _) | (_, ClientCertificates::Required) => ClientCertificates::Required,
            (ClientCertificates::Off, ClientCertificates::Off) => ClientCertificates::Off,
            _ => ClientCertificates::Optional,
        };
        self
    }

    /// Who vouches for clients, where the spec asks for their certificates (`client-certificates`).
    #[must_use]
    pub fn client_authorities(mut self, authorities: ClientAuthorities) -> Server {
        self.authorities = Some(authorities);
        self
    }

    fn tls(&self) -> io::Result<Tls> {
        let clients = match (self.client_certificates, &self.authorities) {
            (ClientCertificates::Off, _) => None,
            (wanted, Some(clients)) => Some((clients.clone(), wanted == ClientCertificates::Required)),
            (_, None) => {
                let why = "the spec asks for client certificates, and nobody vouches for clients: `client_authorities`";
                return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
            }
        };
        Ok(Tls { tls13_only: self.tls13_only, clients })
    }

    /// Listens with HTTPS.
    ///
    /// # Errors
    /// The address is taken, the certificate cannot be used, or nobody vouches for the clients' certificates that are asked for.
    pub fn https(self, address: SocketAddr, certificate: Certificate) -> io::Result<Running> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let tls = self.tls()?;
        let config = certificate.load(&tls)?;
        let acceptor = RustlsAcceptor::new(config.clone())
            .handshake_timeout(self.bounds.handshake)
            .acceptor(Capped::new(self.caps(), self.bounds.stalled));
        let acceptor = Telling(acceptor);
        let handle = Handle::new();
        let mut server = axum_server::from_tcp(listener)?.acceptor(acceptor).handle(handle.clone());
        self.bound(server.http_builder());
        let server = server.first_request_timeout(self.bounds.first_request);
        let task = tokio::spawn(server.serve(Peers::new(self.router)));
        let watch = certificate.watch(config, tls);
        let lists = self.gateway.as_ref().map(watch_lists);
        Ok(Running { address, handle, task, watch, _lists: lists, gateway: self.gateway })
    }

    /// Listens with plain HTTP: for loopback, for a proxy on the same host, and to refuse or redirect those who come
    /// without TLS, as the spec says.
    ///
    /// # Errors
    /// The address is taken.
    pub fn plain(self, address: SocketAddr) -> io::Result<Running> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let handle = Handle::new();
        let mut server = axum_server::from_tcp(listener)?
            .acceptor(Capped::new(self.caps(), self.bounds.stalled))
            .handle(handle.clone());
        self.bound(server.http_builder());
        let server = server.first_request_timeout(self.bounds.first_request);
        let task = tokio::spawn(server.serve(Peers::new(self.router)));
        let lists = self.gateway.as_ref().map(watch_lists);
        Ok(Running { address, handle, task, watch: None, _lists: lists, gateway: self.gateway })
    }

    fn caps(&self) -> Caps {
        Caps::new(self.bounds.connections, self.bounds.connections_per_address)
    }

    fn bound(&self, builder: &mut hyper_util::server::conn::auto::Builder<hyper_util::rt::TokioExecutor>) {
        let bounds = &self.bounds;
        builder
            .http1()
            .header_read_timeout(bounds.head)
            .max_headers(bounds.fields)
            .max_buf_size(usize::try_from(bounds.head_bytes).unwrap_or(64 * 1024).max(8 * 1024));
        builder
            .http2()
            .max_header_list_size(bounds.head_bytes)
            .max_concurrent_streams(bounds.streams)
            .max_pending_accept_reset_streams(bounds.resets)
            .max_local_error_reset_streams(bounds.resets)
            .keep_alive_interval(bounds.ping)
            .keep_alive_timeout(bounds.ping);
    }
}

/// A listener at work.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    handle: Handle,
    task: JoinHandle<io::Result<()>>,
    watch: Option<certificate::Watch>,
    _lists: Option<Lists>,
    gateway: Option<Gateway>,
}

impl Running {
    /// Where it listens; the port is known here where 0 was asked for.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Reads the certificate's files again if they changed. New connections get the new certificate, open ones live on;
    /// files that cannot be used leave the old one in place. This also happens by itself every ten seconds.
    ///
    /// # Errors
    /// The files changed and cannot be used.
    pub fn reload(&self) -> io::Result<bool> {
        self.watch.as_ref().map_or(Ok(false), certificate::Watch::reload)
    }

    /// Takes no new connections, lets requests finish for `grace`, then closes the rest.
    ///
    /// # Errors
    /// The listener had failed.
    pub async fn stop(self, grace: Duration) -> io::Result<()> {
        let gateway = self.gateway.clone();
        if let Some(gateway) = &gateway {
            gateway.drain();
        }
        self.handle.graceful_shutdown(Some(grace));
        let ended = self.wait().await;
        if let Some(gateway) = &gateway {
            gateway.flush().await;
        }
        ended
    }

    /// Serves until SIGTERM or SIGINT, then as [`stop`](Running::stop). On SIGHUP it reads the certificate and, where it was
    /// told of its gateway, the lists again ([`Gateway::reload`]).
    ///
    /// # Errors
    /// Signals cannot be had, or the listener fails.
    pub async fn until_signal(mut self, grace: Duration) -> io::Result<()> {
        let mut signals = Signals::new()?;
        loop {
            tokio::select! {
                ended = &mut self.task => return ended.unwrap_or_else(|e| Err(io::Error::other(e))),
                signal = signals.next() => match signal? {
                    Signal::End => return self.stop(grace).await,
                    Signal::Reload => self.reload_all(),
                },
            }
        }
    }

    /// What cannot be read stays as it was, and the log says so.
    fn reload_all(&self) {
        if let Err(error) = self.reload() {
            tracing::error!(target: "gatewright::server", %error, "the certificate cannot be used: the old one stays");
        }
        if let Some(Err(error)) = self.gateway.as_ref().map(Gateway::reload) {
            tracing::error!(target: "gatewright::server", %error, "limits or lists cannot be read: the old ones stay");
        }
    }

    /// Serves until the listener ends.
    ///
    /// # Errors
    /// The listener fails.
    pub async fn wait(self) -> io::Result<()> {
        self.task.await.unwrap_or_else(|e| Err(io::Error::other(e)))
    }
}

/// Reads lists again when their files change, as long as the listener runs.
#[derive(Debug)]
struct Lists(JoinHandle<()>);

impl Drop for Lists {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn watch_lists(gateway: &Gateway) -> Lists {
    let gateway = gateway.clone();
    Lists(tokio::spawn(async move {
        let mut every = tokio::time::interval(Duration::from_secs(10));
        loop {
            every.tick().await;
            if let Err(error) = gateway.reload_if_changed() {
                tracing::error!(target: "gatewright::server", %error, "the lists changed and cannot be read: the old ones stay");
            }
        }
    }))
}

enum Signal {
    /// SIGTERM, SIGINT.
    End,
    /// SIGHUP.
    Reload,
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals { terminate: signal(SignalKind::terminate())?, hang_up: signal(SignalKind::hangup())? })
    }

    async fn next(&mut self) -> io::Result<Signal> {
        tokio::select! {
            _ = self.terminate.recv() => Ok(Signal::End),
            interrupt = tokio::signal::ctrl_c() => interrupt.map(|()| Signal::End),
            _ = self.hang_up.recv() => Ok(Signal::Reload),
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Signals> {
        Ok(Signals)
    }

    async fn next(&mut self) -> io::Result<Signal> {
        tokio::signal::ctrl_c().await.map(|()| Signal::End)
    }
}
