//! Schemas in our words: JSON Schema 2020-12, whatever version of OpenAPI the text was written in.
//!
//! A schema is a set of keywords, each with exactly JSON Schema's meaning; OpenAPI 3.0 was lifted before (`nullable`
//! became a type, boolean exclusive bounds became numbers, `byte` became an encoding). Nothing here decides about Rust:
//! backends plan their types and generate a check for whatever a type cannot say.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use gatewright_diag::{Span, Spanned};

use crate::json::{Json, Number};

/// The `format` of a part of a form that is a file: no document can write it so that it means this elsewhere, where no file
/// can be.
pub const FILE: &str = "\u{0}file";

/// A schema of a [`Schemas`] arena. Two uses of one `$ref` have one id, so recursion is an id met again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SchemaId(pub u32);

/// All schemas of an API.
#[derive(Clone, Debug, Default)]
pub struct Schemas {
    list: Vec<Schema>,
}

impl Schemas {
    /// Keeps a place, for a schema that may refer to itself before it is complete.
    pub fn reserve(&mut self) -> SchemaId {
        self.add(Schema::default())
    }

    /// Adds a schema.
    pub fn add(&mut self, schema: Schema) -> SchemaId {
        let id = SchemaId(self.list.len() as u32);
        self.list.push(schema);
        id
    }

    /// Fills a kept place.
    pub fn set(&mut self, id: SchemaId, schema: Schema) {
        if let Some(slot) = self.list.get_mut(id.0 as usize) {
            *slot = schema;
        }
    }

    /// The schema with this id. An id of another arena gives the schema that admits nothing: closed, not open.
    pub fn get(&self, id: SchemaId) -> &Schema {
        static NOTHING: std::sync::LazyLock<Schema> =
            std::sync::LazyLock::new(|| Schema { nothing: true, ..Schema::default() });
        self.list.get(id.0 as usize).unwrap_or(&NOTHING)
    }

    /// The schemas that always apply to the same value: this one, what it refers to, and its `allOf`. Each once, those of a
    /// part behind it: who walked all ways to them would never end in a document that means him ill.
    pub fn always(&self, id: SchemaId) -> impl Iterator<Item = &Schema> {
        self.walk(vec![id], |schema| schema.reference.iter().chain(&schema.all_of).copied().collect())
    }

    /// The schemas that may apply to the same value: those that always do, and `oneOf` and `anyOf`. Each once.
    pub fn possibly(&self, id: SchemaId) -> impl Iterator<Item = &Schema> {
        self.possibly_any([id])
    }

    /// The schemas that may apply to the same value as one of these. Each once, however many lead to it.
    pub fn possibly_any(&self, from: impl IntoIterator<Item = SchemaId>) -> impl Iterator<Item = &Schema> {
        self.walk(from.into_iter().collect(), |schema| {
            let all = schema.reference.iter().chain(&schema.all_of).chain(&schema.one_of).chain(&schema.any_of);
            all.copied().collect()
        })
    }

    /// These schemas and all that they name, of whatever value. Each once.
    pub fn reached(&self, from: impl IntoIterator<Item = SchemaId>) -> impl Iterator<Item = &Schema> {
        self.walk(from.into_iter().collect(), |schema| {
            let mut named = Vec::new();
            schema.each(|id| named.push(id));
            named
        })
    }

    /// The schemas that name one of `ends`, by whatever way, and these themselves: each with the first that it leads to, in the
    /// order in which they are given. One walk, however many ask.
    pub fn leading_to(&self, ends: impl IntoIterator<Item = SchemaId>) -> HashMap<SchemaId, SchemaId> {
        let mut namers: HashMap<SchemaId, Vec<SchemaId>> = HashMap::new();
        for (id, schema) in self.iter() {
            schema.each(|named| namers.entry(named).or_default().push(id));
        }
        let mut first = HashMap::new();
        for end in ends {
            let mut way = vec![end];
            while let Some(id) = way.pop() {
                if let Entry::Vacant(place) = first.entry(id) {
                    place.insert(end);
                    way.extend(namers.get(&id).into_iter().flatten());
                }
            }
        }
        first
    }

