//! An operation's policy, and what an API's operations share, as the constant data that generated code holds.
//!
//! Everything is `'static` and const-constructible: a policy is fixed when the server is built. Only deployment values
//! ([`Setting`]) are read at start.

use crate::Rate;

/// A deployment value: fixed in the spec, or read once from the environment when the server starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting<T: 'static> {
    /// Written in the spec.
    Fixed(T),
    /// `${NAME}` or `${NAME:-default}`; `template` is the whole text, which may hold several. Missing without default
    /// stops the start.
    Environment {
        /// The text with its variables.
        template: &'static str,
        /// Where it stands (`bank.yaml:12`).
        at: &'static str,
    },
}

/// What all operations of one API version share.
#[derive(Clone, Copy, Debug)]
pub struct ApiPolicy {
    /// The API's title and version, for logs.
    pub name: &'static str,
    /// The path prefix under which this version is served: `/v1`; empty for none.
    pub prefix: &'static str,
    /// How many grant bits the API has.
    pub bits: u16,
    /// The ways to authenticate, by index.
    pub schemes: &'static [Scheme],
    /// The roles, by index.
    pub roles: &'static [Role],
    /// The API key levels, lowest first.
    pub levels: &'static [Level],
    /// The named networks, by index.
    pub networks: &'static [Network],
    /// The named buckets, by index.
    pub actions: &'static [Action],
    /// Networks from which this API may be used at all, by index; empty means everywhere.
    pub allow_networks: &'static [u16],
    /// Limits by address for requests that no operation answers: unknown paths, wrong methods.
    pub limits: &'static [Limit],
    /// How a store is used that several servers share, where the deployment has one.
    pub store: SharedStore,
    /// Transport.
    pub transport: Transport,
    /// Which version of life this API version is in.
    pub lifecycle: Lifecycle,
    /// Problem types start with this; `None` gives `about:blank` types.
    pub type_base: Option<Setting<&'static str>>,
    /// The status of a validation failure: 400 or 422.
    pub validation_status: u16,
    /// Passkeys, where an operation asks for one.
    pub passkeys: Option<Passkeys>,
    /// Which members of JSON values only some callers may see or send, as a graph whose edges are indexes.
    pub fields: &'static [Fields],
    /// SHA-256 of the API's policies as the compiler saw them, in hex.
    pub hash: &'static str,
}

/// `limits`: how a shared store is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedStore {
    /// What happens while it does not answer.
    pub on_outage: OnOutage,
    /// For how many milliseconds a request waits for it, at least 1.
    pub budget: u32,
}

/// `limits.on-outage`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnOutage {
    /// Nothing passes that would have been counted there.
    Closed,
    /// Each server counts for itself.
    Local,
}

/// `transport`.
#[derive(Clone, Copy, Debug)]
pub struct Transport {
    /// Whether plain HTTP is served.
    pub https: Https,
    /// `min-tls: "1.3"`
    pub tls13_only: bool,
    /// `Strict-Transport-Security` (RFC 6797); `None` sends none.
    pub hsts: Option<Hsts>,
    /// Client certificates.
    pub client_certificates: ClientCertificates,
    /// Accepted `Host` values without port; empty accepts all.
    pub hosts: &'static [Setting<&'static str>],
    /// Networks whose forwarding headers count.
    pub trusted_proxies: &'static [Setting<&'static str>],
}

/// `transport.https`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Https {
    /// Plain HTTP is refused.
    Required,
    /// GET and HEAD without credentials are redirected.
    Redirect,
    /// Plain HTTP is served: loopback and tests.
    Off,
}

/// `transport.hsts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hsts {
    /// Seconds.
    pub max_age: u64,
    /// `include-subdomains`
    pub include_subdomains: bool,
    /// `preload`
    pub preload: bool,
}

/// `transport.client-certificates`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientCertificates {
    /// Not asked for.
    Off,
    /// Asked for.
    Optional,
    /// No connection without one.
    Required,
}

