//! What an operation is at run time: its constant facts, what a request for it is read into, and who handles it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use gatewright_policy::table::{ApiPolicy, Policy};
use http::header::{ACCEPT, HeaderMap, HeaderValue};

use crate::Refused;
use crate::cx::{Cx, Unowned};
use crate::json::Violations;
use crate::params::{BodySpec, Input, MediaSpec, ParameterSpec};
use crate::reply::{IntoReply, Reply};
use crate::route::Template;
use crate::stage::{Pending, Valid};

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
    /// Whether an answer is written in the media type that its caller likes best.
    pub negotiated: bool,
    /// Whether it answers with a list of objects that belong to somebody ([`Visible`](crate::Visible)).
    pub lists: bool,
}

impl Meta {
    /// An operation without inputs that answers without a body. The path is written as the document does:
    /// `/accounts/{accountId}`.
    ///
    /// # Panics
    /// When evaluated in a constant and `path` is no template.
    #[must_use]
    #[allow(clippy::panic)]
    pub const fn new(policy: &'static Policy, method: &'static str, path: &'static str) -> Meta {
        Meta {
            policy,
            method,
            path: Template::new(path),
            parameters: &[],
            body: None,
            produces: &[],
            credentials: &[],
            refuse_unknown: true,
            negotiated: false,
            lists: false,
        }
    }

    /// With these parameters.
    #[must_use]
    pub const fn parameters(self, parameters: &'static [ParameterSpec]) -> Meta {
        Meta { parameters, ..self }
    }

    /// With a body of one of these media types; a request without one is refused.
    #[must_use]
    pub const fn body(self, content: &'static [MediaSpec]) -> Meta {
        Meta { body: Some(BodySpec { required: true, content }), ..self }
    }

    /// As [`body`](Meta::body), but there may be none.
    #[must_use]
    pub const fn optional_body(self, content: &'static [MediaSpec]) -> Meta {
        Meta { body: Some(BodySpec { required: false, content }), ..self }
    }

    /// Successful responses have one of these media types.
    #[must_use]
    pub const fn produces(self, produces: &'static [&'static str]) -> Meta {
        Meta { produces, ..self }
    }

    /// These query parameters carry credentials.
    #[must_use]
    pub const fn credentials(self, credentials: &'static [&'static str]) -> Meta {
        Meta { credentials, ..self }
    }

    /// Some answer is written in the media type that its caller likes best ([`Reply::chosen`]).
    #[must_use]
    pub const fn negotiated(self) -> Meta {
        Meta { negotiated: true, ..self }
    }

    /// Query parameters that nobody declares are let through.
    #[must_use]
    pub const fn unknown_let_through(self) -> Meta {
        Meta { refuse_unknown: false, ..self }
    }

    /// It answers with a list of objects that belong to somebody.
    #[must_use]
    pub const fn lists(self) -> Meta {
        Meta { lists: true, ..self }
    }
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

/// An operation that asks for `step-up`: its caller authenticated not long ago, and [`SteppedUp`](crate::SteppedUp) is an
/// input of its handler.
pub trait Fresh: Guarded {}

/// A future on the heap.
pub type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What a route calls.
pub type Call<A> = fn(Arc<A>, Box<Pending>) -> Boxed<Result<Reply, Refused>>;

/// The operation can be handled by the application `A`: it implements the operation's trait. Generated.
#[diagnostic::on_unimplemented(
    message = "`{A}` does not handle `{Self}`",
    note = "implement the operation's trait for `{A}`, for instance with `#[handler(…)]` on a function"
)]
pub trait HandledBy<A: Send + Sync + 'static>: Operation {
    /// How the object of its `owner` is found; [`NoOwner`] where it has none.
    type Owner: Keep<A, Id = Self::Id>;

    /// The application's own function.
    fn handle(app: &A, cx: Cx<Self, <Self::Owner as Keep<A>>::Kept>) -> impl Future<Output: IntoReply> + Send;

    /// The route.
    const ROUTE: Route<A> = Route { meta: Self::META, call: call::<A, Self> };
}

/// What a valid request needs before a handler sees it: the object that its `owner` names. Implemented by the marker
/// `Owner` in the module of each resolver; generated.
pub trait Keep<A>: 'static {
    /// The object's id.
    type Id: Send + 'static;
    /// What stands for the object: [`Authorized`](crate::Authorized), or [`Unowned`].
    type Kept: Send + 'static;

    /// Finds the object, if this caller may touch it.
    ///
    /// # Errors
    /// It is hidden, or could not be looked for.
    fn keep<O: Operation<Id = Self::Id>>(
        app: &A,
        valid: Valid<O>,
        id: Self::Id,
    ) -> impl Future<Output = Result<Cx<O, Self::Kept>, Refused>> + Send;
}

/// The operation names no object.
#[derive(Debug)]
pub enum NoOwner {}

impl<A: Sync + 'static> Keep<A> for NoOwner {
    type Id = ();
    type Kept = Unowned<A>;

    async fn keep<O: Operation<Id = ()>>(_: &A, valid: Valid<O>, (): ()) -> Result<Cx<O, Unowned<A>>, Refused> {
        Ok(valid.unowned())
    }
}

/// The way of every admitted request: read, the object found, handled. No step can be left out, because the next one
/// needs what it gives.
fn call<A: Send + Sync + 'static, O: HandledBy<A>>(
    app: Arc<A>,
    mut pending: Box<Pending>,
) -> Boxed<Result<Reply, Refused>> {
    Box::pin(async move {
        let once = pending.once.take();
        let seen_whole = !pending.guard.filters_answers();
        let (valid, id) = pending.read::<O>()?;
        let cx = O::Owner::keep(&*app, valid, id).await?;
        // Known in the build: most operations have nothing to choose, and carry nothing.
        let accept = if O::META.negotiated { accept(&cx.raw.headers) } else { Vec::new() };
        let settled = move |reply: Reply| if O::META.negotiated { reply.settled(&accept) } else { reply };
        match once {
            None => Ok(settled(O::handle(&app, cx).await.into_reply())),
            Some(once) => {
                let work = async move {
                    let reply = settled(O::handle(&app, cx).await.into_reply());
                    // Bytes can be kept, and shown again to whoever may see all of them.
                    if seen_whole { reply.opened() } else { reply }
                };
                // Apart: few requests have room for it.
                Box::pin(once.run(Box::pin(work))).await
            }
        }
    })
}

fn accept(headers: &HeaderMap) -> Vec<HeaderValue> {
    headers.get_all(ACCEPT).iter().cloned().collect()
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

impl<A> std::fmt::Debug for Route<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Route({})", self.meta.policy.operation)
    }
}
