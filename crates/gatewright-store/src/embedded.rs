//! Keys in a file of this process (redb): one server, no service to run.

use std::path::Path;

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use crate::{KeyRecord, KeyStore, StoreError};

/// Id → record as JSON. The name carries the version of the form.
const KEYS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("api-keys-1");

/// Keeps keys in a file.
pub struct FileStore {
    database: Database,
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
        write.open_table(KEYS).map_err(StoreError::new)?;
        write.commit().map_err(StoreError::new)?;
        Ok(FileStore { database })
    }
}

impl std::fmt::Debug for FileStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FileStore")
    }
}

impl KeyStore for FileStore {
    fn find(&self, id: &str) -> Result<Option<KeyRecord>, StoreError> {
        let read = self.database.begin_read().map_err(StoreError::new)?;
        let table = read.open_table(KEYS).map_err(StoreError::new)?;
        let found = table.get(id).map_err(StoreError::new)?;
        found.map(|record| serde_json::from_slice(record.value()).map_err(StoreError::new)).transpose()
    }

    fn put(&self, records: &[KeyRecord]) -> Result<(), StoreError> {
        let write = self.database.begin_write().map_err(StoreError::new)?;
        {
            let mut table = write.open_table(KEYS).map_err(StoreError::new)?;
            for record in records {
                let bytes = serde_json::to_vec(record).map_err(StoreError::new)?;
                table.insert(record.id.as_str(), bytes.as_slice()).map_err(StoreError::new)?;
            }
        }
        write.commit().map_err(StoreError::new)
    }

    fn list(&self) -> Result<Vec<KeyRecord>, StoreError> {
        let read = self.database.begin_read().map_err(StoreError::new)?;
        let table = read.open_table(KEYS).map_err(StoreError::new)?;
        let mut records = Vec::new();
        for entry in table.iter().map_err(StoreError::new)? {
            let (_, record) = entry.map_err(StoreError::new)?;
            records.push(serde_json::from_slice(record.value()).map_err(StoreError::new)?);
        }
        Ok(records)
    }
}
