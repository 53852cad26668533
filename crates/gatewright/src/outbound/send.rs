//! The client for webhooks and callbacks. Somebody else names the target, so the target is judged: HTTPS, a name whose
//! every address is public, and the connection goes to an address that was judged, not to what the name means a moment
//! later. No redirect is followed; the answer is bounded in size and time.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, COOKIE, HOST, HeaderMap, HeaderValue, USER_AGENT};
use http::{Method, Request, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::address::is_public;
use super::answer::{Answer, Misfit, Received};
use super::message::{Message, Outgoing};
use super::roots::roots;
use crate::Internal;
use crate::net::Ranges;

/// Sends webhooks and callbacks. Clones share one.
///
/// By default targets are `https` URLs of public addresses; 10 seconds from the name's look-up to the answer's last byte;
/// answers of at most 64 KiB.
#[derive(Clone)]
pub struct Outbound(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    tls: Arc<rustls::ClientConfig>,
    allowed: Ranges,
    plain: bool,
    within: Duration,
    most: usize,
}

/// Why nothing was sent, or nothing that was to be expected came back. Its texts are for the log: they hold nothing of what
/// was sent, and nothing of the body that came back.
#[derive(Debug)]
pub enum SendError {
    /// The target may not be called: it is no `https` URL, or one of its addresses is not public.
    Target(&'static str),
    /// It took too long.
    Late,
    /// The connection, or what came over it.
    Failed(String),
    /// The message could not be written.
    Message(Internal),
    /// The answer is none of those that the document declares.
    Answer(Box<Unexpected>),
}

/// An answer that the document does not declare: all of it, and what is wrong with it.
pub struct Unexpected {
    /// What came back.
    pub received: Received,
    /// Why it is none of the declared answers.
    pub misfit: Misfit,
}

impl fmt::Debug for Unexpected {
    /// Without the body: errors are logged.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unexpected")
            .field("status", &self.received.status)
            .field("misfit", &self.misfit)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SendError::Target(why) => write!(f, "the target may not be called: {why}"),
            SendError::Late => f.write_str("the target takes too long"),
            SendError::Failed(why) => write!(f, "the target cannot be reached: {why}"),
            SendError::Message(_) => f.write_str("the message cannot be written"),
            SendError::Answer(unexpected) => {
                write!(f, "the target answers {}: {}", unexpected.received.status.as_u16(), unexpected.misfit)
            }
        }
    }
}

impl std::error::Error for SendError {}

impl From<SendError> for Internal {
    fn from(error: SendError) -> Internal {
        match error {
            SendError::Message(cause) => cause,
            other => Internal::new(other),
        }
    }
}

impl Outbound {
    /// A client that trusts the machine's certificate authorities.
    ///
    /// # Errors
    /// There are none.
    pub fn new() -> Result<Outbound, Internal> {
        Outbound::trusting(None)
    }

