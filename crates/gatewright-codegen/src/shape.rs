//! What JSON value the text of a parameter or form field becomes: which types its schema admits, seen through
//! references and combinations.

use std::collections::{BTreeMap, HashMap};

use gatewright_ir::json::Json;
use gatewright_ir::schema::{FILE, Schema, SchemaId, Schemas, Types};
use proc_macro2::TokenStream;
use quote::quote;

const NULL: u8 = 1;
const BOOLEAN: u8 = 2;
const NUMBER: u8 = 4;
const STRING: u8 = 8;
const ARRAY: u8 = 16;
const OBJECT: u8 = 32;
const ANY: u8 = 63;

/// Schemas nested deeper than this are read as text: no parameter style writes them.
const DEEPEST: u8 = 6;
/// So are those beyond so many of one shape, which is written out whole.
const MOST: u32 = 65_536;

/// The runtime's `Shape`, before it is written.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Shape {
    kinds: u8,
    items: Option<Box<Shape>>,
    properties: BTreeMap<String, Shape>,
    additional: Option<Box<Shape>>,
    /// A part of a form that is put aside.
    file: bool,
}

/// The shape of a schema.
pub(crate) fn shape(schemas: &Schemas, id: SchemaId) -> Shape {
    let mut shape = Reader { schemas, left: MOST }.of(id, 0);
    // A schema that says nothing of types takes a text as it is; arrays and objects only where they are meant.
    if shape.kinds == ANY {
        shape.kinds = STRING;
    }
    shape
}

/// The JSON types that a schema admits, as the runtime's bits; text where it does not say.
pub(crate) fn kinds(schemas: &Schemas, id: SchemaId) -> u8 {
    fn of(schemas: &Schemas, id: SchemaId, depth: u8, known: &mut HashMap<(SchemaId, u8), u8>) -> u8 {
        if let Some(kinds) = known.get(&(id, depth)) {
            return *kinds;
        }
        let schema = schemas.get(id);
        let mut kinds = own_kinds(schema);
        if depth > DEEPEST {
            return kinds;
        }
        for part in schema.all_of.iter().copied().chain(schema.reference) {
            kinds &= of(schemas, part, depth + 1, known);
        }
        for union in [&schema.one_of, &schema.any_of] {
            if !union.is_empty() {
                kinds &= union.iter().fold(0, |kinds, part| kinds | of(schemas, *part, depth + 1, known));
            }
        }
        known.insert((id, depth), kinds);
        kinds
    }
    match of(schemas, id, 0, &mut HashMap::new()) {
        ANY => STRING,
        kinds => kinds,
    }
}

fn own_kinds(schema: &Schema) -> u8 {
    let mut kinds = match schema.types {
        Some(types) => kinds_of(types),
        None => ANY,
    };
    if let Some(values) = &schema.enumeration {
        kinds &= values.iter().fold(0, |kinds, value| kinds | kind_of(value));
    }
    if let Some(value) = &schema.constant {
        kinds &= kind_of(value);
    }
    if schema.types.is_none() && schema.enumeration.is_none() && schema.constant.is_none() {
        // Keywords of one type alone mean that type, in all documents that forgot to say so.
        if !schema.object.properties.is_empty() {
            kinds = OBJECT;
        } else if schema.array.items.is_some() {
            kinds = ARRAY;
        }
    }
    kinds
}

struct Reader<'s> {
    schemas: &'s Schemas,
    left: u32,
}

impl Reader<'_> {
    fn of(&mut self, id: SchemaId, depth: u8) -> Shape {
        let Some(left) = self.left.checked_sub(1).filter(|_| depth <= DEEPEST) else {
            return Shape { kinds: STRING, ..Shape::default() };
        };
        self.left = left;
        let schema = self.schemas.get(id);
        let mut shape = self.own(schema, depth);
        for part in schema.all_of.iter().copied().chain(schema.reference) {
            let part = self.of(part, depth + 1);
            shape.kinds &= part.kinds;
            shape.take(part);
        }
        for union in [&schema.one_of, &schema.any_of] {
            if union.is_empty() {
                continue;
            }
            let mut kinds = 0;
            for part in union {
                let part = self.of(*part, depth + 1);
                kinds |= part.kinds;
                shape.take(part);
            }
            shape.kinds &= kinds;
        }
        shape
    }

    fn own(&mut self, schema: &Schema, depth: u8) -> Shape {
        let kinds = own_kinds(schema);
        let file = schema.notes.format.as_ref().is_some_and(|format| format.value == FILE);
        let mut shape = Shape { kinds, file, ..Shape::default() };
        if let Some(items) = schema.array.items {
            shape.items = Some(Box::new(self.of(items, depth + 1)));
        }
        for property in &schema.object.properties {
            shape.properties.insert(property.name.clone(), self.of(property.schema, depth + 1));
        }
        shape.additional = schema
            .object
            .additional_properties
            .filter(|id| !self.schemas.get(*id).nothing)
            .map(|id| Box::new(self.of(id, depth + 1)));
        shape
    }
}

