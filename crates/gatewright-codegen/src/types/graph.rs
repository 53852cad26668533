//! What schemas lead to: which edges there are, which schemas contain themselves, and which differ between the two ways.

use gatewright_ir::schema::{Schema, SchemaId, Schemas};

/// Facts about every schema that need the whole graph, by index.
pub(super) struct Graph {
    /// Something below is `readOnly` or `writeOnly`, so a request has another type than a response.
    differs: Vec<bool>,
    /// Something below closes where a request's unknown fields are refused.
    closes_below: Vec<bool>,
    /// It contains itself, at any depth of the value.
    recursive: Vec<bool>,
    /// It contains itself in place: its check would come back to the same value.
    in_place: Vec<bool>,
    /// A dynamic reference below ends where outer schemas say.
    dynamic_below: Vec<bool>,
}

impl Graph {
    pub(super) fn new(schemas: &Schemas) -> Graph {
        let count = schemas.len();
        let mut all: Vec<Vec<u32>> = Vec::with_capacity(count);
        let mut same: Vec<Vec<u32>> = Vec::with_capacity(count);
        for (_, schema) in schemas.iter() {
            let mut near = Vec::new();
            in_place(schema, |id| near.push(id.0));
            let mut every = near.clone();
            below(schema, |id| every.push(id.0));
            all.push(every);
            same.push(near);
        }
        let sides = schemas.iter().filter(|(_, s)| s.notes.read_only || s.notes.write_only).map(|(id, _)| id.0);
        let speaks = schemas.iter().filter(|(_, s)| speaks_of_properties(s)).map(|(id, _)| id.0);
        let dynamic = schemas.iter().filter(|(_, s)| s.dynamic_reference.is_some()).map(|(id, _)| id.0);
        Graph {
            dynamic_below: reaching(&all, dynamic),
            differs: reaching(&all, sides),
            closes_below: reaching(&all, speaks),
            recursive: cycles(&all).1,
            in_place: cycles(&same).1,
        }
    }

    pub(super) fn differs(&self, id: SchemaId) -> bool {
        bit(&self.differs, id)
    }

    pub(super) fn closes_below(&self, id: SchemaId) -> bool {
        bit(&self.closes_below, id)
    }

    pub(super) fn dynamic_below(&self, id: SchemaId) -> bool {
        bit(&self.dynamic_below, id)
    }

    pub(super) fn recursive(&self, id: SchemaId) -> bool {
        bit(&self.recursive, id)
    }

    pub(super) fn in_place(&self, id: SchemaId) -> bool {
        bit(&self.in_place, id)
    }
}

fn bit(bits: &[bool], id: SchemaId) -> bool {
    bits.get(id.0 as usize).copied().unwrap_or(false)
}

/// Whether a schema itself names properties.
pub(super) fn speaks_of_properties(schema: &Schema) -> bool {
    !schema.object.properties.is_empty() || !schema.object.pattern_properties.is_empty()
}

/// The schemas that look at the same value.
pub(crate) fn in_place(schema: &Schema, mut to: impl FnMut(SchemaId)) {
    schema.reference.into_iter().for_each(&mut to);
    schema.dynamic_reference.iter().for_each(|(_, id)| to(*id));
    // A dynamic reference may end at any anchor of the resource, so each counts as reached.
    schema.dynamic_anchors.iter().for_each(|(_, id)| to(*id));
    schema.all_of.iter().chain(&schema.any_of).chain(&schema.one_of).copied().for_each(&mut to);
    schema.not.into_iter().for_each(&mut to);
    if let Some(condition) = &schema.condition {
        to(condition.when);
        condition.then.into_iter().chain(condition.otherwise).for_each(&mut to);
    }
    schema.object.dependent_schemas.iter().for_each(|(_, id)| to(*id));
    if let Some(discriminator) = &schema.discriminator {
        discriminator.mapping.iter().for_each(|(_, id)| to(*id));
        discriminator.default.into_iter().for_each(&mut to);
    }
}

