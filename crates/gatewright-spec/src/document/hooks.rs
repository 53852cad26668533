//! What tables cannot say: fields that depend on one another.

use gatewright_diag::{Level, codes};

use super::walk::Walker;
use crate::syntax::Node;

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
            walker
                .sink
                .warning(codes::MISSING_DETAIL, node.anchor_span(), "a parameter says nothing of its value")
                .help("add `schema`");
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
}
