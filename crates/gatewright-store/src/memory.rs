//! Keys in memory: for tests and development. They are gone with the process.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError, RwLock};

use crate::{Answer, KeyRecord, KeyStore, PasskeyRecord, StoreError, Unusual, Usage, Used};

/// Keeps keys and passkeys in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    records: RwLock<BTreeMap<String, KeyRecord>>,
    pub(crate) passkeys: Mutex<Vec<PasskeyRecord>>,
    usage: Mutex<BTreeMap<String, Usage>>,
    pub(crate) quotas: Mutex<BTreeMap<[u8; 16], crate::QuotaRecord>>,
}

impl KeyStore for MemoryStore {
    fn find<'a>(&'a self, id: &'a str) -> Answer<'a, Option<KeyRecord>> {
        Answer::now(Ok(self.records.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()))
    }

    fn insert<'a>(&'a self, record: &'a KeyRecord) -> Answer<'a, ()> {
        let mut records = self.records.write().unwrap_or_else(PoisonError::into_inner);
        if records.contains_key(&record.id) {
            return Answer::now(Err(StoreError::taken()));
        }
        records.insert(record.id.clone(), record.clone());
        Answer::now(Ok(()))
    }

    fn replace<'a>(&'a self, next: &'a KeyRecord, added: Option<&'a KeyRecord>) -> Answer<'a, bool> {
        let mut records = self.records.write().unwrap_or_else(PoisonError::into_inner);
        if !records.get(&next.id).is_some_and(|kept| next.follows(kept)) {
            return Answer::now(Ok(false));
        }
        if added.is_some_and(|new| records.contains_key(&new.id)) {
            return Answer::now(Err(StoreError::taken()));
        }
        records.extend([next].into_iter().chain(added).map(|record| (record.id.clone(), record.clone())));
        Answer::now(Ok(true))
    }

    fn list(&self) -> Answer<'_, Vec<KeyRecord>> {
        Answer::now(Ok(self.records.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()))
    }

    fn count<'a>(&'a self, used: &'a [Used]) -> Answer<'a, Vec<(String, Unusual)>> {
        let mut usage = self.usage.lock().unwrap_or_else(PoisonError::into_inner);
        let mut unusual = Vec::new();
        for used in used {
            let found = usage.entry(used.id.clone()).or_default().add(used);
            unusual.extend(found.into_iter().map(|what| (used.id.clone(), what)));
        }
        Answer::now(Ok(unusual))
    }

    fn usage(&self) -> Answer<'_, Vec<Usage>> {
        Answer::now(Ok(self.usage.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()))
    }
}
