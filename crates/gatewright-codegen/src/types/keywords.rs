//! The body of a check: each keyword of a schema as a call of the runtime's helper for it.

use std::fmt::Write;
use std::rc::Rc;

use gatewright_ir::json::{Json, Number};
use gatewright_ir::schema::{Schema, SchemaId, Schemas, Types};

use super::applicators::Within;
use super::checks::{Checks, Key, Mode, Scope};
use super::graph;
use super::plan::{read_only, write_only};
use super::view::{self, View};

/// The schema `true`, whatever it says of itself.
pub(super) fn admits_all(schema: &Schema) -> bool {
    schema.types.is_none() && asks_at_most_types(schema)
}

fn asks_at_most_types(schema: &Schema) -> bool {
    !schema.nothing
        && schema.reference.is_none()
        && schema.dynamic_reference.is_none()
        && schema.enumeration.is_none()
        && schema.constant.is_none()
        && number_is_empty(schema)
        && string_is_empty(schema)
        && array_is_empty(schema)
        && schema.object.is_empty()
        && schema.all_of.is_empty()
        && schema.any_of.is_empty()
        && schema.one_of.is_empty()
        && schema.not.is_none()
        && schema.condition.is_none()
        && format(schema).is_none()
}

/// The runtime's check of a schema that asks for a type and nothing else.
pub(super) fn only_types(schema: &Schema) -> Option<&'static str> {
    let known = match bits(schema.types?) {
        1 => "is_null",
        2 => "is_boolean",
        4 => "is_integer",
        8 | 12 => "is_number",
        16 => "is_string",
        32 => "is_array",
        64 => "is_object",
        3 => "is_boolean_or_null",
        5 => "is_integer_or_null",
        9 | 13 => "is_number_or_null",
        17 => "is_string_or_null",
        33 => "is_array_or_null",
        65 => "is_object_or_null",
        _ => return None,
    };
    asks_at_most_types(schema).then_some(known)
}

fn number_is_empty(schema: &Schema) -> bool {
    let n = &schema.number;
    let bounds = [&n.minimum, &n.exclusive_minimum, &n.maximum, &n.exclusive_maximum, &n.multiple_of];
    bounds.into_iter().all(Option::is_none)
}

fn string_is_empty(schema: &Schema) -> bool {
    let s = &schema.string;
    s.min_length.is_none() && s.max_length.is_none() && s.pattern.is_none() && content(schema).is_none()
}

fn array_is_empty(schema: &Schema) -> bool {
    let a = &schema.array;
    !array_has_rules(schema) && a.unevaluated_items.is_none()
}

pub(super) fn array_has_rules(schema: &Schema) -> bool {
    let a = &schema.array;
    a.items.is_some()
        || !a.prefix_items.is_empty()
        || a.contains.is_some()
        || a.min_items.is_some()
        || a.max_items.is_some()
        || a.unique_items
}

/// Whether unknown fields are refused here where the policy says so: properties are spoken of, in place, and what becomes
/// of others is unsaid.
pub(super) fn closes(schemas: &Schemas, id: SchemaId) -> bool {
    let schema = schemas.get(id);
    schema.object.additional_properties.is_none()
        && schema.object.unevaluated_properties.is_none()
        && speaks(schemas, id, &mut Vec::new())
}

fn speaks(schemas: &Schemas, id: SchemaId, seen: &mut Vec<SchemaId>) -> bool {
    if seen.contains(&id) || seen.len() > 1000 {
        return false;
    }
    seen.push(id);
    let schema = schemas.get(id);
    graph::speaks_of_properties(schema) || members(schema).any(|member| speaks(schemas, member, seen))
}

/// The schemas of a composition whose properties count as the whole's.
pub(super) fn members(schema: &Schema) -> impl Iterator<Item = SchemaId> {
    let condition = schema.condition.iter().flat_map(|c| [Some(c.when), c.then, c.otherwise]).flatten();
    let dependent = schema.object.dependent_schemas.iter().map(|(_, id)| *id);
    let dynamic = schema.dynamic_reference.iter().map(|(_, id)| *id);
    let all = schema.reference.iter().chain(&schema.all_of).chain(&schema.any_of).chain(&schema.one_of).copied();
    all.chain(condition).chain(dependent).chain(dynamic)
}

/// Whether a property is not of this direction.
pub(super) fn is_hidden(schemas: &Schemas, id: SchemaId, mode: Mode) -> bool {
    if mode.answer { write_only(schemas, id) } else { read_only(schemas, id) }
}

