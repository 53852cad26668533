//! The limits of one operation, made from its table at start, and how a request is charged for them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use gatewright_policy::table::{ApiPolicy, Key, Limit, Policy, Quota, Setting};
use gatewright_policy::{Rate, Refusal};
use http::HeaderValue;

use super::gcra::{Gcra, Over, Verdict};
use super::headers::{self, Entry, Standing, seconds};
use super::key::{CellKey, KeyHasher, address, counted};
use super::remote::Remote;
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
    fn own(&mut self) -> u32 {
        self.next += 1;
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
    /// `RateLimit-Policy` of the first ones, and of all; where rates depend on who calls it is written for each request.
    policies: [Option<HeaderValue>; 2],
}

pub(crate) struct Rule {
    bucket: u32,
    /// What the bucket is called where other servers know it too.
    shared: Box<str>,
    pub(super) name: &'static str,
    by: &'static [Key],
    quota: Resolved,
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
    pub(crate) hasher: &'a KeyHasher,
    pub(crate) now: u64,
    /// The store that other servers charge too.
    pub(crate) remote: Option<Remote<'a>>,
}

impl Rules {
    #[cfg(all(test, feature = "redis"))]
    pub(super) fn of(address: Vec<Rule>, caller: Vec<Rule>) -> Rules {
        Rules { address: address.into(), caller: caller.into(), policies: [None, None] }
    }

    /// The limits of an operation.
    pub(crate) fn new(api: &'static ApiPolicy, policy: &Policy, buckets: &mut Buckets, r: &mut Resolver) -> Rules {
        Rules::made(api, policy.operation, policy.at, policy.limits, buckets, r)
    }

    /// The limits of requests that no operation answers.
    pub(crate) fn of_api(api: &'static ApiPolicy, buckets: &mut Buckets, r: &mut Resolver) -> Rules {
        Rules::made(api, "", "", api.limits, buckets, r)
    }

