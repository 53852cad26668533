//! The tables by which a document's values become XML and come of it (its `xml` objects). Every schema has one node, which
//! all bodies share that it is a part of.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use gatewright_ir::schema::{SchemaId, Schemas, Types, Xml};
use proc_macro2::TokenStream;
use quote::quote;

use crate::shape;

/// The nodes of a document, as far as its bodies ask for them.
#[derive(Default)]
pub(crate) struct Tables(RefCell<Nodes>);

#[derive(Default)]
struct Nodes {
    known: HashMap<SchemaId, u16>,
    /// Those that are like others, by their text.
    alike: HashMap<String, u16>,
    written: Vec<TokenStream>,
    /// Have their index, and are still to be written.
    waiting: Vec<(SchemaId, u16)>,
    full: bool,
}

impl Tables {
    /// The table of a schema, as an expression that is good for ever.
    pub(crate) fn table(&self, schemas: &Schemas, root: SchemaId) -> TokenStream {
        let nodes = &mut *self.0.borrow_mut();
        let start = nodes.node(schemas, root);
        while let Some((id, index)) = nodes.waiting.pop() {
            let written = nodes.written(schemas, id);
            if let Some(place) = nodes.written.get_mut(usize::from(index)) {
                *place = written;
            }
        }
        let component = schemas.get(root).name.as_deref();
        let name = Name::of(note(schemas, root), component.unwrap_or("root"));
        let (local, start) = (&name.local, literal(start));
        let named = name.unless(local, &quote!(::gatewright::body::XmlName));
        quote! {
            &const { ::gatewright::body::XmlTable::new(#local, #start, &super::super::xml::NODES) #named }
        }
    }

    /// The module of all nodes, if there is any; nothing where they are more than indexes tell apart.
    pub(crate) fn module(self) -> Option<TokenStream> {
        let Nodes { written, full, .. } = self.0.into_inner();
        if full {
            return None;
        }
        let count = proc_macro2::Literal::usize_unsuffixed(written.len());
        Some(if written.is_empty() {
            TokenStream::new()
        } else {
            quote! {
                use ::gatewright::body::{XmlName as Name, XmlNode as Node, XmlProperty as Property};
                use ::gatewright::params::kinds::*;
                /// A node for each schema; they name one another by index.
                pub static NODES: [Node; #count] = [#(#written),*];
            }
        })
    }
}

impl Nodes {
    fn node(&mut self, schemas: &Schemas, id: SchemaId) -> u16 {
        if let Some(known) = self.known.get(&id) {
            return *known;
        }
        let view = View::of(schemas, id);
        let index = if view.items.is_none() && view.properties.is_empty() && view.others(schemas).is_none() {
            let kinds = kinds(shape::kinds(schemas, id));
            self.alike(quote!(Node::new(#kinds)))
        } else {
            let index = self.next(TokenStream::new());
            self.waiting.push((id, index));
            index
        };
        self.known.insert(id, index);
        index
    }

    fn next(&mut self, written: TokenStream) -> u16 {
        match u16::try_from(self.written.len()) {
            Ok(index) => {
                self.written.push(written);
                index
            }
            Err(_) => {
                self.full = true;
                0
            }
        }
    }

    fn alike(&mut self, written: TokenStream) -> u16 {
        let text = written.to_string();
        if let Some(index) = self.alike.get(&text) {
            return *index;
        }
        let index = self.next(written);
        self.alike.insert(text, index);
        index
    }

    fn written(&mut self, schemas: &Schemas, id: SchemaId) -> TokenStream {
        let view = View::of(schemas, id);
        let kinds = kinds(shape::kinds(schemas, id));
        let items = view.items.map(|items| {
            let outer = note(schemas, id).and_then(|xml| xml.name.clone());
            self.items(schemas, items, outer.as_deref().unwrap_or("item"))
        });
        let properties: Vec<TokenStream> =
            view.properties.iter().map(|(key, schema)| self.property(schemas, key, *schema)).collect();
        let properties =
            if properties.is_empty() { TokenStream::new() } else { quote!(.properties(&[#(#properties),*])) };
        let additional = view.others(schemas).map(|id| {
            let node = literal(self.node(schemas, id));
            quote!(.additional(#node))
        });
        quote!(Node::new(#kinds) #items #properties #additional)
    }

    /// Name and node of an array's items; `outer` names those that have no name of their own.
    fn items(&mut self, schemas: &Schemas, items: SchemaId, outer: &str) -> TokenStream {
        let name = Name::of(note(schemas, items), outer).written(&quote!(Name));
        let node = literal(self.node(schemas, items));
        quote!(.items(#name, #node))
    }

    fn property(&mut self, schemas: &Schemas, key: &str, schema: SchemaId) -> TokenStream {
        let own = note(schemas, schema);
        let array = View::of(schemas, schema).items.filter(|_| {
            let types = schemas.get(schema).types;
            types.is_none_or(|types| types.contains(Types::ARRAY))
        });
        // What is not wrapped, and what has no name of its own, is called after its property.
        let outer = own.and_then(|xml| xml.name.as_deref()).unwrap_or(key);
        let (place, name) = match (own, array) {
            (Some(xml), _) if xml.attribute => (quote!(attribute), Name::of(own, key)),
            (Some(xml), _) if xml.text => (quote!(text), Name::of(own, key)),
            (own, Some(items)) if !own.is_some_and(|xml| xml.wrapped) => {
                let inner = note(schemas, items);
                let named = inner.is_some_and(|xml| xml.name.is_some());
                (quote!(each), if named { Name::of(inner, key) } else { Name::of(own, outer) })
            }
            _ => (quote!(element), Name::of(own, key)),
        };
        let node = match array {
            Some(items) => {
                let items = self.items(schemas, items, outer);
                let kinds = kinds(shape::kinds(schemas, schema));
                self.alike(quote!(Node::new(#kinds) #items))
            }
            None => self.node(schemas, schema),
        };
        let (node, named) = (literal(node), name.unless(key, &quote!(Name)));
        quote!(Property::#place(#key, #node) #named)
    }
}

/// Indexes are read more often than their type.
fn literal(index: u16) -> proc_macro2::Literal {
    proc_macro2::Literal::u16_unsuffixed(index)
}

/// JSON types by their names.
fn kinds(kinds: u8) -> TokenStream {
    const NAMES: [&str; 6] = ["NULL", "BOOLEAN", "NUMBER", "STRING", "ARRAY", "OBJECT"];
    let named = NAMES.iter().enumerate().filter(|(bit, _)| kinds & (1 << bit) != 0);
    let named: Vec<_> = named.map(|(_, name)| crate::names::ident(name)).collect();
    if named.is_empty() { quote!(0) } else { quote!(#(#named)|*) }
}

/// What all that a schema consists of says together.
#[derive(Default)]
struct View<'s> {
    properties: Vec<(&'s str, SchemaId)>,
    items: Option<SchemaId>,
    additional: Option<SchemaId>,
}

impl<'s> View<'s> {
    /// The schema of further properties, where there may be some.
    fn others(&self, schemas: &Schemas) -> Option<SchemaId> {
        self.additional.filter(|id| !schemas.get(*id).nothing)
    }

    fn of(schemas: &'s Schemas, id: SchemaId) -> View<'s> {
        let mut view = View::default();
        let mut names = HashSet::new();
        for schema in schemas.possibly(id) {
            let fresh = schema.object.properties.iter().filter(|property| names.insert(property.name.as_str()));
            view.properties.extend(fresh.map(|property| (property.name.as_str(), property.schema)));
            view.items = view.items.or(schema.array.items);
            view.additional = view.additional.or(schema.object.additional_properties);
        }
        view
    }
}

/// The `xml` object of a schema, or of what it refers to.
fn note(schemas: &Schemas, id: SchemaId) -> Option<&Xml> {
    schemas.always(id).find_map(|schema| schema.notes.xml.as_ref())
}

/// The name of an element or attribute.
struct Name {
    local: String,
    namespace: Option<String>,
    prefix: Option<String>,
}

impl Name {
    fn of(xml: Option<&Xml>, otherwise: &str) -> Name {
        Name {
            local: sound(xml.and_then(|xml| xml.name.as_deref()).unwrap_or(otherwise)),
            namespace: xml.and_then(|xml| xml.namespace.clone()),
            // A prefix without namespace means nothing in XML.
            prefix: xml.filter(|xml| xml.namespace.is_some()).and_then(|xml| xml.prefix.as_deref()).map(sound),
        }
    }

    /// As an expression; `path` is what the type is called where it stands.
    fn written(&self, path: &TokenStream) -> TokenStream {
        let local = &self.local;
        let namespace = self.namespace.as_ref().map(|text| quote!(.within(#text)));
        let prefix = self.prefix.as_ref().map(|text| quote!(.prefix(#text)));
        quote!(#path::new(#local) #namespace #prefix)
    }

    /// What must be added where this text alone would be the name.
    fn unless(&self, text: &str, path: &TokenStream) -> TokenStream {
        if self.local == text && self.namespace.is_none() {
            return TokenStream::new();
        }
        let name = self.written(path);
        quote!(.named(#name))
    }
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
