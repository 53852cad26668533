//! The bank's two benchmarked operations as a careful engineer would write them by hand on axum: the same credential
//! check with a cache, the same scopes, the same limits, the same ownership rule, the same validation with every violation
//! listed, the same headers. What the generated server is measured against.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
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
    limits: Mutex<HashMap<String, Instant>>,
    requests: std::sync::atomic::AtomicU64,
}

/// Who calls.
struct Caller {
    subject: String,
    tenant: String,
    scopes: Vec<String>,
    verified: bool,
    expires: u64,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    tenant: String,
    #[serde(default)]
    email_verified: bool,
    exp: u64,
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
        requests: std::sync::atomic::AtomicU64::new(0),
    };
    Router::new()
        .route("/v2/accounts/{id}", get(get_account))
        .route("/v2/accounts/{id}/transfers", post(create_transfer))
        .with_state(Arc::new(shared))
}

impl Shared {
    fn caller(&self, headers: &HeaderMap) -> Result<Arc<Caller>, Box<Response<Body>>> {
        let refuse = || Box::new(self.problem(StatusCode::UNAUTHORIZED, "credential-invalid", Vec::new()));
        let value = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).ok_or_else(refuse)?;
        let token = value.strip_prefix("Bearer ").ok_or_else(refuse)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
        if let Some(caller) = self.tokens.get(token)
            && caller.expires + 30 > now
        {
            return Ok(caller);
        }
        let claims = jsonwebtoken::decode::<Claims>(token, &self.key, &self.validation).map_err(|_| refuse())?.claims;
        let caller = Arc::new(Caller {
            subject: claims.sub,
            tenant: claims.tenant,
            scopes: claims.scope.split(' ').map(str::to_owned).collect(),
            verified: claims.email_verified,
            expires: claims.exp,
        });
        self.tokens.insert(token.to_owned(), Arc::clone(&caller));
        Ok(caller)
    }

    /// GCRA with one timestamp a key.
    fn take(&self, key: String, per: Duration, burst: u32) -> bool {
        let now = Instant::now();
        let mut cells = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
        let cell = cells.entry(key).or_insert(now);
        let next = (*cell).max(now) + per;
        if next.duration_since(now) > per * burst {
            return false;
        }
        *cell = next;
        true
    }

    fn finish(&self, mut response: Response<Body>) -> Response<Body> {
        let number = self.requests.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let headers = response.headers_mut();
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
            ("strict-transport-security", "max-age=63072000; includeSubDomains"),
            ("ratelimit-policy", "\"ip\";q=100000000;w=60"),
            ("ratelimit", "\"ip\";r=99999999;t=1"),
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        if let Ok(value) = HeaderValue::from_str(&format!("{number:016x}")) {
            headers.insert(HeaderName::from_static("x-request-id"), value);
        }
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
        self.finish(response)
    }

    fn json(&self, status: StatusCode, value: &impl Serialize) -> Response<Body> {
        let mut response = Response::new(Body::from(serde_json::to_vec(value).unwrap_or_default()));
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.finish(response)
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
    headers: HeaderMap,
) -> Response<Body> {
    if headers.get(header::HOST).is_none_or(|host| !host.as_bytes().starts_with(b"localhost")) {
        return shared.problem(StatusCode::MISDIRECTED_REQUEST, "misdirected-request", Vec::new());
    }
    if !shared.take(peer.ip().to_string(), Duration::from_nanos(1), 1_000_000) {
        return shared.problem(StatusCode::TOO_MANY_REQUESTS, "rate-limited", Vec::new());
    }
    let caller = match shared.caller(&headers) {
        Ok(caller) => caller,
        Err(response) => return *response,
    };
    if !caller.scopes.iter().any(|s| s == "accounts:read") {
        return shared.problem(StatusCode::FORBIDDEN, "insufficient-scope", Vec::new());
    }
    if !is_account(&id) {
        let fault = Fault { pointer: String::new(), rule: "pattern", detail: "must match the pattern" };
        return shared.problem(StatusCode::BAD_REQUEST, "validation-failed", vec![fault]);
    }
    match shared.ledger.account(&id).filter(|account| account.owner == caller.subject) {
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
        ),
    }
}

