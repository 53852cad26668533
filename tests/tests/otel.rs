//! Spans, as a collector gets them. The collector is a double: it takes what OTLP over HTTP sends and reads it back with the
//! protocol's own types; it stores and shows nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::routing::get;
use gatewright::server::{Running, Server};
use gatewright::store::{MemoryStore, Pepper};
use gatewright::{Config, FakeClock, Gateway, GuardLayer, Peer, Router, TraceContext, Traces};
use gatewright_example_bank::api::v2;
use gatewright_example_bank::app::Bank;
use gatewright_tests::issuer::Issuer;
use http::Request;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

const NOW: i64 = 1_790_000_000;
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// What came to the collector, byte for byte.
#[derive(Clone, Default)]
struct Came(Arc<Mutex<Vec<Bytes>>>);

impl Came {
    fn batches(&self) -> Vec<ExportTraceServiceRequest> {
        self.0.lock().unwrap().iter().map(|bytes| ExportTraceServiceRequest::decode(&bytes[..]).unwrap()).collect()
    }

    fn spans(&self) -> Vec<Span> {
        let batches = self.batches();
        let resources = batches.into_iter().flat_map(|batch| batch.resource_spans);
        resources.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect()
    }

    /// The spans of requests, each with those below it.
    fn requests(&self) -> Vec<(Span, Vec<Span>)> {
        let spans = self.spans();
        let below = |id: &[u8]| spans.iter().filter(|span| span.parent_span_id == id).cloned().collect();
        spans.iter().filter(|span| span.kind == 2).map(|span| (span.clone(), below(&span.span_id))).collect()
    }
}

fn said(span: &Span) -> BTreeMap<String, String> {
    let text = |value: &Any| match value {
        Any::StringValue(text) => text.clone(),
        Any::IntValue(n) => n.to_string(),
        other => panic!("{other:?}"),
    };
    span.attributes.iter().map(|a| (a.key.clone(), text(a.value.as_ref().unwrap().value.as_ref().unwrap()))).collect()
}

fn collector(status: u16) -> (Running, Came) {
    let came = Came::default();
    let keep = came.clone();
    let router = Router::new().fallback(move |uri: http::Uri, headers: http::HeaderMap, body: Bytes| async move {
        assert_eq!((uri.path(), &headers["content-type"]), ("/v1/traces", &"application/x-protobuf".parse().unwrap()));
        keep.0.lock().unwrap().push(body);
        http::StatusCode::from_u16(status).unwrap()
    });
    (Server::new(router).plain(([127, 0, 0, 1], 0).into()).unwrap(), came)
}

struct Setup {
    router: Router,
    gateway: Gateway,
    issuer: Issuer,
}

/// The bank, whose report an untouched handler answers with the trace that it finds itself in.
fn setup(traces: Traces) -> Setup {
    let issuer = Issuer::new();
    let store = Arc::new(MemoryStore::default());
    let config = Config::new()
        .variables([("BANK_PROXY_NETWORK", "10.0.0.0/8")])
        .clock(Arc::new(FakeClock::at(NOW)))
        .jwks("oauth", issuer.jwks())
        .passkeys(store.clone())
        .api_keys(store, Pepper::new(vec![9; 32]).unwrap())
        .traces(traces);
    let bank = Arc::new(Bank { ledger: gatewright_example_bank::ledger::Ledger::with_examples() });
    let partial = v2::partial(bank)
        .external::<v2::get_tenant_report::Op>()
        .operation::<v2::get_health::Op>()
        .operation::<v2::get_account::Op>()
        .operation::<v2::start_recovery::Op>();
    let (api, gateway) = gatewright::serve([partial.mount()], config).unwrap();
    let layer = GuardLayer::<v2::get_tenant_report::Op>::new(&gateway).unwrap();
    let report = async |Extension(trace): Extension<TraceContext>| trace.to_string();
    let router = Router::new().route("/v2/tenants/{tenantId}/report", get(report).layer(layer)).merge(api);
    Setup { router, gateway, issuer }
}

