//! Opaque tokens, asked about over real TLS (RFC 7662): rows I1 to I5.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(all(feature = "server", feature = "oidc"))]

mod bank;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use bank::*;
use gatewright::server::{Certificate, Running, Server};
use gatewright::table::*;
use http::request::Parts;
use http::{Request, Response};
use http_body_util::BodyExt;
use serde_json::{Value, json};

/// Says of every token what it is told to, and keeps what it was asked.
struct Issuer {
    port: u16,
    certificate: String,
    says: Arc<Mutex<(u16, Value)>>,
    asked: Arc<Mutex<Vec<(Parts, String)>>>,
    _running: Running,
}

impl Issuer {
    fn start() -> Issuer {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = made.cert.pem();
        let says = Arc::new(Mutex::new((200, Value::Null)));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = (says.clone(), asked.clone());
        let router = Router::new().fallback(move |request: Request<Body>| {
            let (says, asked) = kept.clone();
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                asked.lock().unwrap().push((parts, String::from_utf8(body.to_vec()).unwrap()));
                let (status, answer) = says.lock().unwrap().clone();
                let response = Response::builder().status(status).header("content-type", "application/json");
                response.body(Body::from(answer.to_string())).unwrap()
            }
        });
        let pem = Certificate::pem(certificate.clone().into_bytes(), made.signing_key.serialize_pem().into_bytes());
        let running = Server::new(router).https("127.0.0.1:0".parse().unwrap(), pem).unwrap();
        Issuer { port: running.address().port(), certificate, says, asked, _running: running }
    }

    fn says(&self, status: u16, answer: Value) {
        *self.says.lock().unwrap() = (status, answer);
    }

    fn asked(&self) -> Vec<(Parts, String)> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

fn introspection(issuer: &Issuer, cache: u32, bound: Option<Bound>) -> Introspection {
    Introspection {
        url: Setting::Fixed(Box::leak(format!("https://localhost:{}/introspect", issuer.port).into_boxed_str())),
        issuer: Some(Setting::Fixed("https://issuer.example.com")),
        audience: &[Setting::Fixed("bank-api")],
        cache,
        leeway: 0,
        scopes_claim: &["scope"],
        roles_claim: Some(&["roles"]),
        bound,
    }
}

fn bank(issuer: &Issuer, verify: Verify, policy: Policy) -> Bank {
    let [oauth, key, basic] = API.schemes else { panic!("three schemes") };
    let api = ApiPolicy { schemes: leak([Scheme { verify, ..*oauth }, *key, *basic]), ..API };
    Bank::configured(vec![(api, vec![policy])], |config| {
        let config = config.introspection_client("oauth", "bank", "s:cret");
        config.certificate_authorities(issuer.certificate.clone())
    })
}

fn opaque(issuer: &Issuer, cache: u32) -> Bank {
    bank(issuer, Verify::Introspection(introspection(issuer, cache, None)), GUARDED)
}

fn good() -> Value {
    json!({"active": true, "iss": "https://issuer.example.com", "aud": ["x", "bank-api"], "sub": "alice",
           "client_id": "app", "exp": NOW + 600, "scope": "transfers:read"})
}

fn with(changes: Value) -> Value {
    let mut value = good();
    for (name, change) in changes.as_object().unwrap() {
        value[name] = change.clone();
    }
    value
}

async fn send(bank: &Bank, token: &str) -> Answer {
    bank.answer(0, 0, bank.request(&[("authorization", &format!("Bearer {token}"))])).await
}

