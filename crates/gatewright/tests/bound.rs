//! Tokens that only their owner can use: rows P1 to P13 of DPoP (RFC 9449) and M1 to M6 of certificates (RFC 8705). Each
//! row changes one thing of a request that passes; the handler is entered only when it does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bank;
#[cfg(feature = "redis")]
#[allow(dead_code, reason = "other tests use more of it")]
#[path = "../src/shared/server.rs"]
mod server;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use axum::body::Body;
use bank::*;
use gatewright::Peer;
use gatewright::table::*;
use http::Request;
use serde_json::{Value, json};

const URL: &str = "https://api.example.com/v1/transfers";
const DPOP: Bound = Bound { dpop: true, mtls: false, require: false, nonce: false };
const MTLS: Bound = Bound { dpop: false, mtls: true, require: false, nonce: false };

fn api(bound: Option<Bound>) -> ApiPolicy {
    let [oauth, key, basic] = API.schemes else { panic!("three schemes") };
    let Verify::Jwt(jwt) = oauth.verify else { panic!("a JWT scheme") };
    let oauth = Scheme { verify: Verify::Jwt(Jwt { bound, ..jwt }), ..*oauth };
    ApiPolicy { schemes: leak([oauth, *key, *basic]), ..API }
}

fn bank(bound: Bound) -> Bank {
    Bank::new(api(Some(bound)), vec![GUARDED])
}

fn sha256(bytes: &[u8]) -> String {
    base64url(digest(&SHA256, bytes).as_ref())
}

struct Client(EcdsaKeyPair);

