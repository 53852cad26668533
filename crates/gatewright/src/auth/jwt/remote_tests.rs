//! An issuer that rotates, lies, breaks down and comes back, without a network: rows D1 to D7, J7 and J23.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatewright_policy::table::{Jwt, Keys, Setting};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::tests::{ALL, ISSUER, ISSUER_KEYS, NOW, STRANGER, claims, header, mint, mint_text, scheme, with};
use super::{Held, JwtVerifier, Rejected};
use crate::FakeClock;
use crate::config::{Config, Resolver};
use crate::outbound::{Ask, Failed, Fetch, Fetched, Pending};

const KEYS: &str = "https://issuer.example.com/keys";
const METADATA: &str = "https://issuer.example.com/.well-known/openid-configuration";
const OTHER_METADATA: &str = "https://issuer.example.com/.well-known/oauth-authorization-server";

type Script = BTreeMap<&'static str, Result<(String, Option<u64>), Failed>>;

/// Answers as it is told.
#[derive(Default)]
struct Fake {
    script: Mutex<Script>,
    asked: Mutex<Vec<String>>,
    takes: Mutex<Duration>,
}

impl Fake {
    fn says(&self, uri: &'static str, answer: impl ToString, max_age: Option<u64>) {
        self.script.lock().unwrap().insert(uri, Ok((answer.to_string(), max_age)));
    }
    fn fails(&self, uri: &'static str, why: Failed) {
        self.script.lock().unwrap().insert(uri, Err(why));
    }
    fn asked(&self) -> usize {
        std::mem::take(&mut *self.asked.lock().unwrap()).len()
    }
}

impl Fetch for Fake {
    fn fetch(&self, ask: Ask) -> Pending<'_> {
        Box::pin(async move {
            self.asked.lock().unwrap().push(ask.uri.to_string());
            let takes = *self.takes.lock().unwrap();
            tokio::time::sleep(takes).await;
            let answer = self.script.lock().unwrap().get(&*ask.uri.to_string()).cloned();
            let (body, max_age) = answer.unwrap_or(Err(Failed::Status(404)))?;
            assert!(ask.most <= 1 << 20 && ask.within <= Duration::from_secs(5), "nothing is unbounded");
            Ok(Fetched { body: body.into(), max_age })
        })
    }
}

struct Setup {
    fake: Arc<Fake>,
    clock: Arc<FakeClock>,
    verifier: JwtVerifier,
}

fn setup(keys: Keys) -> Setup {
    let (scheme, jwt) = scheme(true, ALL);
    let (fake, clock) = (Arc::new(Fake::default()), Arc::new(FakeClock::at(NOW)));
    let config = Config::new().clock(clock.clone()).asking(fake.clone());
    let mut r = Resolver::new(Arc::new(|_| None));
    let verifier = JwtVerifier::start(scheme, &Jwt { keys, ..jwt }, &config, &mut r);
    r.finish().unwrap();
    Setup { fake, clock, verifier: verifier.unwrap() }
}

fn by_url() -> Setup {
    setup(Keys::Url(Setting::Fixed(KEYS)))
}

impl Setup {
    async fn keys(&self) -> Option<Arc<Held>> {
        let held = self.verifier.keys(soon()).await;
        settle().await;
        held
    }

    /// As the scheme does it: with newer keys, if the token names a key that is not there.
    async fn passes(&self, token: &str) -> bool {
        let Some(held) = self.keys().await else { return false };
        match self.verifier.verify(token, &held, NOW) {
            Ok(_) => true,
            Err(Rejected::Bad(_)) => false,
            Err(Rejected::UnknownKey) => match self.verifier.newer_keys(&held, soon()).await {
                Some(newer) => self.verifier.verify(token, &newer, NOW).is_ok(),
                None => false,
            },
        }
    }

