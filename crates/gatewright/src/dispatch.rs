//! A request's whole way, in the order that `gatewright_policy::ORDER` says. This is the one place that walks it.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use gatewright_policy::Refusal;
use gatewright_policy::table::Policy;
use http::header::{ACCEPT, ALLOW, CONTENT_LENGTH, CONTENT_TYPE, HeaderName};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body as _;
use http_body_util::BodyExt as _;

use crate::answer::Answer;
use crate::around::{Inside, around};
use crate::auth::webauthn::{self, Passkeys};
use crate::body::{Boundary, ByteStream, Parts as BodyParts, read_form};
use crate::cx::RawParts;
use crate::guard::{Admission, Guard};
use crate::json::{Document, Limits, Scope, Violations};
use crate::mount::Mount;
use crate::once::Once;
use crate::operation::{Boxed, Meta};
use crate::params::{self, BodySpec, Read, Received, Sent, media};
use crate::reply::{Outcome, Reply};
use crate::route::{Found, PathParams, Table, Template};
use crate::stage::Pending;
use crate::{Api, Config, Exchange, Gateway, Internal, Refused, StartError, collect_body, fits, shield};

/// What handles an admitted request, with the application's type forgotten.
pub(crate) type Handle = dyn Fn(Box<Pending>) -> Boxed<Result<Reply, Refused>> + Send + Sync;

/// As [`Handle`], shared.
pub(crate) struct Endpoint(pub(crate) Arc<Handle>);

/// How an operation is served.
#[derive(Debug)]
pub(crate) enum Served {
    /// By a handler.
    Here(Endpoint),
    /// By ourselves: a ceremony with a passkey.
    Passkeys(Arc<Passkeys>, webauthn::Route),
    /// By nobody yet: 501 behind the guard.
    NotYet,
    /// Not by us: no route.
    Elsewhere,
}

/// The facts of what no document describes. Nothing reads them.
static OF_NOBODY: Meta = Meta::new(&Policy::CLOSED, "", "/");

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Endpoint")
    }
}

/// An operation that is routed.
#[derive(Debug)]
struct Operation {
    api: usize,
    meta: &'static Meta,
    guard: Guard,
    served: Served,
    /// What the application put between the two.
    layers: Option<Inside>,
}

