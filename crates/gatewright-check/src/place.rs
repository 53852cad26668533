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
    Some(Place { types: types(api, parameter.schema), optional: !parameter.required })
}

fn in_body(api: &Api, operation: &Operation, pointer: &str) -> Option<Place> {
    let body = operation.body.as_ref()?;
    let media = body.content.iter().find(|m| m.kind == MediaKind::Json)?;
    let mut at = media.schema?;
    // Another media type has no such place, so it must be JSON alone for the value to be there always.
    let mut optional = !body.required || body.content.iter().any(|m| m.kind != MediaKind::Json);
    for token in pointer.split('/').skip(1) {
        let name = token.replace("~1", "/").replace("~0", "~");
        let (next, required) = member(api, at, &name)?;
        optional |= !required;
        at = next;
    }
    Some(Place { types: types(api, at), optional })
}

/// The schema of a property, and whether it must be there.
fn member(api: &Api, id: SchemaId, name: &str) -> Option<(SchemaId, bool)> {
    let own = |schema: &Schema| schema.object.properties.iter().find(|p| p.name == name).map(|p| p.schema);
    let property = api.schemas.always(id).find_map(own)?;
    let required = api.schemas.always(id).any(|schema| schema.object.required.iter().any(|r| r == name));
    Some((property, required))
}

/// The types that a value may have; all the parts that always apply narrow it.
fn types(api: &Api, id: SchemaId) -> Option<Types> {
    api.schemas.always(id).find_map(|schema| {
        schema.types.or_else(|| {
            let members = schema.enumeration.as_ref()?;
            let all_text = members.iter().all(|m| matches!(m, gatewright_ir::json::Json::String(_)));
            all_text.then_some(Types::STRING)
        })
    })
}
