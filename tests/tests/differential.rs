//! Two engines, one policy: a naive interpreter of the IR and the generated bank answer the same random requests.
//!
//! Every request is drawn from the policy itself: for each operation, credentials that have, nearly have, or lack what it
//! asks for, from inside and outside its networks, for the caller's own objects and others'. A disagreement prints the
//! request and the seed; `GATEWRIGHT_SEED` runs that one again.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, reason = "a new seed at each run, or the one that is asked for")]

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use gatewright::store::{Keys, MemoryStore, Order, Pepper, at_once};
use gatewright::{Config, FakeClock, Peer};
use gatewright_ir::{CheckedIr, Operation};
use gatewright_policy::Refusal;
use gatewright_tests::authenticator::Authenticator;
use gatewright_tests::interpreter::{Credential, Facts, decide};
use gatewright_tests::issuer::Issuer;
use http::Request;
use serde_json::{Value, json};
use tower::ServiceExt as _;

const NOW: i64 = 1_790_000_000;
const REQUESTS: usize = 6_000;

/// xorshift64*: small, seedable, the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    fn of<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list[self.below(list.len())]
    }
}

fn compiled(version: &str) -> Arc<CheckedIr> {
    let base = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../specs/examples/bank");
    let spec = std::path::PathBuf::from(format!("{version}.yaml"));
    let (loader, entry) = gatewright_compiler::disk::DiskLoader::open(&base, &spec, None).expect("the bank's spec");
    gatewright_compiler::compile(&loader, &entry, &gatewright_compiler::Options::named(version))
        .ir
        .expect("the bank compiles")
}

/// A request, and what the interpreter needs to know of it.
struct Drawn {
    request: Request<axum::body::Body>,
    facts: Facts,
    owns: bool,
    label: String,
}

