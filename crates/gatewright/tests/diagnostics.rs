//! What operators ask on their own listener: readiness, policies, and what was counted.
#![cfg(feature = "metrics")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bank;

use bank::*;
use gatewright::table::*;
use http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

fn ask(bank: &Bank, path: &str) -> (u16, String) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let request = Request::get(path).body(axum::body::Body::empty()).unwrap();
        let response = bank.gateway.diagnostics().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    })
}

fn json_of(bank: &Bank, path: &str) -> (u16, Value) {
    let (status, text) = ask(bank, path);
    (status, serde_json::from_str(&text).unwrap())
}

#[test]
fn policies_and_readiness() {
    let api = ApiPolicy { hash: "abc", ..API };
    let bank = Bank::new(api, vec![GUARDED, Policy { access: Access::Guarded(&[KEY_ANY]), ..OPEN }]);
    assert_eq!(ask(&bank, "/health"), (200, "ok\n".to_owned()));
    let versions = json!({"versions": [{"api": "Bank v1", "prefix": "/v1", "policy": "abc"}]});
    assert_eq!(json_of(&bank, "/policies"), (200, versions));
    assert_eq!(json_of(&bank, "/ready"), (200, json!({"ready": true, "missing": []})));
    bank.gateway.drain();
    assert_eq!(json_of(&bank, "/ready"), (503, json!({"ready": false, "missing": ["the server is stopping"]})));
    assert_eq!(bank.send(bank.request(&[("authorization", &bank.bearer(json!({})))])).code(), 200, "as before");
    assert_eq!(ask(&bank, "/other").0, 404);
}

/// Rows: D6.
#[test]
fn a_server_is_not_ready_before_it_has_an_issuers_keys() {
    // Nobody listens there; the key that stands in for the issuer's is not configured.
    let nowhere = |config: gatewright::Config| config.variables([("ISSUER", "127.0.0.1:1")]);
    let bank = Bank::asking(vec![(API, vec![GUARDED])], nowhere);
    let (status, said) = json_of(&bank, "/ready");
    assert_eq!(status, 503);
    assert_eq!(said["missing"], json!(["Bank v1: oauth: the issuer's keys are not to be had"]));
    let answer = bank.send(bank.request(&[("authorization", &bank.bearer(json!({})))]));
    assert_eq!(answer.code(), 503, "and nobody comes in");
}

/// Every label is a name of the document or of a refusal: whatever clients send makes no new series.
#[test]
fn requests_are_counted_by_operation_and_decision() {
    let policy = Policy { operation: "pay", access: Access::Guarded(&[OAUTH_WRITE, KEY_ANY]), ..OPEN };
    let bank = Bank::of(policy);
    let good = bank.bearer(json!({"scope": "transfers:write"}));
    let short = bank.bearer(json!({"sub": "evil\"} 1\n"}));
    for headers in
        [&[("authorization", good.as_str())][..], &[("authorization", &good)], &[("authorization", &short)], &[]]
    {
        bank.clock.wait(3);
        bank.send(bank.request(headers));
    }
    let mut stranger = bank.request(&[]);
    stranger.headers_mut().insert("host", "evil.example.com".parse().unwrap());
    bank.send(stranger);
    let (status, text) = ask(&bank, "/metrics");
    assert_eq!(status, 200);
    let line = |rest: &str| format!("gatewright_requests_total{{{rest}}}");
    for (labels, n) in [
        (r#"api="Bank v1",operation="pay",decision="allow",outcome="2xx""#, 2),
        (r#"api="Bank v1",operation="pay",decision="deny",outcome="ScopeMissing""#, 1),
        (r#"api="Bank v1",operation="pay",decision="deny",outcome="CredentialMissing""#, 1),
        (r#"api="",operation="",decision="deny",outcome="WrongHost""#, 1),
    ] {
        let want = format!("{} {n}", line(labels));
        assert!(text.lines().any(|l| l == want), "{want}\n{text}");
    }
    assert_eq!(text.lines().filter(|l| l.starts_with("gatewright_requests_total")).count(), 4, "{text}");
    assert!(text.contains("gatewright_request_duration_seconds_count{api=\"Bank v1\",operation=\"pay\"} 4"), "{text}");
    assert!(text.contains("gatewright_policies{api=\"Bank v1\",prefix=\"/v1\",hash=\"\"} 1"), "{text}");
    assert!(text.contains("gatewright_key_anomalies_total{kind=\"spike\"} 0"), "{text}");
    assert!(text.ends_with("# EOF\n") && !text.contains("evil"), "{text}");
}
