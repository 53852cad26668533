//! One DPoP proof (RFC 9449, 4.3): a small token, signed with the key that the access token is bound to, for this request
//! and no other.

use gatewright_policy::table::{Algorithm, SharedStore};
use http::Uri;
use http::header::HeaderName;
use serde_json::{Map, Value};
use subtle::ConstantTimeEq;

use super::super::jwt::{base64, json, keys::Key, named, sha256};
use super::replay::Use;
use super::{Nonces, Replays, Unbound};
use crate::auth::scheme::Asked;

const DPOP: HeaderName = HeaderName::from_static("dpop");

/// Longer proofs are refused before they are looked at.
const LONGEST: usize = 4 * 1024;

/// A proof's time may lie this far back, and this far ahead of ours, in seconds.
const PAST: i64 = 60;
const FUTURE: i64 = 5;

/// As in [`ALGORITHMS`](super::ALGORITHMS).
const PINNED: &[Algorithm] =
    &[Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA, Algorithm::PS256, Algorithm::RS256];

/// Whether a request proves that its sender has the key of this thumbprint, and uses the proof up.
pub(super) async fn check(
    token: &str,
    jkt: &[u8; 32],
    asked: &Asked<'_>,
    nonces: Option<&Nonces>,
    (replays, policy): (&Replays, SharedStore),
) -> Result<(), Unbound> {
    let now = asked.exchange.unix;
    let claims = signed(asked, jkt).map_err(Unbound::Proof)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("htm") != Some(asked.parts.method.as_str()) {
        return Err(Unbound::Proof("the proof is for another method"));
    }
    if !text("htu").is_some_and(|htu| is_ours(htu, asked)) {
        return Err(Unbound::Proof("the proof is for another URL"));
    }
    let issued = claims.get("iat").and_then(Value::as_i64).ok_or(Unbound::Proof("`iat` is missing"))?;
    // The range first, so that no sum overflows.
    if !(0..=i64::from(u32::MAX) * 4).contains(&issued) || issued < now - PAST || issued > now + FUTURE {
        return Err(Unbound::Proof("the proof is too old, or of the future"));
    }
    let ath = text("ath").and_then(base64::url).unwrap_or_default();
    if !bool::from(ath.ct_eq(&sha256(token.as_bytes()))) {
        return Err(Unbound::Proof("the proof is for another token"));
    }
    if let Some(nonces) = nonces
        && !text("nonce").is_some_and(|nonce| nonces.is_good(nonce, now))
    {
        return Err(Unbound::Nonce(nonces.current(now)));
    }
    let jti = text("jti").filter(|jti| (1..=256).contains(&jti.len())).ok_or(Unbound::Proof("`jti` is missing"))?;
    let mut used = jkt.to_vec();
    used.extend_from_slice(jti.as_bytes());
    let mut name = [0; 16];
    name.copy_from_slice(&sha256(&used)[..16]);
    // Last, so that only proofs that are good otherwise take room.
    match replays.uses(name, asked.exchange.started, policy).await {
        Use::First => Ok(()),
        Use::Again => Err(Unbound::Proof("the proof was used before")),
        Use::Unknown => Err(Unbound::Unknown),
    }
}

