//! The keys of one server alone. What is kept is never given up before its time, so when there is no room a new key is
//! refused; and no caller has more than a share of the room.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foldhash::quality::RandomState;

use super::{Fingerprint, Found};
use crate::shared::Digest;

/// What one caller may take of the room: one part in so many.
const SHARE: usize = 8;
/// What a key costs beside its result.
const ROOM: usize = 300;

/// Keys and results in memory.
pub(crate) struct Memory {
    most: usize,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    keys: HashMap<Digest, Entry, RandomState>,
    /// When each is to go.
    ends: BTreeSet<(u64, Digest)>,
    bytes: usize,
    by_caller: HashMap<Digest, usize, RandomState>,
}

struct Entry {
    fingerprint: Fingerprint,
    caller: Digest,
    ends: u64,
    state: State,
}

enum State {
    /// Leased to whoever has the token, until then.
    Running([u8; 32], u64),
    Done(Vec<u8>),
}

impl Entry {
    fn bytes(&self) -> usize {
        ROOM + match &self.state {
            State::Running(..) => 0,
            State::Done(bytes) => bytes.len(),
        }
    }
}

impl Memory {
    /// Room for about so many bytes.
    pub(crate) fn new(most: usize) -> Memory {
        Memory { most, held: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(
        &self,
        key: Digest,
        caller: Digest,
        fingerprint: Fingerprint,
        token: [u8; 32],
        now: u64,
        (lease, expires): (Duration, Duration),
    ) -> Found {
        let mut held = self.lock();
        held.forget(now);
        if let Some(entry) = held.keys.get(&key) {
            return match &entry.state {
                _ if entry.fingerprint != fingerprint => Found::Other,
                State::Running(_, until) if *until <= now => Found::Unknown,
                State::Running(..) => Found::Running,
                State::Done(bytes) => Found::Done(bytes.clone()),
            };
        }
        let theirs = held.by_caller.get(&caller).copied().unwrap_or(0);
        if held.bytes + ROOM > self.most || theirs + ROOM > self.most / SHARE {
            return Found::Full;
        }
        let until = after(now, lease);
        held.put(key, Entry { fingerprint, caller, ends: after(until, expires), state: State::Running(token, until) });
        Found::Fresh
    }

    /// Keeps a result, also one that comes after its lease. It may take the room beyond its bound by one answer for each
    /// request that is worked on: the work is done, and must not be done again.
    pub(super) fn finish(&self, key: Digest, token: [u8; 32], bytes: Vec<u8>, now: u64, expires: Duration) {
        let mut held = self.lock();
        if held.is_leased(&key, token)
            && let Some(entry) = held.take(&key)
        {
            held.put(key, Entry { ends: after(now, expires), state: State::Done(bytes), ..entry });
        }
    }
}

fn after(now: u64, time: Duration) -> u64 {
    now.saturating_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
}

impl Held {
    fn is_leased(&self, key: &Digest, token: [u8; 32]) -> bool {
        self.keys.get(key).is_some_and(|entry| matches!(entry.state, State::Running(by, _) if by == token))
    }

    fn put(&mut self, key: Digest, entry: Entry) {
        self.bytes += entry.bytes();
        *self.by_caller.entry(entry.caller).or_insert(0) += entry.bytes();
        self.ends.insert((entry.ends, key));
        self.keys.insert(key, entry);
    }

    fn take(&mut self, key: &Digest) -> Option<Entry> {
        let entry = self.keys.remove(key)?;
        self.ends.remove(&(entry.ends, *key));
        self.bytes = self.bytes.saturating_sub(entry.bytes());
        if let Some(theirs) = self.by_caller.get_mut(&entry.caller) {
            *theirs = theirs.saturating_sub(entry.bytes());
            if *theirs == 0 {
                self.by_caller.remove(&entry.caller);
            }
        }
        Some(entry)
    }

    /// What has had its time goes, in the order of its end: each entry costs one look in its life.
    fn forget(&mut self, now: u64) {
        while let Some((ends, key)) = self.ends.first().copied()
            && ends <= now
        {
            self.take(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_nanos(100);
    const DAY: Duration = Duration::from_nanos(1_000);

    fn digest(n: u32) -> Digest {
        u128::from(n).to_be_bytes()
    }

    fn begin(memory: &Memory, key: u32, caller: u32, print: u8, token: u8, now: u64) -> Found {
        memory.begin(digest(key), digest(caller), [print; 32], [token; 32], now, (LEASE, DAY))
    }

    #[test]
    fn a_key_is_leased_then_kept_then_forgotten() {
        let memory = Memory::new(1 << 20);
        assert_eq!(begin(&memory, 1, 1, 1, 1, 0), Found::Fresh);
        assert_eq!(begin(&memory, 1, 1, 1, 2, 1), Found::Running);
        assert_eq!(begin(&memory, 1, 1, 9, 2, 1), Found::Other);
        memory.finish(digest(1), [2; 32], b"x".to_vec(), 2, DAY);
        assert_eq!(begin(&memory, 1, 1, 1, 2, 3), Found::Running, "another's token finishes nothing");
        memory.finish(digest(1), [1; 32], b"first".to_vec(), 50, DAY);
        assert_eq!(begin(&memory, 1, 1, 1, 2, 1_049), Found::Done(b"first".to_vec()));
        assert_eq!(begin(&memory, 1, 1, 9, 2, 1_049), Found::Other);
        assert_eq!(begin(&memory, 1, 1, 9, 2, 1_050), Found::Fresh, "its time is over");
    }

    #[test]
    fn after_a_lease_without_a_result_nobody_knows_and_nobody_does_it_again() {
        let memory = Memory::new(1 << 20);
        assert_eq!(begin(&memory, 1, 1, 1, 1, 0), Found::Fresh);
        assert_eq!(begin(&memory, 1, 1, 1, 2, 99), Found::Running);
        assert_eq!(begin(&memory, 1, 1, 1, 2, 100), Found::Unknown, "the first died");
        assert_eq!(begin(&memory, 1, 1, 9, 2, 100), Found::Other);
        memory.finish(digest(1), [2; 32], b"another's".to_vec(), 101, DAY);
        assert_eq!(begin(&memory, 1, 1, 1, 2, 102), Found::Unknown);
        memory.finish(digest(1), [1; 32], b"late".to_vec(), 103, DAY);
        assert_eq!(begin(&memory, 1, 1, 1, 3, 104), Found::Done(b"late".to_vec()));
        assert_eq!(begin(&memory, 2, 1, 1, 1, 0), Found::Fresh);
        assert_eq!(begin(&memory, 2, 1, 1, 2, 1_099), Found::Unknown);
        assert_eq!(begin(&memory, 2, 1, 1, 2, 1_100), Found::Fresh, "its time is over");
    }

    #[test]
    fn the_room_is_bounded_and_no_caller_takes_it_all() {
        let memory = Memory::new(80 * ROOM);
        let mut fresh = 0;
        for n in 0..10_000 {
            fresh += usize::from(begin(&memory, n, 1, 1, 1, 0) == Found::Fresh);
        }
        assert_eq!(fresh, 10, "an eighth");
        assert_eq!(begin(&memory, 20_000, 2, 1, 1, 0), Found::Fresh);
        for n in 0..10_000 {
            begin(&memory, 30_000 + n, 3 + n, 1, 1, 0);
        }
        assert_eq!(memory.lock().bytes, 80 * ROOM);
        assert_eq!(begin(&memory, 0, 1, 1, 2, 0), Found::Running, "and nobody's is given up");
        assert_eq!(begin(&memory, 50_000, 9, 1, 1, 1_100), Found::Fresh, "there is room again later");
        let held = memory.lock();
        assert_eq!((held.keys.len(), held.ends.len(), held.by_caller.len(), held.bytes), (1, 1, 1, ROOM));
    }
}
