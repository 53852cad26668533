//! Places among what runs of one caller, which several servers share. A place in the store is a lease: a request that ends gives
//! it back, one that goes on has it prolonged, and that of a server that died ends by itself. So no crash locks a caller out for
//! longer than a lease.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use tokio::runtime::Handle;
use tokio::sync::RwLock;

use crate::shared::{Script, Store};

/// How long the store may take for what no request waits for.
const PATIENCE: Duration = Duration::from_secs(1);
/// Leases that are prolonged in one step of the store.
const BATCH: usize = 500;

/// The leases of one server.
pub(crate) struct Leases {
    store: Arc<Store>,
    length: Duration,
    /// What this server's leases are called, so that no other server has one of the name.
    server: String,
    next: AtomicU64,
    /// Those that run, each with its keys.
    held: Mutex<HashMap<u64, Arc<[String]>>>,
    /// Leases are given back beside one another and never while others are prolonged: what was given back would be taken again.
    turn: RwLock<()>,
    /// Whether somebody prolongs them.
    watched: AtomicBool,
}

/// The places of one request in the store, until it is dropped.
pub(crate) struct Lease {
    leases: Arc<Leases>,
    number: u64,
    keys: Arc<[String]>,
    /// Whether the store may have it.
    taken: bool,
}

impl Leases {
    pub(crate) fn new(store: Arc<Store>, length: Duration) -> Leases {
        let mut random = [0; 12];
        // Where there is no randomness, the process and its address space tell servers apart.
        if SystemRandom::new().fill(&mut random).is_err() {
            let place = (&raw const random).addr() as u64 ^ u64::from(std::process::id()) << 32;
            random.iter_mut().zip(place.to_le_bytes()).for_each(|(byte, of)| *byte = of);
        }
        Leases {
            store,
            length: length.max(Duration::from_secs(1)),
            server: random.iter().map(|byte| format!("{byte:02x}")).collect(),
            next: AtomicU64::new(0),
            held: Mutex::default(),
            turn: RwLock::new(()),
            watched: AtomicBool::new(false),
        }
    }

    /// Leases that are about to be asked for. From here on the store may have them, however the question ends.
    pub(super) fn ask(self: &Arc<Leases>, keys: &[String]) -> Lease {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        Lease { leases: self.clone(), number, keys: keys.into(), taken: true }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<u64, Arc<[String]>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn name(&self, number: u64) -> String {
        format!("{}-{number}", self.server)
    }

    fn milliseconds(&self) -> String {
        self.length.as_millis().to_string()
    }

    /// Prolongs all that run. One that the store has lost, it has again.
    async fn prolong(&self) {
        let _turn = self.turn.write().await;
        let held: Vec<(String, String)> = self
            .held()
            .iter()
            .flat_map(|(number, keys)| keys.iter().map(|key| (key.clone(), self.name(*number))))
            .collect();
        for batch in held.chunks(BATCH) {
            let keys = batch.iter().map(|(key, _)| key.clone()).collect();
            let names = batch.iter().map(|(_, name)| name.clone().into_bytes());
            let arguments = std::iter::once(self.milliseconds().into_bytes()).chain(names).collect();
            // While the store is away they may end; they are taken again when it is back.
            if self.store.run(PATIENCE, Script::Prolong, keys, arguments).await.is_err() {
                return;
            }
        }
    }

    fn watch(self: &Arc<Leases>) {
        if self.watched.load(Ordering::Relaxed) || self.watched.swap(true, Ordering::AcqRel) {
            return;
        }
        let watcher = Watcher(Arc::downgrade(self));
        let Ok(runtime) = Handle::try_current() else { return };
        let every = self.length / 3;
        runtime.spawn(async move {
            loop {
                tokio::time::sleep(every).await;
                let Some(leases) = watcher.0.upgrade() else { return };
                if leases.held().is_empty() {
                    drop(watcher);
                    // One that was taken between that look and now.
                    if !leases.held().is_empty() {
                        leases.watch();
                    }
                    return;
                }
                leases.prolong().await;
            }
        });
    }
}

impl Lease {
    /// `NAME MILLISECONDS`, as the store is told.
    pub(super) fn said(&self) -> String {
        format!("{} {}", self.leases.name(self.number), self.leases.milliseconds())
    }

    /// The store refused: it has none of it.
    pub(super) fn refused(mut self) {
        self.taken = false;
    }

    /// The store has it: it is prolonged until it is dropped.
    pub(super) fn keep(&self) {
        self.leases.held().insert(self.number, self.keys.clone());
        self.leases.watch();
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.taken {
            return;
        }
        self.leases.held().remove(&self.number);
        // Without a runtime, or with a store that is away, it ends by itself.
        let Ok(runtime) = Handle::try_current() else { return };
        if self.leases.store.is_away() {
            return;
        }
        let (leases, number, keys) = (self.leases.clone(), self.number, self.keys.to_vec());
        runtime.spawn(async move {
            let _turn = leases.turn.read().await;
            let name = leases.name(number).into_bytes();
            // What cannot be given back ends by itself.
            let _ = leases.store.run(PATIENCE, Script::Leave, keys, vec![name]).await;
        });
    }
}

/// Whoever prolongs leases. However the task ends, with its runtime too, the next lease finds another. Nothing is begun here: a
/// runtime that ends drops what is given to it at once, and that would begin again.
struct Watcher(Weak<Leases>);

impl Drop for Watcher {
    fn drop(&mut self) {
        if let Some(leases) = self.0.upgrade() {
            leases.watched.store(false, Ordering::Release);
        }
    }
}