impl Shape {
    /// Items and properties of a part of this schema.
    fn take(&mut self, part: Shape) {
        self.file |= part.file;
        self.items = self.items.take().or(part.items);
        self.additional = self.additional.take().or(part.additional);
        for (name, shape) in part.properties {
            self.properties.entry(name).or_insert(shape);
        }
    }

    /// The parts of a form of this shape: name, what a part is made into, and whether it may come several times.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (&str, TokenStream, bool)> {
        self.properties.iter().map(|(name, shape)| {
            let several = shape.kinds & ARRAY != 0;
            let one = if several { shape.items.as_deref().unwrap_or(shape) } else { shape };
            let kind = if one.file {
                quote!(File)
            } else if one.kinds & OBJECT != 0 {
                quote!(Json)
            } else {
                let shape = shape.promoted();
                quote!(Text(#shape))
            };
            (name.as_str(), kind, several)
        })
    }

    /// Whether it takes objects.
    pub(crate) fn is_object(&self) -> bool {
        self.kinds & OBJECT != 0
    }

    /// Whether it takes any text and nothing else.
    pub(crate) fn is_text(&self) -> bool {
        self.kinds == STRING
    }

    fn scalar(&self) -> bool {
        self.kinds & (ARRAY | OBJECT) == 0
    }

    /// The value, as an expression.
    pub(crate) fn value(&self) -> TokenStream {
        if self.scalar() {
            return match self.kinds {
                STRING => quote!(::gatewright::params::Shape::TEXT),
                NUMBER => quote!(::gatewright::params::Shape::NUMBER),
                BOOLEAN => quote!(::gatewright::params::Shape::BOOLEAN),
                kinds => quote!(::gatewright::params::Shape::scalar(#kinds)),
            };
        }
        let kinds = self.kinds;
        let inner = |shape: &Option<Box<Shape>>| match shape {
            Some(shape) => {
                let shape = shape.promoted();
                quote!(::core::option::Option::Some(#shape))
            }
            None => quote!(::core::option::Option::None),
        };
        let items = if self.kinds & ARRAY == 0 { quote!(::core::option::Option::None) } else { inner(&self.items) };
        if let (ARRAY, Some(items)) = (self.kinds, &self.items) {
            let items = items.promoted();
            return quote!(::gatewright::params::Shape::array(#items));
        }
        if self.kinds & OBJECT == 0 {
            return quote! {
                ::gatewright::params::Shape { kinds: #kinds, items: #items, properties: &[], additional: ::core::option::Option::None }
            };
        }
        let properties = self.properties.iter().map(|(name, shape)| {
            let shape = shape.value();
            quote!((#name, #shape))
        });
        if self.kinds == OBJECT {
            let others = self.additional.as_ref().map(|shape| {
                let shape = shape.promoted();
                quote!(.others(#shape))
            });
            return quote!(::gatewright::params::Shape::object(&[#(#properties),*])#others);
        }
        let additional = inner(&self.additional);
        quote! {
            ::gatewright::params::Shape { kinds: #kinds, items: #items, properties: &[#(#properties),*], additional: #additional }
        }
    }

    /// A reference to it, for a constant.
    pub(crate) fn promoted(&self) -> TokenStream {
        let value = self.value();
        quote!(&#value)
    }
}

fn kinds_of(types: Types) -> u8 {
    let bit = |types: Types, t: Types, kind: u8| if types.contains(t) { kind } else { 0 };
    bit(types, Types::NULL, NULL)
        | bit(types, Types::BOOLEAN, BOOLEAN)
        | bit(types, Types::INTEGER, NUMBER)
        | bit(types, Types::NUMBER, NUMBER)
        | bit(types, Types::STRING, STRING)
        | bit(types, Types::ARRAY, ARRAY)
        | bit(types, Types::OBJECT, OBJECT)
}

fn kind_of(value: &Json) -> u8 {
    match value {
        Json::Null => NULL,
        Json::Bool(_) => BOOLEAN,
        Json::Number(_) => NUMBER,
        Json::String(_) => STRING,
        Json::Array(_) => ARRAY,
        Json::Object(_) => OBJECT,
    }
}
