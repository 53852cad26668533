//! GW0124 guarded-no-property

use std::collections::BTreeMap;

use gatewright_diag::{Level, Sink, Span, codes};
use gatewright_ir::api::Media;
use gatewright_ir::schema::{Protection, Schema, SchemaId};

use crate::{Context, Rule};

pub(crate) static RULE: Rule = Rule { code: codes::GUARDED_NO_PROPERTY, level: Level::Error, check };

/// Whether names stand under a key.
type Said = fn(&Protection) -> bool;

const READ: (&str, Said) = ("read", |protection| !protection.read.is_empty());
const WRITE: (&str, Said) = ("write", |protection| !protection.write.is_empty());

fn check(cx: &Context<'_>, sink: &mut Sink) {
    let api = cx.api();
    let schemas = &api.schemas;
    let answers = api.operations.iter().flat_map(|operation| &operation.responses).flat_map(|r| &r.content);
    let bodies = api.operations.iter().flat_map(|operation| &operation.body).flat_map(|body| &body.content);
    let parameters = api.operations.iter().flat_map(|operation| &operation.parameters).map(|p| p.schema);
    let roots = |media: &Media| [media.schema, media.item_schema].into_iter().flatten();
    let mut found: BTreeMap<(Span, &str), &str> = BTreeMap::new();
    let (answers, bodies): (Vec<_>, Vec<_>) = (answers.flat_map(roots).collect(), bodies.flat_map(roots).collect());
    for ((key, said), whole, parts) in [(READ, answers, Vec::new()), (WRITE, bodies, parameters.collect())] {
        let all = || schemas.reached(whole.iter().chain(&parts).copied());
        let items = all().flat_map(items).collect();
        let values = all().flat_map(values).collect();
        for (place, ids) in [("the whole body", whole.clone()), ("an item of a list", items), ("a value of a map", values)] {
            let protections = schemas.possibly_any(ids).filter_map(|schema| schema.notes.protection.as_ref());
            for protection in protections.filter(|protection| said(protection)) {
                found.entry((protection.span, key)).or_insert(place);
            }
        }
    }
    for ((span, key), place) in found {
        RULE.report(sink, span, format!("`{key}` guards what is no property"))
            .label(format!("this is {place}, of which nothing can be told apart"))
            .help("put it beside the properties that hold it");
    }
}

/// The schemas of the items of a list.
fn items(schema: &Schema) -> impl Iterator<Item = SchemaId> {
    let array = &schema.array;
    array.prefix_items.iter().copied().chain(array.items).chain(array.contains).chain(array.unevaluated_items)
}

/// The schemas of values that have no name in the document.
fn values(schema: &Schema) -> impl Iterator<Item = SchemaId> {
    let object = &schema.object;
    let others = object.pattern_properties.iter().map(|(_, id)| *id).chain(object.additional_properties);
    others.chain(object.unevaluated_properties)
}
