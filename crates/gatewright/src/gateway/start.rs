//! From tables and configuration to a running gateway: everything that can be wrong with a deployment is found here, all
//! at once, and nothing later.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arc_swap::ArcSwap;
use gatewright_policy::table::{Access, ApiPolicy, ClientCertificates, Https, StepUpMethod};
use http::StatusCode;

use super::exchange::Ids;
use super::lists::{Sources, listed, networks, trusted};
use super::{Api, ApiState, Counts, Edge, Gateway, Life, Mounted, Shared, UsualFields, hsts_value};
use crate::auth::bound::{Nonces, Replays};
use crate::auth::webauthn::Passkeys;
use crate::auth::{SchemeState, Verifier};
use crate::config::{Config, Resolver, StartError};
use crate::guard::Guard;
use crate::limit::{Buckets, Kept, KeyHasher, Leases, Rules, Running, Table};
use crate::net::{Ranges, host};
use crate::problem::Style;

impl Gateway {
    /// Makes the guards of all operations.
    ///
    /// # Errors
    /// Everything that is wrong with the deployment.
    pub fn start(config: Config, apis: Vec<Api>) -> Result<Gateway, StartError> {
        let lists = Sources::new(&config);
        let mut r = lists.resolver();
        if apis.is_empty() {
            r.problem("", "there is no API to serve");
        }
        let store = config.store(&mut r);
        let quotas = Arc::new(Table::new(config.limiter_keys));
        let started = config.quotas.clone().map(|kept| Kept::start(kept, quotas.clone(), config.clock.clone()));
        let kept = match started.transpose() {
            Ok(kept) => kept.map(Arc::new),
            Err(cause) => {
                r.problem("", format_args!("what was used of quotas cannot be read: {cause}"));
                None
            }
        };
        let shared = Arc::new(Shared {
            clock: config.clock.clone(),
            limits: Table::new(config.limiter_keys),
            quotas,
            kept,
            running: Arc::new(Running::new()),
            hasher: KeyHasher::default(),
            leases: store.clone().map(|store| Arc::new(Leases::new(store, config.place_lease))),
            store,
            places: super::places::Places::new(config.requests),
            once: crate::once::Memory::new(config.idempotency_bytes),
            ids: Ids::new(),
            forwarding: config.forwarding,
            trust_request_id: config.trust_request_id,
            rate_limit_headers: config.rate_limit_headers,
            lists,
            audit: config.audit.clone(),
            #[cfg(feature = "otel")]
            traces: config.traces.clone(),
            certificate_header: config.certificate_header,
            unanswered: Counts::new(),
            draining: std::sync::atomic::AtomicBool::new(false),
            uses: config.keys.as_ref().map(|(_, _, uses)| uses.clone()),
        });
        let Some(nonces) = Nonces::new(config.dpop_nonce_key.as_ref()) else {
            r.problem("", "there is no randomness");
            return r.finish().and(Err(StartError::new("there is no randomness")));
        };
        let proofs = (Arc::new(Replays::new(config.dpop_proofs, shared.store.clone())), Arc::new(nonces));
        let mut buckets = Buckets::default();
        let mut mounted: Vec<Mounted> = Vec::with_capacity(apis.len());
        for api in apis {
            let state = Arc::new(state(&api, &config, &proofs, &mut buckets, &mut r));
            let guards =
                api.operations.iter().map(|p| Guard::start(&shared, &state, p, &mut buckets, &mut r)).collect();
            let passkeys = state.passkeys.as_ref().and(state.policy.passkeys.as_ref());
            let passkeys = passkeys.map(|p| Guard::start(&shared, &state, &p.policy, &mut buckets, &mut r));
            mounted.push(Mounted { state, guards, passkeys });
        }
        let set = r.variables();
        r.finish()?;
        shared.lists.keep(set);
        if let Some(store) = &shared.store {
            store.begin();
        }
        let common = Arc::new(common(&mounted));
        if let (Some(uses), Some(audit)) = (&shared.uses, &shared.audit) {
            uses.record_in(audit);
        }
        let gateway = Gateway { shared, apis: mounted.into(), common };
        gateway.announce();
        Ok(gateway)
    }
}

fn state(
    api: &Api,
    config: &Config,
    proofs: &(Arc<Replays>, Arc<Nonces>),
    buckets: &mut Buckets,
    r: &mut Resolver,
) -> ApiState {
    let policy = api.policy;
    let verifiers: BTreeMap<&'static str, Verifier> = api.verifiers.iter().map(|v| (v.scheme, v.clone())).collect();
    let used: BTreeSet<u16> = api
        .operations
        .iter()
        .filter_map(|operation| match operation.access {
            Access::Guarded(alternatives) => Some(alternatives),
            Access::Public(_) | Access::Unguarded => None,
        })
        .flatten()
        .flat_map(|alternative| alternative.schemes.iter().copied())
        .collect();
    let schemes = policy
        .schemes
        .iter()
        .enumerate()
        .map(|(i, scheme)| {
            let index = u16::try_from(i).ok()?;
            // A scheme that no operation names is not needed, so what it needs is not either.
            used.contains(&index).then_some(())?;
            SchemeState::start(policy, index, scheme, config, &verifiers, proofs, r).map(Arc::new)
        })
        .collect();
    let limits = Rules::of_api(policy, buckets, r);
    let passkeys = passkeys(api, config, r).map(Arc::new);
    let lifecycle = Life::new(&policy.lifecycle);
    let edge = Arc::new(edge(policy, &lifecycle, r));
    ApiState { policy, edge, lifecycle, limits, schemes, passkeys }
}

