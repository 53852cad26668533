//! What an operation is at run time: its constant facts, what a request for it is read into, and who handles it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use gatewright_policy::table::{ApiPolicy, Policy};

use crate::Refused;
use crate::json::Violations;
use crate::params::{BodySpec, Input, ParameterSpec};
use crate::reply::Reply;
use crate::route::Template;
use crate::stage::Pending;

/// The constant facts of an operation.
#[derive(Clone, Copy, Debug)]
pub struct Meta {
    /// Who may call it.
    pub policy: &'static Policy,
    /// The method as it stands in a request line.
    pub method: &'static str,
    /// The path template.
    pub path: Template,
    /// Its parameters, in the order of [`Operation::read`]'s indexes.
    pub parameters: &'static [ParameterSpec],
    /// Its body.
    pub body: Option<BodySpec>,
    /// The media types of its successful responses, in the document's order; empty where none has a body.
    pub produces: &'static [&'static str],
    /// Query parameters that are no inputs but are admitted: those that carry credentials.
    pub credentials: &'static [&'static str],
    /// Whether query parameters that nobody declares are a violation.
    pub refuse_unknown: bool,
}

/// An operation. Implemented by the marker `Op` in the module of each operation; generated.
pub trait Operation: Sized + Send + Sync + 'static {
    /// What it shares with the other operations of its version.
    const API: &'static ApiPolicy;
    /// Its constant facts.
    const META: &'static Meta;
    /// What a valid request is read into.
    type Request: Send + 'static;
    /// The type of the id that its `owner` names; `()` where it has none.
    type Id: Send + 'static;
    /// Reads an admitted request. `None` goes with at least one violation.
    fn read(input: &Input<'_>, found: &mut Violations) -> Option<(Self::Request, Self::Id)>;
}

/// An operation that nobody can call without a credential, so that a caller is always known.
pub trait Guarded: Operation {}

/// A future on the heap.
pub type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What a route calls.
pub type Call<A> = fn(Arc<A>, Pending) -> Boxed<Result<Reply, Refused>>;

/// The operation can be handled by the application `A`: it implements the operation's trait. Generated.
#[diagnostic::on_unimplemented(
    message = "`{A}` does not handle `{Self}`",
    note = "implement the operation's trait for `{A}`, for instance with `#[handler(…)]` on a function"
)]
pub trait HandledBy<A>: Operation {
    /// The route.
    const ROUTE: Route<A>;
}

/// An operation and what is called for it: one function pointer, so that a thousand operations cost a thousand pointers.
pub struct Route<A> {
    pub(crate) meta: &'static Meta,
    pub(crate) call: Call<A>,
}

impl<A> Clone for Route<A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A> Copy for Route<A> {}

impl<A> Route<A> {
    /// The route of `O`.
    pub const fn new<O: Operation>(call: Call<A>) -> Route<A> {
        Route { meta: O::META, call }
    }
}

impl<A> std::fmt::Debug for Route<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Route({})", self.meta.policy.operation)
    }
}
