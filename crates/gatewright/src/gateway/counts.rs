//! What is counted of each operation: how its requests ended, and how long they took. The numbers have their places at
//! start, so that counting is an addition, and so that no client can make a new series.

use std::sync::atomic::{AtomicU64, Ordering};

use gatewright_policy::Refusal;
use http::StatusCode;

/// Bounds of the times, in nanoseconds; longer ones are in the last place.
pub(crate) const BOUNDS: [u64; 12] = [
    100_000,
    500_000,
    1_000_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    1_000_000_000,
    5_000_000_000,
    30_000_000_000,
];

/// The numbers of one operation.
#[derive(Debug)]
pub(crate) struct Counts {
    refused: [AtomicU64; Refusal::ALL.len()],
    /// By the class of the status, `1xx` first.
    answered: [AtomicU64; 5],
    times: [AtomicU64; BOUNDS.len() + 1],
    nanoseconds: AtomicU64,
}

/// How a request ended, and how often.
#[cfg_attr(not(feature = "metrics"), allow(dead_code, reason = "read where they are shown"))]
pub(crate) enum Ended {
    Refused(Refusal),
    /// The class: 2 for `2xx`.
    Answered(usize),
}

impl Counts {
    pub(crate) fn new() -> Counts {
        let zero = |_| AtomicU64::new(0);
        Counts {
            refused: std::array::from_fn(zero),
            answered: std::array::from_fn(zero),
            times: std::array::from_fn(zero),
            nanoseconds: AtomicU64::new(0),
        }
    }

    pub(crate) fn refused(&self, refusal: Refusal, nanoseconds: u64) {
        // The table has them in the order of the enumeration.
        add(self.refused.get(refusal as usize), 1);
        self.took(nanoseconds);
    }

    pub(crate) fn answered(&self, status: StatusCode, nanoseconds: u64) {
        add(self.answered.get(usize::from(status.as_u16() / 100).saturating_sub(1)), 1);
        self.took(nanoseconds);
    }

    fn took(&self, nanoseconds: u64) {
        add(self.times.get(BOUNDS.partition_point(|bound| *bound < nanoseconds)), 1);
        add(Some(&self.nanoseconds), nanoseconds);
    }
}

#[cfg_attr(not(feature = "metrics"), allow(dead_code, reason = "read where they are shown"))]
impl Counts {
    /// Each way in which a request ended, where one did.
    pub(crate) fn ended(&self) -> impl Iterator<Item = (Ended, u64)> + '_ {
        let refused = Refusal::ALL.iter().zip(&self.refused).map(|(why, n)| (Ended::Refused(*why), read(n)));
        let answered = self.answered.iter().enumerate().map(|(i, n)| (Ended::Answered(i + 1), read(n)));
        refused.chain(answered).filter(|(_, n)| *n > 0)
    }

    /// The sum of all times in seconds, and how many fell under each bound; the last place is for those above all.
    pub(crate) fn times(&self) -> (f64, [u64; BOUNDS.len() + 1]) {
        #[allow(clippy::cast_precision_loss, reason = "a sum of seconds")]
        let seconds = read(&self.nanoseconds) as f64 / 1e9;
        (seconds, std::array::from_fn(|i| self.times.get(i).map_or(0, read)))
    }
}

fn add(to: Option<&AtomicU64>, n: u64) {
    if let Some(to) = to {
        to.fetch_add(n, Ordering::Relaxed);
    }
}

fn read(of: &AtomicU64) -> u64 {
    of.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_its_own_place() {
        for (place, refusal) in Refusal::ALL.into_iter().enumerate() {
            assert_eq!(refusal as usize, place, "{refusal:?}");
        }
    }

    #[test]
    fn what_ended_is_counted_where_it_belongs() {
        let counts = Counts::new();
        counts.refused(Refusal::RateLimited, 0);
        counts.refused(Refusal::Unavailable, 100_000);
        counts.answered(StatusCode::OK, 100_001);
        counts.answered(StatusCode::NOT_FOUND, u64::MAX / 2);
        let ended: Vec<_> = counts
            .ended()
            .map(|(how, n)| match how {
                Ended::Refused(why) => (format!("{why:?}"), n),
                Ended::Answered(class) => (format!("{class}xx"), n),
            })
            .collect();
        let want = [("RateLimited", 1), ("Unavailable", 1), ("2xx", 1), ("4xx", 1)];
        assert_eq!(ended, want.map(|(how, n)| (how.to_owned(), n)));
        let (_, times) = counts.times();
        assert_eq!((times[0], times[1], times[BOUNDS.len()]), (2, 1, 1));
    }
}