/// The claims of the one proof in the request, its signature verified with the key of this thumbprint.
fn signed(asked: &Asked<'_>, jkt: &[u8; 32]) -> Result<Map<String, Value>, &'static str> {
    let mut lines = asked.parts.headers.get_all(&DPOP).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return Err("no proof, or several") };
    let text = line.to_str().ok().filter(|t| t.len() <= LONGEST).ok_or("the proof is no text, or too long")?;
    let (signed, signature) = text.rsplit_once('.').ok_or("the proof is no token")?;
    let (header, payload) = signed.split_once('.').ok_or("the proof is no token")?;
    let read = |part: &str| match json::read(&base64::url(part)?)? {
        Value::Object(map) => Some(map),
        _ => None,
    };
    let header = read(header).ok_or("the proof's header is no JSON object")?;
    if ["crit", "b64", "zip", "enc"].iter().any(|name| header.contains_key(*name)) {
        return Err("the proof's header asks for an extension");
    }
    let text = |name: &str| header.get(name).and_then(Value::as_str);
    if !text("typ").is_some_and(|typ| typ.eq_ignore_ascii_case("dpop+jwt")) {
        return Err("`typ` is not `dpop+jwt`");
    }
    let algorithm = text("alg").and_then(named).filter(|a| PINNED.contains(a)).ok_or("`alg` is none of ours")?;
    let jwk = header.get("jwk").and_then(Value::as_object).ok_or("the proof has no key")?;
    if ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|name| jwk.contains_key(*name)) {
        return Err("the proof shows a private key");
    }
    // Before the signature: a stranger's key is cheap to refuse.
    if !bool::from(thumbprint(jwk).ok_or("the proof's key is of no kind that we know")?.ct_eq(jkt)) {
        return Err("the proof is signed with another key");
    }
    let key = Key::read(jwk, PINNED).ok_or("the proof's key cannot be used")?;
    if !key.verifies(algorithm, signed.as_bytes(), signature) {
        return Err("the proof's signature does not verify");
    }
    read(payload).ok_or("the proof's payload is no JSON object")
}

/// The SHA-256 thumbprint of a public key (RFC 7638, 3; RFC 8037, 2).
pub(super) fn thumbprint(jwk: &Map<String, Value>) -> Option<[u8; 32]> {
    let names: &[&str] = match jwk.get("kty")?.as_str()? {
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        "RSA" => &["e", "kty", "n"],
        _ => return None,
    };
    let mut text = String::from("{");
    for (i, name) in names.iter().enumerate() {
        let value = jwk.get(*name)?.as_str()?;
        // Base64url and names of curves need no escapes; anything else is no key.
        value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_').then_some(())?;
        if i > 0 {
            text.push(',');
        }
        text.push_str(&format!("\"{name}\":\"{value}\""));
    }
    text.push('}');
    Some(sha256(text.as_bytes()))
}

/// Whether a proof's `htu` is this request's URL, as its sender wrote it: behind a trusted proxy, the proxy's. Query and
/// fragment do not count.
fn is_ours(htu: &str, asked: &Asked<'_>) -> bool {
    let bare = htu.split(['?', '#']).next().unwrap_or_default();
    let Ok(theirs) = bare.parse::<Uri>() else { return false };
    let exchange = asked.exchange;
    let (scheme, standard) = if exchange.secure { ("https", 443) } else { ("http", 80) };
    let Some(authority) = theirs.authority().filter(|a| !a.as_str().contains('@')) else { return false };
    let path = |path: &'_ str| if path.is_empty() { "/".to_owned() } else { path.to_owned() };
    theirs.scheme_str() == Some(scheme)
        && exchange.host.as_deref().is_some_and(|host| host.eq_ignore_ascii_case(authority.host()))
        && authority.port_u16().unwrap_or(standard) == exchange.port(asked.parts).unwrap_or(standard)
        && path(theirs.path()) == path(asked.parts.uri.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thumbprints_are_those_of_the_standards() {
        // RFC 7638, 3.1; RFC 8037, A.3.
        let rsa = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;
        let ed = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        for (jwk, want) in
            [(rsa, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"), (ed, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")]
        {
            let Some(Value::Object(jwk)) = json::read(jwk.as_bytes()) else { panic!("{jwk}") };
            assert_eq!(base64::encode_url(&thumbprint(&jwk).unwrap()), want);
        }
        for bad in [r#"{"kty":"oct","k":"a"}"#, r#"{"kty":"OKP","crv":"Ed25519","x":"a\",\"y"}"#, "{}"] {
            let Some(Value::Object(jwk)) = json::read(bad.as_bytes()) else { panic!("{bad}") };
            assert_eq!(thumbprint(&jwk), None, "{bad}");
        }
    }
}
