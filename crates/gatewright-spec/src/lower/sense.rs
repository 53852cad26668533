//! Keywords that contradict one another: bounds that no value meets are errors; defaults and enumerations that miss their
//! own type, and required names that nobody declares, are warnings, because real documents have them.

use std::collections::HashSet;

use gatewright_diag::{Sink, Span, codes};
use gatewright_ir::json::Json;
use gatewright_ir::schema::{Schema, SchemaId, Schemas, Types};

/// Judges every schema by itself. Defaults that their own schema refuses are taken away.
pub(super) fn check(schemas: &mut Schemas, sink: &mut Sink) {
    // A part of an `allOf` may require what another part declares.
    let mut parts: HashSet<SchemaId> = HashSet::new();
    for (_, schema) in schemas.iter() {
        parts.extend(schema.all_of.iter().chain(&schema.any_of).chain(&schema.one_of).chain(&schema.reference));
        parts.extend(schema.condition.iter().flat_map(|c| [Some(c.when), c.then, c.otherwise]).flatten());
        parts.extend(schema.not);
    }
    let mut unsound = Vec::new();
    for (id, schema) in schemas.iter() {
        bounds(schema, sink);
        enumeration(schema, sink);
        if !default(schema, sink) {
            unsound.push(id);
        }
        if !parts.contains(&id) {
            required(schema, sink);
        }
    }
    for id in unsound {
        let mut schema = schemas.get(id).clone();
        schema.notes.default = None;
        schemas.set(id, schema);
    }
}

fn bounds(schema: &Schema, sink: &mut Sink) {
    let mut inverted = |low: &str, high: &str, span: Span| {
        sink.error(codes::BOUNDS_INVERTED, span, format!("`{low}` is beyond `{high}`: no value can pass"))
            .help(format!("swap `{low}` and `{high}`, or remove one"));
    };
    let number = &schema.number;
    let pairs = [
        ("minimum", &number.minimum, "maximum", &number.maximum, false),
        ("exclusiveMinimum", &number.exclusive_minimum, "maximum", &number.maximum, true),
        ("minimum", &number.minimum, "exclusiveMaximum", &number.exclusive_maximum, true),
        ("exclusiveMinimum", &number.exclusive_minimum, "exclusiveMaximum", &number.exclusive_maximum, true),
    ];
    for (low_name, low, high_name, high, open) in pairs {
        if let (Some(low), Some(high)) = (low, high)
            && (low > high || (open && low == high))
        {
            inverted(low_name, high_name, schema.span);
        }
    }
    let (string, array, object) = (&schema.string, &schema.array, &schema.object);
    for (low_name, low, high_name, high) in [
        ("minLength", string.min_length, "maxLength", string.max_length),
        ("minItems", array.min_items, "maxItems", array.max_items),
        ("minContains", array.min_contains, "maxContains", array.max_contains),
        ("minProperties", object.min_properties, "maxProperties", object.max_properties),
    ] {
        if low.zip(high).is_some_and(|(low, high)| low > high) {
            inverted(low_name, high_name, schema.span);
        }
    }
}

fn type_of(value: &Json) -> Types {
    match value {
        Json::Null => Types::NULL,
        Json::Bool(_) => Types::BOOLEAN,
        Json::Number(n) if n.is_integer() => Types::INTEGER.with(Types::NUMBER),
        Json::Number(_) => Types::NUMBER,
        Json::String(_) => Types::STRING,
        Json::Array(_) => Types::ARRAY,
        Json::Object(_) => Types::OBJECT,
    }
}

/// Whether a value has one of the types.
fn fits(value: &Json, types: Types) -> bool {
    let own = type_of(value);
    own.without(types) != own
}

fn listed(types: Types) -> String {
    types.names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ")
}

fn enumeration(schema: &Schema, sink: &mut Sink) {
    let Some(types) = schema.types.filter(|t| !t.is_empty()) else { return };
    let members = schema.enumeration.iter().flatten().chain(&schema.constant);
    let strangers = members.filter(|value| !fits(value, types)).count();
    if strangers > 0 {
        let message = match strangers {
            1 => format!("one value of the enumeration is not of the type {}", listed(types)),
            n => format!("{n} values of the enumeration are not of the type {}", listed(types)),
        };
        sink.warning(codes::ENUM_TYPE, schema.span, message)
            .label("such a value can never pass")
            .help("remove it, quote it, or add its type");
    }
}

/// Whether the default is one.
fn default(schema: &Schema, sink: &mut Sink) -> bool {
    let Some(default) = &schema.notes.default else { return true };
    let (message, help) = match (schema.types.filter(|t| !t.is_empty()), &schema.enumeration) {
        (Some(types), _) if !fits(&default.value, types) => {
            let types = listed(types);
            (format!("the default is not of the type {types}"), format!("write a value of the type {types}"))
        }
        (_, Some(list)) if !list.contains(&default.value) => (
            "the default is none of the enumeration's values".to_owned(),
            "write one of the values that `enum` lists".to_owned(),
        ),
        _ => return true,
    };
    sink.warning(codes::WRONG_DEFAULT, default.span, message).label("not used").help(help);
    false
}

fn required(schema: &Schema, sink: &mut Sink) {
    let object = &schema.object;
    let composed = schema.reference.is_some()
        || schema.dynamic_reference.is_some()
        || schema.condition.is_some()
        || !(schema.all_of.is_empty() && schema.any_of.is_empty() && schema.one_of.is_empty());
    if composed || object.properties.is_empty() || !object.pattern_properties.is_empty() {
        return;
    }
    let declared: HashSet<&str> = object.properties.iter().map(|p| p.name.as_str()).collect();
    for name in object.required.iter().filter(|name| !declared.contains(name.as_str())) {
        let near = sink.suggest(name, declared.iter().copied());
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("declare `{}` under `properties`", super::shown(name)),
        };
        sink.warning(
            codes::REQUIRED_UNDECLARED,
            schema.span,
            format!("`{}` is required and not declared", super::shown(name)),
        )
        .help(help);
    }
}
