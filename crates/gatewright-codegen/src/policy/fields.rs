//! Who may see or send which member of a JSON value: the schemas of bodies and responses, folded into a graph of names.
//!
//! A node stands for all schemas that look at one value: whatever any of them says of a member counts, so that no branch
//! of a union opens what another one guards.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use gatewright_diag::Span;
use gatewright_ir::api::{Location, Media, MediaKind, Operation, Parameter};
use gatewright_ir::schema::{Protection, Schema, SchemaId, Schemas};
use proc_macro2::TokenStream;
use quote::quote;

use super::Bits;
use crate::{CodegenError, operations, types};

/// Indexes have 16 bits; more nodes come of unions of unions that nobody wrote by hand.
const MOST: usize = 60_000;

/// Which way a value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Way {
    Read,
    Write,
}

/// All schemas that look at one value.
type Set = BTreeSet<SchemaId>;

/// The graph of one API.
pub(crate) struct Graph<'a> {
    schemas: &'a Schemas,
    nodes: Vec<Node>,
    known: HashMap<(Set, Way), usize>,
    /// From which schemas something guarded is reached, by way.
    reading: Vec<bool>,
    writing: Vec<bool>,
}

#[derive(Default, PartialEq)]
struct Node {
    members: BTreeMap<String, Member>,
    others: Option<usize>,
    items: Option<usize>,
}

#[derive(Default, PartialEq)]
struct Member {
    need: Vec<Vec<String>>,
    within: Option<usize>,
}

