//! Whether the values of one schema are values of another, for two versions of one API: what is left unchanged or became
//! looser fits, what became stricter does not.
//!
//! The answer errs to one side only. `false` may mean that nobody knows; `true` is certain, so a value that passed the one
//! check need not see the other.

mod members;
mod source;
mod words;

use std::collections::{HashMap, HashSet};

use crate::schema::{Discriminator, Schema, SchemaId, Schemas, Types};

use source::{Source, numbers, strings};
use words::same_words;

/// Which way values go, and with it what is none of theirs: `readOnly` in a request, `writeOnly` in a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bound {
    /// Nothing may be lost on the way: a property that the other schema does not know does not fit.
    Request,
    /// Properties that the other schema does not know are left out.
    Response,
}

/// Schemas nested deeper are not followed, nor is more than so much compared: what is beyond does not fit.
const MOST_DEPTH: usize = 100;
const MOST_WORK: usize = 1_000_000;
/// And so much more for each schema that there is: of a large API all is compared.
const WORK_EACH: usize = 200;

/// Compares the schemas of two arenas.
#[derive(Debug)]
pub struct Fits<'s> {
    from: &'s Schemas,
    to: &'s Schemas,
    work: Work,
}

impl<'s> Fits<'s> {
    /// Values of the schemas in `from` as values of those in `to`.
    pub fn new(bound: Bound, from: &'s Schemas, to: &'s Schemas) -> Fits<'s> {
        let work = MOST_WORK + WORK_EACH.saturating_mul(from.len() + to.len());
        Fits { from, to, work: Work::new(bound, work) }
    }

    /// Which way values go.
    pub fn bound(&self) -> Bound {
        self.work.bound
    }

    /// Whether every value of `from`, without what [`Bound`] leaves out, is a value of `to`. Fields that no schema speaks of
    /// are none of the value.
    pub fn fits(&mut self, from: SchemaId, to: SchemaId) -> bool {
        self.work.fits((self.from, from, Side::From), (self.to, to, Side::To), 0)
    }
}

/// Of which arena an id is: a pair is known by both, since some are compared both ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Side {
    From,
    To,
}

type Place<'s> = (&'s Schemas, SchemaId, Side);

#[derive(Debug)]
struct Work {
    bound: Bound,
    /// What is known of a pair; of one that is under way, that it fits unless something else does not.
    known: HashMap<(SchemaId, Side, SchemaId), bool>,
    /// Pairs in the order in which they became known.
    order: Vec<(SchemaId, Side, SchemaId)>,
    left: usize,
}

impl Work {
    fn new(bound: Bound, left: usize) -> Work {
        Work { bound, known: HashMap::new(), order: Vec::new(), left }
    }

    fn fits(&mut self, from: Place<'_>, to: Place<'_>, depth: usize) -> bool {
        if depth > MOST_DEPTH || self.left == 0 {
            return false;
        }
        let key = (from.1, from.2, to.1);
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let place = self.order.len();
        self.known.insert(key, true);
        self.order.push(key);
        let source = Source { schemas: from.0, side: from.2, all: from.0.always(from.1).collect() };
        let target: Vec<&Schema> = to.0.always(to.1).collect();
        let size = |all: &[&Schema]| all.iter().map(|s| 1 + s.object.properties.len()).sum::<usize>();
        self.left = self.left.saturating_sub(size(&source.all).saturating_mul(size(&target)));
        let fits = self.equal(from, to)
            || source.all.iter().any(|s| s.nothing)
            || target.iter().all(|schema| self.holds(&source, schema, (to.0, to.2), depth))
                && self.members(&source, &target, (to.0, to.2), depth);
        if !fits {
            // What was found since may rest on this.
            self.order.drain(place..).for_each(|pair| {
                self.known.remove(&pair);
            });
            self.known.insert(key, false);
        }
        fits
    }

    /// Whether two schemas say the same in the same words, all that they name included: most of an API does not change.
    fn equal(&mut self, a: Place<'_>, b: Place<'_>) -> bool {
        let (mut open, mut seen) = (vec![(a.1, b.1)], HashSet::new());
        while let Some(pair) = open.pop() {
            if !seen.insert(pair) {
                continue;
            }
            self.left = self.left.saturating_sub(1);
            let (from, to) = (a.0.get(pair.0), b.0.get(pair.1));
            if self.left == 0 || !same_words(from, to) {
                return false;
            }
            let (mut froms, mut tos) = (Vec::new(), Vec::new());
            from.each(|id| froms.push(id));
            to.each(|id| tos.push(id));
            open.extend(froms.into_iter().zip(tos));
        }
        // All of them are: nobody has to look again.
        self.known.extend(seen.into_iter().map(|(from, to)| ((from, a.2, to), true)));
        true
    }

    /// Both ways, and nothing left out: the same values.
    fn same(&mut self, a: Place<'_>, b: Place<'_>, depth: usize) -> bool {
        let mut strict = Work::new(Bound::Request, self.left);
        let same = strict.fits(a, b, depth) && strict.fits(b, a, depth);
        self.left = strict.left;
        same
    }

    fn same_option(&mut self, a: Option<Place<'_>>, b: Option<Place<'_>>, depth: usize) -> bool {
        match (a, b) {
            (None, None) => true,
            (Some(a), Some(b)) => self.same(a, b, depth),
            _ => false,
        }
    }

