//! JSON values that exist only when valid: reading, checking, typed values, writing.
//!
//! Why a reader of our own? One exact tree serves everything a request's body must go through: unions are tried without
//! reading again, numbers keep their text (so `9007199254740993` and `0.1` are what was sent), every violation is found
//! in one pass and named by its JSON pointer, and names given twice, lone surrogates, bad UTF-8 and deep nesting are
//! refused also where the schema is free-form. Deriving a deserializer for every type gives none of these, and costs most
//! of the time that generated code takes to compile.
//!
//! ```
//! use gatewright::json::{Document, Scope, Violations, Value, check};
//!
//! // The generator writes one such function for each schema.
//! fn name(value: Value<'_>, found: &mut Violations) {
//!     if check::types(value, found, check::STRING) {
//!         check::max_length(value, found, 5);
//!     }
//! }
//!
//! let document = Document::parse(br#""too long""#).unwrap();
//! let mut found = Violations::new();
//! found.scope(Scope::Body, document.root());
//! name(document.root(), &mut found);
//! assert_eq!(found.list()[0].detail, "must have at most 5 characters");
//! ```

mod any;
mod apart;
mod base64;
mod builder;
pub mod check;
mod classified;
mod decode;
mod document;
mod ecma;
mod equal;
mod format;
mod listed;
mod members;
mod number;
mod patch;
mod pattern;
mod read;
#[cfg(test)]
mod tests;
mod violations;
mod write;

pub use any::{Json, Number};
pub use apart::Apart;
pub use base64::Base64;
pub use builder::{Builder, BuilderError};
pub use classified::{Pii, Secret};
pub use decode::{FromJson, Mismatch, converted, optional, or_default, or_text, required};
pub use document::{Document, Items, Kind, Member, Members, Value};
pub use format::Format;
pub use listed::{listed, no_form, probed};
pub use members::{incoming, outgoing};
pub use number::Bound;
pub use patch::Patch;
pub use pattern::Pattern;
pub use read::{Limits, ParseError, Reason};
pub use violations::{Check, MAX_VIOLATIONS, Scope, Violation, Violations};
pub use write::{NotJson, ToJson, Writer, to_vec};
