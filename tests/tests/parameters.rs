//! Parameters of every place, style and shape through the generated server: what a handler gets of them, and what is refused.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[allow(dead_code)]
mod generated {
    include!("../golden/parameters/expected.rs");
}

use std::sync::Arc;

use axum::body::Body;
use gatewright::{Config, Peer, handler};
use generated::parameters::*;
use http::Request;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

struct App;

macro_rules! tells {
    ($($operation:ident $name:ident),*) => {$(
        #[handler($operation)]
        async fn $name(_: &App, req: $name::Request) -> $name::Result {
            Ok($name::Response::Ok(format!("{req:?}")))
        }
    )*};
}
tells!(Simple simple, Label label, Matrix matrix, Query query, Whole whole, Headers headers);

/// The fields that were read, those that are `None` left out; or the status and every violation.
async fn read(target: &str, fields: &[(&str, &str)]) -> String {
    let router = gatewright::router([generated::mount(Arc::new(App))], Config::new()).unwrap();
    let mut request = Request::get(format!("/parameters{target}")).header("host", "localhost");
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::empty()).unwrap();
    request.extensions_mut().insert(Peer::new("127.0.0.1:4711".parse().unwrap()).over_tls());
    let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    if parts.status == 200 {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let inner = text.strip_prefix("Request { ").and_then(|t| t.strip_suffix(" }")).unwrap().to_owned();
        let said = inner.split(", ").filter(|field| !field.ends_with(": None"));
        return said.collect::<Vec<_>>().join(", ").replace("Some(", "(");
    }
    let problem: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let mut words = parts.status.as_u16().to_string();
    for error in problem["errors"].as_array().into_iter().flatten() {
        let word = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
        words.push_str(&format!(" {}{} {}", word("name"), word("pointer"), word("rule")));
    }
    words
}

/// What is sent: target and header fields; and what comes of it.
type Row<'r> = (&'r str, &'r [(&'r str, &'r str)], &'r str);