/// Passkeys, where an operation that is mounted asks for one.
fn passkeys(api: &Api, config: &Config, r: &mut Resolver) -> Option<Passkeys> {
    let asked = api.operations.iter().filter_map(|operation| Some((operation, operation.step_up?)));
    let asked: Vec<_> = asked.filter(|(_, step)| step.method == StepUpMethod::WebAuthn).collect();
    let (first, _) = asked.first()?;
    let Some(declared) = &api.policy.passkeys else {
        r.problem(first.at, format_args!("`{}` asks for a passkey, and the API has none", first.operation));
        return None;
    };
    let longest = asked.iter().map(|(_, step)| step.within).max().unwrap_or(0);
    Passkeys::start(api.policy, declared, longest, config, r)
}

fn edge(policy: &'static ApiPolicy, life: &Life, r: &mut Resolver) -> Edge {
    let transport = &policy.transport;
    let mut hosts = Vec::new();
    for setting in transport.hosts {
        let Some(text) = r.text(*setting) else { continue };
        for text in listed(&text) {
            match host::name(text) {
                Some(name) => hosts.push(name),
                None => r.problem("", format_args!("`{text}` is no host name")),
            }
        }
    }
    if !transport.hosts.is_empty() && hosts.is_empty() {
        r.problem("", "all `hosts` are empty: name one, or leave the key out to take every host");
    }
    let status = StatusCode::from_u16(policy.validation_status).ok().filter(|s| matches!(s.as_u16(), 400 | 422));
    if status.is_none() {
        r.problem("", "the status of a validation failure is 400 or 422");
    }
    let hsts = transport.hsts.and_then(hsts_value);
    Edge {
        https: transport.https,
        certificate: transport.client_certificates == ClientCertificates::Required,
        tls13_only: transport.tls13_only,
        usual: UsualFields::new(hsts.as_ref(), Some(life)),
        hsts,
        hosts: hosts.into(),
        trusted: ArcSwap::from_pointee(trusted(transport.trusted_proxies, r)),
        networks: (!policy.allow_networks.is_empty())
            .then(|| ArcSwap::from_pointee(networks(policy, policy.allow_networks, "", r))),
        style: Style {
            type_base: policy.type_base.and_then(|base| r.text(base)),
            validation_status: status.unwrap_or(StatusCode::BAD_REQUEST),
        },
    }
}

/// The rules where no version is concerned: what any version asks is asked, and only what all trust is trusted.
fn common(apis: &[Mounted]) -> Edge {
    let edges = || apis.iter().map(|m| &m.state.edge);
    let lists: Vec<Lists> = edges()
        .map(|e| ((**e.trusted.load()).clone(), e.networks.as_ref().map(|list| (**list.load()).clone())))
        .collect();
    let (trusted, networks) = common_lists(&lists);
    let https = if edges().any(|e| e.https == Https::Required) {
        Https::Required
    } else if edges().any(|e| e.https == Https::Redirect) {
        Https::Redirect
    } else {
        Https::Off
    };
    let hsts = edges().find_map(|e| e.hsts.clone());
    let open_host = edges().any(|e| e.hosts.is_empty());
    Edge {
        https,
        certificate: edges().any(|e| e.certificate),
        tls13_only: edges().any(|e| e.tls13_only),
        usual: UsualFields::new(hsts.as_ref(), None),
        hsts,
        hosts: if open_host { Box::default() } else { edges().flat_map(|e| e.hosts.iter().cloned()).collect() },
        trusted: ArcSwap::from_pointee(trusted),
        networks: networks.map(ArcSwap::from_pointee),
        style: edges().next().map(|e| e.style.clone()).unwrap_or_default(),
    }
}

/// Trusted proxies, and the networks that the API may be used from.
type Lists = (Ranges, Option<Ranges>);

/// The lists where no version is concerned.
pub(super) fn common_lists(all: &[Lists]) -> Lists {
    let trusted = all.first().map(|(trusted, _)| trusted.clone()).unwrap_or_default();
    let same_trust = all.iter().all(|(other, _)| *other == trusted);
    let open = all.iter().any(|(_, networks)| networks.is_none());
    let union = || Ranges::union(all.iter().filter_map(|(_, networks)| networks.as_ref()));
    (if same_trust { trusted } else { Ranges::default() }, (!open).then(union))
}
