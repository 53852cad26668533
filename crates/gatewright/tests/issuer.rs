//! A server that fetches its issuer's keys over real TLS: what the issuer may do, and that nobody comes in while it
//! misbehaves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(all(feature = "server", feature = "oidc"))]

mod bank;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use axum::Router;
use axum::body::Body;
use bank::*;
use gatewright::server::{Certificate, Running, Server};
use gatewright::table::*;
use http::{Response, StatusCode, Uri};
use serde_json::{Value, json};

/// What the issuer does when it is asked.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Good,
    Breaks,
    Redirects,
    TalksHtml,
    NeverEnds,
    Drips,
}

struct Issuer {
    name: String,
    certificate: String,
    keys: Arc<Mutex<Value>>,
    mood: Arc<Mutex<Mood>>,
    _running: Running,
}

impl Issuer {
    fn start() -> Issuer {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = made.cert.pem();
        let keys = Arc::new(Mutex::new(Value::Null));
        let mood = Arc::new(Mutex::new(Mood::Good));
        let name = Arc::new(Mutex::new(String::new()));
        let answering = (keys.clone(), mood.clone(), name.clone());
        let router = Router::new().fallback(move |uri: Uri| {
            let (keys, mood, name) = answering.clone();
            async move { answer(&uri, &keys.lock().unwrap(), *mood.lock().unwrap(), &name.lock().unwrap()) }
        });
        let pem = Certificate::pem(certificate.clone().into_bytes(), made.signing_key.serialize_pem().into_bytes());
        let running = Server::new(router).https("127.0.0.1:0".parse().unwrap(), pem).unwrap();
        *name.lock().unwrap() = format!("localhost:{}", running.address().port());
        let name = name.lock().unwrap().clone();
        Issuer { name, certificate, keys, mood, _running: running }
    }

    fn publishes(&self, keys: &[&Key]) {
        *self.keys.lock().unwrap() = json!({"keys": keys.iter().map(|k| k.jwk()).collect::<Vec<_>>()});
    }

    fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }
}

fn answer(uri: &Uri, keys: &Value, mood: Mood, name: &str) -> Response<Body> {
    let body = match uri.path() {
        "/.well-known/openid-configuration" => {
            json!({"issuer": format!("https://{name}"), "jwks_uri": format!("https://{name}/keys")})
        }
        "/keys" if mood == Mood::Redirects => {
            let to = format!("https://{name}/elsewhere");
            return Response::builder().status(StatusCode::FOUND).header("location", to).body(Body::empty()).unwrap();
        }
        "/keys" | "/elsewhere" => keys.clone(),
        _ => return Response::builder().status(404).body(Body::empty()).unwrap(),
    };
    let mut response = Response::builder().header("content-type", "application/json");
    let body = match mood {
        Mood::Breaks => {
            response = response.status(500);
            Body::from(body.to_string())
        }
        Mood::TalksHtml => {
            return Response::builder().header("content-type", "text/html").body(body.to_string().into()).unwrap();
        }
        Mood::NeverEnds => Body::from(format!("{}{}", " ".repeat(2 << 20), body)),
        Mood::Drips => Body::new(Silent),
        Mood::Good | Mood::Redirects => Body::from(body.to_string()),
    };
    response.body(body).unwrap()
}

/// A body that never comes.
struct Silent;

impl http_body::Body for Silent {
    type Data = bytes::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
        std::task::Poll::Pending
    }
}

struct Key(&'static str, Ed25519KeyPair);

impl Key {
    fn new(kid: &'static str) -> Key {
        Key(kid, Ed25519KeyPair::generate().unwrap())
    }

    fn jwk(&self) -> Value {
        json!({"kty": "OKP", "crv": "Ed25519", "kid": self.0, "x": base64url(self.1.public_key().as_ref())})
    }

    fn bearer(&self, issuer: &Issuer) -> String {
        let claims = json!({"iss": format!("https://{}", issuer.name), "aud": "bank-api", "sub": "alice",
            "client_id": "app", "jti": "1", "iat": NOW - 10, "exp": NOW + 600});
        let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::EdDSA);
        header.typ = Some("at+jwt".into());
        header.kid = Some(self.0.into());
        let der = self.1.to_pkcs8v1().unwrap();
        let key = jsonwebtoken::EncodingKey::from_ed_der(der.as_ref());
        format!("Bearer {}", jsonwebtoken::encode(&header, &claims, &key).unwrap())
    }
}

