//! The limits of one operation, made from its table at start, and what a caller is counted by.

use std::collections::BTreeMap;
use std::net::IpAddr;

use arc_swap::ArcSwap;
use gatewright_policy::table::{ApiPolicy, Key, Limit, Policy, Quota, Setting};
use gatewright_policy::{Period, Rate};
use http::HeaderValue;

use super::calendar::Calendar;
use super::gcra::Gcra;
use super::headers;
use super::key::{CellKey, KeyHasher, address, counted};
use super::meter::Meter;
use super::much::{Measure, Much, Quotum, Resolved, is_set};
use super::table::Table;
use crate::auth::Identity;
use crate::config::Resolver;
use crate::shared::{Digest, Digester};

/// Numbers the buckets of a server. Those of actions are shared by name, across operations and versions.
#[derive(Default)]
pub(crate) struct Buckets {
    next: u32,
    actions: BTreeMap<String, (u32, String)>,
}

impl Buckets {
    /// Two numbers: a quota that is of a day for one caller and of a month for another has a bucket for each.
    fn own(&mut self) -> u32 {
        self.next += 2;
        self.next
    }

    /// The bucket of an action's limit; `definition` must be the same wherever the name is used, or a caller would have
    /// a budget per version.
    fn shared(&mut self, name: String, definition: String) -> Result<u32, ()> {
        if let Some((bucket, before)) = self.actions.get(&name) {
            return if *before == definition { Ok(*bucket) } else { Err(()) };
        }
        let bucket = self.own();
        self.actions.insert(name, (bucket, definition));
        Ok(bucket)
    }
}

/// The limits of an operation.
#[derive(Default)]
pub(crate) struct Rules {
    /// Those that need only the address.
    pub(crate) address: Box<[Rule]>,
    /// Those that need the caller.
    pub(crate) caller: Box<[Rule]>,
    /// How many may run at once, whoever is counted.
    pub(crate) running: Box<[Rule]>,
    /// `RateLimit-Policy` of the first ones, and of all; where rates depend on who calls it is written for each request.
    policies: [Option<HeaderValue>; 2],
}

pub(crate) struct Rule {
    bucket: u32,
    /// What the bucket is called where other servers know it too.
    shared: Box<str>,
    pub(super) name: &'static str,
    by: &'static [Key],
    measure: Measure,
    cost: u32,
    quota: Much,
}

/// What is known of whoever is charged.
#[derive(Clone, Copy)]
pub(crate) struct CallerFacts<'a> {
    pub(crate) address: Option<IpAddr>,
    pub(crate) identity: Option<&'a Identity>,
}

impl Rules {
    #[cfg(all(test, feature = "redis"))]
    pub(super) fn of(address: Vec<Rule>, caller: Vec<Rule>) -> Rules {
        Rules { address: address.into(), caller: caller.into(), running: Box::default(), policies: [None, None] }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.address.len() + self.caller.len() + self.running.len()
    }

    /// The limits of an operation.
    pub(crate) fn new(api: &'static ApiPolicy, policy: &Policy, buckets: &mut Buckets, r: &mut Resolver) -> Rules {
        Rules::made(api, policy, buckets, r)
    }

    /// The limits of requests that no operation answers.
    pub(crate) fn of_api(api: &'static ApiPolicy, buckets: &mut Buckets, r: &mut Resolver) -> Rules {
        Rules::made(api, &Policy { limits: api.limits, ..Policy::CLOSED }, buckets, r)
    }

    fn made(api: &'static ApiPolicy, policy: &Policy, buckets: &mut Buckets, r: &mut Resolver) -> Rules {
        let Policy { operation, at, limits, cost, .. } = *policy;
        let of = Of { api, operation, at, cost: cost.max(1) };
        let mut rules = Vec::new();
        for (n, limit) in limits.iter().enumerate() {
            let Quota::Action(index) = limit.quota else {
                let bucket = (buckets.own(), format!("{}\0{operation}\0{n}", api.prefix));
                rules.extend(Rule::new(of, limit, bucket, r));
                continue;
            };
            let Some(action) = api.actions.get(usize::from(index)) else {
                r.problem(at, format_args!("the bucket {index} of a limit does not exist"));
                continue;
            };
            for (i, limit) in action.limits.iter().enumerate() {
                let definition = format!("{:?}", (limit.by, resolved_text(limit, r)));
                let name = format!("{}\0{i}", action.name);
                match buckets.shared(name.clone(), definition) {
                    Ok(bucket) => rules.extend(Rule::new(of, limit, (bucket, name), r)),
                    Err(()) => r.problem(
                        at,
                        format_args!(
                            "the action `{}` has other limits in another version of this server: one bucket can have one limit",
                            action.name
                        ),
                    ),
                }
            }
        }
        let (running, rules) = rules.into_iter().partition::<Vec<_>, _>(|rule| rule.measure == Measure::Concurrent);
        let (address, caller) = rules.into_iter().partition::<Vec<_>, _>(Rule::needs_only_the_address);
        let fixed = |rules: &[&[Rule]]| {
            let all = rules.iter().flat_map(|rules| rules.iter());
            let rates: Option<Vec<_>> = all.map(|rule| Some((rule.name, rule.always()?, false))).collect();
            headers::policy(rates?.into_iter())
        };
        // Where some count what runs, a standing has those in between.
        let policies =
            if running.is_empty() { [fixed(&[&address]), fixed(&[&address, &caller])] } else { [None, None] };
        Rules { address: address.into(), caller: caller.into(), running: running.into(), policies }
    }

