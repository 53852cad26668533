//! Leveled API keys, looked up in the store.

use std::net::IpAddr;
use std::sync::Arc;

use gatewright_policy::table::{Anomaly, ApiKey, NewNetwork};
use gatewright_store::{KeyRecord, KeyStore, Pepper, StoreError};

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

    /// What a key says; why not, for the audit record, where it is not good.
    pub(crate) async fn check(
        &self,
        presented: &str,
        from: Option<IpAddr>,
        now: i64,
    ) -> Result<Result<Facts, &'static str>, Internal> {
        let found = gatewright_store::verify(&*self.store, &self.pepper, self.scheme.prefix, presented, now).await;
        let Some(record) = found.map_err(Internal::new)? else { return Ok(Err("no such API key")) };
        if matches!(self.scheme.anomaly, Some(Anomaly { new_network: NewNetwork::Refuse, .. })) {
            // Where nobody can say whence it comes, nobody can say that it came from there before.
            let Some(address) = from else { return Ok(Err("nobody knows which network the API key comes from")) };
            if !self.good_in(&record, address, now).await.map_err(Internal::new)? {
                self.uses.refuse(&record.id, address, now);
                return Ok(Err("the API key comes from a network that is new to it"));
            }
        }
        self.uses.count(&record.id, from, now, self.scheme.anomaly);
        Ok(Ok(Facts {
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

    async fn good_in(&self, record: &KeyRecord, address: IpAddr, now: i64) -> Result<bool, StoreError> {
        let network = gatewright_store::network(crate::net::normal(address));
        if !record.networks.is_empty() {
            return Ok(record.networks.contains(&network));
        }
        // Its first use, once in its life: on a thread that may wait for a file to be on its disk.
        let (store, record, runtime) = (self.store.clone(), record.clone(), tokio::runtime::Handle::current());
        let first = move || runtime.block_on(gatewright_store::good_in(&*store, &record, &network, now));
        tokio::task::spawn_blocking(first).await.map_err(StoreError::new)?
    }
}
