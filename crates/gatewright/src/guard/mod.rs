//! The guard of an operation: everything that is checked between the route and the body, fused into one walk and made at
//! start from the operation's table. The order is `gatewright_policy::ORDER`.

mod admission;
mod authentication;
mod claims;
mod fields;
mod step_up;

pub use admission::Admission;
pub use claims::BodyValue;
pub(crate) use fields::{Sieve, json_through};
pub use step_up::SteppedUp;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use gatewright_policy::table::{Access, ClientCertificates, Policy, SharedStore};
use gatewright_policy::{Refusal, bits};
use http::request::Parts;

use crate::auth::carrier::{Held, Place};
use crate::auth::challenge::Challenges;
use crate::auth::{Asked, Identity, SchemeState};
use crate::config::Resolver;
use crate::gateway::{ApiState, Buckets, Counts, Exchange, PathValues, Shared};
use crate::json::Document;
use crate::limit::{CallerFacts, Rules, Standing};
use crate::net::{Devices, Ranges};
use crate::params::{ParameterSpec, Received};
use crate::problem::Refused;

/// The guard of one operation.
#[derive(Clone)]
pub struct Guard(Arc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    api: Arc<ApiState>,
    policy: &'static Policy,
    /// `None` allows every address.
    networks: Option<ArcSwap<Ranges>>,
    /// `None` allows every device.
    devices: Option<ArcSwap<Devices>>,
    places: Box<[PlaceUse]>,
    challenges: Challenges,
    limits: Rules,
    body_limit: u64,
    timeout: Duration,
    body_claims: bool,
    counts: Counts,
}

/// A place where credentials of this operation may stand, and the schemes that look there.
struct PlaceUse {
    place: Place,
    schemes: Box<[Arc<SchemeState>]>,
    /// Whether a bearer token may stand there: then `access_token` in the query is a second one (RFC 6750, 2).
    bearer: bool,
}

impl PlaceUse {
    /// What stands there; of a certificate, its thumbprint.
    fn held<'r>(&self, asked: &Asked<'r>) -> Held<'r> {
        match (&self.place, asked.exchange.certificate()) {
            (Place::Certificate, Some(sha256)) => {
                Held::One(sha256.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into())
            }
            (place, _) => place.held(asked.parts),
        }
    }
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard").field("operation", &self.0.policy.operation).finish_non_exhaustive()
    }
}

impl Guard {
    pub(crate) fn start(
        shared: &Arc<Shared>,
        api: &Arc<ApiState>,
        policy: &'static Policy,
        buckets: &mut Buckets,
        r: &mut Resolver,
    ) -> Guard {
        let (networks, devices) = lists(shared, api, policy, r);
        if let Access::Guarded([]) = policy.access {
            r.problem(policy.at, format_args!("the operation `{}` has no guard", policy.operation));
        }
        // An index that leads nowhere would guard nothing.
        let graph = api.policy.fields;
        let edges = graph.iter().flat_map(|node| {
            [node.others, node.items].into_iter().chain(node.members.iter().map(|field| field.within))
        });
        if edges
            .chain([policy.read, policy.write, policy.parameters])
            .flatten()
            .any(|index| usize::from(index) >= graph.len())
        {
            r.problem(policy.at, format_args!("a guarded property of `{}` leads nowhere", policy.operation));
        }
        Guard(Arc::new(Inner {
            places: places(shared, api, policy, r),
            challenges: Challenges::new(api.policy, policy),
            limits: Rules::new(api.policy, policy, buckets, r),
            body_limit: r.size(policy.body_limit).unwrap_or(0),
            timeout: r.time(policy.timeout).unwrap_or_default(),
            body_claims: policy.claims.iter().any(claims::needs_body),
            counts: Counts::new(),
            shared: shared.clone(),
            api: api.clone(),
            networks: networks.map(ArcSwap::from_pointee),
            devices: devices.map(ArcSwap::from_pointee),
            policy,
        }))
    }

