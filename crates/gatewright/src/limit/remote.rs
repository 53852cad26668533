//! Limits that several servers share: one step of the store charges all limits of a request, or none.
//!
//! The table of this server holds what the store said last, so that whoever is known to be over is refused without asking
//! again, and so that this server can go on by itself where `on-outage: local` says so. What it holds is never more than the
//! truth: it is counted from the moment before the store was asked. For the same reason it is given back to the store, less
//! the budget, and a store that forgot everything learns again who was limited.

use std::sync::Arc;
use std::time::Duration;

use gatewright_policy::table::{OnOutage, SharedStore};
use gatewright_policy::{Period, Rate, Refusal};

use super::calendar;
use super::charge::{Charged, limited, no_level};
use super::gcra::{Over, Verdict};
use super::headers::{Entry, Standing};
use super::key::CellKey;
use super::lease::Leases;
use super::meter::Meter;
use super::rules::{CallerFacts, Rule, Rules};
use super::running::Slots;
use crate::clock::Clock;
use crate::guard::with_standing;
use crate::problem::Refused;
use crate::shared::{Away, Script, Store};

/// The store, and how one version uses it.
#[derive(Clone, Copy)]
pub(crate) struct Remote<'a> {
    pub(crate) store: &'a Store,
    pub(crate) clock: &'a Arc<dyn Clock>,
    pub(crate) policy: SharedStore,
    /// Places among what runs at all servers.
    pub(crate) leases: Option<&'a Arc<Leases>>,
}

/// A limit of this request.
struct Line<'r> {
    rule: &'r Rule,
    rate: Rate,
    meter: Meter,
    cell: CellKey,
}

/// What a store said of one limit, before this request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    /// How far ahead the TAT lay, in nanoseconds.
    Ahead(u64),
    /// When the period ends, in minutes since 1970, what was used of it, and how many seconds are left.
    Used([u64; 3]),
}

