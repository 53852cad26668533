//! What the pipeline hands to a handler.

use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use http::request::Parts;

use crate::operation::Operation;
use crate::owned::Authorized;
use crate::{Identity, SteppedUp};

/// An admitted, valid request for the operation `O`, with the object that its `owner` names: `K` is
/// [`Authorized<T>`](Authorized), or [`Unowned`]. Its fields are private: only the pipeline makes one.
#[derive(Debug)]
pub struct Cx<O: Operation, K> {
    pub(crate) request: Option<O::Request>,
    pub(crate) kept: Option<K>,
    pub(crate) identity: Option<Arc<Identity>>,
    pub(crate) stepped_up: Option<SteppedUp>,
    pub(crate) raw: RawParts,
}

/// Stands for the object of an operation without `owner`, in an API mounted on `A`.
#[derive(Debug)]
pub struct Unowned<A>(pub(crate) PhantomData<fn() -> A>);

impl<O: Operation, K> Cx<O, K> {
    /// The only constructor: behind every check of the operation.
    pub(crate) fn assertion(
        request: O::Request,
        kept: K,
        identity: Option<Arc<Identity>>,
        stepped_up: Option<SteppedUp>,
        raw: RawParts,
    ) -> Self {
        Cx { request: Some(request), kept: Some(kept), identity, stepped_up, raw }
    }

    /// How and when the caller authenticated, where the operation asks for `step-up`.
    pub fn stepped_up(&self) -> Option<SteppedUp> {
        self.stepped_up
    }

    /// Who calls; `None` for a caller without credential, where the operation admits one.
    pub fn identity(&self) -> Option<&Arc<Identity>> {
        self.identity.as_ref()
    }

    /// The head of the request.
    pub fn raw(&self) -> &RawParts {
        &self.raw
    }

    /// The request; `None` after it was taken.
    pub fn request(&self) -> Option<&O::Request> {
        self.request.as_ref()
    }
}

impl<O: Operation, T> Cx<O, Authorized<T>> {
    /// The object that the caller may touch; `None` after it was taken.
    pub fn object(&self) -> Option<&T> {
        self.kept.as_deref()
    }
}

/// The head of a request, for what the document does not describe: its method, URI, version, header fields, and what
/// middleware left (`extensions`). It has no body, and what it says is not validated.
// On the heap: it is large, and moves through every stage.
#[derive(Clone, Debug)]
pub struct RawParts(pub(crate) Box<Parts>);

impl Deref for RawParts {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl RawParts {
    /// The parts, to be taken apart.
    #[must_use]
    pub fn into_inner(self) -> Parts {
        *self.0
    }

    /// Of several media types that the operation can answer, the one that the caller's `Accept` likes best, weights
    /// included (RFC 9110, 12.5.1); the first of equals, and the first where nothing is said. `None` where none is
    /// acceptable.
    ///
    /// ```text
    /// match raw.preferred(&["application/json", "text/csv"]) { Some("text/csv") => …, _ => … }
    /// ```
    pub fn preferred<'t>(&self, of: &[&'t str]) -> Option<&'t str> {
        crate::params::media::preferred(&self.headers, of)
    }
}