    /// The table it was made from.
    #[must_use]
    pub fn policy(&self) -> &'static Policy {
        self.0.policy
    }

    /// The largest body, in bytes.
    #[must_use]
    pub fn body_limit(&self) -> u64 {
        self.0.body_limit
    }

    /// How long a request may take, from its head to its answer.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.0.timeout
    }

    /// Whether claims must be compared with the body after it is parsed.
    #[must_use]
    pub fn has_body_claims(&self) -> bool {
        self.0.body_claims
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.0.counts
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.0.shared
    }

    /// How its version uses a shared store.
    pub(crate) fn store_policy(&self) -> SharedStore {
        self.0.api.policy.store
    }

    /// The path prefix of its version.
    pub(crate) fn prefix(&self) -> &'static str {
        self.0.api.policy.prefix
    }

    /// The operation's networks and devices as they are said now.
    pub(crate) fn lists(&self, r: &mut Resolver) -> Lists {
        lists(&self.0.shared, &self.0.api, self.0.policy, r)
    }

    pub(crate) fn set_lists(&self, (networks, devices): Lists) {
        if let (Some(list), Some(new)) = (&self.0.networks, networks) {
            list.store(Arc::new(new));
        }
        if let (Some(list), Some(new)) = (&self.0.devices, devices) {
            list.store(Arc::new(new));
        }
    }

    /// Its limits as they are said now.
    pub(crate) fn limits_now(&self, buckets: &mut Buckets, r: &mut Resolver) -> Rules {
        Rules::new(self.0.api.policy, self.0.policy, buckets, r)
    }

    pub(crate) fn limits(&self) -> &Rules {
        &self.0.limits
    }

    /// Whether responses may hold what only some callers may see.
    pub(crate) fn is_guarded(&self) -> bool {
        matches!(self.0.policy.access, Access::Guarded(_))
    }

    /// Checks a request from its version's life to its caller's rate.
    ///
    /// # Errors
    /// The refusal, ready for [`Gateway::refuse`](crate::Gateway::refuse).
    pub async fn admit(&self, exchange: &Exchange, parts: &Parts, path: &dyn PathValues) -> Result<Admission, Refused> {
        let this = &*self.0;
        let mut standing = Standing(Vec::with_capacity(this.limits.count()));
        let charged = this.shared.charged(&this.api, exchange);
        let mut facts = CallerFacts { address: exchange.client(), identity: None };

        let retired = this.api.lifecycle.retired(exchange.unix);
        // A retired version looks at nobody's network, but is not to be hammered either.
        if !retired && !this.networks.as_ref().is_none_or(|n| exchange.client().is_some_and(|a| n.load().contains(a))) {
            return Err(Refused::new(Refusal::NetworkNotAllowed).because("the operation's networks"));
        }
        charged.before(&this.limits, facts, &mut standing)?;
        if retired {
            return Err(charged.refused(&this.limits, facts, Refused::new(Refusal::Gone), &mut standing).await);
        }

        let asked = Asked { parts, exchange, deadline: exchange.deadline(self) };
        let identity = match this.authenticate(&asked).await {
            Ok(identity) => identity,
            Err(refused) => return Err(charged.refused(&this.limits, facts, refused, &mut standing).await),
        };
        // From here on it is known who is refused.
        let known = |mut refused: Refused| {
            refused.inner_mut().subject = identity.as_deref().and_then(Identity::subject).map(str::to_owned);
            refused
        };
        if let Err(refused) = this.authorize(identity.as_deref(), exchange, parts, path) {
            return Err(known(charged.refused(&this.limits, facts, refused, &mut standing).await));
        }
        facts.identity = identity.as_deref();
        let mut running = match charged.enter(&this.limits, facts, &mut standing) {
            Ok(running) => running,
            Err(refused) => return Err(known(charged.crowded(&this.limits, facts, refused).await)),
        };
        charged.admitted(&this.limits, facts, &mut standing, running.as_mut()).await.map_err(known)?;
        match this.step_up(identity.as_deref(), exchange) {
            Ok(stepped_up) => {
                #[cfg(feature = "otel")]
                if let Some(trace) = &exchange.trace {
                    trace.decided(this.shared.clock.monotonic());
                }
                Ok(Admission::assertion(self.clone(), identity, stepped_up, standing, running.map(Arc::new)))
            }
            Err(refused) => Err(known(with_standing(refused, standing))),
        }
    }

    /// Compares claims with places in the parsed body, given by JSON pointer.
    ///
    /// # Errors
    /// [`Refusal::ClaimMismatch`].
    pub fn check_body_claims<'b>(
        &self,
        admission: &Admission,
        body: &dyn Fn(&str) -> Option<BodyValue<'b>>,
    ) -> Result<(), Refused> {
        self.compare_body_claims(admission.identity().map(|i| &**i), body)
    }

    pub(crate) fn compare_body_claims<'b>(
        &self,
        identity: Option<&Identity>,
        body: &dyn Fn(&str) -> Option<BodyValue<'b>>,
    ) -> Result<(), Refused> {
        claims::check_body(self.0.policy.claims, identity, body)
    }
}

