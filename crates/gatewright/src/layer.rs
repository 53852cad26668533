//! Guards around an axum handler that stays as it is: for services that move to Gatewright operation by operation.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use gatewright_policy::Refusal;
use http::{Method, Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::cx::RawParts;
use crate::dispatch::{By, collect, filtered, receive};
use crate::guard::Guard;
use crate::json::Violations;
use crate::operation::Operation;
use crate::params::{MediaSpec, Read};
use crate::route::{Found, Table};
use crate::stage::Pending;
use crate::{Exchange, Gateway, Refused, StartError, collect_body, shield};

/// Puts everything that stands before a handler in front of an untouched one: connection, lifecycle, networks, limits,
/// credentials, permissions, parameters and body, all by the policy of `O`. What comes through is the request as it was
/// sent, and `Extension<Arc<Identity>>` where there is a caller.
///
/// Operations with an `owner` have no such layer: their objects reach a handler as `Authorized<T>`, or not at all. Nor
/// have those that list owned objects.
///
/// ```text
/// let (api, gateway) = gatewright::serve([v2::partial(app).external::<v2::get_rates::Op>().mount()], config)?;
/// let old = Router::new().route("/v2/rates", get(old_rates).layer(GuardLayer::<v2::get_rates::Op>::new(&gateway)?));
/// let all = old.merge(api);
/// ```
pub struct GuardLayer<O> {
    around: Arc<Around>,
    operation: PhantomData<fn() -> O>,
}

struct Around {
    gateway: Gateway,
    guard: Guard,
    api: usize,
    /// The one route, for the path's parameters.
    table: Table<()>,
}

impl<O: Operation<Id = ()>> GuardLayer<O> {
    /// The layer of the operation `O`.
    ///
    /// # Errors
    /// None of the versions that the gateway was started with has the operation, or it needs what a layer cannot do.
    pub fn new(gateway: &Gateway) -> Result<GuardLayer<O>, StartError> {
        let policy = O::META.policy;
        let mounted = gateway.guards().find(|(_, guard)| std::ptr::eq(guard.policy(), policy));
        let Some((api, guard)) = mounted else {
            return Err(StartError::new(format!("`{}` ({}) is not mounted", policy.operation, policy.at)));
        };
        let items = |spec: &MediaSpec| {
            matches!(spec.read, Read::Lines(_) | Read::Sequence(_) | Read::Events(_) | Read::DataEvents(_))
        };
        let unread = policy.write.is_some() && O::META.body.is_some_and(|body| body.content.iter().any(items));
        let beyond = [
            (policy.idempotency.is_some(), "takes idempotency keys, which a layer cannot"),
            (O::META.lists, "lists objects of which each caller sees his own, which a layer cannot see to"),
            (unread, "has items of which not everybody may send all, which a layer does not read"),
        ];
        if let Some((_, why)) = beyond.iter().find(|(is, _)| *is) {
            let (operation, at) = (policy.operation, policy.at);
            return Err(StartError::new(format!("`{operation}` ({at}) {why}: write a handler")));
        }
        let mut table = Table::default();
        let prefix = gateway.api(api).map_or("", |api| api.prefix);
        // A router that is nested under the prefix shows its handlers the rest of the path.
        for prefix in if prefix.is_empty() { vec![""] } else { vec![prefix, ""] } {
            let method = Method::from_bytes(O::META.method.as_bytes()).map_err(|e| StartError::new(e.to_string()))?;
            table.add(&method, prefix, O::META.path, ()).map_err(|e| StartError::new(e.to_string()))?;
        }
        let around = Around { gateway: gateway.clone(), guard: guard.clone(), api, table };
        Ok(GuardLayer { around: Arc::new(around), operation: PhantomData })
    }
}

impl<O> Clone for GuardLayer<O> {
    fn clone(&self) -> Self {
        GuardLayer { around: Arc::clone(&self.around), operation: PhantomData }
    }
}

impl<O> std::fmt::Debug for GuardLayer<O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GuardLayer({})", self.around.guard.policy().operation)
    }
}

