//! Properties that only some callers may see or send, in a generated server: `golden/properties`. A member that may not be
//! sent is refused by name and the handler is not entered; one that may not be seen is not in the answer. At the end a naive
//! reading of the document answers the same random requests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod api {
    include!("../golden/properties/expected.rs");
}

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use api::types::{ListNotesAs, Note, Person, WatchNotesResponseItem};
use api::{
    find_people, get_names, get_note, get_person, import_notes, keep_note, list_notes, post_person, put_person,
    watch_notes,
};
use gatewright::body::{Event, Events, Lines};
use gatewright::json::{Document, FromJson};
use gatewright::{Config, FakeClock, GuardLayer, handler};
use gatewright_tests::issuer::Issuer;
use gatewright_tests::properties::{Names, Reading};
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

const NOW: i64 = 1_790_000_000;

struct App {
    entered: AtomicUsize,
    /// What `getPerson` answers.
    person: std::sync::Mutex<Value>,
}

fn whole() -> Value {
    json!({
        "name": "ann", "ssn": "078-05-1120", "rank": 3, "notes": "kind",
        "children": [{ "name": "bob", "ssn": "219-09-9999", "notes": "loud" }],
        "accounts": { "a": { "pin": "1234" }, "b": { "iban": "DE00" } },
    })
}

fn person(value: &Value) -> Person {
    Person::decode(Document::parse(value.to_string().as_bytes()).unwrap().root()).unwrap()
}

#[handler(api::GetPerson)]
async fn get_person(app: &App) -> get_person::Result {
    app.entered.fetch_add(1, Ordering::SeqCst);
    Ok(get_person::Response::Ok(person(&app.person.lock().unwrap())))
}

#[handler(api::PutPerson)]
async fn put_person(app: &App) -> put_person::Result {
    app.entered.fetch_add(1, Ordering::SeqCst);
    Ok(put_person::Response::NoContent)
}

#[handler(api::GetNames)]
async fn get_names(app: &App) -> get_names::Result {
    app.entered.fetch_add(1, Ordering::SeqCst);
    Ok(get_names::Response::Ok(vec![person(&whole())]))
}

#[handler(api::FindPeople)]
async fn find_people(app: &App, _: find_people::Request) -> find_people::Result {
    app.entered.fetch_add(1, Ordering::SeqCst);
    Ok(find_people::Response::NoContent)
}

#[handler(api::PostPerson)]
async fn post_person(app: &App, _: post_person::Request) -> post_person::Result {
    app.entered.fetch_add(1, Ordering::SeqCst);
    Ok(post_person::Response::NoContent)
}

fn note() -> Note {
    Note { text: "a".to_owned(), mark: None, by: Some("ann".to_owned()) }
}

#[handler(api::GetNote)]
async fn get_note(_: &App) -> get_note::Result {
    Ok(get_note::Response::Ok(note()))
}

#[handler(api::KeepNote)]
async fn keep_note(app: &App) -> keep_note::Result {
    app.entered.fetch_add(1, Ordering::SeqCst);
    Ok(keep_note::Response::Ok(note()))
}

#[handler(api::ListNotes)]
async fn list_notes(_: &App, request: list_notes::Request) -> list_notes::Result {
    let notes = [note(), note()];
    Ok(match request.as_ {
        ListNotesAs::Lines => list_notes::Response::OkJsonl(Lines::of(notes)),
        ListNotesAs::Sequence => list_notes::Response::OkJsonSeq(Lines::of(notes)),
        _ => list_notes::Response::OkEventStream(Events::of(notes.map(|note| Event::new(note).id("7")))),
    })
}

#[handler(api::WatchNotes)]
async fn watch_notes(_: &App) -> watch_notes::Result {
    let event = WatchNotesResponseItem { data: note(), id: Some("7".to_owned()) };
    Ok(watch_notes::Response::Ok(Events::of([event])))
}

