//! A small bank, written as the tables that the compiler would write, and a driver that walks a request through the
//! guards as the dispatcher does. The handler counts how often it is entered.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, dead_code, unreachable_pub)]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use axum::body::Body;
use gatewright::store::{Keys as ManagedKeys, MemoryStore, Order, Pepper};
use gatewright::table::*;
use gatewright::{
    Api, Clock, Config, Gateway, Identity, Internal, Peer, Presented, Unverified, Verified, Verifier,
    Verify as VerifyTrait,
};
use gatewright_policy::Rate;
use http::{Request, Response};
use http_body_util::BodyExt;
use serde_json::{Value, json};

pub const NOW: i64 = 1_800_000_000;

pub const OAUTH: u16 = 0;
pub const KEY: u16 = 1;
pub const BASIC: u16 = 2;

/// Bits by name.
pub const fn bit(n: u16) -> u64 {
    1 << n
}
pub const READ: u16 = 3;
pub const WRITE: u16 = 4;
pub const TELLER: u16 = 5;
pub const ADMIN: u16 = 6;
pub const FREE: u16 = 7;
pub const PREMIUM: u16 = 8;

pub const API: ApiPolicy = ApiPolicy {
    name: "Bank v1",
    prefix: "/v1",
    bits: 9,
    schemes: &[
        Scheme {
            name: "oauth",
            at: "bank.yaml:10",
            bit: OAUTH,
            scopes: &[("transfers:read", READ), ("transfers:write", WRITE)],
            carrier: Carrier::Authorization("bearer"),
            verify: Verify::Jwt(Jwt {
                issuer: Setting::Environment { template: "https://${ISSUER}", at: "bank.yaml:12" },
                audience: &[Setting::Fixed("bank-api")],
                keys: gatewright::table::Keys::Discovery,
                algorithms: &[Algorithm::EdDSA],
                max_lifetime: 3_600,
                leeway: 0,
                typed: true,
                scopes_claim: &["scope"],
                roles_claim: Some(&["roles"]),
                bound: None,
                introspection: None,
            }),
        },
        Scheme {
            name: "key",
            at: "bank.yaml:20",
            bit: KEY,
            scopes: &[],
            carrier: Carrier::Header("x-api-key"),
            verify: Verify::ApiKey(ApiKey { prefix: "wx", rotate_every: None, grace: 0, anomaly: None }),
        },
        Scheme {
            name: "basic",
            at: "bank.yaml:30",
            bit: BASIC,
            scopes: &[],
            carrier: Carrier::Authorization("basic"),
            verify: Verify::Application,
        },
    ],
    roles: &[
        Role { name: "teller", grants: &[(OAUTH, &[bit(TELLER) | bit(READ)])] },
        Role { name: "admin", grants: &[(OAUTH, &[bit(ADMIN) | bit(TELLER) | bit(READ) | bit(WRITE)])] },
    ],
    levels: &[
        Level { name: "free", grants: &[(KEY, &[bit(FREE)])], rate: Some(rate(2, 60)) },
        Level { name: "premium", grants: &[(KEY, &[bit(FREE) | bit(PREMIUM)])], rate: Some(rate(5, 60)) },
    ],
    networks: &[Network {
        name: "office",
        ranges: &[Setting::Fixed("203.0.113.0/24"), Setting::Fixed("2001:db8::/32")],
    }],
    actions: &[Action {
        name: "login",
        limits: &[Limit { name: "login", by: &[Key::Address], quota: Quota::Flat(rate(3, 60)) }],
    }],
    allow_networks: &[],
    limits: &[],
    store: SharedStore { on_outage: OnOutage::Closed, budget: 20 },
    transport: Transport {
        https: Https::Required,
        tls13_only: false,
        hsts: Some(Hsts { max_age: 63_072_000, include_subdomains: true, preload: false }),
        client_certificates: ClientCertificates::Off,
        hosts: &[Setting::Fixed("api.example.com")],
        trusted_proxies: &[Setting::Fixed("10.0.0.0/8")],
    },
    lifecycle: Lifecycle {
        status: Status::Stable,
        deprecated_at: None,
        sunset: None,
        successor: None,
        documentation: None,
    },
    type_base: None,
    validation_status: 400,
    passkeys: None,
    fields: &[],
    hash: "",
};

pub const fn rate(limit: u32, window: u32) -> Setting<Rate> {
    Setting::Fixed(Rate { limit, window, burst: limit })
}

/// `oauth: [transfers:write]`
pub const OAUTH_WRITE: Alternative = Alternative {
    schemes: &[OAUTH],
    authenticated: &[bit(OAUTH)],
    authorized: &[bit(OAUTH) | bit(WRITE)],
    scopes: &["transfers:write"],
};
/// `oauth: []`
pub const OAUTH_ANY: Alternative =
    Alternative { schemes: &[OAUTH], authenticated: &[bit(OAUTH)], authorized: &[bit(OAUTH)], scopes: &[] };
