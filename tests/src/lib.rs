//! Helpers of the tests that cross crates.

pub mod interpreter;
pub mod issuer;
