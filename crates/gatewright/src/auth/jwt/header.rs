//! The JOSE header, read strictly (RFC 7515, 4; RFC 8725, 3.11).

use gatewright_policy::table::Algorithm;
use serde_json::Value;

use super::json;

/// What of a header counts. Keys that it names (`jwk`, `jku`, `x5u`, `x5c`) never do.
pub(crate) struct Header {
    pub(crate) algorithm: Algorithm,
    pub(crate) kid: Option<String>,
}

/// A key id longer than this is none of ours.
const LONGEST_KID: usize = 256;

impl Header {
    pub(crate) fn read(text: &[u8], typed: bool) -> Result<Header, &'static str> {
        let Some(Value::Object(header)) = json::read(text) else { return Err("the header is no JSON object") };
        if ["crit", "b64", "zip", "enc"].iter().any(|name| header.contains_key(*name)) {
            return Err("the header asks for an extension");
        }
        let typ = match header.get("typ") {
            None => None,
            Some(Value::String(typ)) => Some(typ.to_ascii_lowercase()),
            Some(_) => return Err("`typ` is no string"),
        };
        match typ.as_deref().map(|t| t.strip_prefix("application/").unwrap_or(t)) {
            Some("at+jwt") => {}
            Some("jwt") | None if !typed => {}
            _ => return Err("`typ` is not that of an access token"),
        }
        let algorithm = header.get("alg").and_then(Value::as_str).and_then(named).ok_or("`alg` is none of ours")?;
        let kid = match header.get("kid") {
            None => None,
            Some(Value::String(kid)) if !kid.is_empty() && kid.len() <= LONGEST_KID => Some(kid.clone()),
            Some(_) => return Err("`kid` is no key id"),
        };
        Ok(Header { algorithm, kid })
    }
}

/// An algorithm by its registered name (RFC 7518, 3.1), which is case-sensitive.
pub(crate) fn named(name: &str) -> Option<Algorithm> {
    Some(match name {
        "ES256" => Algorithm::ES256,
        "ES384" => Algorithm::ES384,
        "EdDSA" => Algorithm::EdDSA,
        "RS256" => Algorithm::RS256,
        "RS384" => Algorithm::RS384,
        "RS512" => Algorithm::RS512,
        "PS256" => Algorithm::PS256,
        "PS384" => Algorithm::PS384,
        "PS512" => Algorithm::PS512,
        _ => return None,
    })
}
