//! What every response carries, whoever made it (OWASP REST security sheet; ASVS 3.4).

use axum::body::Body;
use http::Response;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};

use super::exchange::X_REQUEST_ID;
use super::{Exchange, Gateway};
use crate::guard::Guard;
use crate::limit::Standing;

/// Fields of an ordinary response: a reply keeps room for them.
pub(crate) const FIELDS: usize = 12;

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// Fields that a handler may have a reason to set otherwise: they stand where it did not.
const DEFAULTS: [(HeaderName, HeaderValue); 3] = [
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];

impl Gateway {
    pub(super) fn finish(
        &self,
        exchange: &Exchange,
        guard: Option<&Guard>,
        standing: &Standing,
        response: &mut Response<Body>,
    ) {
        let status = response.status();
        let headers = response.headers_mut();
        headers.reserve(FIELDS.saturating_sub(headers.len()));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        for (name, value) in DEFAULTS {
            headers.entry(name).or_insert(value);
        }
        // What a guard let one caller see is not to be kept for the next; only a public success may say otherwise.
        let public = guard.is_some_and(|g| !g.is_guarded());
        if public && status.is_success() {
            headers.entry(CACHE_CONTROL).or_insert(NO_STORE);
        } else {
            headers.insert(CACHE_CONTROL, NO_STORE);
        }
        headers.insert(X_REQUEST_ID, exchange.id_value());
        let edge = self.edge(exchange.api);
        if let (true, Some(hsts)) = (exchange.secure, &edge.hsts) {
            headers.insert(STRICT_TRANSPORT_SECURITY, hsts.clone());
        }
        if let Some(api) = exchange.api.and_then(|i| self.apis.get(i)) {
            api.state.lifecycle.write(headers);
        }
        if self.shared.rate_limit_headers {
            standing.write(headers, guard.map(Guard::limits), status.is_redirection());
        }
    }
}