async fn all(rows: &[Row<'_>]) {
    let mut wrong = Vec::new();
    for (target, fields, expected) in rows {
        let found = read(target, fields).await;
        if found != *expected {
            wrong.push(format!("{target} {fields:?}\n  read {found}\n  not  {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn paths() {
    all(&[
        ("/simple/ab/1,2/true,false/x,1,y,b/x=1,y=b", &[], r#"text: "ab", list: [1, 2], spread: [true, false], object: Point { x: 1, y: ("b") }, pairs: Point { x: 1, y: ("b") }"#),
        ("/simple/a%2Cb/1%2C2/true/x,1/x=1", &[], "400 list/0 type"),
        ("/simple/a/1,2,3,4/maybe/x,a/y=1", &[], "400 text minLength list maxItems spread/0 type object/x type pairs/x required"),
        ("/simple/a%2Cb/1/true/x,1,y,b%2cc/x=1,y=b%2Cc%3Dd", &[], r#"text: "a,b", list: [1], spread: [true], object: Point { x: 1, y: ("b,c") }, pairs: Point { x: 1, y: ("b,c=d") }"#),
        ("/label/.a%2Eb/.1/.1%2E5/.x,1/.x=1.y=a%2Eb", &[], "400 spread/0 type"),
        ("/label/.a%2Eb/.1/.1/.x,1,y,a%2Cb/.x=1.y=a%2Eb", &[], r#"text: "a.b", list: [1], spread: [1], object: Point { x: 1, y: ("a,b") }, pairs: Point { x: 1, y: ("a.b") }"#),
        ("/matrix/;text=a%3Bb/;list=1/;spread=1/;object=x,1,y,a%2Cb/;x=1;y=a%3Bb%3Dc", &[], r#"text: "a;b", list: [1], spread: [1], object: Point { x: 1, y: ("a,b") }, pairs: Point { x: 1, y: ("a;b=c") }"#),
        ("/simple/ab/1,,2/true/x,1,y/x=1,x=2", &[], "400 object style pairs style list/1 type"),
        ("/simple/ab/1/true/x,1,z,2/x=1,z=2", &[], "400 object/z additionalProperties pairs/z additionalProperties"),
        ("/label/.ab/.1,2/.1.2/.x,1,y,b/.x=1.y=b", &[], r#"text: "ab", list: [1, 2], spread: [1, 2], object: Point { x: 1, y: ("b") }, pairs: Point { x: 1, y: ("b") }"#),
        ("/label/ab/1,2/.1/.x,1/.x=1", &[], "400 text style list style"),
        ("/matrix/;text=ab/;list=1,2/;spread=1;spread=2/;object=x,1,y,b/;x=1;y=b", &[], r#"text: "ab", list: [1, 2], spread: [1, 2], object: Point { x: 1, y: ("b") }, pairs: Point { x: 1, y: ("b") }"#),
        ("/matrix/;txt=ab/;list=1,x/;spread=1;other=2/;object=x,1/;x=1;z=b", &[], "400 text style spread style list/1 type pairs/z additionalProperties"),
        ("/matrix/;text/;list=1/;spread=1/;object=x,1/;x=1", &[], r#"text: "", list: [1], spread: [1], object: Point { x: 1, y: None }, pairs: Point { x: 1, y: None }"#),
    ])
    .await;
}

#[tokio::test]
async fn queries() {
    all(&[
        ("/query", &[], "count: 7"),
        (
            "/query?text=abc&list=1,2&spread=low&spread=high",
            &[],
            r#"text: ("abc"), list: ([1, 2]), spread: ([Low, High]), count: 7"#,
        ),
        ("/query?text=ABC&list=1,1&spread=none", &[], "400 text pattern list/1 uniqueItems spread/0 enum"),
        ("/query?list=1&list=2", &[], "400 list repeated"),
        ("/query?list=1%2C2", &[], "400 list/0 type"),
        // What is encoded is no delimiter, wherever there is a literal one to write (RFC 6570, 3.2.8).
        ("/query?texts=a%2Cb,c%2cd,%252C", &[], r#"texts: (["a,b", "c,d", "%2C"]), count: 7"#),
        ("/query?object=x,1,y,b%2Cc", &[], r#"object: (Point { x: 1, y: ("b,c") }), count: 7"#),
        ("/query?piece=x|1%7Cy|a,b", &[], r#"piece: (Point { x: 1, y: ("a,b") }), count: 7"#),
        ("/query?piece=x|1|y", &[], "400 piece style"),
        ("/query?list=", &[], "list: ([]), count: 7"),
        ("/query?spaced=a%20b&piped=a|b%7Cc", &[], r#"spaced: (["a", "b"]), piped: (["a", "b", "c"]), count: 7"#),
        ("/query?spaced=a+b,c", &[], r#"spaced: (["a", "b,c"]), count: 7"#),
        ("/query?object=x,1,y,b", &[], r#"object: (Point { x: 1, y: ("b") }), count: 7"#),
        ("/query?object=x,1,x,2", &[], "400 object style"),
        ("/query?px=1&py=2&py=3", &[], "pairs: (QueryPairs { px: (1), py: ([2, 3]) }), count: 7"),
        ("/query?px=a", &[], "400 pairs/px type"),
        (
            "/query?deep[a]=1&deep[b]=x&deep[b]=y&deep[c][on]=true",
            &[],
            r#"deep: (QueryDeep { a: (1), b: (["x", "y"]), c: ({"on": true}) }), count: 7"#,
        ),
        ("/query?deep%5Ba%5D=1", &[], "deep: (QueryDeep { a: (1), c: None }), count: 7"),
        ("/query?deep[b][]=x&deep[b][]=y", &[], r#"b: (["x", "y"]), c: None }), count: 7"#),
        ("/query?deep[b][0]=x&deep[b][1]=y", &[], r#"b: (["x", "y"]), c: None }), count: 7"#),
        ("/query?deep[z]=1", &[], "400 deep/z additionalProperties"),
        ("/query?deep[a][b]=1", &[], "400 deep style"),
        ("/query?deep=1", &[], "400 deep unknown"),
        ("/query?json=%5B%7B%22x%22:1%7D%5D", &[], "json: ([Point { x: 1, y: None }]), count: 7"),
        ("/query?json=%5B%7B%22x%22:%221%22%7D%5D", &[], "400 json/0/x type"),
        ("/query?json=%5B", &[], "400 json json"),
        ("/query?either=12", &[], "either: (Integer(12)), count: 7"),
        ("/query?either=true", &[], "either: (Boolean(true)), count: 7"),
        ("/query?either=abc", &[], r#"either: (Text("abc")), count: 7"#),
        ("/query?either=abcd", &[], "400 either oneOf"),
        ("/query?several=a", &[], r#"several: (List(["a"])), count: 7"#),
        ("/query?several=a&several=b", &[], r#"several: (List(["a", "b"])), count: 7"#),
        ("/query?count=0", &[], "400 count minimum"),
        ("/query?count=1.0", &[], "count: 1"),
        ("/query?count=1e3", &[], "count: 1000"),
        ("/query?count=+1", &[], "400 count type"),
        ("/query?count=99999999999999999999", &[], "400 count range"),
        ("/query?odd[name]=1.5", &[], "count: 7, odd_name: (1.5)"),
        ("/query?odd%5Bname%5D=NaN", &[], "400 odd[name] type"),
        ("/query?day=2024-02-30", &[], "400 day format"),
        ("/query?empty=", &[], r#"count: 7, empty: ("")"#),
        ("/query?empty", &[], r#"count: 7, empty: ("")"#),
        ("/query?empty=a%00b", &[], "400 empty style"),
        ("/query?empty=%FF", &[], "400 empty style"),
        ("/query?empty=%zz", &[], "400 empty style"),
        ("/query?nobody=1", &[], "400 nobody unknown"),
        ("/whole?a=1&b=x&b=y", &[], r#"all: (WholeAll { a: 1, b: (["x", "y"]) })"#),
        ("/whole?b=x&c=1", &[], "400 c unknown /a required"),
        ("/whole", &[], ""),
    ])
    .await;
}

#[tokio::test]
async fn headers_and_cookies() {
    all(&[
        ("/headers", &[("x-text", "abc"), ("x-list", "1, 2 ,3"), ("x-object", "x,1,y,b"), ("x-pairs", "x=1, y=b")], r#"x_text: ("abc"), x_list: ([1, 2, 3]), x_object: (Point { x: 1, y: ("b") }), x_pairs: (Point { x: 1, y: ("b") })"#),
        ("/headers", &[("x-text", "toolong"), ("x-list", "1,a"), ("x-object", "x,a"), ("x-pairs", "y=b")], "400 x-text maxLength x-list/1 type x-object/x type x-pairs/x required"),
        ("/headers", &[("x-list", "1"), ("x-list", "2")], "x_list: ([1, 2])"),
        ("/headers", &[("x-text", "a"), ("x-text", "b")], "400 x-text repeated"),
        ("/headers", &[("x-json", r#"{"x":1}"#)], "x_json: (Point { x: 1, y: None })"),
        ("/headers", &[("x-json", r#"{"x":1"#)], "400 x-json json"),
        ("/headers", &[("cookie", "plain=a; list=1,2; object=x,1,y,b; flag=true; other=1")], r#"plain: ("a"), list: ([1, 2]), object: (Point { x: 1, y: ("b") }), flag: (true)"#),
        ("/headers", &[("cookie", "plain=a; plain=b")], "400 plain repeated"),
        ("/headers", &[("cookie", "list=a; flag=maybe; object=z,1")], "400 list/0 type object/z additionalProperties object/x required flag type"),
        ("/headers", &[("cookie", "plain=a%20b")], r#"plain: ("a b")"#),
        // The style `cookie` has no escapes, and neither has a header field.
        ("/headers", &[("cookie", "bare=a%20b%; bares=a%2Cb,c")], r#"bare: ("a%20b%"), bares: (["a%2Cb", "c"])"#),
        ("/headers", &[("x-object", "x,1,y,b%2Cc")], r#"x_object: (Point { x: 1, y: ("b%2Cc") })"#),
        ("/headers", &[("cookie", "object=x,1,y,b%2Cc")], r#"object: (Point { x: 1, y: ("b,c") })"#),
        ("/headers", &[("cookie", "plain=\"a\"")], r#"plain: ("a")"#),
    ])
    .await;
}
