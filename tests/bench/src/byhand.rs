//! The bank's two benchmarked operations as a careful engineer would write them by hand on axum: the same credential
//! check with a cache, the same scopes, the same limits, the same ownership rule, the same validation with every violation
//! listed, the same headers; and, as every generated operation has them, a bound on the requests that are worked on, a
//! deadline, panics that end a request alone, and counters. All inline, since layers would box each request once more.
//! What the generated server is measured against.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Uri, header};
use axum::routing::{get, post};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};

use gatewright_example_bank::ledger::{Ledger, Refused};

/// Everything the handlers share.
pub(crate) struct Shared {
    ledger: Ledger,
    key: DecodingKey,
    validation: Validation,
    tokens: Cache<String, Arc<Caller>>,
    limits: Mutex<HashMap<Key, Instant>>,
    requests: AtomicU64,
    working: AtomicUsize,
    counts: Counts,
}

/// What is counted of the answers: by class of status, and by time.
#[derive(Default)]
struct Counts {
    statuses: [AtomicU64; 5],
    times: [AtomicU64; BOUNDS.len() + 1],
    nanoseconds: AtomicU64,
}

/// Bounds of the counted times, in milliseconds.
const BOUNDS: [u64; 8] = [1, 5, 10, 50, 100, 500, 1_000, 5_000];
/// How many requests are worked on at a time.
const MOST: usize = 1_024;
/// How long a request may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// One of the requests that are worked on, until it is dropped.
struct Working<'a>(&'a AtomicUsize);

impl Drop for Working<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// By what a limit counts.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Address(IpAddr),
    User(Arc<str>),
    Tenant(Arc<str>),
}

/// Every limit of this server. Nobody reaches it: requests are counted and told of it, none is refused.
const LIMIT: u32 = 4_000_000_000;
const INTERVAL: Duration = Duration::from_nanos(15);
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STANDING: HeaderName = HeaderName::from_static("ratelimit");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The fields that every answer has.
const FIELDS: [(HeaderName, HeaderValue); 6] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=63072000; includeSubDomains")),
];

/// How many requests each limit still lets pass, by the limit's name, as the `RateLimit` field says it.
#[derive(Default)]
struct Standing {
    text: String,
    policy: Option<HeaderValue>,
}

/// Who calls.
struct Caller {
    subject: Arc<str>,
    tenant: Arc<str>,
    scopes: Vec<String>,
    roles: Vec<String>,
    verified: bool,
    expires: u64,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    tenant: String,
    #[serde(default)]
    email_verified: bool,
    exp: u64,
}

/// What the echoes give back.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Note {
    from: String,
    to: String,
    text: String,
    urgent: bool,
    amount: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewTransfer {
    to: String,
    amount: i64,
    currency: String,
    #[serde(default)]
    reference: Option<String>,
    #[serde(default)]
    scheduled_for: Option<String>,
    #[serde(default)]
    labels: Option<Vec<String>>,
    #[serde(default)]
    metadata: Option<HashMap<String, String>>,
}

#[derive(Serialize)]
struct Account<'a> {
    id: &'a str,
    currency: &'a str,
    balance: i64,
    status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    nickname: Option<&'a str>,
    #[serde(rename = "ownerName")]
    owner_name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Transfer<'a> {
    id: String,
    from: &'a str,
    to: &'a str,
    amount: i64,
    currency: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    created_at: &'a str,
    state: &'a str,
}

#[derive(Serialize)]
struct Fault {
    pointer: String,
    rule: &'static str,
    detail: &'static str,
}

/// The router, for tokens that verify with this key.
pub(crate) fn router(ledger: Ledger, key: DecodingKey, issuer: &str, audience: &str) -> Router {
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    let shared = Shared {
        ledger,
        key,
        validation,
        tokens: Cache::new(10_000),
        limits: Mutex::default(),
        requests: AtomicU64::new(0),
        working: AtomicUsize::new(0),
        counts: Counts::default(),
    };
    Router::new()
        .route("/v2/accounts/{id}", get(get_account))
        .route("/v2/accounts/{id}/transfers", post(create_transfer))
        .route("/open", post(echoes))
        .route("/token", post(echoes))
        .with_state(Arc::new(shared))
}

