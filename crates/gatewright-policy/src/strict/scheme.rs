//! Whether a scheme of one version verifies as much as its namesake of the other.

use super::same::{same, same_setting, same_texts, settings_within};
use crate::table::{Anomaly, ApiKey, Bound, Carrier, Introspection, Jwt, Keys, NewNetwork, Scheme, Verify};

/// Whether a credential that is good for the scheme `a` would be good for `b`, and comes by the same way.
pub(super) const fn verifies_as_much(a: &Scheme, b: &Scheme) -> bool {
    let carried = match (a.carrier, b.carrier) {
        (Carrier::Authorization(a), Carrier::Authorization(b))
        | (Carrier::Header(a), Carrier::Header(b))
        | (Carrier::Query(a), Carrier::Query(b))
        | (Carrier::Cookie(a), Carrier::Cookie(b)) => same(a, b),
        (Carrier::ClientCertificate, Carrier::ClientCertificate) => true,
        _ => false,
    };
    let verified = match (&a.verify, &b.verify) {
        (Verify::Jwt(a), Verify::Jwt(b)) => tokens(a, b),
        (Verify::Introspection(a), Verify::Introspection(b)) => introspection(a, b),
        // A replaced key lives on for the grace of the version that it is shown to.
        (Verify::ApiKey(a), Verify::ApiKey(b)) => {
            same(a.prefix, b.prefix) && a.grace <= b.grace && (held_to_networks(a) || !held_to_networks(b))
        }
        (Verify::Application, Verify::Application) => true,
        _ => false,
    };
    carried && verified
}

const fn held_to_networks(keys: &ApiKey) -> bool {
    matches!(keys.anomaly, Some(Anomaly { new_network: NewNetwork::Refuse, .. }))
}

const fn tokens(a: &Jwt, b: &Jwt) -> bool {
    let mut algorithms = a.algorithms;
    while let [algorithm, rest @ ..] = algorithms {
        let mut pinned = b.algorithms;
        let mut found = false;
        while let [other, more @ ..] = pinned {
            found = found || *algorithm as u8 == *other as u8;
            pinned = more;
        }
        if !found {
            return false;
        }
        algorithms = rest;
    }
    let keys = match (&a.keys, &b.keys) {
        (Keys::File(a), Keys::File(b)) | (Keys::Url(a), Keys::Url(b)) => same_setting(a, b),
        (Keys::Inline(a), Keys::Inline(b)) => same(a, b),
        (Keys::Discovery, Keys::Discovery) => true,
        _ => false,
    };
    // Opaque tokens are taken besides signed ones only where the other takes them too.
    let asked = match (&a.introspection, &b.introspection) {
        (None, _) => true,
        (Some(a), Some(b)) => introspection(a, b),
        (Some(_), None) => false,
    };
    keys && asked
        && bound(a.bound, b.bound)
        && roles(a.roles_claim, b.roles_claim)
        && same_setting(&a.issuer, &b.issuer)
        && settings_within(a.audience, b.audience)
        && a.max_lifetime <= b.max_lifetime
        && a.leeway <= b.leeway
        && (a.typed || !b.typed)
        && same_texts(a.scopes_claim, b.scopes_claim)
}

/// A credential that carries no roles has fewer.
const fn roles(a: Option<&'static [&'static str]>, b: Option<&'static [&'static str]>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => same_texts(a, b),
        (None, _) => true,
        (Some(_), None) => false,
    }
}

/// Whether each proof of possession that `b` asks for is one that `a` asks for. A token that is bound is never taken without
/// proof.
const fn bound(a: Option<Bound>, b: Option<Bound>) -> bool {
    let Some(b) = b else { return true };
    let Some(a) = a else { return !b.require };
    let nonce = !(a.dpop && b.nonce) || a.nonce;
    let required = !b.require || (a.require && (!a.dpop || b.dpop) && (!a.mtls || b.mtls));
    nonce && required
}

const fn introspection(a: &Introspection, b: &Introspection) -> bool {
    let issuer = match (&a.issuer, &b.issuer) {
        (Some(a), Some(b)) => same_setting(a, b),
        (_, None) => true,
        (None, Some(_)) => false,
    };
    issuer
        && same_setting(&a.url, &b.url)
        && settings_within(a.audience, b.audience)
        && a.cache <= b.cache
        && a.leeway <= b.leeway
        && same_texts(a.scopes_claim, b.scopes_claim)
        && roles(a.roles_claim, b.roles_claim)
        && bound(a.bound, b.bound)
}
