//! The life of a key: issued, verified, rotated, revoked.

use std::fmt;
use std::sync::Arc;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::format::{self, ID_LETTERS, NoRandomness, SECRET_LETTERS};
use crate::{KeyRecord, KeyStore, NETWORKS, Pepper, StoreError, Usage};

/// How often a change is made anew that others overtook.
const TRIES: usize = 8;

/// Finds the record of a presented key that works. Nothing is returned for a key that is malformed, unknown, wrong,
/// revoked or too old: callers must not learn which.
///
/// An unknown id costs the same hash and comparison as a known one.
///
/// # Errors
/// When the store cannot say.
pub async fn verify(
    store: &dyn KeyStore,
    pepper: &Pepper,
    prefix: &str,
    presented: &str,
    now: i64,
) -> Result<Option<KeyRecord>, StoreError> {
    let Some(parsed) = format::parse(prefix, presented) else { return Ok(None) };
    let record = store.find(parsed.id).await?;
    let digest = pepper.digest(parsed.body);
    let expected = record.as_ref().map_or([0; 32], |r| r.digest);
    let same = bool::from(digest.ct_eq(&expected));
    Ok(record.filter(|r| same && r.prefix == prefix && r.works(now)))
}

/// Whether a key that was verified is good in a network, where its scheme refuses those that are new to it. The first network
/// that a key is used in is its own from then on, for all servers of the store; others are named by [`Keys::allow`].
///
/// # Errors
/// When the store cannot say, or cannot keep the first network: a use that is not kept would not be the first.
pub async fn good_in(store: &dyn KeyStore, verified: &KeyRecord, network: &str, now: i64) -> Result<bool, StoreError> {
    let mut record = verified.clone();
    for _ in 0..TRIES {
        if !record.networks.is_empty() {
            return Ok(record.networks.iter().any(|known| known == network));
        }
        record.networks.push(network.to_owned());
        record.revision = record.revision.wrapping_add(1);
        if store.replace(&record, None).await? {
            return Ok(true);
        }
        // Somebody was first: with another network, or he revoked it.
        match store.find(&record.id).await?.filter(|kept| kept.works(now)) {
            Some(kept) => record = kept,
            None => return Ok(false),
        }
    }
    Err(StoreError::new("others are changing this key"))
}

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub struct Order {
    /// What the key's text begins with.
    pub prefix: String,
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
    /// From when on it does not work, in seconds since 1970.
    pub works_until: Option<i64>,
    /// The networks that it is good in where its scheme refuses new ones, as [`network`](crate::network) writes them; with none,
    /// that of its first use.
    pub networks: Vec<String>,
}

/// A new key: its text is shown once and kept nowhere.
pub struct Issued {
    /// What the client sends.
    pub text: Zeroizing<String>,
    /// What is kept.
    pub record: KeyRecord,
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued").field("record", &self.record).finish_non_exhaustive()
    }
}

/// Why a key cannot be issued, rotated or revoked.
#[derive(Debug)]
pub enum KeyError {
    /// The store failed.
    Store(StoreError),
    /// No random numbers.
    NoRandomness,
    /// Not 1 to 16 small letters and digits, beginning with a letter.
    Prefix,
    /// No key has this id, or it is revoked or replaced already.
    NotFound,
    /// Others changed it each time. Nothing was done.
    Contended,
    /// It has as many networks as a key may have.
    Networks,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyError::Store(cause) => cause.fmt(f),
            KeyError::NoRandomness => NoRandomness.fmt(f),
            KeyError::Prefix => f.write_str("a prefix is 1 to 16 small letters and digits, beginning with a letter"),
            KeyError::NotFound => f.write_str("no working key has this id"),
            KeyError::Networks => write!(f, "a key may have {NETWORKS} networks, and this one has them"),
            KeyError::Contended => f.write_str("others are changing this key: try again"),
        }
    }
}

impl std::error::Error for KeyError {}

impl From<StoreError> for KeyError {
    fn from(cause: StoreError) -> KeyError {
        KeyError::Store(cause)
    }
}

impl From<NoRandomness> for KeyError {
    fn from(_: NoRandomness) -> KeyError {
        KeyError::NoRandomness
    }
}

/// Manages the keys of a store.
#[derive(Clone)]
pub struct Keys {
    store: Arc<dyn KeyStore>,
    pepper: Pepper,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

impl Keys {
    /// Manages `store`, whose hashes are keyed with `pepper`.
    #[must_use]
    pub fn new(store: Arc<dyn KeyStore>, pepper: Pepper) -> Keys {
        Keys { store, pepper }
    }