fn bank(issuer: &Issuer, timeout: u64) -> Bank {
    let policy = Policy { timeout: Setting::Fixed(timeout), ..GUARDED };
    Bank::asking(vec![(API, vec![policy])], |config| {
        let config = config.variables([("ISSUER", issuer.name.clone())]);
        config.certificate_authorities(issuer.certificate.clone())
    })
}

async fn status(bank: &Bank, bearer: &str) -> u16 {
    bank.answer(0, 0, bank.request(&[("authorization", bearer)])).await.code()
}

#[tokio::test]
async fn j23_keys_are_discovered_rotated_and_withdrawn() {
    let issuer = Issuer::start();
    let (old, new) = (Key::new("old"), Key::new("new"));
    issuer.publishes(&[&old]);
    let bank = bank(&issuer, 10_000);
    let (by_old, by_new) = (old.bearer(&issuer), new.bearer(&issuer));
    assert_eq!(status(&bank, &by_old).await, 200);
    assert_eq!(status(&bank, &by_new).await, 401);
    assert_eq!(status(&bank, &Key::new("old").bearer(&issuer)).await, 401, "the id is not the key");
    issuer.publishes(&[&new]);
    bank.clock.wait(10_000);
    assert_eq!(status(&bank, &by_old).await, 200, "still good, and remembered");
    assert_eq!(status(&bank, &by_new).await, 200);
    assert_eq!(status(&bank, &by_old).await, 401, "remembered, but its key is withdrawn");
    // The issuer is down: what is good stays good, for a while.
    issuer.is(Mood::Breaks);
    bank.clock.wait(3 * 3_600_000);
    assert_eq!(status(&bank, &by_new).await, 200);
    bank.clock.wait(2 * 3_600_000);
    let answer = bank.answer(0, 0, bank.request(&[("authorization", &by_new)])).await;
    assert_eq!(answer.code(), 503, "also a remembered token");
    assert_eq!(answer.header("retry-after"), "1");
    assert!(!answer.problem.to_string().contains("localhost"), "{answer:?}");
    issuer.is(Mood::Good);
    bank.clock.wait(10_000);
    assert_eq!(status(&bank, &by_new).await, 200);
}

#[tokio::test]
async fn d3_d4_an_issuer_that_misbehaves_lets_nobody_in() {
    for mood in [Mood::Breaks, Mood::Redirects, Mood::TalksHtml, Mood::NeverEnds, Mood::Drips] {
        let issuer = Issuer::start();
        let key = Key::new("a");
        issuer.publishes(&[&key]);
        issuer.is(mood);
        let bank = bank(&issuer, 1_500);
        assert_eq!(status(&bank, &key.bearer(&issuer)).await, 503);
    }
}

#[tokio::test]
async fn d6_an_issuer_whose_certificate_nobody_vouches_for_is_not_asked() {
    let (issuer, stranger) = (Issuer::start(), Issuer::start());
    let key = Key::new("a");
    issuer.publishes(&[&key]);
    let bank = Bank::asking(vec![(API, vec![GUARDED])], |config| {
        let config = config.variables([("ISSUER", issuer.name.clone())]);
        config.certificate_authorities(stranger.certificate.clone())
    });
    assert_eq!(status(&bank, &key.bearer(&issuer)).await, 503);
    // Nobody listens there any more.
    let gone = Issuer::start();
    let name = gone.name.clone();
    gone._running.stop(Duration::ZERO).await.unwrap();
    let bank = Bank::asking(vec![(API, vec![GUARDED])], |config| {
        config.variables([("ISSUER", name.clone())]).certificate_authorities(issuer.certificate.clone())
    });
    assert_eq!(status(&bank, &key.bearer(&issuer)).await, 503);
}

