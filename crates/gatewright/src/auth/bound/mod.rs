//! Tokens that only their owner can use: bound to a key by DPoP (RFC 9449), or to a client certificate (RFC 8705). A token
//! that says that it is bound is good for nobody who does not prove it, whatever the scheme asks for; what was remembered
//! of a token is not proof, so every request is judged anew.

mod nonce;
mod proof;
mod replay;

pub(crate) use nonce::Nonces;
pub(crate) use replay::Replays;

use std::sync::Arc;

use gatewright_policy::table::{Bound, SharedStore};
use http::HeaderValue;
use serde_json::{Map, Value};
use subtle::ConstantTimeEq;

use super::jwt::base64;
use super::scheme::Asked;

/// The algorithms that proofs may be signed with, as a challenge lists them.
pub(crate) const ALGORITHMS: &str = "ES256 ES384 EdDSA PS256 RS256";

/// What a token is bound to (`cnf`; RFC 7800).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Confirmation {
    /// The thumbprint of a key (RFC 9449, 6.1).
    jkt: Option<[u8; 32]>,
    /// The thumbprint of a certificate (RFC 8705, 3.1).
    x5t: Option<[u8; 32]>,
}

impl Confirmation {
    /// The thumbprint of the key.
    pub(crate) fn key(&self) -> Option<[u8; 32]> {
        self.jkt
    }

    /// Reads it from claims. A kind that we cannot check is an error: the token is not for whoever happens to hold it.
    pub(crate) fn read(claims: &Map<String, Value>) -> Result<Confirmation, &'static str> {
        let mut found = Confirmation::default();
        let Some(cnf) = claims.get("cnf") else { return Ok(found) };
        for (name, value) in cnf.as_object().filter(|cnf| !cnf.is_empty()).ok_or("`cnf` is no object, or empty")? {
            let thumbprint = value.as_str().and_then(base64::url).and_then(|b| <[u8; 32]>::try_from(b).ok());
            let thumbprint = thumbprint.ok_or("`cnf` has no SHA-256 thumbprint");
            match name.as_str() {
                "jkt" => found.jkt = Some(thumbprint?),
                "x5t#S256" => found.x5t = Some(thumbprint?),
                _ => return Err("the token is bound in a way that is not understood"),
            }
        }
        Ok(found)
    }
}

/// Why a bound token is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unbound {
    /// The token is not for this caller, or not to be used so (`invalid_token`).
    Token(&'static str),
    /// The proof is not good (`invalid_dpop_proof`).
    Proof(&'static str),
    /// The proof must hold this nonce (`use_dpop_nonce`).
    Nonce(HeaderValue),
    /// Whether it is a replay cannot be told just now.
    Unknown,
}

/// What a request must still show before it may use its token.
#[must_use]
pub(crate) enum Needs {
    /// Nothing more.
    Nothing,
    /// That it holds the key of this thumbprint.
    Proof([u8; 32]),
}

/// How a scheme takes bound tokens.
pub(crate) struct Binding {
    pub(crate) rule: Option<Bound>,
    pub(crate) replays: Arc<Replays>,
    pub(crate) nonces: Arc<Nonces>,
    /// How its version uses a shared store.
    pub(crate) store: SharedStore,
}

impl Binding {
    pub(crate) fn takes_dpop(&self) -> bool {
        self.rule.is_some_and(|rule| rule.dpop)
    }

    /// Whether this request may use a token that is good, and what it must still show. `as_dpop` says that the token stood
    /// behind `DPoP`, not `Bearer`.
    pub(crate) fn judge(
        &self,
        confirmation: &Confirmation,
        as_dpop: bool,
        asked: &Asked<'_>,
    ) -> Result<Needs, Unbound> {
        let takes = |kind: fn(&Bound) -> bool| self.rule.as_ref().is_some_and(kind);
        let unbound = *confirmation == Confirmation::default();
        if unbound && takes(|rule| rule.require) {
            return Err(Unbound::Token("the token is not bound"));
        }
        if let Some(x5t) = confirmation.x5t {
            if !takes(|rule| rule.mtls) {
                return Err(Unbound::Token("the token is bound to a certificate, which the scheme does not take"));
            }
            let presented = asked.exchange.certificate().ok_or(Unbound::Token("no client certificate"))?;
            if !bool::from(presented.ct_eq(&x5t)) {
                return Err(Unbound::Token("another client certificate"));
            }
        }
        match confirmation.jkt {
            Some(_) if !takes(|rule| rule.dpop) => {
                Err(Unbound::Token("the token is bound to a key, which the scheme does not take"))
            }
            Some(_) if !as_dpop => Err(Unbound::Token("a token that is bound to a key, sent as a bearer token")),
            Some(jkt) => Ok(Needs::Proof(jkt)),
            None if as_dpop => Err(Unbound::Token("the token is not bound to a key")),
            None => Ok(Needs::Nothing),
        }
    }

    /// Whether the request proves to hold the key of this thumbprint.
    pub(crate) async fn proof(&self, token: &str, key: [u8; 32], asked: &Asked<'_>) -> Result<(), Unbound> {
        let nonces = self.rule.is_some_and(|rule| rule.nonce).then_some(&*self.nonces);
        proof::check(token, &key, asked, nonces, (&self.replays, self.store)).await
    }
}
