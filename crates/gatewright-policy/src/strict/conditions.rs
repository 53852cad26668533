//! Conditions beside authority: claims, a recent authentication, networks.

use super::Row;
use super::same::{nth, same, same_setting, same_texts, setting_in, settings_within, texts_within};
use crate::table::{ApiPolicy, Claim, Must, Operand, Passkeys, Setting, StepUpMethod, UserVerification};

pub(super) const fn claims(old: &[Claim], mut asked: &[Claim]) -> bool {
    while let [claim, rest @ ..] = asked {
        let mut given = old;
        let mut found = false;
        while let [other, more @ ..] = given {
            found = found || (same_texts(other.path, claim.path) && must(&other.must, &claim.must));
            given = more;
        }
        if !found {
            return false;
        }
        asked = rest;
    }
    true
}

const fn must(a: &Must, b: &Must) -> bool {
    match (a, b) {
        (Must::Equal(a), Must::Equal(b)) | (Must::Contain(a), Must::Contain(b)) => same_operand(a, b),
        (Must::Equal(a), Must::In(list)) => operand_in(a, list),
        (Must::In(list), Must::In(others)) => {
            let mut list: &[Operand] = list;
            while let [operand, rest @ ..] = list {
                if !operand_in(operand, others) {
                    return false;
                }
                list = rest;
            }
            true
        }
        _ => false,
    }
}

const fn operand_in(operand: &Operand, mut list: &[Operand]) -> bool {
    while let [other, rest @ ..] = list {
        if same_operand(operand, other) {
            return true;
        }
        list = rest;
    }
    false
}

const fn same_operand(a: &Operand, b: &Operand) -> bool {
    match (a, b) {
        (Operand::Text(a), Operand::Text(b))
        | (Operand::Path(a), Operand::Path(b))
        | (Operand::Query(a), Operand::Query(b))
        | (Operand::Header(a), Operand::Header(b))
        | (Operand::Body(a), Operand::Body(b)) => same(a, b),
        (Operand::Integer(a), Operand::Integer(b)) => *a == *b,
        (Operand::Bool(a), Operand::Bool(b)) => *a == *b,
        _ => false,
    }
}

pub(super) const fn step_up(old: Row, new: Row) -> bool {
    let Some(asked) = new.policy.step_up else { return true };
    let Some(given) = old.policy.step_up else { return false };
    let method = match (given.method, asked.method) {
        // An empty list has a meaning of its own, which no list of values can be held against.
        (StepUpMethod::Mfa { acr: a }, StepUpMethod::Mfa { acr: b }) => {
            a.is_empty() == b.is_empty() && texts_within(a, b)
        }
        (StepUpMethod::WebAuthn, StepUpMethod::WebAuthn) => passkeys(&old.api.passkeys, &new.api.passkeys),
        _ => false,
    };
    method && given.within <= asked.within
}

/// Whether a passkey that is good for one version would be for the other.
const fn passkeys(a: &Option<Passkeys>, b: &Option<Passkeys>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => {
            let verified = match b.user_verification {
                UserVerification::Required => matches!(a.user_verification, UserVerification::Required),
                UserVerification::Preferred | UserVerification::Discouraged => true,
            };
            verified && same_setting(&a.rp_id, &b.rp_id) && settings_within(a.origins, b.origins)
        }
        _ => false,
    }
}

/// Every list of the newer version must hold one of the older version's lists.
pub(super) const fn networks(old: Row, new: Row) -> bool {
    let own = match old.policy.allow_networks {
        Some(list) => Some(list),
        None if old.api.allow_networks.is_empty() => None,
        None => Some(old.api.allow_networks),
    };
    let api = new.api.allow_networks.is_empty() || one_within(old.api, own, new.api, new.api.allow_networks);
    let operation = match new.policy.allow_networks {
        None => true,
        Some(list) => one_within(old.api, own, new.api, list),
    };
    api && operation
}

const fn one_within(old: &'static ApiPolicy, own: Option<&[u16]>, new: &'static ApiPolicy, list: &[u16]) -> bool {
    match own {
        None => false,
        Some(own) => {
            ranges_within(old, own, new, list)
                || (!old.allow_networks.is_empty() && ranges_within(old, old.allow_networks, new, list))
        }
    }
}

const fn ranges_within(old: &'static ApiPolicy, mut own: &[u16], new: &'static ApiPolicy, list: &[u16]) -> bool {
    while let [index, rest @ ..] = own {
        let Some(network) = nth(old.networks, *index) else { return false };
        let mut ranges = network.ranges;
        while let [range, more @ ..] = ranges {
            if !range_in(range, new, list) {
                return false;
            }
            ranges = more;
        }
        own = rest;
    }
    true
}

const fn range_in(range: &Setting<&'static str>, api: &'static ApiPolicy, mut list: &[u16]) -> bool {
    while let [index, rest @ ..] = list {
        if let Some(network) = nth(api.networks, *index)
            && setting_in(range, network.ranges)
        {
            return true;
        }
        list = rest;
    }
    false
}
