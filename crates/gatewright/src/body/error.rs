//! What can go wrong while a body is read.

use std::fmt;

use gatewright_policy::Refusal;

use crate::{Internal, Refused};

/// A body could not be read to its end. In a handler, `?` makes it the refusal that it is: 413, 408, 400, 403, or the
/// violations of an item.
#[derive(Debug)]
pub struct BodyError(pub(super) Kind);

#[derive(Debug)]
pub(super) enum Kind {
    /// More bytes than the operation takes, or than were asked for.
    TooLarge,
    /// It did not come before the deadline.
    Late,
    /// The connection ended within it.
    Broken,
    /// It is not written as its media type says.
    Malformed(&'static str),
    /// It is well-formed, and breaks the document's rules: a JSON array of `errors`, and whether there were more.
    Invalid(String, bool),
    /// An item holds, at this pointer, what its caller may not send.
    Forbidden(String),
    /// Our own disk.
    Disk(std::io::Error),
}

impl BodyError {
    pub(super) const TOO_LARGE: BodyError = BodyError(Kind::TooLarge);

    pub(super) fn malformed(why: &'static str) -> BodyError {
        BodyError(Kind::Malformed(why))
    }

    /// Whether it was longer than the operation takes (413).
    pub fn is_too_large(&self) -> bool {
        matches!(self.0, Kind::TooLarge)
    }

    /// Whether it did not come in time (408).
    pub fn is_late(&self) -> bool {
        matches!(self.0, Kind::Late)
    }

    /// Whether what came is not what the document declares (400, or the status of violations).
    pub fn is_invalid(&self) -> bool {
        matches!(self.0, Kind::Malformed(_) | Kind::Invalid(..))
    }

    /// The refusal that it is.
    pub(crate) fn refused(&self) -> Refused {
        match &self.0 {
            Kind::TooLarge => Refused::new(Refusal::BodyTooLarge),
            Kind::Late => Refused::new(Refusal::RequestTimeout),
            Kind::Broken => Refused::new(Refusal::BadRequest).because("the body breaks off"),
            Kind::Malformed(why) => Refused::new(Refusal::Malformed).with_detail(*why),
            Kind::Invalid(errors, more) => Refused::violations(errors.clone(), *more),
            Kind::Forbidden(pointer) => Refused::not_allowed(pointer),
            Kind::Disk(error) => Refused::internal(Internal::new(error.to_string())),
        }
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::TooLarge => f.write_str("the body is too large"),
            Kind::Late => f.write_str("the body did not come in time"),
            Kind::Broken => f.write_str("the body breaks off"),
            Kind::Malformed(why) => f.write_str(why),
            Kind::Forbidden(_) => f.write_str("the body holds what its caller may not send"),
            Kind::Invalid(..) => f.write_str("the body breaks the rules of the document"),
            Kind::Disk(error) => write!(f, "a part of the body could not be put on the disk: {error}"),
        }
    }
}

impl std::error::Error for BodyError {}

impl From<BodyError> for Internal {
    /// Travels as an internal error, and is answered as the refusal that it is.
    fn from(error: BodyError) -> Internal {
        Internal::new(error)
    }
}