impl Shared {
    fn caller(&self, headers: &HeaderMap) -> Result<Arc<Caller>, Box<Response<Body>>> {
        let refuse = || Box::new(self.problem(StatusCode::UNAUTHORIZED, "credential-invalid", Vec::new()));
        let mut lines = headers.get_all(header::AUTHORIZATION).iter();
        let (Some(line), None) = (lines.next(), lines.next()) else { return Err(refuse()) };
        let value = line.to_str().map_err(|_| refuse())?;
        let token = value.strip_prefix("Bearer ").ok_or_else(refuse)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
        if let Some(caller) = self.tokens.get(token)
            && caller.expires + 30 > now
        {
            return Ok(caller);
        }
        let claims = jsonwebtoken::decode::<Claims>(token, &self.key, &self.validation).map_err(|_| refuse())?.claims;
        let caller = Arc::new(Caller {
            subject: claims.sub.into(),
            tenant: claims.tenant.into(),
            scopes: claims.scope.split(' ').map(str::to_owned).collect(),
            roles: claims.roles,
            verified: claims.email_verified,
            expires: claims.exp,
        });
        self.tokens.insert(token.to_owned(), Arc::clone(&caller));
        Ok(caller)
    }

    /// GCRA with one timestamp a key. `false`: too many.
    fn take(&self, key: Key, name: &'static str, standing: &mut Standing) -> bool {
        let now = Instant::now();
        let tolerance = INTERVAL * LIMIT;
        let next = {
            let mut cells = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
            let cell = cells.entry(key).or_insert(now);
            let next = (*cell).max(now) + INTERVAL;
            if next.duration_since(now) > tolerance {
                return false;
            }
            *cell = next;
            next
        };
        let left = (tolerance - next.duration_since(now)).as_nanos() / INTERVAL.as_nanos();
        let comma = if standing.text.is_empty() { "" } else { ", " };
        let _ = write!(standing.text, "{comma}\"{name}\";r={left};t=1");
        true
    }

    fn finish(&self, mut response: Response<Body>, standing: Standing) -> Response<Body> {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let headers = response.headers_mut();
        headers.reserve(12);
        for (name, value) in FIELDS {
            headers.insert(name, value);
        }
        if let (Some(policy), Ok(value)) = (standing.policy, HeaderValue::try_from(standing.text)) {
            headers.insert(POLICY, policy);
            headers.insert(STANDING, value);
        }
        if let Ok(value) = HeaderValue::try_from(format!("{number:016x}")) {
            headers.insert(REQUEST_ID, value);
        }
        response
    }

    /// What both operations check before anybody is looked at: the host, and the address's rate.
    fn arrive(&self, headers: &HeaderMap, uri: &Uri, peer: IpAddr) -> Result<Standing, Box<Response<Body>>> {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        if !matches!(host.split_once(':').map_or(host, |(name, _)| name), "localhost" | "127.0.0.1") {
            return Err(Box::new(self.problem(StatusCode::MISDIRECTED_REQUEST, "misdirected-request", Vec::new())));
        }
        let mut standing = Standing::default();
        if !self.take(Key::Address(peer), "ip", &mut standing) {
            return Err(Box::new(self.problem(StatusCode::TOO_MANY_REQUESTS, "rate-limited", Vec::new())));
        }
        // Neither operation has a parameter in its query.
        if uri.query().is_some_and(|query| !query.is_empty()) {
            return Err(Box::new(self.problem(StatusCode::BAD_REQUEST, "validation-failed", Vec::new())));
        }
        Ok(standing)
    }

