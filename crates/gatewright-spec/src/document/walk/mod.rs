//! The one walker: a tree against the tables.

mod leaves;
mod shapes;

use std::collections::HashSet;

use gatewright_diag::{Level, Sink, codes};

use super::Version;
use super::tables::{Field, Kind, Mask, Object, SCHEMA};
use super::{hints, keys, tables};
use crate::syntax::{Node, NodeKey, Number, Scalar};

/// A reference found while walking.
#[derive(Clone, Copy)]
pub(crate) struct Use {
    /// The text that refers.
    pub(crate) text: NodeKey,
    /// What must stand at the other end.
    pub(crate) wants: &'static Kind,
    pub(crate) how: How,
}

/// In what way a text refers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Ref,
    /// A discriminator's mapping: a component's name, or a reference.
    Mapping,
    /// `$dynamicRef`: where it points before anything is known of callers.
    Dynamic,
}

impl std::fmt::Debug for Use {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Use({:?}, {:?})", self.text, self.how)
    }
}

/// Keys beside a `$ref` that say nothing about what is valid.
const HARMLESS: &[&str] = &[
    "$ref",
    "summary",
    "description",
    "title",
    "example",
    "examples",
    "externalDocs",
    "deprecated",
    "xml",
    "$comment",
];

/// Keys that real documents leave empty, and that guard and check nothing then.
const MAY_BE_EMPTY: &[&str] = &[
    "tags",
    "servers",
    "parameters",
    "properties",
    "headers",
    "examples",
    "links",
    "callbacks",
    "webhooks",
    "variables",
    "components",
    "schemas",
    "responses",
    "requestBodies",
    "securitySchemes",
    "pathItems",
    "mediaTypes",
];

pub(crate) struct Walker<'s, 'u> {
    pub(crate) version: Version,
    pub(crate) sink: &'s mut Sink,
    uses: &'u mut Vec<Use>,
    /// What was walked through an alias: once is enough, and keeps alias bombs harmless.
    aliased: HashSet<(NodeKey, usize)>,
    /// How many more names may be compared with the known ones: input must not buy work without bound.
    pub(crate) guesses: &'u mut u32,
    /// Whether this is inside an object that only describes.
    note: bool,
}

static SCHEMA_KIND: Kind = Kind::Schema;

impl<'s, 'u> Walker<'s, 'u> {
    pub(crate) fn new(version: Version, sink: &'s mut Sink, uses: &'u mut Vec<Use>, guesses: &'u mut u32) -> Self {
        Walker { version, sink, uses, aliased: HashSet::new(), guesses, note: false }
    }

    pub(crate) fn mask(&self) -> Mask {
        self.version.mask()
    }

    /// Checks `node` against `kind`, and all below it. The depth is bounded by the parser's limit.
    pub(crate) fn walk(&mut self, node: Node<'_>, kind: &'static Kind) {
        if node.is_alias() && !self.aliased.insert((node.identity(), std::ptr::from_ref(kind) as usize)) {
            return;
        }
        if node.is_null() && self.left_empty(node, kind) {
            return;
        }
        match *kind {
            Kind::Any => {}
            Kind::Data => self.data(node),
            Kind::DataList => {
                if self.list(node) {
                    node.items().for_each(|item| self.data(item));
                }
            }
            Kind::Str => self.text(node),
            Kind::Bool => {
                if node.as_bool().is_none() {
                    self.not_bool(node);
                }
            }
            Kind::UInt => match node.as_number() {
                Some(n) if n.is_integer() && n.compare(ZERO).is_some_and(|o| o.is_ge()) => {}
                _ => self.wrong(node, "a whole number, zero or more"),
            },
            Kind::Num => match node.as_number() {
                Some(n) if n.is_finite() => {}
                _ => self.wrong(node, "a number"),
            },
            Kind::Word(words) => self.word(node, words),
            Kind::Type => self.schema_type(node),
            Kind::Required => self.required_names(node),
            Kind::Exclusive => self.exclusive(node),
            Kind::Map(inner) => self.map(node, kind, inner, false),
            Kind::Named(inner) => self.map(node, kind, inner, true),
            Kind::StrMap => {
                if self.object(node) {
                    node.entries().for_each(|(_, value)| self.text(value));
                }
            }
            Kind::List(inner) => {
                if !self.misplaced_reference(node, kind) && self.list(node) {
                    node.items().for_each(|item| self.walk(item, inner));
                }
            }
            Kind::Obj(object) => self.fields_or_reference(node, kind, object, false),
            Kind::Ref(object) => self.fields_or_reference(node, kind, object, true),
            Kind::Schema => self.schema(node, false),
            Kind::SchemaOrBool => self.schema(node, true),
            Kind::Items => self.items(node),
            Kind::Mapping => self.mapping(node),
            Kind::Meant => self.meant(node),
        }
    }

