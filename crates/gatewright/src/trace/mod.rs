//! OpenTelemetry: a span for each request, with one below it for what the guard decided, sent to a collector by OTLP. Names
//! and attributes come of the document and of the refusals' table, so that no caller makes a new series; nothing that he sent
//! stands in them.

mod context;
mod otlp;

pub use context::TraceContext;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use gatewright_policy::Refusal;
use http::{HeaderMap, Method, StatusCode};
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchSpanProcessor, SpanData, SpanEvents, SpanLinks, SpanProcessor};

use crate::guard::Guard;

/// Where spans go.
#[derive(Clone)]
pub struct Traces {
    processor: Arc<BatchSpanProcessor>,
    scope: InstrumentationScope,
    /// Of 65,536 traces that begin here.
    share: u32,
    everybody: bool,
}

impl fmt::Debug for Traces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Traces").field("share", &self.share).field("everybody", &self.everybody).finish_non_exhaustive()
    }
}

impl Traces {
    /// To a collector, by OTLP over HTTP (`http://localhost:4318/v1/traces`), under the name of this service. Spans are sent in
    /// the background, at most 2,048 wait, and more are dropped: no request waits for a collector. Certificates of an `https`
    /// endpoint are judged as the machine does. To be called within the runtime that the server has.
    ///
    /// # Errors
    /// The endpoint is no URL, there is nobody to trust for `https`, or there is no runtime.
    pub fn otlp(endpoint: &str, service: &str) -> Result<Traces, String> {
        let exporter = otlp::exporter(endpoint)?;
        let mut processor = BatchSpanProcessor::builder(exporter).build();
        processor.set_resource(&Resource::builder().with_service_name(service.to_owned()).build());
        let scope = InstrumentationScope::builder("gatewright").with_version(env!("CARGO_PKG_VERSION")).build();
        Ok(Traces { processor: Arc::new(processor), scope, share: 65_536, everybody: false })
    }

    /// Records this share of the traces that begin here, from 0 to 1; of others it records those that are recorded before it.
    /// Default 1.
    #[must_use]
    pub fn share(mut self, share: f64) -> Traces {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within bounds")]
        let share = (share.clamp(0.0, 1.0) * 65_536.0).round() as u32;
        self.share = share;
        self
    }

    /// Takes `traceparent` from everybody, not from trusted proxies alone. Whoever calls then says which trace he is part of,
    /// and that it is recorded.
    #[must_use]
    pub fn of_everybody(mut self, yes: bool) -> Traces {
        self.everybody = yes;
        self
    }

    /// Begins the span of a request.
    pub(crate) fn open(&self, headers: &HeaderMap, trusted: bool) -> Open {
        let parent = if trusted || self.everybody { TraceContext::read(headers) } else { None };
        let context = parent.map_or_else(|| TraceContext::new(self.share), TraceContext::child);
        Open { context, parent, decided: AtomicU64::new(0) }
    }