#[tokio::test]
async fn i1_i3_a_token_is_what_its_issuer_says() {
    let issuer = Issuer::start();
    let bank = opaque(&issuer, 0);
    for (answer, passes) in [
        (good(), true),
        (json!({"active": false}), false),
        (json!({}), false),
        (with(json!({"active": "true"})), false),
        (with(json!({"active": 1})), false),
        (with(json!({"active": null})), false),
        (with(json!({"iss": "https://issuer.example.com/"})), false),
        (with(json!({"iss": ["https://issuer.example.com"]})), false),
        (with(json!({"aud": "bank-api"})), true),
        (with(json!({"aud": "other"})), false),
        (with(json!({"aud": []})), false),
        (with(json!({"aud": ["bank-api", 1]})), false),
        (with(json!({"aud": null})), false),
        (with(json!({"exp": NOW + 1})), true),
        (with(json!({"exp": NOW})), false),
        (with(json!({"exp": "soon"})), false),
        (with(json!({"exp": 1e18})), false),
        (with(json!({"exp": null})), true),
        (with(json!({"nbf": NOW})), true),
        (with(json!({"nbf": NOW + 1})), false),
        (with(json!({"sub": 5})), false),
        (with(json!({"sub": ""})), false),
        (with(json!({"cnf": {"jkt": "x"}})), false),
        (with(json!({"cnf": {"x5t#S256": base64url(&[7; 32])}})), false),
    ] {
        issuer.says(200, answer.clone());
        let got = send(&bank, "opaque").await;
        assert_eq!(got.code(), if passes { 200 } else { 401 }, "{answer}");
        if passes {
            assert_eq!(got.subject.as_deref(), Some("alice"));
        }
    }
}

#[tokio::test]
async fn i2_an_issuer_without_a_good_answer_lets_nobody_in() {
    let issuer = Issuer::start();
    let bank = opaque(&issuer, 60);
    for (status, answer) in [
        (500, good()),
        (401, good()),
        (302, good()),
        (204, Value::Null),
        (200, json!([])),
        (200, json!("x".repeat(100_000))),
    ] {
        issuer.says(status, answer);
        let answer = send(&bank, "opaque").await;
        assert_eq!(answer.code(), 503, "{status}");
        assert_eq!(answer.header("retry-after"), "1");
    }
    issuer.says(200, good());
    assert_eq!(send(&bank, "opaque").await.code(), 200, "a breakdown is not remembered");
}

#[tokio::test]
async fn i4_an_answer_is_remembered_within_its_time() {
    let issuer = Issuer::start();
    let bank = opaque(&issuer, 30);
    issuer.says(200, good());
    for _ in 0..3 {
        assert_eq!(send(&bank, "a").await.code(), 200);
    }
    assert_eq!(issuer.asked().len(), 1);
    // Another token is another one.
    issuer.says(200, json!({"active": false}));
    assert_eq!(send(&bank, "b").await.code(), 401);
    assert_eq!(send(&bank, "b").await.code(), 401);
    assert_eq!(issuer.asked().len(), 1, "a refusal is remembered too");
    bank.clock.wait(5_000);
    issuer.says(200, good());
    assert_eq!(send(&bank, "b").await.code(), 200, "but shortly");
    // Revoked: noticed when the time is over.
    issuer.says(200, json!({"active": false}));
    bank.clock.wait(24_999);
    assert_eq!(send(&bank, "a").await.code(), 200);
    bank.clock.wait(1);
    assert_eq!(send(&bank, "a").await.code(), 401);
    // Never past the token's end.
    issuer.says(200, with(json!({"exp": NOW + 10})));
    assert_eq!(send(&bank, "c").await.code(), 200);
    issuer.says(200, json!({"active": false}));
    bank.clock.set(NOW + 9);
    assert_eq!(send(&bank, "c").await.code(), 200);
    bank.clock.set(NOW + 10);
    assert_eq!(send(&bank, "c").await.code(), 401);
}