/// How many notes were given out.
#[handler(api::ImportNotes)]
async fn import_notes(app: &App, request: import_notes::Request) -> import_notes::Result {
    let taken = || app.entered.fetch_add(1, Ordering::SeqCst);
    match request.body {
        import_notes::Body::Jsonl(mut items) | import_notes::Body::JsonSeq(mut items) => {
            while items.next().await?.is_some() {
                taken();
            }
        }
        import_notes::Body::EventStream(mut items) => {
            while items.next().await?.is_some() {
                taken();
            }
        }
    }
    Ok(import_notes::Response::NoContent)
}

struct Setup {
    app: Arc<App>,
    issuer: Issuer,
}

impl Setup {
    fn new() -> Setup {
        let app = App { entered: AtomicUsize::new(0), person: whole().into() };
        Setup { app: Arc::new(app), issuer: Issuer::new() }
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
        self.send(self.request(send, claims, body)).await
    }

    async fn send(&self, request: Request<axum::body::Body>) -> (u16, Value, bool) {
        let router = gatewright::router([api::mount(self.app.clone())], self.config()).unwrap();
        let before = self.app.entered.load(Ordering::SeqCst);
        let response = router.oneshot(request).await.unwrap();
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
        ("a stream of bytes", ([("content-type", "image/png")], axum::body::Body::new(Chunks(Some("x".into())))), 200),
        // In these forms it could not be looked through.
        ("lines", ([("content-type", "application/x-ndjson")], chunks()), 500),
        ("events", ([("content-type", "Text/Event-Stream; charset=utf-8")], chunks()), 500),
        ("a sequence", ([("content-type", "application/geo+json-seq")], chunks()), 500),
        ("xml", ([("content-type", "application/atom+xml")], "<ssn>078-05-1120</ssn>".into()), 500),
    ] {
        let response = Arc::new(std::sync::Mutex::new(Some(response)));
        let old = move || async move { response.lock().unwrap().take().unwrap() };
        let router =
            axum::Router::new().route("/properties/people/{id}", get(old).layer(layer.clone())).merge(served.clone());
        let request = setup.request("GET /people/1", Some(&json!({ "sub": "a" })), None);
        let (status, answer) = read(router.oneshot(request).await.unwrap()).await;
        assert_eq!(status, want, "{name}");
        assert!(!answer.to_string().contains("078-05-1120"), "{name}: {answer}");
        if want == 200 && answer.is_object() {
            assert_eq!(answer["name"], "ann", "{name}");
        }
    }
}