impl<'a> Graph<'a> {
    pub(crate) fn new(schemas: &'a Schemas) -> Graph<'a> {
        let mut edges = Vec::with_capacity(schemas.len());
        for (_, schema) in schemas.iter() {
            let mut to = Vec::new();
            types::in_place(schema, |id| to.push(id.0));
            types::below(schema, |id| to.push(id.0));
            to.extend(schema.string.content_schema.map(|id| id.0));
            edges.push(to);
        }
        let reaching = |of: fn(&Protection) -> bool| {
            let guarded = schemas.iter().filter(|(_, s)| s.notes.protection.as_ref().is_some_and(of));
            types::reaching(&edges, guarded.map(|(id, _)| id.0))
        };
        let (reading, writing) = (reaching(|p| !p.read.is_empty()), reaching(|p| !p.write.is_empty()));
        Graph { schemas, nodes: Vec::new(), known: HashMap::new(), reading, writing }
    }

    /// What only some may send in the body of an operation.
    pub(crate) fn written(&mut self, operation: &Operation) -> Result<Option<usize>, CodegenError> {
        let content = operation.body.iter().flat_map(|body| &body.content);
        self.bodies(content.collect(), Way::Write, operation.span)
    }

    /// The parameters that only some may send, or of which they may send more than others: members that are named by place
    /// and name.
    pub(crate) fn sent(&mut self, operation: &Operation) -> Result<Option<usize>, CodegenError> {
        let mut node = Node::default();
        for parameter in &operation.parameters {
            let set = self.closed([parameter.schema]);
            let mut need = self.said(&set, Way::Write);
            let own = parameter.protection.iter().map(|p| p.write.iter().map(|name| name.value.clone()).collect());
            need.extend(own.filter(|names: &Vec<String>| !names.is_empty()));
            need.sort();
            need.dedup();
            let within = self.inner(set, Way::Write, parameter.span)?;
            if !need.is_empty() || within.is_some() {
                node.members.insert(key(parameter), Member { need, within });
            }
        }
        if node.members.is_empty() {
            return Ok(None);
        }
        if let Some(known) = self.nodes.iter().position(|known| *known == node) {
            return Ok(Some(known));
        }
        if self.nodes.len() >= MOST {
            return Err(unfit("`write` within so many unions", operation.span));
        }
        self.nodes.push(node);
        Ok(Some(self.nodes.len() - 1))
    }

    /// What only some may see in the responses of an operation.
    pub(crate) fn read(&mut self, operation: &Operation) -> Result<Option<usize>, CodegenError> {
        for header in operation.responses.iter().flat_map(|response| &response.headers) {
            self.nothing([header.schema], Way::Read, "`read` within a header", operation.span)?;
        }
        let content = operation.responses.iter().flat_map(|response| &response.content);
        self.bodies(content.collect(), Way::Read, operation.span)
    }

    fn bodies(&mut self, content: Vec<&Media>, way: Way, span: Span) -> Result<Option<usize>, CodegenError> {
        let mut all = Vec::new();
        for media in content {
            // The values that the runtime looks through: a whole body, each item of a sequence, the data of each event.
            let looked = match (way, media.kind) {
                (_, MediaKind::Json | MediaKind::Xml) | (Way::Write, MediaKind::Form) => media.schema,
                (_, MediaKind::JsonLines) => operations::items(self.schemas, media),
                (_, MediaKind::EventStream) => {
                    media.item_schema.or_else(|| operations::event_data(self.schemas, media))
                }
                // A form whose files are put aside is a value like others; parts that a handler reads are not.
                (Way::Write, MediaKind::Multipart) if operations::is_form(self.schemas, media) => media.schema,
                _ => None,
            };
            all.extend(looked);
            let items = |schema: SchemaId| self.schemas.get(schema).array.items;
            let is_looked = |schema| looked.is_some() && (looked == Some(schema) || looked == items(schema));
            let passed = media.schema.into_iter().chain(media.item_schema).filter(|schema| !is_looked(*schema));
            let what = "`read` or `write` of a property in a body that is handled as bytes";
            self.nothing(passed, way, what, media.media_type.span)?;
        }
        let set = self.closed(all);
        self.node(set, way, span)
    }

    /// Refuses something guarded where nothing would look for it.
    fn nothing(
        &mut self,
        schemas: impl IntoIterator<Item = SchemaId>,
        way: Way,
        what: &str,
        span: Span,
    ) -> Result<(), CodegenError> {
        let set = self.closed(schemas);
        if self.reaches(&set, way) { Err(unfit(what, span)) } else { Ok(()) }
    }

    fn reaches(&self, set: &Set, way: Way) -> bool {
        let bits = match way {
            Way::Read => &self.reading,
            Way::Write => &self.writing,
        };
        set.iter().any(|id| bits.get(id.0 as usize).copied().unwrap_or(false))
    }

    /// These schemas, and all that look at the same value.
    fn closed(&self, from: impl IntoIterator<Item = SchemaId>) -> Set {
        let mut open: Vec<SchemaId> = from.into_iter().collect();
        let mut set = Set::new();
        while let Some(id) = open.pop() {
            if set.insert(id) {
                types::in_place(self.schemas.get(id), |id| open.push(id));
            }
        }
        set
    }

    fn said(&self, set: &Set, way: Way) -> Vec<Vec<String>> {
        let names = |p: &Protection| {
            match way {
                Way::Read => &p.read,
                Way::Write => &p.write,
            }
            .iter()
            .map(|name| name.value.clone())
            .collect::<Vec<_>>()
        };
        let said = set.iter().filter_map(|id| self.schemas.get(*id).notes.protection.as_ref()).map(names);
        let mut said: Vec<_> = said.filter(|names| !names.is_empty()).collect();
        said.sort();
        said.dedup();
        said
    }

    /// The node of a value that is itself no member: nothing can be left out there.
    fn node(&mut self, set: Set, way: Way, span: Span) -> Result<Option<usize>, CodegenError> {
        if !self.said(&set, way).is_empty() {
            return Err(unfit("`read` or `write` of what is no property", span));
        }
        self.inner(set, way, span)
    }

    /// Nothing where nothing within is guarded.
    fn inner(&mut self, set: Set, way: Way, span: Span) -> Result<Option<usize>, CodegenError> {
        // Text is not looked into, whatever it holds.
        let content = set.iter().filter_map(|id| self.schemas.get(*id).string.content_schema);
        self.nothing(content, way, "`read` or `write` within `contentSchema`", span)?;
        let mut within = Set::new();
        for id in &set {
            types::below(self.schemas.get(*id), |id| {
                within.insert(id);
            });
        }
        if !self.reaches(&within, way) {
            return Ok(None);
        }
        if let Some(known) = self.known.get(&(set.clone(), way)) {
            return Ok(Some(*known));
        }
        if self.nodes.len() >= MOST {
            return Err(unfit("`read` or `write` within so many unions", span));
        }
        let index = self.nodes.len();
        self.nodes.push(Node::default());
        self.known.insert((set.clone(), way), index);
        let mut node = Node::default();
        let mut by_name: BTreeMap<String, Vec<SchemaId>> = BTreeMap::new();
        let (mut others, mut items) = (Vec::new(), Vec::new());
        for id in &set {
            let schema: &Schema = self.schemas.get(*id);
            for property in &schema.object.properties {
                by_name.entry(property.name.clone()).or_default().push(property.schema);
            }
            others.extend(schema.object.pattern_properties.iter().map(|(_, id)| *id));
            others.extend(schema.object.additional_properties);
            others.extend(schema.object.unevaluated_properties);
            items.extend(schema.array.prefix_items.iter().copied());
            items.extend(
                [schema.array.items, schema.array.contains, schema.array.unevaluated_items].into_iter().flatten(),
            );
        }
        let others = self.closed(others);
        for (name, schemas) in by_name {
            // A name may match a pattern too, or be unknown to a branch that speaks of other members.
            let set = self.closed(schemas.into_iter().chain(others.iter().copied()));
            let need = self.said(&set, way);
            let within = self.inner(set, way, span)?;
            // A name that is open must stand here too, where others are guarded.
            if !need.is_empty() || within.is_some() || self.reaches(&others, way) {
                node.members.insert(name, Member { need, within });
            }
        }
        node.others = self.node(others, way, span)?;
        let items = self.closed(items);
        node.items = self.node(items, way, span)?;
        if let Some(place) = self.nodes.get_mut(index) {
            *place = node;
        }
        Ok(Some(index))
    }

    /// The rows of `ApiPolicy::fields`.
    pub(crate) fn rows(&self, bits: &Bits) -> TokenStream {
        let edge = |to: Option<usize>| match to {
            Some(index) => {
                let index = super::tables::small(index as u16);
                quote!(::core::option::Option::Some(#index))
            }
            None => quote!(::core::option::Option::None),
        };
        let rows = self.nodes.iter().map(|node| {
            let members = node.members.iter().map(|(name, member)| {
                let within = edge(member.within);
                let need = member.need.iter().map(|names| {
                    let all: Vec<u16> = names.iter().flat_map(|name| bits.of_name(name)).collect();
                    super::tables::words(&bits.words(&all))
                });
                quote!(Field { name: #name, need: &[#(#need),*], within: #within })
            });
            let (others, items) = (edge(node.others), edge(node.items));
            quote!(Fields { members: &[#(#members),*], others: #others, items: #items })
        });
        quote!(&[#(#rows),*])
    }
}

/// `query.limit`: what the runtime calls a parameter.
fn key(parameter: &Parameter) -> String {
    let (place, name) = match parameter.location {
        Location::Path => ("path", parameter.name.clone()),
        Location::Query | Location::QueryString => ("query", parameter.name.clone()),
        Location::Header => ("header", parameter.name.to_ascii_lowercase()),
        Location::Cookie => ("cookie", parameter.name.clone()),
    };
    format!("{place}.{name}")
}

fn unfit(what: &str, span: Span) -> CodegenError {
    CodegenError::new(format!("{what} cannot be enforced by generated servers yet"), span)
}
