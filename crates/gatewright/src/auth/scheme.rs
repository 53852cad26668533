//! One security scheme of a running server: its verifier, its cache, and how what it verifies becomes grants.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use gatewright_policy::bits::Grants;
use gatewright_policy::table::{ApiPolicy, Carrier, Scheme, Verify};
use http::HeaderValue;
use http::request::Parts;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::api_key::ApiKeys;
use super::bound::{Binding, Confirmation, Needs, Nonces, Replays, Unbound};
use super::cache::TokenCache;
use super::carrier;
use super::introspection::{Introspector, Said};
use super::jwt::{JwtVerifier, Rejected};
use super::webauthn;
use super::{Credential, Identity, Presented, Unverified, Verified, Verifier};
use crate::Internal;
use crate::config::{Config, Resolver};
use crate::gateway::Exchange;

/// The request that a credential came in.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'r> {
    pub(crate) parts: &'r Parts,
    pub(crate) exchange: &'r Exchange,
    pub(crate) deadline: Instant,
}

/// What became of a credential.
pub(crate) enum Checked {
    Good(Arc<Identity>),
    Bad(Bad),
    Unavailable(Internal),
}

/// The check of a credential.
pub(crate) enum Checking<'c> {
    Done(Checked),
    /// Somebody must be asked, or something computed.
    Later(Pin<Box<dyn Future<Output = Checked> + Send + 'c>>),
}

/// Why a credential is refused. The reasons are for the audit record.
#[derive(Debug)]
pub(crate) enum Bad {
    Credential(&'static str),
    /// The token may be good; the proof beside it is not (RFC 9449, 7.1).
    Proof(&'static str),
    /// The proof must hold this nonce (RFC 9449, 9).
    Nonce(HeaderValue),
}

impl Bad {
    pub(crate) fn why(&self) -> &'static str {
        match self {
            Bad::Credential(why) | Bad::Proof(why) => why,
            Bad::Nonce(_) => "the proof has no nonce, or an old one",
        }
    }
}

impl From<Unbound> for Checked {
    fn from(unbound: Unbound) -> Checked {
        match unbound {
            Unbound::Token(why) => Checked::Bad(Bad::Credential(why)),
            Unbound::Proof(why) => Checked::Bad(Bad::Proof(why)),
            Unbound::Nonce(nonce) => Checked::Bad(Bad::Nonce(nonce)),
            Unbound::Unknown => Checked::Unavailable(Internal::new(
                "more proofs are used than can be remembered, or the shared store is away",
            )),
        }
    }
}

/// How long a question about readiness may wait for an issuer.
const READY: Duration = Duration::from_secs(2);

pub(crate) struct SchemeState {
    pub(crate) scheme: &'static Scheme,
    index: u16,
    api: &'static ApiPolicy,
    kind: Kind,
}

enum Kind {
    Token(Box<Tokens>),
    ApiKey(ApiKeys),
    Application(Verifier),
}

/// Access tokens: signed, opaque, or both.
struct Tokens {
    signed: Option<JwtVerifier>,
    opaque: Option<Introspector>,
    /// Of signed ones.
    cache: TokenCache,
    binding: Binding,
}

impl Tokens {
    /// A token that is good, if its request proves to hold the key of this thumbprint.
    async fn proven(&self, identity: Arc<Identity>, token: &str, key: [u8; 32], asked: &Asked<'_>) -> Checked {
        match self.binding.proof(token, key, asked).await {
            Ok(()) => Checked::Good(identity),
            Err(unbound) => unbound.into(),
        }
    }

    /// A signed token that was verified before, with keys that are at hand: nothing to wait for.
    fn known(&self, credential: &str, now: i64) -> Option<(Arc<Identity>, Confirmation)> {
        let jwt = self.signed.as_ref().filter(|_| self.opaque.is_none() || is_signed(credential))?;
        self.cache.get(credential, now, jwt.generation_at_hand()?)
    }
}

/// A credential as it stands in its place.
#[derive(Clone, Copy)]
pub(crate) struct Shown<'h> {
    text: &'h str,
    /// Behind `DPoP`, not behind the scheme's own name.
    as_dpop: bool,
}

