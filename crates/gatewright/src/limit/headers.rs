//! `RateLimit-Policy` and `RateLimit`, as draft-ietf-httpapi-ratelimit-headers-10 has them: `q` requests in `w` seconds;
//! `r` more would pass now, one more than that after `t` seconds. At `r=0` that is when to try again. How many may run at once
//! has no time: `qu="concurrent-requests"`.

use gatewright_policy::Rate;
use http::header::{HeaderName, HeaderValue};
use smallvec::SmallVec;

use super::gcra::Over;
use super::rules::Rules;
use super::table::Charge;

pub(crate) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
pub(crate) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Where a caller stands with each limit that was looked at. On the heap: it goes with the request through every step, and
/// each would copy what lies inline.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing(pub(crate) Vec<Entry>);

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) rate: Rate,
    pub(crate) remaining: u32,
    /// Nanoseconds.
    pub(crate) next: u64,
    /// Whether this is a limit that refused.
    pub(crate) violated: bool,
    /// Whether it counts what runs at once.
    pub(crate) concurrent: bool,
    pub(crate) charge: Option<Charge>,
}

impl Entry {
    /// Of a limit that refused.
    pub(crate) fn over(name: &'static str, rate: Rate, over: Over) -> Entry {
        Entry {
            name,
            rate,
            remaining: over.remaining,
            next: over.wait,
            violated: true,
            concurrent: false,
            charge: None,
        }
    }
}

/// Whole seconds, never too few.
pub(crate) fn seconds(nanoseconds: u64) -> u64 {
    nanoseconds.div_ceil(1_000_000_000).max(1)
}

/// `"name";q=60;w=60`, separated by commas.
pub(super) fn policy<'n>(limits: impl Iterator<Item = (&'n str, Rate, bool)>) -> Option<HeaderValue> {
    let (mut text, mut digits) = (String::new(), itoa::Buffer::new());
    for (name, rate, concurrent) in limits {
        if !text.is_empty() {
            text.push_str(", ");
        }
        for part in ["\"", name, "\";q=", digits.format(rate.limit)] {
            text.push_str(part);
        }
        if concurrent {
            text.push_str(";qu=\"concurrent-requests\"");
        } else {
            text.push_str(";w=");
            text.push_str(digits.format(rate.window));
        }
    }
    HeaderValue::try_from(text).ok()
}

impl Standing {
    /// `RateLimit-Policy` and `RateLimit`, where there is something to tell. `rules` are the operation's own; their policy may be
    /// written already.
    pub(crate) fn told(&self, rules: Option<&Rules>, redirects: bool) -> Option<(HeaderValue, HeaderValue)> {
        // A client that follows a redirect must not be told to wait first.
        if self.0.is_empty() || (redirects && self.0.iter().any(|e| e.remaining == 0)) {
            return None;
        }
        let known = rules.and_then(|rules| rules.policy_of(self.0.len())).cloned();
        let of_entries = || policy(self.0.iter().map(|entry| (entry.name, entry.rate, entry.concurrent)));
        let mut digits = itoa::Buffer::new();
        // On the stack: the value of a field has a buffer of its own.
        let mut text: SmallVec<[u8; 256]> = SmallVec::new();
        text.reserve(self.0.iter().map(|entry| entry.name.len() + 48).sum());
        for entry in &self.0 {
            if !text.is_empty() {
                text.extend(*b", ");
            }
            text.push(b'"');
            text.extend_from_slice(entry.name.as_bytes());
            text.extend(*b"\";r=");
            text.extend_from_slice(digits.format(entry.remaining).as_bytes());
            if !entry.concurrent {
                text.extend(*b";t=");
                text.extend_from_slice(digits.format(seconds(entry.next)).as_bytes());
            }
        }
        Some((known.or_else(of_entries)?, HeaderValue::from_bytes(&text).ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows: R8.
    #[test]
    fn who_is_sent_elsewhere_is_not_told_to_wait() {
        let rate = Rate { limit: 2, window: 60, burst: 2 };
        let standing = |remaining| {
            let over = Over { wait: 30_000_000_000, remaining };
            Standing([Entry::over("ip", rate, over)].into_iter().collect())
        };
        for (remaining, redirects, said) in [(1, true, true), (0, true, false), (0, false, true)] {
            assert_eq!(standing(remaining).told(None, redirects).is_some(), said, "{remaining}");
        }
    }
}
