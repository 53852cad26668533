//! `RateLimit-Policy` and `RateLimit`, as draft-ietf-httpapi-ratelimit-headers-10 has them: `q` requests in `w` seconds;
//! `r` more would pass now, one more than that after `t` seconds. At `r=0` that is when to try again.

use std::fmt::Write;

use gatewright_policy::Rate;
use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::table::Charge;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Where a caller stands with each limit that was looked at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing(pub(crate) Vec<Entry>);

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) rate: Rate,
    pub(crate) remaining: u32,
    /// Nanoseconds.
    pub(crate) next: u64,
    pub(crate) charge: Option<Charge>,
}

/// Whole seconds, never too few.
pub(crate) fn seconds(nanoseconds: u64) -> u64 {
    nanoseconds.div_ceil(1_000_000_000).max(1)
}

impl Standing {
    /// Writes both fields.
    pub(crate) fn write(&self, headers: &mut HeaderMap, redirects: bool) {
        // A client that follows a redirect must not be told to wait first.
        if self.0.is_empty() || (redirects && self.0.iter().any(|e| e.remaining == 0)) {
            return;
        }
        let mut policy = String::with_capacity(32 * self.0.len());
        let mut limit = String::with_capacity(32 * self.0.len());
        for entry in &self.0 {
            let comma = if policy.is_empty() { "" } else { ", " };
            // Writing to a String cannot fail.
            let _ = write!(policy, "{comma}\"{}\";q={};w={}", entry.name, entry.rate.limit, entry.rate.window);
            let _ = write!(limit, "{comma}\"{}\";r={};t={}", entry.name, entry.remaining, seconds(entry.next));
        }
        for (name, text) in [(POLICY, policy), (LIMIT, limit)] {
            if let Ok(value) = HeaderValue::try_from(text) {
                headers.insert(name, value);
            }
        }
    }
}
