//! Signed tokens (RFC 7519), verified as RFC 8725 and RFC 9068 ask. The signature is `jsonwebtoken`'s to check; all that
//! stands before and after it is ours, because that crate is lenient there: it takes unknown `crit`, any `typ`, keys
//! meant for encryption, tokens without audience, and trusts the token's algorithm within a family.

pub(crate) mod base64;
mod claims;
mod discovery;
mod header;
pub(crate) mod json;
pub(crate) mod keys;
mod remote;
#[cfg(test)]
mod remote_tests;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use gatewright_policy::table::{self, Jwt, Scheme, Setting};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::bound::Confirmation;
use super::identity::at;
use super::scheme::Facts;
use crate::config::{Config, Resolver};
use crate::outbound;
use claims::Claims;
use discovery::Issuer;
use header::Header;
use keys::KeySet;
use remote::{Origin, RemoteKeys};

pub(crate) use header::named;
pub(crate) use remote::Held;

/// Longer tokens are refused before they are looked at.
pub(crate) const LONGEST: usize = 8 * 1024;

/// Verifies the tokens of one issuer.
pub(crate) struct JwtVerifier {
    keys: Source,
    issuer: String,
    audience: Vec<String>,
    max_lifetime: i64,
    leeway: i64,
    typed: bool,
    scopes_claim: &'static [&'static str],
    roles_claim: Option<&'static [&'static str]>,
}

enum Source {
    /// Read at start.
    Fixed(Arc<Held>),
    Remote(RemoteKeys),
}

/// Why a token is not taken. The text is for the audit record; callers all get the same answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Rejected {
    /// It names a key that is not among ours: the issuer may have a new one.
    UnknownKey,
    Bad(&'static str),
}

impl From<&'static str> for Rejected {
    fn from(why: &'static str) -> Rejected {
        Rejected::Bad(why)
    }
}

impl Rejected {
    pub(crate) fn why(&self) -> &'static str {
        match self {
            Rejected::UnknownKey => "no key of ours has this id and algorithm",
            Rejected::Bad(why) => why,
        }
    }
}

/// What a good token says.
pub(crate) struct Token {
    pub(crate) subject: Option<String>,
    pub(crate) client: Option<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) roles: Vec<String>,
    pub(crate) claims: Map<String, Value>,
    pub(crate) expires: i64,
    /// What it is bound to.
    pub(crate) confirmation: Confirmation,
    /// The last second in which it is good.
    pub(crate) until: i64,
}

impl JwtVerifier {
    /// Reads settings and keys; what is wrong goes to the resolver.
    pub(crate) fn start(scheme: &'static Scheme, jwt: &Jwt, config: &Config, r: &mut Resolver) -> Option<JwtVerifier> {
        let issuer = r.text(jwt.issuer);
        let audience: Vec<_> = jwt.audience.iter().map(|a| r.text(*a)).collect();
        if jwt.audience.is_empty() {
            r.problem(scheme.at, format_args!("the scheme `{}` names no audience", scheme.name));
        }
        let keys = source(scheme, jwt, issuer.as_deref(), config, r);
        let issuer = issuer?;
        if issuer.is_empty() || audience.iter().flatten().any(String::is_empty) {
            r.problem(scheme.at, format_args!("the scheme `{}` has an empty issuer or audience", scheme.name));
        }
        Some(JwtVerifier {
            keys: keys?,
            issuer,
            audience: audience.into_iter().collect::<Option<_>>()?,
            max_lifetime: i64::from(jwt.max_lifetime),
            leeway: i64::from(jwt.leeway),
            typed: jwt.typed,
            scopes_claim: jwt.scopes_claim,
            roles_claim: jwt.roles_claim,
        })
    }

    /// The keys to verify with now; nothing where there are none to be had, and so nobody to be let in.
    pub(crate) async fn keys(&self, deadline: Instant) -> Option<Arc<Held>> {
        match &self.keys {
            Source::Fixed(held) => Some(held.clone()),
            Source::Remote(remote) => remote.usable(deadline).await,
        }
    }

    /// The generation of the keys, where they are at hand and need not be fetched anew.
    pub(crate) fn generation_at_hand(&self) -> Option<u64> {
        match &self.keys {
            Source::Fixed(held) => Some(held.generation),
            Source::Remote(remote) => remote.generation_at_hand(),
        }
    }

    /// Newer keys than `seen`, if the issuer has some.
    pub(crate) async fn newer_keys(&self, seen: &Held, deadline: Instant) -> Option<Arc<Held>> {
        match &self.keys {
            Source::Fixed(_) => None,
            Source::Remote(remote) => remote.newer(seen, deadline).await,
        }
    }

