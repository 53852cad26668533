//! What is kept of a key, and the trait of what keeps it.

use std::error::Error;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Answer, Unusual, Usage, Used};

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
    /// The networks that it is good in, as [`network`](crate::network) writes them, where its scheme refuses new ones; none
    /// before its first use there, which names the first.
    #[serde(default)]
    pub networks: Vec<String>,
    /// How often the record was changed: a change names the one that it was made from.
    #[serde(default)]
    pub revision: u64,
}

impl KeyRecord {
    /// Whether it is the revision after another one of the same key.
    #[must_use]
    pub fn follows(&self, kept: &KeyRecord) -> bool {
        self.id == kept.id && self.revision == kept.revision.wrapping_add(1)
    }

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

/// Keeps keys. A server looks one up on each request, so `find` must be quick, and must bound how long it waits.
pub trait KeyStore: Send + Sync + 'static {
    /// The record of an id.
    ///
    /// # Errors
    /// When the store cannot say: the request is then refused with 503.
    fn find<'a>(&'a self, id: &'a str) -> Answer<'a, Option<KeyRecord>>;

    /// Adds the record of a new key.
    ///
    /// # Errors
    /// When the store cannot keep it, or has a record of this id.
    fn insert<'a>(&'a self, record: &'a KeyRecord) -> Answer<'a, ()>;

    /// Replaces a record by its next revision, and adds that of a new key if there is one: both or nothing. `false` where the
    /// kept record is not of the revision before: somebody else changed it, and nothing was done.
    ///
    /// # Errors
    /// When the store cannot keep them.
    fn replace<'a>(&'a self, next: &'a KeyRecord, added: Option<&'a KeyRecord>) -> Answer<'a, bool>;

    /// All records, by id.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn list(&self) -> Answer<'_, Vec<KeyRecord>>;

    /// Adds to what is known of the use of keys, by [`Usage::add`]: all or nothing. Says what was unusual, by id.
    ///
    /// # Errors
    /// When the store cannot keep it.
    fn count<'a>(&'a self, used: &'a [Used]) -> Answer<'a, Vec<(String, Unusual)>>;

    /// What is known of the use of keys, by id. A key that was never used is not in it.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn usage(&self) -> Answer<'_, Vec<Usage>>;
}

/// The store is not to be had, or broken.
pub struct StoreError(Box<dyn Error + Send + Sync>);

impl StoreError {
    /// Wraps what went wrong.
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> StoreError {
        StoreError(cause.into())
    }

    /// An id of which there is a record already. With 95 random bits that is no accident.
    #[must_use]
    pub fn taken() -> StoreError {
        StoreError::new("there is a key of this id already")
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
