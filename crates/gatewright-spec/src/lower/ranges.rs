//! Which `*/*` and `application/*` are JSON. Documents that are made from programs write a range where the program gives
//! values, and a schema of objects or numbers beside it: what is of that schema is a value, and no bytes.

use gatewright_ir::api::{Api, Media, MediaKind, Operation};
use gatewright_ir::schema::{SchemaId, Schemas, Types};

/// Marks the ranges of every body and response.
pub(super) fn mark(api: &mut Api) {
    let schemas = &api.schemas;
    for operation in api.operations.iter_mut().chain(&mut api.webhooks) {
        operation.callbacks.iter_mut().for_each(|callback| contents(schemas, callback));
        contents(schemas, operation);
    }
}

fn contents(schemas: &Schemas, operation: &mut Operation) {
    let bodies = operation.body.iter_mut().map(|body| &mut body.content);
    for content in bodies.chain(operation.responses.iter_mut().map(|response| &mut response.content)) {
        // Beside JSON that is named, a range is for the others.
        if content.iter().any(|media| media.kind == MediaKind::Json) {
            continue;
        }
        if let Some(media) = content.iter_mut().find(|media| is_value(schemas, media)) {
            media.kind = MediaKind::Json;
        }
    }
}

fn is_value(schemas: &Schemas, media: &Media) -> bool {
    media.is_wide() && media.schema.is_some_and(|schema| structured(schemas, schema))
}

/// Whether a schema is of other values than texts and bytes.
fn structured(schemas: &Schemas, id: SchemaId) -> bool {
    let texts = Types::STRING.with(Types::NULL);
    schemas.possibly(id).any(|schema| match schema.types {
        Some(types) => !types.without(texts).is_empty() && !types.contains(Types::STRING),
        None => !schema.object.is_empty() || schema.array.items.is_some(),
    })
}
