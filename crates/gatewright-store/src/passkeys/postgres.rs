//! Passkeys in PostgreSQL: for several servers.

use tokio_postgres::{Row, Transaction};

use super::{PasskeyAdded, PasskeyRecord, PasskeyStore, PasskeyUse, PasskeyUser, after, sort};
use crate::{Answer, PostgresStore, StoreError};

/// The name carries the version of the form. A record is text and not `jsonb`, which cannot hold every name of a user.
pub(crate) const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS gatewright_passkeys_1 (
        id bytea PRIMARY KEY, owner bytea NOT NULL, registered bigint NOT NULL, record text NOT NULL);
    CREATE INDEX IF NOT EXISTS gatewright_passkeys_1_owner ON gatewright_passkeys_1 (owner);";
const OF_USER: &str = "SELECT record FROM gatewright_passkeys_1 WHERE owner = $1 ORDER BY registered, id";
const ALL: &str = "SELECT record FROM gatewright_passkeys_1";
/// One at a time for each user, so that two at once are not both the last that he may have.
const IN_TURN: &str = "SELECT pg_advisory_xact_lock(hashtextextended(encode($1::bytea, 'hex'), 0))";
const TAKEN: &str = "SELECT 1 FROM gatewright_passkeys_1 WHERE id = $1";
const ADD: &str = "INSERT INTO gatewright_passkeys_1 (id, owner, registered, record) VALUES ($1, $2, $3, $4)
                   ON CONFLICT (id) DO NOTHING";
const LOCK: &str = "SELECT record FROM gatewright_passkeys_1 WHERE id = $1 AND owner = $2 FOR UPDATE";
const NEXT: &str = "UPDATE gatewright_passkeys_1 SET record = $3 WHERE id = $1 AND owner = $2";
const REMOVE: &str = "DELETE FROM gatewright_passkeys_1 WHERE id = $1 AND owner = $2";

fn record(row: &Row) -> Result<PasskeyRecord, StoreError> {
    let text: &str = row.try_get(0).map_err(StoreError::new)?;
    serde_json::from_str(text).map_err(StoreError::new)
}

async fn add(change: &Transaction<'_>, record: &PasskeyRecord, most: usize) -> Result<PasskeyAdded, StoreError> {
    let owner = record.user.key();
    let text = serde_json::to_string(record).map_err(StoreError::new)?;
    change.query(IN_TURN, &[&owner.as_slice()]).await.map_err(StoreError::new)?;
    if change.query_opt(TAKEN, &[&record.id]).await.map_err(StoreError::new)?.is_some() {
        return Ok(PasskeyAdded::Taken);
    }
    if change.query(OF_USER, &[&owner.as_slice()]).await.map_err(StoreError::new)?.len() >= most {
        return Ok(PasskeyAdded::Full);
    }
    let values = (&record.id, owner.as_slice(), &record.registered, &text);
    let added = change.execute(ADD, &[values.0, &values.1, values.2, values.3]).await.map_err(StoreError::new)?;
    // Somebody else's, of the same id and at the same time.
    Ok(if added == 1 { PasskeyAdded::Yes } else { PasskeyAdded::Taken })
}

impl PasskeyStore for PostgresStore {
    fn passkeys<'a>(&'a self, user: &'a PasskeyUser) -> Answer<'a, Vec<PasskeyRecord>> {
        Answer::later(self.change(async |client| {
            let rows = client.query(OF_USER, &[&user.key().as_slice()]).await.map_err(StoreError::new)?;
            rows.iter().map(record).collect()
        }))
    }

    fn all_passkeys(&self) -> Answer<'_, Vec<PasskeyRecord>> {
        Answer::later(self.change(async |client| {
            let rows = client.query(ALL, &[]).await.map_err(StoreError::new)?;
            let mut all: Vec<PasskeyRecord> = rows.iter().map(record).collect::<Result<_, _>>()?;
            sort(&mut all);
            Ok(all)
        }))
    }

    fn add<'a>(&'a self, record: &'a PasskeyRecord, most: usize) -> Answer<'a, PasskeyAdded> {
        Answer::later(self.change(async move |client| {
            let change = client.transaction().await.map_err(StoreError::new)?;
            let added = add(&change, record, most).await?;
            change.commit().await.map_err(StoreError::new)?;
            Ok(added)
        }))
    }

    fn used<'a>(&'a self, user: &'a PasskeyUser, id: &'a [u8], used: PasskeyUse) -> Answer<'a, bool> {
        Answer::later(self.change(async move |client| {
            let owner = user.key();
            let change = client.transaction().await.map_err(StoreError::new)?;
            let kept = change.query_opt(LOCK, &[&id, &owner.as_slice()]).await.map_err(StoreError::new)?;
            let Some(changed) = kept.as_ref().map(record).transpose()?.and_then(|kept| after(kept, used)) else {
                change.rollback().await.map_err(StoreError::new)?;
                return Ok(false);
            };
            let text = serde_json::to_string(&changed).map_err(StoreError::new)?;
            change.execute(NEXT, &[&id, &owner.as_slice(), &text]).await.map_err(StoreError::new)?;
            change.commit().await.map_err(StoreError::new)?;
            Ok(true)
        }))
    }

    fn remove<'a>(&'a self, user: &'a PasskeyUser, id: &'a [u8]) -> Answer<'a, bool> {
        Answer::later(self.change(async move |client| {
            let removed = client.execute(REMOVE, &[&id, &user.key().as_slice()]).await.map_err(StoreError::new)?;
            Ok(removed == 1)
        }))
    }
}
