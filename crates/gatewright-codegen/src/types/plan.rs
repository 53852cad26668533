//! Schema to Rust type.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use gatewright_ir::api::Operation;
use gatewright_ir::json::Number;
use gatewright_ir::names::{self, Case};
use gatewright_ir::policy::UnknownFields;
use gatewright_ir::schema::{Classification, Schema, SchemaId, Schemas, Types};

use super::far;
use super::graph::{self, Graph};
use super::keywords::{self, ALL_KINDS};
use super::literal;
use super::model::{Choice, Definition, Field, Held, Named, NamedId, Presence, Side, Type, Variant, Wrapper};
use super::roots::{Contexts, SEPARATOR, Way, roots};
use super::view::{self, Union, View};

/// Plans types on demand, each once.
pub(super) struct Planner<'s> {
    pub(super) schemas: &'s Schemas,
    pub(super) graph: Rc<Graph>,
    contexts: Contexts,
    pub(super) named: Vec<Named>,
    memo: HashMap<(SchemaId, Side), Type>,
    under_way: Vec<(SchemaId, Side)>,
    queue: Vec<NamedId>,
    idents: HashSet<String>,
    /// How far names and boxes are given.
    settled: usize,
    /// Schemas that come in with requests: their properties have their defaults.
    incoming: HashSet<SchemaId>,
    /// Those of them whose unknown fields some operation keeps.
    kept: HashSet<SchemaId>,
}

impl<'s> Planner<'s> {
    pub(super) fn new(ir: &'s gatewright_ir::Ir, graph: Rc<Graph>) -> Self {
        let schemas = &ir.api.schemas;
        let mut planner = Planner {
            schemas,
            graph,
            contexts: Contexts::new(ir),
            named: Vec::new(),
            memo: HashMap::new(),
            under_way: Vec::new(),
            queue: Vec::new(),
            idents: HashSet::new(),
            settled: 0,
            incoming: incoming(ir, |_| true),
            kept: incoming(ir, |operation| {
                ir.policies.get(operation.policy).unknown_fields.value == UnknownFields::Keep
            }),
        };
        for operation in &ir.api.operations {
            for (id, _, way) in roots(operation) {
                planner.plan(id, way);
            }
        }
        // What is sent, and what comes back, have the form of responses: somebody else made neither of them as a request to us.
        for operation in ir.api.operations.iter().flat_map(|o| &o.callbacks).chain(&ir.api.webhooks) {
            for (id, ..) in roots(operation) {
                planner.plan(id, Way::Out);
            }
        }
        planner.settle();
        planner
    }

    fn side(&self, id: SchemaId, way: Way) -> Side {
        match way {
            _ if !self.graph.differs(id) => Side::Both,
            Way::In => Side::Request,
            Way::Out => Side::Response,
        }
    }

    /// The type of a schema in one direction, with everything below it planned.
    pub(super) fn root(&mut self, id: SchemaId, way: Way) -> Type {
        let planned = self.plan(id, way);
        self.settle();
        planned
    }

    fn plan(&mut self, id: SchemaId, way: Way) -> Type {
        let planned = self.type_of(id, way);
        while let Some(next) = self.queue.pop() {
            let Some((schema, side)) = self.named.get(next.0 as usize).map(|named| (named.schema, named.side)) else {
                continue;
            };
            // A type for both directions has nothing below that differs, so either direction plans the same.
            let way = if side == Side::Response { Way::Out } else { Way::In };
            let definition = self.define(schema, way);
            if let Some(named) = self.named.get_mut(next.0 as usize) {
                named.definition = definition;
            }
        }
        planned
    }

