//! API keys and other records that outlive a request.
//!
//! - [`format`](mod@format): `prefix_id_secret+checksum`, the text that a client holds.
//! - [`KeyRecord`], [`KeyStore`]: what is kept of it, and where. Only a keyed hash of the secret is.
//! - [`Keys`]: issue, rotate, revoke, list; [`verify`]: what a server does with a presented key.
//! - [`MemoryStore`] for tests, [`FileStore`] embedded in one process.

#![allow(clippy::disallowed_methods, reason = "the store of a running server is a file, and its records have times")]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod embedded;
pub mod format;
mod keys;
mod memory;
mod pepper;
mod record;

pub use embedded::FileStore;
pub use keys::{Issued, KeyError, Keys, Order, verify};
pub use memory::MemoryStore;
pub use pepper::{Pepper, ShortPepper};
pub use record::{KeyRecord, KeyStore, StoreError};
