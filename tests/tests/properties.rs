//! Properties that only some callers may see or send, in a generated server: `golden/properties`. A member that may not be
//! sent is refused by name and the handler is not entered; one that may not be seen is not in the answer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod api {
    include!("../golden/properties/expected.rs");
}

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use api::types::Person;
use api::{get_names, get_person, put_person};
use gatewright::json::{Document, FromJson};
use gatewright::{Config, FakeClock, GuardLayer, handler};
use gatewright_tests::issuer::Issuer;
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

const NOW: i64 = 1_790_000_000;

struct App {
    entered: AtomicUsize,
}

fn whole() -> Value {
    json!({
        "name": "ann", "ssn": "078-05-1120", "rank": 3, "notes": "kind",
        "children": [{ "name": "bob", "ssn": "219-09-9999", "notes": "loud" }],
        "accounts": { "a": { "pin": "1234" }, "b": { "iban": "DE00" } },
    })
}

fn person() -> Person {
    Person::decode(Document::parse(whole().to_string().as_bytes()).unwrap().root()).unwrap()
}

#[handler(api::GetPerson)]
async fn get_person(app: &App) -> get_person::Result {
    app.entered.fetch_add(1, Ordering::SeqCst);
    Ok(get_person::Response::Ok(person()))
}

#[handler(api::PutPerson)]
async fn put_person(app: &App) -> put_person::Result {
    app.entered.fetch_add(1, Ordering::SeqCst);
    Ok(put_person::Response::NoContent)
}

#[handler(api::GetNames)]
async fn get_names(app: &App) -> get_names::Result {
    app.entered.fetch_add(1, Ordering::SeqCst);
    Ok(get_names::Response::Ok(vec![person()]))
}

struct Setup {
    app: Arc<App>,
    issuer: Issuer,
}

impl Setup {
    fn new() -> Setup {
        Setup { app: Arc::new(App { entered: AtomicUsize::new(0) }), issuer: Issuer::new() }
    }

    fn config(&self) -> Config {
        Config::new().clock(Arc::new(FakeClock::at(NOW))).jwks("token", self.issuer.jwks())
    }

