//! Keywords that contradict one another: bounds that no value meets are errors; defaults and enumerations that miss their
//! own type, and required names that nobody declares, are warnings, because real documents have them.

use std::collections::HashSet;

use gatewright_diag::{Sink, Span, codes};
use gatewright_ir::formats;
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
    let mut examples = Vec::new();
    for (id, schema) in schemas.iter() {
        bounds(schema, sink);
        enumeration(schema, sink);
        duplicates(schema, sink);
        if schema.notes.examples.iter().any(|example| refused(schema, example)) {
            examples.push(schema.span);
        }
        if !default(schema, sink) {
            unsound.push(id);
        }
        if !parts.contains(&id) {
            required(schema, sink);
        }
    }
    wrong_examples(&examples, sink);
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

fn duplicates(schema: &Schema, sink: &mut Sink) {
    let Some(values) = &schema.enumeration else { return };
    // Long lists are of strings, which a set tells apart quickly.
    let mut seen = HashSet::new();
    let Some(twice) = values.iter().find(|value| !seen.insert(value.to_text())) else { return };
    sink.warning(
        codes::ENUM_DUPLICATE,
        schema.span,
        format!("the enumeration lists `{}` more than once", super::shown(&twice.to_text())),
    )
    .help("remove all but one, or write the value that was meant");
}

/// All of a document in one: real ones have hundreds.
fn wrong_examples(places: &[Span], sink: &mut Sink) {
    const SHOWN: usize = 4;
    let Some((first, others)) = places.split_first() else { return };
    let message = match others.len() {
        0 => "an example is no value of its schema".to_owned(),
        n => format!("{} examples are no values of their schemas", n + 1),
    };
    let mut warning = sink.warning(codes::WRONG_EXAMPLE, *first, message);
    for place in others.iter().take(SHOWN - 1) {
        warning = warning.related(*place, "this one too");
    }
    warning.help("write values that the schemas admit");
}

/// Whether a schema refuses a value by its own types, values or bounds. What other schemas say is not looked at.
fn refused(schema: &Schema, value: &Json) -> bool {
    let types = schema.types.filter(|types| !types.is_empty());
    let listed = schema.enumeration.as_ref().is_none_or(|list| list.contains(value));
    let constant = schema.constant.as_ref().is_none_or(|constant| constant == value);
    types.is_some_and(|types| !fits(value, types)) || !listed || !constant || beyond(schema, value).is_some()
}

/// The bound that a value is beyond.
fn beyond(schema: &Schema, value: &Json) -> Option<&'static str> {
    match value {
        Json::Number(number) => {
            let bounds = &schema.number;
            let low = bounds.minimum.as_ref().is_some_and(|least| number < least);
            let high = bounds.maximum.as_ref().is_some_and(|most| number > most);
            let open_low = bounds.exclusive_minimum.as_ref().is_some_and(|least| number <= least);
            let open_high = bounds.exclusive_maximum.as_ref().is_some_and(|most| number >= most);
            let all =
                [(low, "minimum"), (high, "maximum"), (open_low, "exclusiveMinimum"), (open_high, "exclusiveMaximum")];
            all.into_iter().find_map(|(is, name)| is.then_some(name))
        }
        Json::String(text) => length(text.chars().count(), schema.string.min_length, schema.string.max_length)
            .map(|low| if low { "minLength" } else { "maxLength" }),
        Json::Array(items) => length(items.len(), schema.array.min_items, schema.array.max_items)
            .map(|low| if low { "minItems" } else { "maxItems" }),
        _ => None,
    }
}

/// Whether a length is below the least (`true`) or beyond the most; `None` where it is neither.
fn length(length: usize, least: Option<u64>, most: Option<u64>) -> Option<bool> {
    let length = length as u64;
    if least.is_some_and(|least| length < least) {
        return Some(true);
    }
    most.is_some_and(|most| length > most).then_some(false)
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
        _ => match beyond(schema, &default.value) {
            Some(bound) => (format!("the default is beyond `{bound}`"), "write a value within the bounds".to_owned()),
            None => match schema.notes.format.as_ref().filter(|f| !formats::admits(&f.value, &default.value)) {
                Some(format) => (
                    format!("the default is no `{}`", super::shown(&format.value)),
                    "write a value of that format".to_owned(),
                ),
                None => return true,
            },
        },
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
