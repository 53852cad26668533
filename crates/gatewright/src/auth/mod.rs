//! Authentication: where credentials stand in a request, how each kind is verified, and what a verified one says.

pub(crate) mod api_key;
mod application;
mod basic;
pub(crate) mod bound;
mod cache;
pub(crate) mod carrier;
pub(crate) mod challenge;
mod identity;
mod introspection;
pub(crate) mod jwt;
pub(crate) mod scheme;
mod uses;
pub(crate) mod webauthn;

pub use application::{Presented, Unverified, Verified, Verifier, Verify};
pub(crate) use basic::decode as application_basic;
pub(crate) use identity::Credential;
pub use identity::{Caller, Identity};
pub(crate) use scheme::{Asked, Bad, Checked, Checking, SchemeState};
pub(crate) use uses::Uses;
