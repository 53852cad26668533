//! The stages behind admission, each a type that only the one before can make: [`Pending`] (admitted, body read) →
//! [`Valid`] (typed) → [`Cx`] (object authorized, ready for the handler). Generated code walks them; no step can be left
//! out, because the next one needs what it gives.

use std::marker::PhantomData;
use std::sync::Arc;

use gatewright_policy::Refusal;

use crate::cx::{Cx, RawParts, Unowned};
use crate::guard::Guard;
use crate::json::{Value, Violations};
use crate::once::Once;
use crate::operation::{Meta, Operation};
use crate::owned::{Authorized, Owned, ResolveError};
use crate::params::text::quote;
use crate::params::{Input, Received, Sent};
use crate::{BodyValue, Identity, Internal, Refused, SteppedUp};

/// An admitted request whose parameters and body are collected but not judged.
#[derive(Debug)]
pub struct Pending {
    pub(crate) meta: &'static Meta,
    pub(crate) guard: Guard,
    pub(crate) identity: Option<Arc<Identity>>,
    pub(crate) stepped_up: Option<SteppedUp>,
    pub(crate) received: Received,
    pub(crate) found: Violations,
    pub(crate) raw: RawParts,
    /// Where its operation takes idempotency keys.
    pub(crate) once: Option<Box<Once>>,
}

/// An admitted, valid request.
#[derive(Debug)]
pub struct Valid<O: Operation> {
    request: O::Request,
    identity: Option<Arc<Identity>>,
    stepped_up: Option<SteppedUp>,
    raw: RawParts,
}

impl Pending {
    /// Reads parameters and body into the operation's types.
    ///
    /// # Errors
    /// They break the document's rules: all violations at once. Or a claim does not fit what the body says.
    pub fn read<O: Operation>(mut self: Box<Self>) -> Result<(Valid<O>, O::Id), Refused> {
        let items = self.guard.item_sieve(self.identity.as_ref());
        let input = Input { meta: self.meta, received: &self.received, items };
        let read = O::read(&input, &mut self.found);
        let (request, id) = self.valid(read)?;
        let Pending { identity, stepped_up, raw, .. } = *self;
        Ok((Valid { request, identity, stepped_up, raw }, id))
    }

    fn valid<T>(&self, read: Option<T>) -> Result<T, Refused> {
        let Some(read) = read.filter(|_| self.found.is_empty()) else { return Err(self.refused()) };
        self.guard.check_sent(self.identity.as_deref(), self.meta.parameters, &self.received)?;
        if let Sent::Json(_, document) = &self.received.body {
            self.guard.check_written(self.identity.as_deref(), document)?;
        }
        self.body_claims()?;
        Ok(read)
    }

    fn refused(&self) -> Refused {
        if self.found.is_empty() {
            // Generated code gives a violation with each `None`. Nothing to show, but closed all the same.
            return Refused::internal(Internal::new("a request could not be read, and nothing says why"));
        }
        Refused::violations(errors(&self.found), self.found.has_more())
    }

    /// The claims that are compared with the body.
    fn body_claims(&self) -> Result<(), Refused> {
        if !self.guard.has_body_claims() {
            return Ok(());
        }
        self.guard.compare_body_claims(self.identity.as_deref(), &|pointer: &str| match &self.received.body {
            Sent::Json(_, document) => document.root().pointer(pointer).and_then(claimable),
            _ => None,
        })
    }
}

/// The members of `errors` as JSON.
fn errors(found: &Violations) -> String {
    let mut out = String::from("[");
    for (i, violation) in found.list().iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        out.push_str("{\"in\":");
        quote(violation.scope.as_str(), &mut out);
        if let Some(name) = violation.scope.name() {
            out.push_str(",\"name\":");
            quote(name, &mut out);
        }
        for (key, text) in [("pointer", &*violation.pointer), ("rule", violation.rule), ("detail", &violation.detail)] {
            out.push_str(",\"");
            out.push_str(key);
            out.push_str("\":");
            quote(text, &mut out);
        }
        out.push('}');
    }
    out.push(']');
    out
}

/// The values that a claim can be compared with.
fn claimable(value: Value<'_>) -> Option<BodyValue<'_>> {
    if let Some(text) = value.as_str() {
        return Some(BodyValue::Text(text));
    }
    if let Some(boolean) = value.as_bool() {
        return Some(BodyValue::Bool(boolean));
    }
    value.as_i128().and_then(|n| i64::try_from(n).ok()).map(BodyValue::Integer)
}

impl<O: Operation> Valid<O> {
    /// The context of an operation without `owner`.
    pub fn unowned<A>(self) -> Cx<O, Unowned<A>> {
        Cx::assertion(self.request, Unowned(PhantomData), self.identity, self.stepped_up, self.raw)
    }

    /// Who asks for the object.
    ///
    /// # Errors
    /// Nobody is known: an object cannot be anybody's then. The compiler refuses such a policy, so this is our fault.
    pub fn identity(&self) -> Result<Arc<Identity>, Refused> {
        self.identity.clone().ok_or_else(|| Refused::new(Refusal::CredentialMissing))
    }

    /// The context of an operation with `owner`, if the resolver said that this caller may touch the object.
    ///
    /// # Errors
    /// The object is hidden: 404, as a missing one. Or the resolver failed.
    pub fn owned<T>(self, found: Result<Owned<T>, ResolveError>) -> Result<Cx<O, Authorized<T>>, Refused> {
        match found {
            Ok(Owned::Yes(object)) => {
                let object = Authorized::assertion(object);
                Ok(Cx::assertion(self.request, object, self.identity, self.stepped_up, self.raw))
            }
            Ok(Owned::Hidden) => Err(Refused::new(Refusal::NotOwned)),
            Err(ResolveError(error)) => Err(Refused::internal(error)),
        }
    }
}