    /// A client that trusts these authorities (PEM) in place of the machine's.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn with_authorities(pem: &[u8]) -> Result<Outbound, Internal> {
        Outbound::trusting(Some(pem))
    }

    fn trusting(pem: Option<&[u8]>) -> Result<Outbound, Internal> {
        let tls = rustls::ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(Internal::new)?
            .with_root_certificates(roots(pem).map_err(Internal::new)?)
            .with_no_client_auth();
        let (allowed, within) = (Ranges::new(&[]), Duration::from_secs(10));
        Ok(Outbound(Arc::new(Inner { tls: Arc::new(tls), allowed, plain: false, within, most: 64 * 1024 })))
    }

    fn change(mut self, change: impl FnOnce(&mut Inner)) -> Outbound {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// Takes targets in this network too, although it is not public: `10.20.0.0/16`.
    ///
    /// # Errors
    /// It is no network.
    pub fn allow_network(self, network: &str) -> Result<Outbound, Internal> {
        let network: ipnet::IpNet = network.parse().map_err(Internal::new)?;
        let one = Ranges::new(&[network]);
        Ok(self.change(|inner| inner.allowed = Ranges::union([&inner.allowed, &one].into_iter())))
    }

    /// Takes plain `http` too, to the networks that were allowed, and nowhere else.
    #[must_use]
    pub fn allow_plain_http(self) -> Outbound {
        self.change(|inner| inner.plain = true)
    }

    /// How long sending may take, answer included.
    #[must_use]
    pub fn within(self, time: Duration) -> Outbound {
        self.change(|inner| inner.within = time)
    }

    /// The largest answer, in bytes.
    #[must_use]
    pub fn answers_up_to(self, bytes: usize) -> Outbound {
        self.change(|inner| inner.most = bytes)
    }

    /// Sends a message to a URL that somebody else may have named. What comes back is one of the answers that the document
    /// declares, its body checked as that of a request is; fields that a schema does not know are let pass.
    ///
    /// # Errors
    /// The target may not be called, cannot be reached, or takes too long; the message cannot be written; or the answer is
    /// not declared, which [`SendError::Answer`] keeps.
    pub async fn send<M: Outgoing>(&self, url: &str, message: &M) -> Result<Received<M::Answer>, SendError> {
        self.send_with(url, message, HeaderMap::new()).await
    }

    /// As [`send`](Self::send), with header fields that the document does not declare: a signature, for one.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn send_with<M: Outgoing>(
        &self,
        url: &str,
        message: &M,
        headers: HeaderMap,
    ) -> Result<Received<M::Answer>, SendError> {
        let mut out = Message::default();
        message.write(&mut out).map_err(SendError::Message)?;
        if !M::Answer::ACCEPT.is_empty()
            && let Ok(accept) = HeaderValue::from_str(&M::Answer::ACCEPT.join(", "))
        {
            out.headers.insert(ACCEPT, accept);
        }
        out.headers.extend(headers);
        let method = Method::from_bytes(M::METHOD.as_bytes()).map_err(|_| SendError::Target("the method is none"))?;
        let sent = self.0.deliver(url, method, out);
        let received = tokio::time::timeout(self.0.within, sent).await.unwrap_or(Err(SendError::Late))?;
        match M::Answer::read(&received) {
            Ok(body) => Ok(Received { status: received.status, headers: received.headers, body }),
            Err(misfit) => Err(SendError::Answer(Box::new(Unexpected { received, misfit }))),
        }
    }
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound").field("within", &self.0.within).field("most", &self.0.most).finish_non_exhaustive()
    }
}

/// A target whose form is right; its addresses are not known yet.
struct Target {
    uri: Uri,
    host: String,
    port: u16,
    tls: bool,
}

