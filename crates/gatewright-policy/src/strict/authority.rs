//! Who is admitted: `security`, `roles`, `level`, with what roles and levels bring.

use super::Row;
use super::same::{has, meets, nth, same};
use super::scheme::verifies_as_much;
use crate::table::{Access, Alternative, ApiPolicy, Scheme};

pub(super) const fn access(old: Row, new: Row) -> bool {
    let Access::Guarded(asked) = new.policy.access else { return true };
    let Access::Guarded(mut given) = old.policy.access else { return false };
    while let [alternative, rest @ ..] = given {
        if !implies_one(old, alternative, new, asked) {
            return false;
        }
        given = rest;
    }
    true
}

const fn implies_one(old: Row, a: &Alternative, new: Row, mut asked: &[Alternative]) -> bool {
    while let [b, rest @ ..] = asked {
        if implies(old, a, new, b) {
            return true;
        }
        asked = rest;
    }
    false
}

/// Whether whoever satisfies `a` satisfies `b`: `a` names all schemes of `b`, with all their scopes.
const fn implies(old: Row, a: &Alternative, new: Row, b: &Alternative) -> bool {
    let mut asked = b.schemes;
    while let [index, rest @ ..] = asked {
        let Some(scheme) = nth(new.api.schemes, *index) else { return false };
        let Some((own, theirs)) = scheme_among(old.api, a.schemes, scheme) else { return false };
        if !verifies_as_much(theirs, scheme) || !scopes(old, a, own, theirs, new, b, *index, scheme) {
            return false;
        }
        asked = rest;
    }
    true
}

/// The scheme of the same name among the indexes of an alternative.
const fn scheme_among(api: &'static ApiPolicy, mut indexes: &[u16], like: &Scheme) -> Option<(u16, &'static Scheme)> {
    while let [index, rest @ ..] = indexes {
        match nth(api.schemes, *index) {
            Some(scheme) if same(scheme.name, like.name) => return Some((*index, scheme)),
            _ => {}
        }
        indexes = rest;
    }
    None
}

#[allow(clippy::too_many_arguments, reason = "both sides of one scheme")]
const fn scopes(
    old: Row,
    a: &Alternative,
    own: u16,
    theirs: &Scheme,
    new: Row,
    b: &Alternative,
    index: u16,
    scheme: &Scheme,
) -> bool {
    let mut asked = scheme.scopes;
    while let [(name, bit), rest @ ..] = asked {
        if has(b.authorized, *bit) {
            let Some(old_bit) = scope(theirs, name) else { return false };
            let granted = has(a.authorized, old_bit)
                && roles_with(old.api, own, old_bit, new.api, index, *bit)
                && levels_of(old.api, own, old_bit, new.api, index, *bit);
            if !granted {
                return false;
            }
        }
        asked = rest;
    }
    true
}

const fn scope(scheme: &Scheme, name: &str) -> Option<u16> {
    let mut list = scheme.scopes;
    while let [(other, bit), rest @ ..] = list {
        if same(other, name) {
            return Some(*bit);
        }
        list = rest;
    }
    None
}

/// Whether each role that brings `a` on the older version's scheme brings `b` on the newer one's.
pub(super) const fn roles_with(
    old: &'static ApiPolicy,
    old_scheme: u16,
    a: u16,
    new: &'static ApiPolicy,
    new_scheme: u16,
    b: u16,
) -> bool {
    let mut list = old.roles;
    while let [role, rest @ ..] = list {
        if brings(role.grants, old_scheme, a) && !role_brings(new, role.name, new_scheme, b) {
            return false;
        }
        list = rest;
    }
    true
}

const fn role_brings(api: &'static ApiPolicy, name: &str, scheme: u16, bit: u16) -> bool {
    let mut list = api.roles;
    while let [role, rest @ ..] = list {
        if same(role.name, name) && brings(role.grants, scheme, bit) {
            return true;
        }
        list = rest;
    }
    false
}

/// As [`roles_with`], for the levels of API keys.
pub(super) const fn levels_of(
    old: &'static ApiPolicy,
    old_scheme: u16,
    a: u16,
    new: &'static ApiPolicy,
    new_scheme: u16,
    b: u16,
) -> bool {
    let mut list = old.levels;
    while let [level, rest @ ..] = list {
        if brings(level.grants, old_scheme, a) && !level_brings(new, level.name, new_scheme, b) {
            return false;
        }
        list = rest;
    }
    true
}

const fn level_brings(api: &'static ApiPolicy, name: &str, scheme: u16, bit: u16) -> bool {
    let mut list = api.levels;
    while let [level, rest @ ..] = list {
        if same(level.name, name) && brings(level.grants, scheme, bit) {
            return true;
        }
        list = rest;
    }
    false
}

/// Whether each level that reaches the level `a` reaches, under its name, the level `b`: on every scheme.
pub(super) const fn levels_with(old: &'static ApiPolicy, a: u16, new: &'static ApiPolicy, b: u16) -> bool {
    let mut list = old.levels;
    while let [level, rest @ ..] = list {
        let mut grants = level.grants;
        while let [(index, bits), more @ ..] = grants {
            if has(bits, a) {
                match twin(old, *index, new) {
                    Some(index) if level_brings(new, level.name, index, b) => {}
                    _ => return false,
                }
            }
            grants = more;
        }
        list = rest;
    }
    true
}

/// Whether each role that satisfies the older `roles` satisfies, under its name, the newer: on every scheme.
pub(super) const fn roles(old: Row, new: Row) -> bool {
    let mut list = old.api.roles;
    while let [role, rest @ ..] = list {
        let mut grants = role.grants;
        while let [(index, bits), more @ ..] = grants {
            if meets(bits, old.policy.roles) {
                match twin(old.api, *index, new.api) {
                    Some(index) if role_meets(new, role.name, index) => {}
                    _ => return false,
                }
            }
            grants = more;
        }
        list = rest;
    }
    true
}

const fn role_meets(new: Row, name: &str, scheme: u16) -> bool {
    let mut list = new.api.roles;
    while let [role, rest @ ..] = list {
        if same(role.name, name) {
            let mut grants = role.grants;
            while let [(index, bits), more @ ..] = grants {
                if *index == scheme && meets(bits, new.policy.roles) {
                    return true;
                }
                grants = more;
            }
        }
        list = rest;
    }
    false
}

/// The index of the scheme of the same name in the other version.
pub(super) const fn twin(api: &'static ApiPolicy, index: u16, other: &'static ApiPolicy) -> Option<u16> {
    let Some(scheme) = nth(api.schemes, index) else { return None };
    let mut list = other.schemes;
    let mut at = 0;
    while let [candidate, rest @ ..] = list {
        if same(candidate.name, scheme.name) {
            return Some(at);
        }
        at += 1;
        list = rest;
    }
    None
}

const fn brings(mut grants: &[(u16, &[u64])], scheme: u16, bit: u16) -> bool {
    while let [(index, bits), rest @ ..] = grants {
        if *index == scheme && has(bits, bit) {
            return true;
        }
        grants = rest;
    }
    false
}
