//! Who a caller is: the proof that a credential was verified. Only the guards make one.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use gatewright_policy::bits::Grants;
use serde_json::{Map, Value};

use super::webauthn::Mark;

/// One verified credential.
pub(crate) struct Credential {
    /// The scheme's name in the document.
    pub(crate) scheme: &'static str,
    pub(crate) subject: Option<Box<str>>,
    pub(crate) client: Option<Box<str>>,
    /// The id of an API key.
    pub(crate) key: Option<Box<str>>,
    /// Index and name.
    pub(crate) level: Option<(u16, &'static str)>,
    pub(crate) scopes: Box<[Box<str>]>,
    pub(crate) roles: Box<[Box<str>]>,
    pub(crate) claims: Map<String, Value>,
    /// Seconds since 1970.
    pub(crate) expires: Option<i64>,
    /// The thumbprint of the key that it is bound to: whoever used it proved to hold it.
    pub(crate) bound_to: Option<[u8; 32]>,
    pub(crate) grants: Grants,
    /// Its own mark, where passkeys are shown with it.
    pub(crate) mark: Option<Mark>,
}

/// A caller whose credentials are good: the union of what he presented.
///
/// Where two credentials disagree, the first in the order of the spec says who the subject is, and a claim that they
/// disagree on is treated as absent.
pub struct Identity {
    credentials: Box<[Arc<Credential>]>,
    grants: Grants,
}

impl Identity {
    /// The only way to an identity: the guards have verified each of these.
    pub(crate) fn assertion(credentials: Vec<Arc<Credential>>) -> Arc<Identity> {
        let room = credentials.iter().map(|c| c.grants.words().len()).max().unwrap_or(0);
        let mut grants = Grants::with_room(room * 64);
        for credential in &credentials {
            grants.grant_all(credential.grants.words());
        }
        Arc::new(Identity { credentials: credentials.into(), grants })
    }

    /// One identity of several that one request proved.
    pub(crate) fn union(identities: &[Arc<Identity>]) -> Arc<Identity> {
        Identity::assertion(identities.iter().flat_map(|i| i.credentials.iter().cloned()).collect())
    }

    /// What was verified, in the order of the spec.
    pub(crate) fn credentials(&self) -> impl Iterator<Item = &Credential> {
        self.credentials.iter().map(|credential| &**credential)
    }

    fn first<'a, T>(&'a self, of: impl Fn(&'a Credential) -> Option<T>) -> Option<T> {
        self.credentials.iter().find_map(|c| of(c))
    }

    /// The subject: `sub` of a token, the owner of an API key, or what the application said.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.first(|c| c.subject.as_deref())
    }

    /// The OAuth client.
    #[must_use]
    pub fn client(&self) -> Option<&str> {
        self.first(|c| c.client.as_deref())
    }

    /// The id of the API key: public, fit for logs.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.first(|c| c.key.as_deref())
    }

    /// The API key's level.
    #[must_use]
    pub fn level(&self) -> Option<&str> {
        self.first(|c| c.level).map(|(_, name)| name)
    }

    pub(crate) fn level_index(&self) -> Option<u16> {
        self.first(|c| c.level).map(|(index, _)| index)
    }

    /// Whether a credential carries this scope itself; scopes that a role or level brings are not named here.
    #[must_use]
    pub fn has_scope(&self, name: &str) -> bool {
        self.credentials.iter().any(|c| c.scopes.iter().any(|s| **s == *name))
    }

    /// Whether a credential carries this role itself; inherited ones are not named here.
    #[must_use]
    pub fn has_role(&self, name: &str) -> bool {
        self.credentials.iter().any(|c| c.roles.iter().any(|r| **r == *name))
    }

    /// The claim at a path: one part per level.
    #[must_use]
    pub fn claim(&self, path: &[&str]) -> Option<&Value> {
        let mut found = None;
        for credential in &self.credentials {
            match (found, at(&credential.claims, path)) {
                (Some(before), Some(now)) if before != now => return None,
                (None, Some(now)) => found = Some(now),
                _ => {}
            }
        }
        found
    }

    /// All claims of the first credential that has any.
    #[must_use]
    pub fn claims(&self) -> Option<&Map<String, Value>> {
        self.first(|c| (!c.claims.is_empty()).then_some(&c.claims))
    }

    /// The names of the schemes whose credentials are good.
    pub fn schemes(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.credentials.iter().map(|c| c.scheme)
    }

    /// When the first of the credentials expires, in seconds since 1970.
    #[must_use]
    pub fn expires(&self) -> Option<i64> {
        self.credentials.iter().filter_map(|c| c.expires).min()
    }

    /// Thumbprints of the keys that the caller proved to hold.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &[u8; 32]> {
        self.credentials.iter().filter_map(|c| c.bound_to.as_ref())
    }

    pub(crate) fn grants(&self) -> &[u64] {
        self.grants.words()
    }

    /// An identity for the unit test of a handler: no credential was verified.
    #[cfg(any(test, feature = "testing"))]
    #[doc(hidden)]
    #[must_use]
    pub fn for_test(subject: &str, claims: Map<String, Value>) -> Arc<Identity> {
        Identity::assertion(vec![Arc::new(Credential {
            scheme: "test",
            subject: Some(subject.into()),
            client: None,
            key: None,
            level: None,
            scopes: Box::default(),
            roles: Box::default(),
            claims,
            expires: None,
            bound_to: None,
            grants: Grants::default(),
            mark: None,
        })])
    }
}

pub(crate) fn at<'v>(claims: &'v Map<String, Value>, path: &[&str]) -> Option<&'v Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(claims.get(*first)?, |value, part| value.as_object()?.get(*part))
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Claims may be personal: they are not shown.
        f.debug_struct("Identity").field("subject", &self.subject()).finish_non_exhaustive()
    }
}

/// The proof that the guards of operation `O` admitted this caller.
pub struct Caller<O> {
    identity: Arc<Identity>,
    operation: PhantomData<fn() -> O>,
}

impl<O> Caller<O> {
    /// The only way to one: the context of an admitted request makes it.
    #[allow(dead_code)]
    pub(crate) fn assertion(identity: Arc<Identity>) -> Caller<O> {
        Caller { identity, operation: PhantomData }
    }

    /// A caller for the unit test of a handler: no guard admitted it.
    #[cfg(any(test, feature = "testing"))]
    #[doc(hidden)]
    #[must_use]
    pub fn for_test(identity: Arc<Identity>) -> Caller<O> {
        Caller { identity, operation: PhantomData }
    }

    /// Who it is.
    #[must_use]
    pub fn identity(&self) -> &Arc<Identity> {
        &self.identity
    }
}

impl<O> Clone for Caller<O> {
    fn clone(&self) -> Caller<O> {
        Caller { identity: self.identity.clone(), operation: PhantomData }
    }
}

impl<O> Deref for Caller<O> {
    type Target = Identity;

    fn deref(&self) -> &Identity {
        &self.identity
    }
}

impl<O> fmt::Debug for Caller<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Caller").field(&self.identity).finish()
    }
}
