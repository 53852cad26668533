//! Objects and lists where something else stands.

use gatewright_diag::{Level, Span, codes};

use super::Walker;
use crate::document::tables::Kind;
use crate::document::{hints, keys};
use crate::syntax::Node;

impl Walker<'_, '_> {
    pub(super) fn object(&mut self, node: Node<'_>) -> bool {
        if !node.is_map() {
            self.wrong(node, "an object");
        }
        node.is_map()
    }

    pub(super) fn object_of(&mut self, node: Node<'_>, name: &str, kind: &Kind) -> bool {
        if !node.is_map() {
            // `the …` names its key, which the place shows.
            let what = match name {
                "an object" => name.to_owned(),
                the if the.starts_with("the ") => "an object".to_owned(),
                a => format!("{a} (an object)"),
            };
            match hints::example(kind, node) {
                Some(help) => self.wrong_with(node, &what, &help),
                None => self.wrong(node, &what),
            }
        }
        node.is_map()
    }

    pub(super) fn list(&mut self, node: Node<'_>) -> bool {
        if !node.is_seq() {
            let help = if node.is_map() { "write the items with `- `" } else { "put it in brackets: […]" };
            self.wrong_with(node, "a list", help);
        }
        node.is_seq()
    }

    pub(super) fn wrong(&mut self, node: Node<'_>, wanted: &str) {
        let help = match node.key() {
            Some(key) => format!("make `{}` {wanted}, or remove it", keys::shown(&key)),
            None => format!("write {wanted}"),
        };
        self.wrong_with(node, wanted, &help);
    }

    pub(super) fn wrong_with(&mut self, node: Node<'_>, wanted: &str, help: &str) {
        let found = if node.is_null() { "nothing" } else { node.type_name() };
        let message = format!("expected {wanted}, found {found}");
        self.sink.report(codes::WRONG_TYPE, self.level(), self.value_span(node), message).help(help);
    }

    /// How bad it is that something here cannot be understood.
    pub(super) fn level(&self) -> Level {
        if self.note { Level::Warning } else { Level::Error }
    }

    /// The value if there is something to underline, else its key.
    pub(super) fn value_span(&self, node: Node<'_>) -> Span {
        let span = node.span();
        let scalar = !node.is_map() && !node.is_seq();
        if scalar && span.start < span.end { span } else { node.anchor_span() }
    }
}
