//! Quotas, costs and what runs at once, as callers meet them, counted by one server and by the store that servers share.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]
#![allow(clippy::disallowed_methods, reason = "starts a program, and waits for its end")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gatewright::body::Events;
use gatewright::store::{FileStore, QuotaStore as _};
use gatewright::{Config, FakeClock, Peer, handler};
use gatewright_tests::issuer::Issuer;
use gatewright_tests::redis::RedisServer;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

mod api {
    gatewright::api!("limits/openapi.yaml");
}

use api::{make_report, read_reports, watch_ticks};

/// 2026-09-21T14:13:20Z: of the day are left 35,200 seconds, of the month nine days more.
const NOW: i64 = 1_790_000_000;
const REST_OF_DAY: i64 = 35_200;
const REST_OF_MONTH: i64 = REST_OF_DAY + 9 * 86_400;

struct Reports(Arc<Work>);

struct Work {
    /// A report named `wait` waits here, and says that it does.
    go: Semaphore,
    there: Semaphore,
}

#[handler(api::MakeReport)]
async fn make(app: &Reports, request: make_report::Request) -> make_report::Result {
    match request.body.what.as_str() {
        "wait" => {
            app.0.there.add_permits(1);
            app.0.go.acquire().await.unwrap().forget();
        }
        "panic" => panic!("in the handler"),
        _ => {}
    }
    Ok(make_report::Response::NoContent)
}

#[handler(api::ReadReports)]
async fn read(_: &Reports) -> read_reports::Result {
    Ok(read_reports::Response::NoContent)
}

#[handler(api::WatchTicks)]
async fn watch(_: &Reports) -> watch_ticks::Result {
    let tick = |data: &str| api::types::WatchTicksResponseItem { data: data.to_owned() };
    Ok(watch_ticks::Response::Ok(Events::of([tick("1"), tick("2")])))
}

struct Server {
    work: Arc<Work>,
    router: gatewright::Router,
    clock: Arc<FakeClock>,
    issuer: Arc<Issuer>,
}

struct Answer {
    status: u16,
    /// `RateLimit-Policy` and `RateLimit`.
    policy: String,
    limit: String,
    retry: i64,
    body: Value,
}

impl Server {
    fn new(store: Option<&RedisServer>, variables: &'static [(&str, &str)]) -> Server {
        Server::at(store.map(RedisServer::url), variables)
    }

    fn at(store: Option<String>, variables: &'static [(&str, &str)]) -> Server {
        let (clock, issuer) = (Arc::new(FakeClock::at(NOW)), Arc::new(Issuer::new()));
        let variable = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        Server::configured(store, clock, issuer, Config::new().environment(variable))
    }

    fn configured(store: Option<String>, clock: Arc<FakeClock>, issuer: Arc<Issuer>, config: Config) -> Server {
        let config = config.clock(clock.clone()).jwks("oauth", issuer.jwks());
        let config = match store {
            Some(url) => config.shared_store(url).place_lease(LEASE),
            None => config,
        };
        let work = Arc::new(Work { go: Semaphore::new(0), there: Semaphore::new(0) });
        let router = api::router(Reports(work.clone()), config).unwrap();
        Server { work, router, clock, issuer }
    }

