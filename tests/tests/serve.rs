//! Tables of requests against the generated bank: `tests/serve/*.yaml`. A row says what is sent and what must come back.
//!
//! Every row starts with fresh limits, so rows do not depend on their order. A key that this reader does not know fails,
//! and so does a table without rows: a case that cannot be read is not one that passed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, reason = "cases are files")]

use std::collections::BTreeMap;
use std::sync::Arc;

use gatewright::store::{Keys, MemoryStore, Order, Pepper, at_once};
use gatewright::{Config, FakeClock, Peer, Router};
use gatewright_tests::issuer::Issuer;
use http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use serde::Deserialize;
use serde_json::Value;
use tower::ServiceExt as _;

const NOW: i64 = 1_790_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    /// What it shows.
    name: String,
    /// `GET /v2/accounts`
    send: String,
    /// The claims of the token; none sends no token.
    #[serde(default)]
    token: Option<Value>,
    /// A whole `Authorization` value, in place of a token.
    #[serde(default)]
    authorization: Option<String>,
    /// The level of the API key; none sends no key.
    #[serde(default)]
    key: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// Where it comes from; 127.0.0.1 unless said.
    #[serde(default)]
    from: Option<String>,
    /// Whether it comes over plain HTTP.
    #[serde(default)]
    plain: bool,
    /// A JSON body.
    #[serde(default)]
    json: Option<Value>,
    /// A body, byte by byte.
    #[serde(default)]
    body: Option<String>,
    /// How often it is sent; the last answer counts.
    #[serde(default)]
    times: Option<u32>,
    status: u16,
    /// Header fields that must be there, with a part of their value.
    #[serde(default)]
    has: BTreeMap<String, String>,
    /// Header fields that must not.
    #[serde(default)]
    lacks: Vec<String>,
    /// Members that the JSON answer must have.
    #[serde(default)]
    answer: Option<Value>,
    /// `in pointer rule` of every violation, in any order.
    #[serde(default)]
    violations: Option<Vec<String>>,
    /// Text that must not stand anywhere in the answer.
    #[serde(default)]
    never: Vec<String>,
}

struct Bank {
    router: Router,
    issuer: Issuer,
    keys: BTreeMap<&'static str, String>,
}

fn bank() -> Bank {
    let issuer = Issuer::new();
    let store = Arc::new(MemoryStore::default());
    let pepper = Pepper::new(vec![9; 32]).unwrap();
    let keys = Keys::new(store.clone(), pepper.clone());
    let issue = |level: &'static str| {
        let order = Order { prefix: "bank".into(), level: Some(level.into()), ..Order::default() };
        (level, at_once(keys.issue(order, NOW)).unwrap().unwrap().text.to_string())
    };
    let keys = ["free", "premium"].map(issue).into();
    let config = Config::new().clock(Arc::new(FakeClock::at(NOW))).jwks("oauth", issuer.jwks());
    let config = config.passkeys(store.clone()).api_keys(store, pepper);
    Bank { router: gatewright_example_bank::app::router(config).expect("the bank starts"), issuer, keys }
}

fn request(bank: &Bank, row: &Row) -> Request<axum::body::Body> {
    let (method, uri) = row.send.split_once(' ').expect("`send` is `METHOD /path`");
    let mut request = Request::builder().method(method).uri(uri);
    if !row.headers.contains_key("host") {
        request = request.header("host", "localhost");
    }
    for (name, value) in &row.headers {
        // Several lines of one field are written on several lines.
        for value in value.lines() {
            request = request.header(name, value);
        }
    }
    if let Some(claims) = &row.token {
        request = request.header("authorization", format!("Bearer {}", bank.issuer.token(NOW, claims)));
    }
    if let Some(value) = &row.authorization {
        request = request.header("authorization", value);
    }
    if let Some(level) = &row.key {
        let key = bank.keys.get(level.as_str()).map_or(level.as_str(), String::as_str);
        request = request.header("x-api-key", key);
    }
    if row.json.is_some() && !row.headers.contains_key("content-type") {
        request = request.header("content-type", "application/json");
    }
    let body = row.json.as_ref().map(Value::to_string).or_else(|| row.body.clone()).unwrap_or_default();
    let mut request = request.body(axum::body::Body::from(body)).unwrap();
    let from = row.from.as_deref().unwrap_or("127.0.0.1").parse().expect("an address");
    let peer = Peer::new(std::net::SocketAddr::new(from, 4_711));
    request.extensions_mut().insert(if row.plain { peer } else { peer.over_tls() });
    request
}

/// Whether `have` has all that `want` says: objects member by member, the rest equal.
fn covers(have: &Value, want: &Value) -> bool {
    match (have, want) {
        (Value::Object(have), Value::Object(want)) => {
            want.iter().all(|(name, want)| have.get(name).is_some_and(|have| covers(have, want)))
        }
        (have, want) => have == want,
    }
}

