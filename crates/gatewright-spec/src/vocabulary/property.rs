//! `x-security` of a schema property or a parameter.

use gatewright_ir::schema::{Classification, Protection};

use super::PROPERTY;
use super::read::Reader;
use crate::syntax::Node;

/// Reads it. What cannot be understood is reported; what remains is read as the stricter.
pub(crate) fn protection(node: Node<'_>, reader: &mut Reader<'_>) -> Option<Protection> {
    if !reader.object(node, PROPERTY) {
        return None;
    }
    let mut found = Protection { span: node.anchor_span(), ..Protection::default() };
    for (key, value) in node.entries() {
        match key.text {
            "classification" => {
                let words = [
                    ("public", Classification::Public),
                    ("internal", Classification::Internal),
                    ("pii", Classification::Pii),
                    ("secret", Classification::Secret),
                ];
                found.classification = reader.word(value, &words).unwrap_or(Classification::Secret);
            }
            "read" => found.read = reader.names(value).unwrap_or_default(),
            "write" => found.write = reader.names(value).unwrap_or_default(),
            "log" => {
                found.log_shown = reader.word(value, &[("show", true), ("redact", false)]).unwrap_or(false);
            }
            _ => {}
        }
    }
    Some(found)
}
