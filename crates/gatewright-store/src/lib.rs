//! API keys and other records that outlive a request.
//!
//! - [`format`](mod@format): `prefix_id_secret+checksum`, the text that a client holds.
//! - [`KeyRecord`], [`KeyStore`]: what is kept of it, and where. Only a keyed hash of the secret is.
//! - [`Keys`]: issue, rotate, revoke, list; [`verify`]: what a server does with a presented key.
//! - [`Usage`]: how often, since when and from where a key is used, and what of it is unusual.
//! - [`PasskeyRecord`], [`PasskeyStore`]: what is kept of passkeys, and where.
//! - [`MemoryStore`] for tests, [`FileStore`] embedded in one process, `PostgresStore` for several (feature `postgres`).

#![allow(clippy::disallowed_methods, reason = "the store of a running server is a file, and its records have times")]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod answer;
mod embedded;
pub mod format;
mod keys;
mod memory;
mod passkeys;
mod pepper;
#[cfg(feature = "postgres")]
mod postgres;
mod quotas;
mod record;
mod usage;

pub use answer::{Answer, at_once};
pub use embedded::FileStore;
pub use keys::{Issued, KeyError, Keys, Order, good_in, verify};
pub use memory::MemoryStore;
pub use passkeys::{PasskeyAdded, PasskeyRecord, PasskeyStore, PasskeyUse, PasskeyUser};
pub use pepper::{Pepper, ShortPepper};
#[cfg(feature = "postgres")]
pub use postgres::PostgresStore;
pub use quotas::{QuotaRecord, QuotaStore};
pub use record::{KeyRecord, KeyStore, StoreError};
pub use usage::{NETWORKS, Unusual, Usage, Used, network};
