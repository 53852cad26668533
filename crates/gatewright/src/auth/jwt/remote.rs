//! The keys of an issuer that publishes them: fetched when they are first needed, kept while they are fresh, and fetched
//! again beside the requests. A request waits only where there are no keys at all, or none with the id that its token
//! names, and then for one fetch that all who wait share.
//!
//! Keys outlive an outage of the issuer for a bounded time; after that nobody is let in (503).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use gatewright_policy::table::Algorithm;
use http::Uri;
use tokio::sync::watch;
use tokio::time::Instant;

use super::discovery::Issuer;
use super::keys::{KeySet, LARGEST_SET};
use crate::clock::Clock;
use crate::outbound::{Ask, Fetch};

/// One question to the issuer takes at most this long.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Between two fetches lies at least this much, whatever tokens name: an issuer is not to be hammered by way of us.
const FLOOR: u64 = 10 * SECOND;

/// How long keys are fresh: what the issuer says (`max-age`), within bounds.
const FRESH: u64 = 600;
const FRESH_LEAST: u64 = 60;
const FRESH_MOST: u64 = 3_600;

const SECOND: u64 = 1_000_000_000;

/// Where the keys stand.
pub(super) enum Origin {
    Url(Uri),
    /// The issuer's metadata says where.
    Discovery(Issuer),
}

/// The keys, as they were at one time.
pub(crate) struct Held {
    pub(super) keys: KeySet,
    /// Changes with the keys: what was verified under other ones must be verified again.
    pub(crate) generation: u64,
    digest: [u8; 32],
    /// Monotonic nanoseconds.
    fetched: u64,
    fresh_until: u64,
}

impl Held {
    /// Keys that never change.
    pub(super) fn fixed(keys: KeySet) -> Held {
        Held { keys, generation: 0, digest: [0; 32], fetched: 0, fresh_until: u64::MAX }
    }
}

#[derive(Clone)]
pub(crate) struct RemoteKeys(Arc<Inner>);

struct Inner {
    scheme: &'static str,
    origin: Origin,
    pinned: &'static [Algorithm],
    fetch: Arc<dyn Fetch>,
    clock: Arc<dyn Clock>,
    /// How long keys are used that cannot be fetched again, in nanoseconds.
    outage: u64,
    held: ArcSwapOption<Held>,
    generations: AtomicU64,
    flight: Mutex<Flight>,
}

/// The fetch under way, and when one last began.
#[derive(Default)]
struct Flight {
    under_way: Option<watch::Receiver<()>>,
    began: Option<u64>,
}

impl RemoteKeys {
    pub(super) fn new(
        scheme: &'static str,
        origin: Origin,
        pinned: &'static [Algorithm],
        fetch: Arc<dyn Fetch>,
        clock: Arc<dyn Clock>,
        outage: Duration,
    ) -> RemoteKeys {
        let keys = RemoteKeys(Arc::new(Inner {
            scheme,
            origin,
            pinned,
            fetch,
            clock,
            outage: u64::try_from(outage.as_nanos()).unwrap_or(u64::MAX),
            held: ArcSwapOption::empty(),
            generations: AtomicU64::new(1),
            flight: Mutex::default(),
        }));
        // Where the server is started within its runtime, the first request need not wait.
        if tokio::runtime::Handle::try_current().is_ok() {
            drop(keys.launch());
        }
        keys
    }

    /// The keys to verify with; nothing where there are none that may be used.
    pub(super) async fn usable(&self, deadline: Instant) -> Option<Arc<Held>> {
        if let Some(held) = self.held() {
            if self.0.clock.monotonic() >= held.fresh_until {
                drop(self.launch());
            }
            return Some(held);
        }
        self.wait(deadline).await;
        self.held()
    }

    /// The generation of keys that are fresh, and not too old either.
    pub(super) fn generation_at_hand(&self) -> Option<u64> {
        let (held, now) = (self.0.held.load(), self.0.clock.monotonic());
        let fresh = |held: &&Arc<Held>| now < held.fresh_until && now.saturating_sub(held.fetched) <= self.0.outage;
        held.as_ref().filter(fresh).map(|held| held.generation)
    }

    /// Other keys than `seen`, where the issuer has some by now.
    pub(super) async fn newer(&self, seen: &Held, deadline: Instant) -> Option<Arc<Held>> {
        let other = || self.held().filter(|held| held.generation != seen.generation);
        if let Some(held) = other() {
            return Some(held);
        }
        self.wait(deadline).await;
        other()
    }

    /// Keys that are not too old.
    fn held(&self) -> Option<Arc<Held>> {
        let now = self.0.clock.monotonic();
        self.0.held.load_full().filter(|held| now.saturating_sub(held.fetched) <= self.0.outage)
    }

    async fn wait(&self, deadline: Instant) {
        if let Some(mut under_way) = self.launch() {
            // It ends when its sender is dropped. Nobody waits for two fetches of a discovery that drip.
            let patience = deadline.min(Instant::now() + PATIENCE);
            drop(tokio::time::timeout_at(patience, under_way.changed()).await);
        }
    }

    /// The fetch under way, or a new one; nothing where it is too early for one.
    fn launch(&self) -> Option<watch::Receiver<()>> {
        let mut flight = self.0.flight.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(under_way) = flight.under_way.as_ref().filter(|f| f.has_changed().is_ok()) {
            return Some(under_way.clone());
        }
        let now = self.0.clock.monotonic();
        if flight.began.is_some_and(|began| now.saturating_sub(began) < FLOOR) {
            return None;
        }
        let (ends, under_way) = watch::channel(());
        flight.began = Some(now);
        flight.under_way = Some(under_way.clone());
        let inner = self.0.clone();
        tokio::spawn(async move {
            match inner.fetch(now).await {
                Ok(true) => {
                    tracing::info!(target: "gatewright::keys", scheme = inner.scheme, "the issuer has new keys")
                }
                Ok(false) => {}
                Err(why) => tracing::warn!(
                    target: "gatewright::keys",
                    scheme = inner.scheme,
                    why = %crate::gateway::one_line(&why),
                    "the issuer's keys cannot be had"
                ),
            }
            drop(ends);
        });
        Some(under_way)
    }
}

impl Inner {
    /// Fetches once; whether the keys are others than before.
    async fn fetch(&self, now: u64) -> Result<bool, String> {
        let uri = match &self.origin {
            Origin::Url(uri) => uri.clone(),
            Origin::Discovery(issuer) => issuer.keys(&*self.fetch).await?,
        };
        let most = usize::try_from(LARGEST_SET).unwrap_or(usize::MAX);
        let ask = Ask { uri, most, within: PATIENCE, form: None };
        let answer = self.fetch.fetch(ask).await.map_err(|why| format!("the key set: {why}"))?;
        let text = std::str::from_utf8(&answer.body).map_err(|_| "the key set is no UTF-8".to_owned())?;
        // One that cannot be used leaves the last good one in place.
        let keys = KeySet::read(text, self.pinned)?;
        let digest = super::sha256(text.as_bytes());
        let before = self.held.load_full();
        let same = before.as_ref().filter(|held| held.digest == digest);
        let generation = same.map_or_else(|| self.generations.fetch_add(1, Ordering::Relaxed), |h| h.generation);
        let fresh = answer.max_age.unwrap_or(FRESH).clamp(FRESH_LEAST, FRESH_MOST);
        let fresh_until = now.saturating_add(fresh * SECOND);
        self.held.store(Some(Arc::new(Held { keys, generation, digest, fetched: now, fresh_until })));
        Ok(same.is_none())
    }
}