fn draw(random: &mut Random, version: &str, operation: &Operation, issuer: &Issuer, keys: &[(&str, String)]) -> Drawn {
    let mut facts = Facts { now: NOW, ..Facts::default() };
    let inside = random.chance(60);
    let address: IpAddr = if inside { "127.0.0.9" } else { "198.51.100.7" }.parse().unwrap();
    facts.address = Some(address);

    let subject = random.of(&["alice", "tess", "theo", "mallory"]);
    let account = random.of(&["acc_alice1", "acc_bob001", "acc_nobody"]);
    let tenant = random.of(&["acme", "other"]);
    let path = operation
        .path
        .text
        .replace("{accountId}", account)
        .replace("{tenantId}", tenant)
        .replace("{holdId}", "0192f0c1-2345-7abc-8def-0123456789ab");
    facts.path.insert("accountId".to_owned(), account.to_owned());
    facts.path.insert("tenantId".to_owned(), tenant.to_owned());

    let mut request = Request::builder().method(operation.method.as_str()).header("host", "localhost");
    if random.chance(80) {
        let mut scopes: Vec<&str> = Vec::new();
        for scope in ["accounts:read", "transfers:write", "holds:write", "reports:read", "nonsense"] {
            if random.chance(45) {
                scopes.push(scope);
            }
        }
        let mut roles: Vec<&str> = Vec::new();
        for role in ["customer", "teller", "auditor", "nobody"] {
            if random.chance(35) {
                roles.push(role);
            }
        }
        let claims = json!({
            "sub": subject,
            "scope": scopes.join(" "),
            "roles": roles,
            "tenant": random.of(&["acme", "other", "third"]),
            "auth_time": match random.below(6) {
                0 => Value::Null,
                1 => json!(NOW.to_string()),
                2 => json!(NOW - 900 - random.below(2) as i64),
                3 => json!(NOW + 30 + random.below(2) as i64),
                _ => json!(NOW - random.below(900) as i64),
            },
            "amr": match random.below(5) {
                0 => Value::Null,
                1 => json!("mfa"),
                2 => json!(["pwd"]),
                _ => json!(["pwd", "mfa"]),
            },
            "acr": match random.below(4) {
                0 => json!("http://schemas.openid.net/pape/policies/2007/06/multi-factor"),
                1 => json!("1"),
                _ => Value::Null,
            },
            "department": random.of(&["audit", "risk", "sales"]),
            "email_verified": match random.below(4) { 0 => json!(false), 1 => json!("true"), 2 => Value::Null, _ => json!(true) },
        });
        let bad = random.chance(12);
        let token = match random.below(4) {
            _ if !bad => issuer.token(NOW, &claims),
            0 => "not.a.token".to_owned(),
            1 => issuer.token(NOW - 7_200, &claims),
            2 => Issuer::new().token(NOW, &claims),
            _ => {
                let mut claims = claims.clone();
                claims["aud"] = json!("another-api");
                issuer.token(NOW, &claims)
            }
        };
        request = request.header("authorization", format!("Bearer {token}"));
        let mut claims = claims;
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        facts.credentials.insert("oauth".to_owned(), if bad { Credential::Bad } else { Credential::Token(claims) });
    }
    if random.chance(40) {
        if random.chance(20) {
            request = request.header("x-api-key", "bank_0000000000000000_wrong");
            facts.credentials.insert("key".to_owned(), Credential::Bad);
        } else {
            let (level, text) = &keys[random.below(keys.len())];
            request = request.header("x-api-key", text);
            facts.credentials.insert("key".to_owned(), Credential::Key { level: (*level).to_owned() });
        }
    }

    let query = if operation.id == "getRateHistory" { "?day=2026-01-31" } else { "" };
    let body = match operation.id.as_str() {
        "createTransfer" if version == "v1" => Some(json!({ "to": "acc_bob001", "amount": 1 })),
        "createTransfer" => Some(json!({ "to": "acc_bob001", "amount": 1, "currency": "EUR" })),
        "setLimit" => Some(json!({ "limit": 1 })),
        "startRecovery" => Some(json!({ "email": "a@example.com" })),
        _ => None,
    };
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    let label = format!("{} /{version}{path}{query} from {address}: {:?}", operation.method, facts.credentials);
    let body = body.map_or_else(axum::body::Body::empty, |body| axum::body::Body::from(body.to_string()));
    let mut request = request.uri(format!("/{version}{path}{query}")).body(body).unwrap();
    request.extensions_mut().insert(Peer::new(SocketAddr::new(address, 4_711)).over_tls());
    Drawn { request, facts, owns: subject == "alice" && account == "acc_alice1", label }
}

/// The drawn token and its subject, if the token is good; or another token of the same subject.
fn shown_with(drawn: &Drawn, issuer: &Issuer, own: bool) -> Option<(String, String)> {
    let Some(Credential::Token(claims)) = drawn.facts.credentials.get("oauth") else { return None };
    let subject = claims["sub"].as_str()?.to_owned();
    let own_token = drawn.request.headers().get("authorization")?.to_str().ok()?.strip_prefix("Bearer ")?.to_owned();
    let other = json!({ "sub": subject, "jti": "another" });
    Some((if own { own_token } else { issuer.token(NOW, &other) }, subject))
}

/// Shows a passkey, and registers it before that if it is not yet.
async fn show(router: &gatewright::Router, token: &str, passkey: &mut (Authenticator, bool)) {
    let send = async |path: &str, body: Value| {
        let mut request = Request::post(format!("/v2/webauthn/{path}"))
            .header("host", "localhost")
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {token}"))
            .body(axum::body::Body::from(body.to_string()))
            .unwrap();
        request.extensions_mut().insert(Peer::new("127.0.0.9:4711".parse().unwrap()).over_tls());
        let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
        assert!(parts.status.is_success(), "{path}: {parts:?}");
        let body = http_body_util::BodyExt::collect(body).await.unwrap().to_bytes();
        serde_json::from_slice::<Value>(&body).unwrap()
    };
    let (authenticator, registered) = passkey;
    if !*registered {
        let options = send("registration/options", json!({})).await;
        send("registration", authenticator.create(&options)).await;
        *registered = true;
    }
    let options = send("assertion/options", json!({})).await;
    send("assertion", authenticator.get(&options)).await;
}

