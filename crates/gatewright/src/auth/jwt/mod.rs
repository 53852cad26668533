//! Signed tokens (RFC 7519), verified as RFC 8725 and RFC 9068 ask. The signature is `jsonwebtoken`'s to check; all that
//! stands before and after it is ours, because that crate is lenient there: it takes unknown `crit`, any `typ`, keys
//! meant for encryption, tokens without audience, and trusts the token's algorithm within a family.

pub(crate) mod base64;
mod claims;
mod header;
mod json;
mod keys;
#[cfg(test)]
mod tests;

use std::path::Path;

use gatewright_policy::table::{self, Jwt, Scheme, Setting};
use serde_json::{Map, Value};

use super::identity::at;
use super::scheme::Facts;
use crate::config::Resolver;
use claims::Claims;
use header::Header;
use keys::KeySet;

/// Longer tokens are refused before they are looked at.
const LONGEST: usize = 8 * 1024;

/// Verifies the tokens of one issuer.
pub(crate) struct JwtVerifier {
    keys: KeySet,
    issuer: String,
    audience: Vec<String>,
    max_lifetime: i64,
    leeway: i64,
    typed: bool,
    scopes_claim: &'static [&'static str],
    roles_claim: Option<&'static [&'static str]>,
}

/// What a good token says.
pub(crate) struct Token {
    pub(crate) subject: Option<String>,
    pub(crate) client: Option<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) roles: Vec<String>,
    pub(crate) claims: Map<String, Value>,
    pub(crate) expires: i64,
    /// The last second in which it is good.
    pub(crate) until: i64,
}

impl JwtVerifier {
    /// Reads settings and keys; what is wrong goes to the resolver.
    pub(crate) fn start(scheme: &Scheme, jwt: &Jwt, jwks: Option<&str>, r: &mut Resolver) -> Option<JwtVerifier> {
        let issuer = r.text(jwt.issuer);
        let audience: Vec<_> = jwt.audience.iter().map(|a| r.text(*a)).collect();
        if jwt.audience.is_empty() {
            r.problem(scheme.at, format_args!("the scheme `{}` names no audience", scheme.name));
        }
        let text = match jwks {
            Some(json) => Some(json.to_owned()),
            None => key_text(scheme, &jwt.keys, r),
        };
        let keys = text.and_then(|text| match KeySet::read(&text, jwt.algorithms) {
            Ok(keys) => Some(keys),
            Err(why) => {
                r.problem(scheme.at, format_args!("the keys of the scheme `{}`: {why}", scheme.name));
                None
            }
        });
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

    /// Whether a token is good now. The error says why for the audit record; callers all get the same answer.
    pub(crate) fn verify(&self, token: &str, now: i64) -> Result<Token, &'static str> {
        if token.len() > LONGEST {
            return Err("the token is too long");
        }
        let (signed, signature) = token.rsplit_once('.').ok_or("not three parts")?;
        let (header, payload) = signed.split_once('.').ok_or("not three parts")?;
        if payload.contains('.') {
            return Err("not three parts");
        }
        let header = Header::read(&base64::url(header).ok_or("the header is no base64url")?, self.typed)?;
        if base64::url(signature).is_none_or(|s| s.is_empty()) {
            return Err("the signature is no base64url");
        }
        self.keys.verify(&header, signed.as_bytes(), signature)?;
        // Only now is the payload worth reading.
        let payload = base64::url(payload).ok_or("the payload is no base64url")?;
        let Value::Object(map) = json::read(&payload).ok_or("the payload is no JSON")? else {
            return Err("the payload is no object");
        };
        let claims = Claims::read(&map, self.typed)?;
        if claims.issuer != self.issuer {
            return Err("another issuer");
        }
        if !claims.audience.iter().any(|theirs| self.audience.iter().any(|ours| ours == theirs)) {
            return Err("another audience");
        }
        claims.check_times(now, self.leeway, self.max_lifetime)?;
        let scopes = at(&map, self.scopes_claim).map_or_else(Vec::new, words);
        let roles = self.roles_claim.and_then(|path| at(&map, path)).map_or_else(Vec::new, words);
        Ok(Token {
            subject: claims.subject.map(str::to_owned),
            client: claims.client.map(str::to_owned),
            expires: claims.expires,
            until: claims.expires + self.leeway - 1,
            scopes,
            roles,
            claims: map,
        })
    }
}

fn key_text(scheme: &Scheme, keys: &table::Keys, r: &mut Resolver) -> Option<String> {
    match keys {
        table::Keys::Inline(json) => Some((*json).to_owned()),
        table::Keys::File(path) => {
            let path = r.text(*path)?;
            match read_small(Path::new(&path)) {
                Ok(text) => Some(text),
                Err(why) => {
                    let at = match keys {
                        table::Keys::File(Setting::Environment { at, .. }) => at,
                        _ => scheme.at,
                    };
                    r.problem(at, format_args!("the key file `{path}` cannot be read: {why}"));
                    None
                }
            }
        }
        table::Keys::Url(_) | table::Keys::Discovery => {
            r.problem(
                scheme.at,
                format_args!(
                    "keys by URL or discovery are not supported yet: give the scheme `{}` a file, or `Config::jwks`",
                    scheme.name
                ),
            );
            None
        }
    }
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
fn words(value: &Value) -> Vec<String> {
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
