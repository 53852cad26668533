//! Who may: the policies of an API, each fact with the place it came from.
//!
//! The server gets the same facts as constant tables ([`gatewright_policy::table`]); reports, `explain` and the
//! interpreter that the tests compare the server with read them here.

mod access;
mod limits;
mod schemes;
mod shared;

pub use access::{Access, Allow, Alternative, Claim, Must, Need, Operand, Owner, Reference, RequestPart, StepUp};
pub use limits::{Action, Idempotency, Limit, LimitKey, Measure, Quota, SharedLimits};
pub use schemes::{Anomaly, ApiKey, Bound, Flow, Introspection, Jwt, Keys, Scheme, SchemeKind, Verify, WebAuthn};
pub use shared::{Errors, Level, Lifecycle, Network, Role, Transport};

use std::collections::{HashMap, HashSet};

use gatewright_diag::{Span, Spanned};

/// A policy of a [`PolicySet`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyId(pub u32);

/// All policies of an API version, and what they share.
#[derive(Clone, Debug, Default)]
pub struct PolicySet {
    /// The security schemes of the document, in its order.
    pub schemes: Vec<Scheme>,
    /// `roles`
    pub roles: Vec<Role>,
    /// `levels`, lowest first.
    pub levels: Vec<Level>,
    /// `networks`
    pub networks: Vec<Network>,
    /// `actions`
    pub actions: Vec<Action>,
    /// The networks from which the API may be used at all; empty means everywhere.
    pub allow_networks: Vec<Spanned<String>>,
    /// The limits by address that `defaults` says: they also hold for requests that no operation answers, so that an API
    /// is not searched for paths without limit.
    pub limits: Vec<Limit>,
    /// `transport`
    pub transport: Transport,
    /// `lifecycle`
    pub lifecycle: Lifecycle,
    /// `errors`
    pub errors: Errors,
    /// `limits`
    pub shared_limits: Option<Spanned<SharedLimits>>,
    list: Vec<Policy>,
}

impl PolicySet {
    /// Adds the policy of an operation.
    pub fn add(&mut self, policy: Policy) -> PolicyId {
        let id = PolicyId(self.list.len() as u32);
        self.list.push(policy);
        id
    }

    /// The policy with this id. An id of another set gives the policy that nobody satisfies.
    pub fn get(&self, id: PolicyId) -> &Policy {
        static NOBODY: std::sync::LazyLock<Policy> = std::sync::LazyLock::new(Policy::nobody);
        self.list.get(id.0 as usize).unwrap_or(&NOBODY)
    }

    /// All policies.
    pub fn iter(&self) -> impl Iterator<Item = &Policy> {
        self.list.iter()
    }

    /// The scheme of this name.
    pub fn scheme(&self, name: &str) -> Option<&Scheme> {
        self.schemes.iter().find(|s| s.name.value == name)
    }

    /// The names of a role and of all roles that it inherits, itself first. Unknown names give nothing; a role met again
    /// is not followed.
    pub fn role_closure<'a>(&'a self, name: &'a str) -> Vec<&'a Role> {
        let by_name: HashMap<&str, &Role> = self.roles.iter().rev().map(|r| (r.name.value.as_str(), r)).collect();
        let mut found: Vec<&Role> = Vec::new();
        let mut seen: HashSet<&str> = HashSet::new();
        let mut open = vec![name];
        while let Some(name) = open.pop() {
            if !seen.insert(name) {
                continue;
            }
            if let Some(role) = by_name.get(name) {
                found.push(role);
                open.extend(role.inherits.iter().map(|i| i.value.as_str()));
            }
        }
        found
    }
}

/// A deployment value: text that may hold `${NAME}` or `${NAME:-default}`, read when the server starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting<T> {
    /// Written in the spec.
    Fixed(T),
    /// The whole text, with its variables.
    Environment(String),
}

/// Where a fact of an effective policy came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// The operation itself.
    Operation,
    /// Its path item.
    PathItem,
    /// `x-security.defaults` of the root, or the root's `security`.
    Root,
    /// Nobody said it: the safe default.
    BuiltIn,
}