    /// Whether what one schema asks is asked of the source too; of an object's members, `members` knows.
    fn holds(&mut self, from: &Source<'_>, to: &Schema, (schemas, side): (&Schemas, Side), depth: usize) -> bool {
        let own = |id: SchemaId| (schemas, id, side);
        let has = |types: Types| from.has(types);
        let whole = self.whole(from);
        !to.nothing
            && to.dynamic_reference.is_none()
            && to.types.is_none_or(|types| from.within(types))
            && to.enumeration.as_ref().is_none_or(|values| from.among(values))
            && to.constant.as_ref().is_none_or(|value| from.among(std::slice::from_ref(value)))
            && to.notes.format.as_ref().is_none_or(|format| from.formatted(&format.value))
            && (!has(Types::NUMBER) || numbers(from, to))
            && (!has(Types::STRING) || strings(from, to))
            && (!has(Types::ARRAY) || self.items(from, to, (schemas, side), depth))
            && to.not.is_none_or(|id| {
                whole
                    && from.all.iter().filter_map(|s| s.not).any(|other| self.same(from.at(other), own(id), depth + 1))
            })
            && to.condition.as_ref().is_none_or(|condition| {
                whole
                    && from.all.iter().filter_map(|s| s.condition.as_ref()).any(|other| {
                        self.same(from.at(other.when), own(condition.when), depth + 1)
                            && self.same_option(other.then.map(|id| from.at(id)), condition.then.map(own), depth + 1)
                            && self.same_option(
                                other.otherwise.map(|id| from.at(id)),
                                condition.otherwise.map(own),
                                depth + 1,
                            )
                    })
            })
            && self.branches(from, to, (schemas, side), depth)
    }

    /// `anyOf` and `oneOf`. What holds in exactly one of several must stay so: branches that grew might come to overlap,
    /// unless a discriminator tells them apart.
    fn branches(&mut self, from: &Source<'_>, to: &Schema, (schemas, side): (&Schemas, Side), depth: usize) -> bool {
        let whole = self.whole(from);
        let any = to.any_of.is_empty()
            || from.all.iter().any(|s| {
                !s.any_of.is_empty()
                    && s.any_of.iter().all(|branch| {
                        to.any_of.iter().any(|other| {
                            let (branch, other) = (from.at(*branch), (schemas, *other, side));
                            if whole {
                                self.fits(branch, other, depth + 1)
                            } else {
                                self.same(branch, other, depth + 1)
                            }
                        })
                    })
            });
        let plain = |s: &Schema| s.object.properties.is_empty();
        let told = |a: &Schema, b: &Schema| match (&a.discriminator, &b.discriminator) {
            (Some(a), Some(b)) => a.property == b.property,
            _ => false,
        };
        let told = |a: &Schema| told(a, to) && plain(to) && from.all.iter().all(|s| plain(s));
        let one = to.one_of.is_empty()
            || from.all.iter().any(|s| {
                s.one_of.len() == to.one_of.len()
                    && s.one_of.iter().zip(&to.one_of).all(|(branch, other)| {
                        let (branch, other) = (from.at(*branch), (schemas, *other, side));
                        if told(s) { self.fits(branch, other, depth + 1) } else { self.same(branch, other, depth + 1) }
                    })
            });
        let discriminated = to.discriminator.as_ref().is_none_or(|d| {
            let words = |d: &Discriminator| d.mapping.iter().map(|(word, _)| word.clone()).collect::<HashSet<_>>();
            from.all.iter().filter_map(|s| s.discriminator.as_ref()).any(|other| {
                other.property == d.property
                    && words(other).is_subset(&words(d))
                    && other.default.is_some() == d.default.is_some()
                    && other.mapping.iter().all(|(word, id)| {
                        let same = d.mapping.iter().find(|(known, _)| known == word);
                        same.is_some_and(|(_, there)| self.fits(from.at(*id), (schemas, *there, side), depth + 1))
                    })
            })
        });
        any && one && discriminated
    }

    /// Whether values stay what they are: nothing is left out of them.
    fn whole(&self, from: &Source<'_>) -> bool {
        self.bound == Bound::Request || !from.has(Types::OBJECT.with(Types::ARRAY))
    }

    fn items(&mut self, from: &Source<'_>, to: &Schema, (schemas, side): (&Schemas, Side), depth: usize) -> bool {
        let rules = &to.array;
        let own = |id: SchemaId| (schemas, id, side);
        let theirs = |get: fn(&Schema) -> Option<u64>| from.all.iter().filter_map(|s| get(s)).collect::<Vec<_>>();
        let request = self.bound == Bound::Request;
        if rules.unevaluated_items.is_some() {
            return false;
        }
        let bounds = rules.min_items.is_none_or(|n| theirs(|s| s.array.min_items).iter().any(|m| *m >= n))
            && rules.max_items.is_none_or(|n| theirs(|s| s.array.max_items).iter().any(|m| *m <= n))
            && (!rules.unique_items
                || from.all.iter().any(|s| s.array.unique_items) && (request || from.items_are_plain()));
        let contains = rules.contains.is_none_or(|id| {
            request
                && from.all.iter().any(|s| {
                    s.array.contains.is_some_and(|other| self.same(from.at(other), own(id), depth + 1))
                        && s.array.min_contains == rules.min_contains
                        && s.array.max_contains == rules.max_contains
                })
        });
        let prefixed = !rules.prefix_items.is_empty() || from.all.iter().any(|s| !s.array.prefix_items.is_empty());
        let items = if prefixed {
            from.all.iter().any(|s| {
                s.array.prefix_items.len() == rules.prefix_items.len()
                    && s.array
                        .prefix_items
                        .iter()
                        .zip(&rules.prefix_items)
                        .all(|(a, b)| self.fits(from.at(*a), own(*b), depth + 1))
                    && rules
                        .items
                        .is_none_or(|b| s.array.items.is_some_and(|a| self.fits(from.at(a), own(b), depth + 1)))
            })
        } else {
            rules.items.is_none_or(|id| {
                from.all.iter().filter_map(|s| s.array.items).any(|other| self.fits(from.at(other), own(id), depth + 1))
            })
        };
        bounds && contains && items
    }
}
