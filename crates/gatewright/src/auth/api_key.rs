//! Leveled API keys, looked up in the store.

use std::sync::Arc;

use gatewright_policy::table::ApiKey;
use gatewright_store::{KeyStore, Pepper};

use super::scheme::Facts;
use crate::Internal;

pub(crate) struct ApiKeys {
    prefix: &'static str,
    store: Arc<dyn KeyStore>,
    pepper: Pepper,
}

impl ApiKeys {
    pub(crate) fn new(scheme: &ApiKey, store: Arc<dyn KeyStore>, pepper: Pepper) -> ApiKeys {
        ApiKeys { prefix: scheme.prefix, store, pepper }
    }

    /// What a key says; nothing for one that is not good, whatever the reason.
    pub(crate) fn check(&self, presented: &str, now: i64) -> Result<Option<Facts>, Internal> {
        let found =
            gatewright_store::verify(&*self.store, &self.pepper, self.prefix, presented, now).map_err(Internal::new)?;
        Ok(found.map(|record| Facts {
            subject: record.subject,
            client: record.client,
            key: Some(record.id),
            level: record.level,
            scopes: record.scopes,
            roles: record.roles,
            expires: record.works_until,
            ..Facts::default()
        }))
    }
}