/// All mounted versions behind one router: the fallback service of the `axum::Router`.
#[derive(Clone, Debug)]
pub(crate) struct Server(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    gateway: Gateway,
    table: Table<Operation>,
    /// The prefix of each version, longest first.
    prefixes: Vec<(&'static str, usize)>,
}

impl Server {
    pub(crate) fn start(mounts: Vec<Mount>, config: Config) -> Result<Server, StartError> {
        let mut apis = Vec::new();
        let mut operations = Vec::new();
        for mount in mounts {
            apis.push(Api {
                policy: mount.policy,
                operations: mount.operations.iter().map(|m| m.meta.policy).collect(),
                verifiers: mount.verifiers,
            });
            operations.push((mount.policy.prefix, mount.operations));
        }
        let mut prefixes: Vec<(&'static str, usize)> =
            operations.iter().enumerate().map(|(i, (prefix, _))| (*prefix, i)).collect();
        prefixes.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        let layers = config.layers.clone();
        let gateway = Gateway::start(config, apis)?;
        let mut table = Table::default();
        for (api, (prefix, mounted)) in operations.into_iter().enumerate() {
            for (index, mounted) in mounted.into_iter().enumerate() {
                if matches!(mounted.served, Served::Elsewhere) {
                    continue;
                }
                let meta = mounted.meta;
                let guard =
                    gateway.guard(api, index).cloned().ok_or_else(|| StartError::new("an operation has no guard"))?;
                let method = Method::from_bytes(meta.method.as_bytes())
                    .map_err(|_| StartError::new(format!("`{}` is no HTTP method", meta.method)))?;
                // From the innermost to the first, which is the outermost.
                let own = layers.iter().rev().filter(|(operations, _)| operations.holds(meta.policy));
                let layers = own.fold(None, |inside, (_, wrap)| Some(wrap(inside.unwrap_or_else(Inside::handler))));
                let operation = Operation { api, meta, guard, served: mounted.served, layers };
                table.add(&method, prefix, meta.path, operation).map_err(|e| StartError::new(e.to_string()))?;
            }
        }
        for (prefix, api) in &prefixes {
            let Some((passkeys, guard)) = gateway.passkeys(*api) else { continue };
            for (route, method, path) in webauthn::ROUTES {
                let method = Method::from_bytes(method.as_bytes()).map_err(|e| StartError::new(e.to_string()))?;
                let served = Served::Passkeys(Arc::clone(passkeys), route);
                let operation = Operation { api: *api, meta: &OF_NOBODY, guard: guard.clone(), served, layers: None };
                table.add(&method, prefix, Template::new(path), operation).map_err(|e| {
                    StartError::new(format!("{e}; `webauthn` is where the server keeps its routes of passkeys"))
                })?;
            }
        }
        Ok(Server(Arc::new(Inner { gateway, table, prefixes })))
    }

    pub(crate) fn gateway(&self) -> Gateway {
        self.0.gateway.clone()
    }
}

impl tower_service::Service<Request<Body>> for Server {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let inner = Arc::clone(&self.0);
        let (parts, body) = request.into_parts();
        let request = Unread { parts: Box::new(parts), body };
        Box::pin(inner.serve(request))
    }
}

/// A request whose body nobody has looked at. Its head is on the heap, where the handler finds it too: each step that a
/// large value goes through would have a copy of its own in the future of the whole.
struct Unread {
    parts: Box<Parts>,
    body: Body,
}

impl Inner {
    async fn serve(self: Arc<Self>, request: Unread) -> Result<Response<Body>, Infallible> {
        let parts = &request.parts;
        let head = parts.method == Method::HEAD;
        let found = self.table.find(&parts.method, parts.uri.path());
        let api = match &found {
            Found::Route(operation, _) => Some(operation.api),
            _ => self.api_of(parts.uri.path()),
        };
        let exchange = self.gateway.open(api, parts);
        let _place = match self.gateway.enter() {
            Ok(place) => place,
            Err(refused) => return Ok(without_body(head, self.gateway.refuse(&exchange, None, refused))),
        };
        if let Err(refused) = self.gateway.check_connection(&exchange, parts) {
            return Ok(without_body(head, self.gateway.refuse(&exchange, None, refused)));
        }
        let response = match &found {
            Found::Route(operation, path) => self.operate(operation, path, &exchange, request).await,
            Found::Method(allow) if request.parts.method == Method::OPTIONS => {
                Box::pin(self.gateway.complete_unanswered(&exchange, options(allow.clone()))).await
            }
            Found::Method(allow) => {
                let refused = Refused::new(Refusal::MethodNotAllowed).with_header(ALLOW, allow.clone());
                Box::pin(self.gateway.refuse_unanswered(&exchange, refused)).await
            }
            Found::Nothing => {
                Box::pin(self.gateway.refuse_unanswered(&exchange, Refused::new(Refusal::NotFound))).await
            }
            Found::Malformed => {
                Box::pin(self.gateway.refuse_unanswered(&exchange, Refused::new(Refusal::BadRequest))).await
            }
        };
        Ok(without_body(head, response))
    }

    /// Whose path it is, for the lifecycle and the problems of a path that no operation has.
    fn api_of(&self, path: &str) -> Option<usize> {
        let inside = |prefix: &str| {
            path.strip_prefix(prefix).is_some_and(|rest| prefix.is_empty() || rest.is_empty() || rest.starts_with('/'))
        };
        self.prefixes.iter().find(|(prefix, _)| inside(prefix)).map(|(_, api)| *api)
    }

    async fn operate(
        &self,
        operation: &Operation,
        path: &PathParams,
        exchange: &Exchange,
        #[cfg_attr(not(feature = "otel"), allow(unused_mut, reason = "told of its trace"))] mut request: Unread,
    ) -> Response<Body> {
        let guard = &operation.guard;
        #[cfg(feature = "otel")]
        exchange.tell_trace(&mut request.parts.extensions);
        // Nothing of the body is read before this line has said yes.
        let admission = match Box::pin(guard.admit(exchange, &request.parts, path)).await {
            Ok(admission) => admission,
            Err(refused) => return self.gateway.refuse(exchange, Some(guard), refused),
        };
        let outcome = match &operation.served {
            Served::Here(endpoint) => match &operation.layers {
                None => self.handle(operation, endpoint, path, exchange, &admission, request).await,
                Some(layers) => {
                    return Box::pin(self.layered(layers, operation, endpoint, path, exchange, &admission, request))
                        .await;
                }
            },
            Served::Passkeys(passkeys, route) => {
                let body = request.body;
                let asked = webauthn::Asked { exchange, guard, admission: &admission, parts: &request.parts, path };
                let deadline = exchange.deadline(guard);
                shield(deadline, Box::pin(passkeys.answer(*route, &asked, body))).await.flatten()
            }
            Served::NotYet | Served::Elsewhere => Err(Refused::new(Refusal::NotImplemented)),
        };
        match outcome {
            Ok(reply) => match self.finish(exchange, guard, &admission, reply) {
                Finished::Ready(response) => response,
                Finished::Unfiltered(response) => {
                    Box::pin(self.answer(exchange, guard, &admission, response, By::Handler)).await
                }
            },
            Err(refused) => self.gateway.refuse_admitted(exchange, guard, &admission, refused),
        }
    }

    /// As an operation without layers, within those of the application.
    #[allow(clippy::too_many_arguments, reason = "what a request consists of by then")]
    async fn layered(
        &self,
        layers: &Inside,
        operation: &Operation,
        endpoint: &Endpoint,
        path: &PathParams,
        exchange: &Exchange,
        admission: &Admission,
        request: Unread,
    ) -> Response<Body> {
        let guard = &operation.guard;
        let Unread { mut parts, body } = request;
        if let Some(identity) = admission.identity() {
            parts.extensions.insert(Arc::clone(identity));
        }
        let entering = Request::from_parts(*parts, body);
        let work = async |request: Request<Body>| {
            let (parts, body) = request.into_parts();
            let request = Unread { parts: Box::new(parts), body };
            match self.handle(operation, endpoint, path, exchange, admission, request).await {
                Ok(reply) => match self.finish(exchange, guard, admission, reply) {
                    Finished::Ready(response) => response,
                    Finished::Unfiltered(response) => {
                        self.answer(exchange, guard, admission, response, By::Handler).await
                    }
                },
                Err(refused) => self.gateway.refuse_admitted(exchange, guard, admission, refused),
            }
        };
        match shield(exchange.deadline(guard), Box::pin(around(layers, entering, work))).await {
            Ok((response, true)) => response,
            // Nobody has seen it yet.
            Ok((response, false)) => self.answer(exchange, guard, admission, response, By::Others).await,
            Err(refused) => self.gateway.refuse_admitted(exchange, guard, admission, refused),
        }
    }

    async fn handle(
        &self,
        operation: &Operation,
        endpoint: &Endpoint,
        path: &PathParams,
        exchange: &Exchange,
        admission: &Admission,
        request: Unread,
    ) -> Result<Reply, Refused> {
        let (meta, guard) = (operation.meta, &operation.guard);
        let deadline = exchange.deadline(guard);
        let handled = {
            let mut found = Violations::new();
            let Unread { parts, body } = request;
            let sent = match meta.body {
                None => nothing(meta, &parts)?,
                Some(_) => Box::pin(receive(meta, guard, exchange, &parts, body, &mut found)).await?,
            };
            let received = collect(meta, path, &parts, sent, &mut found);
            let raw = RawParts(parts);
            let (guard, identity) = (guard.clone(), admission.identity().cloned());
            let stepped_up = admission.stepped_up();
            let once = Once::of(admission, exchange.client(), &raw, &received.body, deadline);
            (endpoint.0)(Box::new(Pending { meta, guard, identity, stepped_up, received, found, raw, once }))
        };
        shield(deadline, handled).await?
    }

    /// A reply as it is sent, or one that may hold what its caller may not see.
    fn finish(&self, exchange: &Exchange, guard: &Guard, admission: &Admission, reply: Reply) -> Finished {
        // Values were looked through when they were written.
        let values = matches!(reply.outcome, Outcome::Values(..));
        match self.rendered(exchange, guard, admission, reply) {
            Ok(answer) if guard.filters_answers() && !values => Finished::Unfiltered(answer.into()),
            Ok(answer) => Finished::Ready(self.gateway.complete(exchange, admission, answer)),
            Err(refused) => Finished::Ready(self.gateway.refuse_admitted(exchange, guard, admission, refused)),
        }
    }

    /// A reply as an answer.
    fn rendered(
        &self,
        exchange: &Exchange,
        guard: &Guard,
        admission: &Admission,
        reply: Reply,
    ) -> Result<Answer, Refused> {
        let Reply { outcome, headers: fields } = reply;
        let mut answer = match outcome {
            Outcome::Plain(status, body) => return Ok(Answer { fields, ..Answer::new(status, body) }),
            Outcome::Problem(problem) => self.gateway.problem_answer(exchange, &problem),
            Outcome::Internal(error) => self.gateway.internal_answer(exchange, &error),
            Outcome::Values(status, values) => match values.body(guard.answer_sieve(admission)) {
                Ok(body) => return Ok(Answer { fields, ..Answer::new(status, body) }),
                Err(error) => return Ok(self.gateway.internal_answer(exchange, &error)),
            },
            Outcome::Chosen(_) => {
                let error = Internal::new("an answer in several media types of an operation that does not negotiate");
                self.gateway.internal_answer(exchange, &error)
            }
            Outcome::Refused(refused) => return Err(refused),
        };
        answer.fields.extend(fields);
        Ok(answer)
    }

    /// What the caller may see of an answer, finished.
    async fn answer(
        &self,
        exchange: &Exchange,
        guard: &Guard,
        admission: &Admission,
        response: Response<Body>,
        by: By,
    ) -> Response<Body> {
        let response = match filtered(guard, admission, response, by).await {
            Ok(response) => response,
            Err(error) => self.gateway.internal(exchange, &error),
        };
        self.gateway.answer(exchange, admission, response)
    }
}

/// What became of a reply.
enum Finished {
    Ready(Response<Body>),
    /// It must still be looked through.
    Unfiltered(Response<Body>),
}

/// Who made an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// A handler of the operation, with its types: what is no JSON was looked through when it was written.
    Handler,
    /// A layer, or a handler of plain axum.
    Others,
}