    /// Whether a token is good now, under these keys.
    pub(crate) fn verify(&self, token: &str, held: &Held, now: i64) -> Result<Token, Rejected> {
        if token.len() > LONGEST {
            return Err("the token is too long".into());
        }
        let (signed, signature) = token.rsplit_once('.').ok_or("not three parts")?;
        let (header, payload) = signed.split_once('.').ok_or("not three parts")?;
        if payload.contains('.') {
            return Err("not three parts".into());
        }
        let header = Header::read(&base64::url(header).ok_or("the header is no base64url")?, self.typed)?;
        if base64::url(signature).is_none_or(|s| s.is_empty()) {
            return Err("the signature is no base64url".into());
        }
        held.keys.verify(&header, signed.as_bytes(), signature)?;
        // Only now is the payload worth reading.
        let payload = base64::url(payload).ok_or("the payload is no base64url")?;
        let Value::Object(map) = json::read(&payload).ok_or("the payload is no JSON")? else {
            return Err("the payload is no object".into());
        };
        let claims = Claims::read(&map, self.typed)?;
        if claims.issuer != self.issuer {
            return Err("another issuer".into());
        }
        if !claims.audience.iter().any(|theirs| self.audience.iter().any(|ours| ours == theirs)) {
            return Err("another audience".into());
        }
        claims.check_times(now, self.leeway, self.max_lifetime)?;
        let scopes = at(&map, self.scopes_claim).map_or_else(Vec::new, words);
        let roles = self.roles_claim.and_then(|path| at(&map, path)).map_or_else(Vec::new, words);
        Ok(Token {
            subject: claims.subject.map(str::to_owned),
            client: claims.client.map(str::to_owned),
            expires: claims.expires,
            confirmation: Confirmation::read(&map)?,
            until: claims.expires + self.leeway - 1,
            scopes,
            roles,
            claims: map,
        })
    }
}

/// Where the keys of a scheme come from: what the deployment puts in their place counts first.
fn source(
    scheme: &'static Scheme,
    jwt: &Jwt,
    issuer: Option<&str>,
    config: &Config,
    r: &mut Resolver,
) -> Option<Source> {
    let name = scheme.name;
    let origin = match (config.jwks_of(name), &jwt.keys) {
        (Some(json), _) => return fixed(scheme, jwt, json, r),
        (None, table::Keys::Inline(json)) => return fixed(scheme, jwt, json, r),
        (None, table::Keys::File(path)) => {
            let text = key_file(scheme, *path, r)?;
            return fixed(scheme, jwt, &text, r);
        }
        (None, table::Keys::Url(url)) => {
            let url = r.text(*url)?;
            outbound::checked(&url, config.dev).map(Origin::Url)
        }
        (None, table::Keys::Discovery) => Issuer::new(issuer?, &config.key_hosts, config.dev).map(Origin::Discovery),
    };
    match origin.and_then(|origin| Ok((origin, config.outbound()?))) {
        Ok((origin, fetch)) => {
            let clock = config.clock.clone();
            Some(Source::Remote(RemoteKeys::new(name, origin, jwt.algorithms, fetch, clock, config.key_outage)))
        }
        Err(why) => {
            r.problem(scheme.at, format_args!("the keys of the scheme `{name}`: {why}"));
            None
        }
    }
}

fn fixed(scheme: &Scheme, jwt: &Jwt, json: &str, r: &mut Resolver) -> Option<Source> {
    match KeySet::read(json, jwt.algorithms) {
        Ok(keys) => Some(Source::Fixed(Arc::new(Held::fixed(keys)))),
        Err(why) => {
            r.problem(scheme.at, format_args!("the keys of the scheme `{}`: {why}", scheme.name));
            None
        }
    }
}

fn key_file(scheme: &Scheme, setting: Setting<&'static str>, r: &mut Resolver) -> Option<String> {
    let path = r.text(setting)?;
    match read_small(Path::new(&path)) {
        Ok(text) => Some(text),
        Err(why) => {
            let at = match setting {
                Setting::Environment { at, .. } => at,
                Setting::Fixed(_) => scheme.at,
            };
            r.problem(at, format_args!("the key file `{path}` cannot be read: {why}"));
            None
        }
    }
}

/// SHA-256 (FIPS 180-4).
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    let mut out = [0; 32];
    // Its length is the algorithm's.
    out.copy_from_slice(digest.as_ref());
    out
}

fn read_small(path: &Path) -> Result<String, std::io::Error> {
    use std::io::Read;
    let mut text = String::new();
    let read = std::fs::File::open(path)?.take(keys::LARGEST_SET + 1).read_to_string(&mut text)?;
    if u64::try_from(read).unwrap_or(u64::MAX) > keys::LARGEST_SET {
        return Err(std::io::Error::other("it is larger than 1 MiB"));
    }
    Ok(text)
}

/// A space-separated string or an array of strings; any other type grants nothing.
pub(crate) fn words(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => text.split(' ').filter(|w| !w.is_empty()).map(str::to_owned).collect(),
        Value::Array(items) => {
            items.iter().map(|i| i.as_str().map(str::to_owned)).collect::<Option<_>>().unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

impl From<Token> for Facts {
    fn from(t: Token) -> Facts {
        Facts {
            subject: t.subject,
            client: t.client,
            scopes: t.scopes,
            roles: t.roles,
            claims: t.claims,
            expires: Some(t.expires),
            ..Facts::default()
        }
    }
}
