//! The runtime of generated servers.
//!
//! A request's way: [`Gateway::open`] (who is it really from) → connection checks → route → [`Guard::admit`] (lifecycle,
//! networks, limits, authentication, authorization) → body → handler → [`Gateway::answer`] (headers, audit). Every
//! refusal leaves through one renderer, [`Gateway::refuse`].
#![allow(clippy::disallowed_methods, reason = "a server reads its files, its environment and the clock")]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod auth;
mod clock;
mod config;
mod gateway;
pub mod guard;
pub mod json;
mod limit;
pub mod net;
pub mod problem;
pub mod route;
#[cfg(feature = "server")]
pub mod server;
pub mod types;

pub use auth::{Caller, Identity, Presented, Unverified, Verified, Verifier, Verify};
pub use axum;
#[cfg(any(test, feature = "testing"))]
pub use clock::FakeClock;
pub use clock::{Clock, SystemClock};
pub use config::{Config, StartError, StartProblem};
pub use gateway::{Api, Exchange, Gateway, PathValues, collect_body, shield};
pub use gatewright_policy::{self as policy, Refusal, table};
pub use gatewright_store as store;
pub use guard::{Admission, BodyValue, Guard};
pub use net::{Forwarding, Peer};
pub use problem::{Fault, Internal, Problem, Refused, ResultExt};
