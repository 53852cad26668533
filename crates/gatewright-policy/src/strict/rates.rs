//! How much a limit admits.

use super::Row;
use super::authority::{levels_of, roles_with, twin};
use super::same::{nth, same, same_texts};
use crate::Rate;
use crate::table::{ApiPolicy, Key, Quota, Setting};

pub(super) const fn limits(old: Row, new: Row) -> bool {
    // What costs less passes more often.
    if !new.policy.limits.is_empty() && old.policy.cost < new.policy.cost {
        return false;
    }
    let mut asked = new.policy.limits;
    while let [limit, rest @ ..] = asked {
        let mut given = old.policy.limits;
        let mut found = false;
        while let [other, more @ ..] = given {
            found = found || (same_keys(other.by, limit.by) && quota(old.api, &other.quota, new.api, &limit.quota));
            given = more;
        }
        if !found {
            return false;
        }
        asked = rest;
    }
    true
}

const fn same_keys(mut a: &[Key], mut b: &[Key]) -> bool {
    while let ([x, rest @ ..], [y, more @ ..]) = (a, b) {
        let equal = match (x, y) {
            (Key::Claim(x), Key::Claim(y)) => same_texts(x, y),
            (Key::Address, Key::Address)
            | (Key::User, Key::User)
            | (Key::ApiKey, Key::ApiKey)
            | (Key::Client, Key::Client)
            | (Key::Level, Key::Level) => true,
            _ => false,
        };
        if !equal {
            return false;
        }
        (a, b) = (rest, more);
    }
    a.is_empty() && b.is_empty()
}

const fn quota(old: &'static ApiPolicy, a: &Quota, new: &'static ApiPolicy, b: &Quota) -> bool {
    match (a, b) {
        (Quota::Calendar(a), Quota::Calendar(b)) | (Quota::Concurrent(a), Quota::Concurrent(b)) => {
            quota(old, a, new, b)
        }
        (Quota::Flat(a), Quota::Flat(b) | Quota::ByGrant { default: b, .. }) => admits_at_most(a, b),
        (Quota::ByGrant { default, rates }, Quota::Flat(b)) => {
            let mut rates: &[(u16, Setting<Rate>)] = rates;
            while let [(_, rate), rest @ ..] = rates {
                if !admits_at_most(rate, b) {
                    return false;
                }
                rates = rest;
            }
            admits_at_most(default, b)
        }
        (Quota::ByGrant { default: a, rates }, Quota::ByGrant { default: b, rates: others }) => {
            let mut rates: &[(u16, Setting<Rate>)] = rates;
            while let [rate, rest @ ..] = rates {
                if !admits_at_most(&rate.1, b) && !granted_as_much(old, rate, new, others) {
                    return false;
                }
                rates = rest;
            }
            admits_at_most(a, b)
        }
        (Quota::OfLevel, Quota::OfLevel) => {
            let mut levels = old.levels;
            while let [level, rest @ ..] = levels {
                let mut others = new.levels;
                let mut found = false;
                while let [other, more @ ..] = others {
                    found = found
                        || (same(level.name, other.name)
                            && matches!((&level.rate, &other.rate), (Some(a), Some(b)) if admits_at_most(a, b)));
                    others = more;
                }
                if !found {
                    return false;
                }
                levels = rest;
            }
            true
        }
        // A bucket is one and the same under its name, over all versions.
        (Quota::Action(a), Quota::Action(b)) => match (nth(old.actions, *a), nth(new.actions, *b)) {
            (Some(a), Some(b)) => same(a.name, b.name),
            _ => false,
        },
        _ => false,
    }
}

/// Whether whoever has the grant of the older rate has, under the same names, one whose newer rate admits as much.
const fn granted_as_much(
    old: &'static ApiPolicy,
    rate: &(u16, Setting<Rate>),
    new: &'static ApiPolicy,
    mut others: &[(u16, Setting<Rate>)],
) -> bool {
    while let [(bit, other), rest @ ..] = others {
        if admits_at_most(&rate.1, other) && same_grant(old, rate.0, new, *bit) {
            return true;
        }
        others = rest;
    }
    false
}

const fn same_grant(old: &'static ApiPolicy, a: u16, new: &'static ApiPolicy, b: u16) -> bool {
    let mut list = old.schemes;
    let mut index = 0;
    while let [_, rest @ ..] = list {
        let same = match twin(old, index, new) {
            Some(twin) => roles_with(old, index, a, new, twin, b) && levels_of(old, index, a, new, twin, b),
            None => false,
        };
        if !same {
            return false;
        }
        index += 1;
        list = rest;
    }
    true
}

const fn admits_at_most(a: &Setting<Rate>, b: &Setting<Rate>) -> bool {
    match (a, b) {
        (Setting::Fixed(a), Setting::Fixed(b)) => {
            a.limit as u64 * b.window as u64 <= b.limit as u64 * a.window as u64 && a.burst <= b.burst
        }
        (Setting::Environment { template: a, .. }, Setting::Environment { template: b, .. }) => same(a, b),
        _ => false,
    }
}
