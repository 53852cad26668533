//! How API keys are used: counted in memory, and told to the store every few seconds in the background. No request waits for
//! it, and none writes.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use foldhash::quality::RandomState;
use gatewright_policy::table::{Anomaly, NewNetwork};
use gatewright_store::{KeyStore, StoreError, Unusual, Used};
use smallvec::SmallVec;

use crate::gateway::{AuditLog, note_unusual};

/// How long uses are gathered before the store hears of them.
const GATHER: Duration = Duration::from_secs(5);
/// Keys held at most between two times. Those beyond are counted as lost: only keys that are good get here.
const KEYS: usize = 100_000;
/// Networks of one key between two times; those beyond are looked at the next time.
const NETWORKS: usize = 16;
const SHARDS: usize = 16;

/// The use of keys since the store last heard of it.
pub(crate) struct Uses {
    store: Arc<dyn KeyStore>,
    shards: [Mutex<HashMap<Box<str>, Seen, RandomState>>; SHARDS],
    hasher: RandomState,
    /// Whether somebody will tell the store.
    told: AtomicBool,
    lost: AtomicU64,
    networks: AtomicU64,
    spikes: AtomicU64,
    audit: OnceLock<AuditLog>,
}

struct Seen {
    uses: u64,
    last: i64,
    networks: SmallVec<[IpAddr; 1]>,
    /// Those in which it was refused, so that each is said once.
    refused: SmallVec<[IpAddr; 1]>,
    anomaly: Option<Anomaly>,
}

impl Uses {
    pub(crate) fn new(store: Arc<dyn KeyStore>) -> Uses {
        Uses {
            store,
            shards: Default::default(),
            hasher: RandomState::default(),
            told: AtomicBool::new(false),
            lost: AtomicU64::new(0),
            networks: AtomicU64::new(0),
            spikes: AtomicU64::new(0),
            audit: OnceLock::new(),
        }
    }

    /// Where unusual uses are recorded, beside the log. The first that is said counts.
    pub(crate) fn record_in(&self, audit: &AuditLog) {
        let _ = self.audit.set(audit.clone());
    }

    /// Counts one use of a key that is good.
    pub(crate) fn count(self: &Arc<Uses>, key: &str, from: Option<IpAddr>, now: i64, anomaly: Option<Anomaly>) {
        let network = from.map(network);
        if let Some(shard) = self.shard(key) {
            let mut seen = shard.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = seen.get_mut(key) {
                known.anomaly = anomaly;
                known.add(1, now, network);
            } else if seen.len() < KEYS / SHARDS {
                let mut new = Seen::new(now, anomaly);
                new.add(1, now, network);
                seen.insert(key.into(), new);
            } else {
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.will_tell();
    }

    /// Notes that a good key was refused in a network that is new to it: each network once between two times that the store is
    /// told, however often it is tried.
    pub(crate) fn refuse(self: &Arc<Uses>, key: &str, from: IpAddr, now: i64) {
        let network = network(from);
        let Some(shard) = self.shard(key) else { return };
        let new = {
            let mut seen = shard.lock().unwrap_or_else(PoisonError::into_inner);
            if !seen.contains_key(key) && seen.len() < KEYS / SHARDS {
                seen.insert(key.into(), Seen::new(now, None));
            }
            seen.get_mut(key).is_some_and(|known| known.refuse(network))
        };
        if new {
            self.networks.fetch_add(1, Ordering::Relaxed);
            let what = Unusual::Network(gatewright_store::network(network));
            note_unusual(self.audit.get(), now, key, &what);
        }
        self.will_tell();
    }

    fn will_tell(self: &Arc<Uses>) {
        if !self.told.load(Ordering::Relaxed) && !self.told.swap(true, Ordering::AcqRel) {
            self.tell_later();
        }
    }

    fn shard(&self, key: &str) -> Option<&Mutex<HashMap<Box<str>, Seen, RandomState>>> {
        let [first, ..] = self.hasher.hash_one(key).to_le_bytes();
        self.shards.get(usize::from(first) % SHARDS)
    }

    fn tell_later(self: &Arc<Uses>) {
        // Taken back however the task ends: with its runtime, too.
        let teller = Teller(self.clone());
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            tokio::time::sleep(GATHER).await;
            let uses = teller.0.clone();
            drop(teller);
            uses.tell().await;
        });
    }

