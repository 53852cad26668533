//! Which schemas travel, in which direction, and what inline schemas are called after: the component, property or
//! operation that they stand in.

use std::collections::{HashMap, HashSet, VecDeque};

use gatewright_ir::Ir;
use gatewright_ir::api::{Header, Media, Operation};
use gatewright_ir::schema::{SchemaId, Schemas};

/// The texts that names of types are made of, by schema; parts are separated by a zero byte, which no name keeps.
pub(super) struct Contexts {
    texts: HashMap<SchemaId, String>,
    used: HashSet<String>,
}

/// Between the parts of a text.
pub(super) const SEPARATOR: char = '\0';

impl Contexts {
    /// Names everything below components, then everything below operations.
    pub(super) fn new(ir: &Ir) -> Contexts {
        let mut contexts = Contexts { texts: HashMap::new(), used: HashSet::new() };
        let schemas = &ir.api.schemas;
        let mut open = VecDeque::new();
        for (id, schema) in schemas.iter() {
            if let Some(name) = &schema.name {
                contexts.give(id, name.clone(), &mut open);
            }
        }
        contexts.spread(schemas, &mut open);
        let sent = ir.api.operations.iter().flat_map(|o| &o.callbacks).chain(&ir.api.webhooks);
        for operation in ir.api.operations.iter().chain(sent) {
            for (id, text, _) in roots(operation) {
                contexts.give(id, text, &mut open);
            }
            contexts.spread(schemas, &mut open);
        }
        contexts
    }

    /// The text of a schema; of one that stands nowhere, the fallback.
    pub(super) fn text(&self, id: SchemaId) -> String {
        self.texts.get(&id).cloned().unwrap_or_else(|| format!("Schema{SEPARATOR}{}", id.0))
    }

    fn give(&mut self, id: SchemaId, text: String, open: &mut VecDeque<SchemaId>) {
        if self.texts.contains_key(&id) {
            return;
        }
        let mut unique = text.clone();
        let mut count = 1;
        while !self.used.insert(unique.clone()) {
            count += 1;
            unique = format!("{text}{SEPARATOR}{count}");
        }
        self.texts.insert(id, unique);
        open.push_back(id);
    }

    fn spread(&mut self, schemas: &Schemas, open: &mut VecDeque<SchemaId>) {
        while let Some(id) = open.pop_front() {
            let schema = schemas.get(id);
            let base = self.text(id);
            let under = |part: &str| format!("{base}{SEPARATOR}{part}");
            let mut children: Vec<(SchemaId, String)> = Vec::new();
            let object = &schema.object;
            children.extend(object.properties.iter().map(|p| (p.schema, under(&p.name))));
            children.extend(object.pattern_properties.iter().map(|(_, id)| (*id, under("value"))));
            let rest = object.additional_properties.into_iter().chain(object.unevaluated_properties);
            children.extend(rest.map(|id| (id, under("value"))));
            children.extend(schema.array.items.map(|id| (id, under("item"))));
            children.extend(schema.array.prefix_items.iter().map(|id| (*id, under("item"))));
            for branch in schema.one_of.iter().chain(&schema.any_of) {
                let title = schemas.get(*branch).notes.title.as_deref().filter(|title| title.len() <= 40);
                children.push((*branch, under(title.unwrap_or("variant"))));
            }
            // What stands in place is named as the whole, so that its properties read as the whole's.
            for member in schema.all_of.iter().chain(&schema.reference) {
                children.push((*member, under("base")));
            }
            for (child, text) in children {
                if schemas.get(child).name.is_none() {
                    self.give(child, text, open);
                }
            }
        }
    }
}

/// In which direction a schema of an operation travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    In,
    Out,
}

/// The schemas that an operation uses directly, with the text they are named after.
pub(super) fn roots(operation: &Operation) -> Vec<(SchemaId, String, Way)> {
    let id = &operation.id;
    let mut roots = Vec::new();
    for parameter in &operation.parameters {
        roots.push((parameter.schema, format!("{id}{SEPARATOR}{}", parameter.name), Way::In));
    }
    for media in operation.body.iter().flat_map(|body| &body.content) {
        add_media(&mut roots, media, &format!("{id}{SEPARATOR}Request"), Way::In);
    }
    for response in &operation.responses {
        let status = match response.status {
            gatewright_ir::api::StatusKey::Code(200..=299) => "Response".to_owned(),
            gatewright_ir::api::StatusKey::Code(code) => format!("Response{code}"),
            gatewright_ir::api::StatusKey::Class(class) => format!("Response{class}xx"),
            gatewright_ir::api::StatusKey::Default => "ResponseDefault".to_owned(),
        };
        let text = match &response.name {
            Some(name) => format!("{name}{SEPARATOR}Response"),
            None => format!("{id}{SEPARATOR}{status}"),
        };
        for media in &response.content {
            add_media(&mut roots, media, &text, Way::Out);
        }
        add_headers(&mut roots, &response.headers, &text, Way::Out);
    }
    roots
}

fn add_media(roots: &mut Vec<(SchemaId, String, Way)>, media: &Media, text: &str, way: Way) {
    roots.extend(media.schema.map(|id| (id, text.to_owned(), way)));
    roots.extend(media.item_schema.map(|id| (id, format!("{text}{SEPARATOR}Item"), way)));
    for (name, encoding) in &media.encoding {
        add_headers(roots, &encoding.headers, &format!("{text}{SEPARATOR}{name}"), way);
    }
}

fn add_headers(roots: &mut Vec<(SchemaId, String, Way)>, headers: &[Header], text: &str, way: Way) {
    roots.extend(headers.iter().map(|header| (header.schema, format!("{text}{SEPARATOR}{}", header.name), way)));
}