/// A fact and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact<T> {
    /// The fact.
    pub value: T,
    /// Which layer said it.
    pub layer: Layer,
    /// Where it stands; for a built-in default, where the operation stands.
    pub span: Span,
}

impl<T> std::ops::Deref for Fact<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

/// The effective policy of one operation, inheritance applied.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Who may call it.
    pub access: Fact<Access>,
    /// `roles`: any of these; `None` needs none.
    pub roles: Option<Fact<Vec<Spanned<String>>>>,
    /// `level`
    pub level: Option<Fact<String>>,
    /// `claims`: all of these.
    pub claims: Option<Fact<Vec<Claim>>>,
    /// `owner`
    pub owner: Option<Fact<Owner>>,
    /// `step-up`
    pub step_up: Option<Fact<StepUp>>,
    /// `allow`
    pub allow: Option<Fact<Allow>>,
    /// `rate-limit`
    pub limits: Option<Fact<Vec<Limit>>>,
    /// `cost`: how much a request takes of each of its limits; 1 where nobody says it.
    pub cost: Option<Fact<u32>>,
    /// `body-limit`, bytes.
    pub body_limit: Fact<Setting<u64>>,
    /// `timeout`, milliseconds.
    pub timeout: Fact<Setting<u64>>,
    /// `idempotency`
    pub idempotency: Option<Fact<Idempotency>>,
    /// `unknown-fields`
    pub unknown_fields: Fact<UnknownFields>,
    /// `sensitive-flow`
    pub sensitive_flow: Option<Fact<String>>,
    /// `audit`
    pub audit: Fact<bool>,
    /// `upstream`
    pub upstream: Option<Fact<Setting<String>>>,
    /// Facts of farther layers that a nearer one replaced, for `explain` and `weakens-default`.
    pub replaced: Vec<Replaced>,
}

impl Policy {
    /// The policy that nobody satisfies.
    pub fn nobody() -> Policy {
        fn built_in<T>(value: T) -> Fact<T> {
            Fact { value, layer: Layer::BuiltIn, span: Span::default() }
        }
        Policy {
            access: built_in(Access::Nobody),
            roles: None,
            level: None,
            claims: None,
            owner: None,
            step_up: None,
            allow: None,
            limits: None,
            cost: None,
            body_limit: built_in(Setting::Fixed(DEFAULT_BODY_LIMIT)),
            timeout: built_in(Setting::Fixed(DEFAULT_TIMEOUT_MS)),
            idempotency: None,
            unknown_fields: built_in(UnknownFields::Refuse),
            sensitive_flow: None,
            audit: built_in(false),
            upstream: None,
            replaced: Vec::new(),
        }
    }

    /// The reason why it is open to everybody, if the spec gives one.
    pub fn public_reason(&self) -> Option<&str> {
        match &self.access.value {
            Access::Public(reason) => Some(&reason.value),
            _ => None,
        }
    }

    /// Whether a caller who presents nothing may be admitted.
    pub fn admits_anonymous(&self) -> bool {
        match &self.access.value {
            Access::Public(_) | Access::Unsaid | Access::Opened => true,
            Access::Guarded(alternatives) => alternatives.iter().any(|a| a.needs.is_empty()),
            Access::Nobody => false,
        }
    }
}

/// 1 MiB.
pub const DEFAULT_BODY_LIMIT: u64 = 1 << 20;
/// 30 seconds.
pub const DEFAULT_TIMEOUT_MS: u64 = 30_000;

/// A fact that a nearer layer replaced.
#[derive(Clone, Debug)]
pub struct Replaced {
    /// Its key in the vocabulary (`rate-limit`), or `security`.
    pub key: &'static str,
    /// Which layer said it.
    pub layer: Layer,
    /// Where it stands.
    pub span: Span,
    /// Whether what replaces it is weaker, as far as that can be told.
    pub weakened: bool,
}

/// `unknown-fields`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum UnknownFields {
    /// A violation.
    #[default]
    Refuse,
    /// Read over.
    Ignore,
    /// JSON Schema's own meaning.
    Keep,
}
