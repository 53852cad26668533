//! Passkeys in memory: for tests and development. They are gone with the process.

use std::sync::PoisonError;

use super::{PasskeyAdded, PasskeyRecord, PasskeyStore, PasskeyUse, PasskeyUser, after, sort};
use crate::{Answer, MemoryStore};

impl PasskeyStore for MemoryStore {
    fn passkeys<'a>(&'a self, user: &'a PasskeyUser) -> Answer<'a, Vec<PasskeyRecord>> {
        let kept = self.passkeys.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<PasskeyRecord> = kept.iter().filter(|r| r.user == *user).cloned().collect();
        found.sort_by(|a, b| (a.registered, &a.id).cmp(&(b.registered, &b.id)));
        Answer::now(Ok(found))
    }

    fn all_passkeys(&self) -> Answer<'_, Vec<PasskeyRecord>> {
        let mut all = self.passkeys.lock().unwrap_or_else(PoisonError::into_inner).clone();
        sort(&mut all);
        Answer::now(Ok(all))
    }

    fn add<'a>(&'a self, record: &'a PasskeyRecord, most: usize) -> Answer<'a, PasskeyAdded> {
        let mut kept = self.passkeys.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.iter().any(|r| r.id == record.id) {
            return Answer::now(Ok(PasskeyAdded::Taken));
        }
        if kept.iter().filter(|r| r.user == record.user).count() >= most {
            return Answer::now(Ok(PasskeyAdded::Full));
        }
        kept.push(record.clone());
        Answer::now(Ok(PasskeyAdded::Yes))
    }

    fn used<'a>(&'a self, user: &'a PasskeyUser, id: &'a [u8], used: PasskeyUse) -> Answer<'a, bool> {
        let mut kept = self.passkeys.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter_mut().find(|r| r.user == *user && r.id == id);
        let changed = found.and_then(|record| {
            *record = after(record.clone(), used)?;
            Some(())
        });
        Answer::now(Ok(changed.is_some()))
    }

    fn remove<'a>(&'a self, user: &'a PasskeyUser, id: &'a [u8]) -> Answer<'a, bool> {
        let mut kept = self.passkeys.lock().unwrap_or_else(PoisonError::into_inner);
        let before = kept.len();
        kept.retain(|r| r.user != *user || r.id != id);
        Answer::now(Ok(kept.len() < before))
    }
}