    /// Ends it.
    pub(crate) fn close(&self, open: &Open, ended: &Ended<'_>) {
        if !open.context.sampled() {
            return;
        }
        // A span's times are of the wall; how long it took is not.
        let now = SystemTime::now();
        let ago = |nanoseconds: u64| now.checked_sub(Duration::from_nanos(nanoseconds)).unwrap_or(now);
        let start = ago(ended.now.saturating_sub(ended.started));
        let decided = match open.decided.load(Ordering::Relaxed) {
            0 => now,
            at => ago(ended.now.saturating_sub(at)),
        };
        let policy = ended.guard.map(Guard::policy);
        let operation = policy.map_or("", |policy| policy.operation);
        let decision = if ended.refusal.is_some() { "deny" } else { "allow" };
        let refusal = ended.refusal.map(|refusal| {
            let check = KeyValue::new("gatewright.check", format!("{:?}", refusal.check()));
            [KeyValue::new("gatewright.refusal", format!("{refusal:?}")), check]
        });
        let refusal = || refusal.clone().into_iter().flatten();

        let mut attributes = vec![
            KeyValue::new("http.request.method", method(ended.method)),
            KeyValue::new("http.response.status_code", i64::from(ended.status.as_u16())),
            KeyValue::new("url.scheme", if ended.secure { "https" } else { "http" }),
            KeyValue::new("gatewright.request_id", ended.request_id.to_owned()),
            KeyValue::new("gatewright.api", ended.api),
            KeyValue::new("gatewright.operation", operation),
            KeyValue::new("gatewright.decision", decision),
        ];
        attributes.extend(refusal());
        let failed = ended.status.is_server_error();
        let name = if operation.is_empty() { method(ended.method) } else { operation };
        self.send(SpanData {
            span_context: of(open.context, open.context.span_id()),
            parent_span_id: open.parent.map_or(SpanId::INVALID, |parent| SpanId::from_bytes(parent.span_id())),
            parent_span_is_remote: open.parent.is_some(),
            span_kind: SpanKind::Server,
            status: if failed { Status::error("") } else { Status::Unset },
            ..self.span(name, (start, now), attributes)
        });
        let Some(policy) = policy else { return };
        let mut attributes =
            vec![KeyValue::new("gatewright.policy", policy.at), KeyValue::new("gatewright.decision", decision)];
        attributes.extend(refusal());
        self.send(SpanData {
            span_context: of(open.context, open.context.child().span_id()),
            parent_span_id: SpanId::from_bytes(open.context.span_id()),
            ..self.span("guard", (start, decided), attributes)
        });
    }

    fn span(
        &self,
        name: &'static str,
        (start_time, end_time): (SystemTime, SystemTime),
        attributes: Vec<KeyValue>,
    ) -> SpanData {
        SpanData {
            span_context: SpanContext::NONE,
            parent_span_id: SpanId::INVALID,
            parent_span_is_remote: false,
            span_kind: SpanKind::Internal,
            name: Cow::Borrowed(name),
            start_time,
            end_time,
            attributes,
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: self.scope.clone(),
        }
    }

    fn send(&self, span: SpanData) {
        self.processor.on_end(span);
    }

    /// Sends what waits. It blocks: not for a thread that requests wait for.
    pub(crate) fn flush(&self) {
        if let Err(error) = self.processor.force_flush() {
            tracing::warn!(target: "gatewright::trace", %error, "spans could not be sent");
        }
    }
}

/// The span of a request that is under way.
#[derive(Debug)]
pub(crate) struct Open {
    context: TraceContext,
    parent: Option<TraceContext>,
    /// When its guard had decided, in monotonic nanoseconds; 0 before.
    decided: AtomicU64,
}

impl Open {
    pub(crate) fn context(&self) -> TraceContext {
        self.context
    }

    pub(crate) fn decided(&self, now: u64) {
        self.decided.store(now, Ordering::Relaxed);
    }
}

/// How a request ended. Times are monotonic nanoseconds.
pub(crate) struct Ended<'r> {
    pub(crate) started: u64,
    pub(crate) now: u64,
    pub(crate) request_id: &'r str,
    pub(crate) api: &'static str,
    pub(crate) guard: Option<&'r Guard>,
    pub(crate) method: &'r Method,
    pub(crate) secure: bool,
    pub(crate) status: StatusCode,
    pub(crate) refusal: Option<Refusal>,
}

fn of(context: TraceContext, span: [u8; 8]) -> SpanContext {
    let flags = if context.sampled() { TraceFlags::SAMPLED } else { TraceFlags::default() };
    let trace = TraceId::from_bytes(context.trace_id());
    SpanContext::new(trace, SpanId::from_bytes(span), flags, false, TraceState::NONE)
}

/// A method of RFC 9110 or 5789; of others there is no end (OpenTelemetry calls them so).
fn method(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("_OTHER")
}
