//! Idempotency keys, as callers meet them, with the keys of one server and with those that servers share.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use gatewright::{Authorized, Config, FakeClock, Identity, Internal, Owned, Peer, ResolveError, handler, resolver};
use gatewright_tests::issuer::Issuer;
use gatewright_tests::redis::RedisServer;
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

mod api {
    gatewright::api!("once/openapi.yaml");
}

use api::{pay, pay_from, wish};

const NOW: i64 = 1_790_000_000;

struct Payments(Arc<Work>);

/// Counts how often money moved.
struct Work {
    made: AtomicI32,
    /// A payment of 7 waits here, and says that it does.
    go: Semaphore,
    there: Semaphore,
}

impl Work {
    async fn make(&self, amount: Option<i32>) -> api::types::PaidResponse {
        if amount == Some(7) {
            self.there.add_permits(1);
            self.go.acquire().await.unwrap().forget();
        }
        api::types::PaidResponse { number: self.made.fetch_add(1, Ordering::SeqCst) + 1 }
    }
}

#[handler(api::Pay)]
async fn pay(app: &Payments, request: pay::Request) -> pay::Result {
    let amount = request.body.amount;
    let paid = app.0.make(Some(amount)).await;
    match amount {
        409 => Err(pay::Error::Conflict),
        500 => Err(pay::Error::Internal(Internal::new("down"))),
        666 => panic!("in the handler"),
        _ => Ok(pay::Response::Created(paid, pay::CreatedHeaders { location: "/payments/1".into() })),
    }
}

#[handler(api::Wish)]
async fn wish(app: &Payments, request: wish::Request) -> wish::Result {
    let paid = app.0.make(Some(request.body.amount)).await;
    Ok(wish::Response::Created(paid, wish::CreatedHeaders { location: "/wishes/1".into() }))
}

#[resolver(api::ResolveAccount)]
async fn account(_: &Payments, id: api::resolve_account::Id, who: &Identity) -> Result<Owned<String>, ResolveError> {
    let theirs = who.subject() == Some(&id);
    Ok(Owned::when(Some(id), |_| theirs))
}

#[handler(api::PayFrom)]
async fn pay_from(app: &Payments, _: Authorized<String>, _: pay_from::Request) -> pay_from::Result {
    let paid = app.0.make(None).await;
    Ok(pay_from::Response::Created(paid, pay_from::CreatedHeaders { location: "/payments/1".into() }))
}

struct Server {
    app: Arc<Work>,
    router: gatewright::Router,
    clock: Arc<FakeClock>,
    issuer: Arc<Issuer>,
}

struct Answer {
    status: u16,
    body: Value,
    location: String,
}

impl Server {
    fn new(issuer: &Arc<Issuer>, store: Option<&RedisServer>) -> Server {
        Server::configured(issuer, |config| match store {
            Some(store) => config.shared_store(store.url()),
            None => config,
        })
    }

    fn configured(issuer: &Arc<Issuer>, also: impl FnOnce(Config) -> Config) -> Server {
        let clock = Arc::new(FakeClock::at(NOW));
        let config = also(Config::new().clock(clock.clone()).jwks("oauth", issuer.jwks()));
        let app = Arc::new(Work { made: AtomicI32::new(0), go: Semaphore::new(0), there: Semaphore::new(0) });
        let router = api::router(Payments(app.clone()), config).unwrap();
        Server { app, router, clock, issuer: issuer.clone() }
    }

    /// Each with the keys of one server, and with shared ones.
    fn both(redis: &RedisServer) -> [Server; 2] {
        let issuer = Arc::new(Issuer::new());
        [Server::new(&issuer, None), Server::new(&issuer, Some(redis))]
    }

    async fn send_as(&self, who: &str, path: &str, key: Option<&str>, amount: i32) -> Answer {
        let token = self.issuer.token(NOW, &json!({ "sub": who }));
        let mut request = Request::post(path)
            .header("host", "localhost")
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let mut request = request.body(axum::body::Body::from(format!("{{\"amount\":{amount}}}"))).unwrap();
        request.extensions_mut().insert(Peer::new(([127, 0, 0, 1], 1).into()).over_tls());
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let location = answer.headers().get("location").map_or("", |v| v.to_str().unwrap()).to_owned();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        Answer { status, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null), location }
    }

    async fn pay(&self, key: &str, amount: i32) -> Answer {
        self.send_as("alice", "/payments", Some(key), amount).await
    }

    fn made(&self) -> i32 {
        self.app.made.load(Ordering::SeqCst)
    }
}

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(future)
}