/// The schemas that look at items, members and names.
pub(crate) fn below(schema: &Schema, mut to: impl FnMut(SchemaId)) {
    let (array, object) = (&schema.array, &schema.object);
    array.prefix_items.iter().copied().for_each(&mut to);
    array.items.into_iter().chain(array.contains).chain(array.unevaluated_items).for_each(&mut to);
    object.properties.iter().for_each(|property| to(property.schema));
    object.pattern_properties.iter().for_each(|(_, id)| to(*id));
    let others = object.additional_properties.into_iter().chain(object.property_names);
    others.chain(object.unevaluated_properties).for_each(to);
}

/// Every node from which one of `goals` can be reached, the goals included.
pub(crate) fn reaching(edges: &[Vec<u32>], goals: impl Iterator<Item = u32>) -> Vec<bool> {
    let mut back: Vec<Vec<u32>> = vec![Vec::new(); edges.len()];
    for (from, to) in edges.iter().enumerate() {
        for to in to {
            if let Some(list) = back.get_mut(*to as usize) {
                list.push(from as u32);
            }
        }
    }
    let mut reached = vec![false; edges.len()];
    let mut open: Vec<u32> = goals.collect();
    while let Some(node) = open.pop() {
        match reached.get_mut(node as usize) {
            Some(seen) if !*seen => *seen = true,
            _ => continue,
        }
        open.extend(back.get(node as usize).into_iter().flatten());
    }
    reached
}

/// Strongly connected components (Tarjan, without recursion): the component of each node, and whether the node lies on a
/// cycle.
pub(super) fn cycles(edges: &[Vec<u32>]) -> (Vec<u32>, Vec<bool>) {
    const UNSEEN: u32 = u32::MAX;
    let count = edges.len();
    let (mut order, mut low) = (vec![UNSEEN; count], vec![0_u32; count]);
    let (mut component, mut cyclic) = (vec![UNSEEN; count], vec![false; count]);
    let mut stack: Vec<usize> = Vec::new();
    let mut work: Vec<(usize, usize)> = Vec::new();
    let (mut next, mut components) = (0_u32, 0_u32);
    let at = |list: &[u32], node: usize| list.get(node).copied().unwrap_or(0);
    for start in 0..count {
        if at(&order, start) != UNSEEN {
            continue;
        }
        work.push((start, 0));
        while let Some((node, place)) = work.pop() {
            if place == 0 {
                set(&mut order, node, next);
                set(&mut low, node, next);
                next += 1;
                stack.push(node);
            }
            let to = edges.get(node).and_then(|list| list.get(place)).map(|to| *to as usize);
            match to {
                Some(to) if to >= count => work.push((node, place + 1)),
                Some(to) => {
                    work.push((node, place + 1));
                    if at(&order, to) == UNSEEN {
                        work.push((to, 0));
                    } else if at(&component, to) == UNSEEN {
                        let least = at(&low, node).min(at(&order, to));
                        set(&mut low, node, least);
                    }
                    if to == node
                        && let Some(flag) = cyclic.get_mut(node)
                    {
                        *flag = true;
                    }
                }
                None => {
                    if at(&low, node) == at(&order, node) {
                        let mut members = Vec::new();
                        while let Some(member) = stack.pop() {
                            set(&mut component, member, components);
                            members.push(member);
                            if member == node {
                                break;
                            }
                        }
                        components += 1;
                        if members.len() > 1 {
                            members.iter().for_each(|member| {
                                if let Some(flag) = cyclic.get_mut(*member) {
                                    *flag = true;
                                }
                            });
                        }
                    }
                    if let Some((parent, _)) = work.last() {
                        let least = at(&low, *parent).min(at(&low, node));
                        set(&mut low, *parent, least);
                    }
                }
            }
        }
    }
    (component, cyclic)
}

fn set(list: &mut [u32], node: usize, value: u32) {
    if let Some(slot) = list.get_mut(node) {
        *slot = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_cycles() {
        let (component, cyclic) = cycles(&[vec![1], vec![2], vec![0, 3], vec![], vec![4], vec![3]]);
        assert_eq!(cyclic, [true, true, true, false, true, false]);
        assert_eq!(component[0], component[2]);
        assert_ne!(component[3], component[5]);
    }

    #[test]
    fn long_chains_need_no_stack() {
        let edges: Vec<Vec<u32>> = (0..200_000_u32).map(|n| vec![n + 1]).collect();
        assert!(!cycles(&edges).1.contains(&true));
        assert!(reaching(&edges, std::iter::once(199_999)).iter().all(|r| *r));
    }
}
