//! Which nodes of a draft a path selects.

use std::cmp::Ordering;
use std::collections::HashSet;

use super::path::{Comparison, Operand, Path, Segment, Selector, Singular, Test};
use crate::syntax::Scalar;
use crate::syntax::draft::{Draft, Id};

/// A selected node, and the container that holds it (none for the root).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Found {
    pub(super) node: Id,
    pub(super) holder: Option<Id>,
}

/// Nodes may be looked at this often, over all actions: a short path can ask for much.
pub(super) const WORK: usize = 200_000_000;

/// The work is used up.
#[derive(Debug)]
pub(super) struct Exhausted;

pub(super) struct Selection<'d> {
    pub(super) draft: &'d Draft,
    pub(super) work: &'d mut usize,
}

impl Selection<'_> {
    /// Every node once, in the order of the steps.
    pub(super) fn select(&mut self, path: &Path) -> Result<Vec<Found>, Exhausted> {
        let mut found = vec![Found { node: self.draft.root(), holder: None }];
        for segment in &path.0 {
            let mut next = Vec::new();
            for at in &found {
                self.step(at.node, segment, &mut next)?;
            }
            let mut seen = HashSet::new();
            next.retain(|one: &Found| seen.insert(one.node));
            found = next;
        }
        Ok(found)
    }

    fn step(&mut self, from: Id, segment: &Segment, out: &mut Vec<Found>) -> Result<(), Exhausted> {
        let mut open = vec![from];
        while let Some(node) = open.pop() {
            for selector in &segment.selectors {
                self.apply(node, selector, out)?;
            }
            if segment.deep {
                self.spend(1)?;
                let mut below = self.draft.values(node);
                below.reverse();
                open.append(&mut below);
            }
        }
        Ok(())
    }

    fn apply(&mut self, node: Id, selector: &Selector, out: &mut Vec<Found>) -> Result<(), Exhausted> {
        let found = |one: Option<Id>| one.map(|one| Found { node: one, holder: Some(node) });
        self.spend(1)?;
        match selector {
            Selector::Name(name) => {
                self.spend(self.draft.len(node))?;
                out.extend(found(self.draft.get(node, name)));
            }
            Selector::Item(nth) => out.extend(found(self.draft.item(node, *nth))),
            Selector::All => {
                self.spend(self.draft.len(node))?;
                out.extend(self.draft.values(node).into_iter().filter_map(|one| found(Some(one))));
            }
            Selector::Filter(test) => {
                for one in self.draft.values(node) {
                    if self.holds(one, test)? {
                        out.extend(found(Some(one)));
                    }
                }
            }
        }
        Ok(())
    }

    fn spend(&mut self, work: usize) -> Result<(), Exhausted> {
        *self.work = self.work.checked_sub(work).ok_or(Exhausted)?;
        Ok(())
    }

    fn holds(&mut self, at: Id, test: &Test) -> Result<bool, Exhausted> {
        self.spend(1)?;
        Ok(match test {
            Test::Any(tests) => {
                for test in tests {
                    if self.holds(at, test)? {
                        return Ok(true);
                    }
                }
                false
            }
            Test::All(tests) => {
                for test in tests {
                    if !self.holds(at, test)? {
                        return Ok(false);
                    }
                }
                true
            }
            Test::Not(test) => !self.holds(at, test)?,
            Test::Exists(query) => self.one(at, query)?.is_some(),
            Test::Compare(left, comparison, right) => {
                let (left_node, right_node) = (self.operand(at, left)?, self.operand(at, right)?);
                compare(self.value(left, left_node), *comparison, self.value(right, right_node))
            }
        })
    }

    fn operand(&mut self, at: Id, operand: &Operand) -> Result<Option<Id>, Exhausted> {
        match operand {
            Operand::Query(query) => self.one(at, query),
            Operand::Text(_) | Operand::Plain(_) => Ok(None),
        }
    }

    fn value<'v>(&'v self, operand: &'v Operand, node: Option<Id>) -> Value<'v> {
        match (operand, node) {
            (Operand::Text(text), _) => Value::Scalar(Scalar::Str(text)),
            (Operand::Plain(text), _) => Value::Scalar(Scalar::of_plain(text)),
            (Operand::Query(_), None) => Value::Nothing,
            (Operand::Query(_), Some(node)) => self.draft.scalar(node).map_or(Value::Container, Value::Scalar),
        }
    }

    fn one(&mut self, at: Id, query: &Singular) -> Result<Option<Id>, Exhausted> {
        let mut node = if query.from_root { self.draft.root() } else { at };
        for step in &query.steps {
            self.spend(1 + self.draft.len(node))?;
            let next = match step {
                Selector::Name(name) => self.draft.get(node, name),
                Selector::Item(nth) => self.draft.item(node, *nth),
                Selector::All | Selector::Filter(_) => None,
            };
            let Some(next) = next else { return Ok(None) };
            node = next;
        }
        Ok(Some(node))
    }
}

#[derive(Clone, Copy)]
enum Value<'v> {
    /// There is no such value.
    Nothing,
    Scalar(Scalar<'v>),
    /// An object or a list: equal to nothing.
    Container,
}

/// RFC 9535, section 2.3.5.2.2: only values of one type have an order; what is absent equals what is absent.
fn compare(left: Value<'_>, comparison: Comparison, right: Value<'_>) -> bool {
    let (equal, order) = match (left, right) {
        (Value::Nothing, Value::Nothing) => (true, None),
        (Value::Scalar(Scalar::Number(a)), Value::Scalar(Scalar::Number(b))) => {
            let order = a.compare(b);
            (order == Some(Ordering::Equal), order)
        }
        (Value::Scalar(Scalar::Str(a)), Value::Scalar(Scalar::Str(b))) => (a == b, Some(a.cmp(b))),
        (Value::Scalar(a), Value::Scalar(b)) => (a == b, None),
        _ => (false, None),
    };
    match comparison {
        Comparison::Equal => equal,
        Comparison::Unequal => !equal,
        Comparison::Less => order == Some(Ordering::Less),
        Comparison::Greater => order == Some(Ordering::Greater),
        Comparison::LessOrEqual => equal || order == Some(Ordering::Less),
        Comparison::GreaterOrEqual => equal || order == Some(Ordering::Greater),
    }
}