/// `lifecycle`.
#[derive(Clone, Copy, Debug)]
pub struct Lifecycle {
    /// The state that the spec says. A deprecated version whose sunset has passed answers as a retired one.
    pub status: Status,
    /// Since when it is deprecated, in seconds since 1970 (RFC 9745).
    pub deprecated_at: Option<i64>,
    /// From when on it answers 410, in seconds since 1970 (RFC 8594).
    pub sunset: Option<i64>,
    /// The path or URL of what replaces it.
    pub successor: Option<&'static str>,
    /// Where people read about the deprecation: a URL.
    pub documentation: Option<&'static str>,
}

/// `lifecycle.status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// May still change.
    Preview,
    /// The default.
    Stable,
    /// Works, and says so in its headers.
    Deprecated,
    /// Answers 410.
    Retired,
}

/// A way to authenticate.
#[derive(Clone, Copy, Debug)]
pub struct Scheme {
    /// Its name in the document.
    pub name: &'static str,
    /// Where it stands.
    pub at: &'static str,
    /// The bit of a caller who presented a good credential of this scheme.
    pub bit: u16,
    /// The bit of each scope that operations or roles name for this scheme.
    pub scopes: &'static [(&'static str, u16)],
    /// Where the credential stands in a request.
    pub carrier: Carrier,
    /// How it is verified.
    pub verify: Verify,
}

/// Where a credential stands in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// `Authorization: <scheme> …`, the scheme's name in lower case (RFC 9110, 11.6.2).
    Authorization(&'static str),
    /// A header field.
    Header(&'static str),
    /// A query parameter.
    Query(&'static str),
    /// A cookie.
    Cookie(&'static str),
    /// The client's certificate.
    ClientCertificate,
}

/// How a credential is verified.
#[derive(Clone, Copy, Debug)]
pub enum Verify {
    /// A signed token (RFC 7519, 8725, 9068).
    Jwt(Jwt),
    /// An opaque token, about which the issuer is asked (RFC 7662).
    Introspection(Introspection),
    /// A leveled API key of the store.
    ApiKey(ApiKey),
    /// By the application: it implements `gatewright::Verify` for the scheme, or does not compile.
    Application,
}

/// What a JWT must be.
#[derive(Clone, Copy, Debug)]
pub struct Jwt {
    /// The exact `iss`.
    pub issuer: Setting<&'static str>,
    /// One of these must be in `aud`.
    pub audience: &'static [Setting<&'static str>],
    /// Where its keys come from.
    pub keys: Keys,
    /// The pinned algorithms (RFC 8725, 3.1).
    pub algorithms: &'static [Algorithm],
    /// Seconds from `iat` to `exp` at most.
    pub max_lifetime: u32,
    /// Seconds of clock difference forgiven.
    pub leeway: u32,
    /// Whether `typ` must be `at+jwt` (RFC 9068, 4). Otherwise `JWT` and none are taken too.
    pub typed: bool,
    /// The path of the claim that holds the scopes: a space-separated string or an array.
    pub scopes_claim: &'static [&'static str],
    /// The path of the claim that holds the roles.
    pub roles_claim: Option<&'static [&'static str]>,
    /// Which bound tokens are taken. One that is bound is never taken without proof.
    pub bound: Option<Bound>,
    /// Who is asked about tokens that are not signed.
    pub introspection: Option<Introspection>,
}

/// Tokens that only their owner can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Bound to a key (RFC 9449).
    pub dpop: bool,
    /// Bound to a client certificate (RFC 8705).
    pub mtls: bool,
    /// Whether a token that is not bound is refused.
    pub require: bool,
    /// Whether proofs must hold a nonce of ours (RFC 9449, 9).
    pub nonce: bool,
}

