//! The server's credentials against a real OpenID provider (npm `oidc-provider`, its client's proofs by npm `jose`), over
//! TLS on loopback: discovery, signed and opaque tokens, rotation, revocation, DPoP and certificates. `cargo xtask oidc`
//! installs what it needs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, reason = "it starts the provider, and asks the clock")]

#[path = "../../crates/gatewright/tests/bank/mod.rs"]
mod bank;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use bank::*;
use gatewright::Peer;
use gatewright::table::*;
use serde_json::{Value, json};

const URL: &str = "https://api.example.com/v1/transfers";

/// The provider, and a client of it.
struct Provider {
    issuer: String,
    certificate: String,
    process: Child,
    line: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    _folder: tempfile::TempDir,
}

impl Provider {
    fn start() -> Provider {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("oidc");
        assert!(
            here.join("node_modules/oidc-provider").is_dir(),
            "oidc-provider is not installed: run `cargo xtask oidc`"
        );
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let mut process = Command::new("node")
            .arg(here.join("provider.mjs"))
            .args([&certificate, &key])
            .env("NODE_EXTRA_CA_CERTS", &certificate)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("Node.js (20 or later) is needed, and `node` does not start: {e}"));
        let line = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        let mut provider = Provider {
            issuer: String::new(),
            certificate: made.cert.pem(),
            process,
            line: Mutex::new(line),
            _folder: folder,
        };
        let said = provider.hears();
        provider.issuer = said["issuer"].as_str().unwrap_or_else(|| panic!("the provider says {said}")).to_owned();
        provider
    }

    fn hears(&self) -> Value {
        let mut text = String::new();
        self.line.lock().unwrap().1.read_line(&mut text).unwrap();
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("the provider ended, or says `{text}`"))
    }

    fn does(&self, command: Value) -> Value {
        writeln!(self.line.lock().unwrap().0, "{command}").unwrap();
        let mut said = self.hears();
        assert!(said.get("done").is_some(), "{command}: {said}");
        said["done"].take()
    }

    fn token(&self, client: &str, resource: &str, scope: &str) -> String {
        let said = self.does(json!({"do": "token", "client": client, "resource": resource, "scope": scope}));
        said["access_token"].as_str().unwrap().to_owned()
    }

    fn proof(&self, token: &str, nonce: &str) -> String {
        let nonce = if nonce.is_empty() { Value::Null } else { json!(nonce) };
        let mut command = json!({"do": "proof", "method": "POST", "url": URL, "token": token, "nonce": nonce});
        if nonce.is_null() {
            command.as_object_mut().unwrap().remove("nonce");
        }
        self.does(command).as_str().unwrap().to_owned()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

/// A bank that takes the provider's tokens: signed ones by discovery, opaque ones by introspection.
fn bank(provider: &Provider, bound: Option<Bound>) -> Bank {
    let [oauth, key, basic] = API.schemes else { panic!("three schemes") };
    let Verify::Jwt(jwt) = oauth.verify else { panic!("a JWT scheme") };
    let url = Box::leak(format!("{}/token/introspection", provider.issuer).into_boxed_str());
    let issuer = Setting::Fixed(&*Box::leak(provider.issuer.clone().into_boxed_str()));
    let asked = Introspection {
        url: Setting::Fixed(url),
        issuer: Some(issuer),
        audience: jwt.audience,
        cache: 30,
        leeway: 30,
        scopes_claim: jwt.scopes_claim,
        roles_claim: None,
        bound,
    };
    let algorithms = &[Algorithm::ES256];
    let jwt = Jwt { issuer, algorithms, leeway: 30, bound, introspection: Some(asked), ..jwt };
    let scheme = Scheme { verify: Verify::Jwt(jwt), ..*oauth };
    let policy = Policy { access: Access::Guarded(&[OAUTH_WRITE]), ..OPEN };
    let api = ApiPolicy { schemes: leak([scheme, *key, *basic]), ..API };
    let bank = Bank::asking(vec![(api, vec![policy])], |config| {
        let config = config.introspection_client("oauth", "bank", "s:cret");
        config.certificate_authorities(provider.certificate.clone())
    });
    bank.clock.set(now());
    bank
}

async fn send(bank: &Bank, headers: &[(&str, &str)]) -> Answer {
    bank.answer(0, 0, bank.request(headers)).await
}

async fn bearer(bank: &Bank, token: &str) -> u16 {
    send(bank, &[("authorization", &format!("Bearer {token}"))]).await.code()
}

const WRITE_SCOPE: &str = "transfers:read transfers:write";

#[tokio::test]
async fn signed_tokens_by_discovery_and_through_a_rotation() {
    let provider = Provider::start();
    let bank = bank(&provider, None);
    let token = provider.token("plain", "urn:bank", WRITE_SCOPE);
    assert_eq!(bearer(&bank, &token).await, 200);
    assert_eq!(bearer(&bank, &provider.token("plain", "urn:bank", "transfers:read")).await, 403);
    assert_eq!(bearer(&bank, &provider.token("plain", "urn:other", WRITE_SCOPE)).await, 401);
    let (head, signature) = token.rsplit_once('.').unwrap();
    assert_eq!(bearer(&bank, head).await, 401);
    assert_eq!(bearer(&bank, &format!("{head}.{}", signature.chars().rev().collect::<String>())).await, 401);
    provider.does(json!({"do": "rotate"}));
    bank.clock.wait(10_000);
    let newer = provider.token("plain", "urn:bank", WRITE_SCOPE);
    assert_eq!(bearer(&bank, &newer).await, 200);
    assert_eq!(bearer(&bank, &token).await, 401, "its key is withdrawn");
    bank.clock.set(now() + 700);
    assert_eq!(bearer(&bank, &newer).await, 401, "expired");
}

#[tokio::test]
async fn opaque_tokens_until_they_are_revoked() {
    let provider = Provider::start();
    let bank = bank(&provider, None);
    let token = provider.token("plain", "urn:opaque", WRITE_SCOPE);
    assert_eq!(bearer(&bank, &token).await, 200);
    assert_eq!(bearer(&bank, &provider.token("plain", "urn:opaque", "transfers:read")).await, 403);
    assert_eq!(bearer(&bank, "made-up").await, 401);
    provider.does(json!({"do": "revoke", "client": "plain", "token": token}));
    bank.clock.wait(30_000);
    assert_eq!(bearer(&bank, &token).await, 401);
}

#[tokio::test]
async fn tokens_bound_by_dpop() {
    let provider = Provider::start();
    let dpop = Bound { dpop: true, mtls: false, require: true, nonce: true };
    let bank = bank(&provider, Some(dpop));
    for resource in ["urn:bank", "urn:opaque"] {
        let token = provider.token("dpop", resource, WRITE_SCOPE);
        let authorization = format!("DPoP {token}");
        let first = send(&bank, &[("authorization", &authorization), ("dpop", &provider.proof(&token, ""))]).await;
        assert_eq!(first.code(), 401);
        let nonce = first.header("dpop-nonce");
        let proof = provider.proof(&token, nonce);
        assert_eq!(send(&bank, &[("authorization", &authorization), ("dpop", &proof)]).await.code(), 200);
        assert_eq!(send(&bank, &[("authorization", &authorization), ("dpop", &proof)]).await.code(), 401, "again");
        let other = provider.proof("another token", nonce);
        assert_eq!(send(&bank, &[("authorization", &authorization), ("dpop", &other)]).await.code(), 401);
        assert_eq!(bearer(&bank, &token).await, 401);
    }
    assert_eq!(bearer(&bank, &provider.token("plain", "urn:bank", WRITE_SCOPE)).await, 401, "bound to nothing");
}

#[tokio::test]
async fn tokens_bound_to_a_certificate() {
    let provider = Provider::start();
    let mtls = Bound { dpop: false, mtls: true, require: true, nonce: false };
    let bank = bank(&provider, Some(mtls));
    let made = rcgen::generate_simple_self_signed(["client.example.com".to_owned()]).unwrap();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, made.cert.der());
    let own: [u8; 32] = digest.as_ref().try_into().unwrap();
    for resource in ["urn:bank", "urn:opaque"] {
        let said = provider.does(json!({"do": "token", "client": "mtls", "resource": resource, "scope": WRITE_SCOPE,
                                        "certificate": made.cert.pem()}));
        let token = format!("Bearer {}", said["access_token"].as_str().unwrap());
        for (certificate, status) in [(Some(own), 200), (Some([7; 32]), 401), (None, 401)] {
            let mut request = bank.request(&[("authorization", &token)]);
            let peer = Peer::new("198.51.100.7:4711".parse().unwrap()).over_tls();
            request.extensions_mut().insert(certificate.map_or(peer, |c| peer.with_certificate(c)));
            assert_eq!(bank.answer(0, 0, request).await.code(), status, "{resource} {certificate:?}");
        }
    }
}
