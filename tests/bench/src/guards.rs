//! What a guard costs: a small JSON body given back, in process, by the handler of plain axum, by a handler that does by hand
//! what a generated one does, and by generated operations behind guards of several kinds. What making the request costs is
//! taken off all sides.

use std::error::Error;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::routing::post;
use axum::{Json, Router};
use gatewright::store::{FileStore, Keys, MemoryStore, Order, Pepper, at_once};
use gatewright::{Config, HeaderName, HeaderValue, Peer, StatusCode, handler};
use gatewright_example_bank::ledger::Ledger;
use gatewright_tests::issuer::{ISSUER, Issuer};
use serde_json::json;
use tower_service::Service;

use crate::byhand::Note;
use crate::shop::echoes::{EchoKey, EchoOpen, EchoSlow, EchoToken, echo_key, echo_open, echo_slow, echo_token};
use crate::timing::{Contender, Timed, compare};

pub(crate) const BODY: &str = r#"{"from":"acc_alice1","to":"acc_bob001","text":"rent for November, a little late","urgent":false,"amount":95000}"#;

pub(crate) struct Shop;

#[handler(EchoOpen)]
async fn echo_open(_: &Shop, req: echo_open::Request) -> echo_open::Result {
    Ok(echo_open::Response::Ok(req.body))
}

#[handler(EchoToken)]
async fn echo_token(_: &Shop, req: echo_token::Request) -> echo_token::Result {
    Ok(echo_token::Response::Ok(req.body))
}

#[handler(EchoKey)]
async fn echo_key(_: &Shop, req: echo_key::Request) -> echo_key::Result {
    Ok(echo_key::Response::Ok(req.body))
}

#[handler(EchoSlow)]
async fn echo_slow(_: &Shop, req: echo_slow::Request) -> echo_slow::Result {
    Ok(echo_slow::Response::Ok(req.body))
}

fn plain() -> Router {
    Router::new().route("/plain", post(async |Json(note): Json<Note>| Json(note))).route(
        "/bytes",
        post(async |bytes: Bytes| match serde_json::from_slice::<Note>(&bytes) {
            Ok(note) => Ok(Json(note)),
            Err(_) => Err(StatusCode::BAD_REQUEST),
        }),
    )
}

/// A request that can be sent again and again.
struct Sent {
    head: axum::http::Request<()>,
    status: u16,
}

impl Sent {
    fn new(path: &'static str, credential: Option<(&'static str, &str)>, status: u16) -> Result<Sent, Box<dyn Error>> {
        let mut request = axum::http::Request::builder()
            .method("POST")
            .uri(path)
            .header("host", "localhost")
            .header("user-agent", "bench/1.0")
            .header("accept", "*/*")
            .header("content-type", "application/json")
            .header("content-length", BODY.len());
        if let Some((name, value)) = credential {
            request = request.header(HeaderName::from_static(name), HeaderValue::from_str(value)?);
        }
        let mut head = request.body(())?;
        let address = SocketAddr::from(([127, 0, 0, 1], 4711));
        head.extensions_mut().insert(Peer::new(address).over_tls());
        head.extensions_mut().insert(ConnectInfo(address));
        Ok(Sent { head, status })
    }

    fn request(&self) -> axum::http::Request<Body> {
        self.head.clone().map(|()| Body::from(Bytes::from_static(BODY.as_bytes())))
    }
}

/// Everything is there at once, so one poll gives the answer.
fn answer(router: &mut Router, sent: &Sent) -> Option<StatusCode> {
    let call = pin!(router.call(sent.request()));
    match call.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(response)) => Some(response.status()),
        Poll::Pending => None,
    }
}

