//! Time, as the guards see it: two readings, so that a wall clock which jumps cannot lock anybody out of a limit.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Where the time comes from. Tests inject `FakeClock`.
pub trait Clock: Send + Sync + 'static {
    /// Wall-clock seconds since 1970: for tokens, lifecycles and audit records.
    fn unix(&self) -> i64;
    /// Nanoseconds since some fixed moment, never going back: for limits and deadlines.
    fn monotonic(&self) -> u64;
}

/// The machine's clocks.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// Monotonic time counts from now.
    #[must_use]
    pub fn new() -> SystemClock {
        SystemClock { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> SystemClock {
        SystemClock::new()
    }
}

impl Clock for SystemClock {
    fn unix(&self) -> i64 {
        // Before 1970 the clock is unset: time 0 then refuses every token as issued in the future.
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(i64::MAX))
    }

    fn monotonic(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
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