fn judge(row: &Row, status: u16, headers: &HeaderMap, body: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(body);
    let fail = |what: String| Err(format!("{what}\n  {status} {headers:?}\n  {text}"));
    if status != row.status {
        return fail(format!("status {status}, not {}", row.status));
    }
    for (name, part) in &row.has {
        let values: Vec<&str> = headers.get_all(name.as_str()).iter().filter_map(|v| v.to_str().ok()).collect();
        if !values.iter().any(|value| value.contains(part.as_str())) {
            return fail(format!("`{name}` is {values:?}, without `{part}`"));
        }
    }
    if let Some(name) = row.lacks.iter().find(|name| headers.contains_key(name.as_str())) {
        return fail(format!("`{name}` should not be there"));
    }
    if let Some(secret) = row.never.iter().find(|secret| text.contains(secret.as_str())) {
        return fail(format!("`{secret}` should not be shown"));
    }
    let json: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    if status >= 400 {
        let kind = headers.get("content-type").and_then(|v| v.to_str().ok()).unwrap_or_default();
        let problem = text.is_empty() || (kind == "application/problem+json" && json["status"] == status);
        if !problem {
            return fail("an error that is no problem document".to_owned());
        }
    }
    for name in ["x-content-type-options", "cache-control", "x-request-id"] {
        if !headers.contains_key(name) {
            return fail(format!("`{name}` is missing"));
        }
    }
    if let Some(want) = &row.answer
        && !covers(&json, want)
    {
        return fail(format!("the answer has not {want}"));
    }
    if let Some(want) = &row.violations {
        let part = |error: &Value, name: &str| error[name].as_str().unwrap_or_default().to_owned();
        let mut have: Vec<String> = json["errors"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|e| {
                let named = part(e, "name");
                let place = if named.is_empty() { part(e, "in") } else { format!("{}:{named}", part(e, "in")) };
                let words = [place, part(e, "pointer"), part(e, "rule")];
                words.into_iter().filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ")
            })
            .collect();
        have.sort();
        let mut want = want.clone();
        want.sort();
        if have != want {
            return fail(format!("violations are {have:#?}"));
        }
    }
    Ok(())
}

#[tokio::test]
async fn every_row_of_every_table() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("serve");
    let mut tables: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    tables.retain(|path| path.extension().is_some_and(|e| e == "yaml"));
    tables.sort();
    assert!(!tables.is_empty(), "tests/serve has no table");
    let mut failures = Vec::new();
    for table in tables {
        let name = table.file_stem().unwrap().to_string_lossy().into_owned();
        let rows: Vec<Row> =
            serde_yaml::from_str(&std::fs::read_to_string(&table).unwrap()).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(!rows.is_empty(), "{name} has no row");
        for row in rows {
            let bank = bank();
            let mut last = None;
            for _ in 0..row.times.unwrap_or(1) {
                let response = bank.router.clone().oneshot(request(&bank, &row)).await.unwrap();
                last = Some(response.into_parts());
            }
            let (parts, body) = last.expect("sent at least once");
            let body = body.collect().await.unwrap().to_bytes();
            if let Err(why) = judge(&row, parts.status.as_u16(), &parts.headers, &body) {
                failures.push(format!("{name}: {}: {why}", row.name));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// An axum handler that knows nothing of Gatewright, behind the guard of an operation.
#[tokio::test]
async fn an_untouched_handler_behind_its_guard() {
    use axum::Extension;
    use axum::routing::get;
    use gatewright::{GuardLayer, Identity};
    use gatewright_example_bank::api::v2;
    use gatewright_example_bank::app::Bank;

    let issuer = Issuer::new();
    let config = Config::new().clock(Arc::new(FakeClock::at(NOW))).jwks("oauth", issuer.jwks());
    let store = Arc::new(MemoryStore::default());
    let config = config.passkeys(store.clone()).api_keys(store, Pepper::new(vec![9; 32]).unwrap());
    let bank = Arc::new(Bank { ledger: gatewright_example_bank::ledger::Ledger::with_examples() });
    let partial = v2::partial(bank).external::<v2::get_tenant_report::Op>().operation::<v2::get_health::Op>();
    let (api, gateway) = gatewright::serve([partial.mount()], config).unwrap();
    let layer = GuardLayer::<v2::get_tenant_report::Op>::new(&gateway).unwrap();
    // A list of owned objects leaves only as what was filtered, which an untouched handler cannot show.
    let refused = GuardLayer::<v2::list_accounts::Op>::new(&gateway).unwrap_err();
    assert!(refused.to_string().contains("`listAccounts`"), "{refused}");
    let entered = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = Arc::clone(&entered);
    let old = move |Extension(who): Extension<Arc<Identity>>| async move {
        count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        format!("hello {}", who.subject().unwrap_or_default())
    };
    let router = Router::new().route("/v2/tenants/{tenantId}/report", get(old).layer(layer)).merge(api);

    let ask = async |path: &str, claims: Option<Value>| {
        let mut request = Request::builder().uri(path).header("host", "localhost");
        if let Some(claims) = claims {
            request = request.header("authorization", format!("Bearer {}", issuer.token(NOW, &claims)));
        }
        let mut request = request.body(axum::body::Body::empty()).unwrap();
        request.extensions_mut().insert(Peer::new("127.0.0.1:4711".parse().unwrap()).over_tls());
        let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
        (parts.status.as_u16(), String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap())
    };
    let ann = |tenant: &str| {
        Some(serde_json::json!({ "sub": "ann", "roles": ["auditor"], "tenant": tenant, "department": "risk" }))
    };
    assert_eq!(ask("/v2/tenants/acme/report", None).await.0, 401);
    assert_eq!(ask("/v2/tenants/acme/report", ann("other")).await.0, 403);
    assert_eq!(ask("/v2/tenants/acme/report?x=1", ann("acme")).await.0, 400);
    assert_eq!(ask("/v2/health", None).await.0, 204);
    assert_eq!(entered.load(std::sync::atomic::Ordering::SeqCst), 0, "the handler was entered");
    assert_eq!(ask("/v2/tenants/acme/report", ann("acme")).await, (200, "hello ann".to_owned()));
}
