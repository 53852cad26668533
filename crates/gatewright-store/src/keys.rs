//! The life of a key: issued, verified, rotated, revoked.

use std::fmt;
use std::sync::Arc;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::format::{self, ID_LETTERS, NoRandomness, SECRET_LETTERS};
use crate::{KeyRecord, KeyStore, Pepper, StoreError};

/// Finds the record of a presented key that works. Nothing is returned for a key that is malformed, unknown, wrong,
/// revoked or too old: callers must not learn which.
///
/// An unknown id costs the same hash and comparison as a known one.
///
/// # Errors
/// When the store cannot say.
pub fn verify(
    store: &dyn KeyStore,
    pepper: &Pepper,
    prefix: &str,
    presented: &str,
    now: i64,
) -> Result<Option<KeyRecord>, StoreError> {
    let Some(parsed) = format::parse(prefix, presented) else { return Ok(None) };
    let record = store.find(parsed.id)?;
    let digest = pepper.digest(prefix, parsed.id, parsed.secret);
    let expected = record.as_ref().map_or([0; 32], |r| r.digest);
    let same = bool::from(digest.ct_eq(&expected));
    Ok(record.filter(|r| same && r.prefix == prefix && r.works(now)))
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
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyError::Store(cause) => cause.fmt(f),
            KeyError::NoRandomness => NoRandomness.fmt(f),
            KeyError::Prefix => f.write_str("a prefix is 1 to 16 small letters and digits, beginning with a letter"),
            KeyError::NotFound => f.write_str("no working key has this id"),
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
    pub fn issue(&self, order: Order, now: i64) -> Result<Issued, KeyError> {
        let issued = self.make(order, now)?;
        self.store.put(std::slice::from_ref(&issued.record))?;
        Ok(issued)
    }

    fn make(&self, order: Order, now: i64) -> Result<Issued, KeyError> {
        if !format::is_prefix(&order.prefix) {
            return Err(KeyError::Prefix);
        }
        let id = format::random(ID_LETTERS)?.to_string();
        let secret = format::random(SECRET_LETTERS)?;
        let record = KeyRecord {
            digest: self.pepper.digest(&order.prefix, &id, &secret),
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
            id,
        };
        Ok(Issued { text: format::write(&record.prefix, &record.id, &secret), record })
    }

    /// Replaces a key by a new one of the same rights; the old one works for `grace` seconds more, never longer than it
    /// would have anyway.
    ///
    /// # Errors
    /// Those of [`issue`](Keys::issue), and when no working key has this id or it is replaced already.
    pub fn rotate(&self, id: &str, grace: i64, now: i64) -> Result<Issued, KeyError> {
        let mut old = self.store.find(id)?.filter(|r| r.works(now) && r.replaced_by.is_none());
        let old = old.as_mut().ok_or(KeyError::NotFound)?;
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
            },
            now,
        )?;
        let end = now.saturating_add(grace.max(0));
        old.works_until = Some(old.works_until.map_or(end, |until| until.min(end)));
        old.replaced_by = Some(issued.record.id.clone());
        self.store.put(&[issued.record.clone(), old.clone()])?;
        Ok(issued)
    }

    /// Ends a key at once.
    ///
    /// # Errors
    /// When no key has this id, or it is revoked already; a failing store.
    pub fn revoke(&self, id: &str, now: i64) -> Result<KeyRecord, KeyError> {
        let mut record = self.store.find(id)?.filter(|r| r.revoked.is_none()).ok_or(KeyError::NotFound)?;
        record.revoked = Some(now);
        self.store.put(std::slice::from_ref(&record))?;
        Ok(record)
    }

    /// All keys, by id.
    ///
    /// # Errors
    /// A failing store.
    pub fn list(&self) -> Result<Vec<KeyRecord>, KeyError> {
        Ok(self.store.list()?)
    }

    /// As [`verify`], with this store.
    ///
    /// # Errors
    /// A failing store.
    pub fn verify(&self, prefix: &str, presented: &str, now: i64) -> Result<Option<KeyRecord>, StoreError> {
        verify(&*self.store, &self.pepper, prefix, presented, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FileStore, MemoryStore};

    fn pepper(byte: u8) -> Pepper {
        Pepper::new(vec![byte; 32]).unwrap()
    }

    fn order() -> Order {
        Order { prefix: "wx".into(), label: "test".into(), level: Some("free".into()), ..Order::default() }
    }

    fn on_each_store(test: impl Fn(Arc<dyn KeyStore>)) {
        test(Arc::new(MemoryStore::default()));
        let folder = tempfile::tempdir().unwrap();
        test(Arc::new(FileStore::open(folder.path().join("keys")).unwrap()));
    }

    #[test]
    fn a_key_works_until_it_is_revoked() {
        on_each_store(|store| {
            let keys = Keys::new(store.clone(), pepper(1));
            let issued = keys.issue(order(), 100).unwrap();
            let found = keys.verify("wx", &issued.text, 100).unwrap().unwrap();
            assert_eq!(found, issued.record);
            assert_eq!(found.level.as_deref(), Some("free"));
            assert!(verify(&*store, &pepper(2), "wx", &issued.text, 100).unwrap().is_none(), "another pepper");
            assert!(keys.verify("wy", &issued.text, 100).unwrap().is_none(), "another prefix");
            keys.revoke(&issued.record.id, 200).unwrap();
            assert!(keys.verify("wx", &issued.text, 200).unwrap().is_none());
            assert!(matches!(keys.revoke(&issued.record.id, 201), Err(KeyError::NotFound)));
            assert_eq!(keys.list().unwrap().len(), 1);
        });
    }

    #[test]
    fn a_wrong_secret_with_a_right_checksum_is_refused() {
        on_each_store(|store| {
            let keys = Keys::new(store, pepper(1));
            let issued = keys.issue(order(), 100).unwrap();
            let forged = format::write("wx", &issued.record.id, &format::random(SECRET_LETTERS).unwrap());
            assert!(keys.verify("wx", &forged, 100).unwrap().is_none());
            let unknown =
                format::write("wx", &format::random(ID_LETTERS).unwrap(), &format::random(SECRET_LETTERS).unwrap());
            assert!(keys.verify("wx", &unknown, 100).unwrap().is_none());
        });
    }

    #[test]
    fn a_digest_of_zeros_is_no_back_door() {
        let store = Arc::new(MemoryStore::default());
        let keys = Keys::new(store.clone(), pepper(1));
        let mut record = keys.issue(order(), 1).unwrap().record;
        record.digest = [0; 32];
        store.put(&[record.clone()]).unwrap();
        let text = format::write("wx", &record.id, &format::random(SECRET_LETTERS).unwrap());
        assert!(keys.verify("wx", &text, 1).unwrap().is_none());
    }

    #[test]
    fn a_rotated_key_has_its_grace_and_no_more() {
        on_each_store(|store| {
            let keys = Keys::new(store, pepper(1));
            let old = keys.issue(order(), 100).unwrap();
            let new = keys.rotate(&old.record.id, 10, 100).unwrap();
            for (now, old_works) in [(100, true), (109, true), (110, false)] {
                assert_eq!(keys.verify("wx", &old.text, now).unwrap().is_some(), old_works, "{now}");
                assert!(keys.verify("wx", &new.text, now).unwrap().is_some());
            }
            assert_eq!(new.record.level, old.record.level);
            assert!(matches!(keys.rotate(&old.record.id, 10, 100), Err(KeyError::NotFound)), "replaced already");
            let short = keys.issue(Order { works_until: Some(105), ..order() }, 100).unwrap();
            keys.rotate(&short.record.id, 1_000, 100).unwrap();
            assert!(keys.verify("wx", &short.text, 105).unwrap().is_none(), "grace is no prolongation");
        });
    }

    #[test]
    fn neither_secret_nor_digest_is_shown() {
        let keys = Keys::new(Arc::new(MemoryStore::default()), pepper(9));
        let issued = keys.issue(order(), 1).unwrap();
        let shown = format!("{issued:?} {keys:?} {:?}", pepper(9));
        assert!(!shown.contains("digest") && !shown.contains(issued.text.as_str()), "{shown}");
        assert!(Pepper::new(vec![1; 31]).is_err());
        assert!(matches!(keys.issue(Order { prefix: "W_x".into(), ..order() }, 1), Err(KeyError::Prefix)));
    }

    #[test]
    fn what_a_file_holds_survives() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let issued = {
            let keys = Keys::new(Arc::new(FileStore::open(&path).unwrap()), pepper(1));
            keys.issue(order(), 1).unwrap()
        };
        let keys = Keys::new(Arc::new(FileStore::open(&path).unwrap()), pepper(1));
        assert!(keys.verify("wx", &issued.text, 1).unwrap().is_some());
    }
}
