//! Schemas of JSON Schema 2020-12 as the dialect of OpenAPI 3.0.

use std::collections::BTreeMap;

use gatewright_diag::Sink;
use gatewright_ir::api::Api;
use gatewright_ir::json::{Json, Number};
use gatewright_ir::schema::{Schema, SchemaId, Types};
use serde_json::{Map, Value, json};

use super::{component_name, loss, put};

/// Inline schemas deeper than this become components: readers of 3.0 go deep slowly.
const MAX_DEPTH: usize = 8;

/// The components, filled as they are referred to.
pub(super) struct Schemas<'a> {
    api: &'a Api,
    names: BTreeMap<SchemaId, String>,
    taken: BTreeMap<String, SchemaId>,
    open: Vec<SchemaId>,
    done: BTreeMap<String, Value>,
    stack: Vec<SchemaId>,
}

impl<'a> Schemas<'a> {
    pub(super) fn new(api: &'a Api) -> Schemas<'a> {
        let mut schemas = Schemas {
            api,
            names: BTreeMap::new(),
            taken: BTreeMap::new(),
            open: Vec::new(),
            done: BTreeMap::new(),
            stack: Vec::new(),
        };
        for (name, id) in &api.components {
            schemas.name(*id, &component_name(name));
        }
        schemas
    }

    /// The component name of a schema, which it has from now on.
    fn name(&mut self, id: SchemaId, wish: &str) -> String {
        if let Some(name) = self.names.get(&id) {
            return name.clone();
        }
        let name = if self.taken.contains_key(wish) { format!("{wish}_{}", id.0) } else { wish.to_owned() };
        self.names.insert(id, name.clone());
        self.taken.insert(name.clone(), id);
        self.open.push(id);
        name
    }

    /// Every component.
    pub(super) fn finish(&mut self, sink: &mut Sink) -> Map<String, Value> {
        while let Some(id) = self.open.pop() {
            let name = self.names.get(&id).cloned().unwrap_or_default();
            self.stack = vec![id];
            let value = self.schema(id, sink);
            self.stack.clear();
            self.done.insert(name, value);
        }
        std::mem::take(&mut self.done).into_iter().collect()
    }

    /// A schema where it is used: a reference if it is a component or would never end, else itself.
    pub(super) fn reference(&mut self, id: SchemaId, sink: &mut Sink) -> Value {
        let name = match self.names.get(&id) {
            Some(name) => Some(name.clone()),
            None if self.stack.contains(&id) || self.stack.len() >= MAX_DEPTH => {
                let wish = self.api.schemas.get(id).name.clone().unwrap_or_else(|| format!("Inline{}", id.0));
                Some(self.name(id, &component_name(&wish)))
            }
            None => None,
        };
        match name {
            Some(name) => json!({ "$ref": format!("#/components/schemas/{name}") }),
            None => {
                self.stack.push(id);
                let value = self.schema(id, sink);
                self.stack.pop();
                value
            }
        }
    }

    fn list(&mut self, ids: &[SchemaId], sink: &mut Sink) -> Vec<Value> {
        ids.iter().map(|id| self.reference(*id, sink)).collect()
    }

    fn schema(&mut self, id: SchemaId, sink: &mut Sink) -> Value {
        let schema: &Schema = self.api.schemas.get(id);
        let span = schema.span;
        if schema.nothing {
            return json!({ "not": {} });
        }
        let mut object = Map::new();
        let mut all_of = self.list(&schema.all_of, sink);
        all_of.extend(schema.reference.map(|id| self.reference(id, sink)));
        self.types(schema, &mut object, &mut all_of, sink);
        values(schema, &mut object);
        numbers(schema, &mut object, &mut all_of);
        self.strings(schema, &mut object, sink);
        self.arrays(schema, &mut object, sink);
        self.objects(schema, &mut object, sink);
        let any_of = self.list(&schema.any_of, sink);
        if !any_of.is_empty() {
            // `types` may have used the keyword already.
            match object.contains_key("anyOf") {
                true => all_of.push(json!({ "anyOf": any_of })),
                false => put(&mut object, "anyOf", Some(any_of)),
            }
        }
        let one_of = self.list(&schema.one_of, sink);
        put(&mut object, "oneOf", (!one_of.is_empty()).then_some(one_of));
        put(&mut object, "allOf", (!all_of.is_empty()).then_some(all_of));
        if let Some(not) = schema.not {
            let value = self.reference(not, sink);
            put(&mut object, "not", Some(value));
        }
        self.notes(schema, &mut object, sink);
        if schema.condition.is_some() {
            loss(sink, span, "`if`");
        }
        if schema.dynamic_reference.is_some() {
            loss(sink, span, "`$dynamicRef`");
        }
        Value::Object(object)
    }

    fn types(&mut self, schema: &Schema, object: &mut Map<String, Value>, all_of: &mut Vec<Value>, sink: &mut Sink) {
        let Some(types) = schema.types else { return };
        let nullable = types.contains(Types::NULL);
        let mut names: Vec<&str> = types.without(Types::NULL).names().collect();
        if names.contains(&"number") {
            names.retain(|n| *n != "integer");
        }
        match names.as_slice() {
            [] if nullable => {
                loss(sink, schema.span, "`type: \"null\"`; a nullable enumeration of `null` is written");
                put(object, "type", Some("object"));
                put(object, "nullable", Some(true));
                put(object, "enum", Some(json!([null])));
            }
            [] => all_of.push(json!({ "not": {} })),
            [one] => {
                put(object, "type", Some(*one));
                put(object, "nullable", nullable.then_some(true));
                if *one == "array" && schema.array.items.is_none() {
                    put(object, "items", Some(json!({})));
                }
            }
            several => {
                let each = several.iter().enumerate().map(|(i, name)| {
                    let mut value = Map::new();
                    put(&mut value, "type", Some(*name));
                    put(&mut value, "items", (*name == "array").then(|| json!({})));
                    put(&mut value, "nullable", (nullable && i == 0).then_some(true));
                    Value::Object(value)
                });
                put(object, "anyOf", Some(each.collect::<Vec<_>>()));
            }
        }
    }

    fn strings(&mut self, schema: &Schema, object: &mut Map<String, Value>, sink: &mut Sink) {
        let rules = &schema.string;
        put(object, "minLength", rules.min_length);
        put(object, "maxLength", rules.max_length);
        put(object, "pattern", rules.pattern.as_ref().map(|p| p.source.clone()));
        let mut format = schema.notes.format.as_ref().map(|f| f.value.clone());
        if format.as_deref() == Some(gatewright_ir::schema::FILE) {
            format = Some("binary".to_owned());
        }
        if let Some(encoding) = &rules.content_encoding {
            if encoding == "base64" && format.is_none() {
                format = Some("byte".to_owned());
            } else {
                loss(sink, schema.span, "`contentEncoding`");
            }
        }
        if rules.content_media_type.is_some() || rules.content_schema.is_some() {
            loss(sink, schema.span, "`contentMediaType` and `contentSchema`");
        }
        put(object, "format", format);
    }

    fn arrays(&mut self, schema: &Schema, object: &mut Map<String, Value>, sink: &mut Sink) {
        let rules = &schema.array;
        if let Some(items) = rules.items {
            let value = if rules.prefix_items.is_empty() { self.reference(items, sink) } else { json!({}) };
            put(object, "items", Some(value));
        }
        put(object, "minItems", rules.min_items);
        put(object, "maxItems", rules.max_items);
        put(object, "uniqueItems", rules.unique_items.then_some(true));
        let lost = [
            ("`prefixItems`", !rules.prefix_items.is_empty()),
            ("`contains`", rules.contains.is_some()),
            ("`unevaluatedItems`", rules.unevaluated_items.is_some()),
        ];
        lost.iter().filter(|(_, there)| *there).for_each(|(what, _)| loss(sink, schema.span, *what));
    }

    fn objects(&mut self, schema: &Schema, object: &mut Map<String, Value>, sink: &mut Sink) {
        let rules = &schema.object;
        let mut properties = Map::new();
        for property in &rules.properties {
            properties.insert(property.name.clone(), self.reference(property.schema, sink));
        }
        put(object, "properties", (!properties.is_empty()).then_some(properties));
        put(object, "required", (!rules.required.is_empty()).then(|| rules.required.clone()));
        put(object, "minProperties", rules.min_properties);
        put(object, "maxProperties", rules.max_properties);
        if let Some(id) = rules.additional_properties {
            let nothing = self.api.schemas.get(id).nothing;
            // With patterns beside it, `false` would refuse what the patterns admit.
            let value = match nothing {
                true if rules.pattern_properties.is_empty() => json!(false),
                true => json!(true),
                false => self.reference(id, sink),
            };
            put(object, "additionalProperties", Some(value));
        }
        let lost = [
            ("`patternProperties`", !rules.pattern_properties.is_empty()),
            ("`propertyNames`", rules.property_names.is_some()),
            ("`dependentRequired`", !rules.dependent_required.is_empty()),
            ("`dependentSchemas`", !rules.dependent_schemas.is_empty()),
            ("`unevaluatedProperties`", rules.unevaluated_properties.is_some()),
        ];
        lost.iter().filter(|(_, there)| *there).for_each(|(what, _)| loss(sink, schema.span, *what));
    }

    fn notes(&mut self, schema: &Schema, object: &mut Map<String, Value>, sink: &mut Sink) {
        let notes = &schema.notes;
        put(object, "title", notes.title.clone());
        put(object, "description", notes.description.clone());
        put(object, "default", notes.default.as_ref().map(|d| value(&d.value)));
        put(object, "example", notes.examples.first().map(value));
        if notes.examples.len() > 1 {
            loss(sink, schema.span, "more than one example");
        }
        put(object, "deprecated", notes.deprecated.then_some(true));
        put(object, "readOnly", notes.read_only.then_some(true));
        put(object, "writeOnly", notes.write_only.then_some(true));
        if let Some(discriminator) = &schema.discriminator {
            let mut mapping = Map::new();
            for (name, id) in &discriminator.mapping {
                let wish = self.api.schemas.get(*id).name.clone().unwrap_or_else(|| name.clone());
                let target = self.name(*id, &component_name(&wish));
                mapping.insert(name.clone(), json!(format!("#/components/schemas/{target}")));
            }
            let text = json!({ "propertyName": discriminator.property, "mapping": mapping });
            put(object, "discriminator", Some(text));
            if discriminator.default.is_some() {
                loss(sink, schema.span, "`defaultMapping`");
            }
        }
    }
}

fn values(schema: &Schema, object: &mut Map<String, Value>) {
    let list = match (&schema.constant, &schema.enumeration) {
        (Some(constant), _) => Some(vec![value(constant)]),
        (None, Some(list)) => Some(list.iter().map(value).collect()),
        (None, None) => None,
    };
    put(object, "enum", list);
}

/// In 3.0 an exclusive bound is a flag of the other one, so of two lower bounds the tighter is written.
fn numbers(schema: &Schema, object: &mut Map<String, Value>, all_of: &mut Vec<Value>) {
    let rules = &schema.number;
    let mut bound = |key: &str, flag: &str, open: &Option<Number>, closed: &Option<Number>| {
        put(object, key, closed.as_ref().map(number));
        if let Some(exclusive) = open {
            let mut map = Map::new();
            put(&mut map, key, Some(number(exclusive)));
            put(&mut map, flag, Some(true));
            match closed {
                Some(_) => all_of.push(Value::Object(map)),
                None => object.extend(map),
            }
        }
    };
    bound("minimum", "exclusiveMinimum", &rules.exclusive_minimum, &rules.minimum);
    bound("maximum", "exclusiveMaximum", &rules.exclusive_maximum, &rules.maximum);
    put(object, "multipleOf", rules.multiple_of.as_ref().map(number));
}

/// A number as near as `serde_json` holds it.
fn number(n: &Number) -> Value {
    match n.as_i128() {
        Some(i) => i64::try_from(i)
            .map(Value::from)
            .or_else(|_| u64::try_from(i).map(Value::from))
            .unwrap_or_else(|_| json!(n.as_f64())),
        None => json!(n.as_f64()),
    }
}

fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(n) => number(n),
        Json::String(s) => Value::String(s.clone()),
        Json::Array(items) => items.iter().map(value).collect(),
        Json::Object(members) => members.iter().map(|(k, v)| (k.clone(), value(v))).collect(),
    }
}
