//! Requests to a generated server: whatever is sent is answered, and never with 500.
//!
//! The input is a request in lines: `METHOD target`, headers, an empty line, the body.
#![no_main]

use std::sync::OnceLock;

use axum::body::Body;
use gatewright::{App, Config, Peer, Router, handler};
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use http_body_util::BodyExt as _;
use libfuzzer_sys::fuzz_target;
use tower::ServiceExt as _;

#[allow(missing_docs)]
mod api {
    gatewright::include_api!("api");
}

use api::{make_thing, read_thing, replace_thing, send_form, send_lines};

/// Nothing to share.
#[derive(Clone, App)]
struct Things {}

#[handler(api::ReadThing)]
async fn read(_app: &Things, _request: read_thing::Request) -> read_thing::Result {
    Ok(read_thing::Response::NoContent)
}

#[handler(api::MakeThing)]
async fn make(_app: &Things, _request: make_thing::Request) -> make_thing::Result {
    Ok(make_thing::Response::NoContent)
}

#[handler(api::ReplaceThing)]
async fn replace(_app: &Things, _request: replace_thing::Request) -> replace_thing::Result {
    Ok(replace_thing::Response::NoContent)
}

#[handler(api::SendForm)]
async fn form(_app: &Things, _request: send_form::Request) -> send_form::Result {
    Ok(send_form::Response::NoContent)
}

#[handler(api::SendLines)]
async fn lines(_app: &Things, mut request: send_lines::Request) -> send_lines::Result {
    while request.body.next().await?.is_some() {}
    Ok(send_lines::Response::NoContent)
}

fn router() -> &'static Router {
    static ROUTER: OnceLock<Router> = OnceLock::new();
    ROUTER.get_or_init(|| {
        api::router(Things {}, Config::new()).expect("no setting is missing")
    })
}

fn request(input: &[u8]) -> Option<Request<Body>> {
    let (head, body) = match input.windows(2).position(|pair| pair == b"\n\n") {
        Some(at) => (&input[..at], &input[at + 2..]),
        None => (input, &[][..]),
    };
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = lines.next()?;
    let at = first.iter().position(|byte| *byte == b' ')?;
    let method = Method::from_bytes(&first[..at]).ok()?;
    let target = Uri::try_from(&first[at + 1..]).ok()?;
    let mut request = Request::builder().method(method).uri(target);
    for line in lines {
        let at = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&line[..at]).ok()?;
        request = request.header(name, HeaderValue::from_bytes(line[at + 1..].trim_ascii()).ok()?);
    }
    let mut request = request.body(Body::from(body.to_vec())).ok()?;
    request.extensions_mut().insert(Peer::new(([127, 0, 0, 1], 4_711).into()).over_tls());
    Some(request)
}

fuzz_target!(|input: &[u8]| {
    let Some(request) = request(input) else { return };
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime of one thread")
    });
    runtime.block_on(async {
        let response = router().clone().oneshot(request).await.expect("a router answers");
        assert_ne!(response.status().as_u16(), 500, "what a caller sends is never our fault");
        let _ = response.into_body().collect().await;
    });
});