    /// Makes a key and keeps its record.
    ///
    /// # Errors
    /// A bad prefix, no randomness, a failing store.
    pub async fn issue(&self, order: Order, now: i64) -> Result<Issued, KeyError> {
        let issued = self.make(order, now)?;
        self.store.insert(&issued.record).await?;
        Ok(issued)
    }

    fn make(&self, order: Order, now: i64) -> Result<Issued, KeyError> {
        if !format::is_prefix(&order.prefix) {
            return Err(KeyError::Prefix);
        }
        let id = format::random(ID_LETTERS)?.to_string();
        let secret = format::random(SECRET_LETTERS)?;
        let text = format::write(&order.prefix, &id, &secret);
        let hashed = format::body(&text);
        let record = KeyRecord {
            digest: self.pepper.digest(hashed),
            prefix: order.prefix,
            label: order.label,
            subject: order.subject,
            client: order.client,
            level: order.level,
            scopes: order.scopes,
            roles: order.roles,
            issued: now,
            works_until: order.works_until,
            revoked: None,
            replaced_by: None,
            networks: order.networks,
            revision: 0,
            id,
        };
        Ok(Issued { text, record })
    }

    /// Replaces a key by a new one of the same rights; the old one works for `grace` seconds more, never longer than it
    /// would have anyway.
    ///
    /// # Errors
    /// Those of [`issue`](Keys::issue), and when no working key has this id or it is replaced already.
    pub async fn rotate(&self, id: &str, grace: i64, now: i64) -> Result<Issued, KeyError> {
        // Again where somebody else changed it meanwhile: what he did may forbid it.
        for _ in 0..TRIES {
            let old = self.store.find(id).await?.filter(|r| r.works(now) && r.replaced_by.is_none());
            let mut old = old.ok_or(KeyError::NotFound)?;
            let issued = self.make(
                Order {
                    prefix: old.prefix.clone(),
                    label: old.label.clone(),
                    subject: old.subject.clone(),
                    client: old.client.clone(),
                    level: old.level.clone(),
                    scopes: old.scopes.clone(),
                    roles: old.roles.clone(),
                    works_until: old.works_until,
                    networks: old.networks.clone(),
                },
                now,
            )?;
            let end = now.saturating_add(grace.max(0));
            old.works_until = Some(old.works_until.map_or(end, |until| until.min(end)));
            old.replaced_by = Some(issued.record.id.clone());
            old.revision = old.revision.wrapping_add(1);
            if self.store.replace(&old, Some(&issued.record)).await? {
                return Ok(issued);
            }
        }
        Err(KeyError::Contended)
    }

    /// Ends a key at once.
    ///
    /// # Errors
    /// When no key has this id, or it is revoked already; a failing store.
    pub async fn revoke(&self, id: &str, now: i64) -> Result<KeyRecord, KeyError> {
        for _ in 0..TRIES {
            let mut record = self.store.find(id).await?.filter(|r| r.revoked.is_none()).ok_or(KeyError::NotFound)?;
            record.revoked = Some(now);
            record.revision = record.revision.wrapping_add(1);
            if self.store.replace(&record, None).await? {
                return Ok(record);
            }
        }
        Err(KeyError::Contended)
    }

    /// Lets a key be used in one more network, by [`network`](crate::network) of one of its addresses, where its scheme refuses
    /// those that are new; `false` where it could be already. A key that was never used is then good there alone.
    ///
    /// # Errors
    /// When no working key has this id, or it has all the networks that one may have; a failing store.
    pub async fn allow(&self, id: &str, network: &str, now: i64) -> Result<bool, KeyError> {
        for _ in 0..TRIES {
            let mut record = self.store.find(id).await?.filter(|r| r.works(now)).ok_or(KeyError::NotFound)?;
            if record.networks.iter().any(|known| known == network) {
                return Ok(false);
            }
            if record.networks.len() >= NETWORKS {
                return Err(KeyError::Networks);
            }
            record.networks.push(network.to_owned());
            record.revision = record.revision.wrapping_add(1);
            if self.store.replace(&record, None).await? {
                return Ok(true);
            }
        }
        Err(KeyError::Contended)
    }

    /// All keys, by id.
    ///
    /// # Errors
    /// A failing store.
    pub async fn list(&self) -> Result<Vec<KeyRecord>, KeyError> {
        Ok(self.store.list().await?)
    }

    /// What is known of the use of keys, by id: it is some seconds old.
    ///
    /// # Errors
    /// A failing store.
    pub async fn usage(&self) -> Result<Vec<Usage>, KeyError> {
        Ok(self.store.usage().await?)
    }

    /// As [`verify`], with this store.
    ///
    /// # Errors
    /// A failing store.
    pub async fn verify(&self, prefix: &str, presented: &str, now: i64) -> Result<Option<KeyRecord>, StoreError> {
        verify(&*self.store, &self.pepper, prefix, presented, now).await
    }
}