    async fn respond(
        &self,
        who: &Value,
        method: &str,
        path: &str,
        body: &str,
        key: &str,
    ) -> Response<axum::body::Body> {
        let token = self.issuer.token(self.unix(), who);
        let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
        request = request.header("authorization", format!("Bearer {token}"));
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        if !key.is_empty() {
            request = request.header("idempotency-key", key);
        }
        let mut request = request.body(axum::body::Body::from(body.to_owned())).unwrap();
        request.extensions_mut().insert(Peer::new(([192, 0, 2, 1], 1).into()).over_tls());
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Waits until a request is in its handler.
    async fn arrived(&self) {
        let arrival = tokio::time::timeout(Duration::from_secs(60), self.work.there.acquire()).await;
        arrival.expect("a request does not come to its handler").unwrap().forget();
    }

    fn unix(&self) -> i64 {
        gatewright::Clock::unix(&*self.clock)
    }

    async fn send(&self, who: &Value, method: &str, path: &str, body: &str) -> Answer {
        answer(self.respond(who, method, path, body, "").await).await
    }

    async fn make(&self, who: &str, what: &str) -> Answer {
        self.send(&json!({ "sub": who }), "POST", "/reports", &json!({ "what": what }).to_string()).await
    }

    async fn read(&self, who: &str) -> Answer {
        self.send(&json!({ "sub": who }), "GET", "/reports", "").await
    }
}

async fn answer(response: Response<axum::body::Body>) -> Answer {
    let (head, body) = response.into_parts();
    let header = |name: &str| head.headers.get(name).map_or("", |v| v.to_str().unwrap()).to_owned();
    let (status, policy, limit) = (head.status.as_u16(), header("ratelimit-policy"), header("ratelimit"));
    let retry = header("retry-after").parse().unwrap_or(0);
    let bytes = body.collect().await.unwrap().to_bytes();
    Answer { status, policy, limit, retry, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
}

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(future)
}

/// Until nothing of an ended request is left.
async fn until_free(server: &Server, who: &str) {
    for _ in 0..5_000 {
        if server.read(who).await.status == 204 {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("a place was not given back");
}

#[test]
fn an_operation_takes_its_cost_of_what_several_share() {
    let redis = RedisServer::start();
    run(async {
        for store in [None, Some(&redis)] {
            let server = Server::new(store, &[]);
            let first = server.make("ann", "x").await;
            assert_eq!(first.status, 204, "{}", first.body);
            assert!(first.policy.contains("\"ip-0\";q=100;w=60"), "{}", first.policy);
            assert!(first.policy.contains("\"user-quota-0\";q=10;w=86400"), "{}", first.policy);
            assert!(first.policy.contains("\"user-concurrent-1\";q=2;qu=\"concurrent-requests\""), "{}", first.policy);
            assert!(first.limit.contains("\"ip-0\";r=97;"), "{}", first.limit);
            assert!(first.limit.contains("\"user-quota-0\";r=7;"), "{}", first.limit);
            assert!(first.limit.contains("\"user-concurrent-1\";r=1"), "{}", first.limit);
            assert!(server.read("ann").await.limit.contains("\"user-quota-0\";r=6;"), "another operation, and cheaper");
            assert_eq!(server.make("ann", "x").await.status, 204);
            assert!(server.make("ann", "x").await.limit.contains("\"user-quota-0\";r=0;"));
            let over = server.make("ann", "x").await;
            assert_eq!((over.status, &over.body["violated-policies"]), (429, &json!(["user-quota-0"])));
            assert_eq!(server.read("ann").await.status, 429);
            assert_eq!(server.read("bob").await.status, 204, "nothing about others");
        }
    });
}

/// A request that costs more than is left is refused, and takes nothing; a cheaper one passes.
#[test]
fn what_is_left_is_for_whoever_takes_less() {
    let redis = RedisServer::start();
    run(async {
        for store in [None, Some(&redis)] {
            let server = Server::new(store, &[]);
            for _ in 0..8 {
                assert_eq!(server.read("ann").await.status, 204);
            }
            for _ in 0..3 {
                let over = server.make("ann", "x").await;
                assert!(over.status == 429 && over.limit.contains("\"user-quota-0\";r=2;"), "{}", over.limit);
            }
            assert_eq!(server.read("ann").await.status, 204);
            assert_eq!(server.read("ann").await.status, 204);
            assert_eq!(server.read("ann").await.status, 429);
        }
    });
}

#[test]
fn a_day_and_a_month_end_where_the_calendar_says() {
    run(async {
        let server = Server::new(None, &[("AUDITORS", "4/month")]);
        let auditor = json!({ "sub": "eve", "roles": ["auditor"] });
        let audit = async || server.send(&auditor, "GET", "/reports", "").await;
        for n in 0..10 {
            assert_eq!(server.read("ann").await.status, 204, "{n}");
        }
        for n in 0..4 {
            let answer = audit().await;
            assert!(answer.policy.contains("\"user-quota-0\";q=4;w=2592000"), "{n}: {}", answer.policy);
            assert_eq!(answer.status, 204);
        }
        assert_eq!(server.read("ann").await.retry, REST_OF_DAY);
        let over = audit().await;
        assert_eq!((over.status, over.retry), (429, REST_OF_MONTH));
        let advance = |seconds: i64| server.clock.advance(Duration::from_secs(u64::try_from(seconds).unwrap()));
        advance(REST_OF_DAY - 1);
        let last = server.read("ann").await;
        assert_eq!((last.status, last.retry), (429, 1));
        advance(1);
        assert!(server.read("ann").await.limit.contains("\"user-quota-0\";r=9;t=86400"), "a new day");
        assert_eq!(audit().await.status, 429, "and the same month");
        advance(9 * 86_400);
        assert!(audit().await.policy.contains("\"user-quota-0\";q=4;w=2678400"), "October is longer");
    });
}

/// The store's own time counts; a server whose clock is wrong by years shares its day all the same.
#[test]
fn servers_share_a_quota_by_the_time_of_their_store() {
    let redis = RedisServer::start();
    run(async {
        let servers = [0, 1].map(|_| Server::new(Some(&redis), &[]));
        servers[1].clock.advance(Duration::from_secs(400 * 86_400));
        for n in 0..10 {
            let answer = servers[n % 2].read("ann").await;
            assert_eq!(answer.status, 204, "{n} {}", answer.body);
            let left: i64 = answer.limit.split("r=").nth(2).unwrap().split(';').next().unwrap().parse().unwrap();
            assert_eq!(left, 9 - i64::try_from(n).unwrap(), "{}", answer.limit);
        }
        for server in &servers {
            let over = server.read("ann").await;
            assert_eq!((over.status, &over.body["violated-policies"]), (429, &json!(["user-quota-0"])));
            assert!(over.retry <= 86_400);
        }
        // A store that lost everything hears of it from whoever knows.
        assert!(redis.ask(&["FLUSHALL"]).starts_with("+OK"));
        assert_eq!(servers[0].read("ann").await.status, 429);
    });
}

/// A server that is started again has given what it gave: nobody gets a day or a month twice. It is not told to stop, so
/// what it wrote beside the requests is all there is.
#[test]
fn quotas_outlive_the_server_that_counts_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let (clock, issuer) = (Arc::new(FakeClock::at(NOW)), Arc::new(Issuer::new()));
    let started = || {
        let store = Arc::new(FileStore::open(&path).unwrap());
        let config = Config::new().quotas(store.clone());
        (Server::configured(None, clock.clone(), issuer.clone(), config), store)
    };
    let auditor = json!({ "sub": "eve", "roles": ["auditor"] });
    let kept = async |store: &FileStore, wanted: &[u32]| {
        let began = Instant::now();
        loop {
            let mut used: Vec<u32> = store.quotas().await.unwrap().iter().map(|record| record.used).collect();
            used.sort_unstable();
            if used == wanted {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{used:?}");
            tokio::task::yield_now().await;
        }
    };
    run(async {
        let (server, store) = started();
        for _ in 0..9 {
            assert_eq!(server.read("ann").await.status, 204);
        }
        assert_eq!(server.send(&auditor, "GET", "/reports", "").await.status, 204);
        kept(&store, &[1, 9]).await;
    });
    run(async {
        let (server, store) = started();
        assert_eq!(server.read("ann").await.status, 204, "the tenth");
        let over = server.read("ann").await;
        assert_eq!((over.status, &over.body["violated-policies"]), (429, &json!(["user-quota-0"])));
        assert_eq!(server.read("bob").await.status, 204, "another's are his own");
        let left = server.send(&auditor, "GET", "/reports", "").await;
        assert!(left.limit.contains("r=98;"), "{}", left.limit);
        kept(&store, &[1, 2, 10]).await;
    });
    // The day has ended, the month has not.
    clock.advance(Duration::from_secs(REST_OF_DAY.unsigned_abs()));
    run(async {
        let (server, store) = started();
        let first = server.read("ann").await;
        assert!(first.status == 204 && first.limit.contains("r=9;"), "{}", first.limit);
        let left = server.send(&auditor, "GET", "/reports", "").await;
        assert!(left.limit.contains("r=97;"), "{}", left.limit);
        // Those of the day that ended are forgotten.
        kept(&store, &[1, 3]).await;
    });
}

const LEASE: Duration = Duration::from_secs(1);

/// Asks until it is answered so, for at most so long; how long it took.
async fn until(server: &Server, who: &str, status: u16, most: Duration) -> Duration {
    let began = Instant::now();
    loop {
        let met = server.read(who).await.status;
        if met == status {
            return began.elapsed();
        }
        assert!(began.elapsed() < most, "{who} still meets {met}");
        tokio::task::yield_now().await;
    }
}

/// What runs is counted at all servers of a store, as long as it runs, and no longer.
#[test]
fn no_more_run_at_once_than_may_at_all_servers() {
    let redis = RedisServer::start();
    run(async {
        let servers = [0, 1].map(|_| Arc::new(Server::new(Some(&redis), &[("REPORTS", "1000/s")])));
        let wait = |n: usize, who: &'static str| {
            let server = servers[n].clone();
            tokio::spawn(async move { server.make(who, "wait").await.status })
        };
        let both = [wait(0, "ann"), wait(1, "ann")];
        for server in &servers {
            server.arrived().await;
        }
        for server in &servers {
            let over = server.read("ann").await;
            let why = &over.body["violated-policies"];
            assert_eq!((over.status, over.retry, why), (429, 1, &json!(["user-concurrent-1"])));
            assert!(over.limit.contains("\"user-concurrent-1\";r=0"), "{}", over.limit);
            assert_eq!(server.read("bob").await.status, 204);
        }
        // An end at one server is a place at the other.
        servers[1].work.go.add_permits(1);
        let [first, second] = both;
        assert_eq!(second.await.unwrap(), 204);
        until(&servers[0], "ann", 204, LEASE / 2).await;
        servers[0].work.go.add_permits(1);
        assert_eq!(first.await.unwrap(), 204);
        // A client that leaves.
        let leaves = [wait(0, "cid"), wait(0, "cid")];
        for _ in 0..2 {
            servers[0].arrived().await;
        }
        assert_eq!(servers[1].read("cid").await.status, 429);
        leaves.iter().for_each(|one| one.abort());
        until(&servers[1], "cid", 204, LEASE / 2).await;
    });
}

/// Streams last longer than leases: they are prolonged, and a store that forgot them hears of them again.
#[test]
fn what_lasts_longer_than_a_lease_keeps_its_place_at_all_servers() {
    let redis = RedisServer::start();
    run(async {
        let servers = [0, 1].map(|_| Server::new(Some(&redis), &[]));
        let ann = json!({ "sub": "ann" });
        let watch = async |n: usize| servers[n].respond(&ann, "GET", "/ticks", "", "").await;
        let first = watch(0).await;
        assert_eq!(first.status(), 200);
        let began = Instant::now();
        while began.elapsed() < LEASE * 3 {
            assert_eq!(watch(1).await.status(), 429, "{:?}", began.elapsed());
            tokio::task::yield_now().await;
        }
        assert!(redis.ask(&["FLUSHALL"]).starts_with("+OK"));
        let began = Instant::now();
        while !redis.ask(&["KEYS", "*:c:*"]).contains(":c:") {
            assert!(began.elapsed() < LEASE * 10, "it is not heard of again");
            tokio::task::yield_now().await;
        }
        assert_eq!(watch(1).await.status(), 429);
        drop(first);
        let began = Instant::now();
        while watch(1).await.status() == 429 {
            assert!(began.elapsed() < LEASE / 2, "it was not given back");
            tokio::task::yield_now().await;
        }
    });
}

/// The store in which a process of this test holds two places of Ann's; without it, there is nothing to do.
const HOLDS: &str = "GATEWRIGHT_TEST_HOLDS";

/// Not a test by itself: the process of the next one begins here.
#[test]
fn holder() {
    let Ok(url) = std::env::var(HOLDS) else { return };
    run(async {
        let server = Arc::new(Server::at(Some(url), &[]));
        for _ in 0..2 {
            let server = server.clone();
            tokio::spawn(async move { server.make("ann", "wait").await });
        }
        for _ in 0..2 {
            server.arrived().await;
        }
        println!("\nheld");
        // It ends with its parent, however that ends.
        let _ = tokio::task::spawn_blocking(|| std::io::stdin().read(&mut [0])).await;
        std::process::exit(0);
    });
}

/// A server that is killed gives nothing back; what it held ends by itself, and not before.
#[test]
fn a_server_that_died_keeps_no_places() {
    let redis = RedisServer::start();
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "holder", "--nocapture"])
        .env(HOLDS, redis.url())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line == "held"));
    run(async {
        let server = Server::new(Some(&redis), &[]);
        assert_eq!(server.read("ann").await.status, 429);
        process.kill().unwrap();
        process.wait().unwrap();
        assert_eq!(server.read("ann").await.status, 429, "nobody gave them back");
        until(&server, "ann", 204, LEASE * 10).await;
    });
}