    fn walk(&self, mut way: Vec<SchemaId>, parts: impl Fn(&Schema) -> Vec<SchemaId>) -> impl Iterator<Item = &Schema> {
        let mut seen = HashSet::new();
        std::iter::from_fn(move || {
            while let Some(id) = way.pop() {
                if seen.insert(id) {
                    let schema = self.get(id);
                    way.extend(parts(schema).into_iter().rev());
                    return Some(schema);
                }
            }
            None
        })
    }

    /// Every schema with its id, in the order of adding.
    pub fn iter(&self) -> impl Iterator<Item = (SchemaId, &Schema)> {
        self.list.iter().enumerate().map(|(i, s)| (SchemaId(i as u32), s))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

/// One schema. The default admits every value (`true`).
#[derive(Clone, Debug, Default)]
pub struct Schema {
    /// Where it stands.
    pub span: Span,
    /// The name of the component that it is (`Pet` of `#/components/schemas/Pet`); `None` for inline schemas.
    pub name: Option<String>,
    /// The schema `false`: it admits nothing.
    pub nothing: bool,
    /// `$ref` with other keywords beside it (3.1 and later): both must hold. A bare `$ref` is the id it points to.
    pub reference: Option<SchemaId>,
    /// `$dynamicRef`: the anchor's name, and what it is when no outer schema has that `$dynamicAnchor`.
    pub dynamic_reference: Option<(String, SchemaId)>,
    /// `$dynamicAnchor`s of this schema resource, with what they name.
    pub dynamic_anchors: Vec<(String, SchemaId)>,
    /// `type`; `None` admits all.
    pub types: Option<Types>,
    /// `enum`; a value equal to one of these (numbers by value: `1` equals `1.0`).
    pub enumeration: Option<Vec<Json>>,
    /// `const`.
    pub constant: Option<Json>,
    /// What holds for numbers.
    pub number: NumberRules,
    /// What holds for strings.
    pub string: StringRules,
    /// What holds for arrays.
    pub array: ArrayRules,
    /// What holds for objects.
    pub object: ObjectRules,
    /// `allOf`.
    pub all_of: Vec<SchemaId>,
    /// `anyOf`; empty means that the keyword is absent.
    pub any_of: Vec<SchemaId>,
    /// `oneOf`; empty means that the keyword is absent.
    pub one_of: Vec<SchemaId>,
    /// `not`.
    pub not: Option<SchemaId>,
    /// `if`, with its `then` and `else`.
    pub condition: Option<Condition>,
    /// OpenAPI's `discriminator`.
    pub discriminator: Option<Discriminator>,
    /// What is said about the values without restricting them.
    pub notes: Notes,
}

/// `if`, `then`, `else`.
#[derive(Clone, Debug)]
pub struct Condition {
    /// `if`.
    pub when: SchemaId,
    /// `then`.
    pub then: Option<SchemaId>,
    /// `else`.
    pub otherwise: Option<SchemaId>,
}

/// A set of JSON types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Types(u8);

impl Types {
    /// `null`
    pub const NULL: Types = Types(1);
    /// `boolean`
    pub const BOOLEAN: Types = Types(2);
    /// `integer`: a number without fraction, so `1.0` too.
    pub const INTEGER: Types = Types(4);
    /// `number`; includes integers.
    pub const NUMBER: Types = Types(8);
    /// `string`
    pub const STRING: Types = Types(16);
    /// `array`
    pub const ARRAY: Types = Types(32);
    /// `object`
    pub const OBJECT: Types = Types(64);

    /// No type: admits nothing.
    pub const fn empty() -> Types {
        Types(0)
    }

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Types) -> Types {
        Types(self.0 | other.0)
    }

    /// This set without `other`.
    #[must_use]
    pub const fn without(self, other: Types) -> Types {
        Types(self.0 & !other.0)
    }

    /// Whether all of `other` is in this set.
    pub const fn contains(self, other: Types) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether there is none in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each type of the set with JSON Schema's name for it.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        const ALL: [(Types, &str); 7] = [
            (Types::NULL, "null"),
            (Types::BOOLEAN, "boolean"),
            (Types::INTEGER, "integer"),
            (Types::NUMBER, "number"),
            (Types::STRING, "string"),
            (Types::ARRAY, "array"),
            (Types::OBJECT, "object"),
        ];
        ALL.into_iter().filter(move |(t, _)| self.contains(*t)).map(|(_, name)| name)
    }

    /// The type with this name.
    pub fn parse(name: &str) -> Option<Types> {
        Some(match name {
            "null" => Types::NULL,
            "boolean" => Types::BOOLEAN,
            "integer" => Types::INTEGER,
            "number" => Types::NUMBER,
            "string" => Types::STRING,
            "array" => Types::ARRAY,
            "object" => Types::OBJECT,
            _ => return None,
        })
    }
}

