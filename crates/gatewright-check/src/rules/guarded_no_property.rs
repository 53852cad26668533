//! GW0124 guarded-no-property

use std::collections::{BTreeMap, HashSet};

use gatewright_diag::{Level, Sink, Span, codes};
use gatewright_ir::schema::{Protection, Schema, SchemaId, Schemas};

use crate::{Context, Rule};

pub(crate) static RULE: Rule = Rule { code: codes::GUARDED_NO_PROPERTY, level: Level::Error, check };

/// What the names stand under: `read` or `write`.
type Said = fn(&Protection) -> bool;

const READ: (&str, Said) = ("read", |protection| !protection.read.is_empty());
const WRITE: (&str, Said) = ("write", |protection| !protection.write.is_empty());

fn check(cx: &Context<'_>, sink: &mut Sink) {
    let api = cx.api();
    let schemas = &api.schemas;
    let answers = api.operations.iter().flat_map(|operation| &operation.responses).flat_map(|r| &r.content);
    let bodies = api.operations.iter().flat_map(|operation| &operation.body).flat_map(|body| &body.content);
    let parameters = api.operations.iter().flat_map(|operation| &operation.parameters).map(|p| p.schema);
    let mut found: BTreeMap<(Span, &str), &str> = BTreeMap::new();
    let roots = |media: &gatewright_ir::api::Media| [media.schema, media.item_schema].into_iter().flatten();
    let mut walk = Walk { schemas, seen: HashSet::new(), found: &mut found, said: READ };
    walk.from(answers.flat_map(roots), Some("the whole body"));
    let mut walk = Walk { schemas, seen: HashSet::new(), found: &mut found, said: WRITE };
    walk.from(bodies.flat_map(roots), Some("the whole body"));
    walk.from(parameters, None);
    for ((span, key), place) in found {
        RULE.report(sink, span, format!("`{key}` guards what is no property"))
            .label(format!("this is {place}, of which nothing can be told apart"))
            .help("put it beside the properties that hold it");
    }
}

/// Every schema of the values that go one way.
struct Walk<'w, 'a> {
    schemas: &'a Schemas,
    seen: HashSet<SchemaId>,
    found: &'w mut BTreeMap<(Span, &'static str), &'static str>,
    said: (&'static str, Said),
}

impl Walk<'_, '_> {
    fn from(&mut self, roots: impl Iterator<Item = SchemaId>, place: Option<&'static str>) {
        let mut open = Vec::new();
        for root in roots {
            place.into_iter().for_each(|place| self.look(root, place));
            open.push(root);
        }
        while let Some(id) = open.pop() {
            if !self.seen.insert(id) {
                continue;
            }
            let schema = self.schemas.get(id);
            for (inner, place) in nameless(schema) {
                self.look(inner, place);
            }
            schema.each(|id| open.push(id));
        }
    }

    /// Whether something is said of a value that is itself no property.
    fn look(&mut self, id: SchemaId, place: &'static str) {
        let (key, said) = self.said;
        let protections = self.schemas.possibly(id).filter_map(|schema| schema.notes.protection.as_ref());
        for protection in protections.filter(|protection| said(protection)) {
            self.found.entry((protection.span, key)).or_insert(place);
        }
    }
}

/// The schemas of values that have no name in the document.
fn nameless(schema: &Schema) -> impl Iterator<Item = (SchemaId, &'static str)> {
    let (array, object) = (&schema.array, &schema.object);
    let items = array.prefix_items.iter().copied().chain(array.items).chain(array.contains).chain(array.unevaluated_items);
    let others = object.pattern_properties.iter().map(|(_, id)| *id).chain(object.additional_properties);
    let others = others.chain(object.unevaluated_properties);
    items.map(|id| (id, "an item of a list")).chain(others.map(|id| (id, "a value of a map")))
}