#[test]
fn a_layer_is_refused_where_it_would_not_read_what_is_guarded() {
    let setup = Setup::new();
    let partial = api::partial(setup.app.clone()).external::<import_notes::Op>();
    let (_, gateway) = gatewright::serve([partial.mount()], setup.config()).unwrap();
    let refused = GuardLayer::<import_notes::Op>::new(&gateway).unwrap_err().to_string();
    assert!(refused.contains("importNotes") && refused.contains("write a handler"), "{refused}");
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

/// Rows: A6.
#[tokio::test]
async fn a_parameter_that_a_caller_may_not_send_is_refused_by_name() {
    let setup = Setup::new();
    let none = json!({ "sub": "a" });
    let clerk = json!({ "sub": "a", "roles": ["clerk"] });
    let writes = json!({ "sub": "a", "scope": "pii:write" });
    let officer = json!({ "sub": "a", "roles": ["officer"] });
    for (claims, query, header, refused) in [
        (&none, "", None, None),
        (&none, "?name=x", None, None),
        // One of the same name elsewhere is another one, and a default was not sent.
        (&none, "", Some(("cookie", "limit=3")), None),
        (&none, "?limit=3", None, Some("`limit` in the query")),
        (&none, "?limit=20", None, Some("`limit` in the query")),
        (&none, "", Some(("limit", "3")), Some("`limit` in the header")),
        (&none, "", Some(("LIMIT", "3")), Some("`limit` in the header")),
        (&none, "", Some(("ssn", "1")), Some("`ssn` in the header")),
        (&none, "?filter[age]=3", None, None),
        (&none, "?filter[rank]=3", None, Some("`/rank` of `filter` in the query")),
        (&none, "?filter%5Brank%5D=3", None, Some("`/rank` of `filter` in the query")),
        (&clerk, "?limit=3", None, None),
        (&clerk, "", Some(("limit", "3")), Some("`limit` in the header")),
        (&clerk, "?filter[rank]=3", None, Some("`/rank` of `filter` in the query")),
        (&writes, "?filter[rank]=3", Some(("ssn", "1")), None),
        (&writes, "?limit=3", None, Some("`limit` in the query")),
        (&officer, "?limit=3&filter[rank]=3&name=x", Some(("limit", "3")), None),
    ] {
        let mut request = setup.request(&format!("GET /people{query}"), Some(claims), None);
        if let Some((name, value)) = header {
            let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let (status, answer, entered) = setup.send(request).await;
        assert_eq!(entered, refused.is_none(), "{claims} {query} {header:?} {answer}");
        match refused {
            None => assert_eq!(status, 204, "{claims} {query} {header:?} {answer}"),
            Some(what) => {
                assert_eq!(status, 403, "{claims} {query} {header:?} {answer}");
                assert_eq!(answer["detail"], format!("the caller may not send {what}"));
            }
        }
    }
    // What is wrong anyway is said first, and nobody comes in.
    assert_eq!(setup.ask("GET /people?limit=x", Some(&none), None).await.0, 400);
    assert_eq!(setup.ask("GET /people?limit=3", None, None).await.0, 401);
}

/// Rows: A6.
#[tokio::test]
async fn forms_and_xml_are_looked_through_too() {
    let setup = Setup::new();
    let part =
        |name: &str, text: &str| format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n");
    let (text, mark) = (part("text", "a"), part("mark", "b"));
    let none = json!({ "sub": "a" });
    let clerk = json!({ "sub": "a", "roles": ["clerk"] });
    for (kind, plain, marked) in [
        ("application/x-www-form-urlencoded", "text=a".to_owned(), "text=a&mark=b".to_owned()),
        ("multipart/form-data; boundary=b", format!("{text}--b--\r\n"), format!("{mark}{text}--b--\r\n")),
        ("application/xml", "<note><text>a</text></note>".into(), "<note><text>a</text><mark>b</mark></note>".into()),
    ] {
        for (claims, body, want) in [(&none, &plain, 204), (&none, &marked, 403), (&clerk, &marked, 204)] {
            let mut request = setup.request("POST /people", Some(claims), None);
            request.headers_mut().insert("content-type", kind.parse().unwrap());
            *request.body_mut() = axum::body::Body::from(body.clone());
            let (status, answer, entered) = setup.send(request).await;
            assert_eq!((status, entered), (want, want == 204), "{kind} {claims} {answer}");
            assert!(want != 403 || answer["detail"] == "the caller may not send `/mark`", "{kind} {answer}");
        }
    }
}

/// Rows: A6.
#[tokio::test]
async fn what_is_sent_in_another_form_than_json_shows_no_more() {
    let setup = Setup::new();
    let none = json!({ "sub": "a" });
    let clerk = json!({ "sub": "a", "roles": ["clerk"] });
    let xml = |inner: &str| format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<note><text>a</text>{inner}</note>");
    let whole = r#"{"text":"a","by":"ann"}"#;
    let part = r#"{"text":"a"}"#;
    for (send, accept, all, less) in [
        ("GET /notes", "application/json", whole.to_owned(), part.to_owned()),
        ("GET /notes", "application/xml", xml("<by>ann</by>"), xml("")),
        ("GET /notes/all?as=lines", "*/*", format!("{whole}\n{whole}\n"), format!("{part}\n{part}\n")),
        (
            "GET /notes/all?as=sequence",
            "*/*",
            format!("\x1e{whole}\n\x1e{whole}\n"),
            format!("\x1e{part}\n\x1e{part}\n"),
        ),
        (
            "GET /notes/all?as=events",
            "*/*",
            format!("id: 7\ndata: {whole}\n\n").repeat(2),
            format!("id: 7\ndata: {part}\n\n").repeat(2),
        ),
        // The fields of an event are members like others where the document declares them.
        ("GET /notes/events", "*/*", format!("id: 7\ndata: {whole}\n\n"), format!("data: {part}\n\n")),
        ("POST /notes/kept", "*/*", xml("<by>ann</by>"), xml("")),
    ] {
        for (claims, want) in [(&clerk, &all), (&none, &less)] {
            let mut request = setup.request(send, Some(claims), None);
            request.headers_mut().insert("accept", accept.parse().unwrap());
            let router = gatewright::router([api::mount(setup.app.clone())], setup.config()).unwrap();
            let response = router.oneshot(request).await.unwrap();
            assert_eq!(response.status(), 200, "{send} {accept}");
            let body = response.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(std::str::from_utf8(&body).unwrap(), want, "{send} {accept} {claims}");
        }
    }
}

/// Rows: A6.
#[tokio::test]
async fn the_items_of_a_sequence_are_looked_through_one_by_one() {
    let setup = Setup::new();
    let none = json!({ "sub": "a" });
    let clerk = json!({ "sub": "a", "roles": ["clerk"] });
    let (plain, marked) = (r#"{"text":"a"}"#, r#"{"text":"b","mark":"c"}"#);
    for (kind, body, pointer) in [
        ("application/jsonl", format!("{plain}\n{marked}\n{plain}\n"), "/1/mark"),
        ("application/json-seq", format!("\x1e{plain}\n\x1e{marked}\n\x1e{plain}\n"), "/1/mark"),
        ("text/event-stream", format!("data: {plain}\n\ndata: {marked}\n\ndata: {plain}\n\n"), "/1/data/mark"),
    ] {
        for (claims, want, taken) in [(&none, 403, 1), (&clerk, 204, 3)] {
            let before = setup.app.entered.load(Ordering::SeqCst);
            let mut request = setup.request("POST /notes", Some(claims), None);
            request.headers_mut().insert("content-type", kind.parse().unwrap());
            *request.body_mut() = axum::body::Body::from(body.clone());
            let (status, answer, _) = setup.send(request).await;
            assert_eq!(status, want, "{kind} {claims} {answer}");
            assert_eq!(setup.app.entered.load(Ordering::SeqCst) - before, taken, "{kind} {claims}");
            assert!(want != 403 || answer["detail"] == format!("the caller may not send `{pointer}`"), "{answer}");
        }
    }
}

/// What is kept of such an answer could not be looked through when it is shown again, perhaps to a caller who may see less.
#[tokio::test]
async fn an_answer_that_cannot_be_looked_through_again_is_not_kept() {
    let setup = Setup::new();
    let router = gatewright::router([api::mount(setup.app.clone())], setup.config()).unwrap();
    let clerk = json!({ "sub": "a", "roles": ["clerk"] });
    for want in [200, 409] {
        let mut request = setup.request("POST /notes/kept", Some(&clerk), None);
        request.headers_mut().insert("idempotency-key", "\"k\"".parse().unwrap());
        let (status, answer) = read(router.clone().oneshot(request).await.unwrap()).await;
        assert_eq!(status, want, "{answer}");
        assert!(want != 409 || answer["detail"].as_str().unwrap().contains("not kept"), "{answer}");
    }
    assert_eq!(setup.app.entered.load(Ordering::SeqCst), 1);
}

/// xorshift64*, as in the differential test of policies.
struct Random(u64);

impl Random {
    fn chance(&mut self, percent: u64) -> bool {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16) % 100 < percent
    }

    fn person(&mut self, depth: usize) -> Value {
        let mut person = json!({ "name": "ann", "ssn": "1" });
        let members = person.as_object_mut().unwrap();
        for (name, value) in [("rank", json!(3)), ("notes", json!("kind"))] {
            if self.chance(30) {
                members.insert(name.to_owned(), value);
            }
        }
        if depth > 0 && self.chance(50) {
            let children: Vec<Value> = (0..2).map(|_| self.person(depth - 1)).collect();
            members.insert("children".to_owned(), children.into());
        }
        if self.chance(40) {
            let account = if self.chance(50) { json!({ "iban": "DE00" }) } else { json!({ "pin": "1" }) };
            members.insert("accounts".to_owned(), json!({ "a/~b": account }));
        }
        person
    }
}

/// Two engines, one document: what they say of random callers, bodies and parameters.
#[tokio::test]
#[allow(
    clippy::disallowed_methods,
    reason = "a new seed at each run, or the one that is asked for; the document is a file"
)]
async fn a_naive_reading_of_the_document_and_the_server_agree() {
    let seed = std::env::var("GATEWRIGHT_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(|| {
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64 | 1
    });
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/properties/openapi.yaml");
    let document: Value = serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let schema = &document["components"]["schemas"]["Person"];
    let parameters = document["paths"]["/people"]["get"]["parameters"].as_array().unwrap();
    let mut random = Random(seed);
    let setup = Setup::new();
    let (mut refused, mut pruned) = (0, 0);
    for _ in 0..1_000 {
        let scopes: Vec<&str> = ["pii:read", "pii:write", "pii"].into_iter().filter(|_| random.chance(35)).collect();
        let roles: Vec<&str> = ["clerk", "officer", "other"].into_iter().filter(|_| random.chance(25)).collect();
        let claims = json!({ "sub": "a", "scope": scopes.join(" "), "roles": roles });
        let mut have: Names = scopes.iter().chain(&roles).map(|name| (*name).to_owned()).collect();
        if have.contains("officer") {
            have.extend(["clerk", "pii:read", "pii:write"].map(str::to_owned));
        }
        let reading = |key| Reading { document: &document, have: &have, key };
        let body = random.person(2);

        let wanted = reading("write").forbidden(schema, &body);
        let (status, answer, entered) = setup.ask("PUT /people/1", Some(&claims), Some(&body)).await;
        assert_eq!(
            (status, entered),
            if wanted.is_some() { (403, false) } else { (204, true) },
            "{seed} {claims} {body}"
        );
        if let Some(pointer) = &wanted {
            refused += 1;
            assert_eq!(answer["detail"], format!("the caller may not send `{pointer}`"), "{seed} {claims} {body}");
        }

        *setup.app.person.lock().unwrap() = body.clone();
        let wanted = reading("read").visible(schema, &body);
        pruned += usize::from(wanted != body);
        let (status, answer, _) = setup.ask("GET /people/1", Some(&claims), None).await;
        assert_eq!((status, answer), (200, wanted), "{seed} {claims} {body}");

        let sent: Vec<&str> =
            ["name", "limit", "rank", "Ssn", "Limit"].into_iter().filter(|_| random.chance(25)).collect();
        let has = |name: &str| sent.contains(&name);
        let value = |place: &str, name: &str| match (place, name) {
            ("query", "filter") => has("rank").then(|| json!({ "rank": "3" })),
            ("query" | "header", name) => has(name).then(|| json!("3")),
            _ => None,
        };
        let wanted = reading("write").forbidden_parameter(parameters, value);
        let query: Vec<&str> = [("name", "name=3"), ("limit", "limit=3"), ("rank", "filter[rank]=3")]
            .into_iter()
            .filter_map(|(name, text)| has(name).then_some(text))
            .collect();
        let mut request = setup.request(&format!("GET /people?{}", query.join("&")), Some(&claims), None);
        for name in ["Ssn", "Limit"].into_iter().filter(|name| has(name)) {
            let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
            request.headers_mut().insert(name, "3".parse().unwrap());
        }
        let (status, _, entered) = setup.send(request).await;
        let want = if wanted.is_some() { (403, false) } else { (204, true) };
        assert_eq!((status, entered), want, "{seed} {claims} {sent:?}: {wanted:?}");
    }
    // A draw that never meets a guard would prove nothing.
    assert!(refused > 100 && pruned > 100 && refused < 900, "{refused} {pruned}");
}