/// The properties of a composition that are not of this direction, as far as they hold whatever the value is.
fn hidden_names(schemas: &Schemas, id: SchemaId, mode: Mode, to: &mut Vec<String>, depth: u8) {
    let schema = schemas.get(id);
    let own = schema.object.properties.iter().filter(|property| is_hidden(schemas, property.schema, mode));
    to.extend(own.map(|property| property.name.clone()));
    if depth > 0 {
        for member in schema.reference.iter().chain(&schema.all_of) {
            hidden_names(schemas, *member, mode, to, depth - 1);
        }
    }
}

/// Those of the names that the composition requires.
pub(super) fn required_of(schemas: &Schemas, id: SchemaId, names: &[String]) -> Vec<String> {
    let mut seen = vec![id];
    let mut place = 0;
    let mut found = vec![false; names.len()];
    while let Some(id) = seen.get(place).copied() {
        place += 1;
        let schema = schemas.get(id);
        for (name, found) in names.iter().zip(&mut found) {
            *found |= schema.object.required.contains(name);
        }
        graph::in_place(schema, |to| {
            if seen.len() < 1000 && !seen.contains(&to) {
                seen.push(to);
            }
        });
    }
    names.iter().zip(found).filter(|(_, found)| *found).map(|(name, _)| name.clone()).collect()
}

/// What the runtime's `check!` is given behind the name: the types, and each rule.
pub(super) fn body(checks: &mut Checks<'_>, key: &Key) -> String {
    let schemas = checks.schemas;
    let schema = schemas.get(key.id);
    if schema.nothing {
        return ", never()".to_owned();
    }
    let scope = scope_within(schemas, key);
    let mut out = String::new();
    if let Some(types) = schema.types {
        let _ = write!(out, "({})", bits(types));
    }
    constants(schema, &mut out);
    number(schema, &mut out);
    string(checks, schema, &mut out);
    let cx = Within { schema, mode: key.mode, scope: &scope };
    cx.array(checks, &mut out);
    cx.object(checks, key, &mut out);
    cx.composition(checks, &mut out);
    cx.unevaluated(checks, key, &mut out);
    out
}

/// What the members of a schema's composition take from it and from its surroundings.
pub(super) fn scope_within(schemas: &Schemas, key: &Key) -> Scope {
    let schema = schemas.get(key.id);
    let mut scope = key.scope.clone();
    if !schema.dynamic_anchors.is_empty() {
        let mut anchors = (*scope.anchors).clone();
        for (name, id) in &schema.dynamic_anchors {
            // The outermost binding counts.
            anchors.entry(name.clone()).or_insert(*id);
        }
        scope.anchors = Rc::new(anchors);
    }
    if !schema.all_of.is_empty() || schema.reference.is_some() || !schema.any_of.is_empty() || !schema.one_of.is_empty()
    {
        let mut names = (*scope.hidden).clone();
        hidden_names(schemas, key.id, key.mode, &mut names, 16);
        names.sort_unstable();
        names.dedup();
        scope.hidden = Rc::new(names);
    }
    scope
}

/// The runtime's bits of a set of types.
pub(super) fn bits(types: Types) -> u8 {
    let all = [
        (Types::NULL, 1),
        (Types::BOOLEAN, 2),
        (Types::INTEGER, 4),
        (Types::NUMBER, 8),
        (Types::STRING, 16),
        (Types::ARRAY, 32),
        (Types::OBJECT, 64),
    ];
    all.iter().filter(|(t, _)| types.contains(*t)).map(|(_, bit)| bit).sum()
}

/// The bits of all types.
pub(super) const ALL_KINDS: u8 = 127;

/// The types that a schema admits as far as its keywords say so, as the runtime's bits.
pub(super) fn wanted_types(schemas: &Schemas, id: SchemaId) -> u8 {
    fn wanted(schemas: &Schemas, id: SchemaId, depth: u8) -> u8 {
        let view = View::of(schemas, id);
        let own = view.types.map_or(ALL_KINDS, |types| {
            bits(if types.contains(Types::NUMBER) { types.with(Types::INTEGER) } else { types })
        });
        let listed =
            view.values.as_ref().map_or(ALL_KINDS, |values| values.iter().fold(0, |all, value| all | kind_bits(value)));
        let branches = |union: &view::Union<'_>| {
            union.branches.iter().fold(0, |all, branch| all | wanted(schemas, *branch, depth - 1))
        };
        let unions = view.unions.iter().filter(|_| depth > 0).fold(ALL_KINDS, |all, union| all & branches(union));
        own & listed & unions
    }
    wanted(schemas, id, 4)
}

fn kind_bits(json: &Json) -> u8 {
    bits(match json {
        Json::Null => Types::NULL,
        Json::Bool(_) => Types::BOOLEAN,
        Json::Number(_) => Types::INTEGER.with(Types::NUMBER),
        Json::String(_) => Types::STRING,
        Json::Array(_) => Types::ARRAY,
        Json::Object(_) => Types::OBJECT,
    })
}