    /// Takes over what the deployment says now of the same limits: `newer` were made of the same table. A caller who is limited
    /// waits no longer than the rate that holds now would let him.
    pub(crate) fn adopt(&self, newer: Rules, table: &Table, now: u64) -> usize {
        let mine = self.address.iter().chain(&self.caller).chain(&self.running);
        let theirs = newer.address.into_iter().chain(newer.caller).chain(newer.running);
        let mut changed = 0;
        for (rule, newer) in mine.zip(theirs) {
            if rule.adopt(newer) {
                changed += 1;
                if rule.measure == Measure::Rate {
                    table.shorten(rule.bucket, now.saturating_add(rule.longest()));
                }
            }
        }
        changed
    }

    /// The `RateLimit-Policy` of a standing of so many limits. A standing names its limits in their order, and none of
    /// the caller's before all of the address's: so their count says which they are.
    pub(super) fn policy_of(&self, count: usize) -> Option<&HeaderValue> {
        let [first, all] = &self.policies;
        if count == self.address.len() + self.caller.len() {
            all.as_ref()
        } else if count == self.address.len() {
            first.as_ref()
        } else {
            None
        }
    }
}

/// Whose limits are made.
#[derive(Clone, Copy)]
struct Of<'p> {
    api: &'static ApiPolicy,
    operation: &'p str,
    at: &'p str,
    cost: u32,
}

/// What two versions must agree on: the rates as they are after the environment is read.
fn resolved_text(limit: &Limit, r: &mut Resolver) -> String {
    let (measure, quota) = Measure::of(limit.quota);
    match quota {
        Quota::Flat(rate) => format!("{measure:?} {:?}", measure.read(rate, r)),
        Quota::ByGrant { default, rates } => {
            let rates: Vec<_> = rates.iter().map(|(bit, rate)| (bit, measure.read(*rate, r))).collect();
            format!("{measure:?} {:?}", (measure.read(default, r), rates))
        }
        Quota::OfLevel => "level".to_owned(),
        Quota::Action(_) | Quota::Calendar(_) | Quota::Concurrent(_) => "action".to_owned(),
    }
}

impl Rule {
    /// By address, at one rate.
    #[cfg(all(test, feature = "redis"))]
    pub(super) fn plain(bucket: u32, name: &'static str, rate: Rate, cost: u32) -> Rule {
        let quota = Much::Fixed(Resolved::Flat((rate, Gcra::new(rate).costing(cost))));
        Rule { bucket, shared: name.into(), name, by: &[Key::Address], measure: Measure::Rate, cost, quota }
    }

    /// By address, so many a day or month.
    #[cfg(all(test, feature = "redis"))]
    pub(super) fn calendar(bucket: u32, name: &'static str, rate: Rate, cost: u32) -> Rule {
        Rule { measure: Measure::Calendar, ..Rule::plain(bucket, name, rate, cost) }
    }

    fn new(of: Of<'_>, limit: &'static Limit, (bucket, shared): (u32, String), r: &mut Resolver) -> Option<Rule> {
        let Of { api, at, cost, .. } = of;
        if limit.by.is_empty() {
            r.problem(at, format_args!("the limit `{}` counts by nothing", limit.name));
        }
        if limit.name.bytes().any(|b| !(b' '..=b'~').contains(&b) || b == b'"' || b == b'\\') {
            r.problem(at, "the name of a limit has a character that a header field cannot carry");
        }
        let (measure, quota) = Measure::of(limit.quota);
        let set = is_set(api, quota);
        let quotum = |setting: Setting<Rate>, r: &mut Resolver| {
            let rate = measure.read(setting, r)?;
            if measure != Measure::Concurrent && rate.burst < cost {
                let (operation, name, holds) = (of.operation, limit.name, rate.burst);
                r.problem(
                    at,
                    format_args!("a request of `{operation}` takes {cost} of the limit `{name}`, which holds {holds}"),
                );
                return None;
            }
            Some((rate, Gcra::new(rate).costing(cost)))
        };
        let quota = match quota {
            Quota::Flat(rate) => Resolved::Flat(quotum(rate, r)?),
            Quota::ByGrant { default, rates } => {
                let rates: Vec<_> = rates.iter().map(|(bit, rate)| Some((*bit, quotum(*rate, r)?))).collect();
                Resolved::ByGrant { default: quotum(default, r)?, rates: rates.into_iter().collect::<Option<_>>()? }
            }
            Quota::OfLevel => {
                let mut rates = Vec::new();
                for level in api.levels {
                    match level.rate {
                        Some(rate) => rates.push(quotum(rate, r)?),
                        None => {
                            r.problem(
                                at,
                                format_args!("a limit is by level, and the level `{}` has no rate", level.name),
                            );
                            return None;
                        }
                    }
                }
                Resolved::OfLevel(rates.into())
            }
            Quota::Action(_) | Quota::Calendar(_) | Quota::Concurrent(_) => {
                r.problem(at, format_args!("the limit `{}` says nothing of its own", limit.name));
                return None;
            }
        };
        let quota = if set { Much::Set(ArcSwap::from_pointee(quota)) } else { Much::Fixed(quota) };
        Some(Rule { bucket, shared: shared.into(), name: limit.name, by: limit.by, measure, cost, quota })
    }