/// Rows: K1, K3, K4, K6.
#[test]
fn the_first_result_is_given_again_and_nothing_is_done_twice() {
    let redis = RedisServer::start();
    run(async {
        for server in Server::both(&redis) {
            let missing = server.send_as("alice", "/payments", None, 1).await;
            assert_eq!((missing.status, server.made()), (400, 0));
            assert_eq!(server.pay("\"\"", 1).await.status, 400);
            let first = server.pay("k1", 1).await;
            assert_eq!((first.status, &first.body["number"], first.location.as_str()), (201, &json!(1), "/payments/1"));
            for _ in 0..3 {
                let again = server.pay("\"k1\"", 1).await;
                assert_eq!((again.status, &again.body, &again.location), (201, &first.body, &first.location));
            }
            assert_eq!(server.pay("k1", 2).await.status, 422, "another body");
            assert_eq!(server.pay("k2", 1).await.body["number"], 2, "another key");
            assert_eq!(server.send_as("bob", "/payments", Some("k1"), 1).await.body["number"], 3, "another caller");
            let wish = server.send_as("alice", "/wishes", Some("k1"), 1).await;
            assert_eq!(wish.body["number"], 4, "another operation");
            assert_eq!(server.made(), 4);
            // Where a key is not required, a request without one is done each time.
            for _ in 0..2 {
                assert_eq!(server.send_as("alice", "/wishes", None, 1).await.status, 201);
            }
            assert_eq!(server.made(), 6);
        }
    });
}

/// Rows: K7.
#[test]
fn what_broke_may_have_acted_and_is_not_done_again() {
    let redis = RedisServer::start();
    run(async {
        for server in Server::both(&redis) {
            for _ in 0..2 {
                assert_eq!(server.pay("k1", 409).await.status, 409);
            }
            assert_eq!(server.made(), 1, "what was declared is the answer");
            // An error of the handler, a panic: money may have moved before.
            for (n, (key, amount)) in [("k2", 500), ("k3", 666)].into_iter().enumerate() {
                assert_eq!(server.pay(key, amount).await.status, 500);
                for _ in 0..3 {
                    let again = server.pay(key, amount).await;
                    let why = again.body["detail"].as_str().unwrap();
                    assert!(again.status == 409 && why.contains("is not known"), "{why}");
                }
                assert_eq!(server.pay(key, 1).await.status, 422, "another body under it");
                assert_eq!(server.made(), 2 + i32::try_from(n).unwrap());
            }
            assert_eq!(server.pay("k4", 1).await.status, 201, "under another key it is another request");
        }
    });
}

/// A handler that works too long is cancelled with 504, in the midst of what it did.
#[test]
fn what_took_too_long_is_not_done_again() {
    let redis = RedisServer::start();
    run(async {
        for server in Server::both(&redis) {
            let wish = async |key: &str| server.send_as("alice", "/wishes", Some(key), 7).await;
            assert_eq!(wish("k1").await.status, 504);
            // The client hears of it at the same moment as the work is ended.
            let mut again = wish("k1").await;
            while again.body["detail"].as_str().is_some_and(|why| why.contains("being worked on")) {
                tokio::task::yield_now().await;
                again = wish("k1").await;
            }
            assert_eq!((again.status, server.made()), (409, 0), "{}", again.body);
            server.app.go.add_permits(1);
            assert_eq!(wish("k2").await.status, 201);
            assert_eq!(wish("k1").await.status, 409);
        }
    });
}

/// Rows: K5, K9.
#[test]
fn of_requests_at_once_one_is_done() {
    let redis = RedisServer::start();
    run(async {
        let issuer = Arc::new(Issuer::new());
        let pairs = [
            [Arc::new(Server::new(&issuer, None)), Arc::new(Server::new(&issuer, None))],
            [0, 1].map(|_| Arc::new(Server::new(&issuer, Some(&redis)))),
        ];
        for (shared, [first, second]) in pairs.into_iter().enumerate() {
            let other = if shared == 1 { second } else { first.clone() };
            let at_work = tokio::spawn({
                let first = first.clone();
                async move { first.pay("k1", 7).await }
            });
            first.app.there.acquire().await.unwrap().forget();
            for _ in 0..10 {
                assert_eq!(other.pay("k1", 7).await.status, 409);
                assert_eq!(other.pay("k1", 8).await.status, 422);
            }
            first.app.go.add_permits(1);
            assert_eq!(at_work.await.unwrap().status, 201);
            assert_eq!(other.pay("k1", 7).await.body["number"], 1);
            assert_eq!(first.made() + if shared == 1 { other.made() } else { 0 }, 1);
        }
    });
}

/// A client that leaves is the one that sends again: its payment is made once, and it hears of it.
#[test]
fn the_work_goes_on_when_its_client_leaves() {
    let redis = RedisServer::start();
    run(async {
        for server in Server::both(&redis) {
            let server = Arc::new(server);
            let leaves = tokio::spawn({
                let server = server.clone();
                async move { server.pay("k1", 7).await }
            });
            server.app.there.acquire().await.unwrap().forget();
            leaves.abort();
            assert!(leaves.await.is_err());
            assert_eq!(server.pay("k1", 7).await.status, 409);
            server.app.go.add_permits(1);
            let again = loop {
                let again = server.pay("k1", 7).await;
                if again.status != 409 {
                    break again;
                }
                tokio::task::yield_now().await;
            };
            assert_eq!((again.status, &again.body["number"], server.made()), (201, &json!(1), 1));
        }
    });
}

