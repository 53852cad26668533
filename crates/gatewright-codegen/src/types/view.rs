//! What a schema says of the type of its values, with everything that holds in place taken together: its own keywords,
//! those it refers to, and `allOf`.

use std::collections::{HashMap, HashSet};

use gatewright_ir::json::{Json, Number};
use gatewright_ir::schema::{Discriminator, Schema, SchemaId, Schemas, Types};

/// One property, with every schema that speaks of it.
#[derive(Clone, Debug)]
pub(super) struct Field<'s> {
    pub(super) name: &'s str,
    pub(super) schemas: Vec<SchemaId>,
}

/// `oneOf` or `anyOf`.
#[derive(Clone, Debug)]
pub(super) struct Union<'s> {
    pub(super) branches: Vec<SchemaId>,
    pub(super) exactly_one: bool,
    pub(super) discriminator: Option<&'s Discriminator>,
}

/// Schemas of one place taken together.
#[derive(Clone, Debug, Default)]
pub(super) struct View<'s> {
    pub(super) types: Option<Types>,
    pub(super) values: Option<Vec<&'s Json>>,
    pub(super) fields: Vec<Field<'s>>,
    places: HashMap<&'s str, usize>,
    pub(super) required: HashSet<&'s str>,
    /// `additionalProperties`, the first one said.
    pub(super) additional: Option<SchemaId>,
    pub(super) patterns: Vec<SchemaId>,
    pub(super) items: Option<SchemaId>,
    pub(super) prefix: bool,
    pub(super) format: Option<&'s str>,
    pub(super) encoding: Option<&'s str>,
    pub(super) minimum: Option<&'s Number>,
    pub(super) maximum: Option<&'s Number>,
    pub(super) unions: Vec<Union<'s>>,
    /// More members than are worth following, or a schema that contains itself in place.
    pub(super) opaque: bool,
}

/// A composition of more schemas than this is not typed, only checked.
const MOST_MEMBERS: usize = 500;

impl<'s> View<'s> {
    pub(super) fn of(schemas: &'s Schemas, id: SchemaId) -> View<'s> {
        let mut view = View::default();
        let mut under_way = Vec::new();
        let mut left = MOST_MEMBERS;
        view.add(schemas, id, &mut under_way, &mut left, false);
        view
    }

    /// Adds the properties of the branches of unions as optional ones: for an object whose branches only say more of it.
    pub(super) fn absorb_unions(&mut self, schemas: &'s Schemas) {
        let mut left = MOST_MEMBERS;
        for union in std::mem::take(&mut self.unions) {
            for branch in union.branches {
                self.add(schemas, branch, &mut Vec::new(), &mut left, true);
            }
        }
        self.unions.clear();
    }

    fn add(
        &mut self,
        schemas: &'s Schemas,
        id: SchemaId,
        under_way: &mut Vec<SchemaId>,
        left: &mut usize,
        only_properties: bool,
    ) {
        if under_way.contains(&id) || *left == 0 || under_way.len() > 64 {
            self.opaque = true;
            return;
        }
        *left -= 1;
        under_way.push(id);
        let schema = schemas.get(id);
        for member in schema.reference.iter().chain(&schema.all_of) {
            self.add(schemas, *member, under_way, left, only_properties);
        }
        self.own(schema, only_properties);
        if only_properties {
            for branch in schema.one_of.iter().chain(&schema.any_of) {
                self.add(schemas, *branch, under_way, left, true);
            }
        }
        under_way.pop();
    }

    fn own(&mut self, schema: &'s Schema, only_properties: bool) {
        for property in &schema.object.properties {
            let place = *self.places.entry(&property.name).or_insert(self.fields.len());
            if place == self.fields.len() {
                self.fields.push(Field { name: &property.name, schemas: Vec::new() });
            }
            if let Some(field) = self.fields.get_mut(place)
                && !field.schemas.contains(&property.schema)
            {
                field.schemas.push(property.schema);
            }
        }
        let object = &schema.object;
        self.additional = self.additional.or(object.additional_properties).or(object.unevaluated_properties);
        if only_properties {
            return;
        }
        self.patterns.extend(object.pattern_properties.iter().map(|(_, id)| *id));
        self.required.extend(object.required.iter().map(String::as_str));
        if let Some(types) = schema.types {
            self.types = Some(self.types.map_or(types, |before| both(before, types)));
        }
        let values = schema
            .enumeration
            .as_ref()
            .map(|all| all.iter().collect())
            .or(schema.constant.as_ref().map(|one| vec![one]));
        if let Some(values) = values {
            let values: Vec<&Json> = values;
            match &mut self.values {
                Some(before) => before.retain(|value| values.contains(value)),
                None => self.values = Some(values),
            }
        }
        self.items = self.items.or(schema.array.items);
        self.prefix |= !schema.array.prefix_items.is_empty();
        self.format = self.format.or(schema.notes.format.as_ref().map(|format| format.value.as_str()));
        self.encoding = self.encoding.or(schema.string.content_encoding.as_deref());
        let number = &schema.number;
        self.minimum = self.minimum.or(number.minimum.as_ref()).or(number.exclusive_minimum.as_ref());
        self.maximum = self.maximum.or(number.maximum.as_ref()).or(number.exclusive_maximum.as_ref());
        for (branches, exactly_one) in [(&schema.one_of, true), (&schema.any_of, false)] {
            if !branches.is_empty() {
                let discriminator = schema.discriminator.as_ref();
                self.unions.push(Union { branches: branches.clone(), exactly_one, discriminator });
            }
        }
        self.opaque |= schema.nothing || schema.dynamic_reference.is_some();
    }

    /// The strings of an `enum` (`null` left out) and whether `null` is among them; `None` if there is anything else.
    pub(super) fn strings(&self) -> Option<(Vec<&'s str>, bool)> {
        let mut strings = Vec::new();
        let mut null = false;
        for value in self.values.as_ref()? {
            match value {
                Json::String(text) if !strings.contains(&text.as_str()) => strings.push(text.as_str()),
                Json::String(_) => {}
                Json::Null => null = true,
                _ => return None,
            }
        }
        (!strings.is_empty()).then_some((strings, null))
    }

    /// Whether anything here decides about a type; what only restricts values does not.
    pub(super) fn is_structural(&self) -> bool {
        self.types.is_some()
            || self.values.is_some()
            || !self.fields.is_empty()
            || self.additional.is_some()
            || !self.patterns.is_empty()
            || self.items.is_some()
            || self.prefix
            || !self.unions.is_empty()
            || self.opaque
    }
}

/// What both sets of types admit.
fn both(a: Types, b: Types) -> Types {
    let whole = |t: Types| if t.contains(Types::NUMBER) { t.with(Types::INTEGER) } else { t };
    let (a, b) = (whole(a), whole(b));
    let all = [Types::NULL, Types::BOOLEAN, Types::INTEGER, Types::NUMBER, Types::STRING, Types::ARRAY, Types::OBJECT];
    let shared = all.into_iter().filter(|t| a.contains(*t) && b.contains(*t));
    shared.fold(Types::empty(), Types::with)
}

/// Whether a schema's own keywords decide about a type, apart from what it refers to.
pub(super) fn own_is_structural(schema: &Schema) -> bool {
    let mut own = View::default();
    own.own(schema, false);
    own.fields.is_empty().then_some(()).is_none()
        || own.additional.is_some()
        || !own.patterns.is_empty()
        || own.items.is_some()
        || own.prefix
        || !own.unions.is_empty()
        || own.opaque
}
