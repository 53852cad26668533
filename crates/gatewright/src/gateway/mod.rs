//! What the versions of one server share, and the steps of a request in which no operation is concerned: who it is from,
//! whether its connection will do, and how its answer is finished.

mod audit;
mod audit_log;
mod counts;
mod diagnostics;
mod exchange;
mod finish;
mod lifecycle;
mod lists;
#[cfg(feature = "metrics")]
mod metrics;
mod places;
mod shield;
mod start;

pub(crate) use crate::limit::Buckets;
pub(crate) use audit::{one_line, passkey as note_passkey, unusual as note_unusual};
pub use audit_log::AuditLog;
pub(crate) use counts::Counts;
pub use exchange::Exchange;
pub(crate) use finish::UsualFields;
pub(crate) use lifecycle::Life;
pub(crate) use lists::{Sources, networks};
pub(crate) use shield::fits;
pub use shield::{collect_body, shield};

use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::body::Body;
use gatewright_policy::Refusal;
use gatewright_policy::table::{ApiPolicy, Hsts, Https, Policy};
use http::request::Parts;
use http::{HeaderValue, Method, Response};

use crate::answer::Answer;
use crate::auth::webauthn::Passkeys;
use crate::auth::{SchemeState, Uses, Verifier};
use crate::clock::Clock;
use crate::guard::{Admission, Guard, with_standing};
use crate::limit::{CallerFacts, Charged, Kept, KeyHasher, Leases, Remote, Rules, Running, Standing, Table};
use crate::net::{Forwarding, Ranges};
use crate::problem::{self, Internal, Problem, Refused, Style};

/// The path parameters of a request, decoded.
pub trait PathValues: Send + Sync {
    /// The value of a parameter.
    fn get(&self, name: &str) -> Option<&str>;
}

impl PathValues for () {
    fn get(&self, _: &str) -> Option<&str> {
        None
    }
}

impl PathValues for Vec<(String, String)> {
    fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// One version of an API that a server mounts.
#[derive(Clone, Debug)]
pub struct Api {
    /// What its operations share.
    pub policy: &'static ApiPolicy,
    /// Its operations.
    pub operations: Vec<&'static Policy>,
    /// How the application verifies the schemes that are its own to verify.
    pub verifiers: Vec<Verifier>,
}

/// The guards of a server. Cloning shares it.
#[derive(Clone)]
pub struct Gateway {
    shared: Arc<Shared>,
    apis: Arc<[Mounted]>,
    /// Where no version is concerned: the strictest of all.
    common: Arc<Edge>,
}

struct Mounted {
    state: Arc<ApiState>,
    guards: Box<[Guard]>,
    /// Of the routes of passkeys, where there are some.
    passkeys: Option<Guard>,
}

/// What all versions share at run time.
pub(crate) struct Shared {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limits: Table,
    pub(crate) quotas: Arc<Table>,
    /// What keeps them over restarts.
    pub(crate) kept: Option<Arc<Kept>>,
    pub(crate) running: Arc<Running>,
    pub(crate) hasher: KeyHasher,
    /// What this server shares with others, where the deployment names it.
    pub(crate) store: Option<Arc<crate::shared::Store>>,
    /// Places among what runs at all servers that share it.
    pub(crate) leases: Option<Arc<Leases>>,
    pub(crate) places: places::Places,
    /// Idempotency keys, where they are not shared.
    pub(crate) once: crate::once::Memory,
    pub(crate) ids: exchange::Ids,
    pub(crate) forwarding: Forwarding,
    pub(crate) trust_request_id: bool,
    pub(crate) rate_limit_headers: bool,
    pub(crate) audit: Option<AuditLog>,
    #[cfg(feature = "otel")]
    pub(crate) traces: Option<crate::Traces>,
    /// What may be read again.
    pub(crate) lists: Sources,
    /// Whether trusted proxies say in `Client-Cert` who their clients are.
    pub(crate) certificate_header: bool,
    /// Of requests that no operation answered.
    pub(crate) unanswered: Counts,
    pub(crate) draining: std::sync::atomic::AtomicBool,
    /// Of API keys, where there is a store.
    pub(crate) uses: Option<Arc<Uses>>,
}

impl Shared {
    /// The means of charging a request to this version.
    pub(crate) fn charged<'a>(&'a self, api: &'a ApiState, exchange: &Exchange) -> Charged<'a> {
        let policy = api.policy.store;
        let leases = self.leases.as_ref();
        let remote = self.store.as_deref().map(|store| Remote { store, clock: &self.clock, policy, leases });
        Charged {
            table: &self.limits,
            quotas: &self.quotas,
            kept: self.kept.as_ref(),
            running: &self.running,
            hasher: &self.hasher,
            now: exchange.started,
            unix: exchange.unix,
            remote,
        }
    }
}

/// One version at run time.
pub(crate) struct ApiState {
    pub(crate) policy: &'static ApiPolicy,
    pub(crate) edge: Arc<Edge>,
    pub(crate) lifecycle: Life,
    /// For requests that no operation answers.
    pub(crate) limits: Rules,
    /// By index; `None` for one that no operation names, or that could not start, in which case the server does not.
    pub(crate) schemes: Box<[Option<Arc<SchemeState>>]>,
    /// Where an operation that is mounted asks for one.
    pub(crate) passkeys: Option<Arc<Passkeys>>,
}

/// The connection rules of one version.
pub(crate) struct Edge {
    pub(crate) https: Https,
    /// Whether nobody comes in without a client certificate.
    pub(crate) certificate: bool,
    pub(crate) tls13_only: bool,
    pub(crate) hsts: Option<HeaderValue>,
    /// What all its responses carry.
    pub(crate) usual: UsualFields,
    /// In lower case; empty takes every host.
    pub(crate) hosts: Box<[String]>,
    pub(crate) trusted: ArcSwap<Ranges>,
    /// `None` allows every address.
    pub(crate) networks: Option<ArcSwap<Ranges>>,
    pub(crate) style: Style,
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway").field("apis", &self.apis.len()).finish_non_exhaustive()
    }
}

