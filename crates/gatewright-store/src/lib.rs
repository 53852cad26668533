//! API keys and other records that outlive a request
#![allow(clippy::disallowed_methods, reason = "the store of a running server is a file, and its records have times")]