#[tokio::test]
async fn a_naive_interpreter_and_the_server_agree() {
    let seed = std::env::var("GATEWRIGHT_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(|| {
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64 | 1
    });
    let mut random = Random(seed);
    let issuer = Issuer::new();
    let clock = Arc::new(FakeClock::at(NOW));
    let store = Arc::new(MemoryStore::default());
    let pepper = Pepper::new(vec![7; 32]).unwrap();
    let issue = Keys::new(store.clone(), pepper.clone());
    let keys: Vec<(&str, String)> = ["free", "premium"]
        .into_iter()
        .map(|level| {
            let order = Order { prefix: "bank".into(), level: Some(level.into()), ..Order::default() };
            (level, at_once(issue.issue(order, NOW)).unwrap().unwrap().text.to_string())
        })
        .collect();
    let config = Config::new().clock(clock.clone()).jwks("oauth", issuer.jwks());
    let config = config.passkeys(store.clone()).api_keys(store, pepper);
    let router = gatewright_example_bank::app::router(config).expect("the bank starts");

    let versions = [("v1", compiled("v1")), ("v2", compiled("v2"))];
    let mut passkeys: BTreeMap<String, (Authenticator, bool)> = BTreeMap::new();
    let mut seen: BTreeMap<(String, u16), usize> = BTreeMap::new();
    for _ in 0..REQUESTS {
        let (version, ir) = &versions[random.below(2)];
        let operation = &ir.api.operations[random.below(ir.api.operations.len())];
        let policy = ir.policies.get(operation.policy);
        let mut drawn = draw(&mut random, version, operation, &issuer, &keys);
        if policy.step_up.as_ref().is_some_and(|step| step.method.value == "webauthn") && random.chance(80) {
            // With the drawn token, or with another one of the same subject's.
            let own = random.chance(80);
            if let Some((token, subject)) = shown_with(&drawn, &issuer, own) {
                let passkey =
                    passkeys.entry(subject).or_insert_with_key(|name| (Authenticator::new(name.as_bytes()), false));
                show(&router, &token, passkey).await;
                let ago = if random.chance(70) { random.below(300) } else { 299 + random.below(3) };
                clock.advance(Duration::from_secs(ago as u64));
                clock.set_unix(NOW);
                drawn.facts.shown = own.then_some(ago as u32);
                drawn.label.push_str(&format!(", a passkey {ago} s ago, own: {own}"));
            }
        }
        let decision = decide(&ir.policies, policy, &drawn.facts);
        let expected: Vec<u16> = match decision {
            Err(refusal) => vec![refusal.status()],
            Ok(()) if policy.owner.is_some() && !drawn.owns => vec![Refusal::NotOwned.status()],
            // The handler's own answers.
            Ok(()) => vec![200, 201, 202, 204, 404, 409],
        };
        let response = router.clone().oneshot(drawn.request).await.unwrap();
        let status = response.status().as_u16();
        assert!(
            expected.contains(&status),
            "seed {seed}: the interpreter says {decision:?}, the server {status}\n{}",
            drawn.label
        );
        *seen.entry((format!("{version} {}", operation.id), status)).or_default() += 1;
        // Every bucket is full again for the next one: limits have tests of their own.
        clock.advance(Duration::from_secs(60));
        clock.set_unix(NOW);
    }
    // A draw that never gets past a guard, or never meets it, would prove nothing.
    for (version, ir) in &versions {
        for operation in &ir.api.operations {
            let name = format!("{version} {}", operation.id);
            let statuses: Vec<u16> = seen.keys().filter(|(n, _)| *n == name).map(|(_, status)| *status).collect();
            assert!(
                statuses.iter().any(|status| *status < 400 || *status == 404),
                "{name} was never admitted: {statuses:?}"
            );
            let open = ir.policies.get(operation.policy).public_reason().is_some();
            assert!(open || statuses.contains(&401), "{name} never refused a credential: {statuses:?}");
        }
    }
}
