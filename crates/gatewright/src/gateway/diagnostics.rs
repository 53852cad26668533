//! What the people who run a server ask it, on a listener of its own that no client of the API reaches: does it live, is it
//! ready, which policies are in force, and what was counted.

use axum::body::Body;
use axum::routing::get;
use axum::{Router, http::Response};
use gatewright_policy::table::Quota;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use serde_json::json;
use std::sync::atomic::Ordering;

use super::Gateway;

impl Gateway {
    /// The routes for a private listener: `GET /health` (the process answers), `/ready` (503 while something is missing, and
    /// what), `/policies` (each version with the hash of its policies) and, with the feature `metrics`, `/metrics`.
    ///
    /// Nothing guards them, and they name what only operators should know. Serve them on a loopback or an inner network:
    ///
    /// ```no_run
    /// # fn main() -> std::io::Result<()> { let gateway: gatewright::Gateway = todo!();
    /// # #[cfg(feature = "server")]
    /// let private = gatewright::server::Server::new(gateway.diagnostics()).plain(([127, 0, 0, 1], 9_090).into())?;
    /// # Ok(()) }
    /// ```
    pub fn diagnostics(&self) -> Router {
        let (ready, policies) = (self.clone(), self.policies());
        let router = Router::new()
            .route("/health", get(|| async { answer(StatusCode::OK, "text/plain; charset=utf-8", "ok\n".to_owned()) }))
            .route("/ready", get(move || async move { ready.readiness().await }))
            .route("/policies", get(move || async move { answer(StatusCode::OK, "application/json", policies) }));
        self.with_metrics(router)
    }

    #[cfg(feature = "metrics")]
    fn with_metrics(&self, router: Router) -> Router {
        let registry = super::metrics::registry(self);
        router.route(
            "/metrics",
            get(move || async move {
                let mut text = String::new();
                match prometheus_client::encoding::text::encode(&mut text, &registry) {
                    Ok(()) => answer(StatusCode::OK, super::metrics::CONTENT_TYPE, text),
                    Err(_) => answer(StatusCode::INTERNAL_SERVER_ERROR, "text/plain; charset=utf-8", String::new()),
                }
            }),
        )
    }

    #[cfg(not(feature = "metrics"))]
    fn with_metrics(&self, router: Router) -> Router {
        router
    }

    /// What is missing before requests can be answered as they should be; nothing when all is there. Asks the issuers whose
    /// keys were never loaded, and the store of API keys.
    pub async fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        if self.shared.draining.load(Ordering::Relaxed) {
            missing.push("the server is stopping".to_owned());
        }
        for mounted in self.apis.iter() {
            for scheme in mounted.state.schemes.iter().flatten() {
                if let Some(what) = scheme.missing().await {
                    missing.push(format!("{}: {}: {what}", mounted.state.policy.name, scheme.scheme.name));
                }
            }
        }
        missing
    }

    /// From now on `/ready` answers 503: those who send requests should send them elsewhere. Requests are answered as before.
    pub fn drain(&self) {
        self.shared.draining.store(true, Ordering::Relaxed);
    }

    async fn readiness(&self) -> Response<Body> {
        let missing = self.missing().await;
        let status = if missing.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        answer(status, "application/json", json!({ "ready": missing.is_empty(), "missing": missing }).to_string())
    }

    fn policies(&self) -> String {
        let versions: Vec<_> = self
            .apis
            .iter()
            .map(|mounted| mounted.state.policy)
            .map(|policy| json!({ "api": policy.name, "prefix": policy.prefix, "policy": policy.hash }))
            .collect();
        json!({ "versions": versions }).to_string()
    }

    /// Says which policies are in force, once, at start.
    pub(super) fn announce(&self) {
        for policy in self.apis.iter().map(|mounted| mounted.state.policy) {
            tracing::info!(target: "gatewright::start", api = policy.name, prefix = policy.prefix, policy = policy.hash, "policies in force");
        }
        let limits = self.guards().flat_map(|(_, guard)| guard.policy().limits);
        let actions =
            self.apis.iter().flat_map(|mounted| mounted.state.policy.actions).flat_map(|action| action.limits);
        let forgets = self.shared.store.is_none() && self.shared.kept.is_none();
        if forgets && limits.chain(actions).any(|limit| matches!(limit.quota, Quota::Calendar(_))) {
            tracing::warn!(target: "gatewright::start", "quotas of days and months are counted in memory, and begin anew now: `Config::quotas` or a shared store keeps them");
        }
    }
}

fn answer(status: StatusCode, kind: &'static str, text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