#[tokio::test]
async fn i5_the_token_is_posted_by_a_known_client() {
    let issuer = Issuer::start();
    let bank = opaque(&issuer, 0);
    issuer.says(200, good());
    assert_eq!(send(&bank, "a+b/c=").await.code(), 200);
    let asked = issuer.asked();
    let [(parts, body)] = &asked[..] else { panic!("asked {} times", asked.len()) };
    assert_eq!(parts.method, "POST");
    assert_eq!(parts.uri, "/introspect");
    assert_eq!(body, "token_type_hint=access_token&token=a%2Bb%2Fc%3D");
    assert_eq!(parts.headers["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(parts.headers["authorization"], "Basic YmFuazpzJTNBY3JldA==");
    // What cannot be a token is not asked about.
    for bad in ["", "a b", "a\"b", &"x".repeat(9_000)] {
        assert_eq!(send(&bank, bad).await.code(), 401);
    }
    assert!(issuer.asked().is_empty());
}

#[tokio::test]
async fn signed_tokens_are_not_asked_about_where_a_scheme_takes_both() {
    let issuer = Issuer::start();
    let [oauth, ..] = API.schemes else { panic!("a scheme") };
    let Verify::Jwt(jwt) = oauth.verify else { panic!("a JWT scheme") };
    let verify = Verify::Jwt(Jwt { introspection: Some(introspection(&issuer, 0, None)), ..jwt });
    let bank = bank(&issuer, verify, GUARDED);
    issuer.says(200, good());
    assert_eq!(send(&bank, &bank.token(json!({}))).await.code(), 200);
    assert_eq!(send(&bank, &bank.token(json!({"aud": "other"}))).await.code(), 401);
    assert_eq!(send(&bank, &bank.token(json!({"exp": NOW}))).await.code(), 401);
    assert!(issuer.asked().is_empty(), "a signed token that is not good gets no second chance");
    assert_eq!(send(&bank, "opaque").await.code(), 200);
}

#[tokio::test]
async fn scopes_and_bindings_count_as_in_signed_tokens() {
    let issuer = Issuer::start();
    let bound = Bound { dpop: false, mtls: true, require: false, nonce: false };
    let verify = Verify::Introspection(introspection(&issuer, 60, Some(bound)));
    let bank = bank(&issuer, verify, Policy { access: Access::Guarded(&[OAUTH_WRITE]), ..GUARDED });
    issuer.says(200, good());
    assert_eq!(send(&bank, "reads").await.code(), 403);
    issuer.says(200, with(json!({"scope": "transfers:read transfers:write"})));
    assert_eq!(send(&bank, "writes").await.code(), 200);
    issuer.says(200, with(json!({"scope": "transfers:write", "cnf": {"x5t#S256": base64url(&[7; 32])}})));
    for (certificate, status) in [(None, 401), (Some([7; 32]), 200), (Some([8; 32]), 401), (None, 401)] {
        let mut request = bank.request(&[("authorization", "Bearer bound")]);
        let peer = gatewright::Peer::new("198.51.100.7:4711".parse().unwrap()).over_tls();
        request.extensions_mut().insert(certificate.map_or(peer, |c| peer.with_certificate(c)));
        assert_eq!(bank.answer(0, 0, request).await.code(), status, "{certificate:?}");
    }
}

#[test]
fn a_scheme_that_cannot_ask_does_not_start() {
    let [oauth, key, basic] = API.schemes else { panic!("three schemes") };
    let asked = Introspection {
        url: Setting::Fixed("http://issuer.example.com/introspect"),
        issuer: None,
        audience: &[],
        cache: 0,
        leeway: 0,
        scopes_claim: &["scope"],
        roles_claim: None,
        bound: None,
    };
    let scheme = Scheme { verify: Verify::Introspection(asked), ..*oauth };
    let policy = leak(ApiPolicy { schemes: leak([scheme, *key, *basic]), ..API });
    let api = gatewright::Api { policy, operations: vec![leak(GUARDED)], verifiers: vec![] };
    let error = gatewright::Gateway::start(gatewright::Config::new(), vec![api]).unwrap_err().to_string();
    for part in ["names no audience", "Config::introspection_client", "is not `https`"] {
        assert!(error.contains(part), "{part} not in {error}");
    }
}