/// What holds for numbers. Bounds are exact: no float stands between the text and the comparison.
#[derive(Clone, Debug, Default)]
pub struct NumberRules {
    /// `minimum`
    pub minimum: Option<Number>,
    /// `exclusiveMinimum`
    pub exclusive_minimum: Option<Number>,
    /// `maximum`
    pub maximum: Option<Number>,
    /// `exclusiveMaximum`
    pub exclusive_maximum: Option<Number>,
    /// `multipleOf`
    pub multiple_of: Option<Number>,
}

/// A regular expression (ECMA 262, with the `u` flag's meaning of code points). It matches anywhere in the text unless it
/// is anchored. The front end has checked it and bounded its size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// As written.
    pub source: String,
    /// The same language in the syntax of the `regex` crate, which matches in linear time and compiles it within 10 MiB.
    /// `None` for look-around and back-references, which no linear engine has: those are matched with bounded work.
    pub translated: Option<String>,
    /// Where it stands.
    pub span: Span,
}

/// What holds for strings. Lengths count Unicode code points; a bound beyond `u64` is the largest `u64`.
#[derive(Clone, Debug, Default)]
pub struct StringRules {
    /// `minLength`
    pub min_length: Option<u64>,
    /// `maxLength`
    pub max_length: Option<u64>,
    /// `pattern`
    pub pattern: Option<Pattern>,
    /// `contentEncoding`
    pub content_encoding: Option<String>,
    /// `contentMediaType`
    pub content_media_type: Option<String>,
    /// `contentSchema`
    pub content_schema: Option<SchemaId>,
}

/// What holds for arrays.
#[derive(Clone, Debug, Default)]
pub struct ArrayRules {
    /// `items`: of every item behind the prefix.
    pub items: Option<SchemaId>,
    /// `prefixItems`
    pub prefix_items: Vec<SchemaId>,
    /// `contains`
    pub contains: Option<SchemaId>,
    /// `minContains`
    pub min_contains: Option<u64>,
    /// `maxContains`
    pub max_contains: Option<u64>,
    /// `minItems`
    pub min_items: Option<u64>,
    /// `maxItems`
    pub max_items: Option<u64>,
    /// `uniqueItems`
    pub unique_items: bool,
    /// `unevaluatedItems`
    pub unevaluated_items: Option<SchemaId>,
}

/// What holds for objects.
#[derive(Clone, Debug, Default)]
pub struct ObjectRules {
    /// `properties`, in the order of the text.
    pub properties: Vec<Property>,
    /// `required`; a name need not be one of `properties`.
    pub required: Vec<String>,
    /// `additionalProperties`; `None` where it is unsaid, which a request's `unknown-fields` policy then decides.
    pub additional_properties: Option<SchemaId>,
    /// `patternProperties`
    pub pattern_properties: Vec<(Pattern, SchemaId)>,
    /// `propertyNames`
    pub property_names: Option<SchemaId>,
    /// `minProperties`
    pub min_properties: Option<u64>,
    /// `maxProperties`
    pub max_properties: Option<u64>,
    /// `dependentRequired`
    pub dependent_required: Vec<(String, Vec<String>)>,
    /// `dependentSchemas`
    pub dependent_schemas: Vec<(String, SchemaId)>,
    /// `unevaluatedProperties`
    pub unevaluated_properties: Option<SchemaId>,
}

impl ObjectRules {
    /// Whether any keyword speaks of objects.
    pub fn is_empty(&self) -> bool {
        self.properties.is_empty()
            && self.required.is_empty()
            && self.additional_properties.is_none()
            && self.pattern_properties.is_empty()
            && self.property_names.is_none()
            && self.min_properties.is_none()
            && self.max_properties.is_none()
            && self.dependent_required.is_empty()
            && self.dependent_schemas.is_empty()
            && self.unevaluated_properties.is_none()
    }
}

