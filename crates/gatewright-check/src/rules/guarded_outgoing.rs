//! GW0123 guarded-outgoing

use std::collections::BTreeSet;

use gatewright_diag::{Level, Sink, Span, codes};
use gatewright_ir::api::Operation;
use gatewright_ir::schema::{Schema, SchemaId};

use crate::context::shown;
use crate::{Context, Rule};

pub(crate) static RULE: Rule = Rule { code: codes::GUARDED_OUTGOING, level: Level::Warning, check };

fn check(cx: &Context<'_>, sink: &mut Sink) {
    let api = cx.api();
    let read = |schema: &Schema| schema.notes.protection.as_ref().filter(|p| !p.read.is_empty()).map(|p| p.span);
    let mut guarded: Vec<(Span, SchemaId)> = api.schemas.iter().filter_map(|(id, s)| Some((read(s)?, id))).collect();
    // Most documents guard no property.
    if guarded.is_empty() {
        return;
    }
    guarded.sort();
    let leading = api.schemas.leading_to(guarded.iter().map(|(_, id)| *id));
    let callbacks = api.operations.iter().flat_map(|operation| &operation.callbacks);
    // A callback of an operation with several paths is there several times.
    let mut seen = BTreeSet::new();
    for operation in api.webhooks.iter().chain(callbacks) {
        let spans = sent(operation).filter_map(|id| read(api.schemas.get(*leading.get(&id)?)));
        let Some(guarded) = spans.min() else { continue };
        if !seen.insert(operation.span) {
            continue;
        }
        let id = shown(&operation.id);
        RULE.report(sink, operation.span, format!("`{id}` sends what only some may see"))
            .label("whoever it is sent to sees all of it")
            .related(guarded, "guarded here")
            .help("send a schema without this property, or an id with which the receiver asks as himself");
    }
}

/// The schemas of what it sends.
fn sent(operation: &Operation) -> impl Iterator<Item = SchemaId> {
    let body = operation.body.iter().flat_map(|body| &body.content);
    let bodies = body.flat_map(|media| media.schema.into_iter().chain(media.item_schema));
    operation.parameters.iter().map(|parameter| parameter.schema).chain(bodies)
}