/// An answer without what its caller may not see. One that cannot be looked through is not sent, unless it says itself
/// that it is something else than values.
pub(crate) async fn filtered(
    guard: &Guard,
    admission: &Admission,
    response: Response<Body>,
    by: By,
) -> Result<Response<Body>, Internal> {
    if !guard.filters_answers() {
        return Ok(response);
    }
    let (mut head, body) = response.into_parts();
    let unseen = |text: &str| media::is_json(text) || by == By::Others && media::is_of_values(text);
    let is_other = |value: &HeaderValue| value.to_str().is_ok_and(|text| !unseen(text));
    let mut types = head.headers.get_all(CONTENT_TYPE).iter().peekable();
    let other = types.peek().is_some() && types.all(is_other);
    if body.size_hint().exact().is_none() {
        let stream = Internal::new("an answer that must be looked through is a stream");
        return if other { Ok(Response::from_parts(head, body)) } else { Err(stream) };
    }
    let whole = body.collect().await.map_err(|e| Internal::new(e.to_string()))?.to_bytes();
    if whole.is_empty() {
        return Ok(Response::from_parts(head, Body::empty()));
    }
    match guard.visible(admission, &whole) {
        Some(visible) => {
            head.headers.remove(CONTENT_LENGTH);
            Ok(Response::from_parts(head, Body::from(visible)))
        }
        None if other => Ok(Response::from_parts(head, Body::from(whole))),
        None => Err(Internal::new("an answer that must be looked through is no JSON")),
    }
}

