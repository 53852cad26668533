//! Types that lead further than rustc looks. Whether a type is `Send` it asks of all that the type holds, in turn, and gives
//! up at 128 steps, so chains of types, and types that lead to one another in great number, are broken up: what would be
//! too far is held by an `Apart`, behind which it does not look.

use super::graph;
use super::model::{Definition, Field, Held, Named, Presence, Type};

/// How many steps a type may need. The rest is for what users put around it: handlers' futures hold requests.
const FAR: u32 = 56;

/// What an `Apart` itself needs.
const APART: u32 = 4;

/// How many steps a list, and a map, need to what they hold.
const LIST: u32 = 4;
const MAP: u32 = 8;

/// Deeper lists of lists and maps of maps are JSON: nothing that is held apart stands between them.
const NESTED: u32 = 8;

/// One type that another holds.
struct Edge {
    to: usize,
    steps: u32,
    part: Part,
}

/// Where it stands there.
#[derive(Clone, Copy)]
enum Part {
    Field(usize),
    Variant(usize),
    Additional,
    Alias,
}

/// A list or map of these.
pub(super) fn around(inner: Type, outer: impl Fn(Box<Type>) -> Type) -> Type {
    fn nested(kind: &Type) -> u32 {
        match kind {
            Type::Vec(inner) | Type::Map(inner) => 1 + nested(inner),
            Type::Option(inner) => nested(inner),
            _ => 0,
        }
    }
    outer(Box::new(if nested(&inner) >= NESTED { Type::Json } else { inner }))
}

/// Breaks up what is too far.
pub(super) fn hold_apart(named: &mut [Named]) {
    // What was before says nothing: more types may have come.
    named.iter_mut().for_each(|named| {
        holders(&mut named.definition, |held| {
            if *held == Held::Apart {
                *held = Held::Here
            }
        })
    });
    let edges: Vec<Vec<Edge>> = named.iter().map(|named| edges(&named.definition)).collect();
    let plain: Vec<Vec<u32>> = edges.iter().map(|list| list.iter().map(|edge| edge.to as u32).collect()).collect();
    let (component, cyclic) = graph::cycles(&plain);
    let mut order: Vec<usize> = (0..named.len()).collect();
    // What a component leads to has a lower number. Within one, names decide, which nothing that is added changes.
    order.sort_by_key(|at| (component.get(*at), named.get(*at).map(|n| &n.ident)));
    let mut far = Far { steps: vec![0; named.len()], edges: &edges, component: &component, apart: Vec::new() };
    for members in order.chunk_by(|a, b| component.get(*a) == component.get(*b)) {
        let [first, ..] = members else { continue };
        if cyclic.get(*first).copied().unwrap_or(false) {
            far.cycle(members);
        } else {
            far.settle(*first);
        }
    }
    let apart = far.apart;
    for (from, part) in apart {
        let Some(named) = named.get_mut(from) else { continue };
        match (&mut named.definition, part) {
            (Definition::Struct { fields, .. }, Part::Field(at)) => {
                fields.get_mut(at).into_iter().for_each(|field| field.held = Held::Apart);
            }
            (Definition::Union { variants, .. }, Part::Variant(at)) => {
                variants.get_mut(at).into_iter().for_each(|variant| variant.held = Held::Apart);
            }
            (Definition::Struct { additional, .. }, Part::Additional) => *additional = Some(Type::Json),
            (Definition::Alias(target), Part::Alias) => *target = Type::Json,
            _ => {}
        }
    }
}

/// Every place of a type that says how it holds another.
fn holders(definition: &mut Definition, change: impl Fn(&mut Held)) {
    match definition {
        Definition::Struct { fields, .. } => fields.iter_mut().for_each(|field| change(&mut field.held)),
        Definition::Union { variants, .. } => variants.iter_mut().for_each(|variant| change(&mut variant.held)),
        Definition::Alias(_) | Definition::Strings(_) => {}
    }
}

struct Far<'e> {
    /// How many steps each type needs; 0 where it is not known yet.
    steps: Vec<u32>,
    edges: &'e [Vec<Edge>],
    component: &'e [u32],
    apart: Vec<(usize, Part)>,
}

