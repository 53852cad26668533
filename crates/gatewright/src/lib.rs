//! The runtime of generated servers.
//!
//! A request's way: [`Gateway::open`] (who is it really from) → connection checks → route → [`Guard::admit`] (lifecycle,
//! networks, limits, authentication, authorization) → body → handler → [`Gateway::answer`] (headers, audit). Every
//! refusal leaves through one renderer, [`Gateway::refuse`].
#![allow(clippy::disallowed_methods, reason = "a server reads its files, its environment and the clock")]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod answer;
mod around;
pub mod auth;
pub mod body;
mod clock;
mod config;
mod cx;
#[cfg(feature = "dev")]
pub mod dev;
mod dispatch;
mod forward;
mod gateway;
pub mod generated;
pub mod guard;
pub mod json;
mod layer;
mod limit;
mod mount;
pub mod net;
mod once;
mod operation;
pub mod outbound;
mod owned;
pub mod params;
mod part;
mod principal;
pub mod problem;
mod reply;
pub mod route;
#[cfg(feature = "server")]
pub mod server;
mod shared;
mod stage;
#[cfg(feature = "otel")]
mod trace;
pub mod types;
mod visible;

pub use around::{For, Inside};
pub use auth::{Caller, Identity, Presented, Unverified, Verified, Verifier, Verify};
pub use axum;
pub use axum::Router;
pub use axum::body::{Body, Bytes};
#[cfg(any(test, feature = "testing"))]
pub use clock::FakeClock;
pub use clock::{Clock, SystemClock};
pub use config::{Config, StartError, StartProblem};
pub use cx::{Cx, RawParts, Unowned};
pub use forward::{Keeps, forward, forwards};
pub(crate) use gateway::fits;
pub use gateway::{Api, AuditLog, Exchange, Gateway, PathValues, collect_body, shield};
#[cfg(feature = "api-macro")]
pub use gatewright_macros::api;
pub use gatewright_macros::{App, Handler, Principal, Problem, Resource, handler, include_api, resolver};
pub use gatewright_policy::{self as policy, Rate, Refusal, table};
pub use gatewright_store as store;
pub use guard::{Admission, BodyValue, Guard, SteppedUp};
pub use http::{HeaderName, HeaderValue, StatusCode};
pub use layer::{GuardLayer, Guarding};
#[cfg(feature = "testing")]
#[doc(hidden)]
pub use limit::Limiter;
pub use mount::{Mount, Partial, router, serve};
#[cfg(feature = "testing")]
#[doc(hidden)]
pub use net::Ranges;
pub use net::{Forwarding, Peer};
pub use operation::{Boxed, Call, Fresh, Guarded, HandledBy, Keep, Meta, NoOwner, Operation, Route};
pub use owned::{Authorized, Owned, ResolveError};
pub use params::Input;
pub use part::{FromApp, Part, take_request};
pub use principal::{FromClaim, Principal, take_principal};
pub use problem::{Fault, Internal, Problem, Refused, ResultExt};
pub use reply::{
    Cookie, HeaderJson, HeaderPairs, IntoReply, JsonHeader, Media, NoError, Reply, ResponseExt, ToHeader, With,
};
pub use stage::{Pending, Valid};
#[cfg(feature = "otel")]
pub use trace::{TraceContext, Traces};
pub use visible::{Visible, VisibleTo};
