//! Opaque tokens: what their issuer says of them (RFC 7662). Each question is bounded in time, so many may be asked at
//! once and no more, and an answer is remembered for as long as the spec says and never past the token's end. An issuer
//! that gives no good answer lets nobody in.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use foldhash::quality::RandomState;
use gatewright_policy::table::{Introspection, Scheme};
use http::{HeaderValue, Uri};
use quick_cache::UnitWeighter;
use quick_cache::sync::{Cache, DefaultLifecycle};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::Identity;
use super::bound::Confirmation;
use super::identity::at;
use super::jwt::{LONGEST, base64, json, sha256, words};
use super::scheme::{Asked, Facts};
use crate::Internal;
use crate::config::{Config, Resolver};
use crate::outbound::{self, Ask, Fetch, Form};

/// One question takes at most this long.
const PATIENCE: Duration = Duration::from_secs(3);

/// So many are asked at once; the others wait for their turn, within their deadline.
const AT_ONCE: usize = 64;

/// A larger answer is nobody's.
const LARGEST: usize = 64 << 10;

/// That a token is not good is remembered for at most this long, in seconds.
const REFUSED: u64 = 5;

const SECOND: u64 = 1_000_000_000;

/// What is remembered of a token.
#[derive(Clone)]
struct Remembered {
    /// Nothing for one that is not good.
    good: Option<(Arc<Identity>, Confirmation)>,
    /// Monotonic nanoseconds.
    until: u64,
    /// The token's own end, in seconds since 1970.
    expires: Option<i64>,
}

type Entries = Cache<[u8; 32], Remembered, UnitWeighter, RandomState>;

pub(crate) struct Introspector {
    uri: Uri,
    authorization: HeaderValue,
    fetch: Arc<dyn Fetch>,
    issuer: Option<String>,
    audience: Vec<String>,
    leeway: i64,
    scopes_claim: &'static [&'static str],
    roles_claim: Option<&'static [&'static str]>,
    keep: u64,
    entries: Option<Entries>,
    turns: Semaphore,
}

/// What a question came to.
pub(crate) enum Said {
    Good(Arc<Identity>, Confirmation),
    Bad(&'static str),
    Unavailable(Internal),
}

impl Introspector {
    pub(crate) fn start(
        scheme: &Scheme,
        asked: &Introspection,
        config: &Config,
        r: &mut Resolver,
    ) -> Option<Introspector> {
        let name = scheme.name;
        let url = r.text(asked.url);
        let issuer = asked.issuer.map(|issuer| r.text(issuer));
        let audience: Vec<_> = asked.audience.iter().map(|a| r.text(*a)).collect();
        if audience.is_empty() || audience.iter().flatten().any(String::is_empty) {
            r.problem(scheme.at, format_args!("the scheme `{name}` names no audience, or an empty one"));
        }
        let client = config.introspection_clients.get(name);
        if client.is_none() {
            let why = "needs to know who asks about tokens: `Config::introspection_client`";
            r.problem(scheme.at, format_args!("the scheme `{name}` {why}"));
        }
        let uri = match outbound::checked(&url?, config.dev).and_then(|uri| Ok((uri, config.outbound()?))) {
            Ok(uri) => Some(uri),
            Err(why) => {
                r.problem(scheme.at, format_args!("the introspection of the scheme `{name}`: {why}"));
                None
            }
        };
        let issuer = match issuer {
            Some(issuer) => Some(issuer?),
            None => None,
        };
        let ((uri, fetch), (id, secret)) = (uri?, client?);
        let most = config.token_cache;
        let entries = || {
            let weight = u64::try_from(most).unwrap_or(u64::MAX);
            Cache::with(most, weight, UnitWeighter, RandomState::default(), DefaultLifecycle::default())
        };
        Some(Introspector {
            uri,
            authorization: basic(id, secret)?,
            fetch,
            issuer,
            audience: audience.into_iter().collect::<Option<_>>()?,
            leeway: i64::from(asked.leeway),
            scopes_claim: asked.scopes_claim,
            roles_claim: asked.roles_claim,
            keep: u64::from(asked.cache) * SECOND,
            entries: (asked.cache > 0 && most > 0).then(entries),
            turns: Semaphore::new(AT_ONCE),
        })
    }

    /// What is known of a token. `identify` says what its facts grant.
    pub(crate) async fn check(
        &self,
        token: &str,
        asked: &Asked<'_>,
        identify: impl Fn(Facts) -> Arc<Identity>,
    ) -> Said {
        // A token is asked about only if it can be one (RFC 6750, 2.1).
        let sound = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
        if token.is_empty() || token.len() > LONGEST || !token.bytes().all(sound) {
            return Said::Bad("the token has not the form of one");
        }
        let (unix, now) = (asked.exchange.unix, asked.exchange.started);
        let name = sha256(token.as_bytes());
        if let Some(remembered) = self.entries.as_ref().and_then(|e| e.get(&name))
            && now < remembered.until
            && remembered.expires.is_none_or(|end| unix < end)
        {
            return match remembered.good {
                Some((identity, confirmation)) => Said::Good(identity, confirmation),
                None => Said::Bad("the issuer said lately that the token is not good"),
            };
        }
        let answer = match self.ask(token, asked).await {
            Ok(answer) => answer,
            Err(cause) => return Said::Unavailable(cause),
        };
        let judged = self.judge(&answer, unix);
        let (remembered, said) = match judged {
            Ok((facts, confirmation)) => {
                let expires = facts.expires;
                let identity = identify(facts);
                let good = Some((identity.clone(), confirmation));
                (Remembered { good, until: now.saturating_add(self.keep), expires }, Said::Good(identity, confirmation))
            }
            Err(why) => {
                let until = now.saturating_add(self.keep.min(REFUSED * SECOND));
                (Remembered { good: None, until, expires: None }, Said::Bad(why))
            }
        };
        if let Some(entries) = &self.entries {
            entries.insert(name, remembered);
        }
        said
    }