    /// Tells the store now. What it cannot keep is told the next time.
    pub(crate) async fn tell(self: &Arc<Uses>) {
        let seen: Vec<(Box<str>, Seen)> = self
            .shards
            .iter()
            .flat_map(|shard| std::mem::take(&mut *shard.lock().unwrap_or_else(PoisonError::into_inner)))
            .collect();
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            tracing::warn!(target: "gatewright::keys", lost, "uses of API keys were not counted: too many keys at a time");
        }
        if seen.is_empty() {
            return;
        }
        // Of a key that was only refused the store hears nothing.
        let used = seen.iter().filter(|(_, seen)| seen.uses > 0 || !seen.networks.is_empty());
        let used: Vec<Used> = used.map(|(key, seen)| seen.used(key)).collect();
        if used.is_empty() {
            return;
        }
        match self.keep(used).await {
            Ok(unusual) => {
                for (key, what) in unusual {
                    let found = seen.iter().find(|(id, _)| **id == *key).map(|(_, seen)| seen);
                    let (asked, now) = (found.and_then(|seen| seen.anomaly), found.map_or(0, |seen| seen.last));
                    let (asked, counted) = match what {
                        Unusual::Network(_) => {
                            (asked.is_some_and(|a| a.new_network == NewNetwork::Warn), &self.networks)
                        }
                        Unusual::Spike { .. } => (asked.is_some_and(|a| a.spike.is_some()), &self.spikes),
                    };
                    if asked {
                        counted.fetch_add(1, Ordering::Relaxed);
                        note_unusual(self.audit.get(), now, &key, &what);
                    }
                }
            }
            Err(cause) => {
                tracing::error!(target: "gatewright::keys", %cause, "the use of API keys could not be kept; it will be tried again");
                self.take_back(seen);
            }
        }
    }

    /// How often something was unusual, by what it was.
    #[cfg(feature = "metrics")]
    pub(crate) fn unusual(&self) -> [(&'static str, u64); 2] {
        [("new-network", &self.networks), ("spike", &self.spikes)].map(|(kind, n)| (kind, n.load(Ordering::Relaxed)))
    }

    /// On a thread that may wait: a file is written through to its disk.
    async fn keep(self: &Arc<Uses>, used: Vec<Used>) -> Result<Vec<(String, Unusual)>, StoreError> {
        let (uses, runtime) = (self.clone(), tokio::runtime::Handle::current());
        let done = tokio::task::spawn_blocking(move || runtime.block_on(async { uses.store.count(&used).await }));
        done.await.map_err(StoreError::new)?
    }

    fn take_back(&self, seen: Vec<(Box<str>, Seen)>) {
        for (key, seen) in seen {
            let Some(shard) = self.shard(&key) else { continue };
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let full = shard.len() >= KEYS / SHARDS;
            match shard.entry(key) {
                Entry::Occupied(mut known) => {
                    let known = known.get_mut();
                    known.add(seen.uses, seen.last, None);
                    for network in seen.networks {
                        known.add(0, seen.last, Some(network));
                    }
                }
                Entry::Vacant(_) if full => drop(self.lost.fetch_add(seen.uses, Ordering::Relaxed)),
                Entry::Vacant(place) => drop(place.insert(seen)),
            }
        }
    }
}

impl Seen {
    fn new(now: i64, anomaly: Option<Anomaly>) -> Seen {
        Seen { uses: 0, last: now, networks: SmallVec::new(), refused: SmallVec::new(), anomaly }
    }

    /// Whether it was not refused there before.
    fn refuse(&mut self, network: IpAddr) -> bool {
        let new = self.refused.len() < NETWORKS && !self.refused.contains(&network);
        if new {
            self.refused.push(network);
        }
        new
    }

    fn add(&mut self, uses: u64, now: i64, network: Option<IpAddr>) {
        self.uses = self.uses.saturating_add(uses);
        self.last = self.last.max(now);
        if let Some(network) = network
            && self.networks.len() < NETWORKS
            && !self.networks.contains(&network)
        {
            self.networks.push(network);
        }
    }

