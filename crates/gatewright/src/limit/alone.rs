//! The limiter without a server around it, for benchmarks.

use std::net::IpAddr;
use std::time::Instant;

use gatewright_policy::Rate;

use super::gcra::Gcra;
use super::key::address;
use super::table::Table;

/// One limit by address.
pub struct Limiter {
    table: Table,
    gcra: Gcra,
    start: Instant,
}

impl std::fmt::Debug for Limiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limiter").finish_non_exhaustive()
    }
}

impl Limiter {
    /// At most this many addresses are counted apart.
    #[must_use]
    pub fn new(rate: Rate, keys: usize) -> Limiter {
        Limiter { table: Table::new(keys), gcra: Gcra::new(rate), start: Instant::now() }
    }

    /// Charges a request; whether it may pass.
    #[must_use]
    pub fn pass(&self, from: IpAddr) -> bool {
        let now = u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.table.charge(address(1, Some(from)), self.gcra.into(), now).is_ok()
    }
}
