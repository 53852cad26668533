//! The bank's page: what a token opens, and what a passkey opens beside it. It is static; whatever it does, it asks the API.

use gatewright::Router;
use gatewright::axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use gatewright::axum::response::IntoResponse;
use gatewright::axum::routing::get;

/// Nothing but its own script, style and API; in nobody's frame.
const CONTENT: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; \
                       form-action 'none'; frame-ancestors 'none'";

/// `router` with the page in front.
pub fn with(router: Router) -> Router {
    router
        .route("/page", get(|| file("text/html; charset=utf-8", include_str!("page/page.html"))))
        .route("/page.js", get(|| file("text/javascript; charset=utf-8", include_str!("page/page.js"))))
        .route("/page.css", get(|| file("text/css; charset=utf-8", include_str!("page/page.css"))))
}

async fn file(kind: &'static str, text: &'static str) -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, kind),
        (CONTENT_SECURITY_POLICY, CONTENT),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
    ];
    (headers, text)
}
