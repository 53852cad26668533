//! `multipart/…` bodies (RFC 2046, 5.1; forms: RFC 7578), read part by part.
//!
//! The reader is our own because everything that a sender chooses must have a bound: how many parts, how long the head of
//! each, how much is looked at before a boundary is found. It is strict: lines end in CRLF, and what follows a boundary is
//! the end of its line or of the body, so that no two readers can see different parts in one body.

mod boundary;
mod form;
mod head;
mod parts;

pub use form::{FormSpec, PartKind, PartSpec};
pub use parts::{Part, Parts};

pub(crate) use boundary::Boundary;
pub(crate) use form::read as read_form;

/// The most parts of a body.
const MOST_PARTS: usize = 1_000;
/// The longest head of a part, in bytes.
const LONGEST_HEAD: usize = 8 * 1024;
/// The most header fields of a part.
const MOST_FIELDS: usize = 32;
