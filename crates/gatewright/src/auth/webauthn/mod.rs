//! Passkeys as a second factor (WebAuthn Level 3): a relying party of our own, and the routes of its ceremonies.
//!
//! A caller whom another scheme knows registers passkeys and shows that he has one of them; for a while after that,
//! operations with `step-up: { method: webauthn }` take the very credential that he showed it with. `docs/passkeys.md` says
//! the routes, the bounds and what happens to whoever loses his passkeys.
//!
//! `webauthn-rs` was weighed: its passkeys always verify the user (`user-verification` has three words), take a changed
//! eligibility for backup and lenient CBOR, and bring a second set of cryptography whose `rsa` is under RUSTSEC-2023-0071.
//! The signatures are checked by `aws-lc-rs`, as those of tokens are.

mod cbor;
mod ceremony;
mod data;
mod key;
mod options;
mod routes;
mod start;
mod turns;

use std::sync::Arc;

use aws_lc_rs::digest;
use gatewright_policy::table::{ApiPolicy, Passkeys as Declared};
use gatewright_store::{PasskeyStore, PasskeyUser};
use http::HeaderValue;

use super::{Credential, Identity};
use crate::config::{Config, Resolver};
use ceremony::Party;
pub(crate) use routes::{Asked, ROUTES, Route};
use turns::Turns;

/// Seconds between a challenge and its answer at most.
const CHALLENGE: u32 = 300;
/// Seconds for which an assertion admits to changes of the passkeys themselves.
const RECENT: u32 = 300;
/// Passkeys of one user at most.
const MOST: usize = 20;
/// Callers at once, in the middle of a ceremony or stepped up.
const CALLERS: usize = 100_000;

/// A credential, by its hash: what challenges and assertions are bound to. Another token of the same subject has another.
pub(crate) type Mark = [u8; 32];

/// The mark of a credential as it was presented.
pub(crate) fn mark(scheme: &str, presented: &str) -> Mark {
    let mut hash = digest::Context::new(&digest::SHA256);
    hash.update(scheme.as_bytes());
    hash.update(&[0]);
    hash.update(presented.as_bytes());
    let mut mark = [0; 32];
    mark.copy_from_slice(hash.finish().as_ref());
    mark
}

/// The passkeys of one version of an API.
pub(crate) struct Passkeys {
    party: Party,
    /// Where its routes stand.
    prefix: &'static str,
    store: Arc<dyn PasskeyStore>,
    challenges: Turns<(Mark, Kind), Challenge>,
    /// When a credential was last shown with a passkey, in seconds since 1970.
    assertions: Turns<Mark, i64>,
    /// Where whoever must show a passkey begins.
    pub(crate) challenge: HeaderValue,
}

impl std::fmt::Debug for Passkeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Passkeys({})", self.party.rp_id)
    }
}

/// The two ceremonies.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Registration,
    Assertion,
}

/// What the answer of a browser must hold.
struct Challenge {
    bytes: [u8; 32],
    /// The user handle that a new passkey is made for.
    handle: Vec<u8>,
}

/// Who does a ceremony: the credential that says who the subject is.
struct Owner {
    user: PasskeyUser,
    mark: Mark,
}

impl Passkeys {
    /// `longest`: the most seconds that an operation lets an assertion lie back.
    pub(crate) fn start(
        api: &'static ApiPolicy,
        declared: &'static Declared,
        longest: u32,
        config: &Config,
        r: &mut Resolver,
    ) -> Option<Passkeys> {
        let party = Party::start(declared, r);
        let Some(store) = config.passkeys.clone() else {
            let name = declared.name;
            r.problem(declared.at, format_args!("the scheme `{name}` needs a store of passkeys: `Config::passkeys`"));
            return None;
        };
        Some(Passkeys {
            party: party?,
            prefix: api.prefix,
            store,
            challenges: Turns::new(CHALLENGE, CALLERS),
            assertions: Turns::new(longest.max(RECENT), CALLERS),
            challenge: HeaderValue::try_from(format!(
                "WebAuthn realm={}, options=\"{}{}\"",
                super::challenge::quoted(api.name),
                api.prefix,
                routes::ASSERTION_OPTIONS
            ))
            .ok()?,
        })
    }

    /// When the caller's own credential was last shown with a passkey, if that is not longer ago. `now` is monotonic
    /// nanoseconds: a wall clock that is set back makes nothing recent.
    pub(crate) fn asserted(&self, identity: &Identity, within: u32, now: u64) -> Option<i64> {
        self.assertions.recent(&principal(identity)?.mark?, within, now)
    }

    fn owner(&self, identity: &Identity) -> Option<Owner> {
        let credential = principal(identity)?;
        let issuer = credential.claims.get("iss").and_then(serde_json::Value::as_str).unwrap_or(credential.scheme);
        let user = PasskeyUser {
            rp_id: self.party.rp_id.clone(),
            issuer: issuer.to_owned(),
            subject: credential.subject.as_deref()?.to_owned(),
        };
        Some(Owner { user, mark: credential.mark? })
    }
}

/// The credential that says who the subject is.
fn principal(identity: &Identity) -> Option<&Credential> {
    identity.credentials().find(|credential| credential.subject.is_some())
}
