//! A policy as generated code writes it: what an API's operations usually have, and then only what this one has beside.
//!
//! It starts from [`Policy::CLOSED`], which admits nobody, and no step takes a guard away unseen: each sets one field, and
//! [`Policy::checked`] fails the build where access was never said.
//!
//! ```
//! use gatewright_policy::table::{Access, Alternative, Policy, Setting};
//!
//! const USUAL: Policy = Policy::CLOSED.body_limit(Setting::Fixed(65_536)).timeout(Setting::Fixed(10_000));
//! const KEY: Access =
//!     Access::Guarded(&[Alternative { schemes: &[0], authenticated: &[1], authorized: &[1], scopes: &[] }]);
//! static LIST: Policy = USUAL.operation("list", "bank.yaml:7", KEY).checked();
//! assert!(!LIST.admits_anonymous());
//! ```
//!
//! ```compile_fail
//! # use gatewright_policy::table::Policy;
//! static NOBODY_SAID: Policy = Policy::CLOSED.checked();
//! ```

use crate::table::{Access, Claim, Idempotency, Limit, Policy, Setting, StepUp};

impl Policy {
    /// Admits nobody, takes no body and has no time.
    pub const CLOSED: Policy = Policy {
        operation: "",
        at: "",
        access: Access::Guarded(&[]),
        roles: &[],
        level: None,
        claims: &[],
        allow_networks: None,
        allow_users: None,
        allow_devices: None,
        step_up: None,
        limits: &[],
        cost: 1,
        body_limit: Setting::Fixed(0),
        timeout: Setting::Fixed(0),
        idempotency: None,
        audit: false,
        read: None,
        write: None,
        parameters: None,
    };

    /// Of this operation, which stands at this place of the document, and who may call it.
    #[must_use]
    pub const fn operation(self, operation: &'static str, at: &'static str, access: Access) -> Policy {
        Policy { operation, at, access, ..self }
    }

    /// The bits of the roles of which one is needed.
    #[must_use]
    pub const fn roles(self, roles: &'static [u64]) -> Policy {
        Policy { roles, ..self }
    }

    /// The bit of the least level.
    #[must_use]
    pub const fn level(self, level: u16) -> Policy {
        Policy { level: Some(level), ..self }
    }

    /// What must hold for claims.
    #[must_use]
    pub const fn claims(self, claims: &'static [Claim]) -> Policy {
        Policy { claims, ..self }
    }

    /// Networks from which it may be called, by index.
    #[must_use]
    pub const fn allow_networks(self, networks: &'static [u16]) -> Policy {
        Policy { allow_networks: Some(networks), ..self }
    }

    /// Subjects who may call it.
    #[must_use]
    pub const fn allow_users(self, users: &'static [&'static str]) -> Policy {
        Policy { allow_users: Some(users), ..self }
    }

    /// Groups of devices from which it may be called.
    #[must_use]
    pub const fn allow_devices(self, groups: &'static [&'static str]) -> Policy {
        Policy { allow_devices: Some(groups), ..self }
    }

    /// How its caller must have authenticated, and how recently.
    #[must_use]
    pub const fn step_up(self, step_up: StepUp) -> Policy {
        Policy { step_up: Some(step_up), ..self }
    }

    /// Its limits.
    #[must_use]
    pub const fn limits(self, limits: &'static [Limit]) -> Policy {
        Policy { limits, ..self }
    }

    /// How much a request takes of each of them; 0 becomes 1.
    #[must_use]
    pub const fn cost(self, cost: u32) -> Policy {
        Policy { cost: if cost == 0 { 1 } else { cost }, ..self }
    }

    /// The largest body in bytes.
    #[must_use]
    pub const fn body_limit(self, bytes: Setting<u64>) -> Policy {
        Policy { body_limit: bytes, ..self }
    }

    /// The deadline of the whole request, in milliseconds.
    #[must_use]
    pub const fn timeout(self, milliseconds: Setting<u64>) -> Policy {
        Policy { timeout: milliseconds, ..self }
    }

    /// A request that is sent again is answered with the first result.
    #[must_use]
    pub const fn idempotency(self, idempotency: Idempotency) -> Policy {
        Policy { idempotency: Some(idempotency), ..self }
    }

    /// Whether each decision is recorded.
    #[must_use]
    pub const fn audit(self, audit: bool) -> Policy {
        Policy { audit, ..self }
    }

    /// What only some callers may see in its responses, by index.
    #[must_use]
    pub const fn read(mut self, fields: u16) -> Policy {
        self.read = Some(fields);
        self
    }

    /// What only some callers may send in its body, by index.
    #[must_use]
    pub const fn write(mut self, fields: u16) -> Policy {
        self.write = Some(fields);
        self
    }

    /// Which parameters only some callers may send, by index.
    #[must_use]
    pub const fn parameters(mut self, fields: u16) -> Policy {
        self.parameters = Some(fields);
        self
    }
}