/// A process that ends with places held ends as any other: whoever prolongs them ends with the runtime.
#[test]
fn a_runtime_may_end_while_places_are_held() {
    let redis = RedisServer::start();
    let mut held = None;
    run(async {
        let server = Server::new(Some(&redis), &[]);
        let watching = server.respond(&json!({ "sub": "ann" }), "GET", "/ticks", "", "").await;
        assert_eq!(watching.status(), 200);
        held = Some((server, watching));
    });
    drop(held);
}

/// The place of one that died is free at its end, also where others keep the caller's places from being forgotten.
#[test]
fn a_place_that_ended_is_free_while_others_are_held() {
    let redis = RedisServer::start();
    run(async {
        let server = Arc::new(Server::new(Some(&redis), &[]));
        let held = tokio::spawn({
            let server = server.clone();
            async move { server.make("ann", "wait").await.status }
        });
        server.arrived().await;
        let keys = redis.ask(&["KEYS", "*:c:*"]);
        let key = keys.lines().find(|line| line.contains(":c:")).unwrap().trim();
        assert!(redis.ask(&["ZADD", key, "1", "of one that died"]).starts_with(":1"));
        assert_eq!(server.read("ann").await.status, 204);
        server.work.go.add_permits(1);
        assert_eq!(held.await.unwrap(), 204);
    });
}