/// Asking an issuer about a token (RFC 7662).
#[derive(Clone, Copy, Debug)]
pub struct Introspection {
    /// Where it is asked.
    pub url: Setting<&'static str>,
    /// The exact `iss`, where the answer has one.
    pub issuer: Option<Setting<&'static str>>,
    /// One of these must be in `aud`.
    pub audience: &'static [Setting<&'static str>],
    /// Seconds for which an answer may be reused; 0 asks each time.
    pub cache: u32,
    /// Seconds of clock difference forgiven.
    pub leeway: u32,
    /// The path of the member that holds the scopes.
    pub scopes_claim: &'static [&'static str],
    /// The path of the member that holds the roles.
    pub roles_claim: Option<&'static [&'static str]>,
    /// Which bound tokens are taken.
    pub bound: Option<Bound>,
}

/// Where the keys of an issuer come from.
#[derive(Clone, Copy, Debug)]
pub enum Keys {
    /// A JWKS file, read at start.
    File(Setting<&'static str>),
    /// A JWKS in the spec itself, as JSON.
    Inline(&'static str),
    /// A JWKS URL.
    Url(Setting<&'static str>),
    /// OpenID Connect discovery or RFC 8414, from the issuer.
    Discovery,
}

/// A signature algorithm of RFC 7518, 3.1 or RFC 8037. Neither `none` nor HMAC can be said.
#[allow(missing_docs)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    ES256,
    ES384,
    EdDSA,
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
}

/// What an API key scheme is.
#[derive(Clone, Copy, Debug)]
pub struct ApiKey {
    /// What keys start with: `wx` of `wx_<id>_<secret><checksum>`.
    pub prefix: &'static str,
    /// Seconds after which a key should be replaced.
    pub rotate_every: Option<u32>,
    /// Seconds for which a replaced key still works.
    pub grace: u32,
    /// What of its use is said to be unusual.
    pub anomaly: Option<Anomaly>,
}

/// `anomaly`: what is unusual in the use of a key, and what becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anomaly {
    /// A key comes from a network that it never came from (IPv4 by /24, IPv6 by /48).
    pub new_network: NewNetwork,
    /// `spike: 10x`: so many times its usual uses in a minute are an event of the audit log. Nobody is refused for them.
    pub spike: Option<u32>,
}

/// `new-network`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewNetwork {
    /// Nobody looks.
    Ignore,
    /// An event of the audit log.
    Warn,
    /// The key is not good there, and it is an event of the audit log. A key is good in the network of its first use, and where
    /// whoever manages the keys said so.
    Refuse,
}

/// Passkeys (WebAuthn Level 3): the scheme that `step-up: { method: webauthn }` speaks of.
#[derive(Clone, Copy, Debug)]
pub struct Passkeys {
    /// The scheme's name in the document.
    pub name: &'static str,
    /// Where it stands.
    pub at: &'static str,
    /// The domain that passkeys are for.
    pub rp_id: Setting<&'static str>,
    /// What browsers call it.
    pub rp_name: &'static str,
    /// The pages that may ask for passkeys.
    pub origins: &'static [Setting<&'static str>],
    /// Whether the authenticator must know that it is its user.
    pub user_verification: UserVerification,
    /// Who may register and show passkeys.
    pub policy: Policy,
}

/// `user-verification`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserVerification {
    /// Without it a ceremony is refused.
    Required,
    /// It is asked for.
    Preferred,
    /// It is not asked for.
    Discouraged,
}

/// A role.
#[derive(Clone, Copy, Debug)]
pub struct Role {
    /// Its name.
    pub name: &'static str,
    /// Its bit, those of the roles it inherits, and, for every scheme that can carry roles, of their scopes: by scheme.
    pub grants: &'static [(u16, &'static [u64])],
}

/// An API key level.
#[derive(Clone, Copy, Debug)]
pub struct Level {
    /// Its name.
    pub name: &'static str,
    /// Its bit, those of the levels below it, and of its scopes on each API key scheme: by scheme.
    pub grants: &'static [(u16, &'static [u64])],
    /// Its own rate.
    pub rate: Option<Setting<Rate>>,
}

/// A named network.
#[derive(Clone, Copy, Debug)]
pub struct Network {
    /// Its name.
    pub name: &'static str,
    /// Its ranges in CIDR notation (RFC 4632); an environment setting may hold several, separated by commas.
    pub ranges: &'static [Setting<&'static str>],
}

