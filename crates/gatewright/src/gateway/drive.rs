//! The driver: one request from head to answer, in the order of the checks. Routes and handlers are given by traits, so
//! that this is compiled once however many operations there are.

use std::future::Future;
use std::pin::Pin;

use axum::body::Body;
use gatewright_policy::Refusal;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response};

use super::{Exchange, Gateway, shield};
use crate::guard::{Admission, Guard};
use crate::problem::Refused;

/// A boxed future.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

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

/// The routes of a server.
pub trait Routes: Send + Sync + 'static {
    /// The path parameters of a route that was found.
    type Path: PathValues + 'static;

    /// The version whose prefix a path has.
    fn api(&self, path: &str) -> Option<usize>;

    /// The operation of a method and path in that version.
    fn find(&self, api: usize, method: &Method, path: &str) -> Found<'_, Self::Path>;
}

/// What a look-up found.
pub enum Found<'r, P> {
    /// An operation, by its index in [`Api::operations`](crate::Api).
    Operation {
        /// The index.
        index: usize,
        /// The path parameters.
        path: P,
        /// What handles it.
        endpoint: &'r dyn Endpoint<P>,
    },
    /// The path exists with other methods: the value of `Allow`.
    OtherMethods(HeaderValue),
    /// No such path.
    Nothing,
}

/// What handles an operation, from its body on.
pub trait Endpoint<P>: Send + Sync {
    /// Reads the body, calls the handler, and makes a response. The driver catches panics and keeps the deadline.
    fn call(&self, admitted: Admitted<P>) -> BoxFuture<'static, Result<Response<Body>, Refused>>;
}

/// A request that the guards admitted. Its body was not touched.
pub struct Admitted<P> {
    /// Its head.
    pub parts: Parts,
    /// Its body.
    pub body: Body,
    /// Its path parameters.
    pub path: P,
    /// The proof, shared with the driver.
    pub admission: std::sync::Arc<Admission>,
    /// What is known of it.
    pub exchange: std::sync::Arc<Exchange>,
    /// When it must be done.
    pub deadline: tokio::time::Instant,
    /// For [`Gateway::problem`] and [`Gateway::internal`].
    pub gateway: Gateway,
}

impl Gateway {
    /// Answers one request.
    pub async fn serve<R: Routes>(&self, routes: &R, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let head = parts.method == Method::HEAD;
        let mut response = self.respond(routes, parts, body).await;
        if head {
            *response.body_mut() = Body::empty();
        }
        response
    }

    async fn respond<R: Routes>(&self, routes: &R, parts: Parts, body: Body) -> Response<Body> {
        let api = routes.api(parts.uri.path());
        let exchange = std::sync::Arc::new(self.open(api, &parts));
        if let Err(refused) = self.check_connection(&exchange, &parts) {
            return self.refuse(&exchange, None, refused);
        }
        let found = match api {
            Some(api) => routes.find(api, &parts.method, parts.uri.path()),
            None => Found::Nothing,
        };
        let (index, path, endpoint) = match found {
            Found::Operation { index, path, endpoint } => (index, path, endpoint),
            Found::OtherMethods(allow) => {
                let refused = Refused::new(Refusal::MethodNotAllowed).with_header(http::header::ALLOW, allow);
                return self.refuse(&exchange, None, refused);
            }
            Found::Nothing => return self.refuse(&exchange, None, Refused::new(Refusal::NotFound)),
        };
        let Some(guard) = api.and_then(|api| self.guard(api, index)) else {
            // A route without a guard cannot be built; if it were, nobody would come in.
            return self.refuse(&exchange, None, Refused::new(Refusal::Internal).because("a route has no guard"));
        };
        let deadline = exchange.deadline(guard);
        let admission = match self.admit_in_time(guard, &exchange, &parts, &path, deadline).await {
            Ok(admission) => std::sync::Arc::new(admission),
            Err(refused) => return self.refuse(&exchange, Some(guard), refused),
        };
        let admitted = Admitted {
            parts,
            body,
            path,
            admission: admission.clone(),
            exchange: exchange.clone(),
            deadline,
            gateway: self.clone(),
        };
        match shield(deadline, endpoint.call(admitted)).await {
            Ok(Ok(response)) => self.answer(&exchange, &admission, response),
            Ok(Err(refused)) | Err(refused) => self.refuse(&exchange, Some(guard), refused),
        }
    }

    /// An application's verifier may hang or panic like any other code.
    async fn admit_in_time(
        &self,
        guard: &Guard,
        exchange: &Exchange,
        parts: &Parts,
        path: &dyn PathValues,
        deadline: tokio::time::Instant,
    ) -> Result<Admission, Refused> {
        if !guard.asks_the_application() {
            return guard.admit(exchange, parts, path).await;
        }
        shield(deadline, Box::pin(guard.admit(exchange, parts, path))).await?
    }
}
