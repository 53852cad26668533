//! One vocabulary of errors for the whole compiler: where something stands ([`Span`]), what is wrong with it
//! ([`Diagnostic`]), and the [`Sink`] that every stage reports into.
//!
//! Nothing here reads a file or prints. Showing is behind features: `render` for people (as rustc does), `machine`
//! for JSON and SARIF.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod catalogue;
mod code;
mod near;
pub mod show;
mod sink;
mod source;

pub use catalogue::{ALL, Entry, codes, lookup, lookup_name};
pub use code::{Code, Level};
pub use near::{distance, nearest};
pub use sink::{Diagnostic, Label, Report, Sink};
pub use source::{FileId, LineCol, Source, SourceMap, Span, Spanned};