    /// A key with nothing behind it, where nothing is what no key would say too. Of all other keys that may have been
    /// meant to hold a check.
    fn left_empty(&mut self, node: Node<'_>, kind: &'static Kind) -> bool {
        let container = matches!(kind, Kind::Map(_) | Kind::Named(_) | Kind::List(_) | Kind::Obj(_));
        let Some(key) = node.key().filter(|key| container && MAY_BE_EMPTY.contains(&key.text)) else { return false };
        self.sink
            .warning(codes::WRONG_TYPE, key.span, format!("`{}` holds nothing", key.text))
            .label("read as if it were not there")
            .help("remove it, or write `{}` or `[]`");
        true
    }

    /// Whether one more name may be compared with the known ones.
    pub(crate) fn may_guess(&mut self) -> bool {
        *self.guesses = self.guesses.saturating_sub(1);
        *self.guesses > 0
    }

    fn map(&mut self, node: Node<'_>, kind: &'static Kind, inner: &'static Kind, named: bool) {
        if self.misplaced_reference(node, kind) || !self.object_of(node, "an object", kind) {
            return;
        }
        for (key, value) in node.entries() {
            if named {
                keys::component_name(self, key);
            }
            if key.text == "x-security" && !matches!(inner, Kind::Any) {
                self.sink
                    .error(codes::MISPLACED_POLICY, key.span, "`x-security` is read as a name here, and guards nothing")
                    .help("move it one level out, beside the key that holds these names");
                continue;
            }
            self.walk(value, inner);
        }
    }

    fn schema(&mut self, node: Node<'_>, bool_always: bool) {
        match node.scalar() {
            None if node.is_map() => {}
            Some(Scalar::Bool(_)) if bool_always || self.version > Version::V3_0 => return,
            Some(Scalar::Bool(value)) => {
                let instead = if value { "`{}`" } else { "`not: {}`" };
                self.sink
                    .warning(codes::WRONG_VERSION, node.span(), "true and false are schemas from OpenAPI 3.1 on")
                    .help(format!("write {instead}"));
                return;
            }
            _ => {
                let hint = hints::example(&SCHEMA_KIND, node);
                let help = hint.as_deref().unwrap_or("write an object such as `{ type: string }`");
                return self.wrong_with(node, "a schema", help);
            }
        }
        if let Some(text) = reference(node) {
            self.refer(text, &SCHEMA_KIND, How::Ref);
            if self.version == Version::V3_0 {
                self.siblings(
                    node,
                    &SCHEMA,
                    "ignored in OpenAPI 3.0",
                    "put them into an `allOf` together with the `$ref`",
                );
                return;
            }
        }
        if let Some(text) = node.get("$dynamicRef").filter(|n| n.as_str().is_some()) {
            self.refer(text, &SCHEMA_KIND, How::Dynamic);
        }
        self.fields(node, &SCHEMA, &SCHEMA_KIND);
    }

    /// A schema's `items`. Older drafts had a list here, for tuples: what was meant is clear.
    fn items(&mut self, node: Node<'_>) {
        if !node.is_seq() {
            return self.schema(node, false);
        }
        let report = self.sink.warning(
            codes::WRONG_VERSION,
            node.anchor_span(),
            "a list of schemas under `items` is of older drafts of JSON Schema",
        );
        let report = report.label("read as `prefixItems`");
        match self.version {
            Version::V3_0 => {
                report.help("write `items: { anyOf: […] }`, or say `openapi: 3.1.0` and write `prefixItems`")
            }
            _ => report.help("write `prefixItems`"),
        };
        node.items().for_each(|item| self.schema(item, false));
    }

    fn refer(&mut self, text: Node<'_>, wants: &'static Kind, how: How) {
        self.uses.push(Use { text: text.identity(), wants, how });
    }

    /// A reference where the specification has no place for one. Real documents have them, so they are followed.
    fn misplaced_reference(&mut self, node: Node<'_>, kind: &'static Kind) -> bool {
        let Some(text) = reference(node) else { return false };
        self.sink
            .warning(
                codes::MISPLACED_REFERENCE,
                text.key_span().unwrap_or(text.span()),
                "OpenAPI has no `$ref` in this place",
            )
            .label("followed all the same")
            .help("refer to single components instead");
        if let Some(policy) = node.get("x-security") {
            self.policy_beside(policy);
        }
        self.refer(text, kind, How::Ref);
        true
    }

