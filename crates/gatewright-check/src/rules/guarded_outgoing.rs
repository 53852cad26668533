//! GW0123 guarded-outgoing

use std::collections::BTreeSet;

use gatewright_diag::{Level, Sink, Span, codes};
use gatewright_ir::api::Operation;
use gatewright_ir::schema::Schemas;

use crate::context::shown;
use crate::{Context, Rule};

pub(crate) static RULE: Rule = Rule { code: codes::GUARDED_OUTGOING, level: Level::Warning, check };

fn check(cx: &Context<'_>, sink: &mut Sink) {
    let api = cx.api();
    let callbacks = api.operations.iter().flat_map(|operation| &operation.callbacks);
    // Most documents guard no property, and are not walked for each webhook.
    if !api.schemas.iter().any(|(_, schema)| schema.notes.protection.as_ref().is_some_and(|p| !p.read.is_empty())) {
        return;
    }
    // A callback of an operation with several paths is there several times.
    let mut seen = BTreeSet::new();
    for operation in api.webhooks.iter().chain(callbacks) {
        let Some(guarded) = guarded(&api.schemas, operation) else { continue };
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

/// Where the first property stands that has a `read` and is sent.
fn guarded(schemas: &Schemas, operation: &Operation) -> Option<Span> {
    let body = operation.body.iter().flat_map(|body| &body.content);
    let bodies = body.flat_map(|media| media.schema.into_iter().chain(media.item_schema));
    let sent = operation.parameters.iter().map(|parameter| parameter.schema).chain(bodies);
    let protections = schemas.reached(sent).filter_map(|schema| schema.notes.protection.as_ref());
    protections.filter(|protection| !protection.read.is_empty()).map(|protection| protection.span).min()
}
