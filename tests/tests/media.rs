//! Bodies of every media type through the generated server: what a handler gets, what is refused, and when.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, reason = "files to send")]

#[allow(dead_code)]
mod media {
    include!("../golden/media/expected.rs");
}

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::{Body, Bytes};
use gatewright::body::{Events, Lines};
use gatewright::json::Patch;
use gatewright::{Config, Internal, Peer, Presented, Router, Unverified, Verified, Verify, handler};
use http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use media::media::*;
use media::types::{Meta, Summary, WatchResponseItem};
use serde_json::{Value, json};
use tower::ServiceExt as _;

struct App;

impl Verify<media::schemes::Basic> for App {
    async fn verify(&self, presented: Presented<'_>) -> Result<Verified, Unverified> {
        match presented {
            Presented::Basic { user: "ann", password: "secret" } => Ok(Verified::subject("ann")),
            _ => Err(Unverified::Bad),
        }
    }
}

fn summary(count: usize, bytes: u64, words: Vec<String>) -> Summary {
    Summary { count: count as i64, bytes: bytes as i64, words: Some(words) }
}

#[handler(Upload)]
async fn upload(_: &App, req: upload::Request) -> upload::Result {
    let form = req.body;
    let mut words = vec![form.title];
    words.extend(form.sizes.unwrap_or_default().iter().map(|n| format!("size {n}")));
    words.extend(form.meta.map(|meta| format!("meta {}", meta.n)));
    let (mut count, mut bytes) = (1, form.photo.len());
    words.extend(form.photo.name().map(str::to_owned));
    for file in form.attachments.unwrap_or_default() {
        count += 1;
        bytes += file.len();
        words.push(format!("{} {}", file.media_type().unwrap_or_default(), file.is_on_disk()));
        assert_eq!(file.bytes(4 << 20).await?.len() as u64, file.len());
    }
    Ok(upload::Response::Ok(summary(count, bytes, words)))
}

#[handler(Mixed)]
async fn mixed(_: &App, mut req: mixed::Request) -> mixed::Result {
    let (mut count, mut total, mut words) = (0, 0, Vec::new());
    while let Some(mut part) = req.body.next().await? {
        count += 1;
        words.push(part.media_type().unwrap_or("none").to_owned());
        while let Some(bytes) = part.next().await? {
            total += bytes.len() as u64;
        }
    }
    Ok(mixed::Response::Ok(summary(count, total, words)))
}

#[handler(PutBlob)]
async fn put_blob(_: &App, req: put_blob::Request) -> put_blob::Result {
    let (mut stream, word) = match req.body {
        put_blob::Body::Bytes(stream) => (stream, "bytes"),
        put_blob::Body::Csv(stream) => (stream, "csv"),
    };
    let mut total = 0;
    while let Some(bytes) = stream.next().await? {
        total += bytes.len() as u64;
    }
    Ok(put_blob::Response::Ok(summary(1, total, vec![word.to_owned()])))
}

#[handler(GetBlob)]
async fn get_blob(_: &App, req: get_blob::Request) -> get_blob::Result {
    Ok(get_blob::Response::Ok(Body::from(vec![b'x'; req.size as usize])))
}

#[handler(ImportRows)]
async fn import_rows(_: &App, req: import_rows::Request) -> import_rows::Result {
    let mut words = Vec::new();
    match req.body {
        import_rows::Body::Ndjson(mut rows) | import_rows::Body::JsonSeq(mut rows) => {
            while let Some(row) = rows.next().await? {
                words.push(row.n.to_string());
            }
        }
        import_rows::Body::EventStream(mut events) => {
            while let Some(event) = events.next().await? {
                words.push(format!("{} {}", event.event.unwrap_or_default(), event.data.n));
            }
        }
    }
    Ok(import_rows::Response::Ok(summary(words.len(), 0, words)))
}

fn row(n: i64) -> Meta {
    Meta { n, label: None }
}

#[handler(ExportRows)]
async fn export_rows(_: &App, req: export_rows::Request, raw: gatewright::RawParts) -> export_rows::Result {
    use export_rows::Response;
    let lines = if req.break_ {
        let (sender, lines) = Lines::channel(2);
        tokio::spawn(async move {
            let _ = sender.send(row(1)).await;
            sender.fail(Internal::new("the table is gone")).await;
        });
        lines
    } else {
        Lines::of([row(1), row(2)])
    };
    Ok(match raw.preferred(&["application/jsonl", "application/json-seq", "application/json"]) {
        Some("application/json") => Response::OkJson(vec![row(1), row(2)]),
        Some("application/json-seq") => Response::OkJsonSeq(lines),
        _ => Response::OkJsonl(lines),
    })
}

#[handler(Watch)]
async fn watch(_: &App) -> watch::Result {
    let item = |id: &str, data: &str| WatchResponseItem {
        event: Some("tick".to_owned()),
        id: Some(id.to_owned()),
        data: data.to_owned(),
    };
    Ok(watch::Response::Ok(Events::of([item("1", "a\nb"), item("2", "{}")])))
}

