//! What the front end hands to everything else: the API in our words, who may use it, and nothing of how it was
//! written down. Plain data; invariants live in constructors.
//!
//! [`Api`] says what exists; [`PolicySet`] says who may. An operation holds a [`PolicyId`], never an `Option`.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod api;
pub mod checked;
pub mod fits;
pub mod formats;
pub mod json;
pub mod lists;
pub mod names;
pub mod output;
pub mod policy;
pub mod schema;

pub use api::{Api, Operation};
pub use checked::{CheckedIr, Ir};
pub use output::OutputFiles;
pub use policy::{Policy, PolicyId, PolicySet};
pub use schema::{Schema, SchemaId, Schemas};
