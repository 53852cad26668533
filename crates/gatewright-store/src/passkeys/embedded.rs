//! Passkeys in a file of this process (redb).

use redb::{ReadableDatabase, ReadableTable, TableDefinition};

use super::{PasskeyAdded, PasskeyRecord, PasskeyStore, PasskeyUse, PasskeyUser, after, sort};
use crate::{Answer, FileStore, StoreError};

/// The user's key and the credential id behind it → record as JSON. The name carries the version of the form.
pub(crate) const PASSKEYS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("passkeys-1");
/// Credential id → the user's key.
pub(crate) const PASSKEY_USERS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("passkey-users-1");

fn place(user: &PasskeyUser, id: &[u8]) -> Vec<u8> {
    [user.key().as_slice(), id].concat()
}

/// The records of a user, in the order of their ids.
fn of_user(
    table: &impl ReadableTable<&'static [u8], &'static [u8]>,
    user: &PasskeyUser,
) -> Result<Vec<PasskeyRecord>, StoreError> {
    let key = user.key();
    let mut found = Vec::new();
    for entry in table.range(key.as_slice()..).map_err(StoreError::new)? {
        let (place, record) = entry.map_err(StoreError::new)?;
        if !place.value().starts_with(&key) {
            break;
        }
        found.push(serde_json::from_slice(record.value()).map_err(StoreError::new)?);
    }
    Ok(found)
}

impl FileStore {
    fn passkeys_of(&self, user: &PasskeyUser) -> Result<Vec<PasskeyRecord>, StoreError> {
        let read = self.database().begin_read().map_err(StoreError::new)?;
        let table = read.open_table(PASSKEYS).map_err(StoreError::new)?;
        let mut found = of_user(&table, user)?;
        found.sort_by(|a, b| (a.registered, &a.id).cmp(&(b.registered, &b.id)));
        Ok(found)
    }

    fn every_passkey(&self) -> Result<Vec<PasskeyRecord>, StoreError> {
        let read = self.database().begin_read().map_err(StoreError::new)?;
        let table = read.open_table(PASSKEYS).map_err(StoreError::new)?;
        let mut found = Vec::new();
        for entry in table.iter().map_err(StoreError::new)? {
            let (_, record) = entry.map_err(StoreError::new)?;
            found.push(serde_json::from_slice(record.value()).map_err(StoreError::new)?);
        }
        sort(&mut found);
        Ok(found)
    }

    fn add_passkey(&self, record: &PasskeyRecord, most: usize) -> Result<PasskeyAdded, StoreError> {
        let bytes = serde_json::to_vec(record).map_err(StoreError::new)?;
        let write = self.database().begin_write().map_err(StoreError::new)?;
        {
            let mut users = write.open_table(PASSKEY_USERS).map_err(StoreError::new)?;
            let mut table = write.open_table(PASSKEYS).map_err(StoreError::new)?;
            if users.get(record.id.as_slice()).map_err(StoreError::new)?.is_some() {
                return Ok(PasskeyAdded::Taken);
            }
            if of_user(&table, &record.user)?.len() >= most {
                return Ok(PasskeyAdded::Full);
            }
            users.insert(record.id.as_slice(), record.user.key().as_slice()).map_err(StoreError::new)?;
            table.insert(place(&record.user, &record.id).as_slice(), bytes.as_slice()).map_err(StoreError::new)?;
        }
        write.commit().map_err(StoreError::new)?;
        Ok(PasskeyAdded::Yes)
    }

    fn use_passkey(&self, user: &PasskeyUser, id: &[u8], used: PasskeyUse) -> Result<bool, StoreError> {
        let place = place(user, id);
        let write = self.database().begin_write().map_err(StoreError::new)?;
        {
            let mut table = write.open_table(PASSKEYS).map_err(StoreError::new)?;
            let kept = match table.get(place.as_slice()).map_err(StoreError::new)? {
                Some(kept) => serde_json::from_slice(kept.value()).map_err(StoreError::new)?,
                None => return Ok(false),
            };
            let Some(changed) = after(kept, used) else { return Ok(false) };
            let bytes = serde_json::to_vec(&changed).map_err(StoreError::new)?;
            table.insert(place.as_slice(), bytes.as_slice()).map_err(StoreError::new)?;
        }
        write.commit().map_err(StoreError::new)?;
        Ok(true)
    }

    fn remove_passkey(&self, user: &PasskeyUser, id: &[u8]) -> Result<bool, StoreError> {
        let write = self.database().begin_write().map_err(StoreError::new)?;
        {
            let mut users = write.open_table(PASSKEY_USERS).map_err(StoreError::new)?;
            let mut table = write.open_table(PASSKEYS).map_err(StoreError::new)?;
            if table.remove(place(user, id).as_slice()).map_err(StoreError::new)?.is_none() {
                return Ok(false);
            }
            users.remove(id).map_err(StoreError::new)?;
        }
        write.commit().map_err(StoreError::new)?;
        Ok(true)
    }
}

impl PasskeyStore for FileStore {
    fn passkeys<'a>(&'a self, user: &'a PasskeyUser) -> Answer<'a, Vec<PasskeyRecord>> {
        Answer::now(self.passkeys_of(user))
    }

    fn all_passkeys(&self) -> Answer<'_, Vec<PasskeyRecord>> {
        Answer::now(self.every_passkey())
    }

    fn add<'a>(&'a self, record: &'a PasskeyRecord, most: usize) -> Answer<'a, PasskeyAdded> {
        Answer::now(self.add_passkey(record, most))
    }

    fn used<'a>(&'a self, user: &'a PasskeyUser, id: &'a [u8], used: PasskeyUse) -> Answer<'a, bool> {
        Answer::now(self.use_passkey(user, id, used))
    }

    fn remove<'a>(&'a self, user: &'a PasskeyUser, id: &'a [u8]) -> Answer<'a, bool> {
        Answer::now(self.remove_passkey(user, id))
    }
}
