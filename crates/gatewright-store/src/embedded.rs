//! Keys in a file of this process (redb): one server, no service to run.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use serde::de::DeserializeOwned;

use crate::passkeys::{PASSKEY_USERS, PASSKEYS};
use crate::{Answer, KeyRecord, KeyStore, StoreError, Unusual, Usage, Used};

/// Id → record as JSON. The name carries the version of the form.
const KEYS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("api-keys-1");
/// Id → usage as JSON.
const USAGE: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("api-key-usage-1");

/// Records that are held in memory: what most requests ask for. More are read from the file each time.
const HELD: usize = 10_000;

/// Keeps keys and passkeys in a file.
pub struct FileStore {
    database: Database,
    held: Mutex<Held>,
}

/// Records as they stand in the file, which nobody else writes.
#[derive(Default)]
struct Held {
    records: HashMap<String, KeyRecord>,
    /// How often something changed: what was read across a change is not held.
    changes: u64,
}

impl FileStore {
    /// Opens the file, or makes it. One process may have it open.
    ///
    /// # Errors
    /// When it cannot be opened, is open elsewhere, or is no store.
    pub fn open(path: impl AsRef<Path>) -> Result<FileStore, StoreError> {
        let database = Database::create(path).map_err(StoreError::new)?;
        // So that reading never meets a missing table.
        let write = database.begin_write().map_err(StoreError::new)?;
        for table in [KEYS, USAGE] {
            write.open_table(table).map_err(StoreError::new)?;
        }
        for table in [PASSKEYS, PASSKEY_USERS] {
            write.open_table(table).map_err(StoreError::new)?;
        }
        write.open_table(crate::quotas::QUOTAS).map_err(StoreError::new)?;
        write.commit().map_err(StoreError::new)?;
        Ok(FileStore { database, held: Mutex::default() })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets go of records that may have changed.
    fn let_go(&self, records: &[&KeyRecord]) {
        let mut held = self.held();
        held.changes = held.changes.wrapping_add(1);
        for record in records {
            held.records.remove(&record.id);
        }
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    fn one(&self, id: &str) -> Result<Option<KeyRecord>, StoreError> {
        let before = {
            let held = self.held();
            if let Some(record) = held.records.get(id) {
                return Ok(Some(record.clone()));
            }
            held.changes
        };
        let found = self.read(id)?;
        if let Some(record) = &found {
            let mut held = self.held();
            // Nothing is held that somebody may have changed since it was read.
            if held.changes == before {
                if held.records.len() >= HELD {
                    held.records.clear();
                }
                held.records.insert(record.id.clone(), record.clone());
            }
        }
        Ok(found)
    }

    fn read(&self, id: &str) -> Result<Option<KeyRecord>, StoreError> {
        let read = self.database.begin_read().map_err(StoreError::new)?;
        let table = read.open_table(KEYS).map_err(StoreError::new)?;
        let found = table.get(id).map_err(StoreError::new)?;
        found.map(|record| serde_json::from_slice(record.value()).map_err(StoreError::new)).transpose()
    }

    fn all<T: DeserializeOwned>(&self, table: TableDefinition<'_, &str, &[u8]>) -> Result<Vec<T>, StoreError> {
        let read = self.database.begin_read().map_err(StoreError::new)?;
        let table = read.open_table(table).map_err(StoreError::new)?;
        let mut found = Vec::new();
        for entry in table.iter().map_err(StoreError::new)? {
            let (_, value) = entry.map_err(StoreError::new)?;
            found.push(serde_json::from_slice(value.value()).map_err(StoreError::new)?);
        }
        Ok(found)
    }

    /// Writes if `may`, which sees what is kept of the first record's id.
    fn write(&self, records: &[&KeyRecord], may: impl Fn(Option<&KeyRecord>) -> bool) -> Result<bool, StoreError> {
        let written = self.write_to_file(records, may);
        // Before anybody hears of it. What was read meanwhile is not held.
        self.let_go(records);
        written
    }

    fn write_to_file(
        &self,
        records: &[&KeyRecord],
        may: impl Fn(Option<&KeyRecord>) -> bool,
    ) -> Result<bool, StoreError> {
        let write = self.database.begin_write().map_err(StoreError::new)?;
        {
            let mut table = write.open_table(KEYS).map_err(StoreError::new)?;
            for (place, record) in records.iter().enumerate() {
                let kept = match table.get(record.id.as_str()).map_err(StoreError::new)? {
                    Some(kept) => Some(serde_json::from_slice(kept.value()).map_err(StoreError::new)?),
                    None => None,
                };
                match place {
                    0 if !may(kept.as_ref()) => return Ok(false),
                    0 => {}
                    _ if kept.is_some() => return Err(StoreError::taken()),
                    _ => {}
                }
                let bytes = serde_json::to_vec(record).map_err(StoreError::new)?;
                table.insert(record.id.as_str(), bytes.as_slice()).map_err(StoreError::new)?;
            }
        }
        write.commit().map_err(StoreError::new)?;
        Ok(true)
    }

    fn add(&self, used: &[Used]) -> Result<Vec<(String, Unusual)>, StoreError> {
        let mut unusual = Vec::new();
        let write = self.database.begin_write().map_err(StoreError::new)?;
        {
            let mut table = write.open_table(USAGE).map_err(StoreError::new)?;
            for used in used {
                let mut usage: Usage = match table.get(used.id.as_str()).map_err(StoreError::new)? {
                    Some(kept) => serde_json::from_slice(kept.value()).map_err(StoreError::new)?,
                    None => Usage::default(),
                };
                unusual.extend(usage.add(used).into_iter().map(|what| (used.id.clone(), what)));
                let bytes = serde_json::to_vec(&usage).map_err(StoreError::new)?;
                table.insert(used.id.as_str(), bytes.as_slice()).map_err(StoreError::new)?;
            }
        }
        write.commit().map_err(StoreError::new)?;
        Ok(unusual)
    }
}

impl std::fmt::Debug for FileStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FileStore")
    }
}

impl KeyStore for FileStore {
    fn find<'a>(&'a self, id: &'a str) -> Answer<'a, Option<KeyRecord>> {
        Answer::now(self.one(id))
    }

    fn insert<'a>(&'a self, record: &'a KeyRecord) -> Answer<'a, ()> {
        Answer::now(match self.write(&[record], |kept| kept.is_none()) {
            Ok(true) => Ok(()),
            Ok(false) => Err(StoreError::taken()),
            Err(cause) => Err(cause),
        })
    }

    fn replace<'a>(&'a self, next: &'a KeyRecord, added: Option<&'a KeyRecord>) -> Answer<'a, bool> {
        let records: Vec<&KeyRecord> = [next].into_iter().chain(added).collect();
        Answer::now(self.write(&records, |kept| kept.is_some_and(|kept| next.follows(kept))))
    }

    fn list(&self) -> Answer<'_, Vec<KeyRecord>> {
        Answer::now(self.all(KEYS))
    }

    fn count<'a>(&'a self, used: &'a [Used]) -> Answer<'a, Vec<(String, Unusual)>> {
        Answer::now(self.add(used))
    }

    fn usage(&self) -> Answer<'_, Vec<Usage>> {
        Answer::now(self.all(USAGE))
    }
}