/// An issuer that is down when the server starts, and comes back; the server needs no restart, and lets nobody in before.
#[tokio::test]
async fn d6_an_issuer_that_comes_back_is_asked_again() {
    let issuer = Issuer::start();
    let (key, forged) = (Key::new("a"), Key::new("a"));
    issuer.publishes(&[&key]);
    issuer.is(Mood::Breaks);
    let bank = bank(&issuer, 5_000);
    let (good, bad) = (key.bearer(&issuer), forged.bearer(&issuer));
    for _ in 0..3 {
        assert_eq!(status(&bank, &good).await, 503);
        assert_eq!(status(&bank, &bad).await, 503);
        bank.clock.wait(10_000);
    }
    issuer.is(Mood::Good);
    bank.clock.wait(10_000);
    assert_eq!(status(&bank, &good).await, 200);
    assert_eq!(status(&bank, &bad).await, 401);
    // It goes away again, for less than keys are kept: nothing changes, for nobody.
    issuer.is(Mood::Breaks);
    bank.clock.wait(3_600_000);
    assert_eq!(status(&bank, &good).await, 200);
    assert_eq!(status(&bank, &bad).await, 401);
    assert_eq!(bank.answer(0, 0, bank.request(&[])).await.code(), 401);
}

/// Keys are rotated while many ask: whoever has a token of a published key is served all the time, a key that is withdrawn
/// ends, and what was never signed by the issuer is refused at every moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j23_keys_are_rotated_under_load() {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    let issuer = Issuer::start();
    let keys: Vec<Key> = ["k0", "k1", "k2", "k3"].into_iter().map(Key::new).collect();
    let tokens: Vec<String> = keys.iter().map(|key| key.bearer(&issuer)).collect();
    let forged: Vec<String> =
        ["k0", "k1", "k2", "k3", "k9"].into_iter().map(|kid| Key::new(kid).bearer(&issuer)).collect();
    issuer.publishes(&[&keys[0]]);
    let bank = Arc::new(bank(&issuer, 30_000));
    assert_eq!(status(&bank, &tokens[0]).await, 200);
    // The token of this one is good at the moment.
    let current = Arc::new(AtomicUsize::new(0));
    let (stop, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let load: Vec<_> = (0..8)
        .map(|n: usize| {
            let (bank, tokens, forged) = (bank.clone(), tokens.clone(), forged.clone());
            let (current, stop, asked) = (current.clone(), stop.clone(), asked.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::SeqCst) {
                    let now = current.load(Ordering::SeqCst);
                    let answer = |bearer: String| {
                        let bank = bank.clone();
                        async move { bank.gateway_status(&bearer).await }
                    };
                    let was = answer(tokens[now].clone()).await;
                    // A token that was withdrawn while it was under way may go either way.
                    assert!(was == 200 || current.load(Ordering::SeqCst) != now, "k{now} was {was}");
                    assert_eq!(answer(forged[n % forged.len()].clone()).await, 401);
                    asked.fetch_add(1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let more = |asked: &AtomicUsize| asked.load(Ordering::SeqCst) + 200;
    for next in 1..keys.len() {
        let until = more(&asked);
        while asked.load(Ordering::SeqCst) < until {
            assert!(!load.iter().any(tokio::task::JoinHandle::is_finished), "somebody was answered otherwise");
            tokio::task::yield_now().await;
        }
        // The new key is published beside the old one, then it is used, then the old one goes.
        issuer.publishes(&[&keys[next - 1], &keys[next]]);
        bank.clock.wait(10_000);
        assert_eq!(bank.gateway_status(&tokens[next]).await, 200, "found within one question");
        current.store(next, Ordering::SeqCst);
        issuer.publishes(&[&keys[next]]);
        bank.clock.wait(3_600_000);
        // Whoever asks for the keys next may still hold the answer of before.
        let mut turns = 0;
        while bank.gateway_status(&tokens[next - 1]).await != 401 {
            turns += 1;
            assert!(turns < 1_000, "the token of a withdrawn key stays good");
            bank.clock.wait(10_000);
            tokio::task::yield_now().await;
        }
    }
    stop.store(true, Ordering::SeqCst);
    for task in load {
        task.await.unwrap();
    }
    assert!(asked.load(Ordering::SeqCst) > 600);
}