fn constants(schema: &Schema, out: &mut String) {
    let constant = schema.constant.as_ref().map(std::slice::from_ref);
    for values in [schema.enumeration.as_deref(), constant].into_iter().flatten() {
        if values.is_empty() {
            out.push_str(", never()");
        } else if let Some(texts) = all_strings(values) {
            let _ = write!(out, ", one_of_strings(&{texts:?})");
        } else {
            let texts: Vec<String> = values.iter().map(Json::to_text).collect();
            let list: Vec<String> = texts.iter().map(|text| format!("{text:?}")).collect();
            let _ = write!(out, ", constant({})", list.join(", "));
        }
    }
}

fn all_strings(values: &[Json]) -> Option<Vec<&str>> {
    values.iter().map(|value| if let Json::String(text) = value { Some(text.as_str()) } else { None }).collect()
}

fn number(schema: &Schema, out: &mut String) {
    let n = &schema.number;
    let all: [(&str, &Option<Number>); 5] = [
        ("minimum", &n.minimum),
        ("exclusive_minimum", &n.exclusive_minimum),
        ("maximum", &n.maximum),
        ("exclusive_maximum", &n.exclusive_maximum),
        ("multiple_of", &n.multiple_of),
    ];
    for (helper, number) in all {
        let Some(number) = number else { continue };
        // 18 digits always fit the runtime's quick comparison.
        let short = number.as_i128().and_then(|v| i64::try_from(v).ok()).filter(|v| v.unsigned_abs() < 10_u64.pow(18));
        let _ = write!(out, ", {helper}(&Bound::new({:?}, {short:?}))", number.canonical());
    }
}

fn string(checks: &mut Checks<'_>, schema: &Schema, out: &mut String) {
    let s = &schema.string;
    if let Some(least) = s.min_length {
        let _ = write!(out, ", min_length({least})");
    }
    if let Some(most) = s.max_length {
        let _ = write!(out, ", max_length({most})");
    }
    if let Some(pattern) = &s.pattern {
        let name = checks.pattern(pattern);
        let _ = write!(out, ", pattern(&{name})");
    }
    if let Some(format) = format(schema) {
        let _ = write!(out, ", format(Format::{format})");
    }
    if let Some((encoding, json)) = content(schema) {
        let encoding = encoding.map_or("None".to_owned(), |name| format!("Some(Encoding::{name})"));
        let schema = schema.string.content_schema.filter(|_| json).map(|id| {
            // A document of its own: the policy on the request's fields says nothing of it.
            checks.name(Key { id, mode: Mode::KEEP, scope: Scope::default() })
        });
        let schema = schema.map_or("None".to_owned(), |check| format!("Some({check})"));
        let _ = write!(out, ", content {{ encoding: {encoding}, json: {json}, schema: {schema} }}");
    }
}

/// The runtime's name of the encoding of a string's content, and whether the content is JSON; `None` where nothing of it
/// can be told.
fn content(schema: &Schema) -> Option<(Option<&'static str>, bool)> {
    let encoding = schema.string.content_encoding.as_deref().map(str::to_ascii_lowercase);
    let known = encoding.as_deref().and_then(|name| match name {
        "base64" => Some("Base64"),
        "base64url" => Some("Base64Url"),
        "base32" => Some("Base32"),
        "base16" => Some("Base16"),
        _ => None,
    });
    let media = schema.string.content_media_type.as_deref().unwrap_or_default();
    let essence = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let json = essence == "application/json" || essence.ends_with("+json");
    // Of text in an encoding that is not known nothing can be read.
    let json = json && (encoding.is_none() || known.is_some());
    (known.is_some() || json).then_some((known, json))
}

/// The runtime's name of a format that it enforces.
fn format(schema: &Schema) -> Option<&'static str> {
    Some(match schema.notes.format.as_ref()?.value.as_str() {
        "date-time" => "DateTime",
        "date" => "Date",
        "time" => "Time",
        "duration" => "Duration",
        "email" => "Email",
        "idn-email" => "IdnEmail",
        "hostname" => "Hostname",
        "idn-hostname" => "IdnHostname",
        "ipv4" => "Ipv4",
        "ipv6" => "Ipv6",
        "uri" => "Uri",
        "uri-reference" => "UriReference",
        "iri" => "Iri",
        "iri-reference" => "IriReference",
        "uri-template" => "UriTemplate",
        "uuid" => "Uuid",
        "json-pointer" => "JsonPointer",
        "relative-json-pointer" => "RelativeJsonPointer",
        "regex" => "Regex",
        "int32" => "Int32",
        "int64" => "Int64",
        "uint32" => "Uint32",
        "uint64" => "Uint64",
        "float" => "Float",
        "double" => "Double",
        "byte" => "Byte",
        _ => return None,
    })
}