    /// The body of a request, bounded in type, size and time.
    async fn received(&self, headers: &HeaderMap, body: Body) -> Result<Bytes, Box<Response<Body>>> {
        if headers.get(header::CONTENT_TYPE).is_none_or(|v| v != "application/json") {
            let problem = self.problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", Vec::new());
            return Err(Box::new(problem));
        }
        match tokio::time::timeout(Duration::from_secs(5), axum::body::to_bytes(body, 16 << 10)).await {
            Ok(Ok(bytes)) => Ok(bytes),
            _ => Err(Box::new(self.problem(StatusCode::PAYLOAD_TOO_LARGE, "content-too-large", Vec::new()))),
        }
    }

    /// What every request goes through: a place, a deadline, an end to panics, and the counters.
    async fn within(&self, work: impl Future<Output = Response<Body>>) -> Response<Body> {
        let began = Instant::now();
        let working = self.working.fetch_add(1, Ordering::Relaxed);
        let _working = Working(&self.working);
        if working >= MOST {
            return self.problem(StatusCode::SERVICE_UNAVAILABLE, "overloaded", Vec::new());
        }
        let mut work = pin!(work);
        let caught = poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(response)) => Poll::Ready(Some(response)),
            Err(_) => Poll::Ready(None),
        });
        let response = match tokio::time::timeout(DEADLINE, caught).await {
            Ok(Some(response)) => response,
            Ok(None) => self.problem(StatusCode::INTERNAL_SERVER_ERROR, "internal", Vec::new()),
            Err(_) => self.problem(StatusCode::GATEWAY_TIMEOUT, "timeout", Vec::new()),
        };
        let took = began.elapsed();
        let slot = BOUNDS.partition_point(|bound| u128::from(*bound) < took.as_millis());
        let class = usize::from(response.status().as_u16() / 100).saturating_sub(1);
        for counter in [self.counts.statuses.get(class), self.counts.times.get(slot)].into_iter().flatten() {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        self.counts.nanoseconds.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        response
    }

    fn problem(&self, status: StatusCode, kind: &str, errors: Vec<Fault>) -> Response<Body> {
        let body = serde_json::json!({
            "type": format!("https://bank.example/problems/{kind}"),
            "title": status.canonical_reason(),
            "status": status.as_u16(),
            "errors": errors,
        });
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        self.finish(response, Standing::default())
    }

    fn json(&self, status: StatusCode, value: &impl Serialize, standing: Standing) -> Response<Body> {
        let mut response = Response::new(Body::from(serde_json::to_vec(value).unwrap_or_default()));
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.finish(response, standing)
    }
}

