//! How many requests of one caller run at once, at this server, and with a lease of the store at all that share it. A place is given back by being dropped, so no way out of a
//! request keeps it: an answer, a refusal, a panic, a deadline, a client that leaves.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use foldhash::fast::RandomState;
use smallvec::SmallVec;

use super::key::CellKey;
use super::lease::Lease;

const SHARDS: usize = 16;

/// Who has how many. Whoever has none is not in it: so it holds at most as much as runs.
pub(crate) struct Running {
    shards: Box<[Mutex<HashMap<CellKey, u32, RandomState>>]>,
    hasher: RandomState,
}

/// The places of one request.
pub(crate) struct Slots {
    running: Arc<Running>,
    held: SmallVec<[CellKey; 2]>,
    /// Its places among what runs at all servers, where a store is shared.
    lease: Option<Lease>,
}

impl std::fmt::Debug for Slots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slots").field("held", &self.held.len()).finish()
    }
}

impl Running {
    pub(crate) fn new() -> Running {
        Running { shards: (0..SHARDS).map(|_| Mutex::default()).collect(), hasher: RandomState::default() }
    }

    fn shard(&self, key: &CellKey) -> Option<MutexGuard<'_, HashMap<CellKey, u32, RandomState>>> {
        let index = usize::try_from(self.hasher.hash_one(key) >> 32).unwrap_or(0) % self.shards.len().max(1);
        self.shards.get(index).map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn leave(&self, key: &CellKey) {
        let Some(mut shard) = self.shard(key) else { return };
        if let Some(count) = shard.get_mut(key) {
            *count -= 1;
            if *count == 0 {
                shard.remove(key);
            }
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap().len()).sum()
    }
}

impl Slots {
    pub(super) fn new(running: &Arc<Running>) -> Slots {
        Slots { running: running.clone(), held: SmallVec::new(), lease: None }
    }

    /// Holds a lease of the store as long as these places.
    pub(super) fn hold(&mut self, lease: Lease) {
        self.lease = Some(lease);
    }

    /// Takes a place, of at most so many; how many are left.
    pub(super) fn take(&mut self, key: CellKey, most: u32) -> Option<u32> {
        let mut shard = self.running.shard(&key)?;
        let count = shard.entry(key).or_insert(0);
        // Nobody is limited to none: an entry that was made just now is never left at zero.
        if *count >= most.max(1) {
            return None;
        }
        *count += 1;
        let left = most.saturating_sub(*count);
        drop(shard);
        self.held.push(key);
        Some(left)
    }
}

impl Drop for Slots {
    fn drop(&mut self) {
        for key in &self.held {
            self.running.leave(key);
        }
    }
}

/// A body whose request still runs.
pub(crate) struct Held {
    body: Body,
    _running: Arc<Slots>,
}

impl Held {
    pub(crate) fn new(body: Body, running: Arc<Slots>) -> Held {
        Held { body, _running: running }
    }
}

impl http_body::Body for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::address;
    use super::*;

    fn key(n: u32) -> CellKey {
        address(1, Some(std::net::Ipv4Addr::from(n).into()))
    }

    #[test]
    fn places_are_counted_and_come_back_however_a_request_ends() {
        let running = Arc::new(Running::new());
        let take = |n| {
            let mut slots = Slots::new(&running);
            slots.take(key(n), 2).map(|left| (slots, left))
        };
        let (one, left) = take(1).unwrap();
        assert_eq!(left, 1);
        let (two, left) = take(1).unwrap();
        assert_eq!(left, 0);
        assert!(take(1).is_none() && take(2).is_some(), "another's are his own");
        drop(one);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _three = take(1).unwrap();
            assert!(take(1).is_none());
            panic!("in the handler");
        }));
        assert!(panicked.is_err());
        assert!(take(1).is_some());
        drop(two);
        assert_eq!(running.len(), 0, "nothing is left of anybody");
    }

    #[test]
    fn of_many_threads_no_more_run_than_may() {
        let running = Arc::new(Running::new());
        let now = std::sync::atomic::AtomicU32::new(0);
        let order = std::sync::atomic::Ordering::SeqCst;
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..2_000 {
                        let mut slots = Slots::new(&running);
                        if slots.take(key(1), 3).is_some() {
                            assert!(now.fetch_add(1, order) < 3);
                            std::thread::yield_now();
                            now.fetch_sub(1, order);
                        }
                    }
                });
            }
        });
        assert_eq!(running.len(), 0);
    }
}
