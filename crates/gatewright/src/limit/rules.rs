//! The limits of one operation, made from its table at start, and how a request is charged for them.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use gatewright_policy::table::{ApiPolicy, Key, Limit, Policy, Quota, Setting};
use gatewright_policy::{Period, Rate, Refusal};
use http::HeaderValue;

use super::calendar::{self, Calendar};
use super::gcra::{Gcra, Over, Verdict};
use super::headers::{self, Entry, Standing, seconds};
use super::key::{CellKey, KeyHasher, address, counted};
use super::meter::Meter;
use super::remote::Remote;
use super::running::{Running, Slots};
use super::table::Table;
use crate::auth::Identity;
use crate::config::Resolver;
use crate::problem::Refused;
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
    quota: Resolved,
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Measure {
    Rate,
    Calendar,
    Concurrent,
}

impl Measure {
    /// What a limit counts, and how much of it.
    fn of(quota: Quota) -> (Measure, Quota) {
        match quota {
            Quota::Calendar(quota) => (Measure::Calendar, *quota),
            Quota::Concurrent(quota) => (Measure::Concurrent, *quota),
            quota => (Measure::Rate, quota),
        }
    }

    fn read(self, setting: Setting<Rate>, r: &mut Resolver) -> Option<Rate> {
        match self {
            Measure::Rate => r.amount(setting, Rate::parse),
            Measure::Calendar => r.amount(setting, Rate::quota),
            Measure::Concurrent => r.amount(setting, Rate::concurrent),
        }
    }
}

type Quotum = (Rate, Gcra);

enum Resolved {
    Flat(Quotum),
    ByGrant { default: Quotum, rates: Box<[(u16, Quotum)]> },
    OfLevel(Box<[Quotum]>),
}

/// What is known of whoever is charged.
#[derive(Clone, Copy)]
pub(crate) struct CallerFacts<'a> {
    pub(crate) address: Option<IpAddr>,
    pub(crate) identity: Option<&'a Identity>,
}

/// The means of charging.
#[derive(Clone, Copy)]
pub(crate) struct Charged<'a> {
    pub(crate) table: &'a Table,
    pub(crate) quotas: &'a Table,
    pub(crate) running: &'a Arc<Running>,
    pub(crate) hasher: &'a KeyHasher,
    /// Nanoseconds, for rates.
    pub(crate) now: u64,
    /// Seconds since 1970, for quotas.
    pub(crate) unix: i64,
    /// The store that other servers charge too.
    pub(crate) remote: Option<Remote<'a>>,
}

impl Rules {
    #[cfg(all(test, feature = "redis"))]
    pub(super) fn of(address: Vec<Rule>, caller: Vec<Rule>) -> Rules {
        Rules { address: address.into(), caller: caller.into(), running: Box::default(), policies: [None, None] }
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
        let quota = Resolved::Flat((rate, Gcra::new(rate).costing(cost)));
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
        Some(Rule { bucket, shared: shared.into(), name: limit.name, by: limit.by, measure, cost, quota })
    }

    /// The rate, where it is the same for all callers and at all times.
    fn always(&self) -> Option<Rate> {
        match self.quota {
            Resolved::Flat((rate, _)) if self.measure == Measure::Rate => Some(rate),
            Resolved::Flat(_) | Resolved::ByGrant { .. } | Resolved::OfLevel(_) => None,
        }
    }

