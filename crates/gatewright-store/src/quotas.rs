//! What was used of quotas by the calendar, kept over restarts of a server that counts alone.

use std::sync::PoisonError;

use redb::{ReadableDatabase as _, ReadableTable as _, TableDefinition};

use crate::{Answer, FileStore, MemoryStore, StoreError};

/// Id → end and use. The name carries the version of the form.
pub(crate) const QUOTAS: TableDefinition<'_, &[u8], u64> = TableDefinition::new("quotas-1");

/// What was used of one quota by one caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaRecord {
    /// Which, and whose: a digest, of which nobody learns who it is.
    pub id: [u8; 16],
    /// When its period ends, in minutes since 1970.
    pub end: u32,
    /// What was used of it.
    pub used: u32,
}

impl QuotaRecord {
    fn number(&self) -> u64 {
        u64::from(self.end) << 32 | u64::from(self.used)
    }

    fn of(id: &[u8], number: u64) -> Option<QuotaRecord> {
        let [end, used] = [number >> 32, number & 0xFFFF_FFFF].map(|half| u32::try_from(half).unwrap_or(u32::MAX));
        Some(QuotaRecord { id: id.try_into().ok()?, end, used })
    }
}

/// Keeps what was used of quotas. One process has it.
pub trait QuotaStore: Send + Sync + 'static {
    /// All that is kept, at once: a server asks when it starts.
    ///
    /// # Errors
    /// When the store cannot be read: the server does not start.
    fn quotas(&self) -> Answer<'_, Vec<QuotaRecord>>;

    /// Keeps these in place of what is kept of the same ids, and forgets those whose period ended by `now`, in minutes since 1970.
    ///
    /// # Errors
    /// When the store cannot keep them; they are given again later.
    fn keep_quotas<'a>(&'a self, used: &'a [QuotaRecord], now: u32) -> Answer<'a, ()>;
}

impl QuotaStore for MemoryStore {
    fn quotas(&self) -> Answer<'_, Vec<QuotaRecord>> {
        Answer::now(Ok(self.quotas.lock().unwrap_or_else(PoisonError::into_inner).values().copied().collect()))
    }

    fn keep_quotas<'a>(&'a self, used: &'a [QuotaRecord], now: u32) -> Answer<'a, ()> {
        let mut kept = self.quotas.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(used.iter().map(|record| (record.id, *record)));
        kept.retain(|_, record| record.end > now);
        Answer::now(Ok(()))
    }
}

impl QuotaStore for FileStore {
    fn quotas(&self) -> Answer<'_, Vec<QuotaRecord>> {
        let all = || {
            let read = self.database().begin_read().map_err(StoreError::new)?;
            let table = read.open_table(QUOTAS).map_err(StoreError::new)?;
            let mut found = Vec::new();
            for entry in table.iter().map_err(StoreError::new)? {
                let (id, number) = entry.map_err(StoreError::new)?;
                found.extend(QuotaRecord::of(id.value(), number.value()));
            }
            Ok(found)
        };
        Answer::now(all())
    }

    fn keep_quotas<'a>(&'a self, used: &'a [QuotaRecord], now: u32) -> Answer<'a, ()> {
        let keep = || {
            let write = self.database().begin_write().map_err(StoreError::new)?;
            {
                let mut table = write.open_table(QUOTAS).map_err(StoreError::new)?;
                for record in used {
                    table.insert(record.id.as_slice(), record.number()).map_err(StoreError::new)?;
                }
                table.retain(|_, number| number >> 32 > u64::from(now)).map_err(StoreError::new)?;
            }
            write.commit().map_err(StoreError::new)
        };
        Answer::now(keep())
    }
}
