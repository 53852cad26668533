//! Objects that belong to somebody: what a resolver says, and the proof that it said yes.

use std::ops::Deref;

use crate::{Identity, Internal, VisibleTo};

/// What a resolver found out about an object and a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owned<T> {
    /// It is there, and this caller may touch it.
    Yes(T),
    /// It is not there, or not for this caller. Both answer 404 in the same words, so that existence does not leak.
    Hidden,
}

impl<T> Owned<T> {
    /// `Yes` if there is an object and `allowed` holds for it.
    pub fn when(object: Option<T>, allowed: impl FnOnce(&T) -> bool) -> Owned<T> {
        match object {
            Some(object) if allowed(&object) => Owned::Yes(object),
            _ => Owned::Hidden,
        }
    }

    /// `Yes` if there is an object and this caller may see it: asked as [`Caller::filter`](crate::Caller::filter) asks about each
    /// of many.
    pub fn visible(object: Option<T>, caller: &Identity) -> Owned<T>
    where
        T: VisibleTo,
    {
        Owned::when(object, |object| object.visible_to(caller))
    }
}

/// A resolver could not find out: the store is down, say. Answers 500; what happened is logged, never printed.
#[derive(Debug)]
pub struct ResolveError(pub(crate) Internal);

impl From<Internal> for ResolveError {
    fn from(error: Internal) -> Self {
        ResolveError(error)
    }
}

/// An object of which the resolver said that this caller may touch it. Only the pipeline makes one, so a handler that
/// has one cannot have forgotten the check.
#[derive(Debug)]
pub struct Authorized<T>(T);

impl<T> Authorized<T> {
    /// The proof. Called in one place, behind the resolver's `Yes`.
    pub(crate) fn assertion(object: T) -> Authorized<T> {
        Authorized(object)
    }

    /// The object.
    pub fn into_inner(self) -> T {
        self.0
    }

    /// An authorized object for the unit test of a handler.
    #[cfg(feature = "testing")]
    #[doc(hidden)]
    pub fn for_test(object: T) -> Authorized<T> {
        Authorized(object)
    }
}

impl<T> Deref for Authorized<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}