/// `key: []`
pub const KEY_ANY: Alternative =
    Alternative { schemes: &[KEY], authenticated: &[bit(KEY)], authorized: &[bit(KEY)], scopes: &[] };
/// `basic: []`
pub const BASIC_ANY: Alternative =
    Alternative { schemes: &[BASIC], authenticated: &[bit(BASIC)], authorized: &[bit(BASIC)], scopes: &[] };
/// `oauth` and `key` together.
pub const OAUTH_AND_KEY: Alternative = Alternative {
    schemes: &[OAUTH, KEY],
    authenticated: &[bit(OAUTH) | bit(KEY)],
    authorized: &[bit(OAUTH) | bit(KEY)],
    scopes: &[],
};
/// `{}`
pub const NOBODY: Alternative = Alternative { schemes: &[], authenticated: &[], authorized: &[], scopes: &[] };

pub const OPEN: Policy = Policy {
    operation: "op",
    at: "bank.yaml:41",
    access: Access::Public("a test"),
    roles: &[],
    level: None,
    claims: &[],
    allow_networks: None,
    allow_users: None,
    allow_devices: None,
    limits: &[],
    cost: 1,
    body_limit: Setting::Fixed(1_024),
    timeout: Setting::Fixed(10_000),
    idempotency: None,
    audit: false,
    read: None,
    write: None,
    parameters: None,
    step_up: None,
};

pub const GUARDED: Policy = Policy { access: Access::Guarded(&[OAUTH_ANY]), ..OPEN };

pub struct TestClock {
    unix: AtomicI64,
    mono: AtomicU64,
}

impl TestClock {
    pub fn set(&self, unix: i64) {
        self.unix.store(unix, Ordering::SeqCst);
    }
    pub fn wait(&self, milliseconds: u64) {
        self.mono.fetch_add(milliseconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn unix(&self) -> i64 {
        self.unix.load(Ordering::SeqCst)
    }
    fn monotonic(&self) -> u64 {
        self.mono.load(Ordering::SeqCst)
    }
}

pub struct Basic;

/// Knows one user, and breaks down on demand.
pub struct App;

impl VerifyTrait<Basic> for App {
    async fn verify(&self, presented: Presented<'_>) -> Result<Verified, Unverified> {
        match presented {
            Presented::Basic { user: "down", .. } => {
                Err(Unverified::Unavailable(Internal::new("the directory is down")))
            }
            Presented::Basic { user: "panic", .. } => panic!("in the application"),
            Presented::Basic { user: "hang", .. } => std::future::pending().await,
            Presented::Certificate { sha256: [0x33, ..], .. } => Ok(Verified::subject("machine")),
            Presented::Certificate { der: Some(b"DER of bob"), .. } => Ok(Verified::subject("bob")),
            Presented::Basic { user: "bob", password: "secret" } => Ok(Verified::subject("bob").claim("tenant", "t1")),
            _ => Err(Unverified::Bad),
        }
    }
}

/// A running bank.
pub struct Bank {
    pub gateway: Gateway,
    pub clock: Arc<TestClock>,
    pub keys: ManagedKeys,
    pub entered: AtomicUsize,
    signer: Ed25519KeyPair,
}

pub fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

impl Bank {
    /// One version with these operations.
    pub fn new(api: ApiPolicy, operations: Vec<Policy>) -> Bank {
        Bank::versions(vec![(api, operations)])
    }

    /// One operation of the usual version.
    pub fn of(policy: Policy) -> Bank {
        Bank::new(API, vec![policy])
    }

    pub fn versions(versions: Vec<(ApiPolicy, Vec<Policy>)>) -> Bank {
        Bank::configured(versions, |c| c)
    }

    pub fn configured(versions: Vec<(ApiPolicy, Vec<Policy>)>, also: impl Fn(Config) -> Config) -> Bank {
        Bank::build(versions, |config, jwks| also(config.jwks("oauth", jwks)))
    }

    /// One whose keys come from where its policy says.
    pub fn asking(versions: Vec<(ApiPolicy, Vec<Policy>)>, also: impl Fn(Config) -> Config) -> Bank {
        Bank::build(versions, |config, _| also(config))
    }

    fn build(versions: Vec<(ApiPolicy, Vec<Policy>)>, also: impl Fn(Config, String) -> Config) -> Bank {
        let signer = Ed25519KeyPair::generate().unwrap();
        let clock = Arc::new(TestClock { unix: NOW.into(), mono: 1.into() });
        let store = Arc::new(MemoryStore::default());
        let pepper = Pepper::new(vec![7; 32]).unwrap();
        let jwks = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": base64url(signer.public_key().as_ref())}]});
        let config = Config::new()
            .variables([("ISSUER", "issuer.example.com")])
            .clock(clock.clone())
            .api_keys(store.clone(), pepper.clone());
        let apis = versions
            .into_iter()
            .map(|(policy, operations)| Api {
                policy: leak(policy),
                operations: operations.into_iter().map(|o| leak(o)).collect(),
                verifiers: vec![Verifier::new::<Basic, App>("basic", Arc::new(App))],
            })
            .collect();
        let gateway = Gateway::start(also(config, jwks.to_string()), apis).unwrap_or_else(|e| panic!("{e}"));
        Bank { gateway, clock, keys: ManagedKeys::new(store, pepper), entered: 0.into(), signer }
    }

    /// A token with these claims changed.
    pub fn token(&self, changes: Value) -> String {
        let mut claims = json!({"iss": "https://issuer.example.com", "aud": "bank-api", "sub": "alice",
            "client_id": "app", "jti": "1", "iat": NOW - 10, "exp": NOW + 600});
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::EdDSA);
        header.typ = Some("at+jwt".into());
        let key = self.signer.to_pkcs8v1().unwrap();
        jsonwebtoken::encode(&header, &claims, &jsonwebtoken::EncodingKey::from_ed_der(key.as_ref())).unwrap()
    }

    pub fn bearer(&self, changes: Value) -> String {
        format!("Bearer {}", self.token(changes))
    }

    pub fn key(&self, level: &str) -> String {
        let order =
            Order { prefix: "wx".into(), level: Some(level.into()), subject: Some("carol".into()), ..Order::default() };
        gatewright::store::at_once(self.keys.issue(order, NOW)).unwrap().unwrap().text.to_string()
    }

    /// A usual request: HTTPS from the internet.
    pub fn request(&self, headers: &[(&str, &str)]) -> Request<Body> {
        self.from("198.51.100.7:4711", headers)
    }

    pub fn from(&self, peer: &str, headers: &[(&str, &str)]) -> Request<Body> {
        let mut request = Request::post("/v1/transfers").header("host", "api.example.com");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(Peer::new(peer.parse().unwrap()).over_tls());
        request
    }

    pub fn send(&self, request: Request<Body>) -> Answer {
        self.send_to(0, 0, request)
    }

    pub fn send_to(&self, api: usize, operation: usize, request: Request<Body>) -> Answer {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(self.answer(api, operation, request))
    }

    /// As [`send_to`](Bank::send_to), within the caller's runtime.
    pub async fn answer(&self, api: usize, operation: usize, request: Request<Body>) -> Answer {
        let (parts, _) = request.into_parts();
        let before = self.entered.load(Ordering::SeqCst);
        let (response, identity) = self.walk(api, operation, &parts).await;
        let entered = self.entered.load(Ordering::SeqCst) - before;
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: head.status.as_u16(),
            entered: entered == 1,
            subject: identity.as_deref().and_then(Identity::subject).map(str::to_owned),
            problem: serde_json::from_slice(&body).unwrap_or(Value::Null),
            headers: head.headers,
        }
    }

