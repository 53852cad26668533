//! What people write where OpenAPI has something else: words of Swagger 2.0, of programming languages, of the level above
//! or below. A hint is one edit; without one the general help stands.

use super::tables::Kind;
use crate::syntax::{Node, Scalar};

/// Words that stand for a type, a place or a scheme elsewhere.
const WORDS: &[(&str, &str)] = &[
    ("int", "write `integer`"),
    ("int32", "write `type: integer` with `format: int32`"),
    ("int64", "write `type: integer` with `format: int64`"),
    ("long", "write `type: integer` with `format: int64`"),
    ("float", "write `type: number` with `format: float`"),
    ("double", "write `type: number` with `format: double`"),
    ("decimal", "write `type: number`, or `type: string` with a `pattern`"),
    ("bool", "write `boolean`"),
    ("str", "write `string`"),
    ("text", "write `string`"),
    ("uuid", "write `type: string` with `format: uuid`"),
    ("email", "write `type: string` with `format: email`"),
    ("uri", "write `type: string` with `format: uri`"),
    ("url", "write `type: string` with `format: uri`"),
    ("date", "write `type: string` with `format: date`"),
    ("datetime", "write `type: string` with `format: date-time`"),
    ("date-time", "write `type: string` with `format: date-time`"),
    ("timestamp", "write `type: string` with `format: date-time`"),
    ("enum", "write `type: string` with `enum: […]`"),
    ("list", "write `type: array` with `items`"),
    ("map", "write `type: object` with `additionalProperties`"),
    ("dict", "write `type: object` with `additionalProperties`"),
    ("hash", "write `type: object` with `additionalProperties`"),
    ("file", "write `type: string` with `format: binary`"),
    ("any", "remove `type`: a schema without one admits every type"),
    ("body", "say the body under `requestBody`, with `content`"),
    ("formData", "say the form under `requestBody`, with `content: { application/x-www-form-urlencoded: … }`"),
    ("form", "say the form under `requestBody`, with `content: { application/x-www-form-urlencoded: … }`"),
    ("bearer", "write `type: http` with `scheme: bearer`"),
    ("jwt", "write `type: http` with `scheme: bearer` and `bearerFormat: JWT`"),
    ("basic", "write `type: http` with `scheme: basic`"),
    ("apikey", "write `apiKey`"),
    ("oauth", "write `oauth2`"),
    ("oidc", "write `openIdConnect`"),
    ("mtls", "write `mutualTLS`"),
];

/// Fields by the name of the object they stand in, as its table calls it.
const FIELDS: &[(&str, &[&str], &str)] = &[
    (
        "the document",
        &["schemas", "securitySchemes", "parameters", "responses", "requestBodies", "headers", "examples", "links"],
        "move it into `components`",
    ),
    ("the document", &["definitions"], "move it to `components`, as `schemas`"),
    ("the document", &["securityDefinitions"], "move it to `components`, as `securitySchemes`"),
    ("the document", &["host", "basePath", "schemes"], "write `servers: [ { url: \"https://host/base\" } ]`"),
    ("the document", &["consumes", "produces"], "say media types as the keys of `content`"),
    ("an operation", &["consumes", "produces"], "say media types as the keys of `content`"),
    ("an operation", &["schemes"], "write `servers`"),
    ("an operation", &["body"], "write `requestBody`, with `content`"),
    ("an operation", &["schema"], "say it under `requestBody` or `responses`, in `content`"),
    (
        "a path",
        &["post:", "operationId", "responses", "requestBody", "security", "tags"],
        "move it into an operation such as `get`",
    ),
    ("a response", &["schema"], "write `content: { application/json: { schema: … } }`"),
    ("a response", &["type", "properties", "items", "$schema"], "write `content: { application/json: { schema: … } }`"),
    ("a response", &["application/json", "text/plain"], "put it under `content`"),
    ("a request body", &["schema", "type", "properties"], "write `content: { application/json: { schema: … } }`"),
    ("a request body", &["application/json", "multipart/form-data"], "put it under `content`"),
    ("the `flows` object", &["accessCode"], "write `authorizationCode`"),
    ("the `flows` object", &["application"], "write `clientCredentials`"),
    (
        "a security scheme",
        &["flow", "scopes", "authorizationUrl", "tokenUrl"],
        "move it into `flows`, under the name of the flow",
    ),
    ("a parameter", &["collectionFormat"], "write `style` and `explode`"),
    ("a header", &["collectionFormat"], "write `style` and `explode`"),
    ("the `components` object", &["definitions"], "write `schemas`"),
];

