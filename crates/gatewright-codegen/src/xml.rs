//! The table by which a schema's values become XML and come of it (the `xml` objects of a document).

use std::collections::HashMap;

use gatewright_ir::schema::{Schema, SchemaId, Schemas, Types, Xml};
use proc_macro2::TokenStream;
use quote::quote;

use crate::shape;

/// Tables of more nodes are cut: what lies beyond is text.
const MOST: usize = 1_024;
/// Schemas that are part of one another in place are followed so far.
const DEEPEST: u8 = 16;

/// The table of a schema, as an expression that is good for ever.
pub(crate) fn table(schemas: &Schemas, root: SchemaId) -> TokenStream {
    let mut builder = Builder { schemas, known: HashMap::new(), nodes: Vec::new() };
    builder.node(root);
    let own = note(schemas, root, 0);
    let component = schemas.get(root).name.as_deref();
    let name = name(own, component.unwrap_or("root"));
    let nodes = builder.nodes;
    quote!(&const { ::gatewright::body::XmlTable { root: #name, nodes: &[#(#nodes),*] } })
}

struct Builder<'s> {
    schemas: &'s Schemas,
    known: HashMap<SchemaId, u16>,
    nodes: Vec<TokenStream>,
}

impl Builder<'_> {
    fn node(&mut self, id: SchemaId) -> u16 {
        if let Some(known) = self.known.get(&id) {
            return *known;
        }
        if self.nodes.len() >= MOST {
            return u16::MAX;
        }
        let index = u16::try_from(self.nodes.len()).unwrap_or(u16::MAX);
        self.known.insert(id, index);
        self.nodes.push(TokenStream::new());
        let kinds = shape::kinds(self.schemas, id);
        let view = View::of(self.schemas, id);
        let items = match view.items {
            Some(items) => {
                let outer = note(self.schemas, id, 0).and_then(|xml| xml.name.clone());
                self.items(items, outer.as_deref().unwrap_or("item"))
            }
            None => quote!(::core::option::Option::None),
        };
        let properties: Vec<TokenStream> =
            view.properties.into_iter().map(|(key, schema)| self.property(key, schema)).collect();
        let additional = match view.additional.filter(|id| !self.schemas.get(*id).nothing) {
            Some(id) => {
                let node = self.node(id);
                quote!(::core::option::Option::Some(#node))
            }
            None => quote!(::core::option::Option::None),
        };
        if let Some(place) = self.nodes.get_mut(usize::from(index)) {
            *place = quote! {
                ::gatewright::body::XmlNode {
                    kinds: #kinds, items: #items, properties: &[#(#properties),*], additional: #additional
                }
            };
        }
        index
    }

    /// Name and node of an array's items; `outer` names those that have no name of their own.
    fn items(&mut self, items: SchemaId, outer: &str) -> TokenStream {
        let name = name(note(self.schemas, items, 0), outer);
        let node = self.node(items);
        quote!(::core::option::Option::Some((#name, #node)))
    }

    fn property(&mut self, key: &str, schema: SchemaId) -> TokenStream {
        let own = note(self.schemas, schema, 0);
        let array = View::of(self.schemas, schema).items.filter(|_| {
            let types = self.schemas.get(schema).types;
            types.is_none_or(|types| types.contains(Types::ARRAY))
        });
        let (place, name) = match (own, array) {
            (Some(xml), _) if xml.attribute => (quote!(Attribute), name(own, key)),
            (Some(xml), _) if xml.text => (quote!(Text), name(own, key)),
            (own, Some(items)) if !own.is_some_and(|xml| xml.wrapped) => {
                // What is not wrapped is named as its items are, else as the property is.
                let inner = note(self.schemas, items, 0);
                let outer = own.and_then(|xml| xml.name.as_deref()).unwrap_or(key);
                (
                    quote!(Items),
                    if inner.is_some_and(|xml| xml.name.is_some()) { name(inner, key) } else { name(own, outer) },
                )
            }
            _ => (quote!(Element), name(own, key)),
        };
        let node = match array {
            // The items of a property without names of their own are called after it, so the node is its own.
            Some(items) => {
                let outer = own.and_then(|xml| xml.name.as_deref()).unwrap_or(key);
                let items = self.items(items, outer);
                let kinds = shape::kinds(self.schemas, schema);
                self.nodes.push(quote! {
                    ::gatewright::body::XmlNode {
                        kinds: #kinds, items: #items, properties: &[], additional: ::core::option::Option::None
                    }
                });
                u16::try_from(self.nodes.len() - 1).unwrap_or(u16::MAX)
            }
            None => self.node(schema),
        };
        quote! {
            ::gatewright::body::XmlProperty {
                key: #key, place: ::gatewright::body::XmlPlace::#place, name: #name, node: #node
            }
        }
    }
}

/// What all that a schema consists of says together.
#[derive(Default)]
struct View<'s> {
    properties: Vec<(&'s str, SchemaId)>,
    items: Option<SchemaId>,
    additional: Option<SchemaId>,
}

impl<'s> View<'s> {
    fn of(schemas: &'s Schemas, id: SchemaId) -> View<'s> {
        let mut view = View::default();
        view.add(schemas, id, DEEPEST);
        view
    }

    fn add(&mut self, schemas: &'s Schemas, id: SchemaId, depth: u8) {
        let schema = schemas.get(id);
        for property in &schema.object.properties {
            if !self.properties.iter().any(|(name, _)| *name == property.name) {
                self.properties.push((&property.name, property.schema));
            }
        }
        self.items = self.items.or(schema.array.items);
        self.additional = self.additional.or(schema.object.additional_properties);
        if depth > 0 {
            for part in parts(schema) {
                self.add(schemas, part, depth - 1);
            }
        }
    }
}

fn parts(schema: &Schema) -> impl Iterator<Item = SchemaId> + '_ {
    let all = schema.reference.iter().chain(&schema.all_of).chain(&schema.one_of).chain(&schema.any_of);
    all.copied()
}

/// The `xml` object of a schema, or of what it refers to.
fn note(schemas: &Schemas, id: SchemaId, depth: u8) -> Option<&Xml> {
    let schema = schemas.get(id);
    if schema.notes.xml.is_some() || depth > DEEPEST {
        return schema.notes.xml.as_ref();
    }
    let mut parts = schema.reference.iter().chain(&schema.all_of);
    parts.find_map(|part| note(schemas, *part, depth + 1))
}

fn name(xml: Option<&Xml>, otherwise: &str) -> TokenStream {
    let local = sound(xml.and_then(|xml| xml.name.as_deref()).unwrap_or(otherwise));
    let option = |text: Option<String>| match text {
        Some(text) => quote!(::core::option::Option::Some(#text)),
        None => quote!(::core::option::Option::None),
    };
    let namespace = option(xml.and_then(|xml| xml.namespace.clone()));
    // A prefix without namespace means nothing in XML.
    let prefix = xml.filter(|xml| xml.namespace.is_some()).and_then(|xml| xml.prefix.as_deref()).map(sound);
    let prefix = option(prefix);
    quote!(::gatewright::body::XmlName { local: #local, namespace: #namespace, prefix: #prefix })
}

/// A text as a name that XML can have: each other character is a `_`.
fn sound(text: &str) -> String {
    let mut name: String =
        text.chars().map(|c| if c.is_alphanumeric() || matches!(c, '_' | '-' | '.') { c } else { '_' }).collect();
    if !name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
        name.insert(0, '_');
    }
    name
}
