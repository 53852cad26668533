//! Two engines, one document: tokens that are bound to keys and certificates, and devices. What a naive reading of them says
//! of random requests, a generated server says too.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, reason = "a new seed at each run, or the one that is asked for")]

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use gatewright::{Config, FakeClock, Peer};
use gatewright_tests::authenticator::base64url;
use gatewright_tests::bound::{Rule, Shown, may_use, on_device};
use gatewright_tests::issuer::Issuer;
use http::Request;
use serde_json::{Value, json};
use tower::ServiceExt as _;

mod api {
    gatewright::api!("bound/openapi.yaml");
}

const NOW: i64 = 1_790_000_000;

macro_rules! handlers {
    ($($name:ident $trait:ident)*) => { $(
        #[gatewright::handler(api::$trait)]
        async fn $name(_: &App) -> api::$name::Result {
            Ok(api::$name::Response::NoContent)
        }
    )* };
}

struct App;

handlers! { get_none GetNone get_keys GetKeys get_certificates GetCertificates get_both GetBoth get_always GetAlways get_desk GetDesk }

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16) % limit
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// A key that proofs are signed with.
struct Key(EcdsaKeyPair, String);

fn sha256(bytes: &[u8]) -> String {
    base64url(digest(&SHA256, bytes).as_ref())
}

impl Key {
    fn new() -> Key {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let jwk = jwk(&pair);
        let text = format!(r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#, jwk["x"], jwk["y"]);
        Key(pair, sha256(text.as_bytes()))
    }

    /// A proof for a GET of this path with this token; `wrong` says what of it is not so.
    fn proof(&self, path: &str, token: &str, number: usize, wrong: u64) -> String {
        let head = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk(&self.0)});
        let body = json!({
            "jti": format!("p{number}"),
            "htm": if wrong == 1 { "POST" } else { "GET" },
            "htu": if wrong == 2 { "https://localhost/other".to_owned() } else { format!("https://localhost{path}") },
            "iat": if wrong == 3 { NOW - 3_600 } else { NOW },
            "ath": if wrong == 4 { sha256(b"another token") } else { sha256(token.as_bytes()) },
        });
        let signed = format!("{}.{}", base64url(head.to_string().as_bytes()), base64url(body.to_string().as_bytes()));
        let message = if wrong == 5 { "another" } else { signed.as_str() };
        let signature = self.0.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{signed}.{}", base64url(signature.as_ref()))
    }
}

fn jwk(pair: &EcdsaKeyPair) -> Value {
    let point = pair.public_key().as_ref()[1..].to_vec();
    json!({"kty": "EC", "crv": "P-256", "x": base64url(&point[..32]), "y": base64url(&point[32..])})
}

/// Rows: A10.
#[tokio::test]
async fn a_naive_reading_of_bound_tokens_and_the_server_agree() {
    let seed = std::env::var("GATEWRIGHT_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(|| {
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64 | 1
    });
    let mut random = Random(seed);
    let issuer = Issuer::new();
    let keys: Vec<Key> = (0..3).map(|_| Key::new()).collect();
    let certificates: Vec<[u8; 32]> = (1..4).map(|n| [n; 32]).collect();
    let thumbprint = |certificate: &[u8; 32]| base64url(certificate);
    // A key and a certificate of the three are of devices.
    let devices = vec![keys[0].1.clone(), thumbprint(&certificates[0])];
    let mut config = Config::new()
        .clock(Arc::new(FakeClock::at(NOW)))
        .devices("desks", [devices[0].clone()])
        .devices("laptops", [devices[1].clone()]);
    for scheme in ["none", "keys", "certificates", "both", "always"] {
        config = config.jwks(scheme, issuer.jwks());
    }
    let router = api::router(App, config).unwrap();
    let rule = |dpop, mtls, require| Rule { dpop, mtls, require };
    let paths = [
        ("/none", rule(false, false, false)),
        ("/keys", rule(true, false, false)),
        ("/certificates", rule(false, true, false)),
        ("/both", rule(true, true, false)),
        ("/always", rule(true, true, true)),
        ("/desk", rule(true, true, false)),
    ];
    let mut seen: BTreeMap<(&str, u16), usize> = BTreeMap::new();
    for number in 0..3_000 {
        let (path, rule) = paths[random.below(6) as usize];
        let mut cnf = json!({});
        if random.chance(50) {
            cnf["jkt"] = keys[random.below(3) as usize].1.clone().into();
        }
        if random.chance(35) {
            cnf["x5t#S256"] = thumbprint(&certificates[random.below(3) as usize]).into();
        }
        if random.chance(5) {
            cnf["kid"] = "a".into();
        }
        let mut claims = json!({ "sub": "alice", "jti": number.to_string() });
        if cnf != json!({}) || random.chance(10) {
            claims["cnf"] = cnf;
        }
        let token = issuer.token(NOW, &claims);
        let mut shown = Shown { as_dpop: random.chance(50), ..Shown::default() };
        let kind = if shown.as_dpop { "DPoP" } else { "Bearer" };
        let mut request =
            Request::get(path).header("host", "localhost").header("authorization", format!("{kind} {token}"));
        let proofs = if random.chance(70) { 1 } else { random.below(3) };
        for n in 0..proofs {
            // Mostly the key that the token names, so that something passes.
            let by = match claims.pointer("/cnf/jkt").and_then(Value::as_str) {
                Some(jkt) if random.chance(80) => keys.iter().find(|key| key.1 == jkt).unwrap(),
                _ => &keys[random.below(3) as usize],
            };
            let wrong = if random.chance(80) { 0 } else { 1 + random.below(5) };
            request = request.header("dpop", by.proof(path, &token, number * 3 + n as usize, wrong));
            shown.proofs.push((by.1.clone(), wrong == 0));
        }
        let mut request = request.body(axum::body::Body::empty()).unwrap();
        let mut peer = Peer::new("127.0.0.1:4711".parse().unwrap()).over_tls();
        if random.chance(60) {
            let certificate = match claims.pointer("/cnf/x5t#S256").and_then(Value::as_str) {
                Some(bound) if random.chance(80) => *certificates.iter().find(|c| thumbprint(c) == bound).unwrap(),
                _ => certificates[random.below(3) as usize],
            };
            peer = peer.with_certificate(certificate);
            shown.certificate = Some(thumbprint(&certificate));
        }
        request.extensions_mut().insert(peer);
        let want = match may_use(rule, &claims, &shown) {
            false => 401,
            true if path == "/desk" && !on_device(&devices, &claims, &shown) => 403,
            true => 204,
        };
        let status = router.clone().oneshot(request).await.unwrap().status().as_u16();
        assert_eq!(status, want, "seed {seed}: {path} {claims} {shown:?}");
        *seen.entry((path, status)).or_default() += 1;
    }
    // A draw that never gets past a guard, or never meets it, would prove nothing.
    for (path, _) in paths {
        for status in if path == "/desk" { &[204, 401, 403][..] } else { &[204, 401] } {
            assert!(seen.get(&(path, *status)).is_some_and(|n| *n > 5), "{path} {status}: {seen:?}");
        }
    }
}
