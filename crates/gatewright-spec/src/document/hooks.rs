//! What tables cannot say: fields that depend on one another.

use std::collections::HashMap;

use gatewright_diag::{Level, codes, distance};

use super::keys::shown;
use super::walk::Walker;
use crate::syntax::Node;

/// Each tag is declared once.
pub(super) fn document(walker: &mut Walker<'_, '_>, node: Node<'_>) {
    let mut known = HashMap::new();
    for tag in node.get("tags").into_iter().flat_map(Node::items) {
        let Some((place, name)) = tag.get("name").and_then(|name| Some((name, name.text()?))) else { continue };
        let Some(first) = known.insert(name, place.span()) else { continue };
        walker
            .sink
            .warning(codes::DUPLICATE_TAG, place.span(), format!("the tag `{}` is declared twice", shown(name)))
            .related(first, "here too")
            .help("remove one of them, or give it another name");
        known.insert(name, first);
    }
}

/// The variables of a server's URL are declared, and their defaults are among their values.
pub(super) fn server(walker: &mut Walker<'_, '_>, node: Node<'_>) {
    let variables = node.get("variables").filter(|variables| variables.is_map());
    if let Some((url, text)) = node.get("url").and_then(|url| Some((url, url.as_str()?))) {
        let mut rest = text;
        while let Some((name, behind)) = rest.split_once('{').and_then(|(_, at)| at.split_once('}')) {
            rest = behind;
            if variables.is_some_and(|variables| variables.has(name)) {
                continue;
            }
            let known = variables.into_iter().flat_map(Node::entries).map(|(key, _)| key.text);
            let help = match walker.sink.suggest(name, known) {
                Some(near) => format!("did you mean `{}`?", shown(near)),
                None => format!("add `variables: {{ {}: {{ default: … }} }}`", shown(name)),
            };
            walker
                .sink
                .warning(codes::SERVER_VARIABLE, url.span(), format!("nothing declares the variable `{}`", shown(name)))
                .label("so nobody knows the URL")
                .help(help);
        }
    }
    for (key, variable) in variables.into_iter().flat_map(Node::entries) {
        let (Some(default), Some(values)) = (variable.get("default"), variable.get("enum")) else { continue };
        let listed = values.is_seq() && !values.is_empty();
        if listed && default.text().is_some_and(|text| values.items().all(|value| value.text() != Some(text))) {
            walker
                .sink
                .warning(
                    codes::SERVER_VARIABLE,
                    default.span(),
                    format!("the default of `{}` is none of its values", shown(key.text)),
                )
                .related(values.anchor_span(), "these are its values")
                .help("write one of them, or add it to them");
        }
    }
}

/// A parameter has a schema or a content, and in a path it is required.
pub(super) fn parameter(walker: &mut Walker<'_, '_>, node: Node<'_>) {
    match (node.get("schema"), node.get("content")) {
        (Some(schema), Some(content)) => {
            // `content` says how the value is written, and which schema it has then; so it is the one that can be read
            // by itself. Where it says no schema, taking it would lose the other's.
            let alone = content.len() == 1 && content.entries().all(|(_, media)| media.has("schema"));
            let level = if alone { Level::Warning } else { Level::Error };
            let label = if alone { "read by this; `schema` is ignored" } else { "" };
            walker
                .sink
                .report(
                    codes::EXCLUSIVE_FIELDS,
                    level,
                    content.anchor_span(),
                    "a parameter has either `schema` or `content`",
                )
                .label(label)
                .related(schema.anchor_span(), "and here is the other")
                .help("remove one of them");
        }
        (None, None) => {
            // The keywords of a schema that stand in the parameter itself were reported one by one.
            let help = match node.has("type") {
                true => "write `schema: { type: … }`",
                false => "add `schema`",
            };
            walker
                .sink
                .warning(codes::MISSING_DETAIL, node.anchor_span(), "a parameter says nothing of its value")
                .help(help);
        }
        _ => {}
    }
    if node.get("in").and_then(Node::as_str) == Some("path") {
        let required = node.get("required");
        if required.and_then(Node::as_bool) != Some(true) {
            let place = required.map_or_else(|| node.anchor_span(), Node::anchor_span);
            walker
                .sink
                .warning(codes::MISSING_DETAIL, place, "a parameter in the path is always required")
                .help("write `required: true`");
        }
    }
}

/// What each type of scheme needs.
pub(super) fn security_scheme(walker: &mut Walker<'_, '_>, node: Node<'_>) {
    let kind = node.get("type").and_then(Node::as_str).unwrap_or("");
    let (needed, wanted): (&[&str], &[&str]) = match kind {
        "apiKey" => (&["name", "in"], &[]),
        "http" => (&["scheme"], &[]),
        "oauth2" => (&[], &["flows"]),
        "openIdConnect" => (&[], &["openIdConnectUrl"]),
        _ => (&[], &[]),
    };
    for field in needed.iter().filter(|field| !node.has(field)) {
        walker
            .sink
            .error(
                codes::MISSING_FIELD,
                node.anchor_span(),
                format!("a security scheme of type `{kind}` has no `{field}`"),
            )
            .help(format!("add `{field}`"));
    }
    for field in wanted.iter().filter(|field| !node.has(field)) {
        walker
            .sink
            .warning(
                codes::MISSING_DETAIL,
                node.anchor_span(),
                format!("a security scheme of type `{kind}` has no `{field}`"),
            )
            .help(format!("add `{field}`"));
    }
}

