//! How a request is charged for its limits at this server: all of them, or none.

use std::sync::Arc;

use gatewright_policy::Refusal;

use super::calendar;
use super::gcra::{Over, Verdict};
use super::headers::{Entry, Standing, seconds};
use super::kept::Kept;
use super::key::{CellKey, KeyHasher};
use super::meter::Meter;
use super::remote::Remote;
use super::rules::{CallerFacts, Rule, Rules};
use super::running::{Running, Slots};
use super::table::Table;
use crate::problem::Refused;

/// The means of charging.
#[derive(Clone, Copy)]
pub(crate) struct Charged<'a> {
    pub(crate) table: &'a Table,
    pub(crate) quotas: &'a Table,
    pub(crate) running: &'a Arc<Running>,
    pub(crate) hasher: &'a KeyHasher,
    /// Nanoseconds, for rates.
    pub(crate) now: u64,
    /// What keeps quotas over restarts, where something does.
    pub(crate) kept: Option<&'a Arc<Kept>>,
    /// Seconds since 1970, for quotas.
    pub(crate) unix: i64,
    /// The store that other servers charge too.
    pub(crate) remote: Option<Remote<'a>>,
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
    ) -> Result<Option<Slots>, Refused> {
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
        Ok(Some(slots))
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
            let key = rule.key(facts, self.hasher);
            let kept = self.kept.filter(|_| matches!(meter, Meter::Quota(_))).map(|kept| (kept, rule.digest(facts)));
            if let Some((kept, id)) = kept {
                kept.recall(id, key, self.unix);
            }
            let (remaining, next, charge) = match table.charge(key, meter, now) {
                Ok((charge, Verdict::Pass { remaining, next, .. })) => {
                    if let Some((kept, id)) = kept {
                        kept.note(id, key);
                    }
                    (remaining, next, charge)
                }
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