    /// The issuer's answer. An error is one that tells nothing: the issuer is down, or is not one.
    async fn ask(&self, token: &str, asked: &Asked<'_>) -> Result<Map<String, Value>, Internal> {
        let failed = |why: String| Internal::new(format!("a token could not be asked about: {why}"));
        let turn = tokio::time::timeout_at(asked.deadline, self.turns.acquire()).await;
        let Ok(Ok(_turn)) = turn else { return Err(failed("too many are asked at once".to_owned())) };
        let mut body = Zeroizing::new(String::from("token_type_hint=access_token&token="));
        encode(token, &mut body);
        let ask = Ask {
            uri: self.uri.clone(),
            most: LARGEST,
            within: PATIENCE,
            form: Some(Form {
                body: Bytes::copy_from_slice(body.as_bytes()),
                authorization: self.authorization.clone(),
            }),
        };
        let answer = match tokio::time::timeout_at(asked.deadline, self.fetch.fetch(ask)).await {
            Ok(answer) => answer.map_err(|why| failed(why.to_string()))?,
            Err(_) => return Err(failed("there is no time left".to_owned())),
        };
        match json::read(&answer.body) {
            Some(Value::Object(answer)) => Ok(answer),
            _ => Err(failed("the answer is no JSON object".to_owned())),
        }
    }

    /// By the rules of signed tokens, where the answer says the same things (RFC 7662, 2.2).
    fn judge(&self, answer: &Map<String, Value>, now: i64) -> Result<(Facts, Confirmation), &'static str> {
        if answer.get("active") != Some(&Value::Bool(true)) {
            return Err("the issuer says that the token is not good");
        }
        if let (Some(ours), Some(theirs)) = (&self.issuer, answer.get("iss"))
            && theirs.as_str() != Some(ours)
        {
            return Err("another issuer");
        }
        let is_ours = |a: &Value| a.as_str().is_some_and(|a| self.audience.iter().any(|ours| ours == a));
        let for_us = match answer.get("aud") {
            Some(Value::Array(several)) => several.iter().all(Value::is_string) && several.iter().any(is_ours),
            Some(one) => is_ours(one),
            None => false,
        };
        if !for_us {
            return Err("another audience");
        }
        let date = |name: &str| match answer.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_i64() {
                Some(date) if (0..=253_402_300_799).contains(&date) => Ok(Some(date)),
                _ => Err("a date is no date"),
            },
        };
        let expires = date("exp")?;
        if expires.is_some_and(|end| now >= end + self.leeway) {
            return Err("expired");
        }
        if date("nbf")?.is_some_and(|nbf| nbf > now + self.leeway) {
            return Err("not yet valid");
        }
        let text = |name: &str| match answer.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.clone())),
            Some(_) => Err("a registered claim is no string, or empty"),
        };
        let confirmation = Confirmation::read(answer)?;
        let list = |path: &[&str]| at(answer, path).map_or_else(Vec::new, words);
        let facts = Facts {
            subject: text("sub")?,
            client: text("client_id")?,
            scopes: list(self.scopes_claim),
            roles: self.roles_claim.map_or_else(Vec::new, list),
            claims: answer.clone(),
            expires,
            bound_to: confirmation.key(),
            ..Facts::default()
        };
        Ok((facts, confirmation))
    }
}

/// `Basic` credentials of a client (RFC 6749, 2.3.1): both halves are form-encoded first.
fn basic(id: &str, secret: &SecretString) -> Option<HeaderValue> {
    let mut pair = Zeroizing::new(String::new());
    encode(id, &mut pair);
    pair.push(':');
    encode(secret.expose_secret(), &mut pair);
    let text = Zeroizing::new(format!("Basic {}", base64::encode_standard(pair.as_bytes())));
    let mut value = HeaderValue::try_from(&**text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// `application/x-www-form-urlencoded`, with every byte escaped that might mean something.
fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i5_a_client_authenticates_as_rfc_6749_says() {
        let value = basic("app one", &SecretString::from("s:e%c/ä")).unwrap();
        assert!(value.is_sensitive());
        let text = value.to_str().unwrap().strip_prefix("Basic ").unwrap();
        assert_eq!(base64::standard(text).unwrap(), b"app%20one:s%3Ae%25c%2F%C3%A4");
    }
}
