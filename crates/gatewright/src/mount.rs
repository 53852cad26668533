//! API versions on their way to a router: which operations are served, and by whom.

use std::sync::Arc;

use axum::Router;
use gatewright_policy::table::ApiPolicy;

use crate::dispatch::{Endpoint, Served, Server};
use crate::operation::{HandledBy, Meta, Operation, Route};
use crate::{Config, Gateway, StartError, Verifier};

/// One API version with everything that handles it.
#[derive(Debug)]
pub struct Mount {
    pub(crate) policy: &'static ApiPolicy,
    pub(crate) operations: Vec<Mounted>,
    pub(crate) verifiers: Vec<Verifier>,
}

/// One operation, and how it is served.
#[derive(Debug)]
pub(crate) struct Mounted {
    pub(crate) meta: &'static Meta,
    pub(crate) served: Served,
}

impl Mount {
    /// All operations of a version, handled by `app`. Generated code calls it.
    pub fn new<A: Send + Sync + 'static>(policy: &'static ApiPolicy, app: &Arc<A>, routes: &[Route<A>]) -> Mount {
        let operations = routes.iter().map(|route| mounted(app, *route)).collect();
        Mount { policy, operations, verifiers: Vec::new() }
    }

    /// With the application's verification of a scheme.
    #[must_use]
    pub fn verifier(mut self, verifier: Verifier) -> Mount {
        self.verifiers.push(verifier);
        self
    }
}

fn mounted<A: Send + Sync + 'static>(app: &Arc<A>, route: Route<A>) -> Mounted {
    let app = Arc::clone(app);
    let endpoint = Endpoint(Arc::new(move |pending| (route.call)(Arc::clone(&app), pending)));
    Mounted { meta: route.meta, served: Served::Here(endpoint) }
}

/// A version of which only some operations are handled yet.
#[derive(Debug)]
pub struct Partial<A> {
    app: Arc<A>,
    mount: Mount,
    all: &'static [&'static Meta],
    rest_is_501: bool,
}

impl<A: Send + Sync + 'static> Partial<A> {
    /// None of `all` yet. Generated code calls it.
    pub fn new(policy: &'static ApiPolicy, app: Arc<A>, all: &'static [&'static Meta]) -> Partial<A> {
        Partial { app, mount: Mount { policy, operations: Vec::new(), verifiers: Vec::new() }, all, rest_is_501: false }
    }

    /// Serves the operation `O`.
    #[must_use]
    pub fn operation<O: HandledBy<A>>(mut self) -> Partial<A> {
        self.mount.operations.push(mounted(&self.app, O::ROUTE));
        self
    }

    /// Says that `O` is served elsewhere, by an axum handler behind a [`GuardLayer`](crate::GuardLayer). Nothing is routed for
    /// it here, `missing_as_501` does not count it as missing, and the route report lists it.
    #[must_use]
    pub fn external<O: Operation>(mut self) -> Partial<A> {
        self.mount.operations.push(Mounted { meta: O::META, served: Served::Elsewhere });
        self
    }

    /// Answers 501 for every operation that nobody handles, behind its guard. Without this they are 404.
    #[must_use]
    pub fn missing_as_501(mut self) -> Partial<A> {
        self.rest_is_501 = true;
        self
    }

    /// With the application's verification of a scheme.
    #[must_use]
    pub fn verifier(mut self, verifier: Verifier) -> Partial<A> {
        self.mount.verifiers.push(verifier);
        self
    }

    /// This version as it stands, to be mounted beside others.
    #[must_use]
    pub fn mount(mut self) -> Mount {
        for meta in self.all {
            // `META` is a constant and may have many addresses; the policy is a static and has one.
            let known = self.mount.operations.iter().any(|m| std::ptr::eq(m.meta.policy, meta.policy));
            if !known {
                let served = if self.rest_is_501 { Served::NotYet } else { Served::Elsewhere };
                self.mount.operations.push(Mounted { meta, served });
            }
        }
        self.mount
    }

    /// The router of this version alone.
    ///
    /// # Errors
    /// See [`router`].
    pub fn router(self, config: Config) -> Result<Router, StartError> {
        router([self.mount()], config)
    }
}

/// One router of all these API versions, side by side, with one 404 among them.
///
/// # Errors
/// A setting is missing or wrong, two operations answer the same route, or an operation or a scheme is mounted twice.
pub fn router(mounts: impl IntoIterator<Item = Mount>, config: Config) -> Result<Router, StartError> {
    serve(mounts, config).map(|(router, _)| router)
}

/// As [`router`], with the gateway, which guards of untouched axum handlers need.
///
/// # Errors
/// See [`router`].
pub fn serve(mounts: impl IntoIterator<Item = Mount>, config: Config) -> Result<(Router, Gateway), StartError> {
    let server = Server::start(mounts.into_iter().collect(), config)?;
    let gateway = server.gateway();
    Ok((Router::new().fallback_service(server), gateway))
}
