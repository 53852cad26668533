//! Time, as the guards see it: two readings, so that a wall clock which jumps cannot lock anybody out of a limit.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Where the time comes from. Tests inject `FakeClock`.
pub trait Clock: Send + Sync + 'static {
    /// Wall-clock seconds since 1970: for tokens, lifecycles and audit records.
    fn unix(&self) -> i64;
    /// Nanoseconds since some fixed moment, never going back: for limits and deadlines.
    fn monotonic(&self) -> u64;
    /// Both, for the moment `at`, which was read a moment ago: a clock that counts from the machine's own need not read it
    /// again.
    fn readings(&self, at: Instant) -> Readings {
        let _ = at;
        Readings { unix: self.unix(), monotonic: self.monotonic() }
    }
}

/// What a clock says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readings {
    /// As [`Clock::unix`].
    pub unix: i64,
    /// As [`Clock::monotonic`].
    pub monotonic: u64,
}

/// How long it may take until a wall clock that was set is followed, in nanoseconds of the monotonic one.
const FOLLOWED: u64 = 1_000_000_000;

/// The machine's clocks.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
    /// Wall-clock nanoseconds since 1970 at monotonic 0, and when that was found. Whoever writes them late writes what was
    /// true a moment ago, so neither needs the other.
    ahead: AtomicI64,
    found: AtomicU64,
}

impl SystemClock {
    /// Monotonic time counts from now.
    #[must_use]
    pub fn new() -> SystemClock {
        let (start, wall) = (Instant::now(), wall());
        SystemClock { start, ahead: wall.into(), found: 0.into() }
    }

    fn monotonic_at(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.start).as_nanos()).unwrap_or(u64::MAX)
    }
}

/// Nanoseconds since 1970. Before that the clock is unset: time 0 then refuses every token as issued in the future.
fn wall() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_nanos()).unwrap_or(i64::MAX))
}

impl Default for SystemClock {
    fn default() -> SystemClock {
        SystemClock::new()
    }
}

impl Clock for SystemClock {
    fn unix(&self) -> i64 {
        wall() / 1_000_000_000
    }

    fn monotonic(&self) -> u64 {
        self.monotonic_at(Instant::now())
    }

    /// The wall clock is read once a second, and reckoned in between.
    fn readings(&self, at: Instant) -> Readings {
        let monotonic = self.monotonic_at(at);
        let since = i64::try_from(monotonic).unwrap_or(i64::MAX);
        if monotonic.saturating_sub(self.found.load(Ordering::Relaxed)) >= FOLLOWED {
            self.ahead.store(wall().saturating_sub(since), Ordering::Relaxed);
            self.found.store(monotonic, Ordering::Relaxed);
        }
        let wall = self.ahead.load(Ordering::Relaxed).saturating_add(since);
        Readings { unix: wall / 1_000_000_000, monotonic }
    }
}

/// A clock that stands still until it is moved.
#[cfg(any(test, feature = "testing"))]
#[derive(Debug)]
pub struct FakeClock {
    unix: std::sync::atomic::AtomicI64,
    monotonic: std::sync::atomic::AtomicU64,
}

#[cfg(any(test, feature = "testing"))]
impl FakeClock {
    /// Stands at this many seconds since 1970.
    #[must_use]
    pub fn at(unix: i64) -> FakeClock {
        FakeClock { unix: unix.into(), monotonic: 1_000_000_000.into() }
    }

    /// Moves both readings on.
    pub fn advance(&self, by: std::time::Duration) {
        use std::sync::atomic::Ordering::SeqCst;
        // Sub-second steps gather in the monotonic reading; the wall clock follows its whole seconds.
        let nanos = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        let before = self.monotonic.fetch_add(nanos, SeqCst);
        let seconds = (before + nanos) / 1_000_000_000 - before / 1_000_000_000;
        self.unix.fetch_add(i64::try_from(seconds).unwrap_or(i64::MAX), SeqCst);
    }

    /// Sets the wall clock alone, as an administrator would.
    pub fn set_unix(&self, unix: i64) {
        self.unix.store(unix, std::sync::atomic::Ordering::SeqCst);
    }
}

#[cfg(any(test, feature = "testing"))]
impl Clock for FakeClock {
    fn unix(&self) -> i64 {
        self.unix.load(std::sync::atomic::Ordering::SeqCst)
    }

    fn monotonic(&self) -> u64 {
        self.monotonic.load(std::sync::atomic::Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn one_look_gives_both_readings() {
        let clock = SystemClock::new();
        let at = Instant::now();
        let readings = clock.readings(at);
        assert!((readings.unix - clock.unix()).abs() <= 1);
        assert!(readings.monotonic <= clock.monotonic());
        assert_eq!(clock.readings(at), readings);
        let later = clock.readings(at + Duration::from_secs(90));
        assert_eq!(later.monotonic - readings.monotonic, 90_000_000_000);
    }

    #[test]
    fn a_wall_clock_that_is_set_is_followed_within_a_second() {
        let clock = SystemClock::new();
        // As if it had been read when the wall clock was an hour ahead.
        clock.ahead.fetch_add(3_600_000_000_000, Ordering::Relaxed);
        let soon = clock.start + Duration::from_nanos(FOLLOWED - 1);
        assert!(clock.readings(soon).unix >= clock.unix() + 3_599);
        let then = clock.start + Duration::from_nanos(FOLLOWED);
        assert!((clock.readings(then).unix - clock.unix()).abs() <= 1);
    }
}