fn is_account(id: &str) -> bool {
    id.strip_prefix("acc_")
        .is_some_and(|rest| rest.len() == 6 && rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
}

async fn get_account(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response<Body> {
    shared.within(account(&shared, peer.ip(), &id, &uri, &headers)).await
}

async fn account(shared: &Shared, peer: IpAddr, id: &str, uri: &Uri, headers: &HeaderMap) -> Response<Body> {
    let mut standing = match shared.arrive(headers, uri, peer) {
        Ok(standing) => standing,
        Err(response) => return *response,
    };
    standing.policy = Some(HeaderValue::from_static("\"ip\";q=4000000000;w=60"));
    let caller = match shared.caller(headers) {
        Ok(caller) => caller,
        Err(response) => return *response,
    };
    if !caller.scopes.iter().any(|s| s == "accounts:read") {
        return shared.problem(StatusCode::FORBIDDEN, "insufficient-scope", Vec::new());
    }
    if !is_account(id) {
        let fault = Fault { pointer: String::new(), rule: "pattern", detail: "must match the pattern" };
        return shared.problem(StatusCode::BAD_REQUEST, "validation-failed", vec![fault]);
    }
    match shared.ledger.account(id).filter(|account| *account.owner == *caller.subject) {
        None => shared.problem(StatusCode::NOT_FOUND, "not-found", Vec::new()),
        Some(account) => shared.json(
            StatusCode::OK,
            &Account {
                id: &account.id,
                currency: account.currency,
                balance: account.balance,
                status: "open",
                nickname: account.nickname.as_deref(),
                owner_name: &account.owner,
            },
            standing,
        ),
    }
}

async fn create_transfer(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response<Body> {
    shared.within(transfer(&shared, peer.ip(), &id, &uri, &headers, body)).await
}

async fn transfer(
    shared: &Shared,
    peer: IpAddr,
    id: &str,
    uri: &Uri,
    headers: &HeaderMap,
    body: Body,
) -> Response<Body> {
    let mut standing = match shared.arrive(headers, uri, peer) {
        Ok(standing) => standing,
        Err(response) => return *response,
    };
    let caller = match shared.caller(headers) {
        Ok(caller) => caller,
        Err(response) => return *response,
    };
    if !caller.scopes.iter().any(|s| s == "transfers:write") || !caller.verified {
        return shared.problem(StatusCode::FORBIDDEN, "insufficient-scope", Vec::new());
    }
    if !shared.take(Key::User(caller.subject.clone()), "user", &mut standing)
        || !shared.take(Key::Tenant(caller.tenant.clone()), "claim", &mut standing)
    {
        return shared.problem(StatusCode::TOO_MANY_REQUESTS, "rate-limited", Vec::new());
    }
    standing.policy = Some(HeaderValue::from_static(
        "\"ip\";q=4000000000;w=60, \"user\";q=4000000000;w=60, \"claim\";q=4000000000;w=60",
    ));
    let bytes = match shared.received(headers, body).await {
        Ok(bytes) => bytes,
        Err(response) => return *response,
    };
    let order: NewTransfer = match serde_json::from_slice(&bytes) {
        Ok(order) => order,
        Err(_) => return shared.problem(StatusCode::BAD_REQUEST, "malformed-body", Vec::new()),
    };
    let faults = validate(&order, id);
    if !faults.is_empty() {
        return shared.problem(StatusCode::BAD_REQUEST, "validation-failed", faults);
    }
    let Some(account) = shared.ledger.account(id).filter(|account| *account.owner == *caller.subject) else {
        return shared.problem(StatusCode::NOT_FOUND, "not-found", Vec::new());
    };
    match shared.ledger.transfer(&account.id, &order.to, order.amount, order.reference) {
        Ok(moved) => {
            let mut response = shared.json(
                StatusCode::CREATED,
                &Transfer {
                    id: format!("00000000-0000-4000-8000-{:012x}", moved.number),
                    from: &moved.from,
                    to: &moved.to,
                    amount: moved.amount,
                    currency: moved.currency,
                    reference: moved.reference.as_deref(),
                    created_at: "2026-01-01T00:00:00Z",
                    state: "done",
                },
                standing,
            );
            let location = format!("/v2/accounts/{}/transfers", account.id);
            if let Ok(value) = HeaderValue::from_str(&location) {
                response.headers_mut().insert(header::LOCATION, value);
            }
            response
        }
        Err(Refused::Insufficient { .. } | Refused::NoReceiver) => {
            shared.problem(StatusCode::CONFLICT, "insufficient-funds", Vec::new())
        }
    }
}

async fn echoes(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response<Body> {
    shared.within(echo(&shared, peer.ip(), &uri, &headers, body)).await
}

/// As the operations `echoOpen` and `echoToken` of `spec/shop.yaml`.
async fn echo(shared: &Shared, peer: IpAddr, uri: &Uri, headers: &HeaderMap, body: Body) -> Response<Body> {
    let mut standing = match shared.arrive(headers, uri, peer) {
        Ok(standing) => standing,
        Err(response) => return *response,
    };
    standing.policy = Some(HeaderValue::from_static("\"ip\";q=4000000000;w=60"));
    if uri.path() == "/token" {
        let caller = match shared.caller(headers) {
            Ok(caller) => caller,
            Err(response) => return *response,
        };
        let allowed = caller.scopes.iter().any(|s| s == "echo:write") && caller.roles.iter().any(|r| r == "clerk");
        let near = matches!(peer, IpAddr::V4(v4) if v4.is_loopback() || v4.is_private());
        if !allowed || !near {
            return shared.problem(StatusCode::FORBIDDEN, "insufficient-scope", Vec::new());
        }
        if !shared.take(Key::User(caller.subject.clone()), "user", &mut standing) {
            return shared.problem(StatusCode::TOO_MANY_REQUESTS, "rate-limited", Vec::new());
        }
        standing.policy = Some(HeaderValue::from_static("\"ip\";q=4000000000;w=60, \"user\";q=4000000000;w=60"));
    }
    let bytes = match shared.received(headers, body).await {
        Ok(bytes) => bytes,
        Err(response) => return *response,
    };
    let note: Note = match serde_json::from_slice(&bytes) {
        Ok(note) => note,
        Err(_) => return shared.problem(StatusCode::BAD_REQUEST, "malformed-body", Vec::new()),
    };
    let mut faults = Vec::new();
    for (pointer, text, most) in [("/from", &note.from, 40), ("/to", &note.to, 40), ("/text", &note.text, 200)] {
        if text.len() > most && text.chars().count() > most {
            faults.push(Fault { pointer: pointer.into(), rule: "maxLength", detail: "is too long" });
        }
    }
    if note.amount < 0 {
        faults.push(Fault { pointer: "/amount".into(), rule: "minimum", detail: "must be at least 0" });
    }
    if !faults.is_empty() {
        return shared.problem(StatusCode::BAD_REQUEST, "validation-failed", faults);
    }
    shared.json(StatusCode::OK, &note, standing)
}

/// The rules of `NewTransfer`, each violation listed.
fn validate(order: &NewTransfer, id: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    // Pointers are only made where they are needed.
    let mut fault = |ok: bool, pointer: &dyn Fn() -> String, rule: &'static str, detail: &'static str| {
        if !ok {
            faults.push(Fault { pointer: pointer(), rule, detail });
        }
    };
    fault(is_account(id), &|| "".into(), "pattern", "must match the pattern");
    fault(is_account(&order.to), &|| "/to".into(), "pattern", "must match the pattern");
    fault((1..=100_000_000).contains(&order.amount), &|| "/amount".into(), "maximum", "must be from 1 to 100000000");
    fault(
        matches!(&*order.currency, "CHF" | "EUR" | "USD"),
        &|| "/currency".into(),
        "enum",
        "must be one of the listed",
    );
    if let Some(reference) = &order.reference {
        let length = reference.chars().count();
        fault((1..=140).contains(&length), &|| "/reference".into(), "maxLength", "must have 1 to 140 characters");
    }
    if let Some(day) = &order.scheduled_for {
        fault(day.parse::<jiff::civil::Date>().is_ok(), &|| "/scheduledFor".into(), "format", "must be a date");
    }
    if let Some(labels) = &order.labels {
        fault(labels.len() <= 5, &|| "/labels".into(), "maxItems", "must have at most 5 items");
        let unique = labels.iter().enumerate().all(|(i, label)| labels.iter().skip(i + 1).all(|other| other != label));
        fault(unique, &|| "/labels".into(), "uniqueItems", "must not repeat an item");
        for (index, label) in labels.iter().enumerate() {
            let sound = label.len() <= 20
                && label.bytes().next().is_some_and(|b| b.is_ascii_lowercase())
                && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            fault(sound, &|| format!("/labels/{index}"), "pattern", "must match the pattern");
        }
    }
    if let Some(metadata) = &order.metadata {
        fault(metadata.len() <= 10, &|| "/metadata".into(), "maxProperties", "must have at most 10 members");
        for (name, value) in metadata {
            fault(value.chars().count() <= 100, &|| format!("/metadata/{name}"), "maxLength", "is too long");
        }
    }
    faults
}