    fn later(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

/// Lets what was begun in the background end.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

/// The second key of an issuer who rotates.
fn rotated() -> (Value, String) {
    let mut key = STRANGER.jwk("p256");
    key["kid"] = "new".into();
    let head = with(header(), json!({"kid": "new"})).to_string();
    (json!({"keys": [key]}), mint_text(&STRANGER, "ES256", &head, &claims().to_string()))
}

#[tokio::test(start_paused = true)]
async fn d5_a_thousand_requests_ask_once() {
    let s = Arc::new(by_url());
    s.fake.says(KEYS, ISSUER_KEYS.set(), None);
    *s.fake.takes.lock().unwrap() = Duration::from_millis(100);
    let passed = Arc::new(AtomicUsize::new(0));
    let ask = |token: String| {
        let (s, passed) = (s.clone(), passed.clone());
        async move {
            if s.passes(&token).await {
                passed.fetch_add(1, Ordering::SeqCst);
            }
        }
    };
    let all = async |token: String| {
        let tasks: Vec<_> = (0..1_000).map(|_| tokio::spawn(ask(token.clone()))).collect();
        for task in tasks {
            task.await.unwrap();
        }
        passed.swap(0, Ordering::SeqCst)
    };
    assert_eq!(all(mint(&header(), &claims())).await, 1_000);
    assert_eq!(s.fake.asked(), 1, "the first fetch is everybody's");
    s.later(10);
    assert_eq!(all(mint(&with(header(), json!({"kid": "unknown"})), &claims())).await, 0);
    assert_eq!(s.fake.asked(), 1, "so is one for a key that nobody has");
}

#[tokio::test(start_paused = true)]
async fn j7_unknown_keys_ask_at_most_once_in_ten_seconds() {
    let s = by_url();
    s.fake.says(KEYS, ISSUER_KEYS.set(), None);
    assert!(s.passes(&mint(&header(), &claims())).await);
    for _ in 0..40 {
        for kid in ["a", "b", "../../etc/passwd"] {
            assert!(!s.passes(&mint(&with(header(), json!({"kid": kid})), &claims())).await);
        }
        s.later(1);
    }
    assert_eq!(s.fake.asked.lock().unwrap().len(), 4, "at 0, 10, 20 and 30 seconds");
    // A header that names its own key brings nobody to ask there.
    let forged =
        with(header(), json!({"kid": "x", "jku": "https://evil.example.com/keys", "jwk": STRANGER.jwk("p256")}));
    assert!(!s.passes(&mint(&forged, &claims())).await);
    assert!(s.fake.asked.lock().unwrap().iter().all(|uri| uri == KEYS));
}

#[tokio::test(start_paused = true)]
async fn j23_a_new_key_is_taken_at_once_and_an_old_one_dropped() {
    let s = by_url();
    s.fake.says(KEYS, ISSUER_KEYS.set(), None);
    let old = mint(&header(), &claims());
    assert!(s.passes(&old).await);
    let before = s.keys().await.unwrap().generation;
    let (set, new) = rotated();
    s.fake.says(KEYS, &set, None);
    assert!(!s.passes(&new).await, "too early to ask again");
    s.later(10);
    assert!(s.passes(&old).await, "the old key is not asked about");
    assert!(s.passes(&new).await);
    assert!(!s.passes(&old).await);
    assert_ne!(s.keys().await.unwrap().generation, before, "what was remembered is forgotten");
    // The same keys again are no other generation.
    let now = s.keys().await.unwrap().generation;
    s.later(700);
    s.keys().await.unwrap();
    assert_eq!(s.keys().await.unwrap().generation, now);
    // A key that its issuer withdrew is refused without anybody naming an unknown one.
    s.fake.says(KEYS, ISSUER_KEYS.set(), None);
    s.later(700);
    assert!(s.passes(&new).await, "one request sees the old keys, and has new ones fetched");
    assert!(!s.passes(&new).await);
}

#[tokio::test(start_paused = true)]
async fn d7_keys_are_fetched_again_as_the_issuer_says_within_bounds() {
    for (max_age, fresh) in
        [(None, 600), (Some(0), 60), (Some(90), 90), (Some(1_000_000), 3_600), (Some(u64::MAX), 3_600)]
    {
        let s = by_url();
        s.fake.says(KEYS, ISSUER_KEYS.set(), max_age);
        s.keys().await.unwrap();
        s.fake.asked();
        s.later(fresh - 1);
        s.keys().await.unwrap();
        assert_eq!(s.fake.asked(), 0, "{max_age:?}");
        s.later(1);
        s.keys().await.unwrap();
        assert_eq!(s.fake.asked(), 1, "{max_age:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn d6_an_issuer_that_is_down_lets_nobody_in() {
    let s = by_url();
    let good = mint(&header(), &claims());
    s.fake.fails(KEYS, Failed::Status(500));
    assert!(s.keys().await.is_none());
    assert!(!s.passes(&good).await);
    s.fake.says(KEYS, ISSUER_KEYS.set(), None);
    s.later(10);
    assert!(s.passes(&good).await, "it is asked again by itself");
}

#[tokio::test(start_paused = true)]
async fn keys_outlive_an_outage_for_four_hours_and_no_longer() {
    let s = by_url();
    let good = mint(&header(), &claims());
    s.fake.says(KEYS, ISSUER_KEYS.set(), None);
    assert!(s.passes(&good).await);
    s.fake.fails(KEYS, Failed::Other("connection refused".to_owned()));
    s.later(4 * 3_600);
    assert!(s.passes(&good).await);
    s.later(1);
    assert!(s.keys().await.is_none(), "nobody is let in by keys that may long be withdrawn");
    s.later(10);
    s.fake.says(KEYS, ISSUER_KEYS.set(), None);
    assert!(s.passes(&good).await);
}

#[tokio::test(start_paused = true)]
async fn d4_what_is_no_key_set_leaves_the_last_good_one() {
    let s = by_url();
    let good = mint(&header(), &claims());
    s.fake.says(KEYS, ISSUER_KEYS.set(), None);
    assert!(s.passes(&good).await);
    let many: Vec<Value> = (0..10_000).map(|_| json!({"kty": "EC"})).collect();
    for bad in [
        "not json".to_owned(),
        "[]".to_owned(),
        json!({"keys": {}}).to_string(),
        json!({"keys": []}).to_string(),
        json!({"keys": many}).to_string(),
        json!({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}).to_string(),
        "{\"keys\":[],\"keys\":[]}".to_owned(),
        " ".repeat(2 << 20),
    ] {
        s.fake.says(KEYS, &bad, None);
        s.later(700);
        s.keys().await.unwrap();
        assert!(s.fake.asked() > 0);
        assert!(s.passes(&good).await);
    }
}

#[tokio::test(start_paused = true)]
async fn no_request_waits_for_keys_that_it_has() {
    let s = by_url();
    s.fake.says(KEYS, ISSUER_KEYS.set(), None);
    s.keys().await.unwrap();
    s.fake.asked();
    *s.fake.takes.lock().unwrap() = Duration::from_secs(3);
    s.later(700);
    let before = Instant::now();
    assert!(s.passes(&mint(&header(), &claims())).await);
    assert_eq!(Instant::now(), before);
    assert_eq!(s.fake.asked(), 1, "they are fetched beside it");
}

#[tokio::test(start_paused = true)]
async fn a_first_fetch_is_waited_for_within_bounds() {
    let s = by_url();
    s.fake.says(KEYS, ISSUER_KEYS.set(), None);
    *s.fake.takes.lock().unwrap() = Duration::from_secs(60);
    let before = Instant::now();
    assert!(s.verifier.keys(before + Duration::from_secs(30)).await.is_none());
    assert_eq!(Instant::now() - before, Duration::from_secs(5));
    assert!(s.verifier.keys(Instant::now() + Duration::from_secs(1)).await.is_none());
    assert_eq!(Instant::now() - before, Duration::from_secs(6), "a request's own deadline counts too");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(s.keys().await.is_some(), "the fetch went on for the next one");
    assert_eq!(s.fake.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn d1_d2_metadata_is_the_issuers_own() {
    let metadata = json!({"issuer": ISSUER, "jwks_uri": KEYS});
    for (first, second, good, asked) in [
        (Some(metadata.clone()), None, true, 2),
        (None, Some(metadata.clone()), true, 3),
        (None, None, false, 2),
        (
            Some(with(metadata.clone(), json!({"issuer": "https://issuer.example.com/"}))),
            Some(metadata.clone()),
            false,
            1,
        ),
        (Some(with(metadata.clone(), json!({"issuer": "https://Issuer.example.com"}))), None, false, 1),
        (Some(with(metadata.clone(), json!({"jwks_uri": "http://issuer.example.com/keys"}))), None, false, 1),
        (Some(with(metadata.clone(), json!({"jwks_uri": "https://evil.example.com/keys"}))), None, false, 1),
    ] {
        let s = setup(Keys::Discovery);
        s.fake.says(KEYS, ISSUER_KEYS.set(), None);
        for (place, answer) in [(METADATA, &first), (OTHER_METADATA, &second)] {
            if let Some(answer) = answer {
                s.fake.says(place, answer, None);
            }
        }
        assert_eq!(s.passes(&mint(&header(), &claims())).await, good, "{first:?} {second:?}");
        assert_eq!(s.fake.asked(), asked, "{first:?} {second:?}");
    }
    // A metadata endpoint that is broken is not passed over for another.
    let s = setup(Keys::Discovery);
    s.fake.fails(METADATA, Failed::Status(500));
    s.fake.says(OTHER_METADATA, &metadata, None);
    s.fake.says(KEYS, ISSUER_KEYS.set(), None);
    assert!(s.keys().await.is_none());
}