#[test]
fn no_more_run_at_once_than_may_and_every_way_out_gives_the_place_back() {
    run(async {
        let server = Arc::new(Server::new(None, &[("REPORTS", "1000/s")]));
        let wait = |who: &'static str| {
            let server = server.clone();
            tokio::spawn(async move { server.make(who, "wait").await.status })
        };
        let both = [wait("ann"), wait("ann")];
        for _ in 0..2 {
            server.arrived().await;
        }
        let over = server.read("ann").await;
        assert_eq!((over.status, over.retry, &over.body["violated-policies"]), (429, 1, &json!(["user-concurrent-1"])));
        assert!(over.limit.contains("\"user-concurrent-1\";r=0"), "{}", over.limit);
        assert!(over.body.to_string().find("ann").is_none(), "{}", over.body);
        assert_eq!(server.read("bob").await.status, 204);
        server.work.go.add_permits(2);
        for one in both {
            assert_eq!(one.await.unwrap(), 204);
        }
        // Of the day are left four: the refused one took nothing.
        assert!(server.read("ann").await.limit.contains("\"user-quota-0\";r=3;"));

        // A client that leaves, a panic, and a deadline.
        let leaves = [wait("cid"), wait("cid")];
        for _ in 0..2 {
            server.arrived().await;
        }
        assert_eq!(server.read("cid").await.status, 429);
        leaves.iter().for_each(|one| one.abort());
        until_free(&server, "cid").await;
        for _ in 0..3 {
            assert_eq!(server.make("dan", "panic").await.status, 500);
        }
        assert_eq!(server.read("dan").await.status, 204);
        let slow = [wait("eva"), wait("eva")];
        for one in slow {
            assert_eq!(one.await.unwrap(), 504);
        }
        until_free(&server, "eva").await;
    });
}