impl Gateway {
    /// The guard of an operation, by the indexes at which version and operation stood at start.
    #[must_use]
    pub fn guard(&self, api: usize, operation: usize) -> Option<&Guard> {
        self.apis.get(api)?.guards.get(operation)
    }

    /// The passkeys of a version, and the guard of their routes.
    pub(crate) fn passkeys(&self, api: usize) -> Option<(&Arc<Passkeys>, &Guard)> {
        let mounted = self.apis.get(api)?;
        Some((mounted.state.passkeys.as_ref()?, mounted.passkeys.as_ref()?))
    }

    /// Every guard, with the index of its version.
    pub(crate) fn guards(&self) -> impl Iterator<Item = (usize, &Guard)> {
        self.apis.iter().enumerate().flat_map(|(api, mounted)| mounted.guards.iter().map(move |guard| (api, guard)))
    }

    /// Keeps what was counted of the use of API keys, and writes what waits for the audit log. This happens by itself every few seconds; call it before the process
    /// ends.
    pub async fn flush(&self) {
        if let Some(uses) = &self.shared.uses {
            uses.tell().await;
        }
        if let Some(kept) = &self.shared.kept {
            kept.tell().await;
        }
        if let Some(log) = &self.shared.audit {
            log.flush().await;
        }
        #[cfg(feature = "otel")]
        if let Some(traces) = self.shared.traces.clone() {
            // It waits for a collector, which is asked by this very runtime.
            let _ = tokio::task::spawn_blocking(move || traces.flush()).await;
        }
    }

