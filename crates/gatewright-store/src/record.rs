//! What is kept of a key, and the trait of what keeps it.

use std::error::Error;
use std::fmt;

use serde::{Deserialize, Serialize};

/// What a store keeps of one key. Times are seconds since 1970.
#[derive(Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct KeyRecord {
    /// The public part of the key.
    pub id: String,
    /// What its text begins with.
    pub prefix: String,
    /// The keyed hash of its secret.
    pub digest: [u8; 32],
    /// A name for people.
    pub label: String,
    /// Whose it is.
    pub subject: Option<String>,
    /// The application that uses it.
    pub client: Option<String>,
    /// Its level.
    pub level: Option<String>,
    /// Scopes beyond those of its level.
    pub scopes: Vec<String>,
    /// Its roles.
    pub roles: Vec<String>,
    /// When it was issued.
    pub issued: i64,
    /// From when on it does not work: its expiry, or the end of the grace after a rotation.
    pub works_until: Option<i64>,
    /// When it was revoked: from then on it does not work.
    pub revoked: Option<i64>,
    /// The id of the key that replaces it.
    pub replaced_by: Option<String>,
}

impl KeyRecord {
    /// Whether it works at a time.
    #[must_use]
    pub fn works(&self, now: i64) -> bool {
        self.revoked.is_none() && self.works_until.is_none_or(|until| now < until)
    }
}

impl fmt::Debug for KeyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRecord")
            .field("id", &self.id)
            .field("label", &self.label)
            .field("revoked", &self.revoked)
            .finish_non_exhaustive()
    }
}

/// Keeps keys. A server looks one up on each request, so `find` must be quick; it is called on a worker thread and must
/// not wait for a network.
pub trait KeyStore: Send + Sync + 'static {
    /// The record of an id.
    ///
    /// # Errors
    /// When the store cannot say: the request is then refused with 503.
    fn find(&self, id: &str) -> Result<Option<KeyRecord>, StoreError>;

    /// Adds records and replaces those of the same id: all of them or none.
    ///
    /// # Errors
    /// When the store cannot keep them.
    fn put(&self, records: &[KeyRecord]) -> Result<(), StoreError>;

    /// All records, by id.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn list(&self) -> Result<Vec<KeyRecord>, StoreError>;
}

/// The store is not to be had, or broken.
pub struct StoreError(Box<dyn Error + Send + Sync>);

impl StoreError {
    /// Wraps what went wrong.
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> StoreError {
        StoreError(cause.into())
    }
}

impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreError({})", self.0)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the key store: {}", self.0)
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}
