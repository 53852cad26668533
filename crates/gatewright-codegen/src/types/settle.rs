//! What can be said of types only when all of them are known: their names, which of them must be held in a box, and which
//! defaults they can have.

use std::collections::{BTreeSet, HashSet};

use gatewright_ir::names::{self, Case};

use super::model::{Definition, Held, Named, NamedId, Presence, Side, Type};
use super::plan::Planner;
use super::roots::{Contexts, SEPARATOR};
use super::{far, graph, literal};

impl Planner<'_> {
    /// Gives names, and boxes what would be infinitely large, for all types planned since the last time.
    pub(super) fn settle(&mut self) {
        if self.settled == self.named.len() {
            return;
        }
        self.cut_alias_cycles();
        self.drop_defaults();
        self.give_names();
        self.give_boxes();
        far::hold_apart(&mut self.named);
        self.settled = self.named.len();
    }

    fn cut_alias_cycles(&mut self) {
        let edges = self.edges(|definition, to| {
            if let Definition::Alias(target) = definition {
                target.named(&mut |id, _| to(id));
            }
        });
        let cyclic = graph::cycles(&edges).1;
        for (named, cyclic) in self.named.iter_mut().zip(cyclic) {
            if cyclic && matches!(named.definition, Definition::Alias(_)) {
                named.definition = Definition::Alias(Type::Json);
            }
        }
    }

    /// Defaults that their type cannot have are none. A refusal of one can only be of a type around another, so the order
    /// makes no difference that matters.
    fn drop_defaults(&mut self) {
        let mut dropped = Vec::new();
        for (place, named) in self.named.iter().enumerate().skip(self.settled) {
            let Definition::Struct { fields, .. } = &named.definition else { continue };
            for (number, field) in fields.iter().enumerate().filter(|(_, f)| f.presence == Presence::Default) {
                let default = literal::default_of(self.schemas, field.schema);
                if !default.is_some_and(|json| literal::fits(self, &field.kind, json)) {
                    dropped.push((place, number));
                }
            }
        }
        for (place, number) in dropped {
            let Some(Definition::Struct { fields, .. }) = self.named.get_mut(place).map(|named| &mut named.definition)
            else {
                continue;
            };
            let Some(field) = fields.get_mut(number) else { continue };
            field.presence = Presence::Optional;
            if let Type::Option(inner) = &field.kind {
                field.kind = (**inner).clone();
                field.presence = Presence::Patch;
            }
        }
    }

    fn edges(&self, visit: impl Fn(&Definition, &mut dyn FnMut(NamedId))) -> Vec<Vec<u32>> {
        let list = self.named.iter().map(|named| {
            let mut edges = Vec::new();
            visit(&named.definition, &mut |id| edges.push(id.0));
            edges
        });
        list.collect()
    }

    fn give_names(&mut self) {
        let text = |named: &Named, contexts: &Contexts| {
            let base = contexts.text(named.schema);
            if named.side == Side::Request { format!("{base}{SEPARATOR}Request") } else { base }
        };
        // Components first, so that what operations add renames none of them.
        for component in [true, false] {
            let mut places = Vec::new();
            let mut texts = Vec::new();
            let mut seen: HashSet<String> = HashSet::new();
            for (place, named) in self.named.iter().enumerate().skip(self.settled) {
                if self.schemas.get(named.schema).name.is_some() != component {
                    continue;
                }
                let mut unique = text(named, &self.contexts);
                while !seen.insert(unique.clone()) {
                    unique.push('2');
                }
                places.push(place);
                texts.push(unique);
            }
            let taken: Vec<&str> = self.idents.iter().map(String::as_str).collect();
            let idents = names::unique(texts.iter().map(String::as_str), Case::Pascal, &taken);
            for (place, ident) in places.into_iter().zip(idents) {
                self.idents.insert(ident.clone());
                if let Some(named) = self.named.get_mut(place) {
                    named.ident = ident;
                }
            }
        }
    }

    fn give_boxes(&mut self) {
        let edges = self.edges(|definition, to| {
            let mut direct = |kind: &Type| {
                kind.named(&mut |id, direct| {
                    if direct {
                        to(id)
                    }
                })
            };
            match definition {
                Definition::Alias(target) => direct(target),
                Definition::Struct { fields, .. } => fields.iter().for_each(|field| direct(&field.kind)),
                Definition::Union { variants, .. } => variants.iter().for_each(|variant| direct(&variant.kind)),
                Definition::Strings(_) => {}
            }
        });
        let (component, cyclic) = graph::cycles(&edges);
        let at = |place: usize| component.get(place).copied();
        for (place, named) in self.named.iter_mut().enumerate() {
            if !cyclic.get(place).copied().unwrap_or(false) {
                continue;
            }
            let infinite = |kind: &Type| {
                let mut found = false;
                kind.named(&mut |id, direct| found |= direct && at(id.0 as usize) == at(place));
                found
            };
            match &mut named.definition {
                Definition::Struct { fields, .. } => {
                    fields.iter_mut().filter(|f| infinite(&f.kind)).for_each(|f| f.held = Held::Boxed);
                }
                Definition::Union { variants, .. } => {
                    variants.iter_mut().filter(|v| infinite(&v.kind)).for_each(|v| v.held = Held::Boxed);
                }
                Definition::Alias(_) | Definition::Strings(_) => {}
            }
        }
    }

    /// Whether a type of the document has this name.
    pub(super) fn has(&self, ident: &str) -> bool {
        self.idents.contains(ident)
    }

    /// Every named type that these lead to, in the order of names.
    pub(super) fn reachable(&self, from: &BTreeSet<NamedId>) -> BTreeSet<NamedId> {
        let mut seen = BTreeSet::new();
        let mut open: Vec<NamedId> = from.iter().copied().collect();
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            let Some(named) = self.named.get(id.0 as usize) else { continue };
            let mut add = |kind: &Type| kind.named(&mut |id, _| open.push(id));
            match &named.definition {
                Definition::Alias(target) => add(target),
                Definition::Struct { fields, additional, .. } => {
                    fields.iter().for_each(|field| add(&field.kind));
                    additional.iter().for_each(add);
                }
                Definition::Union { variants, .. } => variants.iter().for_each(|variant| add(&variant.kind)),
                Definition::Strings(_) => {}
            }
        }
        seen
    }
}