impl SchemeState {
    pub(crate) fn start(
        api: &'static ApiPolicy,
        index: u16,
        scheme: &'static Scheme,
        config: &Config,
        verifiers: &BTreeMap<&'static str, Verifier>,
        proofs: &(Arc<Replays>, Arc<Nonces>),
        r: &mut Resolver,
    ) -> Option<SchemeState> {
        let binding = |rule| Binding { rule, replays: proofs.0.clone(), nonces: proofs.1.clone(), store: api.store };
        let kind = match &scheme.verify {
            Verify::Jwt(jwt) => {
                let signed = JwtVerifier::start(scheme, jwt, config, r);
                let opaque = match &jwt.introspection {
                    Some(asked) => Some(Introspector::start(scheme, asked, config, r)?),
                    None => None,
                };
                Kind::Token(Box::new(Tokens {
                    signed: Some(signed?),
                    opaque,
                    cache: TokenCache::new(config.token_cache),
                    binding: binding(jwt.bound),
                }))
            }
            Verify::Introspection(asked) => Kind::Token(Box::new(Tokens {
                signed: None,
                opaque: Some(Introspector::start(scheme, asked, config, r)?),
                cache: TokenCache::new(0),
                binding: binding(asked.bound),
            })),
            Verify::ApiKey(key) => match &config.keys {
                Some(keys) => Kind::ApiKey(ApiKeys::new(key, keys.clone())),
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
        Some(SchemeState { scheme, index, api, kind })
    }

    pub(crate) fn is_bearer(&self) -> bool {
        self.scheme.carrier == Carrier::Authorization("bearer")
    }

    /// What it lacks to verify anything; nothing where it lacks nothing.
    pub(crate) async fn missing(&self) -> Option<&'static str> {
        match &self.kind {
            Kind::Token(tokens) => {
                let signed = tokens.signed.as_ref()?;
                let there = signed.keys(Instant::now() + READY).await.is_some();
                (!there).then_some("the issuer's keys are not to be had")
            }
            Kind::ApiKey(keys) => (!keys.there().await).then_some("the store of keys does not answer"),
            _ => None,
        }
    }

    /// This scheme's credential in what its place holds, if there is one.
    pub(crate) fn shown<'h>(&self, held: &'h str) -> Option<Shown<'h>> {
        if let Some(text) = carrier::credential(self.scheme.carrier, held) {
            return Some(Shown { text, as_dpop: false });
        }
        let Kind::Token(tokens) = &self.kind else { return None };
        let dpop = self.is_bearer() && tokens.binding.takes_dpop();
        let text = carrier::credential(Carrier::Authorization("dpop"), held).filter(|_| dpop)?;
        Some(Shown { text, as_dpop: true })
    }

    /// Verifies what was presented for this scheme. What may wait is on the heap: it is large, and most requests bring a
    /// token that was verified before.
    pub(crate) fn check<'c>(&'c self, shown: Shown<'c>, asked: &'c Asked<'c>) -> Checking<'c> {
        let (credential, now) = (shown.text, asked.exchange.unix);
        match &self.kind {
            Kind::Token(tokens) => match tokens.known(credential, now) {
                None => Checking::Later(Box::pin(self.new_token(tokens, shown, asked))),
                Some((identity, confirmation)) => match tokens.binding.judge(&confirmation, shown.as_dpop, asked) {
                    Ok(Needs::Nothing) => Checking::Done(Checked::Good(identity)),
                    Ok(Needs::Proof(key)) => Checking::Later(Box::pin(tokens.proven(identity, credential, key, asked))),
                    Err(unbound) => Checking::Done(unbound.into()),
                },
            },
            Kind::ApiKey(keys) => Checking::Later(Box::pin(self.api_key(keys, credential, asked))),
            Kind::Application(verifier) => Checking::Later(Box::pin(self.application(verifier, credential, asked))),
        }
    }

    async fn api_key(&self, keys: &ApiKeys, credential: &str, asked: &Asked<'_>) -> Checked {
        match keys.check(credential, asked.exchange.client(), asked.exchange.unix).await {
            Err(cause) => Checked::Unavailable(cause),
            Ok(Err(why)) => Checked::Bad(Bad::Credential(why)),
            Ok(Ok(facts)) => Checked::Good(self.identity(facts, credential)),
        }
    }

    /// A token that was not verified before.
    async fn new_token(&self, tokens: &Tokens, shown: Shown<'_>, asked: &Asked<'_>) -> Checked {
        let (identity, confirmation) = match self.token(tokens, shown.text, asked).await {
            Ok(good) => good,
            Err(not) => return not,
        };
        match tokens.binding.judge(&confirmation, shown.as_dpop, asked) {
            Ok(Needs::Nothing) => Checked::Good(identity),
            Ok(Needs::Proof(key)) => tokens.proven(identity, shown.text, key, asked).await,
            Err(unbound) => unbound.into(),
        }
    }

    /// A token that is good for somebody.
    async fn token(
        &self,
        tokens: &Tokens,
        credential: &str,
        asked: &Asked<'_>,
    ) -> Result<(Arc<Identity>, Confirmation), Checked> {
        match (&tokens.signed, &tokens.opaque) {
            // By its form alone: a signed token that is not good is not asked about.
            (Some(jwt), opaque) if opaque.is_none() || is_signed(credential) => {
                self.signed(jwt, &tokens.cache, credential, asked).await
            }
            (_, Some(opaque)) => {
                match opaque.check(credential, asked, |facts| self.identity(facts, credential)).await {
                    Said::Good(identity, confirmation) => Ok((identity, confirmation)),
                    Said::Bad(why) => Err(Checked::Bad(Bad::Credential(why))),
                    Said::Unavailable(cause) => Err(Checked::Unavailable(cause)),
                }
            }
            (_, None) => Err(Checked::Bad(Bad::Credential("nobody verifies this token"))),
        }
    }

    async fn signed(
        &self,
        jwt: &JwtVerifier,
        cache: &TokenCache,
        credential: &str,
        asked: &Asked<'_>,
    ) -> Result<(Arc<Identity>, Confirmation), Checked> {
        let (now, deadline) = (asked.exchange.unix, asked.deadline);
        // First, so that nothing that was remembered outlives its keys.
        let Some(mut held) = jwt.keys(deadline).await else {
            return Err(Checked::Unavailable(Internal::new("the issuer's keys are not to be had")));
        };
        if let Some(known) = cache.get(credential, now, held.generation) {
            return Ok(known);
        }
        let mut verified = jwt.verify(credential, &held, now);
        if verified.as_ref().is_err_and(|why| *why == Rejected::UnknownKey)
            && let Some(newer) = jwt.newer_keys(&held, deadline).await
        {
            held = newer;
            verified = jwt.verify(credential, &held, now);
        }
        let token = verified.map_err(|rejected| Checked::Bad(Bad::Credential(rejected.why())))?;
        let (until, confirmation) = (token.until, token.confirmation);
        let identity = self.identity(Facts { bound_to: confirmation.key(), ..token.into() }, credential);
        cache.insert(credential, &identity, confirmation, until, held.generation);
        Ok((identity, confirmation))
    }

    async fn application(&self, verifier: &Verifier, credential: &str, asked: &Asked<'_>) -> Checked {
        let basic;
        let presented = match self.scheme.carrier {
            Carrier::Authorization("basic") => match super::application_basic(credential) {
                None => return Checked::Bad(Bad::Credential("malformed Basic credentials")),
                Some(pair) => {
                    basic = pair;
                    let (user, password) = basic.parts();
                    Presented::Basic { user, password }
                }
            },
            Carrier::ClientCertificate => {
                let Some(sha256) = asked.exchange.certificate() else {
                    return Checked::Bad(Bad::Credential("no client certificate"));
                };
                Presented::Certificate { sha256, der: asked.exchange.certificate_der() }
            }
            _ if credential.is_empty() => return Checked::Bad(Bad::Credential("an empty credential")),
            _ => Presented::Token(credential),
        };
        // The application's code may hang or panic: nobody comes in by either.
        match crate::gateway::shield(asked.deadline, verifier.verify(presented)).await {
            Ok(Ok(verified)) => Checked::Good(self.identity(verified.into(), credential)),
            Ok(Err(Unverified::Bad)) => Checked::Bad(Bad::Credential("the application does not verify it")),
            Ok(Err(Unverified::Unavailable(cause))) => Checked::Unavailable(cause),
            Err(refused) => Checked::Unavailable(refused.into_cause()),
        }
    }

    /// What a verified credential grants in this API.
    fn identity(&self, facts: Facts, presented: &str) -> Arc<Identity> {
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
            bound_to: facts.bound_to,
            grants,
            mark: api.passkeys.is_some().then(|| webauthn::mark(self.scheme.name, presented)),
        })])
    }
}

/// Whether a token has the form of a signed one: three parts, the first of which opens a JSON object.
fn is_signed(token: &str) -> bool {
    token.starts_with("eyJ") && token.bytes().filter(|b| *b == b'.').count() == 2
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
    /// The thumbprint of a key that each use must prove.
    pub(crate) bound_to: Option<[u8; 32]>,
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
            bound_to: None,
        }
    }
}