/// Work under an idempotency key goes on when its client leaves, and runs as long.
#[test]
fn work_that_goes_on_without_its_client_keeps_its_place() {
    run(async {
        let server = Arc::new(Server::new(None, &[("AT_ONCE", "1")]));
        let leaves = tokio::spawn({
            let server = server.clone();
            let body = json!({ "what": "wait" }).to_string();
            async move { server.respond(&json!({ "sub": "ann" }), "POST", "/reports", &body, "k1").await.status() }
        });
        server.arrived().await;
        leaves.abort();
        assert!(leaves.await.is_err());
        for _ in 0..20 {
            assert_eq!(server.read("ann").await.status, 429);
            tokio::task::yield_now().await;
        }
        server.work.go.add_permits(1);
        until_free(&server, "ann").await;
    });
}

#[test]
fn a_stream_runs_until_it_is_read_or_left() {
    run(async {
        let server = Server::new(None, &[]);
        let watch = async |who: &Value| server.respond(who, "GET", "/ticks", "", "").await;
        let ann = json!({ "sub": "ann" });
        let first = watch(&ann).await;
        assert_eq!(first.status(), 200);
        assert_eq!(watch(&ann).await.status(), 429);
        let read = first.into_body().collect().await.unwrap().to_bytes();
        assert!(!read.is_empty());
        let second = watch(&ann).await;
        assert_eq!(second.status(), 200);
        assert_eq!(watch(&ann).await.status(), 429);
        drop(second);
        assert_eq!(watch(&ann).await.status(), 200);
        // By role.
        let eve = json!({ "sub": "eve", "roles": ["auditor"] });
        let three = [watch(&eve).await, watch(&eve).await, watch(&eve).await];
        assert!(three.iter().all(|one| one.status() == 200));
        assert_eq!(watch(&eve).await.status(), 429);
    });
}

#[test]
fn a_limit_that_holds_less_than_a_request_takes_does_not_start() {
    for (variable, value, what) in [
        ("REPORTS", "2/min", "takes 3 of the limit `ip-0`, which holds 2"),
        ("AUDITORS", "2/day", "takes 3 of the limit `user-quota-0`, which holds 2"),
        ("AUDITORS", "60/min", "a quota is written `1000/day`"),
        ("AT_ONCE", "0", "a whole number from 1"),
    ] {
        let config = Config::new().jwks("oauth", Issuer::new().jwks());
        let config = config.environment(move |name: &str| (name == variable).then(|| value.to_owned()));
        let work = Arc::new(Work { go: Semaphore::new(0), there: Semaphore::new(0) });
        let error = api::router(Reports(work), config).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    }
}
