//! The inputs of a handler, by type.

use std::sync::Arc;

use crate::cx::{Cx, RawParts};
use crate::operation::{Fresh, Guarded, Operation};
use crate::owned::Authorized;
use crate::{Caller, Identity, Internal, SteppedUp};

/// An input that a handler of the operation behind `C` (a [`Cx`]) may take: the operation's `Request`, its `Caller`,
/// `Authorized<T>` where it has an `owner`, [`SteppedUp`] where it asks for `step-up`, [`RawParts`], and what `#[derive(Principal)]` makes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no input of this operation",
    label = "this operation does not have it",
    note = "an operation offers its own `Request`, its `Caller` if it needs a credential (else `Option<Caller<Op>>`), `Authorized<T>` if it has an `owner`, `SteppedUp` if it asks for `step-up`, `RawParts`, and types that derive `Principal`"
)]
pub trait Part<C>: Sized {
    /// Takes it. Each can be taken once.
    ///
    /// # Errors
    /// It was taken before, or the caller's claims are not what a `Principal` needs.
    fn take(cx: &mut C) -> Result<Self, Internal>;
}

/// Takes an operation's request out of its context; generated code calls it.
#[doc(hidden)]
pub fn take_request<O: Operation, K>(cx: &mut Cx<O, K>) -> Result<O::Request, Internal> {
    cx.request.take().ok_or_else(twice)
}

fn twice() -> Internal {
    Internal::new("a handler takes the same input twice")
}

impl<O: Operation, T> Part<Cx<O, Authorized<T>>> for Authorized<T> {
    fn take(cx: &mut Cx<O, Authorized<T>>) -> Result<Self, Internal> {
        cx.kept.take().ok_or_else(twice)
    }
}

impl<O: Guarded, K> Part<Cx<O, K>> for Caller<O> {
    fn take(cx: &mut Cx<O, K>) -> Result<Self, Internal> {
        let identity = cx.identity.as_ref().ok_or_else(|| Internal::new("an admitted request has no caller"))?;
        Ok(Caller::assertion(Arc::clone(identity)))
    }
}

impl<O: Operation, K> Part<Cx<O, K>> for Option<Caller<O>> {
    fn take(cx: &mut Cx<O, K>) -> Result<Self, Internal> {
        Ok(cx.identity.as_ref().map(|identity| Caller::assertion(Arc::clone(identity))))
    }
}

impl<O: Guarded, K> Part<Cx<O, K>> for Arc<Identity> {
    fn take(cx: &mut Cx<O, K>) -> Result<Self, Internal> {
        cx.identity.clone().ok_or_else(|| Internal::new("an admitted request has no caller"))
    }
}

impl<O: Fresh, K> Part<Cx<O, K>> for SteppedUp {
    fn take(cx: &mut Cx<O, K>) -> Result<Self, Internal> {
        cx.stepped_up.ok_or_else(|| Internal::new("an admitted request has no step-up"))
    }
}

impl<O: Operation, K> Part<Cx<O, K>> for RawParts {
    fn take(cx: &mut Cx<O, K>) -> Result<Self, Internal> {
        Ok(cx.raw.clone())
    }
}

/// A value that an application holds and use cases need: what `#[derive(App)]` writes for each of its fields, and
/// `#[state]` fields of `#[derive(Handler)]` ask for.
#[diagnostic::on_unimplemented(
    message = "`{A}` holds no `{Self}`",
    label = "not a part of `{A}`",
    note = "add a field of this type to `{A}` and derive `App` for it, or implement `FromApp<{A}>` for `{Self}`"
)]
pub trait FromApp<A>: Sized {
    /// Gets it, usually by cloning a handle.
    fn from_app(app: &A) -> Self;
}