    fn needs_only_the_address(&self) -> bool {
        matches!(self.quota, Resolved::Flat(_)) && self.by.iter().all(|key| *key == Key::Address)
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

    fn quotum(&self, facts: CallerFacts<'_>) -> Option<Quotum> {
        match &self.quota {
            Resolved::Flat(quotum) => Some(*quotum),
            Resolved::ByGrant { default, rates } => {
                let have = facts.identity.map_or(&[][..], |i| i.grants());
                let theirs = rates.iter().filter(|(bit, _)| crate::guard::holds(have, *bit)).map(|(_, q)| *q);
                // The largest by what it admits in the long run: limit per window, compared without rounding.
                let largest = theirs.max_by(|(a, _), (b, _)| {
                    (u64::from(a.limit) * u64::from(b.window)).cmp(&(u64::from(b.limit) * u64::from(a.window)))
                });
                Some(largest.unwrap_or(*default))
            }
            Resolved::OfLevel(rates) => rates.get(usize::from(facts.identity?.level_index()?)).copied(),
        }
    }

    /// How far ahead any of its rates lets the TAT lie.
    pub(super) fn longest(&self) -> u64 {
        let all: &mut dyn Iterator<Item = &Quotum> = match &self.quota {
            Resolved::Flat(quotum) => &mut std::iter::once(quotum),
            Resolved::ByGrant { default, rates } => {
                &mut std::iter::once(default).chain(rates.iter().map(|(_, quotum)| quotum))
            }
            Resolved::OfLevel(rates) => &mut rates.iter(),
        };
        all.map(|(_, gcra)| gcra.tolerance).max().unwrap_or(0)
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

impl Charged<'_> {
    /// Where the cells of a meter lie, and its time.
    pub(super) fn cells(&self, meter: Meter) -> (&Table, u64) {
        match meter {
            Meter::Rate(_) => (self.table, self.now),
            Meter::Quota(_) => (self.quotas, calendar::ended(self.unix)),
        }
    }

    /// By how much a request would be too many; nothing is charged.
    pub(super) fn peek(&self, key: CellKey, meter: Meter) -> Option<Over> {
        let (table, now) = self.cells(meter);
        table.peek(key, meter, now)
    }

    /// Places for a request among those of its caller that run, where its operation limits them.
    ///
    /// # Errors
    /// He has as many as he may: 429. The places that were taken are given back.
    pub(crate) fn enter(
        &self,
        rules: &Rules,
        facts: CallerFacts<'_>,
        standing: &mut Standing,
    ) -> Result<Option<Arc<Slots>>, Refused> {
        if rules.running.is_empty() {
            return Ok(None);
        }
        let mut slots = Slots::new(self.running);
        for rule in &rules.running {
            let (rate, _) = rule.quotum(facts).ok_or_else(no_level)?;
            let left = slots.take(rule.key(facts, self.hasher), rate.limit);
            let (name, remaining, violated) = (rule.name, left.unwrap_or(0), left.is_none());
            standing.0.push(Entry { name, rate, remaining, next: 0, violated, concurrent: true, charge: None });
            if violated {
                return Err(limited(standing));
            }
        }
        Ok(Some(Arc::new(slots)))
    }

    /// Charges a request for all `rules` at this server alone, or refuses it and takes back everything in `standing`.
    pub(super) fn charge(
        &self,
        rules: &[Rule],
        facts: CallerFacts<'_>,
        standing: &mut Standing,
    ) -> Result<(), Refused> {
        for (i, rule) in rules.iter().enumerate() {
            let Some((rate, meter)) = rule.meter(facts, self.unix) else {
                self.refund(standing);
                return Err(no_level());
            };
            let (table, now) = self.cells(meter);
            let (remaining, next, charge) = match table.charge(rule.key(facts, self.hasher), meter, now) {
                Ok((charge, Verdict::Pass { remaining, next, .. })) => (remaining, next, charge),
                Ok((charge, Verdict::Refuse(over))) => {
                    table.refund(charge);
                    return Err(self.refuse(rules.get(i..).unwrap_or_default(), facts, over, standing));
                }
                Err(over) => return Err(self.refuse(rules.get(i..).unwrap_or_default(), facts, over, standing)),
            };
            let (name, violated, concurrent) = (rule.name, false, false);
            standing.0.push(Entry { name, rate, remaining, next, violated, concurrent, charge: Some(charge) });
        }
        Ok(())
    }

    /// `rules` begins with the one that refused.
    fn refuse(&self, rules: &[Rule], facts: CallerFacts<'_>, over: Over, standing: &mut Standing) -> Refused {
        self.refund(standing);
        for (i, rule) in rules.iter().enumerate() {
            let Some((rate, meter)) = rule.meter(facts, self.unix) else { continue };
            let over = if i == 0 { Some(over) } else { self.peek(rule.key(facts, self.hasher), meter) };
            standing.0.extend(over.map(|over| Entry::over(rule.name, rate, over)));
        }
        limited(standing)
    }

    fn refund(&self, standing: &mut Standing) {
        for entry in &mut standing.0 {
            if let Some(charge) = entry.charge.take() {
                let (table, _) = self.cells(charge.meter());
                let cost = table.refund(charge);
                entry.remaining = entry.remaining.saturating_add(cost).min(entry.rate.burst);
            }
        }
    }
}

pub(super) fn no_level() -> Refused {
    Refused::new(Refusal::LevelTooLow).because("a limit is by level, and the caller has none")
}

/// 429: which limits refused, and the longest wait of theirs.
pub(super) fn limited(standing: &mut Standing) -> Refused {
    let over = || standing.0.iter().filter(|entry| entry.violated);
    let violated = over().map(|entry| entry.name).collect();
    let longest = over().map(|entry| entry.next).max().unwrap_or(0);
    let mut refused = Refused::new(Refusal::RateLimited).retry_after(seconds(longest));
    let inner = refused.inner_mut();
    inner.violated = violated;
    inner.standing = std::mem::take(standing);
    refused
}
