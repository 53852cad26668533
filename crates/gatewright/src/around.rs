//! Layers of the application's own between the guards and a handler: the caller is known by then, and nothing of the body is
//! read. A layer cannot skip a guard, since guards are no layers; what it lets through goes on to the body's checks and the
//! handler, and what it answers by itself gets the fields that every answer has.
//!
//! Operations without layers do not come by here.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use gatewright_policy::table::Policy;
use http::{Request, Response};
use tokio::sync::oneshot;
use tower_layer::Layer;
use tower_service::Service;

use crate::operation::{Boxed, Operation};

/// Which operations a layer stands before.
#[derive(Clone)]
pub struct For(Arc<dyn Fn(&'static Policy) -> bool + Send + Sync>);

impl For {
    /// All that handlers of ours serve.
    #[must_use]
    pub fn all() -> For {
        For(Arc::new(|_| true))
    }

    /// One: `For::operation::<create_transfer::Op>()`.
    #[must_use]
    pub fn operation<O: Operation>() -> For {
        For(Arc::new(|policy| std::ptr::eq(policy, O::META.policy)))
    }

    /// Those whose policy says so: `For::policy(|p| p.step_up.is_some())`.
    #[must_use]
    pub fn policy(holds: impl Fn(&Policy) -> bool + Send + Sync + 'static) -> For {
        For(Arc::new(holds))
    }

    pub(crate) fn holds(&self, policy: &'static Policy) -> bool {
        (self.0)(policy)
    }
}

impl fmt::Debug for For {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("For")
    }
}

/// What a layer stands before: other layers, and then the body's checks and the handler. It takes one call for each request; a
/// request without the extensions of the one that came, and a second call, are answered 500.
#[derive(Clone)]
pub struct Inside(Arc<dyn Fn(Request<Body>) -> Boxed<Response<Body>> + Send + Sync>);

/// What makes a layered service of the one inside it.
pub(crate) type Wrap = Arc<dyn Fn(Inside) -> Inside + Send + Sync>;

impl Inside {
    /// The handler's side, through the door that a request brings along.
    pub(crate) fn handler() -> Inside {
        Inside(Arc::new(|mut request| {
            let door = request.extensions_mut().remove::<Door>();
            Box::pin(async move {
                match door {
                    Some(door) => door.pass(request).await,
                    None => Err(request),
                }
                .unwrap_or_else(|_| broken())
            })
        }))
    }

    /// A layer around what there is.
    pub(crate) fn wrap<L, B>(layer: L) -> Wrap
    where
        L: Layer<Inside> + Send + Sync + 'static,
        L::Service: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request<Body>>>::Error: Into<Infallible>,
        <L::Service as Service<Request<Body>>>::Future: Send,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        Arc::new(move |inside| {
            let service = layer.layer(inside);
            Inside(Arc::new(move |request| {
                let mut service = service.clone();
                Box::pin(async move {
                    let ready = std::future::poll_fn(|cx| service.poll_ready(cx)).await.map_err(Into::into);
                    let answer: Result<_, Infallible> = match ready {
                        Ok(()) => service.call(request).await.map_err(Into::into),
                        Err(error) => Err(error),
                    };
                    let Ok(response) = answer;
                    response.map(Body::new)
                })
            }))
        })
    }
}

impl fmt::Debug for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inside")
    }
}

impl Service<Request<Body>> for Inside {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Boxed<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let response = (self.0)(request);
        Box::pin(async move { Ok(response.await) })
    }
}

/// A mistake of the layer's author: it is logged, and its callers learn nothing of it.
fn broken() -> Response<Body> {
    tracing::error!("a layer called what is inside it twice, or without the extensions of the request");
    let mut response = Response::new(Body::empty());
    *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
    response
}

/// A request that a layer let through, and where the answer goes.
type Passed = (Request<Body>, oneshot::Sender<Response<Body>>);

/// The way from the innermost layer back to the dispatch, which holds what the handler needs and lends it to nobody.
#[derive(Clone)]
struct Door(Arc<Mutex<Option<oneshot::Sender<Passed>>>>);

impl Door {
    /// Gives the request to the dispatch, and waits for its answer.
    async fn pass(self, request: Request<Body>) -> Result<Response<Body>, Request<Body>> {
        let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(sender) = sender else { return Err(request) };
        let (answer, wait) = oneshot::channel();
        sender.send((request, answer)).map_err(|(request, _)| request)?;
        // Nobody answers once the dispatch has gone, and then nobody waits for this either.
        Ok(wait.await.unwrap_or_else(|_| broken()))
    }
}

/// Sends a request through the layers. What they let through is `work`'s; the answer is what they make of it, and whether they
/// let anything through.
pub(crate) async fn around<F>(
    layers: &Inside,
    mut request: Request<Body>,
    work: impl FnOnce(Request<Body>) -> F,
) -> (Response<Body>, bool)
where
    F: Future<Output = Response<Body>>,
{
    let (sender, mut door) = oneshot::channel();
    request.extensions_mut().insert(Door(Arc::new(Mutex::new(Some(sender)))));
    let mut layers = (layers.0)(request);
    let passed = tokio::select! {
        biased;
        response = &mut layers => return (response, false),
        passed = &mut door => passed,
    };
    // The door was thrown away: they answer by themselves.
    let Ok((request, answer)) = passed else { return (layers.await, false) };
    let mut work = pin!(work(request));
    let worked = tokio::select! {
        biased;
        // They did not wait for it: what is under way ends here.
        response = &mut layers => return (response, true),
        response = &mut work => response,
    };
    let _ = answer.send(worked);
    (layers.await, true)
}
