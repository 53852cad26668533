//! Keys in memory: for tests and development. They are gone with the process.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use crate::{KeyRecord, KeyStore, StoreError};

/// Keeps keys in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    records: RwLock<BTreeMap<String, KeyRecord>>,
}

impl KeyStore for MemoryStore {
    fn find(&self, id: &str) -> Result<Option<KeyRecord>, StoreError> {
        Ok(self.records.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned())
    }

    fn put(&self, records: &[KeyRecord]) -> Result<(), StoreError> {
        let mut kept = self.records.write().unwrap_or_else(PoisonError::into_inner);
        kept.extend(records.iter().map(|r| (r.id.clone(), r.clone())));
        Ok(())
    }

    fn list(&self) -> Result<Vec<KeyRecord>, StoreError> {
        Ok(self.records.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect())
    }
}