/// The parameters of an admitted request beside its body.
pub(crate) fn collect(
    meta: &'static Meta,
    path: &PathParams,
    parts: &Parts,
    sent: Sent,
    found: &mut Violations,
) -> Received {
    let gathered = params::gather::gather(
        meta.parameters,
        path,
        parts.uri.query(),
        &parts.headers,
        meta.credentials,
        meta.refuse_unknown,
    );
    Received::new(gathered, sent, found)
}

/// What an operation without a body reads: nothing, if some answer of it is acceptable.
fn nothing(meta: &Meta, parts: &Parts) -> Result<Sent, Refused> {
    if media::acceptable(&parts.headers, meta.produces) {
        Ok(Sent::Nothing)
    } else {
        Err(Refused::new(Refusal::NotAcceptable))
    }
}

/// Reads the body of an admitted request: acceptable answer, media type, limit, form. An operation without a body
/// reads none, and what the handler reads by itself is not read here.
pub(crate) async fn receive(
    meta: &'static Meta,
    guard: &Guard,
    exchange: &Exchange,
    parts: &Parts,
    body: Body,
    found: &mut Violations,
) -> Result<Sent, Refused> {
    let nothing = nothing(meta, parts)?;
    let Some(spec) = meta.body else { return Ok(nothing) };
    if body.is_end_stream() {
        return Ok(absent(&spec, found));
    }
    let media = media::select(&parts.headers, spec.content);
    // A body of unknown length may turn out to be empty, so its type is judged first only where it is known to be there.
    if media.is_none() && body.size_hint().lower() > 0 {
        return Err(unsupported(&spec, parts));
    }
    let (limit, deadline) = (guard.body_limit(), exchange.deadline(guard));
    let read = media.and_then(|index| spec.content.get(index).map(|media| (index, media.read)));
    match read {
        Some((index, Read::Bytes | Read::Lines(_) | Read::Sequence(_) | Read::Events(_) | Read::DataEvents(_))) => {
            fits(&parts.headers, limit)?;
            return Ok(Sent::Stream(index, Some((ByteStream::new(body, limit, deadline), None)).into()));
        }
        Some((index, Read::Multipart)) => {
            let boundary = Some(boundary(parts)?);
            fits(&parts.headers, limit)?;
            return Ok(Sent::Stream(index, Some((ByteStream::new(body, limit, deadline), boundary)).into()));
        }
        Some((index, Read::Parts(form, _))) => {
            let boundary = boundary(parts)?;
            fits(&parts.headers, limit)?;
            let sent = BodyParts::new(ByteStream::new(body, limit, deadline), boundary);
            let document = Box::pin(read_form(sent, form, found)).await.map_err(|error| error.refused())?;
            return Ok(document.map_or(Sent::Wrong, |document| Sent::Json(index, document)));
        }
        _ => {}
    }
    let bytes = collect_body(&parts.headers, body, limit, deadline).await?;
    match read {
        // An empty text is a text.
        Some((_, read)) if bytes.is_empty() && !matches!(read, Read::Text(_)) => Ok(absent(&spec, found)),
        Some((index, read)) => interpret(index, read, bytes, found),
        None if bytes.is_empty() => Ok(absent(&spec, found)),
        None => Err(unsupported(&spec, parts)),
    }
}

