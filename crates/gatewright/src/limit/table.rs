//! The cells: sharded, bounded. Those of rates and of quotas lie in a table each, since each counts in its own time. A cell whose
//! TAT has passed carries no state and may go; one that limits somebody never
//! does. When a shard is full of those, newcomers share the overflow cell of their bucket.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use std::hash::BuildHasher;

use super::gcra::{Over, Verdict};
use super::key::CellKey;
use super::meter::Meter;

const SHARDS: usize = 64;

/// A full shard is swept at most this often, so that an attacker cannot make every request pay for a sweep.
const SWEEP_EVERY: u64 = 1_000_000_000;

/// A table of cells.
pub(crate) struct Table {
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    per_shard: usize,
}

#[derive(Default)]
struct Shard {
    cells: HashMap<CellKey, u64, RandomState>,
    /// By bucket: as many as the spec has limits.
    overflow: HashMap<u32, u64, RandomState>,
    next_sweep: u64,
}

/// Which cell was charged, so that the charge can be taken back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Charge {
    key: CellKey,
    overflow: bool,
    meter: Meter,
}

impl Charge {
    pub(super) fn meter(&self) -> Meter {
        self.meter
    }
}

impl Table {
    /// A table of at most `keys` cells and the overflow cells.
    pub(crate) fn new(keys: usize) -> Table {
        Table {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::default(),
            per_shard: keys.div_ceil(SHARDS).max(1),
        }
    }

    fn shard(&self, key: &CellKey) -> Option<MutexGuard<'_, Shard>> {
        // The upper half picks the shard; the map inside uses a hash of its own seed.
        let index = usize::try_from(self.hasher.hash_one(key) >> 32).unwrap_or(0) % self.shards.len().max(1);
        // A panic while a shard was locked leaves a number in a cell: never a broken state.
        self.shards.get(index).map(|s| s.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Charges one request, or says how long to wait.
    pub(crate) fn charge(&self, key: CellKey, meter: Meter, now: u64) -> Result<(Charge, Verdict), Over> {
        let Some(mut shard) = self.shard(&key) else { return Err(Over { wait: 1, remaining: 0 }) };
        let shard = &mut *shard;
        // Nearly every request comes from somebody who is known.
        if let Some(cell) = shard.cells.get_mut(&key) {
            return charged(cell, Charge { key, overflow: false, meter }, now);
        }
        let overflow = !shard.has_room(self.per_shard, now);
        let cell = if overflow {
            shard.overflow.entry(key.bucket()).or_insert(0)
        } else {
            shard.cells.entry(key).or_insert(0)
        };
        charged(cell, Charge { key, overflow, meter }, now)
    }

    /// The TAT of a cell; 0 where there is none.
    pub(crate) fn tat(&self, key: &CellKey) -> u64 {
        self.shard(key).and_then(|shard| shard.cells.get(key).copied()).unwrap_or(0)
    }

    /// Takes over the TAT that a store said, where there is room for it and it says more than what is known.
    pub(crate) fn learn(&self, key: CellKey, tat: u64, now: u64) {
        let Some(mut shard) = self.shard(&key) else { return };
        if let Some(cell) = shard.cells.get_mut(&key) {
            *cell = tat.max(*cell);
        } else if tat > now && shard.has_room(self.per_shard, now) {
            shard.cells.insert(key, tat);
        }
    }

    /// Lets no cell of a bucket lie further ahead than this.
    pub(crate) fn shorten(&self, bucket: u32, most: u64) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let Shard { cells, overflow, .. } = &mut *shard;
            let cells = cells.iter_mut().filter(|(key, _)| key.bucket() == bucket).map(|(_, cell)| cell);
            cells.chain(overflow.get_mut(&bucket)).for_each(|cell| *cell = most.min(*cell));
        }
    }

    /// How long a request would have to wait; nothing is charged.
    pub(crate) fn peek(&self, key: CellKey, meter: Meter, now: u64) -> Option<Over> {
        match meter.check(self.tat(&key), now) {
            Verdict::Refuse(over) => Some(over),
            Verdict::Pass { .. } => None,
        }
    }

    /// Takes a charge back; how much it was.
    pub(crate) fn refund(&self, charge: Charge) -> u32 {
        let Some(mut shard) = self.shard(&charge.key) else { return 0 };
        let cell = if charge.overflow {
            shard.overflow.get_mut(&charge.key.bucket())
        } else {
            shard.cells.get_mut(&charge.key)
        };
        if let Some(cell) = cell {
            *cell = charge.meter.refunded(*cell);
        }
        charge.meter.cost()
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.shards.iter().map(|s| s.lock().unwrap().cells.len()).sum()
    }
}

