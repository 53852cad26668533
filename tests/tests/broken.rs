//! Handlers and bodies that break: each answer is the one error format with the id that the log has, and says nothing of
//! what broke. The whole router, without a connection.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use gatewright::{Config, FakeClock, Identity, Internal, Owned, Peer, ResolveError, Router, handler, resolver};
use gatewright_tests::issuer::Issuer;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

// Included, and no module of its own file, which the formatter would follow.
#[allow(dead_code, unused)]
mod v1 {
    include!("../golden/bank_v1/expected.rs");
}

use v1::{create_transfer, get_account};

const NOW: i64 = 1_790_000_000;
const SECRET: &str = "hunter2";

struct Bank;
struct Account(String);

#[resolver(v1::ResolveAccount)]
async fn account(_: &Bank, id: v1::resolve_account::Id, _: &Identity) -> Result<Owned<Account>, ResolveError> {
    match id.as_str() {
        "acc_store1" => Err(Internal::new(format!("the store at {SECRET} is down")).into()),
        _ => Ok(Owned::Yes(Account(id))),
    }
}

#[handler(v1::GetAccount)]
async fn get(_: &Bank, account: gatewright::Authorized<Account>) -> get_account::Result {
    match account.0.as_str() {
        "acc_panics" => panic!("{SECRET}"),
        "acc_hangs1" => std::future::pending().await,
        _ => Err(Internal::new(SECRET))?,
    }
}

#[handler(v1::CreateTransfer)]
async fn transfer(_: &Bank) -> create_transfer::Result {
    Err(Internal::new(SECRET))?
}

struct Server {
    router: Router,
    issuer: Issuer,
}

fn server() -> Server {
    let issuer = Issuer::new();
    let config = Config::new().clock(Arc::new(FakeClock::at(NOW))).jwks("oauth", issuer.jwks());
    Server { router: v1::router(Bank, config).expect("the bank starts"), issuer }
}

impl Server {
    async fn send(&self, method: &str, path: &str, body: Body) -> Response<Body> {
        let claims = json!({ "sub": "alice", "scope": "accounts:read transfers:write" });
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost")
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {}", self.issuer.token(NOW, &claims)))
            .body(body)
            .unwrap();
        request.extensions_mut().insert(Peer::new(([127, 0, 0, 1], 1).into()).over_tls());
        self.router.clone().oneshot(request).await.unwrap()
    }
}

async fn is_a_problem(answer: Response<Body>, status: u16) {
    assert_eq!(answer.status(), status);
    let headers = answer.headers().clone();
    assert_eq!(headers["content-type"], "application/problem+json");
    assert_eq!(headers["cache-control"], "no-store");
    let text = answer.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8(text.to_vec()).unwrap();
    let problem: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(problem["status"], status, "{text}");
    let id = headers["x-request-id"].to_str().unwrap();
    assert!(id.len() >= 16 && text.contains(id), "{id}: {text}");
    assert!(!text.contains(SECRET) && !text.contains("panic"), "{text}");
}

/// Rows: PD6.
#[tokio::test(start_paused = true)]
async fn what_breaks_in_a_handler_stays_inside() {
    let server = server();
    for (id, status) in [("acc_panics", 500), ("acc_breaks", 500), ("acc_store1", 500), ("acc_hangs1", 504)] {
        let answer = server.send("GET", &format!("/v1/accounts/{id}"), Body::empty()).await;
        is_a_problem(answer, status).await;
    }
    // The next request is served as if nothing had happened.
    is_a_problem(server.send("GET", "/v1/accounts/acc_breaks", Body::empty()).await, 500).await;
}

/// A body that never comes, or breaks off.
struct Broken(Option<std::io::Error>);

impl http_body::Body for Broken {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        self.0.take().map_or(Poll::Pending, |error| Poll::Ready(Some(Err(error))))
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_none_is_refused_in_the_one_format() {
    let server = server();
    let path = "/v1/accounts/acc_alice1/transfers";
    let large = format!("{{\"to\":\"{}\"}}", "x".repeat(100_000));
    let deep = "[".repeat(5_000);
    for (body, status) in [
        (Body::from("{"), 400),
        (Body::from("{\"to\":\"a\",\"to\":\"b\"}"), 400),
        (Body::from(b"\"\xff\"".to_vec()), 400),
        (Body::from("[]"), 400),
        (Body::from(deep), 400),
        (Body::from(large), 413),
        (Body::new(Broken(None)), 408),
        (Body::new(Broken(Some(std::io::Error::other(SECRET)))), 400),
    ] {
        is_a_problem(server.send("POST", path, body).await, status).await;
    }
}

#[tokio::test]
async fn what_nobody_answers_is_a_problem_too() {
    let server = server();
    for (method, path, status) in [
        ("GET", "/v1/nothing", 404),
        ("GET", "/", 404),
        ("PUT", "/v1/accounts/acc_alice1", 405),
        ("GET", "/v1/accounts/%ff", 400),
    ] {
        is_a_problem(server.send(method, path, Body::empty()).await, status).await;
    }
}
