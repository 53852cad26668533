//! The generic cell rate algorithm on one number: the theoretical arrival time (TAT) of the next request, in nanoseconds.
//!
//! A request is admitted if the TAT after it lies at most `burst` intervals ahead. So in any span of `t` at most
//! `burst + t / interval` pass. Division is rounded so that this holds exactly: an interval is never too short.

use gatewright_policy::Rate;

/// A rate in the units of the cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gcra {
    /// Nanoseconds that a request of cost 1 takes.
    interval: u64,
    /// Nanoseconds that this one takes.
    pub(crate) takes: u64,
    /// How far ahead the TAT may lie.
    pub(crate) tolerance: u64,
    burst: u32,
}

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The request passes; the cell becomes `tat`.
    Pass {
        tat: u64,
        /// How many more would pass now.
        remaining: u32,
        /// Nanoseconds until one more would.
        next: u64,
    },
    /// It does not.
    Refuse(Over),
}

/// By how much a request is too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Over {
    /// Nanoseconds until it would pass.
    pub(crate) wait: u64,
    /// How much would pass now: not nothing, where a request costs more than 1.
    pub(crate) remaining: u32,
}

impl Gcra {
    pub(crate) fn new(rate: Rate) -> Gcra {
        let limit = u64::from(rate.limit.max(1));
        let interval = (u64::from(rate.window.max(1)) * 1_000_000_000).div_ceil(limit);
        let burst = rate.burst.max(1);
        Gcra { interval, takes: interval, tolerance: interval.saturating_mul(u64::from(burst)), burst }
    }

    /// The same rate, for a request that costs so much of it.
    pub(crate) fn costing(self, cost: u32) -> Gcra {
        Gcra { takes: self.interval.saturating_mul(u64::from(cost.max(1))), ..self }
    }

    /// How much a request costs.
    pub(crate) fn cost(self) -> u32 {
        u32::try_from(self.takes / self.interval).unwrap_or(u32::MAX)
    }

    pub(crate) fn check(self, tat: u64, now: u64) -> Verdict {
        let after = tat.max(now).saturating_add(self.takes);
        let ahead = after - now;
        if ahead > self.tolerance {
            let left = self.tolerance.saturating_sub(tat.saturating_sub(now)) / self.interval;
            let remaining = u32::try_from(left).unwrap_or(u32::MAX);
            return Verdict::Refuse(Over { wait: ahead - self.tolerance, remaining });
        }
        let used = ahead.div_ceil(self.interval);
        let remaining = u64::from(self.burst).saturating_sub(used);
        Verdict::Pass {
            tat: after,
            remaining: u32::try_from(remaining).unwrap_or(u32::MAX),
            next: ahead - (used - 1) * self.interval,
        }
    }

    /// The cell without a request that was charged and then not admitted.
    pub(crate) fn refunded(self, tat: u64) -> u64 {
        tat.saturating_sub(self.takes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What passed of requests that come and cost so.
    fn passed(rate: Rate, requests: &[(u64, u32)]) -> Vec<(u64, u32)> {
        let mut tat = 0;
        let mut passed = Vec::new();
        for &(now, cost) in requests {
            if let Verdict::Pass { tat: after, .. } = Gcra::new(rate).costing(cost).check(tat, now) {
                tat = after;
                passed.push((now, cost));
            }
        }
        passed
    }

    fn run(rate: Rate, arrivals: &[u64]) -> Vec<u64> {
        let gcra = Gcra::new(rate);
        let mut tat = 0;
        let mut passed = Vec::new();
        for &now in arrivals {
            if let Verdict::Pass { tat: after, .. } = gcra.check(tat, now) {
                tat = after;
                passed.push(now);
            }
        }
        passed
    }

    #[test]
    fn exactly_the_burst_passes_at_once() {
        let rate = Rate { limit: 10, window: 60, burst: 3 };
        assert_eq!(run(rate, &[5; 10]).len(), 3);
        let gcra = Gcra::new(rate);
        let Verdict::Pass { tat, remaining: 2, next } = gcra.check(0, 5) else { panic!() };
        assert_eq!(next, 6_000_000_000);
        let Verdict::Pass { tat, remaining: 1, .. } = gcra.check(tat, 5) else { panic!() };
        let Verdict::Pass { tat, remaining: 0, next } = gcra.check(tat, 5) else { panic!() };
        assert_eq!(gcra.check(tat, 5), Verdict::Refuse(Over { wait: next, remaining: 0 }));
        assert!(matches!(gcra.check(tat, 5 + next - 1), Verdict::Refuse(Over { wait: 1, remaining: 0 })));
        assert!(matches!(gcra.check(tat, 5 + next), Verdict::Pass { remaining: 0, .. }));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]
        #[test]
        fn no_window_passes_more_than_burst_and_rate(
            limit in 1u32..50, window in 1u32..20, burst in 1u32..40,
            steps in proptest::collection::vec(0u64..3_000_000_000, 1..200),
        ) {
            let mut now = 0;
            let arrivals: Vec<u64> = steps.iter().map(|s| { now += s; now }).collect();
            let passed = run(Rate { limit, window, burst }, &arrivals);
            for (i, from) in passed.iter().enumerate() {
                for (j, to) in passed.iter().enumerate().skip(i) {
                    let count = (j - i + 1) as u128;
                    let span = u128::from(to - from);
                    // count ≤ burst + span · limit / window, without rounding.
                    prop_assert!(
                        (count.saturating_sub(u128::from(burst))) * u128::from(window) * 1_000_000_000
                            <= span * u128::from(limit)
                    );
                }
            }
        }

        #[test]
        fn no_window_passes_more_whatever_requests_cost(
            limit in 1u32..50, window in 1u32..20, burst in 1u32..40,
            requests in proptest::collection::vec((0u64..3_000_000_000, 1u32..45), 1..200),
        ) {
            let mut now = 0;
            let requests: Vec<_> = requests.iter().map(|(step, cost)| { now += step; (now, *cost) }).collect();
            let passed = passed(Rate { limit, window, burst }, &requests);
            prop_assert!(passed.iter().all(|(_, cost)| *cost <= burst));
            for (i, (from, _)) in passed.iter().enumerate() {
                let mut taken = 0u128;
                for (to, cost) in passed.iter().skip(i) {
                    taken += u128::from(*cost);
                    let span = u128::from(to - from);
                    // taken ≤ burst + span · limit / window, without rounding.
                    let over = taken.saturating_sub(u128::from(burst));
                    prop_assert!(over * u128::from(window) * 1_000_000_000 <= span * u128::from(limit));
                }
            }
        }

        #[test]
        fn whoever_keeps_the_rate_is_never_refused(limit in 1u32..1000, window in 1u32..100, n in 1usize..200) {
            let interval = (u64::from(window) * 1_000_000_000).div_ceil(u64::from(limit));
            let arrivals: Vec<u64> = (0..n as u64).map(|i| i * interval).collect();
            prop_assert_eq!(run(Rate { limit, window, burst: 1 }, &arrivals).len(), n);
        }
    }
}
