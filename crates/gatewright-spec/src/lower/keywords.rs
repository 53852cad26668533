//! One schema's keywords, whatever version they were written in, as JSON Schema 2020-12.

use std::collections::HashSet;

use gatewright_diag::{Sink, Spanned, codes};
use gatewright_ir::json::{Json, Number};
use gatewright_ir::schema::{
    ArrayRules, Condition, Discriminator, Notes, NumberRules, ObjectRules, Property, Schema, SchemaId, StringRules,
    Types, Xml,
};

use super::schemas::SchemaLowerer;
use super::{json, shown, text, truth};
use crate::document::Version;
use crate::syntax::Node;
use crate::vocabulary::{Reader, protection};

/// Reads one schema. Its children get ids and are read later.
pub(super) fn read<'a>(lowerer: &mut SchemaLowerer<'a>, node: Node<'a>, sink: &mut Sink) -> Schema {
    if let Some(value) = node.as_bool() {
        return Schema { span: node.anchor_span(), nothing: !value, ..Schema::default() };
    }
    if !node.is_map() {
        return Schema { span: node.anchor_span(), nothing: true, ..Schema::default() };
    }
    let mut read = Read { old: lowerer.spec.version() == Version::V3_0, lowerer, node, sink };
    let mut schema = Schema { span: node.anchor_span(), ..Schema::default() };
    if let Some(reference) = read.lowerer.spec.reference(node) {
        schema.reference = Some(match reference.target {
            Some(target) => read.lowerer.id(target),
            None => read.lowerer.nothing(),
        });
        if read.old {
            // Only our own words count beside a `$ref` of 3.0.
            read.own_words(&mut schema.notes);
            return schema;
        }
    }
    schema.types = read.types();
    schema.enumeration = read.list("enum").map(|items| items.into_iter().filter_map(|i| read.json(i)).collect());
    schema.constant = node.get("const").and_then(|value| read.json(value));
    schema.number = read.numbers();
    schema.string = read.strings();
    schema.array = read.arrays();
    schema.object = read.objects();
    schema.all_of = read.schemas("allOf");
    schema.any_of = read.schemas("anyOf");
    schema.one_of = read.schemas("oneOf");
    schema.not = read.schema("not");
    schema.condition =
        read.schema("if").map(|when| Condition { when, then: read.schema("then"), otherwise: read.schema("else") });
    schema.dynamic_reference = read.dynamic_reference();
    schema.dynamic_anchors = read.dynamic_anchors();
    schema.discriminator = read.discriminator();
    schema.notes = read.notes();
    if read.old && schema.notes.format.as_ref().is_some_and(|f| f.value == "byte") {
        schema.string.content_encoding.get_or_insert_with(|| "base64".to_owned());
    }
    schema
}

struct Read<'x, 'a, 's> {
    lowerer: &'x mut SchemaLowerer<'a>,
    node: Node<'a>,
    sink: &'s mut Sink,
    /// OpenAPI 3.0.
    old: bool,
}

impl<'a> Read<'_, 'a, '_> {
    fn schema(&mut self, key: &str) -> Option<SchemaId> {
        self.node.get(key).map(|node| self.lowerer.id(node))
    }

    fn schemas(&mut self, key: &str) -> Vec<SchemaId> {
        let items: Vec<Node<'a>> = self.list(key).unwrap_or_default();
        items.into_iter().map(|item| self.lowerer.id(item)).collect()
    }