impl Client {
    fn new() -> Client {
        Client(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    fn jwk(&self) -> Value {
        let point = self.0.public_key().as_ref()[1..].to_vec();
        json!({"kty": "EC", "crv": "P-256", "x": base64url(&point[..32]), "y": base64url(&point[32..])})
    }

    fn cnf(&self) -> Value {
        let jwk = self.jwk();
        let text = format!(r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#, jwk["x"], jwk["y"]);
        json!({"cnf": {"jkt": sha256(text.as_bytes())}})
    }

    /// A proof for a token, with these things of header and payload changed.
    fn proof(&self, token: &str, header: Value, payload: Value) -> String {
        static COUNT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let jti = format!("p{}", COUNT.fetch_add(1, std::sync::atomic::Ordering::SeqCst));
        let head = with(json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk()}), &header);
        let usual = json!({"jti": jti, "htm": "POST", "htu": URL, "iat": NOW, "ath": sha256(token.as_bytes())});
        let body = with(usual, &payload);
        let signed = format!("{}.{}", base64url(head.to_string().as_bytes()), base64url(body.to_string().as_bytes()));
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", base64url(signature.as_ref()))
    }
}

fn with(mut value: Value, changes: &Value) -> Value {
    for (name, change) in changes.as_object().unwrap() {
        match change {
            Value::Null => drop(value.as_object_mut().unwrap().remove(name)),
            change => value[name] = change.clone(),
        }
    }
    value
}

fn challenges(answer: &Answer) -> String {
    answer.headers.get_all("www-authenticate").iter().map(|v| v.to_str().unwrap()).collect::<Vec<_>>().join(" | ")
}

#[test]
fn p1_p4_p5_p6_p8_a_proof_is_for_this_request_and_no_other() {
    let (bank, client) = (bank(DPOP), Client::new());
    let token = bank.token(client.cnf());
    let usual = json!({});
    for (header, payload, passes) in [
        (usual.clone(), usual.clone(), true),
        (json!({"typ": "DPoP+JWT"}), usual.clone(), true),
        (json!({"typ": null}), usual.clone(), false),
        (json!({"typ": "JWT"}), usual.clone(), false),
        (json!({"typ": "at+jwt"}), usual.clone(), false),
        (json!({"alg": "none"}), usual.clone(), false),
        (json!({"alg": "HS256"}), usual.clone(), false),
        (json!({"alg": "ES384"}), usual.clone(), false),
        (json!({"alg": null}), usual.clone(), false),
        (json!({"jwk": null}), usual.clone(), false),
        (json!({"jwk": with(client.jwk(), &json!({"d": "AA"}))}), usual.clone(), false),
        (json!({"jwk": with(client.jwk(), &json!({"k": "AA"}))}), usual.clone(), false),
        (json!({"jwk": Client::new().jwk()}), usual.clone(), false),
        (json!({"jwk": "key"}), usual.clone(), false),
        (json!({"crit": ["exp"]}), usual.clone(), false),
        (json!({"b64": false}), usual.clone(), false),
        (usual.clone(), json!({"htm": "GET"}), false),
        (usual.clone(), json!({"htm": "post"}), false),
        (usual.clone(), json!({"htm": null}), false),
        (usual.clone(), json!({"htu": "https://api.example.com/v1/transfers?a=b#c"}), true),
        (usual.clone(), json!({"htu": "HTTPS://API.example.com:443/v1/transfers"}), true),
        (usual.clone(), json!({"htu": "http://api.example.com/v1/transfers"}), false),
        (usual.clone(), json!({"htu": "https://api.example.com:8443/v1/transfers"}), false),
        (usual.clone(), json!({"htu": "https://evil.example.com/v1/transfers"}), false),
        (usual.clone(), json!({"htu": "https://api.example.com/v1/accounts"}), false),
        (usual.clone(), json!({"htu": "https://api.example.com/v1/transfers/"}), false),
        (usual.clone(), json!({"htu": "https://a@api.example.com/v1/transfers"}), false),
        (usual.clone(), json!({"htu": "/v1/transfers"}), false),
        (usual.clone(), json!({"htu": null}), false),
        (usual.clone(), json!({"iat": NOW - 60}), true),
        (usual.clone(), json!({"iat": NOW - 61}), false),
        (usual.clone(), json!({"iat": NOW + 5}), true),
        (usual.clone(), json!({"iat": NOW + 6}), false),
        (usual.clone(), json!({"iat": i64::MAX}), false),
        (usual.clone(), json!({"iat": i64::MIN}), false),
        (usual.clone(), json!({"iat": NOW.to_string()}), false),
        (usual.clone(), json!({"iat": null}), false),
        (usual.clone(), json!({"ath": null}), false),
        (usual.clone(), json!({"ath": sha256(b"another token")}), false),
        (usual.clone(), json!({"ath": ""}), false),
        (usual.clone(), json!({"jti": null}), false),
        (usual.clone(), json!({"jti": ""}), false),
        (usual.clone(), json!({"jti": "x".repeat(257)}), false),
        (usual.clone(), json!({"jti": 1}), false),
    ] {
        let proof = client.proof(&token, header.clone(), payload.clone());
        let answer = bank.send(bank.request(&[("authorization", &format!("DPoP {token}")), ("dpop", &proof)]));
        assert_eq!(answer.code() == 200, passes, "{header} {payload} {answer:?}");
        if !passes {
            assert_eq!(answer.status, 401);
            assert!(challenges(&answer).contains(r#"error="invalid_dpop_proof""#), "{answer:?}");
        }
    }
}

#[test]
fn p2_p3_p9_p11_a_bound_token_is_good_only_with_its_one_proof() {
    let (bank, client, thief) = (bank(DPOP), Client::new(), Client::new());
    let token = bank.token(client.cnf());
    let (bearer, dpop) = (format!("Bearer {token}"), format!("DPoP {token}"));
    let proof = || client.proof(&token, json!({}), json!({}));
    let stolen = thief.proof(&token, json!({}), json!({}));
    let broken = proof().replace('.', "..");
    let mut forged = proof();
    forged.pop();
    let (one, two) = (proof(), proof());
    let free = bank.token(json!({}));
    for (name, headers, error) in [
        ("as bearer", vec![("authorization", &*bearer)], "invalid_token"),
        ("as bearer, with a proof", vec![("authorization", &*bearer), ("dpop", &*one)], "invalid_token"),
        ("no proof", vec![("authorization", &*dpop)], "invalid_dpop_proof"),
        ("two proofs", vec![("authorization", &*dpop), ("dpop", &*one), ("dpop", &*two)], "invalid_dpop_proof"),
        ("another's proof", vec![("authorization", &*dpop), ("dpop", &*stolen)], "invalid_dpop_proof"),
        ("no token", vec![("authorization", &*dpop), ("dpop", "x")], "invalid_dpop_proof"),
        ("more parts", vec![("authorization", &*dpop), ("dpop", &*broken)], "invalid_dpop_proof"),
        ("a cut signature", vec![("authorization", &*dpop), ("dpop", &*forged)], "invalid_dpop_proof"),
    ] {
        let answer = bank.send(bank.request(&headers));
        assert_eq!(answer.code(), 401, "{name}");
        assert!(challenges(&answer).contains(&format!("error=\"{error}\"")), "{name}: {answer:?}");
        assert!(challenges(&answer).contains(r#"algs="ES256 ES384 EdDSA PS256 RS256""#), "{name}: {answer:?}");
    }
    // Remembered now or not, the proof is asked for each time.
    assert_eq!(bank.send(bank.request(&[("authorization", &dpop), ("dpop", &proof())])).code(), 200);
    assert_eq!(bank.send(bank.request(&[("authorization", &bearer)])).code(), 401);
    assert_eq!(bank.send(bank.request(&[("authorization", &dpop), ("dpop", &stolen)])).code(), 401);
    // A token that is bound to nothing is no DPoP token, and a bearer token as ever.
    let free_dpop = format!("DPoP {free}");
    let free_proof = client.proof(&free, json!({}), json!({}));
    assert_eq!(bank.send(bank.request(&[("authorization", &free_dpop), ("dpop", &free_proof)])).code(), 401);
    assert_eq!(bank.send(bank.request(&[("authorization", &format!("Bearer {free}"))])).code(), 200);
    // Nothing presented: both ways are named, and no error.
    let answer = bank.send(bank.request(&[]));
    assert_eq!(answer.code(), 401);
    assert_eq!(
        challenges(&answer),
        r#"Bearer realm="Bank v1" | DPoP realm="Bank v1", algs="ES256 ES384 EdDSA PS256 RS256""#
    );
}

#[test]
fn p7_a_proof_is_used_once() {
    let (bank, client) = (bank(DPOP), Client::new());
    let token = bank.token(client.cnf());
    let dpop = format!("DPoP {token}");
    let proof = client.proof(&token, json!({}), json!({}));
    let send = |proof: &str| bank.send(bank.request(&[("authorization", &dpop), ("dpop", proof)])).code();
    assert_eq!(send(&proof), 200);
    for _ in 0..3 {
        bank.clock.wait(20_000);
        assert_eq!(send(&proof), 401);
    }
    // Another's proof of the same `jti` is another proof.
    let other = Client::new();
    let theirs = bank.token(other.cnf());
    let (first, second) = (
        client.proof(&token, json!({}), json!({"jti": "same"})),
        other.proof(&theirs, json!({}), json!({"jti": "same"})),
    );
    assert_eq!(send(&first), 200);
    let answer = bank.send(bank.request(&[("authorization", &format!("DPoP {theirs}")), ("dpop", &second)]));
    assert_eq!(answer.code(), 200);
}

/// Servers that share a store know of each other's; without it, as `on-outage` says.
#[cfg(feature = "redis")]
#[test]
fn p7_a_proof_is_used_once_at_all_servers_of_a_store() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for (on_outage, alone) in [(OnOutage::Closed, 503), (OnOutage::Local, 200)] {
        let mut server = server::RedisServer::start();
        let store = SharedStore { on_outage, budget: 500 };
        let banks = [0, 1].map(|_| {
            let api = ApiPolicy { store, ..api(Some(DPOP)) };
            Bank::configured(vec![(api, vec![GUARDED])], |config| config.shared_store(server.url()))
        });
        let client = Client::new();
        let send = |bank: usize, jti: &str| {
            let bank: &Bank = &banks[bank];
            let token = bank.token(client.cnf());
            // By key and `jti` it is the same proof, whatever token it is for.
            let proof = client.proof(&token, json!({}), json!({ "jti": jti }));
            let request = bank.request(&[("authorization", &format!("DPoP {token}")), ("dpop", &proof)]);
            runtime.block_on(bank.answer(0, 0, request)).code()
        };
        for bank in 0..2 {
            (0..).find(|n| send(bank, &format!("probe{bank}{n}")) == 200).unwrap();
        }
        for n in 0..10 {
            let jti = format!("n{n}");
            assert_eq!((send(n % 2, &jti), send(1 - n % 2, &jti), send(n % 2, &jti)), (200, 401, 401));
        }
        server.kill();
        for bank in 0..2 {
            assert_eq!(send(bank, "while away"), alone, "{on_outage:?}");
            assert_eq!(send(bank, "n0"), 401, "each still knows its own");
        }
    }
}

#[test]
fn p10_a_nonce_is_asked_for_and_taken() {
    let bank = bank(Bound { nonce: true, require: true, ..DPOP });
    let client = Client::new();
    let token = bank.token(client.cnf());
    let dpop = format!("DPoP {token}");
    let send = |nonce: Value| {
        let proof = client.proof(&token, json!({}), json!({"nonce": nonce}));
        bank.send(bank.request(&[("authorization", &dpop), ("dpop", &proof)]))
    };
    let asked = send(Value::Null);
    assert_eq!(asked.code(), 401);
    assert!(challenges(&asked).contains(r#"DPoP realm="Bank v1", error="use_dpop_nonce""#), "{asked:?}");
    let nonce = asked.header("dpop-nonce").to_owned();
    assert_eq!(send(json!(nonce)).code(), 200);
    assert_eq!(send(json!("made up")).code(), 401);
    assert_eq!(send(json!(1)).code(), 401);
    // Where every token must be bound, only DPoP is named.
    assert!(!challenges(&bank.send(bank.request(&[]))).contains("Bearer"));
    assert_eq!(bank.send(bank.request(&[("authorization", &bank.bearer(json!({})))])).code(), 401);
    // An old one.
    bank.clock.set(NOW + 300);
    let proof = client.proof(&token, json!({}), json!({"nonce": nonce, "iat": NOW + 300}));
    let answer = bank.send(bank.request(&[("authorization", &dpop), ("dpop", &proof)]));
    assert_eq!(answer.code(), 401);
    assert!(!answer.header("dpop-nonce").is_empty());
}

#[test]
fn p12_behind_a_trusted_proxy_the_url_is_the_proxys() {
    let (bank, client) = (bank(DPOP), Client::new());
    let token = bank.token(client.cnf());
    for (peer, forwarded, htu, passes) in [
        ("10.0.0.9:1", "api.example.com", URL, true),
        ("10.0.0.9:1", "api.example.com:8443", "https://api.example.com:8443/v1/transfers", true),
        ("10.0.0.9:1", "api.example.com:8443", URL, false),
        ("198.51.100.7:1", "api.example.com:8443", "https://api.example.com:8443/v1/transfers", false),
        ("198.51.100.7:1", "api.example.com:8443", URL, true),
    ] {
        let proof = client.proof(&token, json!({}), json!({"htu": htu}));
        let answer = bank.send(bank.from(
            peer,
            &[("authorization", &format!("DPoP {token}")), ("dpop", &proof), ("x-forwarded-host", forwarded)],
        ));
        assert_eq!(answer.code() == 200, passes, "{peer} {forwarded} {htu}");
    }
}

#[test]
fn p13_a_flood_of_proofs_is_refused_when_there_is_no_room() {
    let client = Client::new();
    let bank = Bank::configured(vec![(api(Some(DPOP)), vec![GUARDED])], |c| c.dpop_proofs(3));
    let token = bank.token(client.cnf());
    let send = || {
        let proof = client.proof(&token, json!({}), json!({}));
        bank.send(bank.request(&[("authorization", &format!("DPoP {token}")), ("dpop", &proof)])).code()
    };
    assert_eq!((0..4).map(|_| send()).collect::<Vec<_>>(), [200, 200, 200, 503]);
}

#[test]
fn a_scheme_without_dpop_does_not_know_it() {
    let client = Client::new();
    for bound in [None, Some(MTLS)] {
        let bank = Bank::new(api(bound), vec![GUARDED]);
        let token = bank.token(client.cnf());
        let proof = client.proof(&token, json!({}), json!({}));
        for scheme in ["DPoP", "Bearer"] {
            let answer = bank.send(bank.request(&[("authorization", &format!("{scheme} {token}")), ("dpop", &proof)]));
            assert_eq!(answer.code(), 401, "{bound:?} {scheme}");
            assert!(!challenges(&answer).contains("DPoP"));
        }
    }
}

fn presented(bank: &Bank, bearer: &str, certificate: Option<[u8; 32]>, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = bank.request(&[&[("authorization", bearer)], headers].concat());
    let peer = Peer::new("198.51.100.7:4711".parse().unwrap()).over_tls();
    request.extensions_mut().insert(certificate.map_or(peer, |c| peer.with_certificate(c)));
    request
}

#[test]
fn m1_m2_m3_m5_m6_a_token_is_good_with_its_certificate() {
    let own = [7; 32];
    let cnf = |value: Value| json!({"cnf": value});
    let bound = cnf(json!({"x5t#S256": base64url(&own)}));
    let free = json!({});
    let require = Bound { require: true, ..MTLS };
    for (name, rule, claims, certificate, passes) in [
        ("its own", Some(MTLS), &bound, Some(own), true),
        ("another", Some(MTLS), &bound, Some([8; 32]), false),
        ("none", Some(MTLS), &bound, None, false),
        ("not bound", Some(MTLS), &free, Some(own), true),
        ("not bound, but required", Some(require), &free, Some(own), false),
        ("bound, and required", Some(require), &bound, Some(own), true),
        ("the scheme takes DPoP only", Some(DPOP), &bound, Some(own), false),
        ("the scheme takes none", None, &bound, Some(own), false),
        ("short", Some(MTLS), &cnf(json!({"x5t#S256": base64url(&own[1..])})), Some(own), false),
        ("hex", Some(MTLS), &cnf(json!({"x5t#S256": "07".repeat(32)})), Some(own), false),
        ("a number", Some(MTLS), &cnf(json!({"x5t#S256": 7})), Some(own), false),
        ("empty", Some(MTLS), &cnf(json!({})), Some(own), false),
        ("no object", Some(MTLS), &cnf(json!("x")), Some(own), false),
        ("null", Some(MTLS), &cnf(Value::Null), Some(own), false),
        ("of a kind that is not known", Some(MTLS), &cnf(json!({"kid": "a"})), Some(own), false),
        ("also", Some(MTLS), &cnf(json!({"x5t#S256": base64url(&own), "kid": "a"})), Some(own), false),
        (
            "of a key too",
            Some(MTLS),
            &cnf(json!({"x5t#S256": base64url(&own), "jkt": base64url(&own)})),
            Some(own),
            false,
        ),
    ] {
        let bank = Bank::new(api(rule), vec![GUARDED]);
        let bearer = bank.bearer(claims.clone());
        let forged = [("client-cert", ":MIIB:"), ("x-client-cert", "MIIB")];
        for headers in [&[][..], &forged] {
            // Twice: what is remembered of a token does not remember its proof.
            for _ in 0..2 {
                let answer = bank.send(presented(&bank, &bearer, certificate, headers));
                assert_eq!(answer.code() == 200, passes, "{name} {answer:?}");
                if !passes {
                    assert!(challenges(&answer).contains("invalid_token"), "{name} {answer:?}");
                }
            }
            if passes && claims.get("cnf").is_some() {
                assert_eq!(bank.send(presented(&bank, &bearer, None, headers)).code(), 401, "{name}");
            }
        }
    }
}

#[test]
fn where_certificates_are_required_nobody_comes_without() {
    let transport = Transport { client_certificates: ClientCertificates::Required, ..API.transport };
    let bank = Bank::new(ApiPolicy { transport, ..API }, vec![GUARDED]);
    let bearer = bank.bearer(json!({}));
    assert_eq!(bank.send(presented(&bank, &bearer, None, &[])).code(), 400);
    assert_eq!(bank.send(presented(&bank, &bearer, Some([7; 32]), &[])).code(), 200);
    // A trusted proxy's own certificate says nothing of those who come through it.
    let mut proxied = presented(&bank, &bearer, None, &[("x-forwarded-proto", "https")]);
    let proxy = Peer::new("10.0.0.9:4711".parse().unwrap()).over_tls().with_certificate([7; 32]);
    proxied.extensions_mut().insert(proxy);
    assert_eq!(bank.send(proxied).code(), 400);
}

/// The key of a proof is a device as a certificate's is; a token that is bound to nothing proves none.
#[test]
fn a_device_is_known_by_the_key_of_its_proofs() {
    let (laptop, other) = (Client::new(), Client::new());
    let thumbprint = laptop.cnf()["cnf"]["jkt"].as_str().unwrap().to_owned();
    let policy = Policy { allow_devices: Some(&["laptops"]), ..GUARDED };
    let versions = vec![(api(Some(DPOP)), vec![policy])];
    let bank = Bank::configured(versions, |config| config.devices("laptops", [thumbprint.clone()]));
    for (client, want) in [(&laptop, 200), (&other, 403)] {
        // Twice: the second time the token is remembered.
        let token = bank.token(client.cnf());
        for _ in 0..2 {
            let proof = client.proof(&token, json!({}), json!({}));
            let headers = [("authorization", format!("DPoP {token}")), ("dpop", proof)];
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            assert_eq!(bank.send(bank.request(&headers)).code(), want);
        }
        let stolen = bank.request(&[("authorization", &format!("Bearer {token}"))]);
        assert_eq!(bank.send(stolen).code(), 401);
    }
    let unbound = bank.request(&[("authorization", &bank.bearer(json!({})))]);
    assert_eq!(bank.send(unbound).code(), 403);
}