fn boundary(parts: &Parts) -> Result<Boundary, Refused> {
    let detail = "the `Content-Type` of a multipart body names its boundary";
    Boundary::of(&parts.headers).ok_or_else(|| Refused::new(Refusal::Malformed).with_detail(detail))
}

/// 415 with what would be taken (RFC 9110, 15.5.16; for `PATCH` also RFC 5789, 2.2).
fn unsupported(spec: &BodySpec, parts: &Parts) -> Refused {
    let refused = Refused::new(Refusal::UnsupportedMediaType);
    let Some(offered) = media::offered(spec.content) else { return refused };
    if parts.method == Method::PATCH {
        let refused = refused.with_header(HeaderName::from_static("accept-patch"), offered.clone());
        return refused.with_header(ACCEPT, offered);
    }
    refused.with_header(ACCEPT, offered)
}

fn absent(spec: &BodySpec, found: &mut Violations) -> Sent {
    if !spec.required {
        return Sent::Nothing;
    }
    found.scope_of_absent(Scope::Body);
    found.add("required", "is missing");
    Sent::Wrong
}

fn interpret(media: usize, read: Read, bytes: Bytes, found: &mut Violations) -> Result<Sent, Refused> {
    let malformed = || Refused::new(Refusal::Malformed);
    Ok(match read {
        Read::Json(_) => {
            // Bytes that nobody else holds become the document's text without being copied.
            let document = Document::parse_owned(bytes.into(), &Limits::default());
            Sent::Json(media, document.map_err(|e| malformed().with_detail(e.to_string()))?)
        }
        Read::Form(shape, encoded, _) => {
            let text = std::str::from_utf8(&bytes).map_err(|_| malformed())?;
            match params::form(shape, encoded, text) {
                Ok(json) => Sent::Json(media, Document::parse(json.as_bytes()).map_err(|_| malformed())?),
                Err(wrong) => {
                    found.scope_of_absent(Scope::Body);
                    found.add(wrong.rule, format_args!("the field `{}` {}", wrong.name, wrong.detail));
                    Sent::Wrong
                }
            }
        }
        Read::Text(_) => {
            let text = std::str::from_utf8(&bytes).map_err(|_| malformed())?;
            let mut json = String::with_capacity(text.len() + 2);
            params::text::quote(text, &mut json);
            Sent::Json(media, Document::parse(json.as_bytes()).map_err(|_| malformed())?)
        }
        #[cfg(feature = "xml")]
        Read::Xml(table, _) => {
            let text = std::str::from_utf8(&bytes).map_err(|_| malformed())?;
            let json =
                crate::body::read_xml(table, text).map_err(|why| malformed().with_detail(format!("the body {why}")))?;
            Sent::Json(media, Document::parse(json.as_bytes()).map_err(|e| malformed().with_detail(e.to_string()))?)
        }
        // These were handed on before.
        _ => return Err(Refused::internal(Internal::new("a body that a handler reads was read"))),
    })
}

