//! Limits: rates by GCRA, quotas by the calendar, and how many run at once; over a bounded table, so that an attacker with a million addresses costs memory that was set aside
//! beforehand, and never the state of somebody who is limited.

#[cfg(feature = "testing")]
mod alone;
mod calendar;
mod charge;
#[cfg(all(test, feature = "redis"))]
mod conformance;
mod gcra;
mod headers;
mod kept;
mod key;
mod lease;
mod meter;
mod much;
mod remote;
mod rules;
mod running;
mod table;

#[cfg(feature = "testing")]
pub use alone::Limiter;
pub(crate) use charge::Charged;
pub(crate) use headers::{RATE_LIMIT, RATE_LIMIT_POLICY, Standing};
pub(crate) use kept::Kept;
pub(crate) use key::KeyHasher;
pub(crate) use key::counted;
pub(crate) use lease::Leases;
pub(crate) use remote::{Remote, away};
pub(crate) use rules::{Buckets, CallerFacts, Rules};
pub(crate) use running::{Held, Running, Slots};
pub(crate) use table::Table;
