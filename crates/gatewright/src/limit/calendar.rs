//! Quotas of a calendar day or month of UTC. A cell is the end of its period, in minutes since 1970, above how much passed in
//! it: a later period is a larger number, and one that has ended says nothing any more.

use gatewright_policy::{Period, Rate};

use super::gcra::{Over, Verdict};

const DAY: i64 = 86_400;
const USED: u64 = 0xFFFF_FFFF;

/// A quota in the period that is now, and what a request takes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Calendar {
    limit: u32,
    pub(super) cost: u32,
    /// Minutes since 1970.
    end: u64,
    /// Nanoseconds until then.
    left: u64,
    /// Seconds from the beginning of the period to its end.
    length: u32,
}

impl Calendar {
    pub(super) fn new(rate: Rate, cost: u32, unix: i64) -> Calendar {
        let days = unix.max(0) / DAY;
        let (first, last) = match rate.period() {
            Period::Day => (days, days + 1),
            Period::Month => {
                let first = days - day_of_month(days) + 1;
                // No month is longer than 31 days, nor two of them shorter than the step into the second.
                let within = first + 31;
                (first, within - day_of_month(within) + 1)
            }
        };
        let number = |n: i64| u64::try_from(n).unwrap_or(0);
        Calendar {
            limit: rate.limit,
            cost,
            end: number(last * DAY / 60),
            left: number(last * DAY - unix).saturating_mul(1_000_000_000),
            length: u32::try_from((last - first) * DAY).unwrap_or(u32::MAX),
        }
    }

    /// As a store says it: when its period ends, and how many seconds are left of it.
    pub(super) fn of_store(self, end: u64, left: u64) -> Calendar {
        Calendar { end, left: left.saturating_mul(1_000_000_000), ..self }
    }

    /// As `RateLimit-Policy` shows it.
    pub(super) fn shown(self) -> Rate {
        Rate { limit: self.limit, window: self.length, burst: self.limit }
    }

    pub(super) fn limit(self) -> u32 {
        self.limit
    }

    /// A cell of this period.
    pub(super) fn cell(self, used: u64) -> u64 {
        self.end << 32 | used.min(USED)
    }

    /// What passed in this period. Where a clock was set back, so much passed in one that has not begun: it counts.
    fn used(self, cell: u64) -> u64 {
        if cell >> 32 >= self.end { cell & USED } else { 0 }
    }

    pub(super) fn check(self, cell: u64) -> Verdict {
        let used = self.used(cell);
        let after = used.saturating_add(u64::from(self.cost));
        let left = |used: u64| u32::try_from(u64::from(self.limit).saturating_sub(used)).unwrap_or(0);
        if after > u64::from(self.limit) {
            return Verdict::Refuse(Over { wait: self.left, remaining: left(used) });
        }
        Verdict::Pass { tat: self.cell(after), remaining: left(after), next: self.left }
    }

    /// The cell without a request that was charged and then not admitted.
    pub(super) fn refunded(self, cell: u64) -> u64 {
        if self.used(cell) >= u64::from(self.cost) { cell - u64::from(self.cost) } else { cell }
    }
}

/// The largest cell of a period that has ended.
pub(super) fn ended(unix: i64) -> u64 {
    u64::try_from(unix / 60).unwrap_or(0) << 32 | USED
}

/// The end and what was used of a cell.
pub(super) fn parts(cell: u64) -> (u64, u64) {
    (cell >> 32, cell & USED)
}

/// Of a day since 1970, which of its month it is, from 1 (Hinnant, `civil_from_days`).
fn day_of_month(days: i64) -> i64 {
    let shifted = days + 719_468;
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    of_year - (153 * month + 2) / 5 + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn quota(limit: u32, period: Period) -> Rate {
        Rate { limit, window: period.longest(), burst: limit }
    }

    /// 2026-02-28T23:59:59Z, and some others.
    #[test]
    fn periods_end_where_the_calendar_says() {
        for (unix, day, month, length) in [
            (0, 86_400, 31 * 86_400, 31),
            (1_772_323_199, 1_772_323_200, 1_772_323_200, 28),
            (1_772_323_200, 1_772_409_600, 1_775_001_600, 31),
            // 2028-02-29T12:00:00Z
            (1_835_438_400, 1_835_481_600, 1_835_481_600, 29),
            // 2026-12-31T00:00:00Z
            (1_798_675_200, 1_798_761_600, 1_798_761_600, 31),
            // 2100 is no leap year.
            (4_107_456_000, 4_107_542_400, 4_107_542_400, 28),
        ] {
            let of = |period| Calendar::new(quota(5, period), 1, unix);
            assert_eq!(of(Period::Day).end * 60, day, "{unix}");
            assert_eq!(of(Period::Month).end * 60, month, "{unix}");
            assert_eq!(of(Period::Month).length, length * 86_400, "{unix}");
            assert_eq!(of(Period::Day).left, (day - u64::try_from(unix).unwrap()) * 1_000_000_000);
        }
    }

    #[test]
    fn months_follow_one_another_for_centuries() {
        let mut first = 0;
        for n in 0..12 * 400 {
            assert_eq!(day_of_month(first), 1, "{n}");
            let month = Calendar::new(quota(1, Period::Month), 1, first * DAY);
            let days = i64::from(month.length) / DAY;
            assert!((28..=31).contains(&days));
            for day in 0..days {
                let other = Calendar::new(quota(1, Period::Month), 1, (first + day) * DAY + 7);
                assert_eq!((other.end, other.length), (month.end, month.length));
            }
            first += days;
        }
        assert_eq!(first, 146_097);
    }

    #[test]
    fn a_period_begins_with_all_of_its_quota() {
        let at = |unix| Calendar::new(quota(3, Period::Day), 2, unix);
        let Verdict::Pass { tat, remaining: 1, next } = at(1_000).check(0) else { panic!() };
        assert_eq!(next, 85_400_000_000_000);
        let over = Over { wait: 85_399_000_000_000, remaining: 1 };
        assert_eq!(at(1_001).check(tat), Verdict::Refuse(over));
        assert!(tat > ended(1_001) && tat > ended(86_399) && tat <= ended(86_400));
        assert!(matches!(at(86_400).check(tat), Verdict::Pass { remaining: 1, .. }));
        // A clock that was set back finds what passed before.
        let Verdict::Pass { tat: tomorrow, .. } = at(86_400).check(tat) else { panic!() };
        assert_eq!(at(1_000).check(tomorrow), Verdict::Refuse(Over { wait: 85_400_000_000_000, remaining: 1 }));
        assert_eq!(at(1_000).refunded(at(1_000).cell(2)), at(1_000).cell(0));
        assert_eq!(at(86_400).refunded(at(1_000).cell(2)), at(1_000).cell(2));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        /// In each calendar period passes at most the quota, whatever comes when and costs what.
        #[test]
        fn no_period_passes_more(
            limit in 1u32..40, month: bool,
            requests in proptest::collection::vec((0i64..400_000, 1u32..6), 1..200),
        ) {
            let period = if month { Period::Month } else { Period::Day };
            let (mut now, mut cell) = (1_790_000_000, 0);
            let mut passed = std::collections::BTreeMap::new();
            for (step, cost) in requests {
                now += step;
                let calendar = Calendar::new(quota(limit, period), cost, now);
                if let Verdict::Pass { tat, .. } = calendar.check(cell) {
                    cell = tat;
                    *passed.entry(calendar.end).or_insert(0) += cost;
                }
            }
            prop_assert!(passed.values().all(|all| *all <= limit), "{:?}", passed);
        }
    }
}
