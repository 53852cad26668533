//! The runtime of generated servers
#![allow(clippy::disallowed_methods, reason = "a server reads its files, its environment and the clock")]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod json;
pub mod route;
pub mod types;