impl Guard {
    /// Refuses a body that holds a member which this caller may not send.
    ///
    /// # Errors
    /// [`Refusal::FieldNotAllowed`], with the member's name.
    pub(crate) fn check_written(&self, identity: Option<&Identity>, body: &Document) -> Result<(), Refused> {
        let Some(filter) = self.filter(self.0.policy.write, identity) else { return Ok(()) };
        match filter.forbidden(body) {
            None => Ok(()),
            Some(pointer) => Err(Refused::not_allowed(&pointer)),
        }
    }

    /// Refuses a request with a parameter that this caller may not send. A default was not sent.
    ///
    /// # Errors
    /// [`Refusal::FieldNotAllowed`], with the parameter's name.
    pub(crate) fn check_sent(
        &self,
        identity: Option<&Identity>,
        specs: &'static [ParameterSpec],
        received: &Received,
    ) -> Result<(), Refused> {
        let Some(filter) = self.filter(self.0.policy.parameters, identity) else { return Ok(()) };
        for (spec, value) in received.sent(specs) {
            let Some(pointer) = filter.forbidden_parameter(spec, value) else { continue };
            let place = spec.place.as_str();
            let detail = match (spec.name, &*pointer) {
                ("", "") => format!("the caller may not send a {place}"),
                ("", pointer) => format!("the caller may not send `{pointer}` of the {place}"),
                (name, "") => format!("the caller may not send `{name}` in the {place}"),
                (name, pointer) => format!("the caller may not send `{pointer}` of `{name}` in the {place}"),
            };
            return Err(Refused::new(Refusal::FieldNotAllowed).with_detail(detail));
        }
        Ok(())
    }

    /// Whether answers may hold what only some may see.
    pub(crate) fn filters_answers(&self) -> bool {
        self.0.policy.read.is_some()
    }

    /// An answer without what this caller may not see; nothing for one that is no JSON.
    pub(crate) fn visible(&self, admission: &Admission, body: &[u8]) -> Option<Vec<u8>> {
        let Some(filter) = self.filter(self.0.policy.read, admission.identity().map(|i| &**i)) else {
            return Some(body.to_vec());
        };
        filter.visible(&Document::parse(body).ok()?).ok()
    }

    /// What leaves out of the values of an answer what this caller may not see.
    pub(crate) fn answer_sieve(&self, admission: &Admission) -> Option<Sieve> {
        self.sieve(self.0.policy.read, admission.identity())
    }

    /// What looks in the items of a body for what this caller may not send.
    pub(crate) fn item_sieve(&self, identity: Option<&Arc<Identity>>) -> Option<Sieve> {
        self.sieve(self.0.policy.write, identity)
    }

    fn sieve(&self, root: Option<u16>, identity: Option<&Arc<Identity>>) -> Option<Sieve> {
        Some(Sieve { graph: self.0.api.policy.fields, root: root?, identity: identity.cloned() })
    }

    fn filter<'a>(&self, root: Option<u16>, identity: Option<&'a Identity>) -> Option<fields::Filter<'a>> {
        let have = identity.map_or(&[][..], Identity::grants);
        Some(fields::Filter { graph: self.0.api.policy.fields, root: root?, have })
    }
}

