//! What this server says to others.
//!
//! It asks an issuer for its keys, and what a token says: only hosts that the deployment names, over HTTPS, with every
//! answer bounded in size and time, and no redirect followed. And it sends the webhooks and callbacks that a document
//! declares ([`Outbound`]), whose targets somebody else names: those are judged first. What comes back is one of the answers
//! that the document declares, or an error that keeps it.

#[cfg(feature = "client")]
mod address;
mod answer;
#[cfg(feature = "oidc")]
mod https;
mod message;
#[cfg(any(feature = "oidc", feature = "client"))]
mod roots;
#[cfg(feature = "client")]
mod send;

#[cfg(feature = "oidc")]
pub(crate) use https::Https;
#[cfg(feature = "acme")]
pub(crate) use https::{Connector, causes, connector};
#[cfg(feature = "otel")]
pub(crate) use roots::roots;

pub use answer::{Answer, Misfit, Received};
pub use message::{Content, Message, Outgoing, Piece, target};
#[cfg(feature = "client")]
pub use send::{Outbound, SendError, Unexpected};

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Uri};

/// One question.
#[cfg_attr(not(feature = "oidc"), allow(dead_code, reason = "asked with the feature `oidc`"))]
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) uri: Uri,
    /// The largest answer that is read, in bytes.
    pub(crate) most: usize,
    /// How long it may take, from the name's look-up to the answer's last byte.
    pub(crate) within: Duration,
    /// A form to be posted; without one it is a GET.
    pub(crate) form: Option<Form>,
}

/// A form, and who posts it. Its body and credential are secrets.
#[cfg_attr(not(feature = "oidc"), allow(dead_code, reason = "asked with the feature `oidc`"))]
#[derive(Clone)]
pub(crate) struct Form {
    pub(crate) body: Bytes,
    /// Marked as sensitive.
    pub(crate) authorization: HeaderValue,
}

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Form(..)")
    }
}

/// A good answer: status 200, JSON by its media type.
#[derive(Clone, Debug)]
pub(crate) struct Fetched {
    pub(crate) body: Bytes,
    /// `max-age` of its `Cache-Control`, in seconds.
    pub(crate) max_age: Option<u64>,
}

/// Why there is none. For the log: it holds nothing of the answer, and no credential.
#[cfg_attr(not(feature = "oidc"), allow(dead_code, reason = "asked with the feature `oidc`"))]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failed {
    /// The other side answered with another status.
    Status(u16),
    /// Anything else.
    Other(String),
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failed::Status(status) => write!(f, "it answers {status}"),
            Failed::Other(why) => f.write_str(why),
        }
    }
}

pub(crate) type Pending<'a> = Pin<Box<dyn Future<Output = Result<Fetched, Failed>> + Send + 'a>>;

/// Asks. Tests have their own.
pub(crate) trait Fetch: Send + Sync {
    fn fetch(&self, ask: Ask) -> Pending<'_>;
}

/// A URL that may be asked: absolute, HTTPS, without credentials and fragment. `development` takes plain HTTP to this
/// machine itself.
pub(crate) fn checked(text: &str, development: bool) -> Result<Uri, String> {
    let uri: Uri = text.parse().map_err(|_| format!("`{text}` is no URL"))?;
    let Some(authority) = uri.authority() else { return Err(format!("`{text}` is no absolute URL")) };
    if authority.as_str().contains('@') {
        return Err("a URL that is asked may hold no credentials".to_owned());
    }
    if text.contains('#') || authority.host().is_empty() {
        return Err(format!("`{text}` has a fragment, or no host"));
    }
    match uri.scheme_str() {
        Some("https") => Ok(uri),
        Some("http") if development && is_this_machine(authority.host()) => Ok(uri),
        _ => Err(format!("`{text}` is not `https`")),
    }
}

fn is_this_machine(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_is_asked() {
        for (text, always, in_development) in [
            ("https://login.example.com/keys", true, true),
            ("https://login.example.com:8443/keys?a=b", true, true),
            ("https://[2001:db8::1]/keys", true, true),
            ("http://login.example.com/keys", false, false),
            ("http://127.0.0.1:1/keys", false, true),
            ("http://[::1]:1/keys", false, true),
            ("http://localhost/keys", false, true),
            ("http://localhost.example.com/keys", false, false),
            ("http://127.0.0.1.example.com/keys", false, false),
            ("https://user:secret@login.example.com/keys", false, false),
            ("https://login.example.com/keys#a", false, false),
            ("ftp://login.example.com/keys", false, false),
            ("file:///etc/passwd", false, false),
            ("/keys", false, false),
            ("login.example.com", false, false),
            ("", false, false),
        ] {
            assert_eq!(checked(text, false).is_ok(), always, "{text}");
            assert_eq!(checked(text, true).is_ok(), in_development, "{text}");
        }
    }
}
