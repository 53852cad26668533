//! Tokens that were verified before. The whole token is the key, under a hash with a random seed: a look-up is hundreds of
//! times cheaper than a signature. Each scheme has its own, so that no token can answer for another scheme.

use std::sync::Arc;

use foldhash::quality::RandomState;
use quick_cache::UnitWeighter;
use quick_cache::sync::{Cache, DefaultLifecycle};

use super::Identity;
use super::bound::Confirmation;

#[derive(Clone)]
struct Entry {
    identity: Arc<Identity>,
    /// What it is bound to: that is to be proved each time.
    confirmation: Confirmation,
    /// The last second in which the token is good.
    until: i64,
    /// The keys that it was verified with.
    generation: u64,
}

type Entries = Cache<Box<str>, Entry, UnitWeighter, RandomState>;

pub(crate) struct TokenCache {
    entries: Option<Entries>,
}

impl TokenCache {
    /// Holds at most this many; 0 holds none.
    pub(crate) fn new(entries: usize) -> TokenCache {
        let made = || {
            Cache::with(
                entries,
                u64::try_from(entries).unwrap_or(u64::MAX),
                UnitWeighter,
                RandomState::default(),
                DefaultLifecycle::default(),
            )
        };
        TokenCache { entries: (entries > 0).then(made) }
    }

    /// The identity of a token that was verified with the keys of this generation, and is still good at `now`.
    pub(crate) fn get(&self, token: &str, now: i64, generation: u64) -> Option<(Arc<Identity>, Confirmation)> {
        let entries = self.entries.as_ref()?;
        let entry = entries.get(token)?;
        if now <= entry.until && entry.generation == generation {
            return Some((entry.identity, entry.confirmation));
        }
        entries.remove(token);
        None
    }

    pub(crate) fn insert(
        &self,
        token: &str,
        identity: &Arc<Identity>,
        confirmation: Confirmation,
        until: i64,
        generation: u64,
    ) {
        if let Some(entries) = &self.entries {
            entries.insert(token.into(), Entry { identity: identity.clone(), confirmation, until, generation });
        }
    }
}
