//! What is remembered for a while, within bounds. Two maps take turns: an entry lives in the young one, then in the old one,
//! and is forgotten when it is surely too old. What does not fit is not remembered, and whoever asked for it is refused.

use std::collections::HashMap;
use std::hash::Hash;
use std::mem;
use std::sync::{Mutex, PoisonError};

use foldhash::quality::RandomState;

type Map<K, V> = HashMap<K, (u64, V), RandomState>;

pub(super) struct Turns<K, V> {
    /// Nanoseconds for which an entry is good.
    life: u64,
    /// Entries in each of the two maps at most.
    most: usize,
    maps: Mutex<Maps<K, V>>,
}

struct Maps<K, V> {
    young: Map<K, V>,
    old: Map<K, V>,
    turned: u64,
}

impl<K: Hash + Eq, V> Turns<K, V> {
    pub(super) fn new(seconds: u32, most: usize) -> Turns<K, V> {
        let maps = Maps { young: Map::default(), old: Map::default(), turned: 0 };
        Turns { life: u64::from(seconds) * 1_000_000_000, most, maps: Mutex::new(maps) }
    }

    fn with<T>(&self, now: u64, work: impl FnOnce(&mut Maps<K, V>) -> T) -> T {
        let mut maps = self.maps.lock().unwrap_or_else(PoisonError::into_inner);
        let age = now.saturating_sub(maps.turned);
        // One more, so that an entry as old as it may be is still there.
        if age > self.life {
            maps.old = mem::take(&mut maps.young);
            if age > 2 * self.life {
                maps.old.clear();
            }
            maps.turned = now;
        }
        work(&mut maps)
    }

    /// Remembers `value` in place of what was remembered under `key`. `false` where there is no room. `now` is monotonic
    /// nanoseconds, here and below.
    pub(super) fn put(&self, key: K, value: V, now: u64) -> bool {
        self.with(now, |maps| {
            maps.old.remove(&key);
            if maps.young.len() >= self.most && !maps.young.contains_key(&key) {
                return false;
            }
            maps.young.insert(key, (now, value));
            true
        })
    }

    /// What is remembered, and no more: the next one who asks gets nothing.
    pub(super) fn take(&self, key: &K, now: u64) -> Option<V> {
        let (at, value) = self.with(now, |maps| maps.young.remove(key).or_else(|| maps.old.remove(key)))?;
        (now.saturating_sub(at) <= self.life).then_some(value)
    }
}

impl<K: Hash + Eq, V: Copy> Turns<K, V> {
    /// What was remembered at most `within` seconds ago.
    pub(super) fn recent(&self, key: &K, within: u32, now: u64) -> Option<V> {
        let (at, value) = self.with(now, |maps| maps.young.get(key).or_else(|| maps.old.get(key)).copied())?;
        (now.saturating_sub(at) <= u64::from(within) * 1_000_000_000).then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn an_entry_lives_as_long_as_it_may_and_is_taken_once() {
        for start in [1, 299, 300, 301, 455, 900] {
            let start = start * SECOND;
            for (later, there) in [(0, true), (299, true), (300, true), (301, false), (900, false)] {
                let turns = Turns::new(300, 10);
                // Something keeps the maps turning.
                assert!(turns.put(0, 'x', start / 2));
                assert!(turns.put(1, 'a', start));
                let now = start + later * SECOND;
                assert_eq!(turns.recent(&1, 300, now), there.then_some('a'), "{start} {later}");
                assert_eq!(turns.take(&1, now), there.then_some('a'), "{start} {later}");
                assert_eq!(turns.take(&1, now), None);
            }
        }
    }

    #[test]
    fn the_last_one_counts_and_a_flood_finds_no_room() {
        let turns = Turns::new(300, 2);
        assert!(turns.put(1, 'a', SECOND) && turns.put(2, 'b', SECOND));
        assert!(!turns.put(3, 'c', SECOND));
        assert!(turns.put(1, 'd', 2 * SECOND), "who is known has his room");
        assert_eq!(turns.take(&1, 2 * SECOND), Some('d'));
        let later = 400 * SECOND;
        assert!(turns.put(2, 'e', later), "there is room again later");
        assert_eq!(turns.take(&2, later), Some('e'));
        assert_eq!(turns.take(&2, later), None, "and the older one does not come back");
    }
}
