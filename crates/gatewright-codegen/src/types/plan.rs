//! Schema to Rust type.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use gatewright_ir::api::Operation;
use gatewright_ir::json::Number;
use gatewright_ir::policy::UnknownFields;
use gatewright_ir::schema::{Schema, SchemaId, Schemas, Types};

use super::far;
use super::graph::{self, Graph};
use super::keywords::{self, ALL_KINDS};
use super::model::{Definition, Named, NamedId, Side, Type};
use super::roots::{Contexts, Way, roots};
use super::view::{self, Union, View};

/// Plans types on demand, each once.
pub(super) struct Planner<'s> {
    pub(super) schemas: &'s Schemas,
    pub(super) graph: Rc<Graph>,
    pub(super) contexts: Contexts,
    pub(super) named: Vec<Named>,
    pub(super) memo: HashMap<(SchemaId, Side), Type>,
    pub(super) under_way: Vec<(SchemaId, Side)>,
    pub(super) queue: Vec<NamedId>,
    pub(super) idents: HashSet<String>,
    /// How far names and boxes are given.
    pub(super) settled: usize,
    /// Schemas that come in with requests: their properties have their defaults.
    pub(super) incoming: HashSet<SchemaId>,
    /// Those of them whose unknown fields some operation keeps.
    pub(super) kept: HashSet<SchemaId>,
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

    pub(super) fn type_of(&mut self, id: SchemaId, way: Way) -> Type {
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
    pub(super) fn constants(&self, view: &View<'_>) -> Option<Vec<String>> {
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

    pub(super) fn without_null(&self, union: &Union<'_>) -> (Vec<SchemaId>, bool) {
        let is_null = |id: &SchemaId| {
            let branch = View::of(self.schemas, *id);
            branch.types == Some(Types::NULL)
                || branch.values.as_ref().is_some_and(|v| matches!(v.as_slice(), [gatewright_ir::json::Json::Null]))
        };
        let branches: Vec<SchemaId> = union.branches.iter().copied().filter(|id| !is_null(id)).collect();
        let null = branches.len() < union.branches.len();
        (branches, null)
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

pub(super) fn without_option(kind: Type) -> Type {
    match kind {
        Type::Option(inner) => *inner,
        other => other,
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