    fn request(&self, send: &str, claims: Option<&Value>, body: Option<&Value>) -> Request<axum::body::Body> {
        let (method, path) = send.split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(format!("/properties{path}")).header("host", "a");
        if let Some(claims) = claims {
            request = request.header("authorization", format!("Bearer {}", self.issuer.token(NOW, claims)));
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        request.body(body.map_or_else(axum::body::Body::empty, |b| b.to_string().into())).unwrap()
    }

    async fn ask(&self, send: &str, claims: Option<&Value>, body: Option<&Value>) -> (u16, Value, bool) {
        let router = gatewright::router([api::mount(self.app.clone())], self.config()).unwrap();
        let before = self.app.entered.load(Ordering::SeqCst);
        let response = router.oneshot(self.request(send, claims, body)).await.unwrap();
        let (status, answer) = read(response).await;
        (status, answer, self.app.entered.load(Ordering::SeqCst) > before)
    }
}

async fn read(response: http::Response<axum::body::Body>) -> (u16, Value) {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    if let Some(length) = parts.headers.get("content-length") {
        assert_eq!(length.to_str().unwrap(), body.len().to_string());
    }
    (parts.status.as_u16(), serde_json::from_slice(&body).unwrap_or(Value::Null))
}

fn without(paths: &[&str]) -> Value {
    let mut value = whole();
    for path in paths {
        let (parent, name) = path.rsplit_once('/').unwrap();
        value.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
    }
    value
}

/// Rows: A6.
#[tokio::test]
async fn what_a_caller_may_not_see_is_not_there() {
    let setup = Setup::new();
    let hidden = ["/ssn", "/children/0/ssn", "/accounts/a/pin"];
    let notes = ["/notes", "/children/0/notes"];
    let all = [&hidden[..], &notes].concat();
    for (claims, missing) in [
        (json!({ "sub": "a" }), &all[..]),
        (json!({ "sub": "a", "scope": "pii" }), &all),
        (json!({ "sub": "a", "scope": "pii:write" }), &all),
        (json!({ "sub": "a", "roles": ["unknown"] }), &all),
        (json!({ "sub": "a", "scope": "pii:read" }), &notes),
        (json!({ "sub": "a", "roles": ["clerk"] }), &hidden),
        (json!({ "sub": "a", "roles": ["officer"] }), &[]),
        (json!({ "sub": "a", "roles": ["clerk"], "scope": "pii:read" }), &[]),
    ] {
        let (status, answer, _) = setup.ask("GET /people/1", Some(&claims), None).await;
        assert_eq!((status, answer), (200, without(missing)), "{claims}");
    }
    // Nobody is nobody's clerk.
    let (status, answer, _) = setup.ask("GET /names", None, None).await;
    assert_eq!((status, answer), (200, json!([without(&all)])));
    assert_eq!(setup.ask("GET /people/1", None, None).await.0, 401);
}

/// Rows: A6.
#[tokio::test]
async fn what_a_caller_may_not_send_is_refused_by_name() {
    let setup = Setup::new();
    let none = json!({ "sub": "a" });
    let writes = json!({ "sub": "a", "scope": "pii:write" });
    let officer = json!({ "sub": "a", "roles": ["officer"] });
    let plain = json!({ "name": "ann", "ssn": "1" });
    let ranked = json!({ "name": "ann", "ssn": "1", "rank": 3 });
    let nested = json!({ "name": "ann", "ssn": "1", "children": [plain, ranked] });
    let pinned = json!({ "name": "ann", "ssn": "1", "accounts": { "a/b": { "pin": "1" } } });
    for (claims, body, refused) in [
        (&none, &plain, Some("/ssn")),
        (&writes, &plain, None),
        (&writes, &ranked, Some("/rank")),
        (&writes, &nested, Some("/children/1/rank")),
        (&writes, &pinned, Some("/accounts/a~1b/pin")),
        (&officer, &plain, None),
        (&officer, &ranked, None),
        (&officer, &nested, None),
        (&officer, &pinned, None),
    ] {
        let (status, answer, entered) = setup.ask("PUT /people/1", Some(claims), Some(body)).await;
        assert_eq!(entered, refused.is_none(), "{claims} {body}");
        match refused {
            None => assert_eq!(status, 204, "{claims} {body} {answer}"),
            Some(pointer) => {
                assert_eq!(status, 403, "{claims} {body} {answer}");
                let detail = answer["detail"].as_str().unwrap();
                assert_eq!(detail, format!("the caller may not send `{pointer}`"));
            }
        }
    }
}

/// What an untouched axum handler answers is looked through too.
#[tokio::test]
async fn a_handler_behind_a_guard_shows_no_more() {
    use axum::routing::get;
    let setup = Setup::new();
    let partial = api::partial(setup.app.clone()).external::<get_person::Op>();
    let (served, gateway) = gatewright::serve([partial.mount()], setup.config()).unwrap();
    let layer = GuardLayer::<get_person::Op>::new(&gateway).unwrap();
    let json = ("content-type", "application/json");
    let text = || whole().to_string();
    let chunks = || axum::body::Body::new(Chunks(Some(whole().to_string())));
    let plain = ("content-type", "text/plain");
    for (name, response, want) in [
        ("json", ([json], axum::body::Body::from(text())), 200),
        ("json that says it is text", ([plain], text().into()), 200),
        ("text", ([plain], "hello".into()), 200),
        ("no json", ([json], "hello".into()), 500),
        ("a stream", ([json], chunks()), 500),
    ] {
        let response = Arc::new(std::sync::Mutex::new(Some(response)));
        let old = move || async move { response.lock().unwrap().take().unwrap() };
        let router =
            axum::Router::new().route("/properties/people/{id}", get(old).layer(layer.clone())).merge(served.clone());
        let request = setup.request("GET /people/1", Some(&json!({ "sub": "a" })), None);
        let (status, answer) = read(router.oneshot(request).await.unwrap()).await;
        assert_eq!(status, want, "{name}");
        assert!(!answer.to_string().contains("078-05-1120"), "{name}: {answer}");
        if want == 200 && name != "text" {
            assert_eq!(answer["name"], "ann", "{name}");
        }
    }
}

/// A body in one piece, of unknown length.
struct Chunks(Option<String>);

impl axum::body::HttpBody for Chunks {
    type Data = bytes::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
        std::task::Poll::Ready(self.0.take().map(|text| Ok(http_body::Frame::data(text.into()))))
    }
}
