//! The `x-security` vocabulary, read into the words of the IR: every key known, every value of its type, and every
//! mistake reported at its line with the nearest key that exists. What may stand where is said once, in [`KEYS`]; the
//! published JSON Schema (`vocabulary.schema.json`) says the same to editors, and a test holds the two together.
//!
//! Nothing here knows what is declared elsewhere (a role, a scheme, a parameter): rules judge that over the whole IR.

mod operation;
mod property;
mod read;
mod root;
mod scheme;
mod values;

pub use operation::OperationKeys;
pub(crate) use property::protection;
pub(crate) use read::Reader;
pub use root::RootKeys;
pub(crate) use scheme::verify;

/// The vocabulary as a JSON Schema, for editors.
pub const SCHEMA: &str = include_str!("../../vocabulary.schema.json");

/// Each kind of object of the vocabulary, and the keys that may stand in it.
pub const KEYS: &[(&str, &[&str])] = &[
    ("root", ROOT),
    ("transport", TRANSPORT),
    ("hsts", HSTS),
    ("root-allow", ROOT_ALLOW),
    ("role", ROLE),
    ("level", LEVEL),
    ("action", ACTION),
    ("lifecycle", LIFECYCLE),
    ("errors", ERRORS),
    ("limits", LIMITS),
    ("operation", OPERATION),
    ("claim", CLAIM),
    ("owner", OWNER),
    ("step-up", STEP_UP),
    ("allow", ALLOW),
    ("limit", LIMIT),
    ("idempotency", IDEMPOTENCY),
    ("token-scheme", TOKEN_SCHEME),
    ("keys", KEY_SOURCES),
    ("bound", BOUND),
    ("introspection", INTROSPECTION),
    ("key-scheme", KEY_SCHEME),
    ("anomaly", ANOMALY),
    ("webauthn-scheme", WEBAUTHN_SCHEME),
    ("property", PROPERTY),
];

type Keys = &'static [&'static str];

const ROOT: Keys = &[
    "vocabulary",
    "transport",
    "allow",
    "roles",
    "levels",
    "networks",
    "actions",
    "lifecycle",
    "errors",
    "limits",
    "defaults",
];
const TRANSPORT: Keys = &["https", "min-tls", "hsts", "client-certificates", "hosts", "trusted-proxies"];
const HSTS: Keys = &["max-age", "include-subdomains", "preload"];
const ROOT_ALLOW: Keys = &["networks"];
const ROLE: Keys = &["inherits", "scopes"];
const LEVEL: Keys = &["scopes", "rate-limit"];
const ACTION: Keys = &["rate-limit"];
const LIFECYCLE: Keys = &["status", "deprecated-at", "sunset", "successor", "documentation", "notes"];
const ERRORS: Keys = &["type-base", "validation"];
const LIMITS: Keys = &["on-outage", "store-budget"];
const OPERATION: Keys = &[
    "public",
    "roles",
    "level",
    "claims",
    "owner",
    "step-up",
    "allow",
    "rate-limit",
    "cost",
    "body-limit",
    "timeout",
    "idempotency",
    "unknown-fields",
    "sensitive-flow",
    "audit",
    "upstream",
];
const CLAIM: Keys = &["claim", "equals", "in", "contains"];
const OWNER: Keys = &["resource", "id"];
const STEP_UP: Keys = &["method", "within", "acr"];
const ALLOW: Keys = &["networks", "users", "devices"];
const LIMIT: Keys = &["by", "limit", "burst", "quota", "concurrent", "action"];
const IDEMPOTENCY: Keys = &["required", "expires"];
const TOKEN_SCHEME: Keys = &[
    "issuer",
    "audience",
    "keys",
    "algorithms",
    "typ",
    "max-lifetime",
    "leeway",
    "roles-claim",
    "scopes-claim",
    "bound",
    "introspection",
];
const KEY_SOURCES: Keys = &["discovery", "jwks", "file", "inline"];
const BOUND: Keys = &["methods", "require", "nonce"];
const INTROSPECTION: Keys = &["url", "cache"];
const KEY_SCHEME: Keys = &["prefix", "rotate-every", "grace", "anomaly"];
const ANOMALY: Keys = &["new-network", "spike"];
const WEBAUTHN_SCHEME: Keys = &["rp-id", "rp-name", "origins", "user-verification"];
const PROPERTY: Keys = &["classification", "read", "write", "log"];