    fn used(&self, key: &str) -> Used {
        Used {
            id: key.to_owned(),
            uses: self.uses,
            last: self.last,
            networks: self.networks.iter().map(|network| gatewright_store::network(*network)).collect(),
            spike: self.anomaly.and_then(|anomaly| anomaly.spike),
        }
    }
}

/// The first address of the network that the store remembers: two addresses of one network are one.
fn network(address: IpAddr) -> IpAddr {
    match crate::net::normal(address) {
        IpAddr::V4(v4) => IpAddr::V4((u32::from(v4) & 0xFFFF_FF00).into()),
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) >> 80 << 80).into()),
    }
}

/// Whoever tells the store next.
struct Teller(Arc<Uses>);

impl Drop for Teller {
    fn drop(&mut self) {
        self.0.told.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatewright_store::{Answer, KeyRecord, MemoryStore, Usage};

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn uses_are_told_together_and_later() {
        let store = Arc::new(MemoryStore::default());
        let uses = Arc::new(Uses::new(store.clone()));
        for i in 0..1_000 {
            uses.count("a", address(&format!("192.0.2.{}", i % 256)), 100 + i / 10, None);
        }
        uses.count("b", address("2001:db8::1"), 100, None);
        assert!(store.usage().await.unwrap().is_empty(), "no request writes");
        tokio::time::sleep(GATHER * 2).await;
        let usage = store.usage().await.unwrap();
        assert_eq!(usage.iter().map(|u| (u.uses, u.last)).collect::<Vec<_>>(), [(1_000, 199), (1, 100)]);
        assert_eq!(usage[0].networks, ["192.0.2.0/24"]);
        // And again, later.
        uses.count("a", None, 300, None);
        tokio::time::sleep(GATHER * 2).await;
        assert_eq!(store.usage().await.unwrap()[0].uses, 1_001);
    }

    /// Fails as long as it is told to.
    #[derive(Default)]
    struct Broken(MemoryStore, AtomicBool);

    impl KeyStore for Broken {
        fn find<'a>(&'a self, id: &'a str) -> Answer<'a, Option<KeyRecord>> {
            self.0.find(id)
        }
        fn insert<'a>(&'a self, record: &'a KeyRecord) -> Answer<'a, ()> {
            self.0.insert(record)
        }
        fn replace<'a>(&'a self, next: &'a KeyRecord, added: Option<&'a KeyRecord>) -> Answer<'a, bool> {
            self.0.replace(next, added)
        }
        fn list(&self) -> Answer<'_, Vec<KeyRecord>> {
            self.0.list()
        }
        fn count<'a>(&'a self, used: &'a [Used]) -> Answer<'a, Vec<(String, Unusual)>> {
            if self.1.load(Ordering::SeqCst) { Answer::now(Err(StoreError::new("down"))) } else { self.0.count(used) }
        }
        fn usage(&self) -> Answer<'_, Vec<Usage>> {
            self.0.usage()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_store_cannot_keep_is_told_again() {
        let store = Arc::new(Broken(MemoryStore::default(), true.into()));
        let uses = Arc::new(Uses::new(store.clone()));
        uses.count("a", address("192.0.2.1"), 1, None);
        uses.tell().await;
        uses.count("a", address("198.51.100.1"), 2, None);
        store.1.store(false, Ordering::SeqCst);
        uses.tell().await;
        let usage = store.usage().await.unwrap();
        assert_eq!((usage[0].uses, usage[0].last, usage[0].networks.len()), (2, 2, 2));
    }

    #[test]
    fn a_runtime_that_ends_stops_nothing() {
        let store = Arc::new(MemoryStore::default());
        let uses = Arc::new(Uses::new(store.clone()));
        for _ in 0..2 {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            runtime.block_on(async { uses.count("a", None, 1, None) });
            drop(runtime);
            assert!(!uses.told.load(Ordering::SeqCst));
        }
        // Without a runtime, too.
        uses.count("a", None, 1, None);
        assert!(!uses.told.load(Ordering::SeqCst));
    }
}