    /// The rate, where it is the same for all callers and at all times.
    fn always(&self) -> Option<Rate> {
        match self.quota {
            Much::Fixed(Resolved::Flat((rate, _))) if self.measure == Measure::Rate => Some(rate),
            Much::Fixed(_) | Much::Set(_) => None,
        }
    }

    fn needs_only_the_address(&self) -> bool {
        self.quota.of(|much| matches!(much, Resolved::Flat(_))) && self.by.iter().all(|key| *key == Key::Address)
    }

    /// How its cell is read for this caller now, and the rate that he is shown.
    pub(super) fn meter(&self, facts: CallerFacts<'_>, unix: i64) -> Option<(Rate, Meter)> {
        let (rate, gcra) = self.quotum(facts)?;
        if self.measure == Measure::Calendar {
            let calendar = Calendar::new(rate, self.cost, unix);
            return Some((calendar.shown(), Meter::Quota(calendar)));
        }
        Some((rate, Meter::Rate(gcra)))
    }

    pub(super) fn quotum(&self, facts: CallerFacts<'_>) -> Option<Quotum> {
        self.quota.of(|much| much.quotum(facts))
    }

    /// How far ahead any of its rates lets the TAT lie.
    pub(super) fn longest(&self) -> u64 {
        self.quota.of(Resolved::longest)
    }

    /// Takes over what the deployment says now; whether that is something else than before.
    fn adopt(&self, newer: Rule) -> bool {
        let (Much::Set(now), Much::Set(newer)) = (&self.quota, newer.quota) else { return false };
        let newer = newer.into_inner();
        let changed = **now.load() != *newer;
        now.store(newer);
        changed
    }

    /// What the quota of this caller is counted in, where it is one.
    pub(super) fn period(&self, facts: CallerFacts<'_>) -> Option<Period> {
        if self.measure != Measure::Calendar {
            return None;
        }
        self.quotum(facts).map(|(rate, _)| rate.period())
    }

    pub(super) fn key(&self, facts: CallerFacts<'_>, hasher: &KeyHasher) -> CellKey {
        let month = self.period(facts) == Some(Period::Month);
        let bucket = self.bucket.saturating_add(u32::from(month));
        if let [Key::Address] = self.by {
            return address(bucket, facts.address);
        }
        let mut parts = hasher.parts();
        self.counted(facts, &mut |tag, bytes| parts.add(tag, bytes));
        parts.key(bucket)
    }

    /// The same for every server.
    pub(super) fn digest(&self, facts: CallerFacts<'_>) -> Digest {
        let mut digester = Digester::new();
        digester.add(7, self.shared.as_bytes());
        if let Some(period) = self.period(facts) {
            digester.add(8, period.as_str().as_bytes());
        }
        self.counted(facts, &mut |tag, bytes| digester.add(tag, bytes));
        digester.finish()
    }

    /// The parts that are counted by.
    fn counted(&self, facts: CallerFacts<'_>, add: &mut dyn FnMut(u8, &[u8])) {
        for key in self.by {
            let id = facts.identity;
            let part = match key {
                Key::Address => None,
                Key::User => id.and_then(Identity::subject).map(|s| (1, s)),
                Key::ApiKey => id.and_then(Identity::key).map(|s| (2, s)),
                Key::Client => id.and_then(Identity::client).map(|s| (3, s)),
                Key::Level => id.and_then(Identity::level).map(|s| (4, s)),
                Key::Claim(path) => {
                    match id.and_then(|i| i.claim(path)) {
                        Some(serde_json::Value::String(text)) => Some((5, text.as_str())),
                        Some(value) => {
                            // The text "7" and the number 7 are two.
                            add(6, value.to_string().as_bytes());
                            continue;
                        }
                        None => None,
                    }
                }
            };
            match part {
                Some((tag, text)) => add(tag, text.as_bytes()),
                // Who lacks what is counted by is counted by address: neither unlimited nor in one cell with the world.
                None => {
                    let (kind, address) = counted(facts.address);
                    add(0, &[kind.to_be_bytes(), address.to_be_bytes()].concat());
                }
            }
        }
    }
}
