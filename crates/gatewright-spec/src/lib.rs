//! Everything that knows YAML, JSON and OpenAPI: load, parse, shape, resolve, lower.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod pattern;
pub mod source;
pub mod syntax;