impl Inner {
    /// Level, roles, claims, users: all that are asked must hold, whichever alternative let the caller in.
    fn authorize(
        &self,
        identity: Option<&Identity>,
        exchange: &Exchange,
        parts: &Parts,
        path: &dyn PathValues,
    ) -> Result<(), Refused> {
        let policy = self.policy;
        let have = identity.map_or(&[][..], Identity::grants);
        if policy.level.is_some_and(|bit| !holds(have, bit)) {
            return Err(Refused::new(Refusal::LevelTooLow));
        }
        if !policy.roles.is_empty() && !bits::meets(have, policy.roles) {
            return Err(Refused::new(Refusal::RoleMissing));
        }
        claims::check(policy.claims, identity, parts, path)?;
        if let Some(users) = policy.allow_users
            && !identity.and_then(Identity::subject).is_some_and(|s| users.contains(&s))
        {
            return Err(Refused::new(Refusal::CallerNotAllowed).because("the allowed users"));
        }
        if let Some(devices) = &self.devices {
            let devices = devices.load();
            // What the caller proved to hold, in this request.
            let mut held = exchange.certificate().into_iter().chain(identity.into_iter().flat_map(Identity::keys));
            if !held.any(|thumbprint| devices.has(thumbprint)) {
                return Err(Refused::new(Refusal::CallerNotAllowed).because("the allowed devices"));
            }
        }
        Ok(())
    }
}

/// The networks and the devices of an operation.
pub(crate) type Lists = (Option<Ranges>, Option<Devices>);

fn lists(shared: &Shared, api: &ApiState, policy: &Policy, r: &mut Resolver) -> Lists {
    let networks = policy.allow_networks.map(|names| crate::gateway::networks(api.policy, names, policy.at, r));
    (networks, policy.allow_devices.map(|groups| shared.lists.devices(groups, policy.at, r)))
}

pub(crate) fn with_standing(mut refused: Refused, standing: Standing) -> Refused {
    refused.inner_mut().standing = standing;
    refused
}

/// Whether one bit is in a set.
pub(crate) fn holds(have: &[u64], bit: u16) -> bool {
    have.get(usize::from(bit / 64)).is_some_and(|word| word & (1 << (bit % 64)) != 0)
}

/// The places of an operation's schemes, each once, in the order of the spec.
fn places(shared: &Shared, api: &ApiState, policy: &Policy, r: &mut Resolver) -> Box<[PlaceUse]> {
    let Access::Guarded(alternatives) = policy.access else { return Box::default() };
    let mut places: Vec<(Place, Vec<Arc<SchemeState>>)> = Vec::new();
    let mut seen = Vec::new();
    for index in alternatives.iter().flat_map(|a| a.schemes) {
        if seen.contains(index) {
            continue;
        }
        seen.push(*index);
        let Some(declared) = api.policy.schemes.get(usize::from(*index)) else {
            r.problem(policy.at, format_args!("the scheme {index} of `{}` does not exist", policy.operation));
            continue;
        };
        let Ok(place) = Place::of(declared) else {
            r.problem(declared.at, format_args!("the scheme `{}` has no valid header name", declared.name));
            continue;
        };
        let shown = api.policy.transport.client_certificates != ClientCertificates::Off || shared.certificate_header;
        if place == Place::Certificate && !shown {
            let why = "needs client certificates: say `client-certificates` in the document's `transport`, or \
                       `Config::client_certificate_header`";
            r.problem(declared.at, format_args!("the scheme `{}` {why}", declared.name));
        }
        // A scheme that could not start was reported already; the server does not start.
        let Some(Some(state)) = api.schemes.get(usize::from(*index)) else { continue };
        match places.iter_mut().find(|(p, _)| *p == place) {
            Some((_, schemes)) => schemes.push(state.clone()),
            None => places.push((place, vec![state.clone()])),
        }
    }
    let token_in_query = places.iter().any(|(place, _)| *place == Place::Query("access_token"));
    let bearer = |schemes: &[Arc<SchemeState>]| !token_in_query && schemes.iter().any(|s| s.is_bearer());
    places
        .into_iter()
        .map(|(place, schemes)| PlaceUse { bearer: bearer(&schemes), place, schemes: schemes.into() })
        .collect()
}
