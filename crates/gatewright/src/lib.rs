//! The runtime of generated servers
#![allow(clippy::disallowed_methods, reason = "a server reads its files, its environment and the clock")]

pub mod route;
