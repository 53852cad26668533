//! Single values: what each must be, and what is said of one that is something else.

use gatewright_diag::{codes, nearest};

use super::{How, SCHEMA_KIND, Walker, reference};
use crate::document::tables::{TYPES, Word};
use crate::document::{Version, hints, keys};
use crate::syntax::{Node, Scalar, yaml_1_1_differs};

impl Walker<'_, '_> {
    pub(super) fn text(&mut self, node: Node<'_>) {
        match node.scalar() {
            Some(Scalar::Str(_)) => {}
            Some(scalar) => {
                let shown = keys::shown(node.text().unwrap_or(""));
                let (message, help) = match scalar {
                    Scalar::Null => {
                        ("expected text, found nothing".to_owned(), "write text, or remove the key".to_owned())
                    }
                    other => (
                        format!("expected text, found {}", other.type_name()),
                        format!("put it in quotes: \"{shown}\""),
                    ),
                };
                self.sink.warning(codes::NOT_QUOTED, self.value_span(node), message).help(help);
            }
            None => {
                // Words for people may come from a file in some tools. Nothing is misunderstood without them.
                let words = node.key().is_some_and(|key| matches!(key.text, "description" | "summary" | "title"));
                match reference(node).filter(|_| words) {
                    Some(text) => {
                        self.sink
                            .warning(codes::MISPLACED_REFERENCE, text.span(), "text cannot be a `$ref`")
                            .label("ignored")
                            .help("write the text here");
                    }
                    None => self.wrong(node, "text"),
                }
            }
        }
    }

    /// A schema's `required`. On a property, many wrote the `true` of drafts long gone.
    pub(super) fn required_names(&mut self, node: Node<'_>) {
        if node.as_bool().is_some() {
            self.sink
                .warning(
                    codes::WRONG_VERSION,
                    node.anchor_span(),
                    "`required` with true or false means nothing in a schema",
                )
                .label("ignored")
                .help("list the property's name in the `required` of the object around it");
        } else if self.list(node) {
            node.items().for_each(|item| self.text(item));
        }
    }

    pub(super) fn not_bool(&mut self, node: Node<'_>) {
        match node.text() {
            Some(text) if node.is_plain() && yaml_1_1_differs(text) => {
                let word = keys::shown(text);
                let message = format!("expected true or false; `{word}` is text in YAML 1.2");
                let level = self.level();
                self.sink.report(codes::WRONG_TYPE, level, node.span(), message).help("write `true` or `false`");
            }
            Some(text @ ("true" | "false")) => {
                let message = "expected true or false, found text";
                let help = format!("remove the quotes: {text}");
                self.sink.report(codes::WRONG_TYPE, self.level(), node.span(), message).help(help);
            }
            _ => self.wrong(node, "true or false"),
        }
    }

    pub(super) fn word(&mut self, node: Node<'_>, words: &'static [Word]) {
        let Some(text) = node.as_str() else { return self.wrong(node, "a word") };
        let mask = self.mask();
        match words.iter().find(|(word, _)| *word == text) {
            Some((_, versions)) if versions & mask != 0 => {}
            Some((_, versions)) => {
                let message = format!("`{text}` is a word of OpenAPI {}", keys::versions(*versions));
                let help = format!("say `openapi: {}.0` at the top", keys::first_version(*versions));
                self.sink.warning(codes::WRONG_VERSION, node.span(), message).help(help);
            }
            None => {
                let known = || words.iter().filter(|(_, v)| v & mask != 0).map(|(word, _)| *word);
                let near = if self.may_guess() { nearest(text, known()) } else { None };
                let help = match (hints::word(text), near) {
                    (Some(hint), _) => hint.to_owned(),
                    (None, Some(near)) => format!("did you mean `{near}`?"),
                    (None, None) => format!("it may be {}", keys::list(known())),
                };
                let message = format!("unknown word `{}`", keys::shown(text));
                self.sink.report(codes::UNKNOWN_WORD, self.level(), node.span(), message).help(help);
            }
        }
    }

    pub(super) fn schema_type(&mut self, node: Node<'_>) {
        if !node.is_seq() {
            return match node.is_null() {
                // `type: null`, unquoted: what was meant is clear.
                true if self.version > Version::V3_0 => {
                    self.sink
                        .warning(codes::NOT_QUOTED, self.value_span(node), "the type `null` is text")
                        .help("write `type: \"null\"`");
                }
                _ => self.word(node, TYPES),
            };
        }
        if self.version == Version::V3_0 {
            self.sink
                .warning(codes::WRONG_VERSION, node.anchor_span(), "a list of types is of OpenAPI 3.1 and later")
                .help("write one `type` and `nullable: true`, or `anyOf`");
        }
        for item in node.items() {
            if !(item.is_null() && item.is_plain()) {
                self.word(item, TYPES);
            }
        }
    }

    pub(super) fn exclusive(&mut self, node: Node<'_>) {
        let name = node.key().map_or("", |key| key.text);
        let (fits, other) = match (node.scalar(), self.version) {
            (Some(Scalar::Bool(_)), Version::V3_0) => (true, false),
            (Some(Scalar::Bool(_)), _) => (false, true),
            (Some(Scalar::Number(n)), Version::V3_0) => (false, n.is_finite()),
            (Some(Scalar::Number(n)), _) => (n.is_finite(), false),
            _ => (false, false),
        };
        let v30 = self.version == Version::V3_0;
        if other {
            let message = match v30 {
                true => format!("`{name}` with a number is of OpenAPI 3.1 and later"),
                false => format!("`{name}` with true or false is of OpenAPI 3.0"),
            };
            let help = if v30 {
                "write the bound as `minimum` or `maximum`, and true here"
            } else {
                "write the bound itself here"
            };
            self.sink.warning(codes::WRONG_VERSION, node.span(), message).help(help);
        } else if !fits {
            self.wrong(node, if v30 { "true or false" } else { "a number" });
        }
    }

    pub(super) fn mapping(&mut self, node: Node<'_>) {
        if !self.object(node) {
            return;
        }
        for (_, value) in node.entries() {
            self.meant(value);
        }
    }

    pub(super) fn meant(&mut self, value: Node<'_>) {
        match value.as_str() {
            Some(_) => self.refer(value, &SCHEMA_KIND, How::Mapping),
            None => self.text(value),
        }
    }

    /// A value of the API's own data. YAML 1.1 tools read some plain words otherwise: worth a word.
    pub(super) fn data(&mut self, node: Node<'_>) {
        let ambiguous = node.is_plain() && !node.tree().is_json() && node.text().is_some_and(yaml_1_1_differs);
        if ambiguous {
            let text = keys::shown(node.text().unwrap_or(""));
            let is = node.scalar().map_or("text", Scalar::type_name);
            self.sink
                .warning(
                    codes::AMBIGUOUS_SCALAR,
                    node.span(),
                    format!("`{text}` is {is} here, and another value to YAML 1.1 tools"),
                )
                .help(format!("put it in quotes if it is text: \"{text}\""));
        }
    }
}