#[handler(Order)]
async fn order(_: &App, req: order::Request, raw: gatewright::RawParts) -> order::Result {
    let order = match req.body {
        order::Body::Xml(order) | order::Body::Json(order) => order,
    };
    if order.item == "none" {
        return Err(order::Error::ClientError(
            gatewright::StatusCode::CONFLICT,
            media::types::Meta { n: 1, label: None },
        ));
    }
    let headers = order::OkHeaders { x_count: 2 };
    // The text is the handler's own choice; how the order is written is not.
    Ok(match raw.preferred(&["application/xml", "application/json", "application/vnd.order+json", "text/plain"]) {
        Some("text/plain") => order::Response::OkText(order.item, headers),
        _ => order::Response::OkXml(order, headers),
    })
}

#[handler(PostForm)]
async fn post_form(_: &App, req: post_form::Request) -> post_form::Result {
    let form = req.body;
    let mut words = form.expand.unwrap_or_default();
    words.extend(form.codes.unwrap_or_default().iter().map(i64::to_string));
    words.extend(form.meta.into_iter().chain(form.lines.unwrap_or_default()).map(|meta| format!("meta {}", meta.n)));
    Ok(post_form::Response::Ok(summary(form.amount as usize, 0, words)))
}

#[handler(StartJob)]
async fn start_job(_: &App, req: start_job::Request) -> start_job::Result {
    assert!(!req.body.done.is_empty());
    Ok(start_job::Response::Accepted)
}

#[handler(PatchNote)]
async fn patch_note(_: &App, req: patch_note::Request) -> patch_note::Result {
    let title = match req.body.title {
        Patch::Absent => "stays".to_owned(),
        Patch::Null => "goes".to_owned(),
        Patch::Value(title) => title,
    };
    Ok(patch_note::Response::Ok(title))
}

#[handler(PostThing)]
async fn post_thing(_: &App, req: post_thing::Request) -> post_thing::Result {
    let meta = req.body;
    let headers = post_thing::OkHeaders { x_meta: meta.clone(), x_pairs: Some(meta.clone()), x_json: meta.clone() };
    Ok(post_thing::Response::Ok(vec![meta], headers))
}

#[handler(PutThing)]
async fn put_thing(_: &App, req: put_thing::Request) -> put_thing::Result {
    assert_eq!(req.body.map(|thing| thing.n), Some(1));
    Ok(put_thing::Response::NoContent)
}

fn router() -> Router {
    gatewright::router([media::mount(Arc::new(App))], Config::new()).unwrap()
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Result<Bytes, String>,
}

impl Answer {
    fn text(&self) -> String {
        String::from_utf8(self.body.as_ref().unwrap().to_vec()).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text()).unwrap()
    }

    /// `status pointer rule …`
    fn words(&self) -> String {
        let json: Value = serde_json::from_str(&self.text()).unwrap_or_default();
        let mut words = self.status.to_string();
        for error in json["errors"].as_array().into_iter().flatten() {
            words.push_str(&format!(" {} {}", error["pointer"].as_str().unwrap(), error["rule"].as_str().unwrap()));
        }
        words
    }
}

async fn ask(what: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
    let (method, path) = what.split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(format!("/media{path}")).header("host", "localhost");
    // "ann:secret"
    request = request.header("authorization", "Basic YW5uOnNlY3JldA==");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(request.body(body.into()).unwrap()).await
}

async fn send(mut request: Request<Body>) -> Answer {
    request.extensions_mut().insert(Peer::new("127.0.0.1:4711".parse().unwrap()).over_tls());
    let (parts, body) = router().oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).map_err(|e| e.to_string());
    Answer { status: parts.status.as_u16(), headers: parts.headers, body }
}

const FORM: (&str, &str) = ("content-type", "multipart/form-data; boundary=XX");

fn part(head: &str, text: &str) -> String {
    format!("--XX\r\nContent-Disposition: form-data; {head}\r\n\r\n{text}\r\n")
}

fn form(parts: &[String]) -> String {
    format!("{}--XX--\r\n", parts.concat())
}

const PHOTO: &str = "name=\"photo\"; filename=\"p.png\"\r\nContent-Type: image/png";