    fn type_of(&mut self, id: SchemaId, way: Way) -> Type {
        let side = self.side(id, way);
        if let Some(known) = self.memo.get(&(id, side)) {
            return known.clone();
        }
        // An array of itself and the like: no Rust type without a name can say it.
        if self.under_way.contains(&(id, side)) || self.under_way.len() > 100 {
            return Type::Json;
        }
        self.under_way.push((id, side));
        let schema = self.schemas.get(id);
        let planned = match self.passed_through(schema) {
            _ if schema.notes.rust_type.is_some() => self.users_type(id).unwrap_or(Type::Json),
            Some(target) if schema.name.is_none() => self.type_of(target, way),
            Some(target) => {
                let target = self.type_of(target, way);
                self.alias(id, side, target)
            }
            None => self.own_type(id, way, side),
        };
        self.under_way.pop();
        self.memo.insert((id, side), planned.clone());
        planned
    }

    /// `x-rust-type`: the user's type takes every value but `null`, which is told apart as it is for any other type.
    fn users_type(&self, id: SchemaId) -> Option<Type> {
        let text = &self.schemas.get(id).notes.rust_type.as_ref()?.value;
        // Nothing but a path comes through, whatever the text is.
        let path = syn::parse_str::<syn::Path>(text).ok()?;
        let kinds = keywords::wanted_types(self.schemas, id);
        let own = Type::Own { path: quote::quote!(#path).to_string().into(), kinds };
        let null = kinds & 1 != 0 && kinds != ALL_KINDS;
        Some(if null { own.nullable() } else { own })
    }

    /// The schema that this one only says more of.
    fn passed_through(&self, schema: &Schema) -> Option<SchemaId> {
        if (schema.reference.is_none() && schema.all_of.is_empty())
            || view::own_is_structural(schema)
            || schema.enumeration.is_some()
            || schema.constant.is_some()
        {
            return None;
        }
        let mut members = schema.reference.iter().chain(&schema.all_of).copied();
        let first = members.find(|id| View::of(self.schemas, *id).is_structural())?;
        let another = members.any(|id| View::of(self.schemas, id).is_structural());
        (!another).then_some(first)
    }

    fn alias(&mut self, id: SchemaId, side: Side, target: Type) -> Type {
        // `null` is said where the alias is used, so that an optional member of it can be a `Patch`.
        match target {
            Type::Option(inner) => Type::Option(Box::new(self.name(id, side, Definition::Alias(*inner), false))),
            Type::Json => Type::Json,
            other => self.name(id, side, Definition::Alias(other), false),
        }
    }

    fn name(&mut self, schema: SchemaId, side: Side, definition: Definition, open: bool) -> Type {
        let id = NamedId(self.named.len() as u32);
        self.named.push(Named { schema, side, ident: String::new(), definition });
        if open {
            self.queue.push(id);
        }
        Type::Named(id)
    }

    fn own_type(&mut self, id: SchemaId, way: Way, side: Side) -> Type {
        let view = View::of(self.schemas, id);
        if view.opaque {
            return Type::Json;
        }
        let open = || Definition::Alias(Type::Json);
        if let Some((_, null)) = view.strings() {
            let admits_null = null && view.types.is_none_or(|types| types.contains(Types::NULL));
            let named = self.name(id, side, open(), true);
            return if admits_null { named.nullable() } else { named };
        }
        if view.types.is_none() && self.constants(&view).is_some() {
            return self.name(id, side, open(), true);
        }
        let nullable = view.types.is_some_and(|types| types.contains(Types::NULL));
        let inner = match self.shape(&view) {
            Shape::Named => self.name(id, side, open(), true),
            Shape::Union => self.union_type(id, &view, way, side),
            Shape::Vec => match view.items {
                Some(items) if !view.prefix => far::around(self.type_of(items, way), Type::Vec),
                _ => Type::Vec(Box::new(Type::Json)),
            },
            Shape::Map => far::around(self.map_value(&view, way), Type::Map),
            Shape::Plain(plain) => plain,
        };
        let named = self.schemas.get(id).name.is_some();
        let inner = match inner {
            Type::Named(_) | Type::Json => inner,
            other if named => self.alias(id, side, other),
            other => other,
        };
        if nullable { inner.nullable() } else { inner }
    }

    fn map_value(&mut self, view: &View<'_>, way: Way) -> Type {
        let nothing = |id: SchemaId| self.schemas.get(id).nothing;
        let additional = view.additional.filter(|id| !nothing(*id));
        match (view.patterns.as_slice(), additional) {
            ([], Some(id)) => self.type_of(id, way),
            ([id], None) => {
                let id = *id;
                // Without `additionalProperties: false` other names may have any value.
                if view.additional.is_some() { self.type_of(id, way) } else { Type::Json }
            }
            _ => Type::Json,
        }
    }

    fn shape(&self, view: &View<'_>) -> Shape {
        let types = view.types.map(|types| types.without(Types::NULL));
        let speaks_of_objects = !view.fields.is_empty() || view.additional.is_some() || !view.patterns.is_empty();
        match types {
            Some(Types::OBJECT) if !view.fields.is_empty() => Shape::Named,
            None if !view.fields.is_empty() && view.items.is_none() => Shape::Named,
            Some(Types::OBJECT) if view.unions.is_empty() => Shape::Map,
            Some(Types::OBJECT) | None if !view.unions.is_empty() => Shape::Union,
            None if speaks_of_objects && view.items.is_none() => Shape::Map,
            None if view.items.is_some() && !speaks_of_objects => Shape::Vec,
            Some(Types::ARRAY) => Shape::Vec,
            Some(types) if types.is_empty() => Shape::Plain(Type::Json),
            Some(Types::STRING) => Shape::Plain(text(view.format, view.encoding)),
            Some(Types::BOOLEAN) => Shape::Plain(Type::Bool),
            Some(Types::INTEGER) => Shape::Plain(integer(view.format, view.minimum, view.maximum)),
            Some(types) if types == Types::NUMBER || types == Types::NUMBER.with(Types::INTEGER) => {
                Shape::Plain(Type::F64)
            }
            Some(_) if !view.unions.is_empty() => Shape::Union,
            _ => Shape::Plain(Type::Json),
        }
    }

    /// The strings of a union whose branches are all constants.
    fn constants(&self, view: &View<'_>) -> Option<Vec<String>> {
        let [union] = view.unions.as_slice() else { return None };
        if !view.fields.is_empty() {
            return None;
        }
        let mut all = Vec::new();
        for branch in &union.branches {
            let branch = View::of(self.schemas, *branch);
            let (strings, false) = branch.strings()? else { return None };
            all.extend(strings.into_iter().map(str::to_owned));
        }
        let mut seen = HashSet::new();
        all.retain(|text| seen.insert(text.clone()));
        Some(all)
    }

    /// A union that is no more than one of its branches, or `null` beside it, needs no enum.
    fn union_type(&mut self, id: SchemaId, view: &View<'s>, way: Way, side: Side) -> Type {
        let [union] = view.unions.as_slice() else { return Type::Json };
        if self.constants(view).is_some() {
            return self.name(id, side, Definition::Alias(Type::Json), true);
        }
        let (branches, null) = self.without_null(union);
        let kinds: Vec<Type> = branches.iter().map(|branch| self.type_of(*branch, way)).collect();
        // A nullable branch makes the whole nullable.
        let null = null || kinds.iter().any(|kind| matches!(kind, Type::Option(_)));
        let kinds: Vec<Type> = kinds.into_iter().map(without_option).collect();
        let inner = match kinds.split_first() {
            None => return Type::Json,
            Some((first, others)) if others.iter().all(|other| other == first) => first.clone(),
            Some(_) if kinds.len() > 100 => Type::Json,
            Some(_) => self.name(id, side, Definition::Alias(Type::Json), true),
        };
        if null { inner.nullable() } else { inner }
    }

    fn without_null(&self, union: &Union<'_>) -> (Vec<SchemaId>, bool) {
        let is_null = |id: &SchemaId| {
            let branch = View::of(self.schemas, *id);
            branch.types == Some(Types::NULL)
                || branch.values.as_ref().is_some_and(|v| matches!(v.as_slice(), [gatewright_ir::json::Json::Null]))
        };
        let branches: Vec<SchemaId> = union.branches.iter().copied().filter(|id| !is_null(id)).collect();
        let null = branches.len() < union.branches.len();
        (branches, null)
    }

    fn define(&mut self, id: SchemaId, way: Way) -> Definition {
        let mut view = View::of(self.schemas, id);
        let strings = view.strings().map(|(all, _)| all.into_iter().map(str::to_owned).collect());
        if let Some(texts) = strings.or_else(|| self.constants(&view)) {
            let idents = names::unique(texts.iter().map(String::as_str), Case::Pascal, &[]);
            return Definition::Strings(idents.into_iter().zip(texts).collect());
        }
        if view.fields.is_empty()
            && let [union] = view.unions.as_slice()
        {
            return self.define_union(union, way);
        }
        view.absorb_unions(self.schemas);
        self.define_struct(id, &view, way)
    }

    fn define_struct(&mut self, id: SchemaId, view: &View<'s>, way: Way) -> Definition {
        let hidden = |planner: &Self, schemas: &[SchemaId]| {
            schemas.iter().any(|id| match way {
                Way::In => read_only(planner.schemas, *id),
                Way::Out => write_only(planner.schemas, *id),
            })
        };
        let (hidden, shown): (Vec<_>, Vec<_>) = view.fields.iter().partition(|field| hidden(self, &field.schemas));
        let hidden = hidden.into_iter().map(|field| field.name.to_owned()).collect();
        let additional = match view.additional {
            Some(id) if self.schemas.get(id).nothing => None,
            Some(id) if view.patterns.is_empty() => Some(self.type_of(id, way)),
            Some(_) => Some(Type::Json),
            None => self.kept.contains(&id).then_some(Type::Json),
        };
        let taken: &[&str] = if additional.is_some() { &["additional"] } else { &[] };
        let idents = names::unique(shown.iter().map(|field| field.name), Case::Snake, taken);
        let mut fields = Vec::with_capacity(shown.len());
        for (field, ident) in shown.into_iter().zip(idents) {
            let mut best: Option<(SchemaId, Type)> = None;
            for schema in &field.schemas {
                let kind = self.type_of(*schema, way);
                let better = match &best {
                    None => true,
                    Some((_, Type::Json)) => true,
                    Some((_, before)) => !has_name(before) && has_name(&kind),
                };
                if better {
                    best = Some((*schema, kind));
                }
            }
            let Some((schema, kind)) = best else { continue };
            let wrapper = field.schemas.iter().find_map(|id| self.protection(*id));
            let required = view.required.contains(field.name);
            // Whether the default fits its type is known when all types are: see `settle`.
            let default =
                self.incoming.contains(&schema) && !required && literal::default_of(self.schemas, schema).is_some();
            let (kind, presence) = match (required, kind) {
                (true, kind) => (kind, Presence::Required),
                (false, kind) if default => (kind, Presence::Default),
                (false, Type::Option(inner)) => (*inner, Presence::Patch),
                (false, kind) => (kind, Presence::Optional),
            };
            fields.push(Field {
                name: field.name.to_owned(),
                ident,
                schema,
                kind,
                wrapper,
                presence,
                held: Held::Here,
            });
        }
        Definition::Struct { fields, additional, hidden }
    }

    fn protection(&self, id: SchemaId) -> Option<Wrapper> {
        let schema = self.schemas.get(id);
        let own = schema.notes.protection.as_ref().map(|protection| protection.classification);
        match own.or_else(|| {
            let referred = self.schemas.get(schema.reference?);
            referred.notes.protection.as_ref().map(|protection| protection.classification)
        })? {
            Classification::Pii => Some(Wrapper::Pii),
            Classification::Secret => Some(Wrapper::Secret),
            Classification::Public | Classification::Internal => None,
        }
    }

    fn define_union(&mut self, union: &Union<'s>, way: Way) -> Definition {
        let (branches, _) = self.without_null(union);
        let mut texts: Vec<String> = Vec::new();
        let mut kinds = Vec::new();
        for branch in &branches {
            let kind = without_option(self.type_of(*branch, way));
            let schema = self.schemas.get(*branch);
            let text = match (&schema.name, &schema.notes.title) {
                (Some(name), _) => name.clone(),
                (None, Some(title)) if title.len() <= 40 => title.clone(),
                _ => kind_word(&kind, &self.named).to_owned(),
            };
            let mut unique = text.clone();
            let mut count = 1;
            while texts.contains(&unique) {
                count += 1;
                unique = format!("{text}{count}");
            }
            texts.push(unique);
            kinds.push(kind);
        }
        let idents = names::unique(texts.iter().map(String::as_str), Case::Pascal, &[]);
        let variants = branches.iter().zip(idents).zip(kinds).map(|((schema, ident), kind)| Variant {
            ident,
            schema: *schema,
            kind,
            held: Held::Here,
        });
        let choice = self.choice(union, &branches);
        Definition::Union { variants: variants.collect(), choice }
    }

    fn choice(&self, union: &Union<'_>, branches: &[SchemaId]) -> Choice {
        if let Some(discriminator) = union.discriminator.filter(|d| dispatches(d, &union.branches)) {
            let place = |id: SchemaId| branches.iter().position(|branch| *branch == id);
            let values = discriminator.mapping.iter().filter_map(|(value, id)| Some((value.clone(), place(*id)?)));
            let default = discriminator.default.and_then(place);
            return Choice::Property { name: discriminator.property.clone(), values: values.collect(), default };
        }
        if let Some((name, values)) = self.telling_property(branches) {
            return Choice::Property { name, values, default: None };
        }
        Choice::Kind { exactly_one: union.exactly_one }
    }

    /// A property that every branch requires and whose constant tells the branches apart.
    fn telling_property(&self, branches: &[SchemaId]) -> Option<(String, Vec<(String, usize)>)> {
        let views: Vec<View<'_>> = branches.iter().map(|branch| View::of(self.schemas, *branch)).collect();
        if views.iter().any(|view| view.types != Some(Types::OBJECT)) {
            return None;
        }
        let (first, _) = views.split_first()?;
        'fields: for field in &first.fields {
            let mut values: Vec<(String, usize)> = Vec::new();
            for (place, view) in views.iter().enumerate() {
                let Some(field) = view.fields.iter().find(|other| other.name == field.name) else { continue 'fields };
                let mut of_branch = field.schemas.iter().filter_map(|id| {
                    let view = View::of(self.schemas, *id);
                    let (strings, null) = view.strings()?;
                    (!null).then(|| strings.into_iter().map(str::to_owned).collect::<Vec<_>>())
                });
                let Some(of_branch) = of_branch.next() else { continue 'fields };
                if !view.required.contains(field.name) || values.iter().any(|(value, _)| of_branch.contains(value)) {
                    continue 'fields;
                }
                values.extend(of_branch.into_iter().map(|value| (value, place)));
            }
            return Some((field.name.to_owned(), values));
        }
        None
    }

    /// Gives names, and boxes what would be infinitely large, for all types planned since the last time.
    fn settle(&mut self) {
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

enum Shape {
    Named,
    Union,
    Vec,
    Map,
    Plain(Type),
}

/// Whether a discriminator decides: every value it maps means one of the branches.
pub(super) fn dispatches(discriminator: &gatewright_ir::schema::Discriminator, branches: &[SchemaId]) -> bool {
    !discriminator.mapping.is_empty()
        && branches.iter().all(|branch| {
            discriminator.mapping.iter().any(|(_, id)| id == branch) || discriminator.default == Some(*branch)
        })
        && discriminator.mapping.iter().all(|(_, id)| branches.contains(id))
}

fn without_option(kind: Type) -> Type {
    match kind {
        Type::Option(inner) => *inner,
        other => other,
    }
}

fn has_name(kind: &Type) -> bool {
    let mut found = false;
    kind.named(&mut |_, _| found = true);
    found
}

fn kind_word(kind: &Type, named: &[Named]) -> &'static str {
    match kind {
        Type::Json => "Any",
        Type::Number | Type::F64 => "Number",
        Type::Bool => "Boolean",
        Type::I32 | Type::I64 | Type::U32 | Type::U64 | Type::I128 => "Integer",
        Type::String => "Text",
        Type::Timestamp => "Timestamp",
        Type::Date => "Date",
        Type::Uuid => "Uuid",
        Type::Base64 => "Bytes",
        Type::File => "File",
        Type::Vec(_) => "List",
        Type::Map(_) => "Map",
        Type::Option(inner) => kind_word(inner, named),
        Type::Own { .. } => "Value",
        Type::Named(id) => match named.get(id.0 as usize).map(|named| &named.definition) {
            Some(Definition::Strings(_)) => "Choice",
            _ => "Variant",
        },
    }
}

fn text(format: Option<&str>, encoding: Option<&str>) -> Type {
    match (format, encoding) {
        (Some("date-time"), _) => Type::Timestamp,
        (Some("date"), _) => Type::Date,
        (Some("uuid"), _) => Type::Uuid,
        (Some(gatewright_ir::schema::FILE), _) => Type::File,
        (Some("byte"), _) | (_, Some("base64")) => Type::Base64,
        _ => Type::String,
    }
}

fn integer(format: Option<&str>, minimum: Option<&Number>, maximum: Option<&Number>) -> Type {
    let beyond = |number: Option<&Number>, least: i128, most: i128| {
        number.is_some_and(|number| number.as_i128().is_none_or(|value| value < least || value > most))
    };
    let wide = |least: i128, most: i128| beyond(minimum, least, most) || beyond(maximum, least, most);
    match format {
        Some("int32") => Type::I32,
        Some("uint32") => Type::U32,
        Some("uint64") => Type::U64,
        _ if !wide(i64::MIN.into(), i64::MAX.into()) => Type::I64,
        _ if !wide(0, u64::MAX.into()) && minimum.is_some() => Type::U64,
        _ if !wide(i128::MIN, i128::MAX) => Type::I128,
        _ => Type::Number,
    }
}

/// Whether a property never comes in.
pub(super) fn read_only(schemas: &Schemas, id: SchemaId) -> bool {
    noted(schemas, id, &|schema| schema.notes.read_only, 8)
}

/// Whether a property never goes out.
pub(super) fn write_only(schemas: &Schemas, id: SchemaId) -> bool {
    noted(schemas, id, &|schema| schema.notes.write_only, 8)
}

fn noted(schemas: &Schemas, id: SchemaId, note: &dyn Fn(&Schema) -> bool, depth: u8) -> bool {
    let schema = schemas.get(id);
    note(schema)
        || (depth > 0 && schema.reference.iter().chain(&schema.all_of).any(|id| noted(schemas, *id, note, depth - 1)))
}

/// Every schema that requests of these operations bring.
fn incoming(ir: &gatewright_ir::Ir, of: impl Fn(&Operation) -> bool) -> HashSet<SchemaId> {
    let schemas = &ir.api.schemas;
    let all = ir.api.operations.iter().filter(|operation| of(operation)).flat_map(roots);
    let mut open: Vec<SchemaId> = all.filter(|(_, _, way)| *way == Way::In).map(|(id, _, _)| id).collect();
    let mut seen = HashSet::new();
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            graph::in_place(schemas.get(id), |to| open.push(to));
            graph::below(schemas.get(id), |to| open.push(to));
        }
    }
    seen
}