/// Rows: K8.
#[test]
fn after_its_time_a_key_is_new() {
    let redis = RedisServer::start();
    run(async {
        let [alone, shared] = Server::both(&redis);
        assert_eq!(alone.pay("k1", 1).await.body["number"], 1);
        alone.clock.advance(Duration::from_secs(3_599));
        // The token has not so long to live; the clock of tokens stands still.
        alone.clock.set_unix(NOW);
        assert_eq!(alone.pay("k1", 1).await.body["number"], 1);
        alone.clock.advance(Duration::from_secs(2));
        alone.clock.set_unix(NOW);
        assert_eq!(alone.pay("k1", 1).await.body["number"], 2);
        assert_eq!(shared.pay("k1", 1).await.status, 201);
        let keys = redis.ask(&["KEYS", "{gatewright}:i:*"]);
        let key = keys.lines().find(|line| line.starts_with('{')).unwrap();
        let left: u64 = redis.ask(&["TTL", key])[1..].lines().next().unwrap().parse().unwrap();
        assert!((3_590..=3_600).contains(&left), "{left}");
    });
}

/// Rows: K10.
#[test]
fn who_may_no_longer_gets_no_result() {
    let redis = RedisServer::start();
    run(async {
        for server in Server::both(&redis) {
            let paid = server.send_as("alice", "/accounts/alice/payments", Some("k1"), 1).await;
            assert_eq!(paid.status, 201);
            assert_eq!(server.send_as("bob", "/accounts/alice/payments", Some("k1"), 1).await.status, 404);
            assert_eq!(server.send_as("bob", "/accounts/alice/payments", None, 1).await.status, 404, "not 400 either");
            assert_eq!(server.made(), 1);
        }
    });
}

/// Also with `on-outage: local`: a key that cannot be looked up is no leave to pay twice.
#[test]
fn without_its_store_nothing_is_done() {
    let mut redis = RedisServer::start();
    run(async {
        let server = Server::new(&Arc::new(Issuer::new()), Some(&redis));
        assert_eq!(server.pay("k1", 1).await.status, 201);
        redis.kill();
        for _ in 0..5 {
            assert_eq!(server.pay("k1", 1).await.status, 503);
            assert_eq!(server.pay("k2", 1).await.status, 503);
        }
        assert_eq!(server.made(), 1);
        redis.restart();
        while server.pay("k3", 1).await.status == 503 {
            tokio::task::yield_now().await;
        }
        assert_eq!(server.made(), 2);
    });
}

/// A server that died in between: its lease ends, and then nobody knows what it did.
#[test]
fn after_a_crash_in_between_nothing_is_done_again() {
    let redis = RedisServer::start();
    run(async {
        let issuer = Arc::new(Issuer::new());
        let (first, second) = (Server::new(&issuer, Some(&redis)), Server::new(&issuer, Some(&redis)));
        // Of the first, only what it wrote is left.
        assert_eq!(first.pay("k1", 1).await.status, 201);
        let keys = redis.ask(&["KEYS", "{gatewright}:i:*"]);
        let key = keys.lines().find(|line| line.starts_with('{')).unwrap().to_owned();
        assert!(redis.ask(&["HDEL", &key, "r"]).starts_with(":1"));
        let lease = |until: &str| assert!(redis.ask(&["HSET", &key, "t", "dead", "u", until]).starts_with(":2"));
        lease("99999999999999");
        let running = second.pay("k1", 1).await;
        assert!(running.status == 409 && !running.body["detail"].as_str().unwrap().contains("is not known"));
        assert!(redis.ask(&["HDEL", &key, "t", "u"]).starts_with(":2"));
        lease("1000");
        let unknown = second.pay("k1", 1).await;
        assert!(unknown.status == 409 && unknown.body["detail"].as_str().unwrap().contains("is not known"));
        assert_eq!(second.made(), 0);
    });
}

/// Rows: R7.
#[test]
fn one_request_more_than_there_are_places_for_is_shed() {
    run(async {
        let issuer = Arc::new(Issuer::new());
        let server = Arc::new(Server::configured(&issuer, |config| config.requests_at_once(2)));
        let at_work: Vec<_> = (0..2)
            .map(|n| {
                let server = server.clone();
                tokio::spawn(async move { server.pay(&format!("k{n}"), 7).await.status })
            })
            .collect();
        for _ in 0..2 {
            server.app.there.acquire().await.unwrap().forget();
        }
        for _ in 0..10 {
            let shed = server.pay("k9", 1).await;
            assert_eq!(shed.status, 503);
            assert!(shed.body["type"].as_str().unwrap().ends_with("#temporary-reduced-capacity"), "{}", shed.body);
        }
        server.app.go.add_permits(2);
        for work in at_work {
            assert_eq!(work.await.unwrap(), 201);
        }
        assert_eq!(server.pay("k9", 1).await.status, 201);
        assert_eq!(server.made(), 3);
    });
}