/// Charges one cell.
fn charged(cell: &mut u64, charge: Charge, now: u64) -> Result<(Charge, Verdict), Over> {
    match charge.meter.check(*cell, now) {
        Verdict::Refuse(over) => Err(over),
        pass @ Verdict::Pass { tat, .. } => {
            *cell = tat;
            Ok((charge, pass))
        }
    }
}

impl Shard {
    fn has_room(&mut self, most: usize, now: u64) -> bool {
        if self.cells.len() >= most && now >= self.next_sweep {
            self.next_sweep = now.saturating_add(SWEEP_EVERY);
            self.cells.retain(|_, tat| *tat > now);
        }
        self.cells.len() < most
    }
}

#[cfg(test)]
mod tests {
    use super::super::gcra::Gcra;
    use super::*;
    use gatewright_policy::Rate;

    const HOUR: Rate = Rate { limit: 2, window: 3_600, burst: 2 };

    fn key(n: u64) -> CellKey {
        let address = std::net::Ipv6Addr::from(u128::from(n) << 64 | 1 << 127);
        super::super::key::address(1, Some(address.into()))
    }

    /// Rows: R10.
    #[test]
    fn a_flood_of_keys_stays_within_the_cap_and_frees_nobody() {
        let table = Table::new(640);
        let gcra = Meter::from(Gcra::new(HOUR));
        let now = 1;
        for _ in 0..2 {
            table.charge(key(0), gcra, now).unwrap();
        }
        assert!(table.charge(key(0), gcra, now).is_err());
        let mut passed = 0;
        for n in 1..1_000_000 {
            passed += u32::from(table.charge(key(n), gcra, now + n).is_ok());
        }
        assert!(table.len() <= 640, "{}", table.len());
        // Each cell once, and each shard's overflow cell twice.
        assert!(passed <= 640 + 2 * 64, "{passed}");
        assert!(table.charge(key(0), gcra, now + 1_000_000).is_err(), "a limited key stays limited");
    }

    /// The bound of the default table, which `Config::limiter_keys` says.
    ///
    /// Rows: R10.
    #[test]
    fn ten_million_keys_take_no_more_than_was_set_aside() {
        let table = Table::new(1 << 20);
        let gcra = Meter::from(Gcra::new(HOUR));
        for _ in 0..2 {
            table.charge(key(0), gcra, 1).unwrap();
        }
        for n in 1..10_000_000 {
            let _ = table.charge(key(n), gcra, 1);
        }
        assert!(table.len() <= 1 << 20);
        // A cell is a key and a number, and a byte that finds it; a map doubles, and is at most seven eighths full.
        let cells: usize =
            table.shards.iter().map(|s| (s.lock().unwrap().cells.capacity() * 8 / 7).next_power_of_two()).sum();
        let bytes = cells * (size_of::<(CellKey, u64)>() + 1);
        assert!(bytes <= 64 << 20, "{bytes}");
        assert!(table.charge(key(0), gcra, 1).is_err(), "a limited key stays limited");
    }

    #[test]
    fn spent_cells_make_room() {
        let table = Table::new(64);
        let gcra = Meter::from(Gcra::new(Rate { limit: 1, window: 1, burst: 1 }));
        for n in 0..10_000 {
            let _ = table.charge(key(n), gcra, 0);
        }
        let later = 10_000_000_000;
        for n in 10_000..10_020 {
            assert!(table.charge(key(n), gcra, later + n * SWEEP_EVERY).is_ok());
        }
    }

    #[test]
    fn a_refund_undoes_a_charge() {
        let table = Table::new(64);
        let gcra = Meter::from(Gcra::new(HOUR));
        for _ in 0..10 {
            let (charge, _) = table.charge(key(7), gcra, 1).unwrap();
            table.refund(charge);
        }
        table.charge(key(7), gcra, 1).unwrap();
        table.charge(key(7), gcra, 1).unwrap();
        assert!(table.peek(key(7), gcra, 1).is_some());
        assert!(table.charge(key(7), gcra, 1).is_err());
    }

    #[test]
    fn many_threads_pass_no_more_than_the_burst() {
        let table = Table::new(64);
        let gcra = Meter::from(Gcra::new(Rate { limit: 100, window: 3_600, burst: 100 }));
        let passed: usize = std::thread::scope(|scope| {
            let senders: Vec<_> = (0..10)
                .map(|_| scope.spawn(|| (0..50).filter(|_| table.charge(key(1), gcra, 1).is_ok()).count()))
                .collect();
            senders.into_iter().map(|s| s.join().unwrap()).sum()
        });
        assert_eq!(passed, 100);
    }
}