impl Charged<'_> {
    /// The limits that need only the address. With a store, they are only looked at here: they are charged with the
    /// caller's, or when the request is refused before that.
    ///
    /// # Errors
    /// 429.
    pub(crate) fn before(&self, rules: &Rules, facts: CallerFacts<'_>, standing: &mut Standing) -> Result<(), Refused> {
        if self.remote.is_none() {
            return self.charge(&rules.address, facts, standing);
        }
        self.known(&self.lines(rules.address.iter(), facts)?)
    }

    /// The limits that need the caller. Places of `running`, which this server has granted, are leased of the store in the same
    /// step.
    ///
    /// # Errors
    /// 429; 503 where the store is away and nothing may pass without it.
    pub(crate) async fn admitted(
        &self,
        rules: &Rules,
        facts: CallerFacts<'_>,
        standing: &mut Standing,
        running: Option<&mut Slots>,
    ) -> Result<(), Refused> {
        match self.remote {
            None => self.charge(&rules.caller, facts, standing),
            Some(remote) => Box::pin(self.ask(remote, rules, Asks::All(running), facts, standing)).await,
        }
    }

    /// A request that is refused before its caller is known: its address is charged all the same.
    pub(crate) async fn refused(
        &self,
        rules: &Rules,
        facts: CallerFacts<'_>,
        refused: Refused,
        standing: &mut Standing,
    ) -> Refused {
        if let Some(remote) = self.remote
            && let Err(limited) = Box::pin(self.ask(remote, rules, Asks::Address, facts, standing)).await
        {
            return limited;
        }
        with_standing(refused, std::mem::take(standing))
    }

    /// A request of a caller who has as many running as he may: its address is charged all the same.
    #[cold]
    pub(crate) async fn crowded(&self, rules: &Rules, facts: CallerFacts<'_>, refused: Refused) -> Refused {
        if let Some(remote) = self.remote
            && let Err(limited) =
                Box::pin(self.ask(remote, rules, Asks::Address, facts, &mut Standing::default())).await
        {
            return limited;
        }
        refused
    }

    /// All limits that need only the address, charged.
    ///
    /// # Errors
    /// As [`admitted`](Charged::admitted).
    pub(crate) async fn address(&self, rules: &Rules, facts: CallerFacts<'_>) -> Result<Standing, Refused> {
        let mut standing = Standing::default();
        self.before(rules, facts, &mut standing)?;
        if let Some(remote) = self.remote {
            Box::pin(self.ask(remote, rules, Asks::Address, facts, &mut standing)).await?;
        }
        Ok(standing)
    }

    fn lines<'r>(
        &self,
        rules: impl Iterator<Item = &'r Rule>,
        facts: CallerFacts<'_>,
    ) -> Result<Vec<Line<'r>>, Refused> {
        let line = |rule: &'r Rule| {
            let (rate, meter) = rule.meter(facts, self.unix).ok_or_else(no_level)?;
            Ok(Line { rule, rate, meter, cell: rule.key(facts, self.hasher) })
        };
        rules.map(line).collect()
    }

    /// Refuses whoever is known to be over.
    fn known(&self, lines: &[Line<'_>]) -> Result<(), Refused> {
        let over = |line: &Line<'_>| {
            let over = self.peek(line.cell, line.meter)?;
            Some(Entry::over(line.rule.name, line.rate, over))
        };
        let mut standing = Standing(lines.iter().filter_map(over).collect());
        if standing.0.is_empty() { Ok(()) } else { Err(limited(&mut standing)) }
    }

    async fn ask(
        &self,
        remote: Remote<'_>,
        rules: &Rules,
        asks: Asks<'_>,
        facts: CallerFacts<'_>,
        standing: &mut Standing,
    ) -> Result<(), Refused> {
        let (callers, running) = match asks {
            Asks::All(running) => (&*rules.caller, running),
            Asks::Address => (&[][..], None),
        };
        if remote.policy.on_outage == OnOutage::Local && remote.store.is_away() {
            return self.alone(rules, callers, facts, standing);
        }
        let lines = self.lines(rules.address.iter().chain(callers), facts)?;
        let running = running.zip(remote.leases);
        if lines.is_empty() && running.is_none() {
            return Ok(());
        }
        // Verifying a token takes its time, and what a store says is counted from the moment before it was asked.
        let this = Charged { now: remote.clock.monotonic(), ..*self };
        this.known(&lines)?;
        if remote.store.is_away() {
            return Err(away());
        }
        let budget = Duration::from_millis(u64::from(remote.policy.budget));
        let spare = this.now.saturating_add(u64::from(remote.policy.budget) * 1_000_000);
        let mut arguments = Vec::with_capacity(lines.len() * 4);
        for line in &lines {
            let cell = self.cells(line.meter).0.tat(&line.cell);
            match line.meter {
                Meter::Rate(gcra) => {
                    let known = cell.saturating_sub(spare);
                    for number in [gcra.takes, gcra.tolerance, line.rule.longest(), known] {
                        arguments.push(number.to_string().into_bytes());
                    }
                }
                Meter::Quota(quota) => {
                    let (end, used) = calendar::parts(cell);
                    let period = line.rule.period(facts).map_or("month", Period::as_str).to_owned();
                    let texts = [quota.cost.to_string(), quota.limit().to_string(), period, format!("{end} {used}")];
                    arguments.extend(texts.map(String::into_bytes));
                }
            }
        }
        let mut keys: Vec<String> = lines.iter().map(|line| remote.store.key('l', line.rule.digest(facts))).collect();
        let lease = match &running {
            None => None,
            Some((_, leases)) => {
                let places: Vec<String> =
                    rules.running.iter().map(|rule| remote.store.key('c', rule.digest(facts))).collect();
                let lease = leases.ask(&places);
                for rule in &rules.running {
                    let (rate, _) = rule.quotum(facts).ok_or_else(no_level)?;
                    let texts = ["1".to_owned(), rate.limit.max(1).to_string(), "place".to_owned(), lease.said()];
                    arguments.extend(texts.map(String::into_bytes));
                }
                keys.extend(places);
                Some(lease)
            }
        };
        let answer = remote.store.run(budget, Script::Charge, keys, arguments).await;
        let places = if lease.is_some() { rules.running.len() } else { 0 };
        let answer = answer.and_then(|answer| read(&answer, &lines, places).ok_or_else(|| remote.store.nonsense()));
        match answer {
            Ok((passed, said, run)) => {
                crowd(&rules.running, passed, &run, standing);
                match (lease, running) {
                    (Some(lease), Some((slots, _))) if passed => {
                        lease.keep();
                        slots.hold(lease);
                    }
                    (Some(lease), _) => lease.refused(),
                    (None, _) => {}
                }
                this.take(&lines, passed, &said, standing)
            }
            Err(Away) if remote.policy.on_outage == OnOutage::Local => self.alone(rules, callers, facts, standing),
            Err(Away) => Err(away()),
        }
    }

    /// As if there were no store.
    fn alone(
        &self,
        rules: &Rules,
        callers: &[Rule],
        facts: CallerFacts<'_>,
        standing: &mut Standing,
    ) -> Result<(), Refused> {
        self.charge(&rules.address, facts, standing)?;
        self.charge(callers, facts, standing)
    }

    /// What the store said.
    fn take(&self, lines: &[Line<'_>], passed: bool, said: &[Said], standing: &mut Standing) -> Result<(), Refused> {
        for (line, said) in lines.iter().zip(said) {
            let cost = line.meter.cost();
            // The cell as the store has it, and as it is after this request; what is left is said at a time of zero.
            let (meter, cell) = match (line.meter, *said) {
                (Meter::Rate(gcra), Said::Ahead(ahead)) => {
                    let after = if passed { ahead.saturating_add(gcra.takes) } else { ahead };
                    self.table.learn(line.cell, self.now.saturating_add(after), self.now);
                    (line.meter, ahead)
                }
                (Meter::Quota(quota), Said::Used([end, used, left])) => {
                    let quota = quota.of_store(end, left);
                    let after = if passed { used.saturating_add(u64::from(cost)) } else { used };
                    self.quotas.learn(line.cell, quota.cell(after), calendar::ended(self.unix));
                    (Meter::Quota(quota), quota.cell(used))
                }
                // `read` reads each as its meter is.
                _ => continue,
            };
            let (name, rate, charge, concurrent) = (line.rule.name, line.rate, None, false);
            standing.0.push(match meter.check(cell, 0) {
                Verdict::Pass { remaining, next, .. } => {
                    let kept = if passed { 0 } else { cost };
                    let remaining = remaining.saturating_add(kept).min(rate.burst);
                    Entry { name, rate, remaining, next, violated: false, concurrent, charge }
                }
                // It passed: the store counted a nanosecond otherwise.
                Verdict::Refuse(Over { wait, .. }) if passed => {
                    Entry { name, rate, remaining: 0, next: wait, violated: false, concurrent, charge }
                }
                Verdict::Refuse(over) => Entry::over(name, rate, over),
            });
        }
        if passed { Ok(()) } else { Err(limited(standing)) }
    }
}

