//! One security scheme of a running server: its verifier, its cache, and how what it verifies becomes grants.

use std::collections::BTreeMap;
use std::sync::Arc;

use gatewright_policy::bits::Grants;
use gatewright_policy::table::{ApiPolicy, Carrier, Scheme, Verify};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::api_key::ApiKeys;
use super::cache::TokenCache;
use super::jwt::{JwtVerifier, Rejected};
use super::{Credential, Identity, Presented, Unverified, Verified, Verifier};
use crate::Internal;
use crate::config::{Config, Resolver};

/// What became of a credential.
pub(crate) enum Checked {
    Good(Arc<Identity>),
    /// The reason is for the audit record.
    Bad(&'static str),
    Unavailable(Internal),
}

pub(crate) struct SchemeState {
    pub(crate) scheme: &'static Scheme,
    index: u16,
    api: &'static ApiPolicy,
    kind: Kind,
    cache: TokenCache,
}

enum Kind {
    Jwt(JwtVerifier),
    ApiKey(ApiKeys),
    Application(Verifier),
}

impl SchemeState {
    pub(crate) fn start(
        api: &'static ApiPolicy,
        index: u16,
        scheme: &'static Scheme,
        config: &Config,
        verifiers: &BTreeMap<&'static str, Verifier>,
        r: &mut Resolver,
    ) -> Option<SchemeState> {
        let mut cached = 0;
        let kind = match &scheme.verify {
            Verify::Jwt(jwt) => {
                cached = config.token_cache;
                Kind::Jwt(JwtVerifier::start(scheme, jwt, config, r)?)
            }
            Verify::ApiKey(key) => match &config.keys {
                Some((store, pepper)) => Kind::ApiKey(ApiKeys::new(key, store.clone(), pepper.clone())),
                None => {
                    r.problem(
                        scheme.at,
                        format_args!("the scheme `{}` needs a key store: `Config::api_keys`", scheme.name),
                    );
                    return None;
                }
            },
            Verify::Application => match verifiers.get(scheme.name) {
                Some(verifier) => Kind::Application(verifier.clone()),
                None => {
                    r.problem(scheme.at, format_args!("nobody verifies the scheme `{}`", scheme.name));
                    return None;
                }
            },
        };
        Some(SchemeState { scheme, index, api, kind, cache: TokenCache::new(cached) })
    }

    pub(crate) fn is_bearer(&self) -> bool {
        self.scheme.carrier == Carrier::Authorization("bearer")
    }

    /// Verifies what was presented for this scheme.
    pub(crate) async fn check(&self, credential: &str, now: i64, deadline: Instant) -> Checked {
        match &self.kind {
            Kind::Jwt(jwt) => {
                // First, so that nothing that was remembered outlives its keys.
                let Some(mut held) = jwt.keys(deadline).await else {
                    return Checked::Unavailable(Internal::new("the issuer's keys are not to be had"));
                };
                if let Some(identity) = self.cache.get(credential, now, held.generation) {
                    return Checked::Good(identity);
                }
                let mut verified = jwt.verify(credential, &held, now);
                if verified.as_ref().is_err_and(|why| *why == Rejected::UnknownKey)
                    && let Some(newer) = jwt.newer_keys(&held, deadline).await
                {
                    held = newer;
                    verified = jwt.verify(credential, &held, now);
                }
                match verified {
                    Err(rejected) => Checked::Bad(rejected.why()),
                    Ok(token) => {
                        let until = token.until;
                        let identity = self.identity(token.into());
                        self.cache.insert(credential, &identity, until, held.generation);
                        Checked::Good(identity)
                    }
                }
            }
            Kind::ApiKey(keys) => match keys.check(credential, now) {
                Err(cause) => Checked::Unavailable(cause),
                Ok(None) => Checked::Bad("no such API key"),
                Ok(Some(facts)) => Checked::Good(self.identity(facts)),
            },
            Kind::Application(verifier) => self.application(verifier, credential, deadline).await,
        }
    }

    async fn application(&self, verifier: &Verifier, credential: &str, deadline: Instant) -> Checked {
        let basic;
        let presented = match self.scheme.carrier {
            Carrier::Authorization("basic") => match super::application_basic(credential) {
                None => return Checked::Bad("malformed Basic credentials"),
                Some(pair) => {
                    basic = pair;
                    let (user, password) = basic.parts();
                    Presented::Basic { user, password }
                }
            },
            _ if credential.is_empty() => return Checked::Bad("an empty credential"),
            _ => Presented::Token(credential),
        };
        // The application's code may hang or panic: nobody comes in by either.
        match crate::gateway::shield(deadline, verifier.verify(presented)).await {
            Ok(Ok(verified)) => Checked::Good(self.identity(verified.into())),
            Ok(Err(Unverified::Bad)) => Checked::Bad("the application does not verify it"),
            Ok(Err(Unverified::Unavailable(cause))) => Checked::Unavailable(cause),
            Err(refused) => Checked::Unavailable(refused.into_cause()),
        }
    }

    /// What a verified credential grants in this API.
    fn identity(&self, facts: Facts) -> Arc<Identity> {
        let api = self.api;
        let mut grants = Grants::with_room(usize::from(api.bits));
        grants.grant(self.scheme.bit);
        for (name, bit) in self.scheme.scopes {
            if facts.scopes.iter().any(|s| **s == **name) {
                grants.grant(*bit);
            }
        }
        let mut grant_by_scheme = |list: &'static [(u16, &'static [u64])]| {
            for (_, words) in list.iter().filter(|(scheme, _)| *scheme == self.index) {
                grants.grant_all(words);
            }
        };
        for role in api.roles.iter().filter(|role| facts.roles.iter().any(|r| **r == *role.name)) {
            grant_by_scheme(role.grants);
        }
        let mut level = None;
        if let Some(name) = &facts.level {
            for (index, found) in api.levels.iter().enumerate().filter(|(_, l)| l.name == name) {
                grant_by_scheme(found.grants);
                level = u16::try_from(index).ok().map(|index| (index, found.name));
            }
        }
        Identity::assertion(vec![Arc::new(Credential {
            scheme: self.scheme.name,
            subject: facts.subject.map(String::into_boxed_str),
            client: facts.client.map(String::into_boxed_str),
            key: facts.key.map(String::into_boxed_str),
            level,
            scopes: facts.scopes.into_iter().map(String::into_boxed_str).collect(),
            roles: facts.roles.into_iter().map(String::into_boxed_str).collect(),
            claims: facts.claims,
            expires: facts.expires,
            grants,
        })])
    }
}

/// What a verified credential says, whatever its kind.
#[derive(Default)]
pub(crate) struct Facts {
    pub(crate) subject: Option<String>,
    pub(crate) client: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) level: Option<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) roles: Vec<String>,
    pub(crate) claims: Map<String, Value>,
    pub(crate) expires: Option<i64>,
}

impl From<Verified> for Facts {
    fn from(v: Verified) -> Facts {
        Facts {
            subject: v.subject,
            client: v.client,
            key: None,
            level: v.level,
            scopes: v.scopes,
            roles: v.roles,
            claims: v.claims,
            expires: v.expires,
        }
    }
}