impl<S, O> Layer<S> for GuardLayer<O> {
    type Service = Guarding<S, O>;

    fn layer(&self, inner: S) -> Guarding<S, O> {
        Guarding { inner, layer: self.clone() }
    }
}

/// A service behind a [`GuardLayer`].
pub struct Guarding<S, O> {
    inner: S,
    layer: GuardLayer<O>,
}

impl<S: Clone, O> Clone for Guarding<S, O> {
    fn clone(&self) -> Self {
        Guarding { inner: self.inner.clone(), layer: self.layer.clone() }
    }
}

impl<S, O> std::fmt::Debug for Guarding<S, O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.layer.fmt(f)
    }
}

impl<S, O> Service<Request<Body>> for Guarding<S, O>
where
    O: Operation<Id = ()>,
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The clone may not be ready; the service that was asked is.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let around = Arc::clone(&self.layer.around);
        Box::pin(async move {
            #[cfg_attr(not(feature = "otel"), allow(unused_mut, reason = "told of its trace"))]
            let (mut parts, body) = request.into_parts();
            let exchange = around.gateway.open(Some(around.api), &parts);
            #[cfg(feature = "otel")]
            exchange.tell_trace(&mut parts.extensions);
            let _place = match around.gateway.enter() {
                Ok(place) => place,
                Err(refused) => return Ok(around.gateway.refuse(&exchange, None, refused)),
            };
            if let Err(refused) = around.gateway.check_connection(&exchange, &parts) {
                return Ok(around.gateway.refuse(&exchange, None, refused));
            }
            let Found::Route((), path) = around.table.find(&parts.method, parts.uri.path()) else {
                return Ok(around.gateway.refuse(&exchange, None, Refused::new(Refusal::NotFound)));
            };
            let admission = match around.guard.admit(&exchange, &parts, &path).await {
                Ok(admission) => admission,
                Err(refused) => return Ok(around.gateway.refuse(&exchange, Some(&around.guard), refused)),
            };
            let answered = async {
                let bytes = around.body(&exchange, &parts, body, O::META.body.is_some()).await?;
                let mut found = Violations::new();
                let again = Body::from(bytes.clone());
                let sent = receive(O::META, &around.guard, &exchange, &parts, again, &mut found).await?;
                let received = collect(O::META, &path, &parts, sent, &mut found);
                let (guard, identity) = (around.guard.clone(), admission.identity().cloned());
                let mut parts = parts;
                let raw = RawParts(Box::new(parts.clone()));
                let stepped_up = admission.stepped_up();
                let pending = Pending { meta: O::META, guard, identity, stepped_up, received, found, raw, once: None };
                let pending = Box::new(pending);
                let (valid, ()) = pending.read::<O>()?;
                if let Ok(identity) = valid.identity() {
                    parts.extensions.insert(identity);
                }
                let work = inner.call(Request::from_parts(parts, Body::from(bytes)));
                shield(exchange.deadline(&around.guard), Box::pin(work)).await
            };
            match answered.await {
                Ok(Ok(response)) => {
                    let response = match filtered(&around.guard, &admission, response, By::Others).await {
                        Ok(response) => response,
                        Err(error) => around.gateway.internal(&exchange, &error),
                    };
                    Ok(around.gateway.answer(&exchange, &admission, response))
                }
                Ok(Err(error)) => Err(error),
                Err(refused) => Ok(around.gateway.refuse_admitted(&exchange, &around.guard, &admission, refused)),
            }
        })
    }
}

impl Around {
    /// The whole body, within its limit and the deadline; an operation without a body reads none.
    async fn body(
        &self,
        exchange: &Exchange,
        parts: &http::request::Parts,
        body: Body,
        declared: bool,
    ) -> Result<Bytes, Refused> {
        if !declared {
            return Ok(Bytes::new());
        }
        collect_body(&parts.headers, body, self.guard.body_limit(), exchange.deadline(&self.guard)).await
    }
}