/// One of an object's `properties`.
#[derive(Clone, Debug)]
pub struct Property {
    /// The name on the wire.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// What its value must be.
    pub schema: SchemaId,
}

/// OpenAPI's `discriminator`.
#[derive(Clone, Debug)]
pub struct Discriminator {
    /// `propertyName`
    pub property: String,
    /// Which value means which schema: the explicit `mapping` first, then the implied names of `oneOf`/`anyOf` members
    /// and, for a parent that children name in `allOf`, of those children.
    pub mapping: Vec<(String, SchemaId)>,
    /// `defaultMapping` (3.2).
    pub default: Option<SchemaId>,
}

impl Schema {
    /// Every schema that it names: of the same value, and of members, items and names.
    pub fn each(&self, mut to: impl FnMut(SchemaId)) {
        let (array, object) = (&self.array, &self.object);
        self.reference.into_iter().chain(self.not).for_each(&mut to);
        self.dynamic_reference.iter().chain(&self.dynamic_anchors).for_each(|(_, id)| to(*id));
        self.all_of.iter().chain(&self.any_of).chain(&self.one_of).copied().for_each(&mut to);
        if let Some(condition) = &self.condition {
            to(condition.when);
            condition.then.into_iter().chain(condition.otherwise).for_each(&mut to);
        }
        if let Some(discriminator) = &self.discriminator {
            discriminator.mapping.iter().for_each(|(_, id)| to(*id));
            discriminator.default.into_iter().for_each(&mut to);
        }
        array.prefix_items.iter().copied().for_each(&mut to);
        array.items.into_iter().chain(array.contains).chain(array.unevaluated_items).for_each(&mut to);
        object.properties.iter().for_each(|property| to(property.schema));
        object.dependent_schemas.iter().for_each(|(_, id)| to(*id));
        object.pattern_properties.iter().for_each(|(_, id)| to(*id));
        let others = object.additional_properties.into_iter().chain(object.property_names);
        others.chain(object.unevaluated_properties).for_each(to);
    }
}

/// What is said about values without restricting them; and `format`, which our servers do enforce where it is known.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    /// `title`
    pub title: Option<String>,
    /// `description`
    pub description: Option<String>,
    /// `format`
    pub format: Option<Spanned<String>>,
    /// `default`
    pub default: Option<Spanned<Json>>,
    /// `examples`, or the one `example`.
    pub examples: Vec<Json>,
    /// `deprecated`
    pub deprecated: bool,
    /// `readOnly`: never part of a request.
    pub read_only: bool,
    /// `writeOnly`: never part of a response.
    pub write_only: bool,
    /// `x-rust-type`: the path of the user's own type, which is made of what passed the checks. A
    /// [type path](crate::names::is_type_path).
    pub rust_type: Option<Spanned<String>>,
    /// `x-security` of a property: who may read and write it, and what logs may show.
    pub protection: Option<Protection>,
    /// `xml`
    pub xml: Option<Xml>,
}

/// How a value looks in XML (`xml`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Xml {
    /// `name`
    pub name: Option<String>,
    /// `namespace`
    pub namespace: Option<String>,
    /// `prefix`
    pub prefix: Option<String>,
    /// `attribute`, or `nodeType: attribute` (3.2).
    pub attribute: bool,
    /// `wrapped`, or `nodeType: element` of an array (3.2).
    pub wrapped: bool,
    /// `nodeType: text` or `cdata` (3.2): the text of the element around it.
    pub text: bool,
}

/// How sensitive a property or parameter is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Classification {
    /// Anyone may know it.
    Public,
    /// The default: not published, not personal.
    #[default]
    Internal,
    /// Personal data; never in logs, `Debug` or error bodies.
    Pii,
    /// A secret; never in logs, `Debug` or error bodies.
    Secret,
}

/// `x-security` of a schema property or parameter.
#[derive(Clone, Debug, Default)]
pub struct Protection {
    /// How sensitive it is.
    pub classification: Classification,
    /// The scopes or roles of which one lets a caller see it; empty means everybody who gets the response.
    pub read: Vec<Spanned<String>>,
    /// The scopes or roles of which one lets a caller send it.
    pub write: Vec<Spanned<String>>,
    /// Whether logs may show it: `log: show`.
    pub log_shown: bool,
    /// Where it stands.
    pub span: Span,
}