/// `OPTIONS` of a path that declares none: which methods there are (RFC 9110, 9.3.7). It says no more than a 405 does.
fn options(allow: HeaderValue) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(ALLOW, allow);
    response
}

/// The response to `HEAD` has the fields that `GET` has, and no body (RFC 9110, 9.3.2).
fn without_body(head: bool, response: Response<Body>) -> Response<Body> {
    if !head {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    if let Some(length) = body.size_hint().exact()
        && !parts.headers.contains_key(CONTENT_LENGTH)
    {
        parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    Response::from_parts(parts, Body::empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The size of what a function gives; it is not called.
    fn size<F>(_: impl FnOnce() -> F) -> usize {
        size_of::<F>()
    }

    fn some<T>() -> T {
        panic!("nobody calls this")
    }

    /// What a request takes on its way stays below what an allocator hands out at once (glibc: 1,032 bytes).
    #[test]
    fn the_future_of_a_request_is_small() {
        let sizes = [
            size(|| some::<Arc<Inner>>().serve(some())),
            size(|| some::<&'static Guard>().admit(some(), some(), some::<&PathParams>())),
            size(|| receive(some(), some(), some(), some(), some(), some())),
            size_of::<Pending>(),
        ];
        assert!(sizes.iter().all(|size| *size <= 1_032), "{sizes:?}");
    }
}