    /// The policies of a version.
    #[must_use]
    pub fn api(&self, api: usize) -> Option<&'static ApiPolicy> {
        self.apis.get(api).map(|m| m.state.policy)
    }

    fn edge(&self, api: Option<usize>) -> &Edge {
        match api.and_then(|i| self.apis.get(i)) {
            Some(mounted) => &mounted.state.edge,
            None => &self.common,
        }
    }

    /// Begins an exchange: its id, its time, and who it is really from. `api` is the version whose prefix the path has.
    #[must_use]
    pub fn open(&self, api: Option<usize>, parts: &Parts) -> Exchange {
        Exchange::open(&self.shared, self.edge(api), api, parts)
    }

    /// A place among the requests that are worked on.
    ///
    /// # Errors
    /// There are as many as the configuration takes: 503.
    pub(crate) fn enter(&self) -> Result<places::Place<'_>, Refused> {
        self.shared.places.enter()
    }

    /// The checks that come before the route: form and host of the request, HTTPS, the API's networks.
    ///
    /// # Errors
    /// The refusal.
    pub fn check_connection(&self, exchange: &Exchange, parts: &Parts) -> Result<(), Refused> {
        let edge = self.edge(exchange.api);
        // hyper lets the transfer coding win; another party in front may not (RFC 9112, 6.1).
        if parts.headers.contains_key(http::header::TRANSFER_ENCODING)
            && parts.headers.contains_key(http::header::CONTENT_LENGTH)
        {
            return Err(Refused::new(Refusal::BadRequest)
                .because("both Content-Length and Transfer-Encoding")
                .with_header(http::header::CONNECTION, HeaderValue::from_static("close")));
        }
        let Some(host) = exchange.host.as_deref() else {
            return Err(Refused::new(Refusal::BadRequest).because("no host, or more than one"));
        };
        if !edge.hosts.is_empty() && !edge.hosts.iter().any(|h| **h == *host) {
            return Err(Refused::new(Refusal::WrongHost));
        }
        if !exchange.secure && edge.https != Https::Off {
            let mut refused = Refused::new(Refusal::HttpsRequired);
            if edge.https == Https::Redirect && self.may_redirect(exchange, parts) {
                let target = parts.uri.path_and_query().map_or("/", |p| p.as_str());
                refused.inner_mut().redirect = HeaderValue::try_from(format!("https://{host}{target}")).ok();
            }
            return Err(refused);
        }
        if edge.certificate && exchange.certificate().is_none() {
            return Err(Refused::new(Refusal::BadRequest).because("no client certificate"));
        }
        if exchange.old_tls && edge.tls13_only {
            return Err(Refused::new(Refusal::HttpsRequired).because("TLS 1.2, where `min-tls` is 1.3"));
        }
        if !edge.networks.as_ref().is_none_or(|n| exchange.client().is_some_and(|a| n.load().contains(a))) {
            return Err(Refused::new(Refusal::NetworkNotAllowed).because("the API's networks"));
        }
        Ok(())
    }

    /// The response to a request that no operation answers: an unknown path, a wrong method. It counts against the limits
    /// by address that the API's `defaults` say, so that nobody searches it for paths without limit.
    #[must_use]
    pub async fn refuse_unanswered(&self, exchange: &Exchange, refused: Refused) -> Response<Body> {
        match self.charge_unanswered(exchange).await {
            Ok(standing) => self.refuse(exchange, None, with_standing(refused, standing)),
            Err(limited) => self.refuse(exchange, None, limited),
        }
    }

    /// The response to a request that no operation answers and that is not refused, such as `OPTIONS`; counted as
    /// [`refuse_unanswered`](Gateway::refuse_unanswered) counts.
    #[must_use]
    pub async fn complete_unanswered(&self, exchange: &Exchange, response: Response<Body>) -> Response<Body> {
        match self.charge_unanswered(exchange).await {
            Ok(standing) => {
                let response = self.finish(exchange, None, &standing, response.into());
                #[cfg(feature = "otel")]
                self.trace(exchange, None, response.status(), None);
                response
            }
            Err(limited) => self.refuse(exchange, None, limited),
        }
    }

    /// Whose limits count where no operation is concerned. Where no version is either, the first that has limits.
    fn unanswered(&self, exchange: &Exchange) -> Option<&ApiState> {
        let concerned = self.apis.iter().enumerate().filter(|(i, _)| exchange.api.is_none_or(|api| api == *i));
        concerned.map(|(_, mounted)| &*mounted.state).find(|state| !state.limits.address.is_empty())
    }

    async fn charge_unanswered(&self, exchange: &Exchange) -> Result<Standing, Refused> {
        let Some(state) = self.unanswered(exchange) else { return Ok(Standing::default()) };
        let facts = CallerFacts { address: exchange.client(), identity: None };
        self.shared.charged(state, exchange).address(&state.limits, facts).await
    }

    /// A redirect repeats the request: only one that carried no credential over the plain connection may be.
    fn may_redirect(&self, exchange: &Exchange, parts: &Parts) -> bool {
        use crate::auth::carrier::{Held, Place};
        let credential = |place: Place| place.held(parts) != Held::Nothing;
        let concerned = self.apis.iter().enumerate().filter(|(i, _)| exchange.api.is_none_or(|api| api == *i));
        matches!(parts.method, Method::GET | Method::HEAD)
            && !parts.headers.contains_key(http::header::AUTHORIZATION)
            && !parts.headers.contains_key(http::header::COOKIE)
            && !concerned.flat_map(|(_, m)| m.state.policy.schemes).filter_map(|s| Place::of(s).ok()).any(credential)
    }

    /// The response of a refused request.
    #[must_use]
    pub fn refuse(&self, exchange: &Exchange, guard: Option<&Guard>, refused: Refused) -> Response<Body> {
        let inner = refused.inner();
        if let Some(cause) = &inner.cause {
            tracing::error!(target: "gatewright::internal", request_id = exchange.id(), cause = %one_line(&cause.for_log()));
        }
        let answer = problem::refusal(&self.edge(exchange.api).style, exchange.id(), &refused);
        let response = self.finish(exchange, guard, &inner.standing, answer);
        let counts = guard.map_or(&self.shared.unanswered, Guard::counts);
        counts.refused(refused.refusal(), self.took(exchange));
        audit::refused(&self.shared, exchange, self.version(exchange), guard, &refused, response.status());
        #[cfg(feature = "otel")]
        self.trace(exchange, guard, response.status(), Some(refused.refusal()));
        response
    }

    /// The response of a request that was admitted and refused later: for its body, its object, its deadline.
    #[must_use]
    pub fn refuse_admitted(
        &self,
        exchange: &Exchange,
        guard: &Guard,
        admission: &Admission,
        mut refused: Refused,
    ) -> Response<Body> {
        let inner = refused.inner_mut();
        inner.standing = admission.standing().clone();
        inner.subject = admission.identity().and_then(|i| i.subject()).map(str::to_owned);
        self.refuse(exchange, Some(guard), refused)
    }

    /// The response of an admitted request, whatever the handler made of it.
    #[must_use]
    pub fn answer(&self, exchange: &Exchange, admission: &Admission, response: Response<Body>) -> Response<Body> {
        let (mut parts, body) = response.into_parts();
        let fields = std::mem::take(&mut parts.headers).into();
        let answer = self.complete(exchange, admission, Answer { fields, ..Answer::new(parts.status, body) });
        let (finished, body) = answer.into_parts();
        // What middleware left in it stays there.
        parts.headers = finished.headers;
        Response::from_parts(parts, body)
    }

    /// As [`answer`](Gateway::answer).
    pub(crate) fn complete(&self, exchange: &Exchange, admission: &Admission, mut answer: Answer) -> Response<Body> {
        // A stream runs until it ends, or its client leaves.
        if let Some(running) = admission.running()
            && http_body::Body::size_hint(&answer.body).exact().is_none()
        {
            answer.body = Body::new(crate::limit::Held::new(answer.body, running.clone()));
        }
        let status = answer.status;
        let response = self.finish(exchange, Some(admission.guard()), admission.standing(), answer);
        admission.guard().counts().answered(status, self.took(exchange));
        audit::admitted(&self.shared, exchange, self.version(exchange), admission, status);
        #[cfg(feature = "otel")]
        self.trace(exchange, Some(admission.guard()), status, None);
        response
    }

    #[cfg(feature = "otel")]
    fn trace(
        &self,
        exchange: &Exchange,
        guard: Option<&Guard>,
        status: http::StatusCode,
        refusal: Option<gatewright_policy::Refusal>,
    ) {
        let (Some(traces), Some(open)) = (&self.shared.traces, &exchange.trace) else { return };
        let ended = crate::trace::Ended {
            started: exchange.started,
            now: self.shared.clock.monotonic(),
            request_id: exchange.id(),
            api: self.version(exchange),
            guard,
            method: &exchange.method,
            secure: exchange.secure,
            status,
            refusal,
        };
        traces.close(open, &ended);
    }

    /// The version that is concerned, by name.
    fn version(&self, exchange: &Exchange) -> &'static str {
        exchange.api.and_then(|api| self.api(api)).map_or("", |policy| policy.name)
    }

    /// Nanoseconds since the request's head.
    fn took(&self, exchange: &Exchange) -> u64 {
        self.shared.clock.monotonic().saturating_sub(exchange.started)
    }

    /// A problem that a handler declares, to be passed on to [`answer`](Gateway::answer).
    #[must_use]
    pub fn problem(&self, exchange: &Exchange, problem: &Problem) -> Response<Body> {
        self.problem_answer(exchange, problem).into()
    }

    pub(crate) fn problem_answer(&self, exchange: &Exchange, problem: &Problem) -> Answer {
        problem::problem(&self.edge(exchange.api).style, exchange.id(), problem)
    }

    /// A breakdown of a handler, to be passed on to [`answer`](Gateway::answer). The cause is logged, not shown.
    #[must_use]
    pub fn internal(&self, exchange: &Exchange, cause: &Internal) -> Response<Body> {
        self.internal_answer(exchange, cause).into()
    }

    pub(crate) fn internal_answer(&self, exchange: &Exchange, cause: &Internal) -> Answer {
        problem::internal(&self.edge(exchange.api).style, exchange.id(), cause)
    }
}

/// `Strict-Transport-Security` (RFC 6797).
pub(crate) fn hsts_value(hsts: Hsts) -> Option<HeaderValue> {
    let mut text = format!("max-age={}", hsts.max_age);
    if hsts.include_subdomains {
        text.push_str("; includeSubDomains");
    }
    if hsts.preload {
        text.push_str("; preload");
    }
    HeaderValue::try_from(text).ok()
}