/// `items` beside `type: array` is required in 3.0.
pub(super) fn schema(walker: &mut Walker<'_, '_>, node: Node<'_>) {
    if let (Some(items), Some(prefix)) = (node.get("items").filter(|items| items.is_seq()), node.get("prefixItems")) {
        walker
            .sink
            .error(codes::EXCLUSIVE_FIELDS, items.anchor_span(), "a list of `items` beside `prefixItems`")
            .related(prefix.anchor_span(), "both say what the first items are")
            .help("remove one of them");
    }
    let array = node.get("type").and_then(Node::as_str) == Some("array");
    if array && walker.version == super::Version::V3_0 && !node.has("items") {
        walker
            .sink
            .warning(codes::MISSING_DETAIL, node.anchor_span(), "an array has no `items`")
            .help("add `items`; `items: {}` admits anything");
    }
    if node.get("enum").is_some_and(|list| list.is_seq() && list.is_empty()) {
        let place = node.get("enum").map_or_else(|| node.anchor_span(), Node::anchor_span);
        walker
            .sink
            .warning(codes::KEYWORD_VALUE, place, "an enumeration without values admits nothing")
            .help("list the values, or remove `enum`");
    }
    pattern(walker, node);
    format(walker, node);
    idle(walker, node);
}

/// `/^a$/`: the slashes are JavaScript's, not the pattern's.
fn pattern(walker: &mut Walker<'_, '_>, node: Node<'_>) {
    let Some(place) = node.get("pattern") else { return };
    let Some((inner, flags)) = place.as_str().and_then(|p| p.strip_prefix('/')).and_then(|p| p.rsplit_once('/')) else {
        return;
    };
    // Only where no text could match with the slashes: `/api/` may mean them.
    let anchored = inner.starts_with('^') || (inner.ends_with('$') && !inner.ends_with("\\$"));
    if anchored && flags.bytes().all(|flag| b"dgimsuvy".contains(&flag)) {
        walker
            .sink
            .warning(codes::PATTERN_DELIMITED, place.span(), "the pattern stands between slashes, and they count")
            .label("no text can match it")
            .help("remove the slashes, and the flags behind them");
    }
}

/// Formats that are checked, or that say which numbers fit.
const FORMATS: &[&str] = &[
    "date-time",
    "date",
    "time",
    "duration",
    "email",
    "idn-email",
    "hostname",
    "idn-hostname",
    "ipv4",
    "ipv6",
    "uri",
    "uri-reference",
    "uri-template",
    "iri",
    "iri-reference",
    "uuid",
    "json-pointer",
    "relative-json-pointer",
    "regex",
    "int32",
    "int64",
    "float",
    "double",
    "byte",
    "binary",
    "password",
];

/// A format that is a known one misspelt checks nothing. All others are somebody's own.
fn format(walker: &mut Walker<'_, '_>, node: Node<'_>) {
    let Some(place) = node.get("format") else { return };
    let Some(text) = place.as_str().filter(|text| !FORMATS.contains(text)) else { return };
    let letters = |s: &str| s.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let own: String = letters(text);
    // Short ones are too near to one another: `int8` is not `int32`.
    let near = |known: &&&str| {
        let known: String = letters(known);
        known == own || (own.len() > 5 && !own.contains(|c: char| c.is_ascii_digit()) && distance(&known, &own) == 1)
    };
    if !walker.may_guess() {
        return;
    }
    if let Some(known) = FORMATS.iter().find(near) {
        walker
            .sink
            .warning(codes::UNKNOWN_FORMAT, place.span(), format!("unknown format `{}`", super::keys::shown(text)))
            .label("not checked")
            .help(format!("did you mean `{known}`?"));
    }
}

/// Keywords by the type that they say something of (JSON Schema Validation, section 6).
const KEYWORDS: &[(&[&str], &[&str])] = &[
    (&["string"], &["minLength", "maxLength", "pattern"]),
    (&["number", "integer"], &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
    (&["array"], &["items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"]),
    (
        &["object"],
        &["properties", "required", "additionalProperties", "patternProperties", "minProperties", "maxProperties"],
    ),
];

/// A keyword that says nothing beside the `type`: `maxLength` of a number checks nothing.
fn idle(walker: &mut Walker<'_, '_>, node: Node<'_>) {
    let Some(place) = node.get("type") else { return };
    let types: Vec<&str> = match place.as_str() {
        Some(one) => vec![one],
        None => place.items().filter_map(Node::as_str).collect(),
    };
    let known = |name: &&str| super::tables::TYPES.iter().any(|(word, _)| word == name);
    if types.is_empty() || !types.iter().all(known) {
        return;
    }
    let mut found = KEYWORDS
        .iter()
        .filter(|(of, _)| !of.iter().any(|name| types.contains(name)))
        .flat_map(|(of, keywords)| keywords.iter().map(|keyword| (*of, *keyword)))
        .filter_map(|(of, keyword)| Some((of, keyword, node.get(keyword)?)))
        // `required: true` has a warning of its own; what is empty or false asks for nothing anyhow.
        .filter(|(.., value)| value.as_bool().is_none() && !((value.is_map() || value.is_seq()) && value.is_empty()));
    if let Some((of, keyword, value)) = found.next() {
        walker
            .sink
            .warning(
                codes::IDLE_KEYWORD,
                value.anchor_span(),
                format!("`{keyword}` says nothing of {}", super::keys::list(types.iter().copied())),
            )
            .label("checks nothing")
            .help(format!("remove it, or write the type that it is for: {}", super::keys::list(of.iter().copied())));
    }
}
