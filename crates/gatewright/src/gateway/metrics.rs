//! The counts in the text format that Prometheus reads (OpenMetrics 1.0). Every label is known at start: names of the
//! document, names of refusals, classes of statuses.

use std::fmt::Error;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use super::Gateway;
use super::counts::{BOUNDS, Counts, Ended};

/// What a scrape must say it is.
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A registry that reads a gateway's counts when it is asked.
pub(super) fn registry(gateway: &Gateway) -> Arc<Registry> {
    let mut registry = Registry::with_prefix("gatewright");
    registry.register_collector(Box::new(Scrape(gateway.clone())));
    Arc::new(registry)
}

#[derive(Debug)]
struct Scrape(Gateway);

impl Scrape {
    /// The counts of every operation, with the names of its version and its own; both empty where none is concerned.
    fn counts(&self) -> impl Iterator<Item = (&str, &str, &Counts)> {
        let gateway = &self.0;
        let operations = gateway.guards().map(move |(api, guard)| {
            let version = gateway.api(api).map_or("", |policy| policy.name);
            (version, guard.policy().operation, guard.counts())
        });
        operations.chain([("", "", &gateway.shared.unanswered)])
    }
}

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let help = "Requests by how they ended: the class of the status, or the refusal.";
        let mut requests = encoder.encode_descriptor("requests", help, None, MetricType::Counter)?;
        for (api, operation, counts) in self.counts() {
            for (ended, n) in counts.ended() {
                let (decision, outcome) = match ended {
                    Ended::Refused(why) => ("deny", format!("{why:?}")),
                    Ended::Answered(class) => ("allow", format!("{class}xx")),
                };
                let labels =
                    [("api", api), ("operation", operation), ("decision", decision), ("outcome", outcome.as_str())];
                counter(&mut requests.encode_family(&labels)?, n)?;
            }
        }
        let help = "Seconds from a request's head to its answer.";
        let mut times = encoder.encode_descriptor("request_duration_seconds", help, None, MetricType::Histogram)?;
        for (api, operation, counts) in self.counts() {
            let (sum, found) = counts.times();
            let count = found.iter().sum();
            if count == 0 {
                continue;
            }
            #[allow(clippy::cast_precision_loss, reason = "bounds of seconds")]
            let bounds = BOUNDS.iter().map(|bound| *bound as f64 / 1e9).chain([f64::MAX]);
            let buckets: Vec<(f64, u64)> = bounds.zip(found).collect();
            let labels = [("api", api), ("operation", operation)];
            times.encode_family(&labels)?.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)?;
        }
        let help = "Unusual uses of API keys that the audit log holds.";
        let mut unusual = encoder.encode_descriptor("key_anomalies", help, None, MetricType::Counter)?;
        for (kind, n) in self.0.shared.uses.iter().flat_map(|uses| uses.unusual()) {
            counter(&mut unusual.encode_family(&[("kind", kind)])?, n)?;
        }
        let help = "Policies in force: the SHA-256 that the compiler made of them.";
        let mut policies = encoder.encode_descriptor("policies", help, None, MetricType::Gauge)?;
        for mounted in self.0.apis.iter() {
            let policy = mounted.state.policy;
            let labels = [("api", policy.name), ("prefix", policy.prefix), ("hash", policy.hash)];
            policies.encode_family(&labels)?.encode_gauge(&1_i64)?;
        }
        Ok(())
    }
}

fn counter(encoder: &mut MetricEncoder<'_>, n: u64) -> Result<(), Error> {
    encoder.encode_counter::<NoLabelSet, u64, f64>(&n, None)
}