    /// The status alone, for many askers at a time.
    pub async fn gateway_status(&self, bearer: &str) -> u16 {
        let (parts, _) = self.request(&[("authorization", bearer)]).into_parts();
        self.walk(0, 0, &parts).await.0.status().as_u16()
    }

    async fn walk(
        &self,
        api: usize,
        operation: usize,
        parts: &http::request::Parts,
    ) -> (Response<Body>, Option<Arc<Identity>>) {
        let exchange = self.gateway.open(Some(api), parts);
        if let Err(refused) = self.gateway.check_connection(&exchange, parts) {
            return (self.gateway.refuse(&exchange, None, refused), None);
        }
        let guard = self.gateway.guard(api, operation).unwrap();
        let path = vec![("tenantId".to_owned(), "t1".to_owned()), ("number".to_owned(), "7".to_owned())];
        match guard.admit(&exchange, parts, &path).await {
            Err(refused) => (self.gateway.refuse(&exchange, Some(guard), refused), None),
            Ok(admission) => {
                self.entered.fetch_add(1, Ordering::SeqCst);
                let response = self.gateway.answer(&exchange, &admission, Response::new(Body::from("{}")));
                (response, admission.identity().cloned())
            }
        }
    }
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub entered: bool,
    pub subject: Option<String>,
    pub problem: Value,
    pub headers: http::HeaderMap,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    /// The status, where the handler was entered exactly on success.
    pub fn code(&self) -> u16 {
        assert_eq!(self.entered, self.status == 200, "{self:?}");
        if self.status >= 400 {
            assert_eq!(self.header("content-type"), "application/problem+json");
            assert_eq!(self.problem["status"], self.status);
            assert_eq!(self.problem["request_id"], self.header("x-request-id"));
        }
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(self.header(name), value, "{self:?}");
        }
        self.status
    }
}

pub fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - group.len()));
        out.extend((0..=group.len()).map(|i| char::from(DIGITS[(bits >> (18 - 6 * i)) as usize & 63])));
    }
    out
}