    fn made(
        api: &'static ApiPolicy,
        operation: &str,
        at: &str,
        limits: &'static [Limit],
        buckets: &mut Buckets,
        r: &mut Resolver,
    ) -> Rules {
        let mut rules = Vec::new();
        for (n, limit) in limits.iter().enumerate() {
            let Quota::Action(index) = limit.quota else {
                let bucket = (buckets.own(), format!("{}\0{operation}\0{n}", api.prefix));
                rules.extend(Rule::new(api, at, limit, bucket, r));
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
                    Ok(bucket) => rules.extend(Rule::new(api, at, limit, (bucket, name), r)),
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
        let (address, caller) = rules.into_iter().partition::<Vec<_>, _>(Rule::needs_only_the_address);
        let fixed = |rules: &[&[Rule]]| {
            let all = rules.iter().flat_map(|rules| rules.iter());
            let rates: Option<Vec<_>> = all.map(|rule| Some((rule.name, rule.flat()?))).collect();
            headers::policy(rates?.into_iter())
        };
        let policies = [fixed(&[&address]), fixed(&[&address, &caller])];
        Rules { address: address.into(), caller: caller.into(), policies }
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

/// What two versions must agree on: the rates as they are after the environment is read.
fn resolved_text(limit: &Limit, r: &mut Resolver) -> String {
    match limit.quota {
        Quota::Flat(rate) => format!("{:?}", r.rate(rate)),
        Quota::ByGrant { default, rates } => {
            let rates: Vec<_> = rates.iter().map(|(bit, rate)| (bit, r.rate(*rate))).collect();
            format!("{:?}", (r.rate(default), rates))
        }
        Quota::OfLevel => "level".to_owned(),
        Quota::Action(_) => "action".to_owned(),
    }
}

impl Rule {
    /// By address, at one rate.
    #[cfg(all(test, feature = "redis"))]
    pub(super) fn plain(bucket: u32, name: &'static str, rate: Rate, cost: u32) -> Rule {
        let quota = Resolved::Flat((rate, Gcra::new(rate).costing(cost)));
        Rule { bucket, shared: name.into(), name, by: &[Key::Address], quota }
    }

    fn new(
        api: &'static ApiPolicy,
        at: &str,
        limit: &'static Limit,
        (bucket, shared): (u32, String),
        r: &mut Resolver,
    ) -> Option<Rule> {
        if limit.by.is_empty() {
            r.problem(at, format_args!("the limit `{}` counts by nothing", limit.name));
        }
        if limit.name.bytes().any(|b| !(b' '..=b'~').contains(&b) || b == b'"' || b == b'\\') {
            r.problem(at, "the name of a limit has a character that a header field cannot carry");
        }
        let quota = match limit.quota {
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
            Quota::Action(_) => {
                r.problem(at, "the limit of a bucket is a bucket again");
                return None;
            }
        };
        Some(Rule { bucket, shared: shared.into(), name: limit.name, by: limit.by, quota })
    }

    /// The rate, where all callers have the same.
    fn flat(&self) -> Option<Rate> {
        match self.quota {
            Resolved::Flat((rate, _)) => Some(rate),
            Resolved::ByGrant { .. } | Resolved::OfLevel(_) => None,
        }
    }

    fn needs_only_the_address(&self) -> bool {
        self.flat().is_some() && self.by.iter().all(|key| *key == Key::Address)
    }

    pub(super) fn quotum(&self, facts: CallerFacts<'_>) -> Option<Quotum> {
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

    pub(super) fn key(&self, facts: CallerFacts<'_>, hasher: &KeyHasher) -> CellKey {
        if let [Key::Address] = self.by {
            return address(self.bucket, facts.address);
        }
        let mut parts = hasher.parts();
        self.counted(facts, &mut |tag, bytes| parts.add(tag, bytes));
        parts.key(self.bucket)
    }

    /// The same for every server.
    pub(super) fn digest(&self, facts: CallerFacts<'_>) -> Digest {
        let mut digester = Digester::new();
        digester.add(7, self.shared.as_bytes());
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

fn quotum(rate: Setting<Rate>, r: &mut Resolver) -> Option<Quotum> {
    r.rate(rate).map(|rate| (rate, Gcra::new(rate)))
}

impl Charged<'_> {
    /// Charges a request for all `rules` at this server alone, or refuses it and takes back everything in `standing`.
    pub(super) fn charge(
        &self,
        rules: &[Rule],
        facts: CallerFacts<'_>,
        standing: &mut Standing,
    ) -> Result<(), Refused> {
        for (i, rule) in rules.iter().enumerate() {
            let Some((rate, gcra)) = rule.quotum(facts) else {
                self.refund(standing);
                return Err(no_level());
            };
            let (remaining, next, charge) = match self.table.charge(rule.key(facts, self.hasher), gcra, self.now) {
                Ok((charge, Verdict::Pass { remaining, next, .. })) => (remaining, next, charge),
                Ok((charge, Verdict::Refuse(over))) => {
                    self.table.refund(charge);
                    return Err(self.refuse(rules.get(i..).unwrap_or_default(), facts, over, standing));
                }
                Err(over) => return Err(self.refuse(rules.get(i..).unwrap_or_default(), facts, over, standing)),
            };
            standing.0.push(Entry { name: rule.name, rate, remaining, next, violated: false, charge: Some(charge) });
        }
        Ok(())
    }

    /// `rules` begins with the one that refused.
    fn refuse(&self, rules: &[Rule], facts: CallerFacts<'_>, over: Over, standing: &mut Standing) -> Refused {
        self.refund(standing);
        for (i, rule) in rules.iter().enumerate() {
            let Some((rate, gcra)) = rule.quotum(facts) else { continue };
            let over = if i == 0 { Some(over) } else { self.table.peek(rule.key(facts, self.hasher), gcra, self.now) };
            standing.0.extend(over.map(|over| Entry::over(rule.name, rate, over)));
        }
        limited(standing)
    }

    fn refund(&self, standing: &mut Standing) {
        for entry in &mut standing.0 {
            if let Some(charge) = entry.charge.take() {
                let cost = self.table.refund(charge);
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