    fn fields_or_reference(&mut self, node: Node<'_>, kind: &'static Kind, object: &'static Object, may_refer: bool) {
        let is_path = std::ptr::eq(object, &raw const tables::PATH_ITEM);
        let Some(text) = reference(node) else { return self.fields(node, object, kind) };
        if !may_refer && !is_path {
            self.misplaced_reference(node, kind);
        } else {
            self.refer(text, kind, How::Ref);
        }
        if let Some(policy) = node.get("x-security").filter(|_| may_refer || is_path) {
            self.policy_beside(policy);
        }
        if is_path {
            // Its fields and those of what it names are put together (4.9.1).
            return self.fields(node, object, kind);
        }
        self.siblings(node, object, "ignored beside a `$ref`", "move them to what the `$ref` names");
    }

    fn policy_beside(&mut self, policy: Node<'_>) {
        self.sink
            .error(codes::POLICY_BESIDE_REFERENCE, policy.anchor_span(), "`x-security` beside a `$ref` would be lost")
            .help("move it into what the `$ref` names, or write the object out here");
    }

    fn siblings(&mut self, node: Node<'_>, object: &'static Object, fate: &str, help: &str) {
        let lost: Vec<_> = node
            .entries()
            .map(|(key, _)| key)
            .filter(|key| !HARMLESS.contains(&key.text) && !key.starts_with("x-"))
            .collect();
        for (key, _) in node.entries() {
            self.extension(key, object);
        }
        let Some(first) = lost.first() else { return };
        let names: Vec<String> = lost.iter().take(8).map(|key| format!("`{}`", keys::shown(key))).collect();
        let verb = if lost.len() == 1 { "is" } else { "are" };
        let message = format!("{} {verb} {fate}", names.join(", "));
        self.sink.warning(codes::IGNORED_SIBLINGS, first.span, message).help(help);
    }

    fn fields(&mut self, node: Node<'_>, object: &'static Object, kind: &'static Kind) {
        let around = self.note;
        self.note |= object.note;
        if self.object_of(node, object.name, kind) {
            self.each_field(node, object);
        }
        self.note = around;
    }

    fn each_field(&mut self, node: Node<'_>, object: &'static Object) {
        let mask = self.mask();
        // Which fields were seen, by place in the table; no object has more than 64.
        let mut seen = 0u64;
        for (key, value) in node.entries() {
            let field = object.fields.iter().enumerate().find(|(_, field)| field.name == key.text);
            match field {
                Some((nth, field)) => {
                    seen |= 1 << nth;
                    if field.versions & mask == 0 {
                        keys::wrong_version(self, key, field.versions, object);
                    }
                    // The place of a key matters most where its value is of the wrong type.
                    self.walk(value, &field.kind);
                }
                None if key.starts_with("x-") => self.extension(key, object),
                None => keys::other(self, node, key, value, object),
            }
        }
        for (nth, field) in object.fields.iter().enumerate() {
            if (field.needed | field.wanted) & mask != 0 && seen & (1 << nth) == 0 {
                self.missing(node, object, field);
            }
        }
        if let Some(check) = object.check {
            check(self, node);
        }
    }

    /// `x-security` where it means nothing, or misspelt: what was meant to guard must not be lost.
    fn extension(&mut self, key: crate::syntax::Key<'_>, object: &Object) {
        if key.text == "x-security" {
            if !object.policy {
                self.sink
                    .error(codes::MISPLACED_POLICY, key.span, format!("`x-security` has no meaning in {}", object.name))
                    .help("it may stand in the document, a path, an operation, a security scheme, a parameter or a schema");
            }
        } else if keys::nearly_x_security(key.text) {
            self.sink
                .error(codes::MISPLACED_POLICY, key.span, format!("unknown extension `{}`", keys::shown(&key)))
                .help("did you mean `x-security`?");
        }
    }

    fn missing(&mut self, node: Node<'_>, object: &Object, field: &Field) {
        let needed = field.needed & self.mask() != 0;
        let (code, level) =
            if needed { (codes::MISSING_FIELD, self.level()) } else { (codes::MISSING_DETAIL, Level::Warning) };
        self.sink
            .report(code, level, node.anchor_span(), format!("{} has no `{}`", object.name, field.name))
            .help(format!("add `{}`", field.name));
    }
}

/// The text of a `$ref` of this object. A `$ref` that is no text is a name like any other.
pub(crate) fn reference(node: Node<'_>) -> Option<Node<'_>> {
    node.get("$ref").filter(|text| text.as_str().is_some())
}

const ZERO: Number<'static> = Number::ZERO;
