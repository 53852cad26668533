//! Which answers list objects that belong to somebody. One object is asked for by its id, and a resolver says whether its
//! caller may touch it (`owner`); a list has no id that could be refused, so what is in it must be filtered, and the types of
//! generated servers ask for that. The document has no word of its own for it: it says what is owned, and this says where
//! else that is shown.
//!
//! A schema shows the resource `account` if it is the component `Account`, or the component that reading one by its owned id
//! answers (`GET /accounts/{accountId}`, whatever it is called). An answer lists accounts if such a schema stands in an array
//! or a map in it. What `GET /accounts` answers, the path of all of them, does so with any array of objects. Inside of one
//! object that was authorized nothing is looked for: whoever may see it may see what it consists of.

use std::collections::{HashMap, HashSet};

use crate::api::{Api, Media, MediaKind, Operation, PathPiece};
use crate::checked::Ir;
use crate::names::{Case, plain};
use crate::policy::RequestPart;
use crate::schema::{SchemaId, Types};

/// What is owned, and how it looks in answers.
#[derive(Debug, Default)]
pub struct Lists<'a> {
    /// The resource that a schema shows.
    shown: HashMap<SchemaId, &'a str>,
    /// The path of all objects of a resource.
    collections: Vec<(&'a [Vec<PathPiece>], &'a str)>,
}

impl<'a> Lists<'a> {
    /// Of an API.
    #[must_use]
    pub fn new(ir: &'a Ir) -> Lists<'a> {
        let mut lists = Lists::default();
        for operation in &ir.api.operations {
            let Some(owner) = &ir.policies.get(operation.policy).owner else { continue };
            let word = owner.resource.value.as_str();
            let name = plain(word, Case::Pascal);
            let named = ir.api.components.iter().filter(|(component, _)| plain(component, Case::Pascal) == name);
            lists.shown.extend(named.map(|(_, schema)| (*schema, word)));
            let segments = operation.path.segments.as_slice();
            let is_id = |segment: &Vec<PathPiece>| *segment == [PathPiece::Parameter(owner.id.name.clone())];
            let Some(at) = segments.iter().position(is_id).filter(|_| owner.id.part == RequestPart::Path) else {
                continue;
            };
            let all = segments.split_at(at).0;
            if !lists.collections.iter().any(|(known, _)| alike(known, all)) {
                lists.collections.push((all, word));
            }
            if at + 1 == segments.len() && reads(operation) {
                let bodies = answers(operation).filter_map(|media| media.schema);
                let named = bodies.filter(|id| ir.api.schemas.get(*id).name.is_some());
                lists.shown.extend(named.map(|schema| (schema, word)));
            }
        }
        lists
    }

    /// The resource that an answer of this operation lists.
    #[must_use]
    pub fn of(&self, api: &Api, operation: &Operation, media: &Media) -> Option<&'a str> {
        if self.collections.is_empty() && self.shown.is_empty() {
            return None;
        }
        let sequence = matches!(media.kind, MediaKind::JsonLines | MediaKind::EventStream);
        let body = media.schema.map(|schema| (schema, sequence)).filter(|_| is_value(media.kind));
        let all = reads(operation)
            .then(|| self.collections.iter().find(|(path, _)| alike(path, &operation.path.segments)))
            .flatten()
            .map(|(_, word)| *word);
        let item = media.item_schema.map(|schema| (schema, true)).filter(|_| sequence);
        let mut open: Vec<(SchemaId, bool)> = body.into_iter().chain(item).collect();
        let mut seen = HashSet::new();
        while let Some((id, listed)) = open.pop() {
            if !seen.insert((id, listed)) {
                continue;
            }
            let schema = api.schemas.get(id);
            match self.shown.get(&id) {
                Some(word) if listed => return Some(word),
                Some(_) => continue,
                None => {}
            }
            let object =
                !schema.object.properties.is_empty() || schema.types.is_some_and(|t| t.contains(Types::OBJECT));
            if let Some(word) = all.filter(|_| listed && object) {
                return Some(word);
            }
            let condition = schema.condition.iter().flat_map(|c| c.then.iter().chain(&c.otherwise));
            let same = schema.reference.iter().chain(&schema.all_of).chain(&schema.one_of).chain(&schema.any_of);
            let dynamic = schema.dynamic_reference.iter().map(|(_, id)| id);
            open.extend(same.chain(condition).chain(dynamic).map(|id| (*id, listed)));
            open.extend(schema.object.properties.iter().map(|property| (property.schema, listed)));
            let (array, object) = (&schema.array, &schema.object);
            let items = array.items.iter().chain(&array.prefix_items).chain(&array.contains);
            let values = object.additional_properties.iter().chain(&object.unevaluated_properties);
            let by_pattern = object.pattern_properties.iter().map(|(_, id)| id);
            open.extend(items.chain(&array.unevaluated_items).chain(values).chain(by_pattern).map(|id| (*id, true)));
        }
        None
    }

    /// The resource that the operation lists in any of its successful answers.
    #[must_use]
    pub fn of_operation(&self, api: &Api, operation: &Operation) -> Option<&'a str> {
        answers(operation).find_map(|media| self.of(api, operation, media))
    }
}

/// Whether it only reads.
fn reads(operation: &Operation) -> bool {
    matches!(operation.method.as_str(), "GET" | "QUERY")
}

/// Whether a body of this kind is made of values that we write.
fn is_value(kind: MediaKind) -> bool {
    matches!(kind, MediaKind::Json | MediaKind::Xml | MediaKind::JsonLines | MediaKind::EventStream)
}

/// The bodies of all answers that are no errors; of `default` where it is all there is.
fn answers(operation: &Operation) -> impl Iterator<Item = &Media> {
    let only_errors = operation.responses.iter().all(|response| response.status.is_error());
    let good = operation.responses.iter().filter(move |response| only_errors || !response.status.is_error());
    good.flat_map(|response| &response.content)
}

/// Whether two paths are one, whatever their parameters are called.
fn alike(a: &[Vec<PathPiece>], b: &[Vec<PathPiece>]) -> bool {
    let piece = |(a, b): (&PathPiece, &PathPiece)| match (a, b) {
        (PathPiece::Literal(a), PathPiece::Literal(b)) => a == b,
        (PathPiece::Parameter(_), PathPiece::Parameter(_)) => true,
        _ => false,
    };
    let segment = |(a, b): (&Vec<PathPiece>, &Vec<PathPiece>)| a.len() == b.len() && a.iter().zip(b).all(piece);
    a.len() == b.len() && a.iter().zip(b).all(segment)
}
