//! Proofs that were used before (RFC 9449, 11.1), at this server and, with a shared store, at any of them. Two sets take turns: an entry lives in the young one, then in the old
//! one, and is forgotten when no clock difference can make its proof good any more. What does not fit is refused.

use std::collections::HashSet;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use foldhash::quality::RandomState;
use gatewright_policy::table::{OnOutage, SharedStore};

use crate::shared::{Script, Store};

/// Longer than a proof can be good, in nanoseconds.
const TURN: u64 = 130_000_000_000;

type Seen = HashSet<[u8; 16], RandomState>;

#[derive(Default)]
struct Sets {
    young: Seen,
    old: Seen,
    turned: u64,
}

pub(crate) struct Replays {
    most: usize,
    sets: Mutex<Sets>,
    store: Option<Arc<Store>>,
}

/// Whether a proof was used before.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Use {
    First,
    Again,
    /// There is no room to remember it, or the shared store is away.
    Unknown,
}

impl Replays {
    /// Remembers at most this many proofs in each of its two sets.
    pub(crate) fn new(most: usize, store: Option<Arc<Store>>) -> Replays {
        Replays { most, sets: Mutex::default(), store }
    }

    /// Uses a proof up at all servers. One that this server knows already is not asked about.
    pub(super) async fn uses(&self, proof: [u8; 16], now: u64, policy: SharedStore) -> Use {
        let here = self.uses_here(proof, now);
        match &self.store {
            Some(store) if here == Use::First => Box::pin(everywhere(store, proof, policy)).await,
            _ => here,
        }
    }

    /// Uses a proof. `now` is monotonic nanoseconds.
    fn uses_here(&self, proof: [u8; 16], now: u64) -> Use {
        let mut sets = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
        let age = now.saturating_sub(sets.turned);
        if age >= TURN {
            sets.old = mem::take(&mut sets.young);
            if age >= 2 * TURN {
                sets.old.clear();
            }
            sets.turned = now;
        }
        if sets.young.contains(&proof) || sets.old.contains(&proof) {
            return Use::Again;
        }
        if sets.young.len() >= self.most {
            return Use::Unknown;
        }
        sets.young.insert(proof);
        Use::First
    }
}

async fn everywhere(store: &Store, proof: [u8; 16], policy: SharedStore) -> Use {
    let budget = Duration::from_millis(u64::from(policy.budget));
    let kept = (TURN / 1_000_000).to_string().into_bytes();
    let answer = store.run(budget, Script::Use, vec![store.key('p', proof)], vec![kept]).await;
    match answer.as_deref() {
        Ok([word]) if word == b"first" => Use::First,
        Ok([word]) if word == b"again" => Use::Again,
        Ok(_) => Use::Unknown,
        // Each server knows its own: of `n` servers a proof is good at each once, while the store is away.
        Err(_) if policy.on_outage == OnOutage::Local => Use::First,
        Err(_) => Use::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(n: u64) -> [u8; 16] {
        u128::from(n).to_be_bytes()
    }

    #[test]
    fn p7_a_proof_is_used_once_for_as_long_as_it_is_good() {
        let replays = Replays::new(10, None);
        for start in [1, TURN - 1, TURN, 3 * TURN / 2] {
            let start = start + 100 * TURN;
            assert_eq!(replays.uses_here(proof(start), start), Use::First);
            for later in [0, 1, TURN / 2, TURN - 1] {
                assert_eq!(replays.uses_here(proof(start), start + later), Use::Again, "{start} {later}");
            }
        }
    }

    #[test]
    fn p13_a_flood_fills_the_store_and_is_refused() {
        let replays = Replays::new(1_000, None);
        let firsts = (0..1_000_000).filter(|n| replays.uses_here(proof(*n), 1) == Use::First).count();
        assert_eq!(firsts, 1_000);
        assert_eq!(replays.uses_here(proof(5), 1), Use::Again);
        assert_eq!(replays.uses_here(proof(2_000_000), 1), Use::Unknown);
        let sets = replays.sets.lock().unwrap();
        assert!(sets.young.len() + sets.old.len() <= 2_000);
        drop(sets);
        assert_eq!(replays.uses_here(proof(2_000_000), TURN + 1), Use::First, "there is room again later");
        assert_eq!(replays.uses_here(proof(5), TURN + 1), Use::Again, "and what was used is still known");
        assert_eq!(replays.uses_here(proof(5), 10 * TURN), Use::First);
    }
}