impl Setup {
    async fn send(&self, from: &str, call: &str, claims: Option<Value>, headers: &[(&str, &str)]) -> (u16, String) {
        let (method, path) = call.split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(claims) = claims {
            request = request.header("authorization", format!("Bearer {}", self.issuer.token(NOW, &claims)));
        }
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(Peer::new(from.parse().unwrap()).over_tls());
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let body = http_body_util::BodyExt::collect(body).await.unwrap().to_bytes();
        (parts.status.as_u16(), String::from_utf8(body.to_vec()).unwrap())
    }
}

fn ann() -> Option<Value> {
    Some(json!({ "sub": "ann-the-secret", "roles": ["auditor"], "tenant": "acme", "department": "risk" }))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_request_and_each_decision_is_a_span_that_says_nothing_of_the_caller() {
    let (running, came) = collector(200);
    let setup = setup(Traces::otlp(&format!("http://{}/v1/traces", running.address()), "bank").unwrap());
    let from = "198.51.100.77:1";
    let read = Some(json!({ "sub": "ann-the-secret", "scope": "accounts:read" }));
    let calls = [
        ("GET /v2/health", None, 204),
        ("GET /v2/accounts/acc_secret", None, 401),
        ("GET /v2/accounts/acc_secret", Some(json!({ "sub": "ann-the-secret" })), 403),
        ("GET /v2/accounts/acc_secret", read, 404),
        ("GET /v2/secret?secret=secret", None, 404),
        ("SECRET /v2/health", None, 405),
        ("POST /v2/recoveries", None, 400),
        ("OPTIONS /v2/health", None, 204),
    ];
    for (call, claims, want) in calls {
        assert_eq!(setup.send(from, call, claims, &[("x-secret", "secret")]).await.0, want, "{call}");
    }
    setup.gateway.flush().await;

    let resource = came.batches()[0].resource_spans[0].resource.clone().unwrap();
    let service = resource.attributes.iter().find(|a| a.key == "service.name").unwrap().value.clone().unwrap();
    assert_eq!(service.value, Some(Any::StringValue("bank".into())));
    let requests = came.requests();
    let rows: Vec<[String; 6]> = requests
        .iter()
        .map(|(span, _)| {
            let said = said(span);
            let get = |key: &str| said.get(key).cloned().unwrap_or_default();
            let status = get("http.response.status_code");
            let decision = get("gatewright.decision");
            [
                span.name.clone(),
                get("http.request.method"),
                status,
                decision,
                get("gatewright.refusal"),
                get("gatewright.check"),
            ]
        })
        .collect();
    let want = [
        ["getHealth", "GET", "204", "allow", "", ""],
        ["getAccount", "GET", "401", "deny", "CredentialMissing", "Authentication"],
        ["getAccount", "GET", "403", "deny", "ScopeMissing", "Scopes"],
        ["getAccount", "GET", "404", "deny", "NotOwned", "Owner"],
        ["GET", "GET", "404", "deny", "NotFound", "Route"],
        ["_OTHER", "_OTHER", "405", "deny", "MethodNotAllowed", "Route"],
        ["startRecovery", "POST", "400", "deny", "Invalid", "Content"],
        ["OPTIONS", "OPTIONS", "204", "allow", "", ""],
    ];
    assert_eq!(rows, want.map(|row| row.map(str::to_owned)));
    for (span, below) in &requests {
        assert!(span.parent_span_id.is_empty(), "{span:?}");
        assert!(span.end_time_unix_nano >= span.start_time_unix_nano);
        let operation = said(span)["gatewright.operation"].clone();
        assert_eq!(below.len(), usize::from(!operation.is_empty()), "{span:?}");
        for guard in below {
            assert_eq!((guard.name.as_str(), &guard.trace_id), ("guard", &span.trace_id));
            assert_eq!(said(guard)["gatewright.decision"], said(span)["gatewright.decision"]);
            assert!(said(guard)["gatewright.policy"].contains("v2.yaml:"), "{guard:?}");
            assert!(guard.end_time_unix_nano <= span.end_time_unix_nano);
        }
    }
    let traces: std::collections::BTreeSet<_> = requests.iter().map(|(span, _)| span.trace_id.clone()).collect();
    assert_eq!(traces.len(), requests.len(), "each is a trace of its own");
    // Neither path nor query, token, subject, address, unknown method nor header.
    for bytes in came.0.lock().unwrap().iter() {
        let text = String::from_utf8_lossy(bytes);
        for secret in ["secret", "SECRET", "eyJ", "198.51.100", "bearer"] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_is_joined_where_a_trusted_proxy_says_so() {
    let (running, came) = collector(200);
    let traces = || Traces::otlp(&format!("http://{}/v1/traces", running.address()), "bank").unwrap();
    let usual = setup(traces());
    let report = "GET /v2/tenants/acme/report";
    let trusted = [("x-forwarded-for", "198.51.100.77"), ("x-forwarded-proto", "https"), ("traceparent", PARENT)];
    let (status, seen) = usual.send("10.0.0.1:1", report, ann(), &trusted).await;
    assert_eq!(status, 200);
    // The handler is told of the span that it is, below the one of the proxy.
    assert!(seen.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-") && seen.ends_with("-01"), "{seen}");
    assert!(!seen.contains("00f067aa0ba902b7"), "{seen}");
    usual.gateway.flush().await;
    let (span, below) = came.requests().pop().unwrap();
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    assert_eq!(hex(&span.trace_id), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(hex(&span.parent_span_id), "00f067aa0ba902b7");
    assert_eq!(seen.split('-').nth(2).unwrap(), hex(&span.span_id));
    assert_eq!(below.len(), 1);

    // From anybody else, or not written as it must be: a trace of our own.
    let bad = PARENT.to_uppercase();
    let twice = [("traceparent", PARENT), ("traceparent", PARENT)];
    for (from, headers) in [
        ("198.51.100.77:1", &[("traceparent", PARENT)][..]),
        ("10.0.0.1:1", &[("traceparent", &*bad)]),
        ("10.0.0.1:1", &twice),
        ("10.0.0.1:1", &[("traceparent", "")]),
    ] {
        let (status, seen) = usual.send(from, report, ann(), headers).await;
        assert_eq!(status, 200, "{headers:?}");
        assert!(seen.ends_with("-01") && !seen.contains("4bf92f3577b34da6"), "{headers:?}: {seen}");
    }
    // Unless the deployment lets everybody say so.
    let open = setup(traces().of_everybody(true));
    let (_, seen) = open.send("198.51.100.77:1", report, ann(), &[("traceparent", PARENT)]).await;
    assert!(seen.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"), "{seen}");

    // What is not recorded is not sent, and the handler is told.
    usual.gateway.flush().await;
    open.gateway.flush().await;
    let before = came.spans().len();
    let quiet = PARENT.replace("-01", "-00");
    let (_, seen) = usual.send("10.0.0.1:1", report, ann(), &[("traceparent", &quiet)]).await;
    assert!(seen.ends_with("-00"), "{seen}");
    let none = setup(traces().share(0.0));
    assert!(none.send("198.51.100.77:1", report, ann(), &[]).await.1.ends_with("-00"));
    let (_, seen) = none.send("10.0.0.1:1", report, ann(), &[("traceparent", PARENT)]).await;
    assert!(seen.ends_with("-01"), "what is recorded before it is recorded here: {seen}");
    usual.gateway.flush().await;
    none.gateway.flush().await;
    assert_eq!(came.spans().len(), before + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_a_collector() {
    let (broken, _) = collector(500);
    // One that is not there: its port was free a moment ago.
    let (gone, _) = collector(200);
    let nowhere = gone.address();
    gone.stop(std::time::Duration::ZERO).await.unwrap();
    for address in [broken.address(), nowhere] {
        let setup = setup(Traces::otlp(&format!("http://{address}/v1/traces"), "bank").unwrap());
        for _ in 0..600 {
            assert_eq!(setup.send("127.0.0.1:1", "GET /v2/health", None, &[]).await.0, 204);
        }
        setup.gateway.flush().await;
    }
    for bad in ["", "localhost:4318", "ftp://localhost/", "http://", "not a url"] {
        assert!(Traces::otlp(bad, "bank").is_err(), "{bad}");
    }
    assert!(
        std::thread::spawn(|| Traces::otlp("http://localhost:4318", "bank").is_err()).join().unwrap(),
        "no runtime"
    );
}
