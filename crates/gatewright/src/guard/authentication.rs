//! Which credentials are good, and whether they satisfy an alternative. All are looked at before anything is answered:
//! one alternative's failure does not end a request that another admits, and a bad credential never falls back to
//! anonymous.

use std::sync::Arc;

use gatewright_policy::table::{Access, Alternative};
use gatewright_policy::{Refusal, bits};
use http::header::{HeaderName, HeaderValue, WWW_AUTHENTICATE};
use smallvec::SmallVec;

use super::Inner;
use crate::auth::carrier::{self, Held};
use crate::auth::{Asked, Bad, Checked, Checking, Identity};
use crate::problem::Refused;

/// What the credentials of a request come to.
#[derive(Default)]
struct Found {
    /// Mostly one.
    good: SmallVec<[Arc<Identity>; 2]>,
    /// Why something that was presented is not good.
    bad: Option<Bad>,
}

impl Inner {
    /// The caller; `None` for one who is admitted without being known.
    pub(super) async fn authenticate(&self, asked: &Asked<'_>) -> Result<Option<Arc<Identity>>, Refused> {
        let Access::Guarded(alternatives) = self.policy.access else { return Ok(None) };
        let found = self.credentials(asked).await?;
        let identity = union(found.good);
        let have = identity.as_ref().map_or(&[][..], |i| i.grants());
        match decide(alternatives, have, found.bad.is_some()) {
            Decision::Known => Ok(identity),
            // Whoever enters by `{}` is nobody, also with a credential that is good for something else.
            Decision::Anonymous => Ok(None),
            Decision::Invalid => Err(self.invalid(found.bad)),
            Decision::Missing => {
                let refused = Refused::new(Refusal::CredentialMissing).because("no alternative is presented whole");
                Err(challenged(refused, &self.challenges.missing))
            }
            Decision::Scope(nearest) => {
                let mut refused = Refused::new(Refusal::ScopeMissing);
                if let Some(Some(challenge)) = self.challenges.scope.get(nearest) {
                    refused = refused.with_header(WWW_AUTHENTICATE, challenge.clone());
                }
                refused.inner_mut().subject = identity.as_deref().and_then(Identity::subject).map(str::to_owned);
                Err(refused)
            }
        }
    }

    async fn credentials(&self, asked: &Asked<'_>) -> Result<Found, Refused> {
        let parts = asked.parts;
        let mut found = Found::default();
        for place in &self.places {
            let held = match place.held(asked) {
                Held::Nothing => continue,
                Held::One(text) => text,
                Held::Several => return Err(repeated()),
                Held::Unreadable => {
                    found.bad = Some(Bad::Credential("a credential is no text"));
                    continue;
                }
            };
            if place.bearer && carrier::query(parts.uri.query().unwrap_or_default(), "access_token") != Held::Nothing {
                return Err(repeated());
            }
            let before = found.good.len();
            let mut bad = Bad::Credential("no scheme of the operation is presented");
            for scheme in &place.schemes {
                let Some(shown) = scheme.shown(&held) else { continue };
                let checked = match scheme.check(shown, asked) {
                    Checking::Done(checked) => checked,
                    Checking::Later(check) => check.await,
                };
                match checked {
                    Checked::Good(identity) => found.good.push(identity),
                    Checked::Bad(why) => bad = why,
                    Checked::Unavailable(cause) => {
                        let mut refused = Refused::new(Refusal::Unavailable).retry_after(1);
                        refused.inner_mut().cause = Some(cause);
                        return Err(refused);
                    }
                }
            }
            if found.good.len() == before {
                found.bad = Some(bad);
            }
        }
        Ok(found)
    }

    fn invalid(&self, bad: Option<Bad>) -> Refused {
        let refused = Refused::new(Refusal::CredentialInvalid);
        let Some(bad) = bad else { return challenged(refused, &self.challenges.invalid) };
        let refused = refused.because(bad.why());
        match bad {
            Bad::Credential(_) => challenged(refused, &self.challenges.invalid),
            Bad::Proof(_) => challenged(refused, &self.challenges.proof),
            Bad::Nonce(nonce) => challenged(refused, &self.challenges.nonce).with_header(DPOP_NONCE, nonce),
        }
    }
}

/// Where the nonce of the next proof stands (RFC 9449, 8.2).
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

fn challenged(refused: Refused, challenges: &[HeaderValue]) -> Refused {
    challenges.iter().fold(refused, |r, c| r.with_header(WWW_AUTHENTICATE, c.clone()))
}

fn repeated() -> Refused {
    Refused::new(Refusal::CredentialRepeated)
}