/// Prints the figures.
///
/// # Errors
/// A request is answered otherwise than it should be.
pub(crate) fn measure() -> Result<(), Box<dyn Error>> {
    let now = i64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs())?;
    let issuer = Issuer::new();
    let bearer = |scope: &str, role: &str| {
        let claims = json!({ "sub": "alice", "scope": scope, "roles": [role], "tenant": "acme" });
        format!("Bearer {}", issuer.token(now, &claims))
    };
    let store = Arc::new(MemoryStore::default());
    let pepper = Pepper::new(vec![9; 32])?;
    let order = Order { prefix: "shop".into(), level: Some("basic".into()), ..Order::default() };
    let keys = Keys::new(store.clone(), pepper.clone());
    let key = at_once(keys.issue(order, now)).ok_or("a store in memory waits for nobody")??.text;
    let config = Config::new().api_keys(store, pepper.clone()).jwks("oauth", issuer.jwks());
    // The same key in a file, as most servers have theirs.
    let path = std::env::temp_dir().join(format!("gatewright-bench-{}.keys", std::process::id()));
    let file = Arc::new(FileStore::open(&path)?);
    std::fs::remove_file(&path)?;
    let order = Order { prefix: "shop".into(), level: Some("basic".into()), ..Order::default() };
    let kept =
        at_once(Keys::new(file.clone(), pepper.clone()).issue(order, now)).ok_or("a file waits for nobody")??.text;
    let of_file = crate::shop::partial(Arc::new(Shop))
        .operation::<echo_key::Op>()
        .router(Config::new().api_keys(file, pepper).jwks("oauth", issuer.jwks()))?;
    let generated = crate::shop::partial(Arc::new(Shop))
        .operation::<echo_open::Op>()
        .operation::<echo_token::Op>()
        .operation::<echo_key::Op>()
        .operation::<echo_slow::Op>()
        .router(config)?;

    let keys: jsonwebtoken::jwk::JwkSet = serde_json::from_str(issuer.jwks())?;
    let decoding = jsonwebtoken::DecodingKey::from_jwk(keys.keys.first().ok_or("a key")?)?;
    let by_hand = crate::byhand::router(Ledger::with_examples(), decoding, ISSUER, "bank-api");

    let good = bearer("echo:write", "clerk");
    let rows = [
        ("plain axum, `Json` extractor", plain(), Sent::new("/plain", None, 200)?),
        ("plain axum, bytes and `from_slice`", plain(), Sent::new("/bytes", None, 200)?),
        ("by hand: public", by_hand.clone(), Sent::new("/open", None, 200)?),
        ("by hand: token, cached", by_hand, Sent::new("/token", Some(("authorization", &good)), 200)?),
        ("public", generated.clone(), Sent::new("/open", None, 200)?),
        ("token, cached", generated.clone(), Sent::new("/token", Some(("authorization", &good)), 200)?),
        ("API key, in a file", of_file, Sent::new("/key", Some(("x-api-key", &kept)), 200)?),
        ("API key", generated.clone(), Sent::new("/key", Some(("x-api-key", &key)), 200)?),
        ("refused: no credential, 401", generated.clone(), Sent::new("/token", None, 401)?),
        (
            "refused: scope, 403",
            generated.clone(),
            Sent::new("/token", Some(("authorization", &bearer("other", "none"))), 403)?,
        ),
        ("refused: no route, 404", generated.clone(), Sent::new("/nothing", None, 404)?),
        ("refused: rate, 429", generated, Sent::new("/slow", Some(("authorization", &good)), 429)?),
    ];
    // Time-outs look for a clock, although no request waits.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let _entered = runtime.enter();
    let mut contenders = Vec::new();
    for (name, mut router, sent) in rows {
        answer(&mut router, &sent);
        match answer(&mut router, &sent) {
            Some(status) if status == sent.status => {}
            other => return Err(format!("{name}: {other:?}, not {}", sent.status).into()),
        }
        contenders.push(Contender::new(name, move || answer(&mut router, &sent)));
    }
    let made = Sent::new("/plain", None, 200)?;
    contenders.push(Contender::new("making a request", move || made.request()));
    println!("a body of {} bytes given back, in process; ratios with making the request", BODY.len());
    let found = compare(contenders);
    if let ([plain, ..], Some(made)) = (found.as_slice(), found.last()) {
        println!("without making the request; ratios to plain axum, from the least times");
        for Timed { name, least, .. } in found.iter().take(found.len() - 1) {
            let (time, base) = (least - made.least, plain.least - made.least);
            println!("  {name:<44} {time:>8.0} ns {:>7.2}", time / base);
        }
    }
    Ok(())
}
