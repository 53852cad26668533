//! What tables cannot say: fields that depend on one another.

use gatewright_diag::codes;

use super::walk::Walker;
use crate::syntax::Node;

/// A parameter has a schema or a content, and in a path it is required.
pub(super) fn parameter(walker: &mut Walker<'_, '_>, node: Node<'_>) {
    match (node.get("schema"), node.get("content")) {
        (Some(schema), Some(content)) => {
            walker
                .sink
                .error(codes::EXCLUSIVE_FIELDS, content.anchor_span(), "a parameter has either `schema` or `content`")
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
    let array = node.get("type").and_then(Node::as_str) == Some("array");
    if array && walker.version == super::Version::V3_0 && !node.has("items") {
        walker
            .sink
            .warning(codes::MISSING_DETAIL, node.anchor_span(), "an array has no `items`")
            .help("add `items`; `items: {}` admits anything");
    }
}
