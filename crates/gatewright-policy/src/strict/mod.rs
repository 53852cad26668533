//! Whether one policy asks at least what another asks, as a `const fn`: an old version that is answered by the new one's
//! handler must not be a way around the new one's guards, and the build is where that is found out.
//!
//! Two versions number their schemes, roles and scopes apart, so everything is compared by name. What cannot be compared
//! (two different deployment settings, say) counts as weaker.

mod authority;
mod conditions;
mod rates;
mod same;
mod scheme;
#[cfg(test)]
mod tests;

use crate::table::{ApiPolicy, ClientCertificates, Https, Policy};
use authority::{access, levels_with, roles};
use conditions::{claims, networks, step_up};
use rates::limits;
use same::texts_within;

/// An operation's policy, with the tables that its indexes and bits point into.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What the operations of its version share.
    pub api: &'static ApiPolicy,
    /// The policy.
    pub policy: &'static Policy,
}

/// In which respect a policy asks less than another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weaker {
    /// `security` admits a caller whom the other refuses; or a scheme of the same name verifies less.
    Security,
    /// `roles`, or what a role inherits.
    Roles,
    /// `level`, or what a level includes.
    Level,
    /// `claims`.
    Claims,
    /// `allow.networks`, of the operation or of the API.
    Networks,
    /// `allow.users`.
    Users,
    /// `allow.devices`.
    Devices,
    /// `step-up`.
    StepUp,
    /// `rate-limit`.
    Limits,
    /// `idempotency`
    Idempotency,
    /// `audit`.
    Audit,
    /// `transport.https` or `transport.client-certificates`.
    Transport,
    /// `read` or `write` of a property, or of a parameter.
    Properties,
}

impl Weaker {
    /// The respect, for people.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Weaker::Security => "`security` admits callers whom the newer one refuses",
            Weaker::Roles => "`roles` admits callers whom the newer one refuses",
            Weaker::Level => "`level` admits keys that the newer one refuses",
            Weaker::Claims => "`claims` lacks a condition that the newer one has",
            Weaker::Networks => "networks that the newer one refuses may call it",
            Weaker::Users => "users whom the newer one refuses may call it",
            Weaker::Devices => "devices that the newer one refuses may call it",
            Weaker::StepUp => "`step-up` is absent, takes an older authentication, or one that the newer one refuses",
            Weaker::Limits => "`rate-limit` lacks a limit of the newer one, or admits more",
            Weaker::Idempotency => "`idempotency` is absent or not required, and the newer one's is",
            Weaker::Audit => "it is not audited, and the newer one is",
            Weaker::Transport => "`transport` takes connections that the newer one refuses",
            Weaker::Properties => "the newer one guards properties, and types of two versions cannot be compared",
        }
    }
}

/// The first respect in which `old` asks less than `new`; `None` where everybody whom `old` admits, `new` would admit.
///
/// Not compared: `owner`, which the types of the two contexts compare; and the bounds of body and time, which protect the
/// server and not what it keeps.
#[must_use]
pub const fn weaker(old: Row, new: Row) -> Option<Weaker> {
    if !transport(old, new) {
        return Some(Weaker::Transport);
    }
    if !access(old, new) {
        return Some(Weaker::Security);
    }
    if !new.policy.roles.is_empty() && (old.policy.roles.is_empty() || !roles(old, new)) {
        return Some(Weaker::Roles);
    }
    match (old.policy.level, new.policy.level) {
        (_, None) => {}
        (Some(a), Some(b)) if levels_with(old.api, a, new.api, b) => {}
        _ => return Some(Weaker::Level),
    }
    if !claims(old.policy.claims, new.policy.claims) {
        return Some(Weaker::Claims);
    }
    if !networks(old, new) {
        return Some(Weaker::Networks);
    }
    match (old.policy.allow_users, new.policy.allow_users) {
        (_, None) => {}
        (Some(a), Some(b)) if texts_within(a, b) => {}
        _ => return Some(Weaker::Users),
    }
    match (old.policy.allow_devices, new.policy.allow_devices) {
        (_, None) => {}
        (Some(a), Some(b)) if texts_within(a, b) => {}
        _ => return Some(Weaker::Devices),
    }
    if !step_up(old, new) {
        return Some(Weaker::StepUp);
    }
    if !limits(old, new) {
        return Some(Weaker::Limits);
    }
    match (old.policy.idempotency, new.policy.idempotency) {
        (_, None) => {}
        (Some(a), Some(b)) if a.required || !b.required => {}
        _ => return Some(Weaker::Idempotency),
    }
    if new.policy.audit && !old.policy.audit {
        return Some(Weaker::Audit);
    }
    if new.policy.read.is_some() || new.policy.write.is_some() || new.policy.parameters.is_some() {
        return Some(Weaker::Properties);
    }
    None
}

const fn transport(old: Row, new: Row) -> bool {
    let (a, b) = (&old.api.transport, &new.api.transport);
    // A redirect refuses the plain request too.
    let https = matches!(b.https, Https::Off) || !matches!(a.https, Https::Off);
    let certificates = match b.client_certificates {
        ClientCertificates::Required => matches!(a.client_certificates, ClientCertificates::Required),
        ClientCertificates::Off | ClientCertificates::Optional => true,
    };
    https && certificates
}
