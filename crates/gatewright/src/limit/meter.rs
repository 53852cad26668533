//! How a cell is read: as a rate's, or as a quota's.

use super::calendar::Calendar;
use super::gcra::{Gcra, Verdict};

/// What one limit does with its cell for one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meter {
    Rate(Gcra),
    Quota(Calendar),
}

impl From<Gcra> for Meter {
    fn from(gcra: Gcra) -> Meter {
        Meter::Rate(gcra)
    }
}

impl Meter {
    /// `now` is in nanoseconds; a quota has its own time.
    pub(super) fn check(self, cell: u64, now: u64) -> Verdict {
        match self {
            Meter::Rate(gcra) => gcra.check(cell, now),
            Meter::Quota(calendar) => calendar.check(cell),
        }
    }

    pub(super) fn refunded(self, cell: u64) -> u64 {
        match self {
            Meter::Rate(gcra) => gcra.refunded(cell),
            Meter::Quota(calendar) => calendar.refunded(cell),
        }
    }

    pub(super) fn cost(self) -> u32 {
        match self {
            Meter::Rate(gcra) => gcra.cost(),
            Meter::Quota(calendar) => calendar.cost,
        }
    }
}