/// A named bucket that several operations draw from.
#[derive(Clone, Copy, Debug)]
pub struct Action {
    /// Its name.
    pub name: &'static str,
    /// Its limits.
    pub limits: &'static [Limit],
}

/// One rate limit.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// Its name in `RateLimit-Policy`.
    pub name: &'static str,
    /// What it counts by: all of these together; never empty.
    pub by: &'static [Key],
    /// How much.
    pub quota: Quota,
}

/// What a limit counts by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// The address; IPv6 by /64.
    Address,
    /// The subject of the credential.
    User,
    /// The API key.
    ApiKey,
    /// The OAuth client.
    Client,
    /// The API key's level.
    Level,
    /// A claim, by path.
    Claim(&'static [&'static str]),
}

/// How much a limit admits.
#[derive(Clone, Copy, Debug)]
pub enum Quota {
    /// The same for everybody.
    Flat(Setting<Rate>),
    /// By role or level; the largest that the caller has counts, the default where none does.
    ByGrant {
        /// Where no other counts.
        default: Setting<Rate>,
        /// Role or level, as its bit.
        rates: &'static [(u16, Setting<Rate>)],
    },
    /// The rate of the caller's own level; a caller without a level is refused.
    OfLevel,
    /// The named bucket's.
    Action(u16),
    /// In a calendar day or month ([`Rate::period`]), not at a rate: [`Flat`](Quota::Flat) or
    /// [`ByGrant`](Quota::ByGrant).
    Calendar(&'static Quota),
    /// So many at once ([`Rate::limit`]), however many in a time: flat or by grant.
    Concurrent(&'static Quota),
}

/// The policy of one operation.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// The operation's id.
    pub operation: &'static str,
    /// Where it stands (`bank.yaml:41`).
    pub at: &'static str,
    /// Who may call it.
    pub access: Access,
    /// The bits of the roles of which one is needed; empty needs none.
    pub roles: &'static [u64],
    /// The bit of the least level.
    pub level: Option<u16>,
    /// What must hold for claims: all of these.
    pub claims: &'static [Claim],
    /// Networks from which it may be called, by index; `None` allows all that the API does.
    pub allow_networks: Option<&'static [u16]>,
    /// Subjects who may call it; `None` allows all.
    pub allow_users: Option<&'static [&'static str]>,
    /// Groups of devices from which it may be called; `None` allows all.
    pub allow_devices: Option<&'static [&'static str]>,
    /// How its caller must have authenticated, and how recently; `None` asks no more than `access` does.
    pub step_up: Option<StepUp>,
    /// Its limits.
    pub limits: &'static [Limit],
    /// How much a request takes of each of them, but of how many run at once; at least 1.
    pub cost: u32,
    /// The largest body in bytes.
    pub body_limit: Setting<u64>,
    /// The deadline of the whole request, in milliseconds.
    pub timeout: Setting<u64>,
    /// Whether a request that is sent again is answered with the first result.
    pub idempotency: Option<Idempotency>,
    /// Whether each decision is recorded.
    pub audit: bool,
    /// What only some callers may see in its responses: an index into [`ApiPolicy::fields`].
    pub read: Option<u16>,
    /// What only some callers may send in its body: an index into [`ApiPolicy::fields`].
    pub write: Option<u16>,
    /// Which parameters only some callers may send: an index into [`ApiPolicy::fields`], whose members are named by place and
    /// name, such as `query.limit`.
    pub parameters: Option<u16>,
}

/// An authentication that must be strong and recent (RFC 9470).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepUp {
    /// By what.
    pub method: StepUpMethod,
    /// Seconds that it may lie back.
    pub within: u32,
}

/// What an authentication must have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepUpMethod {
    /// With several factors, as the caller's token says.
    Mfa {
        /// The `acr` of which the token must have one. Where none is named, `amr` must hold `mfa` (RFC 8176, 2), or `acr` be
        /// [`MULTI_FACTOR`](StepUpMethod::MULTI_FACTOR).
        acr: &'static [&'static str],
    },
    /// With one of the caller's passkeys ([`ApiPolicy::passkeys`]), shown to this server.
    WebAuthn,
}

