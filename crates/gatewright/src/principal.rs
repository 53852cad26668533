//! Claims as the application's own types.

use std::error::Error;
use std::fmt;

use serde_json::Value;

use crate::{Cx, Guarded, Identity, Internal};

/// What `#[derive(Principal)]` makes: the caller, as a struct of the application.
pub trait Principal: Sized {
    /// Reads the claims.
    ///
    /// # Errors
    /// One is missing or of another type. The caller is refused with 403.
    fn from_identity(who: &Identity) -> Result<Self, Internal>;
}

/// Reads the principal of a context; what the derive calls.
#[doc(hidden)]
pub fn take_principal<P: Principal, O: Guarded, K>(cx: &mut Cx<O, K>) -> Result<P, Internal> {
    match cx.identity() {
        Some(identity) => P::from_identity(identity),
        None => Err(Internal::new("an admitted request has no caller")),
    }
}

/// A type that a claim can be read into.
#[diagnostic::on_unimplemented(
    message = "a claim cannot be read into `{Self}`",
    note = "claims are read into `String`, `bool`, integers, `Vec` of those, and `Option` of those where a claim may be absent"
)]
pub trait FromClaim: Sized {
    /// Reads it. `name` is for the log.
    ///
    /// # Errors
    /// It is absent or of another type.
    fn from_claim(claim: Option<&Value>, name: &'static str) -> Result<Self, Internal>;
}

/// A claim is not what the application needs: the caller's lack, not ours, so it is 403.
#[derive(Debug)]
pub(crate) struct ClaimUnfit(&'static str);

impl fmt::Display for ClaimUnfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the claim `{}` is missing or of another type", self.0)
    }
}

impl Error for ClaimUnfit {}

fn unfit(name: &'static str) -> Internal {
    Internal::new(ClaimUnfit(name))
}

impl FromClaim for String {
    fn from_claim(claim: Option<&Value>, name: &'static str) -> Result<Self, Internal> {
        claim.and_then(Value::as_str).map(str::to_owned).ok_or_else(|| unfit(name))
    }
}

impl FromClaim for bool {
    fn from_claim(claim: Option<&Value>, name: &'static str) -> Result<Self, Internal> {
        claim.and_then(Value::as_bool).ok_or_else(|| unfit(name))
    }
}

impl<T: FromClaim> FromClaim for Option<T> {
    fn from_claim(claim: Option<&Value>, name: &'static str) -> Result<Self, Internal> {
        match claim {
            None | Some(Value::Null) => Ok(None),
            claim => T::from_claim(claim, name).map(Some),
        }
    }
}

impl<T: FromClaim> FromClaim for Vec<T> {
    fn from_claim(claim: Option<&Value>, name: &'static str) -> Result<Self, Internal> {
        let items = claim.and_then(Value::as_array).ok_or_else(|| unfit(name))?;
        items.iter().map(|item| T::from_claim(Some(item), name)).collect()
    }
}

macro_rules! integers {
    ($($type:ty)*) => { $(
        impl FromClaim for $type {
            fn from_claim(claim: Option<&Value>, name: &'static str) -> Result<Self, Internal> {
                let signed = claim.and_then(Value::as_i64).and_then(|n| <$type>::try_from(n).ok());
                let number = signed.or_else(|| claim.and_then(Value::as_u64).and_then(|n| <$type>::try_from(n).ok()));
                number.ok_or_else(|| unfit(name))
            }
        }
    )* };
}
integers!(i16 i32 i64 u16 u32 u64);
