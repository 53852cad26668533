//! Where in a request `{path.id}` or `{body./a/b}` leads.

use gatewright_ir::api::{Api, Location, MediaKind, Operation};
use gatewright_ir::policy::{Reference, RequestPart};
use gatewright_ir::schema::{Schema, SchemaId, Types};

/// A value of a request.
pub(crate) struct Place {
    /// What types it may have; `None` where the document does not say.
    pub(crate) types: Option<Types>,
    /// Whether a valid request may lack it.
    pub(crate) optional: bool,
}

/// What a reference of an operation leads to. `None` where nothing is declared there.
pub(crate) fn find(api: &Api, operation: &Operation, reference: &Reference) -> Option<Place> {
    let location = match reference.part {
        RequestPart::Path => Location::Path,
        RequestPart::Query => Location::Query,
        RequestPart::Header => Location::Header,
        RequestPart::Body => return in_body(api, operation, &reference.name),
    };
    let parameter = operation.parameters.iter().find(|p| {
        p.location == location
            && match location {
                Location::Header => p.name.eq_ignore_ascii_case(&reference.name),
                _ => p.name == reference.name,
            }
    })?;
    Some(Place { types: types(api, parameter.schema, 0), optional: !parameter.required })
}

fn in_body(api: &Api, operation: &Operation, pointer: &str) -> Option<Place> {
    let body = operation.body.as_ref()?;
    let media = body.content.iter().find(|m| m.kind == MediaKind::Json)?;
    let mut at = media.schema?;
    // Another media type has no such place, so it must be JSON alone for the value to be there always.
    let mut optional = !body.required || body.content.iter().any(|m| m.kind != MediaKind::Json);
    for token in pointer.split('/').skip(1) {
        let name = token.replace("~1", "/").replace("~0", "~");
        let (next, required) = member(api, at, &name, 0)?;
        optional |= !required;
        at = next;
    }
    Some(Place { types: types(api, at, 0), optional })
}

/// Schemas nest through `allOf` and `$ref` no deeper than this; circles were refused.
const DEEPEST: usize = 64;

/// The parts of a schema that always apply to the same value.
fn always(schema: &Schema) -> impl Iterator<Item = SchemaId> {
    schema.reference.into_iter().chain(schema.all_of.iter().copied())
}

fn member(api: &Api, id: SchemaId, name: &str, depth: usize) -> Option<(SchemaId, bool)> {
    if depth > DEEPEST {
        return None;
    }
    let schema = api.schemas.get(id);
    let required = is_required(api, id, name, depth);
    if let Some(property) = schema.object.properties.iter().find(|p| p.name == name) {
        return Some((property.schema, required));
    }
    always(schema).find_map(|part| member(api, part, name, depth + 1)).map(|(id, also)| (id, also || required))
}

fn is_required(api: &Api, id: SchemaId, name: &str, depth: usize) -> bool {
    let schema = api.schemas.get(id);
    depth <= DEEPEST
        && (schema.object.required.iter().any(|r| r == name)
            || always(schema).any(|part| is_required(api, part, name, depth + 1)))
}

/// The types that a value may have; all the parts that always apply narrow it.
fn types(api: &Api, id: SchemaId, depth: usize) -> Option<Types> {
    if depth > DEEPEST {
        return None;
    }
    let schema = api.schemas.get(id);
    let own = schema.types.or_else(|| {
        let members = schema.enumeration.as_ref()?;
        let all_text = members.iter().all(|m| matches!(m, gatewright_ir::json::Json::String(_)));
        all_text.then_some(Types::STRING)
    });
    own.or_else(|| always(schema).find_map(|part| types(api, part, depth + 1)))
}
