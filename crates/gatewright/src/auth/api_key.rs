//! Leveled API keys, looked up in the store.

use std::net::IpAddr;
use std::sync::Arc;

use gatewright_policy::table::ApiKey;
use gatewright_store::{KeyStore, Pepper};

use super::Uses;
use super::scheme::Facts;
use crate::Internal;

pub(crate) struct ApiKeys {
    scheme: &'static ApiKey,
    store: Arc<dyn KeyStore>,
    pepper: Pepper,
    uses: Arc<Uses>,
}

impl ApiKeys {
    pub(crate) fn new(
        scheme: &'static ApiKey,
        (store, pepper, uses): (Arc<dyn KeyStore>, Pepper, Arc<Uses>),
    ) -> ApiKeys {
        ApiKeys { scheme, store, pepper, uses }
    }

    /// Whether the store answers. No key has this id.
    pub(crate) async fn there(&self) -> bool {
        self.store.find("").await.is_ok()
    }

    /// What a key says; nothing for one that is not good, whatever the reason.
    pub(crate) async fn check(
        &self,
        presented: &str,
        from: Option<IpAddr>,
        now: i64,
    ) -> Result<Option<Facts>, Internal> {
        let found = gatewright_store::verify(&*self.store, &self.pepper, self.scheme.prefix, presented, now).await;
        let Some(record) = found.map_err(Internal::new)? else { return Ok(None) };
        self.uses.count(&record.id, from, now, self.scheme.anomaly);
        Ok(Some(Facts {
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
