//! The renderer: every error response of a server is written here, be it a refusal of the guards, a problem that a
//! handler declares, or a breakdown.

use axum::body::Body;
use gatewright_policy::Refusal;
use http::StatusCode;
use http::header::{HeaderValue, LOCATION};

use super::text::Object;
use super::{Internal, Problem, Refused};
use crate::answer::Answer;

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// The problem type of a spent quota (draft-ietf-httpapi-ratelimit-headers-10), where the API has no types of its own.
const QUOTA_EXCEEDED: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";

/// And that of a server which sheds load.
const REDUCED_CAPACITY: &str = "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity";

/// How an API wants its problems.
#[derive(Clone, Debug)]
pub(crate) struct Style {
    pub(crate) type_base: Option<String>,
    pub(crate) validation_status: StatusCode,
}

impl Default for Style {
    fn default() -> Style {
        Style { type_base: None, validation_status: StatusCode::BAD_REQUEST }
    }
}

/// A refusal as an answer.
pub(crate) fn refusal(style: &Style, request_id: &str, refused: &Refused) -> Answer {
    let inner = refused.inner();
    if let Some(location) = &inner.redirect {
        let mut answer = Answer::new(StatusCode::PERMANENT_REDIRECT, Body::empty());
        answer.fields.append(LOCATION, location.clone());
        return answer;
    }
    let status = match inner.refusal {
        Refusal::Invalid => style.validation_status,
        other => StatusCode::from_u16(other.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
    };
    let slug = inner.refusal.slug();
    let mut object = Object::new();
    match (&style.type_base, inner.refusal) {
        (Some(base), _) => object.joined("type", base, slug).string("title", &inner.refusal.title()),
        (None, Refusal::Overloaded) => object.string("type", REDUCED_CAPACITY).string("title", &inner.refusal.title()),
        (None, Refusal::RateLimited) => object.string("type", QUOTA_EXCEEDED).string("title", &inner.refusal.title()),
        (None, _) => object.string("type", "about:blank").string("title", phrase(status)),
    };
    object.raw("status", status.as_str());
    if let Some(detail) = &inner.detail {
        object.string("detail", detail);
    }
    object.string("request_id", request_id);
    if let Some((errors, more)) = &inner.errors {
        object.raw("errors", errors);
        if *more {
            object.raw("more", "true");
        }
    }
    if !inner.violated.is_empty() {
        let names = serde_json::to_string(&inner.violated).unwrap_or_else(|_| "[]".to_owned());
        object.raw("violated-policies", &names);
    }
    let mut answer = respond(status, object);
    for (name, value) in &inner.headers {
        answer.fields.append(name.clone(), value.clone());
    }
    answer
}

/// A handler's problem as an answer. A status that is no error would hide it from clients: it becomes 500.
pub(crate) fn problem(style: &Style, request_id: &str, problem: &Problem) -> Answer {
    let status = match problem.status {
        s if s.is_client_error() || s.is_server_error() => s,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let mut object = Object::new();
    match (&problem.kind, &style.type_base) {
        (Some(kind), _) if is_absolute(kind) => object.string("type", kind),
        (Some(kind), Some(base)) => object.joined("type", base, kind),
        _ => object.string("type", "about:blank"),
    };
    object.string("title", problem.title.as_deref().unwrap_or(phrase(status))).raw("status", status.as_str());
    for (name, text) in [("detail", &problem.detail), ("instance", &problem.instance)] {
        if let Some(text) = text {
            object.string(name, text);
        }
    }
    object.string("request_id", request_id);
    for (name, value) in &problem.members {
        object.named(name, &value.to_string());
    }
    respond(status, object)
}

/// A breakdown: the cause goes to the log under the request's id, the caller learns nothing of it.
pub(crate) fn internal(style: &Style, request_id: &str, cause: &Internal) -> Answer {
    tracing::error!(target: "gatewright::internal", request_id, cause = %crate::gateway::one_line(&cause.for_log()));
    refusal(style, request_id, &Refused::new(Refusal::Internal))
}

fn respond(status: StatusCode, object: Object) -> Answer {
    Answer { media_type: Some(PROBLEM_JSON), ..Answer::new(status, Body::from(object.finish())) }
}

fn phrase(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Error")
}

/// Whether a text begins as a URI does (RFC 3986, 3.1).
fn is_absolute(kind: &str) -> bool {
    kind.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fault, ResultExt};
    use http::header::CONTENT_TYPE;
    use http_body_util::BodyExt;
    use serde_json::{Value, json};

    fn body(answer: Answer) -> (StatusCode, Value) {
        let response = http::Response::from(answer);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        let status = response.status();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let bytes = runtime.block_on(response.into_body().collect()).unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    fn typed() -> Style {
        Style {
            type_base: Some("https://errors.example.com/".into()),
            validation_status: StatusCode::UNPROCESSABLE_ENTITY,
        }
    }

    /// Rows: PD1, PD2, PD3, PD4.
    #[test]
    fn every_refusal_says_its_own_status() {
        for refusal_ in Refusal::ALL {
            for style in [Style::default(), typed()] {
                let (status, body) = body(refusal(&style, "r1", &Refused::new(refusal_)));
                assert_eq!(body["status"], status.as_u16(), "{refusal_:?}");
                assert_eq!(body["request_id"], "r1");
                let kind = body["type"].as_str().unwrap();
                match style.type_base {
                    Some(base) => assert_eq!(kind, format!("{base}{}", refusal_.slug())),
                    None if refusal_ == Refusal::Overloaded => assert!(kind.ends_with("#temporary-reduced-capacity")),
                    None if refusal_ == Refusal::RateLimited => assert!(kind.ends_with("#quota-exceeded")),
                    None => {
                        assert_eq!(kind, "about:blank");
                        assert_eq!(body["title"], phrase(status));
                    }
                }
            }
        }
    }

    #[test]
    fn refusals_that_must_not_be_told_apart_are_alike() {
        for (a, b) in [
            (Refusal::NotFound, Refusal::NotOwned),
            (Refusal::RoleMissing, Refusal::CallerNotAllowed),
            (Refusal::ClaimMismatch, Refusal::NetworkNotAllowed),
        ] {
            let one = body(refusal(&typed(), "r", &Refused::new(a).because("x")));
            assert_eq!(one, body(refusal(&typed(), "r", &Refused::new(b).because("y"))));
        }
    }

    #[test]
    fn lists_every_fault() {
        let fault = |pointer: &str| Fault {
            place: "body",
            name: None,
            pointer: pointer.into(),
            rule: "maxLength",
            detail: "must have at most 40 characters".into(),
        };
        let mut named = fault("");
        named.place = "query";
        named.name = Some("limit".into());
        let refused = Refused::invalid(&[fault("/a"), fault("/b/0"), named], true);
        let (status, body) = body(refusal(&typed(), "r", &refused));
        assert_eq!(status, 422);
        assert_eq!(body["errors"].as_array().unwrap().len(), 3);
        assert_eq!(
            body["errors"][0],
            json!({"in": "body", "pointer": "/a", "rule": "maxLength", "detail": "must have at most 40 characters"})
        );
        assert_eq!(body["errors"][2]["name"], "limit");
        assert_eq!(body["more"], true);
    }

    #[test]
    fn a_cause_never_leaves() {
        let secret = "password=hunter2 at /srv/app SELECT *";
        let cause = Err::<(), _>(std::io::Error::other(secret)).internal().unwrap_err();
        assert!(!format!("{cause:?}").contains("hunter2"));
        let (status, body) = body(internal(&typed(), "r", &cause));
        assert_eq!(status, 500);
        assert!(!body.to_string().contains("hunter2"));
        let refused = Refused::internal(Internal::new(secret)).because(secret);
        assert!(!body_of(&refused).contains("hunter2"));
    }

    fn body_of(refused: &Refused) -> String {
        body(refusal(&Style::default(), "r", refused)).1.to_string()
    }

    #[test]
    fn a_handlers_problem_keeps_its_type() {
        let p = Problem::new(StatusCode::CONFLICT).kind("no-funds").detail("too little").member("available", 5);
        let (status, shown) = body(problem(&typed(), "r", &p.clone().member("status", 1)));
        assert_eq!(status, 409);
        assert_eq!(
            shown,
            json!({"type": "https://errors.example.com/no-funds", "title": "Conflict", "status": 409,
                   "detail": "too little", "request_id": "r", "available": 5})
        );
        assert_eq!(body(problem(&Style::default(), "r", &p)).1["type"], "about:blank");
        let absolute = Problem::new(StatusCode::CONFLICT).kind("urn:x:y");
        assert_eq!(body(problem(&typed(), "r", &absolute)).1["type"], "urn:x:y");
        assert_eq!(body(problem(&typed(), "r", &Problem::new(StatusCode::OK))).0, 500);
    }
}