    fn list(&self, key: &str) -> Option<Vec<Node<'a>>> {
        self.node.get(key).filter(|node| node.is_seq()).map(|node| node.items().collect())
    }

    fn json(&mut self, node: Node<'a>) -> Option<Json> {
        let value = json::of_node(node);
        if value.is_none() {
            self.sink
                .error(codes::KEYWORD_VALUE, node.anchor_span(), "this value cannot be written in JSON")
                .help("use finite numbers with exponents below 100000");
        }
        value
    }

    /// A length or a count. A bound beyond `u64` is the largest there is.
    fn count(&mut self, key: &str) -> Option<u64> {
        let number = self.node.get(key)?.as_number()?;
        if !number.is_integer() {
            return None;
        }
        number.as_u64().or_else(|| (!number.text().starts_with('-')).then_some(u64::MAX))
    }

    fn number(&mut self, key: &str) -> Option<Number> {
        let node = self.node.get(key)?;
        let number = node.as_number()?;
        let exact = number.to_json().and_then(|text| Number::parse(&text));
        if exact.is_none() {
            self.sink
                .error(codes::KEYWORD_VALUE, node.span(), format!("`{}` is no bound", shown(number.text())))
                .help("use a finite number with an exponent below 100000");
        }
        exact
    }

    fn types(&mut self) -> Option<Types> {
        let node = self.node.get("type")?;
        let word = |node: Node<'_>| if node.is_null() { Some(Types::NULL) } else { Types::parse(node.text()?) };
        // A word that is no type was reported; it admits nothing, so that nothing comes of it.
        let types = if node.is_seq() {
            node.items().filter_map(word).fold(Types::empty(), Types::with)
        } else {
            word(node).unwrap_or(Types::empty())
        };
        // The 3.0.3 text: `nullable` widens the `type` beside it, and does nothing without one.
        let nullable = self.old && truth(self.node, "nullable");
        Some(if nullable { types.with(Types::NULL) } else { types })
    }

    fn numbers(&mut self) -> NumberRules {
        let mut rules = NumberRules {
            minimum: self.number("minimum"),
            maximum: self.number("maximum"),
            exclusive_minimum: self.number("exclusiveMinimum"),
            exclusive_maximum: self.number("exclusiveMaximum"),
            multiple_of: self.number("multipleOf"),
        };
        // 3.0 says by true or false whether the bound itself is out.
        if truth(self.node, "exclusiveMinimum") {
            rules.exclusive_minimum = rules.minimum.take();
        }
        if truth(self.node, "exclusiveMaximum") {
            rules.exclusive_maximum = rules.maximum.take();
        }
        if rules.multiple_of.as_ref().is_some_and(|n| *n <= Number::from(0)) {
            let span = self.node.get("multipleOf").map(Node::span);
            self.sink
                .error(codes::KEYWORD_VALUE, span, "no value is a multiple of zero or less")
                .help("write a number greater than zero");
            rules.multiple_of = None;
        }
        rules
    }

    fn strings(&mut self) -> StringRules {
        let mut rules = StringRules {
            min_length: self.count("minLength"),
            max_length: self.count("maxLength"),
            pattern: None,
            content_encoding: text(self.node, "contentEncoding"),
            content_media_type: text(self.node, "contentMediaType"),
            content_schema: self.schema("contentSchema"),
        };
        let Some(pattern) = self.node.get("pattern") else { return rules };
        let Some(source) = pattern.as_str() else { return rules };
        if let Some((pattern, length)) = self.lowerer.pattern(source, pattern.span(), true, self.sink) {
            rules.pattern = Some(pattern);
            if let Some((min, max)) = length {
                rules.min_length = Some(rules.min_length.unwrap_or(0).max(min));
                rules.max_length = match (rules.max_length, max) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
            }
        }
        rules
    }

    fn arrays(&mut self) -> ArrayRules {
        // Tuples as older drafts had them: a list of `items`, and `additionalItems` for what comes behind.
        let tuple = self.node.get("items").is_some_and(Node::is_seq);
        let (first, rest) = if tuple { ("items", "additionalItems") } else { ("prefixItems", "items") };
        ArrayRules {
            items: self.schema(rest),
            prefix_items: self.schemas(first),
            contains: self.schema("contains"),
            min_contains: self.count("minContains"),
            max_contains: self.count("maxContains"),
            min_items: self.count("minItems"),
            max_items: self.count("maxItems"),
            unique_items: truth(self.node, "uniqueItems"),
            unevaluated_items: self.schema("unevaluatedItems"),
        }
    }

    fn objects(&mut self) -> ObjectRules {
        let mut rules = ObjectRules {
            additional_properties: self.schema("additionalProperties"),
            property_names: self.schema("propertyNames"),
            min_properties: self.count("minProperties"),
            max_properties: self.count("maxProperties"),
            unevaluated_properties: self.schema("unevaluatedProperties"),
            required: self.names(self.node.get("required")),
            ..ObjectRules::default()
        };
        // `properties` may be a reference of its own in real documents.
        for (key, value) in self.members("properties") {
            let schema = self.lowerer.id(value);
            rules.properties.push(Property { name: key.text.to_owned(), span: key.span, schema });
        }
        for (key, value) in self.members("patternProperties") {
            let schema = self.lowerer.id(value);
            if let Some((pattern, _)) = self.lowerer.pattern(key.text, key.span, false, self.sink) {
                rules.pattern_properties.push((pattern, schema));
            }
        }
        for (key, value) in self.members("dependentSchemas") {
            let schema = self.lowerer.id(value);
            rules.dependent_schemas.push((key.text.to_owned(), schema));
        }
        for (key, value) in self.members("dependentRequired") {
            rules.dependent_required.push((key.text.to_owned(), self.names(Some(value))));
        }
        rules
    }

    fn members(&self, key: &str) -> Vec<(crate::syntax::Key<'a>, Node<'a>)> {
        let Some(node) = self.node.get(key) else { return Vec::new() };
        // Members are kept as written: a member that is a `$ref` keeps its own siblings.
        match self.lowerer.spec.reference(node) {
            Some(_) => self.lowerer.spec.resolve(node).map(|node| node.entries().collect()).unwrap_or_default(),
            None => node.entries().collect(),
        }
    }

    fn names(&self, node: Option<Node<'a>>) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let mut seen: HashSet<&str> = HashSet::new();
        for item in node.filter(|node| node.is_seq()).into_iter().flat_map(Node::items) {
            if let Some(name) = item.text()
                && seen.insert(name)
            {
                names.push(name.to_owned());
            }
        }
        names
    }

    fn dynamic_reference(&mut self) -> Option<(String, SchemaId)> {
        let node = self.node.get("$dynamicRef")?;
        let anchor = node.as_str()?.rsplit_once('#')?.1.to_owned();
        let target = match self.lowerer.spec.dynamic_target(self.node) {
            Some(target) => self.lowerer.id(target),
            None => self.lowerer.nothing(),
        };
        Some((anchor, target))
    }

    /// The `$dynamicAnchor`s of a schema resource: a schema with an `$id`, or a component, which has one of its own as
    /// far as anybody can refer to it.
    fn dynamic_anchors(&mut self) -> Vec<(String, SchemaId)> {
        let spec = self.lowerer.spec;
        let any = *self.lowerer.has_anchors.get_or_insert_with(|| {
            spec.files().any(|(file, _)| {
                let root = spec.node(crate::syntax::NodeKey { file, node: crate::syntax::NodeId(0) });
                contains_key(root, "$dynamicAnchor")
            })
        });
        if !any || !(self.node.has("$id") || spec.name_of(self.node).is_some()) {
            return Vec::new();
        }
        let mut found = Vec::new();
        let mut open = vec![self.node];
        while let Some(node) = open.pop() {
            if let Some(anchor) = node.get("$dynamicAnchor").and_then(Node::as_str) {
                found.push((anchor.to_owned(), self.lowerer.id(node)));
            }
            let children = node.entries().map(|(_, child)| child).chain(node.items());
            open.extend(children.filter(|child| !child.is_alias() && !child.has("$id")));
        }
        found.reverse();
        found
    }

    fn discriminator(&mut self) -> Option<Discriminator> {
        let node = self.lowerer.spec.get(self.node, "discriminator")?;
        let mut found = Discriminator {
            property: text(node, "propertyName")?,
            mapping: Vec::new(),
            default: node
                .get("defaultMapping")
                .and_then(|value| self.lowerer.spec.mapping_target(value))
                .map(|target| self.lowerer.id(target)),
        };
        for (key, value) in node.get("mapping").into_iter().flat_map(Node::entries) {
            let target = match self.lowerer.spec.mapping_target(value) {
                Some(target) => self.lowerer.id(target),
                None => self.lowerer.nothing(),
            };
            found.mapping.push((key.text.to_owned(), target));
        }
        let mut values: HashSet<String> = found.mapping.iter().map(|(value, _)| value.clone()).collect();
        let mut targets: HashSet<SchemaId> = found.mapping.iter().map(|(_, target)| *target).collect();
        // A member without a mapping of its own is meant by its component's name.
        for key in ["oneOf", "anyOf"] {
            for member in self.list(key).unwrap_or_default() {
                let Some(name) = self.lowerer.spec.reference(member).and_then(|r| r.name) else { continue };
                let id = self.lowerer.id(member);
                if !values.contains(name) && targets.insert(id) {
                    values.insert(name.to_owned());
                    found.mapping.push((name.to_owned(), id));
                }
            }
        }
        Some(found)
    }

    fn notes(&mut self) -> Notes {
        let node = self.node;
        let mut notes = Notes {
            title: text(node, "title"),
            description: text(node, "description"),
            format: node.get("format").and_then(|f| Some(Spanned::new(f.as_str()?.to_owned(), f.span()))),
            default: node.get("default").and_then(|value| Some(Spanned::new(self.json(value)?, value.anchor_span()))),
            examples: Vec::new(),
            deprecated: truth(node, "deprecated"),
            read_only: truth(node, "readOnly"),
            write_only: truth(node, "writeOnly"),
            rust_type: None,
            protection: None,
            xml: node.get("xml").filter(|xml| xml.is_map()).map(xml),
        };
        match self.list("examples") {
            Some(items) => notes.examples = items.into_iter().filter_map(json::of_node).collect(),
            None => notes.examples = node.get("example").and_then(json::of_node).into_iter().collect(),
        }
        self.own_words(&mut notes);
        notes
    }

    /// `x-rust-type` and `x-security`.
    fn own_words(&mut self, notes: &mut Notes) {
        if let Some(node) = self.node.get("x-rust-type") {
            let path = node.as_str().filter(|path| gatewright_ir::names::is_type_path(path));
            notes.rust_type = path.map(|path| Spanned::new(path.to_owned(), node.span()));
            match node.as_str() {
                _ if path.is_some() => {}
                None if node.is_map() => {
                    self.sink
                        .warning(codes::RUST_TYPE, node.anchor_span(), "`x-rust-type` is another tool's here")
                        .label("not applied")
                        .help("write `x-rust-type: \"crate::money::Amount\"` to use a type of your own");
                }
                text => {
                    let text = text.unwrap_or_default();
                    self.sink
                        .error(codes::RUST_TYPE, node.span(), format!("`{}` is not the path of a type", shown(text)))
                        .help("write a path from `crate::` or from a crate, such as `crate::money::Amount`");
                }
            }
        }
        if let Some(node) = self.node.get("x-security") {
            notes.protection = protection(node, &mut Reader { sink: self.sink });
        }
    }
}

fn xml(node: Node<'_>) -> Xml {
    let kind = node.get("nodeType").and_then(Node::as_str);
    Xml {
        name: text(node, "name"),
        namespace: text(node, "namespace"),
        prefix: text(node, "prefix"),
        attribute: truth(node, "attribute") || kind == Some("attribute"),
        wrapped: truth(node, "wrapped") || kind == Some("element"),
        text: matches!(kind, Some("text" | "cdata")),
    }
}

/// Whether a key stands anywhere below a node.
fn contains_key(root: Node<'_>, name: &str) -> bool {
    let mut open = vec![root];
    while let Some(node) = open.pop() {
        for (key, child) in node.entries() {
            if key.text == name {
                return true;
            }
            if !child.is_alias() {
                open.push(child);
            }
        }
        open.extend(node.items().filter(|child| !child.is_alias()));
    }
    false
}
