//! Who may: the policies of an API, each fact with the place it came from.
//!
//! The server gets the same facts as constant tables ([`gatewright_policy::table`]); reports, `explain` and the
//! interpreter that the tests compare the server with read them here.

use std::collections::{HashMap, HashSet};

use gatewright_diag::{Span, Spanned};
use gatewright_policy::Rate;

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

/// Who may call an operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Access {
    /// `public: "why"`
    Public(Spanned<String>),
    /// Neither `security` nor `public` stands anywhere.
    Unsaid,
    /// `security: []` with no `public`.
    Opened,
    /// `security`: any of these; never empty.
    Guarded(Vec<Alternative>),
    /// Nobody: stands for what could not be understood, so that it is closed.
    Nobody,
}

/// One alternative of `security`; without needs it is `{}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Alternative {
    /// All of these.
    pub needs: Vec<Need>,
    /// Where it stands.
    pub span: Span,
}

/// A scheme with its scopes.
#[derive(Clone, Debug, PartialEq)]
pub struct Need {
    /// The scheme's name.
    pub scheme: Spanned<String>,
    /// All of these.
    pub scopes: Vec<Spanned<String>>,
}

/// A condition on a claim.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// The claim's path: `realm_access.roles` has two parts.
    pub path: Vec<String>,
    /// What must hold.
    pub must: Must,
    /// Where it stands.
    pub span: Span,
}

/// What must hold for a claim.
#[derive(Clone, Debug, PartialEq)]
pub enum Must {
    /// `equals`
    Equal(Operand),
    /// `in`
    In(Vec<Operand>),
    /// `contains`
    Contain(Operand),
}

/// What a claim is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// A string.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A boolean.
    Bool(bool),
    /// A value of the request.
    Request(Reference),
}

/// `{path.X}`, `{query.X}`, `{header.X}`, `{body./pointer}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Which part of the request.
    pub part: RequestPart,
    /// The parameter's name, or the JSON pointer.
    pub name: String,
    /// Where it stands.
    pub span: Span,
}

/// A part of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestPart {
    /// A path parameter.
    Path,
    /// A query parameter.
    Query,
    /// A header field.
    Header,
    /// A place in the JSON body (RFC 6901).
    Body,
}

/// `owner`: object-level authorization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The kind of object: `account`.
    pub resource: Spanned<String>,
    /// Which value of the request is its id.
    pub id: Reference,
}

/// `step-up`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepUp {
    /// `webauthn` or `mfa`
    pub method: Spanned<String>,
    /// `acr`: any of these; empty where `method` alone says what is enough.
    pub acr: Vec<Spanned<String>>,
    /// `within`, seconds.
    pub within: u32,
}

/// `allow` of an operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allow {
    /// Names of networks; `None` where the key is absent.
    pub networks: Option<Vec<Spanned<String>>>,
    /// Subjects.
    pub users: Option<Vec<Spanned<String>>>,
    /// Names of device groups.
    pub devices: Option<Vec<Spanned<String>>>,
}

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

/// A security scheme.
#[derive(Clone, Debug)]
pub struct Scheme {
    /// Its name in the document.
    pub name: Spanned<String>,
    /// `description`
    pub description: Option<String>,
    /// What it is.
    pub kind: SchemeKind,
    /// Every scope that its flows declare, with their descriptions; empty where it declares none.
    pub scopes: Vec<(Spanned<String>, String)>,
    /// `flows`: where clients get their tokens. Servers do not care; exported documents do.
    pub flows: Vec<Flow>,
    /// Whether scopes must be declared to be used: OAuth2 has a list, the others have none.
    pub scopes_declared: bool,
    /// How it is verified.
    pub verify: Verify,
}

/// One of the `flows` of an OAuth2 scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Its key: `clientCredentials`.
    pub kind: Spanned<String>,
    /// `authorizationUrl`
    pub authorization_url: Option<String>,
    /// `tokenUrl`
    pub token_url: Option<String>,
    /// `refreshUrl`
    pub refresh_url: Option<String>,
    /// `deviceAuthorizationUrl`, of OpenAPI 3.2.
    pub device_url: Option<String>,
    /// Its scopes, with their descriptions.
    pub scopes: Vec<(String, String)>,
}

