//! `api!` compiles a document where it stands, and what it makes is served like everything else, layers of the application's
//! included.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::middleware::{Next, from_fn};
use gatewright::{Authorized, Config, FakeClock, For, Identity, Owned, Peer, ResolveError, handler, resolver};
use gatewright_tests::issuer::Issuer;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

mod bank {
    gatewright::api!("../specs/examples/bank/v1.yaml", prefix = "/old");
}

use bank::get_account;

const NOW: i64 = 1_790_000_000;

struct Bank;
struct Account(String);

#[resolver(bank::ResolveAccount)]
async fn account(_: &Bank, id: bank::resolve_account::Id, who: &Identity) -> Result<Owned<Account>, ResolveError> {
    Ok(Owned::when(Some(Account(id)), |_| who.subject() == Some("alice")))
}

#[handler(bank::GetAccount)]
async fn get(_: &Bank, account: Authorized<Account>) -> get_account::Result {
    let id = account.into_inner().0;
    Ok(get_account::Response::Ok(bank::types::Account { id, balance: 7, nickname: Default::default() }))
}

fn request(issuer: &Issuer, method: &str, path: &str, subject: Option<&str>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
    if let Some(subject) = subject {
        let claims = json!({ "sub": subject, "scope": "accounts:read transfers:write" });
        request = request.header("authorization", format!("Bearer {}", issuer.token(NOW, &claims)));
    }
    let mut request = request.body(Body::empty()).unwrap();
    request.extensions_mut().insert(Peer::new(([127, 0, 0, 1], 1).into()).over_tls());
    request
}

#[tokio::test]
async fn a_document_is_served_from_the_macro_and_what_is_not_written_yet_is_501_behind_its_guard() {
    let issuer = Issuer::new();
    let config = Config::new().clock(Arc::new(FakeClock::at(NOW))).jwks("oauth", issuer.jwks());
    let router = bank::partial(Arc::new(Bank)).operation::<get_account::Op>().missing_as_501().router(config).unwrap();
    let send = async |method: &str, path: &str, subject: Option<&str>| {
        let answer = router.clone().oneshot(request(&issuer, method, path, subject)).await.unwrap();
        let status = answer.status().as_u16();
        let body: Value = serde_json::from_slice(&answer.into_body().collect().await.unwrap().to_bytes()).unwrap();
        (status, body)
    };
    let (status, body) = send("GET", "/old/accounts/acc_alice1", Some("alice")).await;
    assert_eq!((status, &body["balance"]), (200, &json!(7)), "{body}");
    for (method, path, subject, want) in [
        ("GET", "/old/accounts/acc_alice1", None, 401),
        ("GET", "/old/accounts/acc_alice1", Some("bob"), 404),
        ("POST", "/old/accounts/acc_alice1/transfers", None, 401),
        ("POST", "/old/accounts/acc_alice1/transfers", Some("alice"), 501),
        ("GET", "/v1/accounts/acc_alice1", Some("alice"), 404),
    ] {
        let (status, body) = send(method, path, subject).await;
        assert_eq!((status, &body["status"]), (want, &json!(want)), "{method} {path} {subject:?}: {body}");
    }
}

/// A router with the layers that `with` adds, and a request for alice's account by `subject`.
async fn layered(with: impl FnOnce(Config) -> Config, subject: Option<&str>) -> Response<Body> {
    let issuer = Issuer::new();
    let config = Config::new().clock(Arc::new(FakeClock::at(NOW))).jwks("oauth", issuer.jwks());
    let router = bank::partial(Arc::new(Bank)).operation::<get_account::Op>().router(with(config)).unwrap();
    router.oneshot(request(&issuer, "GET", "/old/accounts/acc_alice1", subject)).await.unwrap()
}

#[tokio::test]
async fn layers_stand_between_the_guards_and_the_handler_in_their_order() {
    let met: Arc<Mutex<Vec<String>>> = Arc::default();
    let note = |name: &'static str| {
        let met = Arc::clone(&met);
        from_fn(move |request: Request<Body>, next: Next| {
            let met = Arc::clone(&met);
            async move {
                let who = request.extensions().get::<Arc<Identity>>().and_then(|who| who.subject().map(str::to_owned));
                met.lock().unwrap().push(format!("{name} {}", who.unwrap_or_default()));
                let mut response = next.run(request).await;
                response.headers_mut().append("x-layer", name.parse().unwrap());
                response
            }
        })
    };
    let with = |config: Config| {
        let config = config.layer(For::all(), note("first")).layer(For::operation::<get_account::Op>(), note("second"));
        let config = config.layer(For::operation::<bank::create_transfer::Op>(), note("of another"));
        config.layer(For::policy(|policy| policy.step_up.is_some()), note("of what asks for more"))
    };
    let answer = layered(with, Some("alice")).await;
    assert_eq!(answer.status(), 200);
    let layers: Vec<_> = answer.headers().get_all("x-layer").iter().map(|v| v.to_str().unwrap()).collect();
    assert_eq!(layers, ["second", "first"], "the first that is added is the outermost");
    assert_eq!(*met.lock().unwrap(), ["first alice", "second alice"]);
    // A guard stands before them.
    assert_eq!(layered(with, None).await.status(), 401);
    assert_eq!(met.lock().unwrap().len(), 2, "entered without a caller");
    // Who the object belongs to is the handler's side's to ask.
    assert_eq!(layered(with, Some("bob")).await.status(), 404);
    assert_eq!(met.lock().unwrap().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn what_a_layer_does_wrong_stays_its_own() {
    // It answers by itself: as every answer, with the fields that all have.
    let own = from_fn(|_: Request<Body>, _: Next| async {
        Response::builder().status(503).body(Body::from("later")).unwrap()
    });
    let answer = layered(|config| config.layer(For::all(), own), Some("alice")).await;
    let plain = layered(|config| config, Some("alice")).await;
    assert_eq!(answer.status(), 503);
    for name in plain.headers().keys().filter(|name| !name.as_str().starts_with("content-")) {
        assert!(answer.headers().contains_key(name), "{name}");
    }
    let panics = from_fn(|request: Request<Body>, _: Next| async move {
        assert!(request.extensions().is_empty(), "a secret");
        Response::new(Body::empty())
    });
    let panics = layered(|config| config.layer(For::all(), panics), Some("alice")).await;
    assert_eq!(panics.status(), 500);
    let body = panics.into_body().collect().await.unwrap().to_bytes();
    assert!(!body.windows(6).any(|w| w == b"secret"), "{body:?}");
    // It never answers, before the handler or behind it: the deadline is the operation's.
    for behind in [false, true] {
        let sleeps = from_fn(move |request: Request<Body>, next: Next| async move {
            let answer = if behind { Some(next.run(request).await) } else { None };
            std::future::pending::<()>().await;
            answer.unwrap_or_default()
        });
        assert_eq!(layered(|config| config.layer(For::all(), sleeps), Some("alice")).await.status(), 504, "{behind}");
    }
    // It enters twice, or with a request that is not the one that came.
    let twice = from_fn(|request: Request<Body>, next: Next| async move {
        let (parts, _) = request.into_parts();
        let first = next.clone().run(Request::from_parts(parts.clone(), Body::empty())).await;
        assert_eq!(first.status(), 200);
        next.run(Request::from_parts(parts, Body::empty())).await
    });
    assert_eq!(layered(|config| config.layer(For::all(), twice), Some("alice")).await.status(), 500);
    let other = from_fn(|_: Request<Body>, next: Next| async move { next.run(Request::new(Body::empty())).await });
    assert_eq!(layered(|config| config.layer(For::all(), other), Some("alice")).await.status(), 500);
}
