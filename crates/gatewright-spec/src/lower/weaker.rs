//! Whether what replaces a key is weaker than what it replaces, as far as that can be told without running it. Unsure is
//! `false`: this feeds a warning, and a warning that is often wrong is read by nobody.

use gatewright_diag::Spanned;
use gatewright_ir::policy::{
    Access, Allow, Claim, Idempotency, Limit, Must, Operand, Quota, Setting, StepUp, UnknownFields,
};

/// A caller without credentials is newly admitted, by an alternative and not by `public`, which says why.
pub(super) fn access(near: &Access, far: &Access) -> bool {
    let anonymous = |access: &Access| match access {
        Access::Guarded(alternatives) => alternatives.iter().any(|a| a.needs.is_empty()),
        _ => false,
    };
    anonymous(near) && !anonymous(far) && matches!(far, Access::Guarded(_))
}

/// More names of which one is enough.
pub(super) fn names(near: &[Spanned<String>], far: &[Spanned<String>]) -> bool {
    near.iter().any(|name| !far.iter().any(|known| known.value == name.value))
}

/// A condition is gone.
pub(super) fn claims(near: &[Claim], far: &[Claim]) -> bool {
    far.iter().any(|condition| !near.iter().any(|c| c.path == condition.path && same(&c.must, &condition.must)))
}

fn same(a: &Must, b: &Must) -> bool {
    let operand = |a: &Operand, b: &Operand| match (a, b) {
        (Operand::Request(a), Operand::Request(b)) => a.part == b.part && a.name == b.name,
        _ => a == b,
    };
    match (a, b) {
        (Must::Equal(a), Must::Equal(b)) | (Must::Contain(a), Must::Contain(b)) => operand(a, b),
        (Must::In(a), Must::In(b)) => a.iter().all(|x| b.iter().any(|y| operand(x, y))),
        _ => false,
    }
}

/// The second factor may be older, or of a kind that was not enough.
pub(super) fn step_up(near: &StepUp, far: &StepUp) -> bool {
    let other = !far.acr.is_empty() && (near.acr.is_empty() || names(&near.acr, &far.acr));
    near.within > far.within || (near.method.value == "mfa" && far.method.value == "webauthn") || other
}

/// A list of who is allowed is gone, or longer.
pub(super) fn allow(near: &Allow, far: &Allow) -> bool {
    let list = |near: &Option<Vec<Spanned<String>>>, far: &Option<Vec<Spanned<String>>>| match (near, far) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(near), Some(far)) => names(near, far),
    };
    list(&near.networks, &far.networks) || list(&near.users, &far.users) || list(&near.devices, &far.devices)
}

/// A limit is gone, or larger.
pub(super) fn limits(near: &[Limit], far: &[Limit]) -> bool {
    far.iter().any(|limit| {
        let kept = near.iter().find(|n| match (&n.quota, &limit.quota) {
            (Quota::Action(a), Quota::Action(b)) => a.value == b.value,
            (Quota::Action(_), _) | (_, Quota::Action(_)) => false,
            _ => n.by == limit.by && n.measure == limit.measure,
        });
        match kept.map(|k| (&k.quota, &limit.quota)) {
            None => true,
            Some((Quota::Flat(Setting::Fixed(near)), Quota::Flat(Setting::Fixed(far)))) => {
                let per = |limit: u32, window: u32| u64::from(limit) * u64::from(window);
                per(near.limit, far.window) > per(far.limit, near.window) || near.burst > far.burst
            }
            Some(_) => false,
        }
    })
}

/// A request takes less of its limits.
pub(super) fn cost(near: &u32, far: &u32) -> bool {
    near < far
}

/// More bytes, more time.
pub(super) fn larger(near: &Setting<u64>, far: &Setting<u64>) -> bool {
    matches!((near, far), (Setting::Fixed(near), Setting::Fixed(far)) if near > far)
}

/// A key is no longer required.
pub(super) fn idempotency(near: &Idempotency, far: &Idempotency) -> bool {
    far.required && !near.required
}

/// Unknown fields are newly taken.
pub(super) fn unknown_fields(near: &UnknownFields, far: &UnknownFields) -> bool {
    let openness = |fields: &UnknownFields| match fields {
        UnknownFields::Refuse => 0,
        UnknownFields::Ignore => 1,
        UnknownFields::Keep => 2,
    };
    openness(near) > openness(far)
}

/// Decisions are no longer recorded.
pub(super) fn audit(near: &bool, far: &bool) -> bool {
    *far && !*near
}
