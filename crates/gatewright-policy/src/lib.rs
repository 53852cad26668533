//! The words that the compiler and the server share. Both halves must mean the same thing by a rate, a grant, a check
//! and a refusal, so each is defined here, once, and this crate depends on nothing: no IO, no clock, no async.
//!
//! - [`Check`] and [`ORDER`]: what is checked on a request, and in which order.
//! - [`Refusal`]: every way in which a request can be refused, with its status and its stable problem type.
//! - [`table`]: an operation's policy as the constant data that generated code holds.
//! - [`Rate`], as `100/min` is read.
//! - [`bits`]: sets of grants.
//! - [`strict`]: whether one policy asks at least what another asks.
//! - [`case`]: how a name of the spec is spelt in Rust, which generated code and the macros must agree on.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]
#![no_std]

extern crate alloc;

pub mod bits;
pub mod case;
mod order;
mod rate;
mod refusal;
pub mod strict;
pub mod table;
mod written;

pub use order::{Check, ORDER};
pub use rate::{Period, Rate, RateError};
pub use refusal::Refusal;
pub use table::Policy;
