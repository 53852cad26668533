//! Proofs that were used before (RFC 9449, 11.1). Two sets take turns: an entry lives in the young one, then in the old
//! one, and is forgotten when no clock difference can make its proof good any more. What does not fit is refused.

use std::collections::HashSet;
use std::mem;
use std::sync::{Mutex, PoisonError};

use foldhash::quality::RandomState;

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
}

/// Whether a proof was used before.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Use {
    First,
    Again,
    /// There is no room to remember it.
    Full,
}

impl Replays {
    /// Remembers at most this many proofs in each of its two sets.
    pub(crate) fn new(most: usize) -> Replays {
        Replays { most, sets: Mutex::default() }
    }

    /// Uses a proof. `now` is monotonic nanoseconds.
    pub(super) fn uses(&self, proof: [u8; 16], now: u64) -> Use {
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
            return Use::Full;
        }
        sets.young.insert(proof);
        Use::First
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
        let replays = Replays::new(10);
        for start in [1, TURN - 1, TURN, 3 * TURN / 2] {
            let start = start + 100 * TURN;
            assert_eq!(replays.uses(proof(start), start), Use::First);
            for later in [0, 1, TURN / 2, TURN - 1] {
                assert_eq!(replays.uses(proof(start), start + later), Use::Again, "{start} {later}");
            }
        }
    }

    #[test]
    fn p13_a_flood_fills_the_store_and_is_refused() {
        let replays = Replays::new(1_000);
        let firsts = (0..1_000_000).filter(|n| replays.uses(proof(*n), 1) == Use::First).count();
        assert_eq!(firsts, 1_000);
        assert_eq!(replays.uses(proof(5), 1), Use::Again);
        assert_eq!(replays.uses(proof(2_000_000), 1), Use::Full);
        let sets = replays.sets.lock().unwrap();
        assert!(sets.young.len() + sets.old.len() <= 2_000);
        drop(sets);
        assert_eq!(replays.uses(proof(2_000_000), TURN + 1), Use::First, "there is room again later");
        assert_eq!(replays.uses(proof(5), TURN + 1), Use::Again, "and what was used is still known");
        assert_eq!(replays.uses(proof(5), 10 * TURN), Use::First);
    }
}
