//! What is answered while something that a server needs is broken, and what a client cannot do by saying things: nothing that
//! should be refused passes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bank;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bank::*;
use gatewright::store::{Answer, Keys, *};
use gatewright::table::*;
use serde_json::{Value, json};

/// A store that is down as long as it is told to be.
#[derive(Default)]
struct Down(MemoryStore, AtomicBool);

impl Down {
    fn or<'a, T: Send + 'a>(&'a self, answer: impl FnOnce() -> Answer<'a, T>) -> Answer<'a, T> {
        match self.1.load(Ordering::SeqCst) {
            true => Answer::now(Err(StoreError::new("connection refused by db.internal:5432"))),
            false => answer(),
        }
    }
}

impl KeyStore for Down {
    fn find<'a>(&'a self, id: &'a str) -> Answer<'a, Option<KeyRecord>> {
        self.or(|| self.0.find(id))
    }
    fn insert<'a>(&'a self, record: &'a KeyRecord) -> Answer<'a, ()> {
        self.or(|| self.0.insert(record))
    }
    fn replace<'a>(&'a self, next: &'a KeyRecord, added: Option<&'a KeyRecord>) -> Answer<'a, bool> {
        self.or(|| self.0.replace(next, added))
    }
    fn list(&self) -> Answer<'_, Vec<KeyRecord>> {
        self.or(|| self.0.list())
    }
    fn count<'a>(&'a self, used: &'a [Used]) -> Answer<'a, Vec<(String, Unusual)>> {
        self.or(|| self.0.count(used))
    }
    fn usage(&self) -> Answer<'_, Vec<Usage>> {
        self.or(|| self.0.usage())
    }
}

/// Rows: A16, H17.
#[test]
fn a_store_that_is_down_lets_nobody_in_and_comes_back() {
    let store = Arc::new(Down::default());
    let pepper = || Pepper::new(vec![7; 32]).unwrap();
    let policy = Policy { access: Access::Guarded(&[OAUTH_ANY, KEY_ANY]), ..OPEN };
    let bank = Bank::configured(vec![(API, vec![policy, OPEN])], |c| c.api_keys(store.clone(), pepper()));
    let keys = Keys::new(store.clone(), pepper());
    let order = Order { prefix: "wx".into(), level: Some("premium".into()), ..Order::default() };
    let key = at_once(keys.issue(order, NOW)).unwrap().unwrap().text.to_string();
    let forged = format::write("wx", &"A".repeat(16), &"B".repeat(43)).to_string();
    let token = bank.bearer(json!({}));
    let ask = |headers: &[(&str, &str)]| bank.send(bank.request(headers));
    assert_eq!(ask(&[("x-api-key", &key)]).code(), 200);
    store.1.store(true, Ordering::SeqCst);
    for presented in [&key, &forged] {
        let answer = ask(&[("x-api-key", presented)]);
        assert_eq!(answer.code(), 503);
        assert_eq!(answer.header("retry-after"), "1");
        assert!(!answer.problem.to_string().contains("db.internal"), "{:?}", answer.problem);
    }
    // Whoever needs no store is served; whoever presents nothing is not let in by its absence.
    assert_eq!(ask(&[("authorization", &token)]).code(), 200);
    assert_eq!(ask(&[]).code(), 401);
    assert_eq!(bank.send_to(0, 1, bank.request(&[])).code(), 200);
    assert_eq!(
        ask(&[("x-api-key", &key), ("authorization", &token)]).code(),
        503,
        "a credential that nobody can judge"
    );
    store.1.store(false, Ordering::SeqCst);
    assert_eq!(ask(&[("x-api-key", &key)]).code(), 200);
    assert_eq!(ask(&[("x-api-key", &forged)]).code(), 401);
}

/// Rows: A11.
#[test]
fn whoever_guesses_learns_nothing_from_the_answer() {
    let bank = Bank::of(Policy { access: Access::Guarded(&[KEY_ANY]), ..OPEN });
    let (good, revoked) = (bank.key("free"), bank.key("free"));
    let id = |key: &str| key.split('_').nth(1).unwrap().to_owned();
    at_once(bank.keys.revoke(&id(&revoked), NOW)).unwrap().unwrap();
    let wrong_secret = format::write("wx", &id(&good), &"B".repeat(43)).to_string();
    let unknown = format::write("wx", &"A".repeat(16), &"B".repeat(43)).to_string();
    let answers: Vec<(u16, Value, Vec<String>)> = [wrong_secret, unknown, revoked, "nonsense".to_owned()]
        .iter()
        .map(|key| {
            let mut answer = bank.send(bank.request(&[("x-api-key", key)]));
            assert_eq!(answer.code(), 401);
            answer.problem["request_id"].take();
            answer.headers.remove("x-request-id");
            let headers = answer.headers.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
            (answer.status, answer.problem, headers)
        })
        .collect();
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
}

/// Rows: A1, A4, B10.
#[test]
fn headers_in_which_clients_say_who_they_are_have_no_effect() {
    let office = Policy { allow_networks: Some(&[0]), ..OPEN };
    let bank = Bank::new(API, vec![office, GUARDED]);
    let inside = "203.0.113.9";
    for name in [
        "x-forwarded-for",
        "forwarded",
        "x-real-ip",
        "true-client-ip",
        "cf-connecting-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "x-originating-ip",
    ] {
        let value = if name == "forwarded" { format!("for={inside}") } else { inside.to_owned() };
        // `code` holds each answer, good or bad, to the headers that all must have.
        assert_eq!(bank.send(bank.request(&[(name, &value)])).code(), 403, "{name}");
        assert_eq!(bank.send(bank.from("203.0.113.9:1", &[(name, "198.51.100.7")])).code(), 200, "{name}");
    }
    let bearer = bank.bearer(json!({}));
    for name in ["x-user-id", "x-user", "remote-user", "x-remote-user", "x-forwarded-user", "x-auth-subject", "x-roles"]
    {
        assert_eq!(bank.send_to(0, 1, bank.request(&[(name, "admin")])).code(), 401, "{name}");
        let known = bank.send_to(0, 1, bank.request(&[("authorization", &bearer), (name, "admin")]));
        assert_eq!((known.code(), known.subject.as_deref()), (200, Some("alice")), "{name}");
        // From a trusted proxy, too.
        let proxied = bank.from("10.0.0.1:1", &[(name, "admin"), ("x-forwarded-for", inside)]);
        assert_eq!(bank.send_to(0, 1, proxied).code(), 401, "{name}");
    }
}

/// A clock that is behind or ahead of the issuer's: a token is refused, not accepted for longer; nothing overflows.
#[test]
fn a_clock_that_is_wrong_closes_and_does_not_open() {
    let bank = Bank::of(GUARDED);
    for (now, want) in [
        (NOW, 200),
        (NOW - 11, 401), // issued in the future
        (NOW + 599, 200),
        (NOW + 600, 401),
        (0, 401),
        (i64::MAX, 401),
        (i64::MIN, 401),
        (NOW, 200),
    ] {
        bank.clock.set(now);
        // One that nobody remembers.
        let token = bank.bearer(json!({"jti": now.to_string()}));
        assert_eq!(bank.send(bank.request(&[("authorization", &token)])).code(), want, "{now}");
    }
}
