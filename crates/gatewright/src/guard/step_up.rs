//! An authentication that is strong and recent (RFC 9470), where an operation asks for one.

use gatewright_policy::Refusal;
use gatewright_policy::table::{StepUp, StepUpMethod};
use http::header::WWW_AUTHENTICATE;
use serde_json::Value;

use super::Inner;
use crate::auth::{Credential, Identity};
use crate::gateway::Exchange;
use crate::problem::Refused;

/// How far an issuer's clock may run ahead of ours, in seconds.
const AHEAD: i64 = 30;

/// The proof that the caller authenticated as the operation's `step-up` asks. Only its guard makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SteppedUp {
    method: StepUpMethod,
    at: i64,
}

impl SteppedUp {
    /// The only way to one: behind the comparison of an authentication with what the operation asks.
    fn assertion(method: StepUpMethod, at: i64) -> SteppedUp {
        SteppedUp { method, at }
    }

    /// How the caller authenticated.
    #[must_use]
    pub fn method(&self) -> StepUpMethod {
        self.method
    }

    /// When, in seconds since 1970.
    #[must_use]
    pub fn at(&self) -> i64 {
        self.at
    }

    /// A proof for the unit test of a handler: nobody authenticated.
    #[cfg(feature = "testing")]
    #[doc(hidden)]
    #[must_use]
    pub fn for_test(method: StepUpMethod, at: i64) -> SteppedUp {
        SteppedUp { method, at }
    }
}

impl Inner {
    /// How and when this caller authenticated, as the operation asks; `None` where it does not ask.
    pub(super) fn step_up(
        &self,
        identity: Option<&Identity>,
        exchange: &Exchange,
    ) -> Result<Option<SteppedUp>, Refused> {
        let Some(asked) = self.policy.step_up else { return Ok(None) };
        let at = identity.and_then(|identity| match asked.method {
            StepUpMethod::Mfa { acr } => by_token(identity, acr, asked.within, exchange.unix),
            StepUpMethod::WebAuthn => self.api.passkeys.as_ref()?.asserted(identity, asked.within, exchange.started),
        });
        if let Some(at) = at {
            return Ok(Some(SteppedUp::assertion(asked.method, at)));
        }
        let mut refused = Refused::new(Refusal::StepUpRequired).because(reason(asked));
        for challenge in &self.challenges.step_up {
            refused = refused.with_header(WWW_AUTHENTICATE, challenge.clone());
        }
        if let (StepUpMethod::WebAuthn, Some(passkeys)) = (asked.method, &self.api.passkeys) {
            refused = refused.with_header(WWW_AUTHENTICATE, passkeys.challenge.clone());
        }
        refused.inner_mut().subject = identity.and_then(Identity::subject).map(str::to_owned);
        Err(refused)
    }
}

fn reason(asked: StepUp) -> &'static str {
    match asked.method {
        StepUpMethod::Mfa { .. } => "no credential says that its subject authenticated so, and so recently",
        StepUpMethod::WebAuthn => "no passkey was shown with this credential so recently",
    }
}

/// When a credential of the caller's own says that he authenticated with several factors. Method and time must be of one
/// credential: one token's strong authentication does not make another's recent one strong.
fn by_token(identity: &Identity, acr: &[&str], within: u32, now: i64) -> Option<i64> {
    let subject = identity.subject()?;
    let own = identity.credentials().filter(|credential| credential.subject.as_deref() == Some(subject));
    own.filter(|credential| is_strong(credential, acr))
        .filter_map(|credential| credential.claims.get("auth_time")?.as_i64())
        .find(|at| is_recent(*at, within, now))
}

fn is_strong(credential: &Credential, acr: &[&str]) -> bool {
    let said = credential.claims.get("acr").and_then(Value::as_str);
    if !acr.is_empty() {
        return said.is_some_and(|said| acr.contains(&said));
    }
    let methods = credential.claims.get("amr").and_then(Value::as_array);
    methods.is_some_and(|methods| methods.iter().any(|m| m == "mfa")) || said == Some(StepUpMethod::MULTI_FACTOR)
}

/// Whether a moment is not too long ago. One that is to come is nobody's.
fn is_recent(at: i64, within: u32, now: i64) -> bool {
    at <= now.saturating_add(AHEAD) && now.saturating_sub(at) <= i64::from(within)
}

#[cfg(test)]
mod tests {
    use super::is_recent;

    #[test]
    fn recent_is_within_the_seconds_and_not_to_come() {
        for (at, recent) in [
            (1_000, true),
            (700, true),
            (699, false),
            (1_030, true),
            (1_031, false),
            (i64::MIN, false),
            (i64::MAX, false),
        ] {
            assert_eq!(is_recent(at, 300, 1_000), recent, "{at}");
        }
    }
}
