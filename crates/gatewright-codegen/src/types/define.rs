//! What a type with a name of its own consists of: the fields of a struct, the variants of a union and how they are told
//! apart.

use gatewright_ir::names::{self, Case};
use gatewright_ir::schema::{Classification, SchemaId, Types};

use super::literal;
use super::model::{Choice, Definition, Field, Held, Named, Presence, Type, Variant, Wrapper};
use super::plan::{Planner, dispatches, read_only, without_option, write_only};
use super::roots::Way;
use super::view::{Union, View};

impl<'s> Planner<'s> {
    pub(super) fn define(&mut self, id: SchemaId, way: Way) -> Definition {
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