/// What OpenAPI says of a scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemeKind {
    /// `type: apiKey`: where, and the name there.
    ApiKey {
        /// Header, query or cookie.
        location: crate::api::Location,
        /// The name.
        name: String,
    },
    /// `type: http`: the scheme's name in lower case.
    Http {
        /// `scheme`
        scheme: String,
        /// `bearerFormat`
        bearer_format: Option<String>,
    },
    /// `type: oauth2`
    OAuth2,
    /// `type: openIdConnect`
    OpenIdConnect {
        /// `openIdConnectUrl`
        url: String,
    },
    /// `type: mutualTLS`
    MutualTls,
}

/// How a scheme's credential is verified.
#[derive(Clone, Debug)]
pub enum Verify {
    /// As a signed token: `x-security` of the scheme says by whom.
    Jwt(Box<Jwt>),
    /// As an opaque token, by asking the issuer (RFC 7662).
    Introspection(Spanned<Introspection>),
    /// As a leveled API key of the store.
    ApiKey(ApiKey),
    /// By a passkey ceremony.
    WebAuthn(WebAuthn),
    /// By the application.
    Application,
}

impl Verify {
    /// Where a token of this scheme holds the caller's roles, by path.
    pub fn roles_claim(&self) -> Option<&[String]> {
        match self {
            Verify::Jwt(jwt) => jwt.roles_claim.as_deref(),
            Verify::Introspection(asked) => asked.roles_claim.as_deref(),
            Verify::ApiKey(_) | Verify::WebAuthn(_) | Verify::Application => None,
        }
    }

    /// Which bound tokens a scheme takes.
    pub fn bound(&self) -> Option<&Spanned<Bound>> {
        match self {
            Verify::Jwt(jwt) => jwt.bound.as_ref(),
            Verify::Introspection(asked) => asked.bound.as_ref(),
            Verify::ApiKey(_) | Verify::WebAuthn(_) | Verify::Application => None,
        }
    }
}

/// `introspection` (RFC 7662).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introspection {
    /// `url`
    pub url: Spanned<Setting<String>>,
    /// `issuer` of the scheme.
    pub issuer: Option<Spanned<Setting<String>>>,
    /// `audience` of the scheme: any of these.
    pub audience: Vec<Spanned<Setting<String>>>,
    /// `leeway` of the scheme, seconds.
    pub leeway: u32,
    /// `bound` of the scheme.
    pub bound: Option<Spanned<Bound>>,
    /// `cache`, seconds for which an answer may be reused.
    pub cache: u32,
    /// `scopes-claim`, by path.
    pub scopes_claim: Vec<String>,
    /// `roles-claim`, by path.
    pub roles_claim: Option<Vec<String>>,
}

/// `bound`: tokens that only their owner can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// `dpop` (RFC 9449)
    pub dpop: bool,
    /// `mtls` (RFC 8705)
    pub mtls: bool,
    /// Whether tokens that are not bound are refused.
    pub require: bool,
    /// Whether proofs must hold a nonce of the server (RFC 9449, 9).
    pub nonce: bool,
}

/// `x-security` of `scheme: webauthn`.
#[derive(Clone, Debug)]
pub struct WebAuthn {
    /// Where it stands.
    pub span: Span,
    /// `rp-id`
    pub rp_id: Setting<String>,
    /// `rp-name`
    pub rp_name: Option<String>,
    /// `origins`
    pub origins: Vec<Spanned<Setting<String>>>,
    /// `user-verification`: `required`, `preferred` or `discouraged`.
    pub user_verification: String,
}

/// `x-security` of a scheme whose credential is a JWT.
#[derive(Clone, Debug)]
pub struct Jwt {
    /// Where it stands.
    pub span: Span,
    /// `issuer`
    pub issuer: Spanned<Setting<String>>,
    /// `audience`: any of these.
    pub audience: Vec<Spanned<Setting<String>>>,
    /// `keys`
    pub keys: Spanned<Keys>,
    /// `algorithms`
    pub algorithms: Vec<Spanned<gatewright_policy::table::Algorithm>>,
    /// `max-lifetime`, seconds; one hour unless said.
    pub max_lifetime: u32,
    /// `leeway`, seconds; 30 unless said.
    pub leeway: u32,
    /// `typ: any` gives false: then `JWT` and none are taken besides `at+jwt`.
    pub typed: bool,
    /// `scopes-claim`, by path; `scope` unless said.
    pub scopes_claim: Vec<String>,
    /// `roles-claim`, by path.
    pub roles_claim: Option<Vec<String>>,
    /// `bound`
    pub bound: Option<Spanned<Bound>>,
    /// `introspection`, besides keys.
    pub introspection: Option<Spanned<Introspection>>,
}