impl Inner {
    async fn deliver(&self, url: &str, method: Method, message: Message) -> Result<Received, SendError> {
        let target = self.target(url)?;
        let addresses = self.resolve(&target).await?;
        let request = request(&target, method, message)?;
        let stream = connect(&addresses).await?;
        if !target.tls {
            return self.exchange(stream, request).await;
        }
        let name = ServerName::try_from(target.host.clone()).map_err(|_| SendError::Target("its host is no name"))?;
        let stream = TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream).await;
        self.exchange(stream.map_err(|e| SendError::Failed(e.to_string()))?, request).await
    }

    fn target(&self, url: &str) -> Result<Target, SendError> {
        let uri: Uri = url.parse().map_err(|_| SendError::Target("it is no URL"))?;
        let authority = uri.authority().ok_or(SendError::Target("it is no absolute URL"))?;
        if authority.as_str().contains('@') {
            return Err(SendError::Target("it holds credentials"));
        }
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if self.plain => false,
            _ => return Err(SendError::Target("it is not `https`")),
        };
        let host = authority.host();
        let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        // Some resolvers read `0x7f.1`, `017700000001` and `2130706433` as addresses; what is one must look like one.
        let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
        let numeric = last.bytes().all(|b| b.is_ascii_digit()) || last.to_ascii_lowercase().starts_with("0x");
        if host.is_empty() || (numeric && host.parse::<IpAddr>().is_err()) {
            return Err(SendError::Target("its host is no name"));
        }
        let port = match (authority.port(), tls) {
            (Some(port), _) => port.as_u16(),
            (None, true) => 443,
            (None, false) => 80,
        };
        let host = host.to_owned();
        Ok(Target { uri, host, port, tls })
    }

    /// Every address of the target, each allowed.
    async fn resolve(&self, target: &Target) -> Result<Vec<SocketAddr>, SendError> {
        let found = match target.host.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, target.port)],
            Err(_) => {
                let found = tokio::net::lookup_host((target.host.as_str(), target.port)).await;
                found.map_err(|_| SendError::Failed("its name is not known".to_owned()))?.collect()
            }
        };
        // One bad address among good ones is how a name is made to mean something else at the second look.
        if !found.iter().all(|address| self.admits(address.ip(), target.tls)) {
            return Err(SendError::Target("one of its addresses is not public"));
        }
        if found.is_empty() {
            return Err(SendError::Failed("its name has no address".to_owned()));
        }
        Ok(found)
    }

    fn admits(&self, address: IpAddr, tls: bool) -> bool {
        self.allowed.contains(address) || (tls && is_public(address))
    }

    async fn exchange<S>(&self, stream: S, request: Request<Full<Bytes>>) -> Result<Received, SendError>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let failed = |error: hyper::Error| SendError::Failed(error.to_string());
        let mut builder = http1::Builder::new();
        builder.max_headers(64).max_buf_size(64 * 1024);
        let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(failed)?;
        let work = async {
            let (parts, body) = sender.send_request(request).await.map_err(failed)?.into_parts();
            let body = Limited::new(body, self.most).collect().await;
            let body = body.map_err(|_| SendError::Failed("its answer is too large, or breaks off".to_owned()))?;
            Ok(Received { status: parts.status, headers: parts.headers, body: body.to_bytes() })
        };
        // The connection lives as long as the exchange, and no longer: no task is left behind.
        let mut work = std::pin::pin!(work);
        tokio::select! {
            answer = &mut work => answer,
            ended = connection => match ended {
                // What was read before the end may be a whole answer.
                Ok(()) => work.await,
                Err(error) => Err(failed(error)),
            },
        }
    }
}

fn request(target: &Target, method: Method, message: Message) -> Result<Request<Full<Bytes>>, SendError> {
    let Message { mut headers, query, mut cookies, body } = message;
    if !cookies.is_empty() {
        // With those of the caller, in one field (RFC 6265, 5.4).
        for theirs in headers.get_all(COOKIE) {
            cookies.push_str("; ");
            cookies.push_str(theirs.to_str().map_err(|e| SendError::Message(Internal::new(e)))?);
        }
        let all = HeaderValue::try_from(cookies).map_err(|e| SendError::Message(Internal::new(e)))?;
        headers.insert(COOKIE, all);
    }
    let mut path = target.uri.path().to_owned();
    let own = target.uri.query().unwrap_or_default();
    for (i, part) in [own, query.as_str()].into_iter().filter(|part| !part.is_empty()).enumerate() {
        path.push(if i == 0 { '?' } else { '&' });
        path.push_str(part);
    }
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = method;
    *request.uri_mut() = path.parse().map_err(|_| SendError::Target("it is no URL"))?;
    *request.headers_mut() = headers;
    let host = target.uri.authority().map_or(target.host.as_str(), |authority| authority.as_str());
    let host = HeaderValue::from_str(host).map_err(|_| SendError::Target("its host is no name"))?;
    request.headers_mut().insert(HOST, host);
    request.headers_mut().entry(USER_AGENT).or_insert(HeaderValue::from_static("gatewright"));
    Ok(request)
}

/// The first of the addresses that answers.
async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, SendError> {
    let mut last = String::new();
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error.to_string(),
        }
    }
    Err(SendError::Failed(last))
}

#[cfg(test)]
#[path = "send_tests.rs"]
mod tests;
