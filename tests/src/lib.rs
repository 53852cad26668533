//! Helpers of the tests that cross crates.

pub mod authenticator;
pub mod bound;
pub mod differential;
pub mod interpreter;
pub mod issuer;
pub mod oracle;
pub mod properties;
pub mod random;
#[path = "../../crates/gatewright/src/shared/server.rs"]
pub mod redis;
pub mod scratch;
pub mod suite;
