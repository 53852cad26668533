//! Credentials that the application verifies itself. There is no default: a scheme that nobody verifies does not compile
//! in generated code, and does not start otherwise.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::{Map, Value};

/// Verifies the credentials of the scheme that `S` marks.
pub trait Verify<S>: Send + Sync + 'static {
    /// Says whom a credential belongs to. Compare secrets in constant time, and take as long for an unknown user as for
    /// a wrong password.
    fn verify(&self, presented: Presented<'_>) -> impl Future<Output = Result<Verified, Unverified>> + Send;
}

/// A credential as it was presented, its form checked.
#[derive(Clone, Copy)]
pub enum Presented<'a> {
    /// User and password (RFC 7617).
    Basic {
        /// The user.
        user: &'a str,
        /// The password.
        password: &'a str,
    },
    /// Whatever stands behind the scheme's name in `Authorization`, or in the header, query parameter or cookie.
    Token(&'a str),
    /// A client certificate (`mutualTLS`), which the handshake verified, or a trusted proxy: who it is, is for the
    /// application to say.
    Certificate {
        /// The SHA-256 of its DER form.
        sha256: &'a [u8; 32],
        /// Its DER form (RFC 5280), where it is known.
        der: Option<&'a [u8]>,
    },
}

impl fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Presented(..)")
    }
}

/// What the application found a credential to say.
#[derive(Clone, Debug, Default)]
pub struct Verified {
    pub(crate) subject: Option<String>,
    pub(crate) client: Option<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) roles: Vec<String>,
    pub(crate) level: Option<String>,
    pub(crate) claims: Map<String, Value>,
    pub(crate) expires: Option<i64>,
}

impl Verified {
    /// A good credential of this subject, with nothing else.
    #[must_use]
    pub fn subject(subject: impl Into<String>) -> Verified {
        Verified { subject: Some(subject.into()), ..Verified::default() }
    }

    /// With these scopes. One that the document does not declare grants nothing.
    #[must_use]
    pub fn scopes<T: Into<String>>(mut self, scopes: impl IntoIterator<Item = T>) -> Verified {
        self.scopes.extend(scopes.into_iter().map(Into::into));
        self
    }

    /// With these roles.
    #[must_use]
    pub fn roles<T: Into<String>>(mut self, roles: impl IntoIterator<Item = T>) -> Verified {
        self.roles.extend(roles.into_iter().map(Into::into));
        self
    }

    /// With this level.
    #[must_use]
    pub fn level(mut self, level: impl Into<String>) -> Verified {
        self.level = Some(level.into());
        self
    }

    /// Of this client.
    #[must_use]
    pub fn client(mut self, client: impl Into<String>) -> Verified {
        self.client = Some(client.into());
        self
    }

    /// With this claim.
    #[must_use]
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Verified {
        self.claims.insert(name.into(), value.into());
        self
    }
}

/// Why the application does not take a credential.
#[derive(Debug)]
pub enum Unverified {
    /// It is not good. All reasons look alike from outside: 401.
    Bad,
    /// What it would be looked up in is not to be had: 503.
    Unavailable(crate::Internal),
}

type Pending<'a> = Pin<Box<dyn Future<Output = Result<Verified, Unverified>> + Send + 'a>>;

/// The application's verification of one scheme, with its type forgotten.
#[derive(Clone)]
pub struct Verifier {
    pub(crate) scheme: &'static str,
    verify: Arc<dyn Erased>,
}

impl Verifier {
    /// How `app` verifies the scheme of this name, which `S` marks.
    #[must_use]
    pub fn new<S: 'static, A: Verify<S>>(scheme: &'static str, app: Arc<A>) -> Verifier {
        Verifier { scheme, verify: Arc::new(Of::<S, A> { app, scheme: PhantomData }) }
    }

    pub(crate) fn verify<'a>(&'a self, presented: Presented<'a>) -> Pending<'a> {
        self.verify.verify(presented)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}

trait Erased: Send + Sync {
    fn verify<'a>(&'a self, presented: Presented<'a>) -> Pending<'a>;
}

struct Of<S, A> {
    app: Arc<A>,
    scheme: PhantomData<fn() -> S>,
}

impl<S: 'static, A: Verify<S>> Erased for Of<S, A> {
    fn verify<'a>(&'a self, presented: Presented<'a>) -> Pending<'a> {
        // Inside, so that code before its first await is caught like the rest when it panics.
        Box::pin(async move { self.app.verify(presented).await })
    }
}