/// What to write instead of a word that is none.
pub(super) fn word(text: &str) -> Option<&'static str> {
    let plain = text.trim();
    WORDS.iter().find(|(word, _)| word.eq_ignore_ascii_case(plain)).map(|(_, hint)| *hint)
}

/// What to do with a field that an object does not have.
pub(super) fn field(object: &str, name: &str, value: Node<'_>) -> Option<String> {
    if let Some((.., hint)) = FIELDS.iter().find(|(of, names, _)| *of == object && names.contains(&name)) {
        return Some((*hint).to_owned());
    }
    // Parameters, headers and media types hold a schema; in Swagger 2.0 some were one.
    if matches!(object, "a parameter" | "a header" | "a media type") && super::tables::SCHEMA.field(name).is_some() {
        return Some("move it into `schema`".to_owned());
    }
    if object == "the `components` object" && value.is_map() {
        return Some(format!(
            "move it into the section of its kind, such as `schemas: {{ {}: … }}`",
            super::keys::shown(name)
        ));
    }
    None
}

/// Whether a field that an object does not have would check values, had it stood where it was meant to: without another
/// schema in its place, ignoring it would admit anything.
pub(super) fn holds_check(object: &str, name: &str) -> bool {
    const NOTES: &[&str] = &[
        "title",
        "description",
        "default",
        "example",
        "examples",
        "deprecated",
        "externalDocs",
        "xml",
        "readOnly",
        "writeOnly",
        "required",
        "nullable",
    ];
    match object {
        "a parameter" | "a header" | "a media type" => {
            super::tables::SCHEMA.field(name).is_some() && !NOTES.contains(&name) && !name.starts_with('$')
        }
        "a response" | "a request body" => matches!(name, "schema" | "type" | "properties" | "items"),
        _ => false,
    }
}

/// How a value of a kind is written, where its kind alone does not say it.
pub(super) fn example(kind: &Kind, node: Node<'_>) -> Option<String> {
    let scalar = node.as_str().map(super::keys::shown);
    let object = match kind {
        Kind::Schema | Kind::SchemaOrBool | Kind::Items => return schema(node),
        Kind::Map(Kind::Schema) | Kind::Named(Kind::Schema) if node.is_seq() => {
            return Some("write names as keys: `name: { type: string }`".to_owned());
        }
        Kind::Map(Kind::List(Kind::Str)) => {
            return scalar.map(|name| format!("write the scheme as a key with its scopes: `{name}: []`"));
        }
        Kind::Obj(object) | Kind::Ref(object) => object,
        _ => return None,
    };
    Some(match object.name {
        "a server" => match scalar {
            Some(url) => format!("write `url: {url}`"),
            None => "write `url: https://example.com`".to_owned(),
        },
        "a discriminator" => match scalar {
            Some(name) => format!("write `propertyName: {name}` under it"),
            None => "write `propertyName: kind` under it".to_owned(),
        },
        "a tag" => match scalar {
            Some(name) => format!("write `name: {name}`"),
            None => "write `name: things`".to_owned(),
        },
        "the `paths` object" => "write paths as keys, without `- `: `/things: { get: … }`".to_owned(),
        "the `responses` object" => "write statuses as keys, without `- `: `\"200\": { description: … }`".to_owned(),
        "an operation" => {
            "write an operation such as `{ responses: { \"200\": { description: … } } }`, or remove the key".to_owned()
        }
        "a path" => "write operations under it, such as `get: { responses: … }`, or remove the key".to_owned(),
        "a response" => match scalar {
            Some(text) => format!("write `description: {text}` under it"),
            None => "write `description: …` under it".to_owned(),
        },
        "a media type" => "write `schema: …` under it, or `{}`".to_owned(),
        "the `info` object" => "write `title` and `version` under it".to_owned(),
        _ => return None,
    })
}

fn schema(node: Node<'_>) -> Option<String> {
    let text = node.text()?;
    if matches!(node.scalar(), Some(Scalar::Str("true" | "false"))) {
        return Some(format!("remove the quotes: {text}"));
    }
    // `properties: { type: object, a: … }`: a keyword one level too deep.
    if let Some(key) = node.key().filter(|key| super::tables::SCHEMA.field(key.text).is_some()) {
        return Some(format!(
            "it is read as a property that is called `{}`; if it is a keyword, move it one level out",
            super::keys::shown(&key)
        ));
    }
    super::tables::TYPES.iter().find(|(name, _)| *name == text).map(|(name, _)| format!("write `{{ type: {name} }}`"))
}
