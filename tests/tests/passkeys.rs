//! Passkeys of the generated bank: the ceremonies, what of them is refused, and that an operation with `step-up` is entered
//! by whoever showed one with the same token, and not by anybody else.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;
use std::time::Duration;

use gatewright::store::{MemoryStore, PasskeyStore, Pepper};
use gatewright::{AuditLog, Config, FakeClock, Peer, Router, StartError};
use gatewright_tests::authenticator::{Authenticator, base64url, flag, unbase64url};
use gatewright_tests::issuer::Issuer;
use http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

const NOW: i64 = 1_790_000_000;
const LIMIT: &str = "PUT /v2/accounts/acc_alice1/limit";

struct Bank {
    router: Router,
    issuer: Issuer,
    clock: Arc<FakeClock>,
    store: Arc<MemoryStore>,
    audit: (AuditLog, Kept),
}

/// What was written.
#[derive(Clone, Default)]
struct Kept(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

fn started(variables: &[(&str, &str)]) -> Result<Bank, StartError> {
    let (issuer, clock, store) = (Issuer::new(), Arc::new(FakeClock::at(NOW)), Arc::new(MemoryStore::default()));
    let config = Config::new().clock(clock.clone()).jwks("oauth", issuer.jwks()).variables(variables.iter().copied());
    let config = config.passkeys(store.clone()).api_keys(store.clone(), Pepper::new(vec![9; 32]).unwrap());
    let kept = Kept::default();
    let log = AuditLog::to(kept.clone()).unwrap();
    let config = config.audit(log.clone());
    Ok(Bank { router: gatewright_example_bank::app::router(config)?, issuer, clock, store, audit: (log, kept) })
}

impl Bank {
    fn new() -> Bank {
        started(&[]).expect("the bank starts")
    }

    /// A token of somebody's; another `jti` makes another one.
    fn token(&self, subject: &str, jti: &str) -> String {
        self.issuer.token(NOW, &json!({"sub": subject, "scope": "transfers:write", "jti": jti, "exp": NOW + 3_500}))
    }

    async fn send(&self, token: &str, line: &str, body: Option<&Value>) -> Answer {
        let (method, uri) = line.split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(uri).header("host", "localhost");
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map(Value::to_string).unwrap_or_default();
        self.ask(request.body(axum::body::Body::from(body)).unwrap()).await
    }

    async fn ask(&self, mut request: Request<axum::body::Body>) -> Answer {
        request.extensions_mut().insert(Peer::new("127.0.0.1:4711".parse().unwrap()).over_tls());
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        // Whatever a test asks, limits are not what refuses it.
        self.clock.advance(Duration::from_millis(2_500));
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    async fn creation(&self, token: &str) -> Value {
        let answer = self.send(token, "POST /v2/webauthn/registration/options", None).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    async fn request(&self, token: &str) -> Value {
        let answer = self.send(token, "POST /v2/webauthn/assertion/options", None).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    async fn register(&self, token: &str, passkey: &mut Authenticator) {
        let sent = passkey.create(&self.creation(token).await);
        let answer = self.send(token, "POST /v2/webauthn/registration", Some(&sent)).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
    }

    async fn assert(&self, token: &str, passkey: &mut Authenticator) -> u16 {
        let sent = passkey.get(&self.request(token).await);
        self.send(token, "POST /v2/webauthn/assertion", Some(&sent)).await.status
    }

    async fn set_limit(&self, token: &str) -> Answer {
        self.send(token, LIMIT, Some(&json!({"limit": 5_000}))).await
    }

    /// Refused by a ceremony, in the words that say nothing, and nothing is open afterwards.
    fn refused(answer: &Answer, what: &str) {
        assert_eq!(answer.status, 403, "{what}: {}", answer.body);
        assert_eq!(answer.body["type"], "https://bank.example/problems/passkey-refused", "{what}");
        assert!(answer.body.get("detail").is_none(), "{what}: {}", answer.body);
    }
}

/// Rows: W11.
#[tokio::test]
async fn a_passkey_opens_the_operation_for_five_minutes() {
    let bank = Bank::new();
    let alice = bank.token("alice", "1");
    let before = bank.set_limit(&alice).await;
    assert_eq!(before.status, 401);
    let challenges: Vec<&str> =
        before.headers.get_all("www-authenticate").iter().map(|v| v.to_str().unwrap()).collect();
    assert!(challenges[0].starts_with("Bearer ") && challenges[0].contains("max_age=\"300\""), "{challenges:?}");
    assert!(challenges[0].contains("error=\"insufficient_user_authentication\""), "{challenges:?}");
    assert_eq!(challenges[1], "WebAuthn realm=\"Bank 2.0.0\", options=\"/v2/webauthn/assertion/options\"");

    let mut passkey = Authenticator::new(b"one");
    bank.register(&alice, &mut passkey).await;
    assert_eq!(bank.set_limit(&alice).await.status, 401, "having one is not showing it");
    assert_eq!(bank.assert(&alice, &mut passkey).await, 200);
    let good = bank.set_limit(&alice).await;
    assert_eq!((good.status, &good.body["limit"]), (200, &json!(5_000)));
    bank.clock.advance(Duration::from_secs(280));
    assert_eq!(bank.set_limit(&alice).await.status, 200);
    // A wall clock that is set back makes nothing recent again.
    bank.clock.advance(Duration::from_secs(30));
    bank.clock.set_unix(NOW);
    assert_eq!(bank.set_limit(&alice).await.status, 401);
    assert_eq!(bank.assert(&alice, &mut passkey).await, 200);
    assert_eq!(bank.set_limit(&alice).await.status, 200);
}

#[tokio::test]
async fn an_assertion_is_bound_to_the_token_that_it_was_made_with() {
    let bank = Bank::new();
    let (alice, mallory) = (bank.token("alice", "1"), bank.token("mallory", "1"));
    let (mut hers, mut his) = (Authenticator::new(b"hers"), Authenticator::new(b"his"));
    bank.register(&alice, &mut hers).await;
    bank.register(&mallory, &mut his).await;
    assert_eq!(bank.assert(&mallory, &mut his).await, 200);
    // Another caller's record is nobody else's: neither another subject's, nor another token's of the same subject.
    assert_eq!(bank.set_limit(&alice).await.status, 401);
    assert_eq!(bank.assert(&alice, &mut hers).await, 200);
    assert_eq!(bank.set_limit(&alice).await.status, 200);
    assert_eq!(bank.set_limit(&bank.token("alice", "2")).await.status, 401);
    // What the policy asks besides is asked all the same: the account is Alice's.
    assert_eq!(bank.set_limit(&mallory).await.status, 404);
}

/// Rows: W1.
#[tokio::test]
async fn w1_a_challenge_is_answered_once_in_time_by_whom_it_was_given_in_its_own_ceremony() {
    let bank = Bank::new();
    let (alice, bob) = (bank.token("alice", "1"), bank.token("bob", "1"));
    let mut passkey = Authenticator::new(b"one");
    let post = "POST /v2/webauthn/registration";
    let sent = passkey.create(&bank.creation(&alice).await);
    Bank::refused(&bank.send(&bob, post, Some(&sent)).await, "another caller's");
    Bank::refused(&bank.send(&bank.token("alice", "2"), post, Some(&sent)).await, "another token's");
    bank.clock.advance(Duration::from_secs(300));
    Bank::refused(&bank.send(&alice, post, Some(&sent)).await, "expired");
    let mut other = passkey.create(&bank.creation(&alice).await);
    other["response"]["clientDataJSON"] = sent["response"]["clientDataJSON"].clone();
    Bank::refused(&bank.send(&alice, post, Some(&other)).await, "altered");
    let good = passkey.create(&bank.creation(&alice).await);
    let newer = bank.creation(&alice).await;
    Bank::refused(&bank.send(&alice, post, Some(&good)).await, "one that a newer one replaced");
    Bank::refused(&bank.send(&alice, post, Some(&passkey.create(&newer))).await, "one that a wrong answer has used up");
    bank.register(&alice, &mut passkey).await;

    let post = "POST /v2/webauthn/assertion";
    let good = passkey.get(&bank.request(&alice).await);
    assert_eq!(bank.send(&alice, post, Some(&good)).await.status, 200);
    Bank::refused(&bank.send(&alice, post, Some(&good)).await, "replayed");
    // The challenge of the other ceremony, which whoever has a passkey may begin after showing it.
    let creation = bank.creation(&alice).await;
    Bank::refused(&bank.send(&alice, post, Some(&passkey.get(&creation))).await, "of a registration");
    let request = bank.request(&alice).await;
    let sent = Authenticator::new(b"two").create(&json!({"challenge": request["challenge"], "user": {"id": "AA"}}));
    Bank::refused(&bank.send(&alice, "POST /v2/webauthn/registration", Some(&sent)).await, "of an assertion");
    bank.clock.advance(Duration::from_secs(301));
    assert_eq!(bank.set_limit(&alice).await.status, 401);
    let late = passkey.get(&bank.request(&alice).await);
    bank.clock.advance(Duration::from_secs(300));
    Bank::refused(&bank.send(&alice, post, Some(&late)).await, "expired");
    assert_eq!(bank.set_limit(&alice).await.status, 401);
}

/// A change of an authenticator, and what it shows.
type Change = (&'static str, fn(&mut Authenticator));

const CHANGES: &[Change] = &[
    ("another origin", |a| a.origin = "https://evil.example".into()),
    ("a subdomain", |a| a.origin = "https://www.localhost:8443".into()),
    ("another port", |a| a.origin = "https://localhost:8444".into()),
    ("plain HTTP", |a| a.origin = "http://localhost:8443".into()),
    ("an origin with more behind it", |a| a.origin = "https://localhost:8443.evil.example".into()),
    ("within another page", |a| a.client = json!({"crossOrigin": true})),
    ("within a page that is named", |a| a.client = json!({"topOrigin": "https://evil.example"})),
    ("another type", |a| a.client = json!({"type": "payment.get"})),
    ("a type that is none", |a| a.client = json!({"type": null})),
    ("another challenge", |a| a.client = json!({"challenge": base64url(&[7; 32])})),
    ("an empty challenge", |a| a.client = json!({"challenge": ""})),
    ("another relying party", |a| a.rp_id = "evil.example".into()),
    ("nobody present", |a| a.flags &= !flag::UP),
    ("nobody verified", |a| a.flags &= !flag::UV),
    ("backed up without being eligible", |a| a.flags |= flag::BS),
    ("extensions that are not there", |a| a.flags |= flag::ED),
];

/// Rows: W2, W3.
#[tokio::test]
async fn w2_w3_what_is_not_of_this_ceremony_registers_nothing() {
    let bank = Bank::new();
    let alice = bank.token("alice", "1");
    for (what, change) in CHANGES {
        let mut passkey = Authenticator::new(b"one");
        change(&mut passkey);
        let sent = passkey.create(&bank.creation(&alice).await);
        Bank::refused(&bank.send(&alice, "POST /v2/webauthn/registration", Some(&sent)).await, what);
    }
    let swapped = |a: &mut Authenticator| a.client = json!({"type": "webauthn.get"});
    let mut passkey = Authenticator::new(b"one");
    swapped(&mut passkey);
    let sent = passkey.create(&bank.creation(&alice).await);
    Bank::refused(&bank.send(&alice, "POST /v2/webauthn/registration", Some(&sent)).await, "the other type");
    let user = bank_user("alice");
    assert!(bank.store.passkeys(&user).await.unwrap().is_empty());
}

fn bank_user(subject: &str) -> gatewright::store::PasskeyUser {
    gatewright::store::PasskeyUser {
        rp_id: "localhost".into(),
        issuer: "https://login.bank.example/".into(),
        subject: subject.into(),
    }
}

/// Rows: W2, W3.
#[tokio::test]
async fn w2_w3_what_is_not_of_this_ceremony_steps_nobody_up() {
    let bank = Bank::new();
    let alice = bank.token("alice", "1");
    let mut passkey = Authenticator::new(b"one");
    bank.register(&alice, &mut passkey).await;
    let more: &[Change] = &[
        ("the other type", |a| a.client = json!({"type": "webauthn.create"})),
        ("newly eligible for backup", |a| a.flags |= flag::BE),
        ("a new credential", |a| a.flags |= flag::AT),
        ("another user's handle", |a| a.handle = Some(base64url(&[7; 32]))),
        ("a handle that is none", |a| a.handle = Some("=".into())),
    ];
    for (what, change) in CHANGES.iter().chain(more) {
        let counter = passkey.counter;
        let mut wrong = passkey.copy();
        change(&mut wrong);
        let sent = wrong.get(&bank.request(&alice).await);
        Bank::refused(&bank.send(&alice, "POST /v2/webauthn/assertion", Some(&sent)).await, what);
        assert_eq!(bank.set_limit(&alice).await.status, 401, "{what}");
        passkey.counter = counter;
    }
    assert_eq!(bank.assert(&alice, &mut passkey).await, 200, "and none of it has hurt the passkey");
    // One that was eligible stays so.
    let bank = Bank::new();
    let alice = bank.token("alice", "1");
    let mut synced = Authenticator::new(b"synced");
    synced.flags |= flag::BE;
    bank.register(&alice, &mut synced).await;
    let mut lessened = synced.copy();
    lessened.flags &= !flag::BE;
    assert_eq!(bank.assert(&alice, &mut lessened).await, 403);
    synced.flags |= flag::BS;
    assert_eq!(bank.assert(&alice, &mut synced).await, 200, "whether it is backed up may change");
    assert!(bank.store.passkeys(&bank_user("alice")).await.unwrap()[0].backed_up);
}

/// Rows: W10.
#[tokio::test]
async fn w10_a_handle_is_the_users_own() {
    let bank = Bank::new();
    let (alice, bob) = (bank.token("alice", "1"), bank.token("bob", "1"));
    let (mut hers, mut his) = (Authenticator::new(b"hers"), Authenticator::new(b"his"));
    bank.register(&alice, &mut hers).await;
    bank.register(&bob, &mut his).await;
    assert_ne!(hers.handle, his.handle, "it is random, and tells nobody who its user is");
    hers.handle = his.handle.clone();
    assert_eq!(bank.assert(&alice, &mut hers).await, 403);
    hers.handle = None;
    assert_eq!(bank.assert(&alice, &mut hers).await, 200, "an authenticator need not say it");
}

/// Rows: W4, W5, W8.
#[tokio::test]
async fn w5_credential_ids_are_unique_and_not_endless() {
    let bank = Bank::new();
    let (alice, bob) = (bank.token("alice", "1"), bank.token("bob", "1"));
    let post = "POST /v2/webauthn/registration";
    let mut passkey = Authenticator::new(b"one");
    bank.register(&alice, &mut passkey).await;
    let mut same = Authenticator::new(b"one");
    Bank::refused(&bank.send(&bob, post, Some(&same.create(&bank.creation(&bob).await))).await, "Alice's id");
    for (length, status) in [(1_023, 201), (1_024, 403), (0, 403)] {
        let carol = bank.token("carol", &length.to_string());
        if length == 1_024 {
            assert_eq!(bank.assert(&carol, &mut same).await, 200);
        }
        let carol = if length == 0 { bank.token("dave", "1") } else { carol };
        let mut long = Authenticator::new(&vec![7; length]);
        let answer = bank.send(&carol, post, Some(&long.create(&bank.creation(&carol).await))).await;
        assert_eq!(answer.status, status, "{length}");
        same = long;
    }

    // What stands twice must be the same; and nothing may be left over.
    let erin = bank.token("erin", "1");
    type Answered = fn(&mut Authenticator, &Value) -> Value;
    let changes: &[(&str, Answered)] = &[
        ("two ids", |a, options| {
            let mut sent = a.create(options);
            sent["id"] = json!(base64url(b"other"));
            sent["rawId"] = sent["id"].clone();
            sent
        }),
        ("an id and another raw id", |a, options| {
            let mut sent = a.create(options);
            sent["rawId"] = json!(base64url(b"other"));
            sent
        }),
        ("another kind of credential", |a, options| {
            let mut sent = a.create(options);
            sent["type"] = json!("password");
            sent
        }),
        ("no credential", |a, options| {
            let data = a.data(0);
            a.created(options, &data)
        }),
        ("bytes behind the data", |a, options| {
            let mut sent = a.create(options);
            let mut object = unbase64url(sent["response"]["attestationObject"].as_str().unwrap());
            object.push(0);
            sent["response"]["attestationObject"] = json!(base64url(&object));
            sent
        }),
        ("bytes behind the key", |a, options| {
            let mut data = a.data(flag::AT);
            data.extend_from_slice(&[0; 16]);
            data.extend_from_slice(&[0, 3]);
            data.extend_from_slice(b"one");
            data.extend_from_slice(&a.cose());
            data.push(0);
            a.created(options, &data)
        }),
        ("a key of another algorithm", |a, options| {
            let mut data = a.data(flag::AT);
            data.extend_from_slice(&[0; 16]);
            data.extend_from_slice(&[0, 3]);
            data.extend_from_slice(b"one");
            let mut cose = a.cose();
            // ES512
            cose.splice(4..5, [0x38, 0x23]);
            data.extend_from_slice(&cose);
            a.created(options, &data)
        }),
        ("padding", |a, options| {
            let mut sent = a.create(options);
            let object = format!("{}=", sent["response"]["attestationObject"].as_str().unwrap());
            sent["response"]["attestationObject"] = json!(object);
            sent
        }),
    ];
    for (what, change) in changes {
        let options = bank.creation(&erin).await;
        let sent = change(&mut Authenticator::new(b"erins"), &options);
        Bank::refused(&bank.send(&erin, post, Some(&sent)).await, what);
    }
}

/// Rows: W6.
#[tokio::test]
async fn w6_no_byte_of_an_assertion_may_change() {
    let bank = Bank::new();
    let alice = bank.token("alice", "1");
    let mut passkey = Authenticator::new(b"one");
    bank.register(&alice, &mut passkey).await;
    let post = "POST /v2/webauthn/assertion";
    for part in ["signature", "authenticatorData"] {
        let length = unbase64url(passkey.copy().get(&json!({}))["response"][part].as_str().unwrap()).len();
        for byte in 0..length {
            let mut sent = passkey.copy().get(&bank.request(&alice).await);
            let mut bytes = unbase64url(sent["response"][part].as_str().unwrap());
            let Some(changed) = bytes.get_mut(byte) else { continue };
            *changed ^= 1 << (byte % 8);
            sent["response"][part] = json!(base64url(&bytes));
            Bank::refused(&bank.send(&alice, post, Some(&sent)).await, &format!("{part} {byte}"));
        }
    }
    // Another key's signature, under this one's id.
    let mut other = Authenticator::new(b"one");
    other.counter = 50;
    assert_eq!(bank.assert(&alice, &mut other).await, 403);
    assert_eq!(bank.set_limit(&alice).await.status, 401);
    assert_eq!(bank.assert(&alice, &mut passkey).await, 200);
}

/// Rows: W7.
#[tokio::test]
async fn w7_a_counter_rises_or_there_is_a_copy() {
    let bank = Bank::new();
    let alice = bank.token("alice", "1");
    let mut passkey = Authenticator::new(b"one");
    bank.register(&alice, &mut passkey).await;
    let mut thief = passkey.copy();
    assert_eq!(bank.assert(&alice, &mut passkey).await, 200);
    bank.clock.advance(Duration::from_secs(301));
    let (events, heard) = recorded();
    let _guard = tracing::subscriber::set_default(events);
    assert_eq!(bank.assert(&alice, &mut thief).await, 403, "an equal counter");
    thief.counter = 0;
    assert_eq!(bank.assert(&alice, &mut thief).await, 403, "none where there was one");
    let heard = heard.lock().unwrap().join("\n");
    assert!(heard.contains("passkey-cloned") && heard.contains("alice"), "{heard}");
    assert_eq!(bank.set_limit(&alice).await.status, 401);
    assert_eq!(bank.assert(&alice, &mut passkey).await, 200, "the true one goes on");

    // An authenticator without a counter never has one.
    let bob = bank.token("bob", "1");
    let mut without = Authenticator::new(b"without");
    without.counter = 0;
    bank.register(&bob, &mut without).await;
    for _ in 0..2 {
        assert_eq!(bank.assert(&bob, &mut without).await, 200);
    }
}

/// Rows: W9.
#[tokio::test]
async fn w9_an_unknown_passkey_and_a_wrong_signature_are_one_answer() {
    let bank = Bank::new();
    let (alice, bob) = (bank.token("alice", "1"), bank.token("bob", "1"));
    let (mut hers, mut his) = (Authenticator::new(b"hers"), Authenticator::new(b"his"));
    bank.register(&alice, &mut hers).await;
    bank.register(&bob, &mut his).await;
    let post = "POST /v2/webauthn/assertion";
    let mut answers = Vec::new();
    for mut passkey in [Authenticator::new(b"hers"), Authenticator::new(b"unknown"), his] {
        passkey.counter = 9;
        let sent = passkey.get(&bank.request(&alice).await);
        let answer = bank.send(&alice, post, Some(&sent)).await;
        Bank::refused(&answer, "of nobody, or somebody else's");
        let mut body = answer.body;
        body.as_object_mut().unwrap().remove("request_id");
        answers.push(body);
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
}

#[tokio::test]
async fn whoever_has_passkeys_changes_them_with_one() {
    let bank = Bank::new();
    let alice = bank.token("alice", "1");
    let (mut first, mut second) = (Authenticator::new(b"first"), Authenticator::new(b"second"));
    let options = "POST /v2/webauthn/registration/options";
    bank.register(&alice, &mut first).await;
    let stolen = bank.send(&alice, options, None).await;
    assert_eq!(stolen.status, 401, "a token alone adds none");
    let challenge = stolen.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("options=\"/v2/webauthn/assertion/options\""), "{challenge}");
    let delete = format!("DELETE /v2/webauthn/passkeys/{}", base64url(b"first"));
    assert_eq!(bank.send(&alice, &delete, None).await.status, 401, "and removes none");

    assert_eq!(bank.assert(&alice, &mut first).await, 200);
    let creation = bank.creation(&alice).await;
    assert_eq!(creation["excludeCredentials"][0]["id"], base64url(b"first"));
    assert_eq!(creation["excludeCredentials"][0]["transports"], json!(["usb"]), "only words that are known go back");
    assert_eq!(creation["user"]["id"], json!(first.handle), "one user, one handle");
    // The window closes between the options and the answer.
    bank.clock.advance(Duration::from_secs(296));
    let late = bank.send(&alice, "POST /v2/webauthn/registration", Some(&second.create(&creation))).await;
    assert_eq!(late.status, 401);
    assert_eq!(bank.assert(&alice, &mut first).await, 200);
    bank.register(&alice, &mut second).await;
    bank.clock.advance(Duration::from_secs(301));
    assert_eq!(bank.assert(&alice, &mut second).await, 200, "each of several will do");

    let listed = bank.send(&alice, "GET /v2/webauthn/passkeys", None).await;
    let names: Vec<&Value> = listed.body["passkeys"].as_array().unwrap().iter().map(|p| &p["id"]).collect();
    assert_eq!(names, [&json!(base64url(b"first")), &json!(base64url(b"second"))]);
    assert_eq!(listed.body["passkeys"][0]["name"], "test key");
    let bob = bank.token("bob", "1");
    assert_eq!(bank.send(&bob, "GET /v2/webauthn/passkeys", None).await.body, json!({"passkeys": []}));
    assert_eq!(bank.send(&bob, "POST /v2/webauthn/assertion/options", None).await.status, 403, "he has none to show");

    let mut his = Authenticator::new(b"his");
    bank.register(&bob, &mut his).await;
    assert_eq!(bank.assert(&bob, &mut his).await, 200);
    assert_eq!(bank.send(&bob, &delete, None).await.status, 404, "somebody else's");
    assert_eq!(bank.send(&alice, &delete, None).await.status, 204);
    assert_eq!(bank.send(&alice, &delete, None).await.status, 404);
    assert_eq!(bank.assert(&alice, &mut first).await, 403, "a removed one steps nobody up");
}

#[tokio::test]
async fn the_routes_are_guarded_as_operations_are() {
    let bank = Bank::new();
    let alice = bank.token("alice", "1");
    for line in [
        "POST /v2/webauthn/registration/options",
        "POST /v2/webauthn/registration",
        "POST /v2/webauthn/assertion/options",
        "POST /v2/webauthn/assertion",
        "GET /v2/webauthn/passkeys",
        "DELETE /v2/webauthn/passkeys/AA",
    ] {
        let anonymous = bank.send("", line, None).await;
        assert_eq!(anonymous.status, 401, "{line}");
        assert_eq!(bank.send("not.a.token", line, None).await.status, 401, "{line}");
        assert_eq!(anonymous.headers["cache-control"], "no-store");
        // The first version asks for no passkey, so it has none.
        assert_eq!(bank.send(&alice, &line.replace("/v2/", "/v1/"), None).await.status, 404, "{line}");
    }
    assert_eq!(bank.send(&alice, "PUT /v2/webauthn/assertion", None).await.status, 405);
    let nobody = bank.issuer.token(NOW, &json!({"scope": "transfers:write"}));
    assert_eq!(bank.send(&nobody, "POST /v2/webauthn/registration/options", None).await.status, 401);

    let post = |kind: &str, body: String| {
        let mut request = Request::post("/v2/webauthn/registration").header("host", "localhost");
        request = request.header("authorization", format!("Bearer {alice}"));
        if !kind.is_empty() {
            request = request.header("content-type", kind);
        }
        request.body(axum::body::Body::from(body)).unwrap()
    };
    // A page of another site can send forms and text, and no JSON.
    assert_eq!(bank.ask(post("", "{}".into())).await.status, 415);
    assert_eq!(bank.ask(post("text/plain", "{}".into())).await.status, 415);
    assert_eq!(bank.ask(post("application/json", "{}".into())).await.status, 400);
    assert_eq!(bank.ask(post("application/json", "nonsense".into())).await.status, 400);
    assert_eq!(bank.ask(post("application/json", "x".repeat(65_537))).await.status, 413);
}

#[tokio::test]
async fn a_user_has_thirty_requests_a_minute_and_twenty_passkeys() {
    let bank = Bank::new();
    let alice = bank.token("alice", "1");
    let mut statuses = Vec::new();
    for _ in 0..40 {
        statuses.push(bank.send(&alice, "POST /v2/webauthn/registration/options", None).await.status);
        bank.clock.advance(Duration::from_millis(100));
    }
    assert!(!statuses.contains(&429), "one every two seconds is what there is: {statuses:?}");
    let mut refused = 0;
    for _ in 0..40 {
        let request = Request::post("/v2/webauthn/assertion/options")
            .header("host", "localhost")
            .header("authorization", format!("Bearer {alice}"));
        let mut request = request.body(axum::body::Body::empty()).unwrap();
        request.extensions_mut().insert(Peer::new("127.0.0.1:4711".parse().unwrap()).over_tls());
        refused += usize::from(bank.router.clone().oneshot(request).await.unwrap().status() == 429);
    }
    assert!(refused >= 10, "{refused}");

    let bob = bank.token("bob", "1");
    let mut first = Authenticator::new(b"first");
    bank.register(&bob, &mut first).await;
    for number in 1..20_u8 {
        assert_eq!(bank.assert(&bob, &mut first).await, 200);
        bank.register(&bob, &mut Authenticator::new(&[number])).await;
    }
    assert_eq!(bank.assert(&bob, &mut first).await, 200);
    let full = bank.send(&bob, "POST /v2/webauthn/registration/options", None).await;
    assert_eq!((full.status, &full.body["detail"]), (403, &json!("remove a passkey first")));
}

#[test]
fn a_domain_or_an_origin_that_will_not_do_stops_the_start() {
    for (variables, message) in [
        (&[("BANK_RP_ID", "https://bank.example")][..], "`rp-id` is `https://bank.example`"),
        (&[("BANK_RP_ID", "127.0.0.1")], "`rp-id` is `127.0.0.1`"),
        (&[("BANK_RP_ID", "bank.example")], "lies outside of `rp-id`"),
        (&[("BANK_ORIGIN", "https://localhost:8443/")], "is more than an origin"),
        (&[("BANK_ORIGIN", "http://bank.example"), ("BANK_RP_ID", "bank.example")], "is not of HTTPS"),
        (&[("BANK_ORIGIN", "localhost")], "is no origin"),
    ] {
        let error = started(variables).err().unwrap_or_else(|| panic!("{variables:?} starts"));
        let problem = error.problems.iter().find(|p| p.message.contains(message));
        assert!(problem.is_some_and(|p| p.at.contains("v2.yaml:")), "{variables:?}: {error}");
    }
    assert!(started(&[("BANK_RP_ID", "bank.example"), ("BANK_ORIGIN", "https://login.bank.example")]).is_ok());
    let issuer = Issuer::new();
    let config = Config::new().jwks("oauth", issuer.jwks());
    let config = config.api_keys(Arc::new(MemoryStore::default()), Pepper::new(vec![9; 32]).unwrap());
    let error = gatewright_example_bank::app::router(config).expect_err("no store of passkeys");
    assert!(error.to_string().contains("needs a store of passkeys"), "{error}");
}

/// A subscriber that keeps each event as text.
fn recorded() -> (impl tracing::Subscriber + Send + Sync, Arc<std::sync::Mutex<Vec<String>>>) {
    struct Recorder(Arc<std::sync::Mutex<Vec<String>>>);
    struct Text(String);
    impl tracing::field::Visit for Text {
        fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
            self.0.push_str(&format!("{field}={value:?} "));
        }
    }
    impl tracing::Subscriber for Recorder {
        fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
            true
        }
        fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
            tracing::span::Id::from_u64(1)
        }
        fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
        fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
        fn event(&self, event: &tracing::Event<'_>) {
            let mut text = Text(String::new());
            event.record(&mut text);
            self.0.lock().unwrap().push(text.0);
        }
        fn enter(&self, _: &tracing::span::Id) {}
        fn exit(&self, _: &tracing::span::Id) {}
    }
    let heard = Arc::new(std::sync::Mutex::new(Vec::new()));
    (Recorder(Arc::clone(&heard)), heard)
}

/// A passkey's life is in the audit log: whose, which, from where; and nothing of what was sent.
#[tokio::test]
async fn each_event_of_a_passkey_is_recorded() {
    let bank = Bank::new();
    let alice = bank.token("alice", "1");
    let (mut passkey, mut other) = (Authenticator::new(b"one"), Authenticator::new(b"two"));
    bank.register(&alice, &mut passkey).await;
    let mut thief = passkey.copy();
    assert_eq!(bank.assert(&alice, &mut passkey).await, 200);
    assert_eq!(bank.assert(&alice, &mut thief).await, 403);
    bank.register(&alice, &mut other).await;
    let listed = bank.send(&alice, "GET /v2/webauthn/passkeys", None).await.body;
    let ids: Vec<String> = ["one", "two"].iter().map(|id| base64url(id.as_bytes())).collect();
    assert!(ids.iter().all(|id| listed.to_string().contains(id)), "{listed}");
    let line = format!("DELETE /v2/webauthn/passkeys/{}", ids[1]);
    assert_eq!(bank.send(&alice, &line, None).await.status, 204);
    let (log, kept) = &bank.audit;
    log.flush().await;
    let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    let records = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let events: Vec<Value> = records.filter(|r| r["event"].as_str().unwrap().starts_with("passkey-")).collect();
    let said: Vec<(&str, &str)> =
        events.iter().map(|e| (e["event"].as_str().unwrap(), e["passkey"].as_str().unwrap())).collect();
    let want = [
        ("passkey-registered", &*ids[0]),
        ("passkey-shown", &*ids[0]),
        ("passkey-cloned", &*ids[0]),
        ("passkey-registered", &*ids[1]),
        ("passkey-removed", &*ids[1]),
    ];
    assert_eq!(said, want, "{text}");
    for event in &events {
        assert_eq!((event["subject"].as_str(), event["client"].as_str()), (Some("alice"), Some("127.0.0.1")));
        assert!(event["request_id"].as_str().is_some_and(|id| id.len() == 32), "{event}");
    }
    assert!(!text.contains("eyJ"), "{text}");
}
