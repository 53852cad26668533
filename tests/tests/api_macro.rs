//! `api!` compiles a document where it stands, and what it makes is served like everything else.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;

use gatewright::{Authorized, Config, FakeClock, Identity, Owned, Peer, ResolveError, handler, resolver};
use gatewright_tests::issuer::Issuer;
use http::Request;
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

#[tokio::test]
async fn a_document_is_served_from_the_macro_and_what_is_not_written_yet_is_501_behind_its_guard() {
    let issuer = Issuer::new();
    let config = Config::new().clock(Arc::new(FakeClock::at(NOW))).jwks("oauth", issuer.jwks());
    let router = bank::partial(Arc::new(Bank)).operation::<get_account::Op>().missing_as_501().router(config).unwrap();
    let send = async |method: &str, path: &str, subject: Option<&str>| {
        let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
        if let Some(subject) = subject {
            let claims = json!({ "sub": subject, "scope": "accounts:read transfers:write" });
            request = request.header("authorization", format!("Bearer {}", issuer.token(NOW, &claims)));
        }
        let mut request = request.body(axum::body::Body::empty()).unwrap();
        request.extensions_mut().insert(Peer::new(([127, 0, 0, 1], 1).into()).over_tls());
        let answer = router.clone().oneshot(request).await.unwrap();
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
