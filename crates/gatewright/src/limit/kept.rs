//! Quotas of a server that counts alone, over its restarts. What was used is written every second, beside the requests: none
//! waits for it, and a server that dies forgets what passed since.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gatewright_store::{QuotaRecord, QuotaStore, StoreError, at_once};

use super::calendar;
use super::key::CellKey;
use super::table::Table;
use crate::clock::Clock;
use crate::shared::Digest;

/// How long uses are gathered before the store hears of them.
const GATHER: Duration = Duration::from_secs(1);
/// Callers of which the store hears at a time; those beyond are written when they come again.
const MOST: usize = 100_000;

pub(crate) struct Kept {
    store: Arc<dyn QuotaStore>,
    quotas: Arc<Table>,
    clock: Arc<dyn Clock>,
    /// What was kept when the server started, until its caller comes.
    before: Mutex<HashMap<Digest, u64>>,
    /// Whose cell changed since the store heard of it.
    changed: Mutex<HashMap<Digest, CellKey>>,
    /// Whether somebody will tell the store.
    told: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Kept {
    /// # Errors
    /// The store cannot be read.
    pub(crate) fn start(
        store: Arc<dyn QuotaStore>,
        quotas: Arc<Table>,
        clock: Arc<dyn Clock>,
    ) -> Result<Kept, StoreError> {
        let all = at_once(store.quotas()).unwrap_or_else(|| Err(StoreError::new("it does not answer at once")))?;
        let cell = |record: &QuotaRecord| u64::from(record.end) << 32 | u64::from(record.used);
        let before = Mutex::new(all.iter().map(|record| (record.id, cell(record))).collect());
        Ok(Kept { store, quotas, clock, before, changed: Mutex::default(), told: AtomicBool::new(false) })
    }

    /// A caller is about to be charged: his cell has what was kept of it.
    pub(super) fn recall(&self, id: Digest, key: CellKey, unix: i64) {
        let mut before = lock(&self.before);
        if before.is_empty() {
            return;
        }
        if let Some(cell) = before.remove(&id) {
            drop(before);
            self.quotas.learn(key, cell, calendar::ended(unix));
        }
    }

    /// He was charged.
    pub(super) fn note(self: &Arc<Kept>, id: Digest, key: CellKey) {
        {
            let mut changed = lock(&self.changed);
            if changed.len() < MOST || changed.contains_key(&id) {
                changed.insert(id, key);
            }
        }
        if self.told.load(Ordering::Relaxed) || self.told.swap(true, Ordering::AcqRel) {
            return;
        }
        // Taken back however the task ends: with its runtime, too.
        let teller = Teller(self.clone());
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            tokio::time::sleep(GATHER).await;
            let kept = teller.0.clone();
            drop(teller);
            kept.tell().await;
        });
    }

    /// Tells the store now. What it cannot keep is told the next time.
    pub(crate) async fn tell(self: &Arc<Kept>) {
        let changed = std::mem::take(&mut *lock(&self.changed));
        if changed.is_empty() {
            return;
        }
        let record = |(id, key): (&Digest, &CellKey)| {
            // As it is now: a charge may have been taken back.
            let (end, used) = calendar::parts(self.quotas.tat(key));
            let number = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
            (end > 0).then(|| QuotaRecord { id: *id, end: number(end), used: number(used) })
        };
        let used: Vec<QuotaRecord> = changed.iter().filter_map(record).collect();
        let now = u32::try_from(self.clock.unix().max(0) / 60).unwrap_or(u32::MAX);
        let store = self.store.clone();
        // On a thread that may wait: a file is written through to its disk.
        let keep = move || at_once(store.keep_quotas(&used, now)).unwrap_or(Ok(()));
        let done = tokio::task::spawn_blocking(keep).await.map_err(StoreError::new);
        if let Err(cause) | Ok(Err(cause)) = done {
            tracing::error!(target: "gatewright::limits", %cause, "what was used of quotas could not be kept; it will be tried again");
            let mut again = lock(&self.changed);
            for (id, key) in changed {
                again.entry(id).or_insert(key);
            }
        }
    }
}

/// Whoever tells the store next.
struct Teller(Arc<Kept>);

impl Drop for Teller {
    fn drop(&mut self) {
        self.0.told.store(false, Ordering::Release);
    }
}