/// Where keys come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keys {
    /// `file: PATH` of a JWKS.
    File(Setting<String>),
    /// `inline: {…}`: a JWKS in the spec, as JSON text.
    Inline(String),
    /// `jwks: URL`
    Url(Setting<String>),
    /// `discovery: true`
    Discovery,
}

/// `x-security` of an API key scheme.
#[derive(Clone, Debug, Default)]
pub struct ApiKey {
    /// `prefix`
    pub prefix: String,
    /// `rotate-every`, seconds.
    pub rotate_every: Option<u32>,
    /// `grace`, seconds.
    pub grace: u32,
    /// `anomaly`
    pub anomaly: Option<Spanned<Anomaly>>,
}

/// `anomaly`: what is unusual for a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Anomaly {
    /// `new-network`: `warn` or `refuse`.
    pub new_network: Option<String>,
    /// `spike`: so many times the usual traffic.
    pub spike: Option<u32>,
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

/// A role.
#[derive(Clone, Debug)]
pub struct Role {
    /// Its name.
    pub name: Spanned<String>,
    /// `scopes`
    pub scopes: Vec<Spanned<String>>,
    /// `inherits`
    pub inherits: Vec<Spanned<String>>,
}

/// An API key level.
#[derive(Clone, Debug)]
pub struct Level {
    /// Its name.
    pub name: Spanned<String>,
    /// `scopes`
    pub scopes: Vec<Spanned<String>>,
    /// `rate-limit`
    pub rate: Option<Spanned<Setting<Rate>>>,
}

/// A named network.
#[derive(Clone, Debug)]
pub struct Network {
    /// Its name.
    pub name: Spanned<String>,
    /// Its ranges in CIDR notation.
    pub ranges: Vec<Spanned<Setting<String>>>,
}

/// A named bucket.
#[derive(Clone, Debug)]
pub struct Action {
    /// Its name.
    pub name: Spanned<String>,
    /// Its limits.
    pub limits: Vec<Limit>,
}

/// `transport`
#[derive(Clone, Debug)]
pub struct Transport {
    /// `https`
    pub https: gatewright_policy::table::Https,
    /// `min-tls` is `1.3`.
    pub tls13_only: bool,
    /// `hsts`; `None` is `off`.
    pub hsts: Option<gatewright_policy::table::Hsts>,
    /// `client-certificates`
    pub client_certificates: gatewright_policy::table::ClientCertificates,
    /// `hosts`
    pub hosts: Vec<Spanned<Setting<String>>>,
    /// `trusted-proxies`
    pub trusted_proxies: Vec<Spanned<Setting<String>>>,
}

/// Two years.
const TWO_YEARS: u64 = 63_072_000;

impl Default for Transport {
    fn default() -> Self {
        use gatewright_policy::table::{ClientCertificates, Hsts, Https};
        Transport {
            https: Https::Required,
            tls13_only: false,
            hsts: Some(Hsts { max_age: TWO_YEARS, include_subdomains: true, preload: false }),
            client_certificates: ClientCertificates::Off,
            hosts: Vec::new(),
            trusted_proxies: Vec::new(),
        }
    }
}

/// `lifecycle`
#[derive(Clone, Debug)]
pub struct Lifecycle {
    /// `status`
    pub status: gatewright_policy::table::Status,
    /// `deprecated-at`, seconds since 1970.
    pub deprecated_at: Option<i64>,
    /// `sunset`, seconds since 1970.
    pub sunset: Option<i64>,
    /// `successor`
    pub successor: Option<String>,
    /// `documentation`: a URL for people.
    pub documentation: Option<String>,
    /// `notes`
    pub notes: Option<String>,
    /// Where it stands.
    pub span: Span,
}

impl Default for Lifecycle {
    fn default() -> Self {
        Lifecycle {
            status: gatewright_policy::table::Status::Stable,
            deprecated_at: None,
            sunset: None,
            successor: None,
            documentation: None,
            notes: None,
            span: Span::default(),
        }
    }
}

/// `errors`
#[derive(Clone, Debug)]
pub struct Errors {
    /// `type-base`
    pub type_base: Option<Setting<String>>,
    /// `validation`: 400 or 422.
    pub validation: u16,
}

impl Default for Errors {
    fn default() -> Self {
        Errors { type_base: None, validation: 400 }
    }
}