/// 503: the store is away, and nothing may pass without it.
pub(crate) fn away() -> Refused {
    Refused::new(Refusal::Unavailable).retry_after(1).because("the shared store is away")
}

/// Which limits the store is asked about.
enum Asks<'s> {
    /// Those that need only the address.
    Address,
    /// All, and places among what runs.
    All(Option<&'s mut Slots>),
}

/// What the store said of how many run at all servers, where this one had places left.
fn crowd(rules: &[Rule], passed: bool, run: &[u64], standing: &mut Standing) {
    for (rule, run) in rules.iter().zip(run) {
        let entry = standing.0.iter_mut().find(|entry| entry.concurrent && entry.name == rule.name);
        let Some(entry) = entry else { continue };
        let left = u64::from(entry.rate.limit).saturating_sub(*run);
        entry.violated = !passed && left == 0;
        let left = left.saturating_sub(u64::from(passed));
        entry.remaining = entry.remaining.min(u32::try_from(left).unwrap_or(u32::MAX));
    }
}

/// What a store answered: whether all were charged, what it said of each, and how many run.
type Answered = (bool, Vec<Said>, Vec<u64>);

fn read(answer: &[Vec<u8>], lines: &[Line<'_>], places: usize) -> Option<Answered> {
    let (first, rest) = answer.split_first()?;
    let (rest, run) = rest.split_at_checked(lines.len()).filter(|(_, run)| run.len() == places)?;
    let number = |text: &Vec<u8>| std::str::from_utf8(text).ok()?.parse().ok();
    let run = run.iter().map(number).collect::<Option<_>>()?;
    let said = |(line, text): (&Line<'_>, &Vec<u8>)| {
        let text = std::str::from_utf8(text).ok()?;
        Some(match line.meter {
            Meter::Rate(_) => Said::Ahead(text.parse().ok()?),
            Meter::Quota(_) => {
                let mut numbers = text.split(' ').map(|number| number.parse().ok());
                let said = [numbers.next()??, numbers.next()??, numbers.next()??];
                // An end that no cell can hold is none.
                Said::Used(Some(said).filter(|[end, ..]| *end <= u64::from(u32::MAX) && numbers.next().is_none())?)
            }
        })
    };
    Some((first == b"1", lines.iter().zip(rest).map(said).collect::<Option<_>>()?, run))
}