impl StepUpMethod {
    /// The `acr` that stands for several factors at most issuers (OpenID PAPE 1.0, 4).
    pub const MULTI_FACTOR: &'static str = "http://schemas.openid.net/pape/policies/2007/06/multi-factor";
}

/// `idempotency` (draft-ietf-httpapi-idempotency-key-header-07).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// Whether a request without `Idempotency-Key` is refused.
    pub required: bool,
    /// For how many seconds the first result is kept.
    pub expires: u32,
}

/// The guarded members of one JSON value; what is not named here is open.
#[derive(Clone, Copy, Debug)]
pub struct Fields {
    /// Its members by name.
    pub members: &'static [Field],
    /// What is guarded within the members that are not named: an index.
    pub others: Option<u16>,
    /// What is guarded within the items of an array: an index.
    pub items: Option<u16>,
}

/// One guarded member, or one that has some within.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Of each of these sets of bits one is needed; empty where the member itself is open.
    pub need: &'static [&'static [u64]],
    /// What is guarded within it: an index.
    pub within: Option<u16>,
}

/// Who may call an operation.
#[derive(Clone, Copy, Debug)]
pub enum Access {
    /// Everybody; the spec says why.
    Public(&'static str),
    /// Everybody, because the spec says nothing and was compiled with `--allow-unguarded`.
    Unguarded,
    /// Whoever satisfies one of these; never empty.
    Guarded(&'static [Alternative]),
}

/// One alternative of `security`: all its schemes with all their scopes. The alternative without schemes (`{}`) admits
/// whoever presents nothing.
#[derive(Clone, Copy, Debug)]
pub struct Alternative {
    /// Its schemes, by index.
    pub schemes: &'static [u16],
    /// The bits of its schemes: what makes a caller authenticated.
    pub authenticated: &'static [u64],
    /// The bits of its schemes and scopes: what makes a caller authorized.
    pub authorized: &'static [u64],
    /// Its scopes by name, for the `scope` of a challenge (RFC 6750, 3).
    pub scopes: &'static [&'static str],
}

/// One condition on a claim.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    /// The path of the claim: one part per level.
    pub path: &'static [&'static str],
    /// What must hold.
    pub must: Must,
}

/// What must hold for a claim. A claim that is absent, or of another type, never holds.
#[derive(Clone, Copy, Debug)]
pub enum Must {
    /// Equal to a value.
    Equal(Operand),
    /// Equal to one of these.
    In(&'static [Operand]),
    /// An array or space-separated string that has this value.
    Contain(Operand),
}

/// What a claim is compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operand {
    /// A string.
    Text(&'static str),
    /// A whole number.
    Integer(i64),
    /// A boolean.
    Bool(bool),
    /// A path parameter.
    Path(&'static str),
    /// A query parameter.
    Query(&'static str),
    /// A header field.
    Header(&'static str),
    /// A place in the JSON body (RFC 6901); checked after it is parsed.
    Body(&'static str),
}

impl Policy {
    /// Fails the build of a server whose table was cut open by hand: a policy that admits whoever presents nothing must
    /// say so as [`Access::Public`], [`Access::Unguarded`] or the alternative `{}`.
    ///
    /// # Panics
    /// When evaluated in a constant and [`Access::Guarded`] has no alternative.
    #[must_use]
    #[allow(clippy::panic)]
    pub const fn checked(self) -> Policy {
        if let Access::Guarded(alternatives) = self.access {
            assert!(!alternatives.is_empty(), "an operation has no guard");
        }
        self
    }

    /// Whether a caller without any credential may be admitted.
    #[must_use]
    pub fn admits_anonymous(&self) -> bool {
        match self.access {
            Access::Public(_) | Access::Unguarded => true,
            Access::Guarded(alternatives) => alternatives.iter().any(|a| a.schemes.is_empty()),
        }
    }
}