impl Far<'_> {
    /// A type that leads to settled ones; what leads to one that is not leads back, and is broken.
    fn settle(&mut self, at: usize) {
        let mut most = 0;
        for edge in self.edges.get(at).into_iter().flatten() {
            let known = self.steps.get(edge.to).copied().unwrap_or(0);
            let steps = edge.steps + known;
            if steps > FAR || known == 0 {
                self.apart.push((at, edge.part));
                most = most.max(APART);
            } else {
                most = most.max(steps);
            }
        }
        self.set(at, most + 1);
    }

    fn set(&mut self, at: usize, steps: u32) {
        if let Some(slot) = self.steps.get_mut(at) {
            *slot = steps;
        }
    }

    /// Types that lead to one another. A few of them may stand as they are.
    fn cycle(&mut self, members: &[usize]) {
        let (mut within, mut beyond) = (0, 0);
        for at in members {
            let mut most = 0;
            for edge in self.edges.get(*at).into_iter().flatten() {
                if self.component.get(edge.to) == self.component.get(*at) {
                    most = most.max(edge.steps);
                } else {
                    beyond = beyond.max(edge.steps + self.steps.get(edge.to).copied().unwrap_or(0));
                }
            }
            within += most + 1;
        }
        if within + beyond <= FAR {
            members.iter().for_each(|at| self.set(*at, within + beyond));
            return;
        }
        // Depth first; what leads back to a type that is under way is broken, and nothing leads in a circle any more.
        let mut seen = vec![true; self.edges.len()];
        for at in members {
            seen.get_mut(*at).into_iter().for_each(|seen| *seen = false);
        }
        let mut way: Vec<(usize, usize)> = Vec::new();
        for start in members {
            way.push((*start, 0));
            while let Some((at, place)) = way.pop() {
                if place == 0 && seen.get_mut(at).is_none_or(|seen| std::mem::replace(seen, true)) {
                    continue;
                }
                match self.edges.get(at).and_then(|list| list.get(place)) {
                    Some(edge) => {
                        way.push((at, place + 1));
                        if !seen.get(edge.to).copied().unwrap_or(true) {
                            way.push((edge.to, 0));
                        }
                    }
                    None => self.settle(at),
                }
            }
        }
    }
}

fn edges(definition: &Definition) -> Vec<Edge> {
    let mut all = Vec::new();
    let mut add = |kind: &Type, around: u32, part: Part| {
        if let Some((to, steps)) = named(kind) {
            all.push(Edge { to, steps: steps + around, part });
        }
    };
    match definition {
        Definition::Struct { fields, additional, .. } => {
            for (at, field) in fields.iter().enumerate() {
                add(&field.kind, around_field(field), Part::Field(at));
            }
            additional.iter().for_each(|kind| add(kind, MAP, Part::Additional));
        }
        Definition::Union { variants, .. } => {
            for (at, variant) in variants.iter().enumerate() {
                add(&variant.kind, held(variant.held), Part::Variant(at));
            }
        }
        Definition::Alias(target) => add(target, 0, Part::Alias),
        Definition::Strings(_) => {}
    }
    all
}

fn around_field(field: &Field) -> u32 {
    let presence = u32::from(matches!(field.presence, Presence::Optional | Presence::Patch));
    presence + u32::from(field.wrapper.is_some()) + held(field.held)
}

fn held(held: Held) -> u32 {
    match held {
        Held::Here => 0,
        Held::Boxed => 3,
        Held::Apart => APART,
    }
}

/// The named type in this one, and how many steps it is to it.
fn named(kind: &Type) -> Option<(usize, u32)> {
    let (inner, steps) = match kind {
        Type::Named(id) => return Some((id.0 as usize, 0)),
        Type::Option(inner) => (inner, 1),
        Type::Vec(inner) => (inner, LIST),
        Type::Map(inner) => (inner, MAP),
        _ => return None,
    };
    named(inner).map(|(id, more)| (id, more + steps))
}