#[tokio::test]
async fn a_form_with_files() {
    let pdf = "name=attachments; filename=x.pdf\r\nContent-Type: application/pdf\r\nX-Page: 3";
    let all = form(&[
        part("name=title", "Holiday"),
        part("name=sizes", "1"),
        part("name=sizes", "2"),
        part("name=meta\r\nContent-Type: application/json", r#"{"n":7}"#),
        part(PHOTO, "PNG"),
        part(pdf, &"y".repeat(100_000)),
    ]);
    let answer = ask("POST /uploads", &[FORM], all).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let words = ["Holiday", "size 1", "size 2", "meta 7", "p.png", "application/pdf true"];
    assert_eq!(answer.json(), json!({ "count": 2, "bytes": 100_003, "words": words }));
}

#[tokio::test]
async fn what_a_form_may_not_hold() {
    let title = || part("name=title", "t");
    let photo = || part(PHOTO, "PNG");
    for (parts, expected) in [
        (vec![], "400 /title required /photo required"),
        (vec![title()], "400 /photo required"),
        (vec![part("name=title", &"t".repeat(21)), photo()], "400 /title maxLength"),
        (vec![title(), title(), photo()], "400 /title repeated"),
        (vec![title(), photo(), photo()], "400 /photo repeated"),
        (vec![title(), photo(), part("name=sizes", "0")], "400 /sizes/0 minimum"),
        (vec![title(), photo(), part("name=sizes", "x")], "400 /sizes/0 type"),
        (vec![title(), photo(), part("name=meta", r#"{"n":-1}"#)], "400 /meta/n minimum"),
        (vec![title(), photo(), part("name=meta", r#"{"n":"#)], "400 /meta json"),
        (vec![title(), photo(), part("name=other", "1")], "400 /other additionalProperties"),
        (vec![title(), photo(), part("name=other; filename=x", "1")], "400 /other additionalProperties"),
        (vec![title(), part("name=photo; filename=x\r\nContent-Type: text/html", "1")], "400 /photo contentType"),
        (vec![title(), part("name=photo; filename=x", "1")], "400 /photo contentType"),
        (
            vec![title(), photo(), part("name=attachments\r\nContent-Type: image/gif\r\nX-Page: 10", "1")],
            "400 /attachments maximum",
        ),
        (
            vec![title(), photo()]
                .into_iter()
                .chain(vec![part("name=attachments\r\nContent-Type: image/gif", "1"); 3])
                .collect(),
            "400 /attachments maxItems",
        ),
    ] {
        let answer = ask("POST /uploads", &[FORM], form(&parts)).await;
        assert_eq!(answer.words(), expected, "{parts:?}");
    }
}

#[tokio::test]
async fn what_is_no_form() {
    let parts = [part("name=title", "t"), part(PHOTO, "PNG")];
    let whole = form(&parts);
    let json = ("content-type", "application/json");
    for (headers, body, status) in [
        (vec![json], whole.clone(), 415),
        (vec![("content-type", "multipart/form-data")], whole.clone(), 400),
        (vec![("content-type", "multipart/form-data; boundary=YY")], whole.clone(), 400),
        (vec![FORM], whole.replace("--XX--", "--XX"), 400),
        (vec![FORM], whole.get(..whole.len() / 2).unwrap().to_owned(), 400),
        (vec![FORM], format!("{}--XX--", part("name=x", "1").repeat(1_001)), 413),
        (vec![FORM], form(&[part("name=title", &"t".repeat(1 << 21))]), 413),
        (vec![FORM], form(&[part(PHOTO, &"t".repeat(5 << 20))]), 413),
        (vec![FORM], form(&[part(&format!("name={}", "n".repeat(9_000)), "")]), 400),
        (vec![FORM, ("content-encoding", "gzip")], whole.clone(), 415),
        (vec![FORM, ("content-length", "999999999")], whole.clone(), 413),
    ] {
        let answer = ask("POST /uploads", &headers, body).await;
        assert_eq!(answer.status, status, "{headers:?} {}", answer.text());
        if status == 415 {
            assert_eq!(answer.headers["accept"], "multipart/form-data");
        }
    }
}

/// A body that counts how often it is asked.
struct Watched(Arc<AtomicUsize>);

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        std::task::Poll::Pending
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_read_before_the_caller_is_known_and_nobody_is_waited_for_for_ever() {
    for path in ["/uploads", "/mixed", "/rows"] {
        let asked = Arc::new(AtomicUsize::new(0));
        let request = Request::builder().method("POST").uri(format!("/media{path}")).header("host", "localhost");
        let request = request.header("content-type", "multipart/form-data; boundary=XX");
        let answer = send(request.body(Body::new(Watched(Arc::clone(&asked)))).unwrap()).await;
        assert_eq!((answer.status, asked.load(Ordering::SeqCst)), (401, 0), "{path}");
    }
    for (what, kind) in [
        ("POST /uploads", "multipart/form-data; boundary=XX"),
        ("POST /mixed", "multipart/mixed; boundary=XX"),
        ("PUT /blobs", "application/octet-stream"),
        ("POST /rows", "application/x-ndjson"),
        ("PATCH /notes", "application/merge-patch+json"),
    ] {
        let body = Body::new(Watched(Arc::default()));
        assert_eq!(ask(what, &[("content-type", kind)], body).await.status, 408, "{what}");
    }
}

#[tokio::test]
async fn parts_as_a_handler_reads_them() {
    let body = "--XX\r\n\r\none\r\n--XX\r\nContent-Type: image/png\r\n\r\n12345\r\n--XX--";
    let answer = ask("POST /mixed", &[("content-type", "multipart/mixed; boundary=XX")], body).await;
    assert_eq!(answer.json(), json!({ "count": 2, "bytes": 8, "words": ["none", "image/png"] }));
    // What goes wrong under the handler is the sender's mistake all the same.
    let answer = ask("POST /mixed", &[("content-type", "multipart/mixed; boundary=XX")], "--XX\r\n\r\none").await;
    assert_eq!(answer.status, 400, "{}", answer.text());
}

#[tokio::test]
async fn bytes_both_ways() {
    let large = "x".repeat(4 << 20);
    let answer = ask("PUT /blobs", &[("content-type", "application/octet-stream")], large.clone()).await;
    assert_eq!(answer.json(), json!({ "count": 1, "bytes": 4 << 20, "words": ["bytes"] }));
    let answer = ask("PUT /blobs", &[("content-type", "text/csv; charset=latin1")], "a;b").await;
    assert_eq!(answer.json()["words"], json!(["csv"]));
    // One byte more than the operation takes, told and untold.
    let over = large + "x";
    let told = [("content-type", "application/octet-stream"), ("content-length", "4194305")];
    assert_eq!(ask("PUT /blobs", &told, over.clone()).await.status, 413);
    let untold = Body::new(http_body_util::StreamBody::new(Frames(vec![Bytes::from(over)])));
    assert_eq!(ask("PUT /blobs", &told[..1], untold).await.status, 413);
    assert_eq!(ask("GET /blobs?size=70000", &[], "").await.body.unwrap().len(), 70_000);
    let answer = ask("PUT /blobs", &[("content-type", "image/png")], "x").await;
    assert_eq!(
        (answer.status, answer.headers["accept"].to_str().unwrap()),
        (415, "application/octet-stream, text/csv")
    );
}

/// Frames whose sum nobody tells.
struct Frames(Vec<Bytes>);

impl futures_core::Stream for Frames {
    type Item = Result<http_body::Frame<Bytes>, std::convert::Infallible>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.pop().map(|bytes| Ok(http_body::Frame::data(bytes))))
    }
}

#[tokio::test]
async fn items_in() {
    let rows = async |kind: &str, body: &str| ask("POST /rows", &[("content-type", kind)], body.to_owned()).await;
    let answer = rows("application/x-ndjson", "{\"n\":1}\n\n{\"n\":2,\"label\":\"ab\"}").await;
    assert_eq!(answer.json()["words"], json!(["1", "2"]));
    let answer = rows("application/json-seq", "\u{1e}{\"n\":1}\n\u{1e}{\"n\":2}\n").await;
    assert_eq!(answer.json()["words"], json!(["1", "2"]));
    let answer = rows("text/event-stream", "event: e\ndata: {\"n\":1}\n\n: x\n\ndata: {\"n\":2}\n\n").await;
    assert_eq!(answer.json()["words"], json!(["e 1", " 2"]));
    for (kind, body, expected) in [
        ("application/x-ndjson", "{\"n\":1}\n{\"n\":-1,\"label\":\"abcdef\"}\n", "400 /1/n minimum /1/label maxLength"),
        ("application/x-ndjson", "{\"n\":1}\n{\"m\":1}\n", "400 /1/m additionalProperties /1/n required"),
        ("application/x-ndjson", "{\"n\":1}\n{", "400"),
        ("application/json-seq", "\u{1e}{}\n", "400 /0/n required"),
        ("text/event-stream", "data: {\"n\":-1}\n\n", "400 /0/data/n minimum"),
        ("text/event-stream", "data: x\n\n", "400"),
        ("application/json", "[]", "415"),
    ] {
        assert_eq!(rows(kind, body).await.words(), expected, "{kind} {body}");
    }
}

#[tokio::test]
async fn a_range_whose_schema_is_of_values_is_json() {
    let thing = async |kind, body: &'static str| ask("POST /things", &[("content-type", kind)], body).await;
    let answer = thing("application/json", "{\"n\":1}").await;
    assert_eq!((answer.status, answer.json()), (200, json!([{ "n": 1 }])));
    assert_eq!(answer.headers["content-type"], "application/json");
    let labelled = thing("application/json", "{\"n\":1,\"label\":\"a b\"}").await;
    for (name, expected) in
        [("x-meta", "n,1,label,a b"), ("x-pairs", "n=1,label=a b"), ("x-json", "{\"n\":1,\"label\":\"a b\"}")]
    {
        assert_eq!(labelled.headers[name], expected, "{name}");
    }
    assert_eq!(thing("application/json", "{\"n\":-1}").await.words(), "400 /n minimum");
    // What a browser sends across origins without asking first is no JSON.
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/octet-stream"] {
        let answer = thing(kind, "{\"n\":1}").await;
        assert_eq!((answer.status, &answer.headers["accept"]), (415, &"application/json".parse().unwrap()), "{kind}");
    }
}

#[tokio::test]
async fn names_of_json_for_one_schema_are_one_value() {
    for (kind, status) in
        [("application/json", 204), ("text/json", 204), ("application/vnd.thing+json", 204), ("text/plain", 415)]
    {
        assert_eq!(ask("PUT /things", &[("content-type", kind)], "{\"n\":1}").await.status, status, "{kind}");
    }
}

#[tokio::test]
async fn items_out() {
    let rows = async |accept: &'static str| ask("GET /rows", &[("accept", accept)], "").await;
    let answer = rows("*/*").await;
    assert_eq!(answer.headers["content-type"], "application/jsonl");
    assert_eq!(answer.text(), "{\"n\":1}\n{\"n\":2}\n");
    assert_eq!(rows("application/json-seq").await.text(), "\u{1e}{\"n\":1}\n\u{1e}{\"n\":2}\n");
    assert_eq!(rows("application/json").await.json(), json!([{ "n": 1 }, { "n": 2 }]));
    assert_eq!(rows("application/json;q=0.9, */*;q=0.1").await.headers["content-type"], "application/json");
    assert_eq!(rows("text/html").await.status, 406);
    assert_eq!(rows("application/*;q=0").await.status, 406);
    // A response that breaks off in the middle does not end as one that is whole.
    let broken = ask("GET /rows?break=true", &[], "").await;
    assert_eq!((broken.status, broken.body.is_err()), (200, true));
}

#[tokio::test]
async fn events_out() {
    let answer = ask("GET /events", &[], "").await;
    assert_eq!(answer.headers["content-type"], "text/event-stream");
    assert_eq!(answer.text(), "event: tick\nid: 1\ndata: a\ndata: b\n\nevent: tick\nid: 2\ndata: {}\n\n");
}

/// A server that keeps what it is sent, and answers so.
async fn hook(answer: impl Into<String>) -> (String, tokio::task::JoinHandle<String>) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let answer = answer.into();
    let heard = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut sent = vec![0; 4096];
        let length = stream.read(&mut sent).await.unwrap();
        sent.truncate(length);
        stream.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8(sent).unwrap()
    });
    (url, heard)
}

const HEARD: &str = "HTTP/1.1 204 No Content\r\n\r\n";

#[tokio::test]
async fn callbacks_and_webhooks_are_typed_and_go_where_they_may() {
    use gatewright::outbound::{Outbound, SendError};
    use media::sent::{job_done, note_changed};
    use media::types::Job;

    let outbound = Outbound::new().unwrap();
    let job = || Job { id: "7".to_owned(), steps: None };
    let message = || {
        let meta = || Some(media::types::Meta { n: 1, label: Some("x".to_owned()) });
        let tags = || Some(vec!["a".to_owned(), "b c".to_owned()]);
        job_done::Request {
            x_attempt: 2,
            tag: tags(),
            in_: Some(vec!["a,b".to_owned(), "c".to_owned()]),
            by: meta(),
            x_meta: meta(),
            body: job(),
        }
    };
    let (url, heard) = hook(HEARD).await;
    // Who asks for a callback names its target: this machine is none.
    let refused = outbound.send(&job_done::url(&url), &message()).await;
    assert!(matches!(refused, Err(SendError::Target(_))));
    let outbound = outbound.allow_network("127.0.0.1/32").unwrap().allow_plain_http();
    assert_eq!(outbound.send(&job_done::url(&url), &message()).await.unwrap().status, 204);
    let sent = heard.await.unwrap();
    assert!(
        sent.starts_with("POST /hook?tag=a&tag=b%20c&in=a%2Cb,c&by%5Bn%5D=1&by%5Blabel%5D=x HTTP/1.1\r\n"),
        "{sent}"
    );
    assert!(sent.contains("x-meta: {\"n\":1,\"label\":\"x\"}\r\n"), "{sent}");
    assert!(sent.contains("x-attempt: 2\r\n") && sent.ends_with("{\"id\":\"7\"}"), "{sent}");

    let (url, heard) = hook(HEARD).await;
    assert_eq!(outbound.send(&url, &note_changed::Request { body: job() }).await.unwrap().status, 204);
    assert!(heard.await.unwrap().ends_with("\r\n\r\nid=7"));
    let step = media::types::JobStepsItem { n: Some(1) };
    let stepped = Job { steps: Some(vec![step]), ..job() };
    let (url, heard) = hook(HEARD).await;
    assert_eq!(outbound.send(&url, &note_changed::Request { body: stepped }).await.unwrap().status, 204);
    assert!(heard.await.unwrap().ends_with("id=7&steps=%5B%7B%22n%22%3A1%7D%5D"), "as its `encoding` says");
    let progress = media::sent::put_https_hub_example_request_query_job_at::url("a/b");
    assert_eq!(progress, "https://hub.example/a%2Fb/at");
}

#[tokio::test]
async fn the_sender_says_the_media_type_where_the_document_leaves_it_open() {
    use gatewright::outbound::{Content, Outbound, SendError};
    use media::sent::{note_drawn, note_packed};

    let outbound = Outbound::new().unwrap().allow_network("127.0.0.1/32").unwrap().allow_plain_http();
    let content = |media_type: &str| Content { media_type: media_type.to_owned(), bytes: "xyz".into() };
    let (url, heard) = hook(HEARD).await;
    outbound.send(&url, &note_drawn::Request { body: content("image/png") }).await.unwrap();
    let sent = heard.await.unwrap();
    assert!(sent.contains("content-type: image/png\r\n") && sent.ends_with("xyz"), "{sent}");
    let (url, heard) = hook(HEARD).await;
    outbound.send(&url, &note_packed::Request { body: Some(content("multipart/mixed; boundary=b")) }).await.unwrap();
    assert!(heard.await.unwrap().contains("content-type: multipart/mixed; boundary=b\r\n"));
    // Nothing of these leaves.
    for drawn in ["text/html", "image", "image/png\r\nx: y"] {
        let sent = outbound.send(&url, &note_drawn::Request { body: content(drawn) }).await;
        assert!(matches!(sent, Err(SendError::Message(_))), "{drawn}: {sent:?}");
    }
    for packed in ["multipart/mixed", "multipart/form-data; boundary=b"] {
        let sent = outbound.send(&url, &note_packed::Request { body: Some(content(packed)) }).await;
        assert!(matches!(sent, Err(SendError::Message(_))), "{packed}: {sent:?}");
    }
}

#[tokio::test]
async fn answers_to_callbacks_are_typed_and_what_is_not_declared_is_kept() {
    use gatewright::outbound::{Misfit, Outbound, SendError};
    use media::sent::job_done;

    let outbound = Outbound::new().unwrap().allow_network("127.0.0.1/32").unwrap().allow_plain_http();
    let job = || media::types::Job { id: "7".to_owned(), steps: None };
    let send = async |status: &str, fields: &str, body: &str| {
        let (url, heard) =
            hook(format!("HTTP/1.1 {status} X\r\n{fields}content-length: {}\r\n\r\n{body}", body.len())).await;
        let outcome = outbound
            .send(&url, &job_done::Request { x_attempt: 1, tag: None, in_: None, by: None, x_meta: None, body: job() })
            .await;
        let sent = heard.await.unwrap();
        let accept = "accept: application/json, application/vnd.receipt+json, application/xml, text/plain\r\n";
        assert!(sent.contains(accept), "{sent}");
        outcome
    };
    const JSON: &str = "content-type: application/json\r\n";
    for (status, fields, body, expected) in [
        ("200", JSON, r#"{"id":7}"#, "OkJson(Receipt { id: 7, kind: None })"),
        // What is `readOnly` is there, and required; what is `writeOnly` is neither; others may have grown fields since.
        ("200", JSON, r#"{"id":7,"key":1,"more":2}"#, "OkJson(Receipt { id: 7, kind: None })"),
        (
            "200",
            JSON,
            r#"{"id":7,"kind":{"id":"a","secret":5}}"#,
            "OkJson(Receipt { id: 7, kind: Some(Job(Job { id: \"a\", steps: None })) })",
        ),
        (
            "200",
            JSON,
            r#"{"id":7,"kind":{"n":1}}"#,
            "OkJson(Receipt { id: 7, kind: Some(Meta(Meta { n: 1, label: None })) })",
        ),
        (
            "200",
            "content-type: application/vnd.receipt+json\r\n",
            r#"{"id":1}"#,
            "OkJson(Receipt { id: 1, kind: None })",
        ),
        ("200", "content-type: Text/Plain; charset=UTF-8\r\n", "yes", "OkText(\"yes\")"),
        ("200", "", r#"{"id":1}"#, "OkJson(Receipt { id: 1, kind: None })"),
        ("410", JSON, "gone", "Gone"),
        ("404", JSON, r#"{"why":"no"}"#, "ClientError(JobDoneResponse4xx { why: \"no\" })"),
    ] {
        let received = send(status, fields, body).await.unwrap();
        assert_eq!(received.status.as_str(), status);
        assert_eq!(format!("{:?}", received.body), expected);
    }
    let xml = "<order xmlns='urn:orders' id='1'><item-name>a</item-name></order>";
    let received = send("200", "content-type: application/xml\r\n", xml).await.unwrap();
    assert!(matches!(received.body, job_done::Answer::OkXml(order) if order.item == "a"));
    for (status, fields, body, expected) in [
        ("201", JSON, r#"{"id":7}"#, "its status is not declared"),
        ("302", "location: /\r\n", "", "its status is not declared"),
        ("500", JSON, r#"{"why":"no"}"#, "its status is not declared"),
        ("200", "content-type: text/html\r\n", "<p>", "its media type is not declared"),
        ("200", "content-type: application/json; charset=latin1\r\n", r#"{"id":7}"#, "its media type is not declared"),
        ("200", "content-type: application/json\r\ncontent-encoding: gzip\r\n", "x", "its media type is not declared"),
        (
            "200",
            "content-type: application/json\r\ncontent-type: text/plain\r\n",
            "1",
            "its media type is not declared",
        ),
        ("200", JSON, r#"{"id":0}"#, "its body breaks its schema: `/id`"),
        ("200", JSON, r#"{"id":7,"kind":{"n":-1}}"#, "its body breaks its schema: `/kind`"),
        ("200", JSON, "{}", "its body breaks its schema: `/id`"),
        ("200", JSON, "", "its body cannot be read"),
        ("200", JSON, "hello", "its body cannot be read"),
        ("404", JSON, r#"{"why":"long-secret"}"#, "its body breaks its schema: `/why`"),
    ] {
        let Err(SendError::Answer(unexpected)) = send(status, fields, body).await else { panic!("{status} {body}") };
        let shown = unexpected.misfit.to_string();
        assert!(shown.starts_with(expected), "{shown}");
        // Nothing is lost, and nothing of the body is in what is logged.
        assert_eq!((unexpected.received.status.as_str(), &unexpected.received.body[..]), (status, body.as_bytes()));
        let logged = format!("{unexpected:?}");
        let logged = format!("{logged} {}", SendError::Answer(unexpected));
        assert!(logged.contains(status) && !logged.contains("secret"), "{logged}");
    }
    let outbound = outbound.clone().answers_up_to(10);
    let (url, _heard) = hook(format!("HTTP/1.1 200 X\r\ncontent-length: 11\r\n{JSON}\r\n[1,2,3,4,5]")).await;
    let large = outbound
        .send(&url, &job_done::Request { x_attempt: 1, tag: None, in_: None, by: None, x_meta: None, body: job() })
        .await;
    assert!(matches!(large, Err(SendError::Failed(_))), "{large:?}");
    let status = gatewright::outbound::Received {
        status: gatewright::StatusCode::OK,
        headers: Default::default(),
        body: Default::default(),
    };
    let none = <job_done::Answer as gatewright::outbound::Answer>::read(&status);
    assert!(matches!(none, Err(Misfit::Malformed(_))));
}

#[tokio::test]
async fn a_value_in_several_media_types_is_written_as_its_caller_likes_best() {
    let order = async |accept: &'static str, item: &str| {
        let sent = format!("{{\"id\":1,\"item\":\"{item}\"}}");
        ask("POST /orders", &[("content-type", "application/json"), ("accept", accept)], sent).await
    };
    const XML: &str = "application/xml; charset=utf-8";
    const JSON: &str = "application/json";
    const VENDOR: &str = "application/vnd.order+json";
    for (accept, expected) in [
        ("*/*", XML),
        ("", XML),
        ("application/*", XML),
        (JSON, JSON),
        ("application/vnd.order+json", VENDOR),
        ("application/json;q=0.5, application/vnd.order+json;q=0.6", VENDOR),
        ("application/xml;q=0, */*", JSON),
        ("application/xml;q=0.1, application/*;q=0.2", JSON),
        ("text/plain", "text/plain; charset=utf-8"),
        ("text/*, application/json;q=0.9", "text/plain; charset=utf-8"),
        ("APPLICATION/JSON ; Q=1", JSON),
    ] {
        let answer = order(accept, "a").await;
        assert_eq!((answer.status, answer.headers["content-type"].to_str().unwrap()), (200, expected), "{accept}");
        assert_eq!(answer.headers["x-count"], "2");
        // A cache must not give it to who likes another (RFC 9110, 12.5.5); the text is the handler's own matter.
        let vary = answer.headers.get_all("vary").iter().any(|v| v == "accept");
        assert_eq!(vary, !expected.starts_with("text"), "{accept}");
        match expected {
            XML => assert!(answer.text().contains("<item-name>a</item-name>")),
            JSON | VENDOR => assert_eq!(answer.json()["item"], "a"),
            _ => assert_eq!(answer.text(), "a"),
        }
    }
    for accept in ["text/html", "application/xml;q=0, application/json;q=0.0", "image/*"] {
        assert_eq!(order(accept, "a").await.status, 406, "{accept}");
    }
    // What fails is answered in any case: as liked, else as first declared.
    for (accept, expected) in
        [("*/*", JSON), ("application/vnd.meta+json, */*;q=0.1", "application/vnd.meta+json"), ("text/plain", JSON)]
    {
        let answer = order(accept, "none").await;
        assert_eq!((answer.status, answer.headers["content-type"].to_str().unwrap()), (409, expected), "{accept}");
        assert_eq!(answer.json(), json!({ "n": 1 }));
    }
}

#[tokio::test]
async fn xml_both_ways() {
    let xml = ("content-type", "application/xml");
    let sent = "<o:order xmlns:o=\"urn:orders\" id=\"7\"><item-name>a &amp; b</item-name><tags><tag>x</tag></tags>\
        <line><n>1</n></line><line><n>2</n></line><parts><o:order xmlns:o=\"urn:orders\" id=\"8\">\
        <item-name>c</item-name></o:order></parts></o:order>";
    let answer = ask("POST /orders", &[xml], sent).await;
    let kind = answer.headers["content-type"].to_str().unwrap();
    assert_eq!((answer.status, kind), (200, "application/xml; charset=utf-8"));
    assert_eq!(answer.text(), format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{sent}"));
    let answer = ask("POST /orders", &[xml, ("accept", "application/json")], sent).await;
    let parts = json!([{ "id": 8, "item": "c" }]);
    let expected = json!({ "id": 7, "item": "a & b", "tags": ["x"], "line": [{ "n": 1 }, { "n": 2 }], "parts": parts });
    assert_eq!(answer.json(), expected);
    let order = |inner: &str| format!("<order xmlns='urn:orders' id='1'><item-name>a</item-name>{inner}</order>");
    let laughs = format!("<!DOCTYPE order [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]>{}", order("<note>&b;</note>"));
    for (body, expected) in [
        (order(""), "200"),
        (order("<line><n>-1</n></line>"), "400 /line/0/n minimum"),
        (order("<line><n>1</n></line><line><n>1</n></line><line><n>1</n></line>"), "400 /line maxItems"),
        (order("<other>1</other>"), "400 /other additionalProperties"),
        (order("<item>1</item>"), "400"),
        (order("<note>&b;</note>"), "400"),
        (laughs, "400"),
        (order("<note>"), "400"),
        ("<order id='1'/>".to_owned(), "400"),
        ("<order xmlns='urn:orders' id='0'/>".to_owned(), "400 /id minimum /item required"),
        ("<dog/>".to_owned(), "400"),
    ] {
        let answer = ask("POST /orders", &[xml], body.clone()).await;
        let words = if answer.status == 200 { "200".to_owned() } else { answer.words() };
        assert_eq!(words, expected, "{body}");
    }
    let latin = ("content-type", "application/xml; charset=latin1");
    assert_eq!(ask("POST /orders", &[latin], order("")).await.status, 415);
}

#[tokio::test]
async fn forms_as_their_encoding_says() {
    let kind = ("content-type", "application/x-www-form-urlencoded");
    for (body, expected) in [
        ("amount=3&expand[]=a&expand[]=b&codes=1%7C2&meta={\"n\":7}", json!(["a", "b", "1", "2", "meta 7"])),
        ("amount=3&expand[0]=a&lines[0][n]=1&lines[1][n]=2", json!(["a", "meta 1", "meta 2"])),
    ] {
        assert_eq!(ask("POST /forms", &[kind], body).await.json()["words"], expected, "{body}");
    }
    for (body, expected) in [
        ("amount=0&lines[0][n]=-1", "400 /amount minimum /lines/0/n minimum"),
        ("amount=1&codes=1&codes=2", "400  repeated"),
        ("amount=1&meta={", "400  json"),
        ("amount=1&amount[x]=2", "400 /amount[x] additionalProperties"),
        ("amount=1&amount=2", "400  repeated"),
    ] {
        assert_eq!(ask("POST /forms", &[kind], body).await.words(), expected, "{body}");
    }
}

#[tokio::test]
async fn a_merge_patch_has_three_states() {
    let kind = ("content-type", "application/merge-patch+json");
    for (body, expected) in [("{}", "stays"), (r#"{"title":null}"#, "goes"), (r#"{"title":"x"}"#, "x")] {
        assert_eq!(ask("PATCH /notes", &[kind], body).await.text(), expected);
    }
    let answer = ask("PATCH /notes", &[("content-type", "application/json")], "{}").await;
    assert_eq!(
        (answer.status, answer.headers["accept-patch"].to_str().unwrap()),
        (415, "application/merge-patch+json")
    );
}

/// What people have at hand sends what we read: `curl`, over a connection, with files from the disk.
#[tokio::test(flavor = "multi_thread")]
async fn curl_sends_a_form() {
    use std::net::SocketAddr;

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    let secure = axum::middleware::from_fn(|mut request: Request<Body>, next: axum::middleware::Next| async {
        request.extensions_mut().insert(Peer::new("127.0.0.1:4711".parse().unwrap()).over_tls());
        next.run(request).await
    });
    let service = router().layer(secure).into_make_service();
    tokio::spawn(async move { axum::serve(listener, service).await });
    let folder = tempfile::tempdir().unwrap();
    let (photo, paper) = (folder.path().join("p.png"), folder.path().join("a b.pdf"));
    std::fs::write(&photo, b"PNG").unwrap();
    std::fs::write(&paper, vec![b'y'; 1 << 20]).unwrap();
    let url = format!("http://{address}/media/uploads");
    let curl = async |more: &[String]| {
        let mut command = std::process::Command::new("curl");
        command.args(["--silent", "--user", "ann:secret", "--header", "Host: localhost", "--max-time", "20"]);
        command.args(more).arg(&url);
        let out = tokio::task::spawn_blocking(move || command.output().expect("curl is there")).await.unwrap();
        serde_json::from_slice::<Value>(&out.stdout).unwrap_or_default()
    };
    let field = |text: String| ["--form".to_owned(), text];
    let mut all: Vec<String> = Vec::new();
    all.extend(field("title=Holiday".to_owned()));
    all.extend(field("sizes=1".to_owned()));
    all.extend(field(r#"meta={"n":7};type=application/json"#.to_owned()));
    all.extend(field(format!("photo=@{};type=image/png", photo.display())));
    all.extend(field(format!("attachments=@{};type=application/pdf", paper.display())));
    let words = ["Holiday", "size 1", "meta 7", "p.png", "application/pdf true"];
    assert_eq!(curl(&all).await, json!({ "count": 2, "bytes": (1 << 20) + 3, "words": words }));
    assert_eq!(curl(&all[2..]).await["status"], 400);
}