async fn create_transfer(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response<Body> {
    if headers.get(header::HOST).is_none_or(|host| !host.as_bytes().starts_with(b"localhost")) {
        return shared.problem(StatusCode::MISDIRECTED_REQUEST, "misdirected-request", Vec::new());
    }
    if !shared.take(peer.ip().to_string(), Duration::from_nanos(1), 1_000_000) {
        return shared.problem(StatusCode::TOO_MANY_REQUESTS, "rate-limited", Vec::new());
    }
    let caller = match shared.caller(&headers) {
        Ok(caller) => caller,
        Err(response) => return *response,
    };
    if !caller.scopes.iter().any(|s| s == "transfers:write") || !caller.verified {
        return shared.problem(StatusCode::FORBIDDEN, "insufficient-scope", Vec::new());
    }
    let user = format!("user:{}", caller.subject);
    let tenant = format!("tenant:{}", caller.tenant);
    if !shared.take(user, Duration::from_nanos(1), 1_000_000)
        || !shared.take(tenant, Duration::from_nanos(1), 1_000_000)
    {
        return shared.problem(StatusCode::TOO_MANY_REQUESTS, "rate-limited", Vec::new());
    }
    if headers.get(header::CONTENT_TYPE).is_none_or(|v| v != "application/json") {
        return shared.problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", Vec::new());
    }
    let bytes: Bytes = match tokio::time::timeout(Duration::from_secs(5), axum::body::to_bytes(body, 16 << 10)).await {
        Ok(Ok(bytes)) => bytes,
        _ => return shared.problem(StatusCode::PAYLOAD_TOO_LARGE, "content-too-large", Vec::new()),
    };
    let order: NewTransfer = match serde_json::from_slice(&bytes) {
        Ok(order) => order,
        Err(_) => return shared.problem(StatusCode::BAD_REQUEST, "malformed-body", Vec::new()),
    };
    let faults = validate(&order, &id);
    if !faults.is_empty() {
        return shared.problem(StatusCode::BAD_REQUEST, "validation-failed", faults);
    }
    let Some(account) = shared.ledger.account(&id).filter(|account| account.owner == caller.subject) else {
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

/// The rules of `NewTransfer`, each violation listed.
fn validate(order: &NewTransfer, id: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut fault = |ok: bool, pointer: &str, rule: &'static str, detail: &'static str| {
        if !ok {
            faults.push(Fault { pointer: pointer.to_owned(), rule, detail });
        }
    };
    fault(is_account(id), "", "pattern", "must match the pattern");
    fault(is_account(&order.to), "/to", "pattern", "must match the pattern");
    fault((1..=100_000_000).contains(&order.amount), "/amount", "maximum", "must be from 1 to 100000000");
    fault(matches!(&*order.currency, "CHF" | "EUR" | "USD"), "/currency", "enum", "must be one of the listed");
    if let Some(reference) = &order.reference {
        let length = reference.chars().count();
        fault((1..=140).contains(&length), "/reference", "maxLength", "must have 1 to 140 characters");
    }
    if let Some(day) = &order.scheduled_for {
        fault(day.parse::<jiff::civil::Date>().is_ok(), "/scheduledFor", "format", "must be a date");
    }
    if let Some(labels) = &order.labels {
        fault(labels.len() <= 5, "/labels", "maxItems", "must have at most 5 items");
        let unique = labels.iter().enumerate().all(|(i, label)| labels.iter().skip(i + 1).all(|other| other != label));
        fault(unique, "/labels", "uniqueItems", "must not repeat an item");
        for (index, label) in labels.iter().enumerate() {
            let sound = label.len() <= 20
                && label.bytes().next().is_some_and(|b| b.is_ascii_lowercase())
                && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            fault(sound, &format!("/labels/{index}"), "pattern", "must match the pattern");
        }
    }
    if let Some(metadata) = &order.metadata {
        fault(metadata.len() <= 10, "/metadata", "maxProperties", "must have at most 10 members");
        for (name, value) in metadata {
            fault(value.chars().count() <= 100, &format!("/metadata/{name}"), "maxLength", "is too long");
        }
    }
    faults
}
