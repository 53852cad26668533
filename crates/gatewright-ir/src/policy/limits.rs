//! How often an operation may be called, and what becomes of a request that is sent twice.

use gatewright_diag::{Span, Spanned};
use gatewright_policy::Rate;

use super::Setting;

/// One rate limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// What it counts by, all together; empty only for an action, whose own limits say it.
    pub by: Vec<LimitKey>,
    /// What it counts.
    pub measure: Measure,
    /// How much.
    pub quota: Quota,
    /// Where it stands.
    pub span: Span,
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Measure {
    /// `limit`: requests in a time that rolls.
    #[default]
    Rate,
    /// `quota`: requests in a calendar day or month of UTC; [`Rate::period`] says which.
    Calendar,
    /// `concurrent`: requests that run at once; [`Rate::limit`] says how many.
    Concurrent,
}

impl Measure {
    /// A rate as its key writes it.
    pub fn written(self, rate: &Rate) -> String {
        match self {
            Measure::Rate => rate.to_string(),
            Measure::Calendar => format!("{}/{}", rate.limit, rate.period().as_str()),
            Measure::Concurrent => rate.limit.to_string(),
        }
    }
}

/// What a limit counts by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LimitKey {
    /// `ip`
    Address,
    /// `user`
    User,
    /// `key`
    ApiKey,
    /// `client`
    Client,
    /// `level`
    Level,
    /// `claim:NAME`, by path.
    Claim(Vec<String>),
}

/// How much a limit admits.
#[derive(Clone, Debug, PartialEq)]
pub enum Quota {
    /// The same for everybody.
    Flat(Setting<Rate>),
    /// By role or level; the largest that the caller has counts.
    ByName {
        /// Where no other counts.
        default: Setting<Rate>,
        /// By the name of a role or level.
        rates: Vec<(Spanned<String>, Setting<Rate>)>,
    },
    /// The level's own rate.
    OfLevel,
    /// A named bucket.
    Action(Spanned<String>),
}

/// `idempotency`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// `required`
    pub required: bool,
    /// `expires`, seconds.
    pub expires: u32,
}

/// `limits`: what a shared store of counters does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedLimits {
    /// `on-outage: local`: each server counts for itself while the store is away. Otherwise requests are refused.
    pub local_on_outage: bool,
    /// `store-budget`, milliseconds.
    pub store_budget: u32,
}

impl Default for SharedLimits {
    fn default() -> SharedLimits {
        SharedLimits { local_on_outage: false, store_budget: 20 }
    }
}

/// A named bucket.
#[derive(Clone, Debug)]
pub struct Action {
    /// Its name.
    pub name: Spanned<String>,
    /// Its limits.
    pub limits: Vec<Limit>,
}
