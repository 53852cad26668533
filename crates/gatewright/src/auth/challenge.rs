//! `WWW-Authenticate` (RFC 9110, 11.6.1; RFC 6750, 3; RFC 9449, 7.1): one challenge per scheme that could let the caller in. Written at
//! start, but for the scopes of a 403.

use gatewright_policy::table::{Access, ApiPolicy, Carrier, Policy, Scheme, StepUp, StepUpMethod, Verify};
use http::HeaderValue;

use super::bound::ALGORITHMS;

/// The challenges of one operation.
#[derive(Default)]
pub(crate) struct Challenges {
    /// Nothing was presented: no error is named.
    pub(crate) missing: Vec<HeaderValue>,
    /// What was presented is not good.
    pub(crate) invalid: Vec<HeaderValue>,
    /// The proof beside a token is not good.
    pub(crate) proof: Vec<HeaderValue>,
    /// The proof must hold the nonce that stands beside.
    pub(crate) nonce: Vec<HeaderValue>,
    /// The caller must authenticate again, or better (RFC 9470, 3).
    pub(crate) step_up: Vec<HeaderValue>,
    /// By alternative: a scope is missing.
    pub(crate) scope: Vec<Option<HeaderValue>>,
}

impl Challenges {
    pub(crate) fn new(api: &ApiPolicy, policy: &Policy) -> Challenges {
        let Access::Guarded(alternatives) = policy.access else { return Challenges::default() };
        let realm = quoted(api.name);
        let mut challenges = Challenges::default();
        let mut seen = Vec::new();
        let step_up = policy.step_up.map(insufficient).unwrap_or_default();
        for alternative in alternatives {
            let schemes = || alternative.schemes.iter().filter_map(|i| api.schemes.get(usize::from(*i)));
            for scheme in schemes() {
                if !seen.contains(&scheme.name) {
                    seen.push(scheme.name);
                    for name in names(scheme) {
                        challenges.missing.extend(challenge(scheme, name, &realm, ""));
                        challenges.step_up.extend(challenge(scheme, name, &realm, &step_up));
                        challenges.invalid.extend(challenge(scheme, name, &realm, ", error=\"invalid_token\""));
                        if name == Name::DPoP {
                            let with = |error: &str| challenge(scheme, name, &realm, &format!(", error=\"{error}\""));
                            challenges.proof.extend(with("invalid_dpop_proof"));
                            challenges.nonce.extend(with("use_dpop_nonce"));
                        }
                    }
                }
            }
            let scope = quoted(&alternative.scopes.join(" "));
            let error = format!(", error=\"insufficient_scope\", scope={scope}");
            let bearer = schemes().find(|s| s.carrier == Carrier::Authorization("bearer"));
            let name = |s: &Scheme| names(s).next().unwrap_or(Name::Own);
            challenges.scope.push(bearer.and_then(|s| challenge(s, name(s), &realm, &error)));
        }
        challenges
    }
}

/// What a token must say that it does not (RFC 9470, 3).
fn insufficient(asked: StepUp) -> String {
    let mut text = ", error=\"insufficient_user_authentication\"".to_owned();
    match asked.method {
        StepUpMethod::Mfa { acr } => {
            let acr = if acr.is_empty() { StepUpMethod::MULTI_FACTOR.to_owned() } else { acr.join(" ") };
            text.push_str(", error_description=\"several factors are needed, not long ago\", acr_values=");
            text.push_str(&quoted(&acr));
        }
        StepUpMethod::WebAuthn => text.push_str(", error_description=\"a passkey must be shown, not long ago\""),
    }
    text.push_str(&format!(", max_age=\"{}\"", asked.within));
    text
}

/// The name under which a credential of a scheme may be presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Own,
    DPoP,
}

/// A scheme that takes tokens bound to a key is challenged as `DPoP`, and under its own name too where a token may also
/// come so.
fn names(scheme: &Scheme) -> impl Iterator<Item = Name> {
    let bound = match &scheme.verify {
        Verify::Jwt(jwt) => jwt.bound,
        Verify::Introspection(asked) => asked.bound,
        _ => None,
    };
    let dpop = bound.is_some_and(|b| b.dpop) && scheme.carrier == Carrier::Authorization("bearer");
    let only = dpop && bound.is_some_and(|b| b.require && !b.mtls);
    [(!only).then_some(Name::Own), dpop.then_some(Name::DPoP)].into_iter().flatten()
}

fn challenge(scheme: &Scheme, name: Name, realm: &str, error: &str) -> Option<HeaderValue> {
    let text = match scheme.carrier {
        Carrier::Authorization("bearer") if name == Name::DPoP => {
            format!("DPoP realm={realm}{error}, algs={}", quoted(ALGORITHMS))
        }
        Carrier::Authorization("bearer") => format!("Bearer realm={realm}{error}"),
        Carrier::Authorization("basic") => format!("Basic realm={realm}, charset=\"UTF-8\""),
        Carrier::Authorization(name) => format!("{} realm={realm}", capital(name)),
        // No registered scheme: the name tells a person what to send.
        Carrier::Header(name) => format!("ApiKey realm={realm}, in=\"header\", name={}", quoted(name)),
        Carrier::Query(name) => format!("ApiKey realm={realm}, in=\"query\", name={}", quoted(name)),
        Carrier::Cookie(name) => format!("ApiKey realm={realm}, in=\"cookie\", name={}", quoted(name)),
        Carrier::ClientCertificate => format!("Mutual realm={realm}"),
    };
    HeaderValue::try_from(text).ok()
}

fn capital(name: &str) -> String {
    let mut name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    name
}

/// A quoted-string (RFC 9110, 5.6.4); what cannot stand in one is left out.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars().filter(|c| matches!(c, ' '..='~')) {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}
