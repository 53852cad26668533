//! How much a limit admits: to everybody, by what the caller may, or by his level; as the document says, or as the deployment
//! does, which may say otherwise while the server runs.

use arc_swap::ArcSwap;
use gatewright_policy::Rate;
use gatewright_policy::table::{ApiPolicy, Quota, Setting};

use super::gcra::Gcra;
use super::rules::CallerFacts;
use crate::config::Resolver;

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    Rate,
    Calendar,
    Concurrent,
}

impl Measure {
    /// What a limit counts, and how much of it.
    pub(super) fn of(quota: Quota) -> (Measure, Quota) {
        match quota {
            Quota::Calendar(quota) => (Measure::Calendar, *quota),
            Quota::Concurrent(quota) => (Measure::Concurrent, *quota),
            quota => (Measure::Rate, quota),
        }
    }

    pub(super) fn read(self, setting: Setting<Rate>, r: &mut Resolver) -> Option<Rate> {
        match self {
            Measure::Rate => r.amount(setting, Rate::parse),
            Measure::Calendar => r.amount(setting, Rate::quota),
            Measure::Concurrent => r.amount(setting, Rate::concurrent),
        }
    }
}

pub(super) type Quotum = (Rate, Gcra);

#[derive(Clone, PartialEq)]
pub(super) enum Resolved {
    Flat(Quotum),
    ByGrant { default: Quotum, rates: Box<[(u16, Quotum)]> },
    OfLevel(Box<[Quotum]>),
}

/// How much a limit admits.
pub(super) enum Much {
    /// As the document says.
    Fixed(Resolved),
    /// As the deployment says, which may say otherwise while the server runs.
    Set(ArcSwap<Resolved>),
}

impl Much {
    pub(super) fn of<T>(&self, ask: impl FnOnce(&Resolved) -> T) -> T {
        match self {
            Much::Fixed(much) => ask(much),
            Much::Set(much) => ask(&much.load()),
        }
    }
}

impl Resolved {
    pub(super) fn quotum(&self, facts: CallerFacts<'_>) -> Option<Quotum> {
        match self {
            Resolved::Flat(quotum) => Some(*quotum),
            Resolved::ByGrant { default, rates } => {
                let have = facts.identity.map_or(&[][..], |i| i.grants());
                let theirs = rates.iter().filter(|(bit, _)| crate::guard::holds(have, *bit)).map(|(_, q)| *q);
                // The largest by what it admits in the long run: limit per window, compared without rounding.
                let largest = theirs.max_by(|(a, _), (b, _)| {
                    (u64::from(a.limit) * u64::from(b.window)).cmp(&(u64::from(b.limit) * u64::from(a.window)))
                });
                Some(largest.unwrap_or(*default))
            }
            Resolved::OfLevel(rates) => rates.get(usize::from(facts.identity?.level_index()?)).copied(),
        }
    }

    pub(super) fn longest(&self) -> u64 {
        let all: &mut dyn Iterator<Item = &Quotum> = match self {
            Resolved::Flat(quotum) => &mut std::iter::once(quotum),
            Resolved::ByGrant { default, rates } => {
                &mut std::iter::once(default).chain(rates.iter().map(|(_, quotum)| quotum))
            }
            Resolved::OfLevel(rates) => &mut rates.iter(),
        };
        all.map(|(_, gcra)| gcra.tolerance).max().unwrap_or(0)
    }
}

/// Whether the deployment says any of it.
pub(super) fn is_set(api: &ApiPolicy, quota: Quota) -> bool {
    let set = |rate: &Setting<Rate>| matches!(rate, Setting::Environment { .. });
    match quota {
        Quota::Flat(rate) => set(&rate),
        Quota::ByGrant { default, rates } => set(&default) || rates.iter().any(|(_, rate)| set(rate)),
        Quota::OfLevel => api.levels.iter().any(|level| level.rate.as_ref().is_some_and(set)),
        Quota::Action(_) | Quota::Calendar(_) | Quota::Concurrent(_) => false,
    }
}