fn union(mut good: SmallVec<[Arc<Identity>; 2]>) -> Option<Arc<Identity>> {
    match good.len() {
        0 | 1 => good.pop(),
        _ => Some(Identity::union(&good)),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Decision {
    /// An alternative with schemes holds.
    Known,
    /// Only `{}` does, and nothing bad was presented.
    Anonymous,
    /// Something presented is bad, and no alternative with schemes holds.
    Invalid,
    /// No alternative is presented whole.
    Missing,
    /// The alternative of this index is, but for scopes.
    Scope(usize),
}

/// The decision: bits alone, nothing is allocated.
fn decide(alternatives: &[Alternative], have: &[u64], bad: bool) -> Decision {
    let mut anonymous = false;
    let mut nearest: Option<(usize, u32)> = None;
    for (i, alternative) in alternatives.iter().enumerate() {
        if alternative.schemes.is_empty() {
            anonymous = true;
            continue;
        }
        if !bits::covers(have, alternative.authenticated) {
            continue;
        }
        if bits::covers(have, alternative.authorized) {
            return Decision::Known;
        }
        let missing = missing(have, alternative.authorized);
        if nearest.is_none_or(|(_, least)| missing < least) {
            nearest = Some((i, missing));
        }
    }
    match nearest {
        _ if bad => Decision::Invalid,
        _ if anonymous => Decision::Anonymous,
        Some((i, _)) => Decision::Scope(i),
        None => Decision::Missing,
    }
}

/// How many bits are missing.
fn missing(have: &[u64], need: &[u64]) -> u32 {
    need.iter().enumerate().map(|(i, word)| (word & !have.get(i).copied().unwrap_or(0)).count_ones()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    // Bits: 0 and 1 are the schemes a and b, 2 and 3 a scope of each.
    const A: u64 = 1;
    const B: u64 = 2;
    const AS: u64 = 4;
    const BS: u64 = 8;

    const fn alternative(
        schemes: &'static [u16],
        authenticated: &'static [u64],
        authorized: &'static [u64],
    ) -> Alternative {
        Alternative { schemes, authenticated, authorized, scopes: &[] }
    }

    const ONLY_A: Alternative = alternative(&[0], &[A], &[A | AS]);
    const ONLY_B: Alternative = alternative(&[1], &[B], &[B | BS]);
    const BOTH: Alternative = alternative(&[0, 1], &[A | B], &[A | B | AS | BS]);
    const NOBODY: Alternative = alternative(&[], &[], &[]);

    #[test]
    fn the_truth_table() {
        use Decision::{Anonymous, Invalid, Known, Missing, Scope};
        let or: &[Alternative] = &[ONLY_A, ONLY_B];
        let and: &[Alternative] = &[BOTH];
        let optional: &[Alternative] = &[ONLY_A, NOBODY];
        for (alternatives, have, bad, want) in [
            (or, 0, false, Missing),
            (or, 0, true, Invalid),
            (or, A | AS, false, Known),
            (or, B | BS, false, Known),
            (or, A | AS, true, Known),
            (or, A, false, Scope(0)),
            (or, B, false, Scope(1)),
            (or, A | B, false, Scope(0)),
            (or, A | BS, false, Scope(0)),
            (or, AS | BS, false, Missing),
            (or, A, true, Invalid),
            (and, A | AS, false, Missing),
            (and, B | BS, false, Missing),
            (and, A | AS | BS, false, Missing),
            (and, A | B, false, Scope(0)),
            (and, A | B | AS, false, Scope(0)),
            (and, A | B | AS | BS, false, Known),
            (and, A | AS, true, Invalid),
            (optional, 0, false, Anonymous),
            (optional, 0, true, Invalid),
            (optional, A | AS, false, Known),
            (optional, A, false, Anonymous),
            (optional, A, true, Invalid),
            (&[NOBODY], 0, false, Anonymous),
            (&[NOBODY], 0, true, Invalid),
            (&[], 15, false, Missing),
        ] {
            assert_eq!(decide(alternatives, &[have], bad), want, "{have:b} {bad}");
            assert_eq!(decide(alternatives, &[have, 0, 7], bad), want, "a longer set means the same");
        }
    }

    #[test]
    fn equals_the_meaning_of_security() {
        // Every policy of up to three alternatives, against every set of credentials, by the definition.
        let all = [ONLY_A, ONLY_B, BOTH, NOBODY];
        for mask in 0..16u32 {
            let chosen: Vec<Alternative> = (0..4).filter(|i| mask & (1 << i) != 0).map(|i| all[i]).collect();
            for have in 0..16u64 {
                for bad in [false, true] {
                    let holds = |a: &Alternative| {
                        !a.schemes.is_empty() && a.schemes.iter().all(|s| have & (1 << s) != 0 && have & (4 << s) != 0)
                    };
                    let admitted = chosen.iter().any(holds) || (!bad && chosen.iter().any(|a| a.schemes.is_empty()));
                    let decision = decide(&chosen, &[have], bad);
                    assert_eq!(
                        matches!(decision, Decision::Known | Decision::Anonymous),
                        admitted,
                        "{mask:b} {have:b} {bad} {decision:?}"
                    );
                }
            }
        }
    }
}
