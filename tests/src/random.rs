//! Random schemas, and random values that nearly fit them: small words, so that keywords meet.

use serde_json::{Map, Value, json};

/// xorshift64*: small, seedable, the same everywhere.
#[derive(Clone, Debug)]
pub struct Random(u64);

const NAMES: &[&str] = &["a", "b", "c", "ab", "x-1"];
const TEXTS: &[&str] = &["", "a", "b", "ab", "abc", "b1", "é", "a\n", "😀b", "1", "aaaa", "A"];
const PATTERNS: &[&str] = &[
    "^a",
    "b$",
    "^[a-c]+$",
    r"\d",
    "^.$",
    "^a|b$",
    "^(a|ab)c?$",
    r"^\w*$",
    r"\s",
    "^[^a]",
    r"^\p{L}",
    "a{2,}",
    "(?=b)",
];
/// As JSON texts: some equal by value and not by text.
const NUMBERS: &[&str] =
    &["0", "1", "-1", "2", "3", "1.0", "1.5", "-0.5", "0.3", "6", "7.5", "100", "1e2", "12345678901234567890"];
const FORMATS: &[&str] = &["ipv4", "date", "uuid"];

impl Random {
    /// From a seed; equal seeds give equal schemas.
    pub fn new(seed: u64) -> Random {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..8 {
            random.next();
        }
        random
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    fn of(&mut self, list: &'static [&'static str]) -> &'static str {
        let place = self.below(list.len());
        list.get(place).copied().unwrap_or_default()
    }

    fn number(&mut self) -> Value {
        serde_json::from_str(self.of(NUMBERS)).unwrap_or(Value::Null)
    }

    /// A whole schema with definitions that refer to one another.
    pub fn schema(&mut self) -> Value {
        let definitions = 1 + self.below(3);
        let mut all = Map::new();
        for number in 0..definitions {
            let schema = Writer { random: self, definitions, at: number }.schema(2, true);
            all.insert(format!("d{number}"), schema);
        }
        // The root stands before all definitions, so it may refer to any in place.
        let root = Writer { random: self, definitions, at: usize::MAX }.schema(3, true);
        match root {
            Value::Object(mut root) => {
                root.insert("$defs".to_owned(), Value::Object(all));
                Value::Object(root)
            }
            plain => json!({ "allOf": [plain], "$defs": all }),
        }
    }

    /// Changes one keyword somewhere, which makes a schema looser, stricter, or only different. No property comes to it.
    pub fn edit(&mut self, schema: &mut Value) {
        let mut places = Vec::new();
        collect(schema, String::new(), &mut places);
        let place = self.below(places.len());
        let Some((parent, key)) = places.get(place).and_then(|place| place.rsplit_once('/')) else { return };
        let (shift, remove) = (if self.chance(50) { 1 } else { -1 }, self.chance(60));
        match schema.pointer_mut(parent) {
            Some(Value::Object(members)) => match members.get_mut(key) {
                Some(Value::Number(number)) if !remove => {
                    if let Some(value) = number.as_i64().and_then(|value| value.checked_add(shift)) {
                        *number = value.max(0).into();
                    }
                }
                _ => drop(members.remove(key)),
            },
            Some(Value::Array(items)) if items.len() > 1 => {
                if let Ok(place) = key.parse::<usize>()
                    && place < items.len()
                {
                    items.remove(place);
                }
            }
            _ => {}
        }
    }

    /// A value that may fit a schema of the document `root`.
    pub fn value(&mut self, root: &Value, schema: &Value) -> Value {
        let mut value = self.fitting(root, schema, 5);
        for _ in 0..self.below(3) {
            self.spoil(&mut value, 3);
        }
        value
    }

    /// Any value.
    fn any(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 6 } else { 9 }) {
            0 => Value::Null,
            1 => self.chance(50).into(),
            2 | 3 => self.number(),
            4 | 5 => self.of(TEXTS).into(),
            6 => (0..self.below(4)).map(|_| self.any(depth - 1)).collect(),
            _ => (0..self.below(4)).map(|_| (self.of(NAMES).to_owned(), self.any(depth - 1))).collect(),
        }
    }

    /// Changes something somewhere.
    fn spoil(&mut self, value: &mut Value, depth: usize) {
        match value {
            Value::Object(members) if !members.is_empty() && self.chance(75) => {
                let place = self.below(members.len());
                let name = members.keys().nth(place).cloned().unwrap_or_default();
                match self.below(4) {
                    0 => drop(members.remove(&name)),
                    1 => drop(members.insert(self.of(NAMES).to_owned(), self.any(1))),
                    _ => {
                        if let Some(member) = members.get_mut(&name) {
                            self.spoil(member, depth);
                        }
                    }
                }
            }
            Value::Array(items) if !items.is_empty() && self.chance(75) => {
                let place = self.below(items.len());
                match self.below(4) {
                    0 => drop(items.remove(place)),
                    1 => items.push(items.get(place).cloned().unwrap_or_default()),
                    _ => {
                        if let Some(item) = items.get_mut(place) {
                            self.spoil(item, depth);
                        }
                    }
                }
            }
            _ => *value = self.any(depth.min(2)),
        }
    }

    /// A value that tries to fit.
    fn fitting(&mut self, root: &Value, schema: &Value, depth: usize) -> Value {
        let Value::Object(schema) = schema else { return self.any(1) };
        if depth == 0 {
            return self.any(0);
        }
        if let Some(value) = schema.get("const") {
            return value.clone();
        }
        if let Some(Value::Array(values)) = schema.get("enum") {
            let place = self.below(values.len());
            return values.get(place).cloned().unwrap_or_default();
        }
        let target = schema.get("$ref").and_then(Value::as_str).and_then(|r| root.pointer(r.trim_start_matches('#')));
        let mut parts: Vec<&Value> = target.into_iter().collect();
        parts.extend(schema.get("allOf").and_then(Value::as_array).into_iter().flatten());
        parts.extend(["if", "then", "else"].iter().filter_map(|key| schema.get(*key)));
        for key in ["anyOf", "oneOf"] {
            if let Some(branches) = schema.get(key).and_then(Value::as_array) {
                let place = self.below(branches.len());
                parts.extend(branches.get(place));
            }
        }
        let word = match schema.get("type") {
            Some(Value::String(word)) => Some(word.clone()),
            Some(Value::Array(words)) => {
                let place = self.below(words.len());
                words.get(place).and_then(Value::as_str).map(str::to_owned)
            }
            _ => None,
        };
        let speaks = |keys: &[&str]| keys.iter().any(|key| schema.contains_key(*key));
        let word = match word {
            Some(word) => word,
            None if speaks(&["properties", "required", "patternProperties", "propertyNames"]) => "object".to_owned(),
            None if speaks(&["items", "prefixItems", "contains", "uniqueItems"]) => "array".to_owned(),
            None if speaks(&["pattern", "minLength", "maxLength"]) => "string".to_owned(),
            None if speaks(&["minimum", "maximum", "multipleOf"]) => "number".to_owned(),
            None => {
                let place = self.below(parts.len());
                return match parts.get(place) {
                    Some(part) => self.fitting(root, part, depth - 1),
                    None => self.any(2),
                };
            }
        };
        match word.as_str() {
            "object" => {
                let mut value = Map::new();
                self.members(root, schema, &mut value, depth);
                for part in parts {
                    if let Value::Object(part) = part {
                        self.members(root, part, &mut value, depth - 1);
                    }
                }
                Value::Object(value)
            }
            "array" => {
                let prefix = schema.get("prefixItems").and_then(Value::as_array);
                let count = self.below(4);
                let items = (0..count).map(|place| {
                    let own = prefix.and_then(|all| all.get(place)).or(schema.get("items")).or(schema.get("contains"));
                    match own {
                        Some(own) => self.fitting(root, own, depth - 1),
                        None => self.any(1),
                    }
                });
                items.collect()
            }
            "string" => self.of(TEXTS).into(),
            "integer" | "number" => self.number(),
            "boolean" => self.chance(50).into(),
            _ => Value::Null,
        }
    }

    fn members(&mut self, root: &Value, schema: &Map<String, Value>, value: &mut Map<String, Value>, depth: usize) {
        for (name, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if self.chance(70) {
                let member = self.fitting(root, schema, depth.saturating_sub(1));
                value.insert(name.clone(), member);
            }
        }
        for name in schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            if !value.contains_key(name) && self.chance(80) {
                value.insert(name.to_owned(), self.any(1));
            }
        }
        if self.chance(30) {
            value.insert(self.of(NAMES).to_owned(), self.any(1));
        }
    }
}

/// The pointers of all that can be taken away.
fn collect(value: &Value, at: String, to: &mut Vec<String>) {
    let mut visit = |key: &str, inner: &Value| {
        let place = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
        if !at.is_empty() || key != "$defs" {
            to.push(place.clone());
        }
        collect(inner, place, to);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(key, inner)| visit(key, inner)),
        Value::Array(items) => items.iter().enumerate().for_each(|(i, inner)| visit(&i.to_string(), inner)),
        _ => {}
    }
}

/// Writes one schema. References in place lead to later definitions only, so that none contains itself in place.
struct Writer<'r> {
    random: &'r mut Random,
    definitions: usize,
    /// Which definition is written; the root is before the first.
    at: usize,
}

impl Writer<'_> {
    fn schema(&mut self, depth: usize, in_place: bool) -> Value {
        if depth == 0 || self.random.chance(8) {
            return self.leaf();
        }
        let first = if in_place { self.at.wrapping_add(1) } else { 0 };
        if self.random.chance(12) && first < self.definitions {
            let target = first + self.random.below(self.definitions - first);
            let mut schema = json!({ "$ref": format!("#/$defs/d{target}") });
            if self.random.chance(40) {
                self.add(&mut schema, depth, in_place);
            }
            return schema;
        }
        let mut schema = json!({});
        if self.random.chance(75) {
            let word = self.word();
            put(&mut schema, "type", word);
        }
        for _ in 0..1 + self.random.below(3) {
            self.add(&mut schema, depth, in_place);
        }
        schema
    }

    fn word(&mut self) -> Value {
        const WORDS: &[&str] = &[
            "object", "object", "object", "array", "array", "string", "string", "integer", "number", "boolean", "null",
        ];
        if !self.random.chance(12) {
            return self.random.of(WORDS).into();
        }
        let mut words = vec![self.random.of(WORDS), self.random.of(WORDS)];
        words.dedup();
        words.into()
    }

    fn leaf(&mut self) -> Value {
        match self.random.below(10) {
            0 => Value::Bool(self.random.chance(70)),
            1 => json!({ "const": self.random.any(1) }),
            2 | 3 => {
                let mut values: Vec<Value> = Vec::new();
                for _ in 0..1 + self.random.below(3) {
                    let value = if self.random.chance(50) { self.random.of(TEXTS).into() } else { self.random.any(1) };
                    if !values.contains(&value) {
                        values.push(value);
                    }
                }
                json!({ "enum": values })
            }
            _ => json!({ "type": self.word() }),
        }
    }

    fn list(&mut self, depth: usize, in_place: bool) -> Value {
        (0..1 + self.random.below(3)).map(|_| self.schema(depth - 1, in_place)).collect()
    }

    fn named(&mut self, depth: usize) -> Value {
        (0..1 + self.random.below(3))
            .map(|_| (self.random.of(NAMES).to_owned(), self.schema(depth - 1, false)))
            .collect::<Map<_, _>>()
            .into()
    }

    fn names(&mut self) -> Value {
        let mut names: Vec<&str> = (0..1 + self.random.below(2)).map(|_| self.random.of(NAMES)).collect();
        names.dedup();
        names.into()
    }

    /// Two counts in order. Once: bounds that no value meets are refused by the compiler.
    fn bounds(&mut self, schema: &mut Value, low: &str, high: &str) {
        if schema.get(low).is_some() || schema.get(high).is_some() {
            return;
        }
        let least = self.random.below(3);
        if self.random.chance(60) {
            put(schema, low, least);
        }
        if self.random.chance(60) {
            put(schema, high, least + self.random.below(3));
        }
    }

    /// Adds a keyword, or several that go together. Most often one that its type takes notice of.
    fn add(&mut self, schema: &mut Value, depth: usize, in_place: bool) {
        let word = schema.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        let kind = match word.as_str() {
            _ if self.random.chance(30) => self.random.below(5),
            "object" => 0,
            "array" => 1,
            "string" => 2,
            "integer" | "number" => 3,
            _ => self.random.below(5),
        };
        match kind {
            0 => self.object(schema, depth),
            1 => self.array(schema, depth),
            2 => self.string(schema),
            3 => self.number(schema),
            _ => self.composition(schema, depth, in_place),
        }
    }

    fn object(&mut self, schema: &mut Value, depth: usize) {
        match self.random.below(14) {
            0..=3 => {
                let properties = self.named(depth);
                put(schema, "properties", properties);
            }
            4 | 5 => {
                let names = self.names();
                put(schema, "required", names);
            }
            6 | 7 => {
                let rest = if self.random.chance(50) { Value::Bool(false) } else { self.schema(depth - 1, false) };
                put(schema, "additionalProperties", rest);
            }
            8 => {
                let value = self.schema(depth - 1, false);
                put(schema, "patternProperties", json!({ self.random.of(PATTERNS): value }));
            }
            9 => {
                let names = json!({ "pattern": self.random.of(PATTERNS) });
                put(schema, "propertyNames", names);
            }
            10 => self.bounds(schema, "minProperties", "maxProperties"),
            11 => {
                let names = self.names();
                put(schema, "dependentRequired", json!({ self.random.of(NAMES): names }));
            }
            12 => {
                let value = self.schema(depth - 1, true);
                put(schema, "dependentSchemas", json!({ self.random.of(NAMES): value }));
            }
            _ => {
                let rest = if self.random.chance(70) { Value::Bool(false) } else { self.schema(depth - 1, false) };
                put(schema, "unevaluatedProperties", rest);
            }
        }
    }

    fn array(&mut self, schema: &mut Value, depth: usize) {
        match self.random.below(8) {
            0 | 1 => {
                let items = if self.random.chance(20) { Value::Bool(false) } else { self.schema(depth - 1, false) };
                put(schema, "items", items);
            }
            2 => {
                let prefix = self.list(depth, false);
                put(schema, "prefixItems", prefix);
            }
            3 | 4 => {
                let contains = self.schema(depth - 1, false);
                put(schema, "contains", contains);
                if self.random.chance(50) {
                    self.bounds(schema, "minContains", "maxContains");
                }
            }
            5 => self.bounds(schema, "minItems", "maxItems"),
            6 => put(schema, "uniqueItems", true),
            _ => {
                let rest = if self.random.chance(70) { Value::Bool(false) } else { self.schema(depth - 1, false) };
                put(schema, "unevaluatedItems", rest);
            }
        }
    }

    fn string(&mut self, schema: &mut Value) {
        match self.random.below(5) {
            0 | 1 => put(schema, "pattern", self.random.of(PATTERNS)),
            2 => put(schema, "format", self.random.of(FORMATS)),
            _ => self.bounds(schema, "minLength", "maxLength"),
        }
    }

    fn number(&mut self, schema: &mut Value) {
        const DIVISORS: &[&str] = &["1", "2", "3", "0.5", "0.1", "1.5"];
        match self.random.below(4) {
            0 => {
                let divisor: Value = serde_json::from_str(self.random.of(DIVISORS)).unwrap_or_default();
                put(schema, "multipleOf", divisor);
            }
            1 => put(schema, "minimum", self.random.below(4)),
            2 => put(schema, "maximum", 4 + self.random.below(4)),
            _ => {
                put(schema, "exclusiveMinimum", self.random.below(3));
                put(schema, "exclusiveMaximum", 4 + self.random.below(4));
            }
        }
    }

    fn composition(&mut self, schema: &mut Value, depth: usize, in_place: bool) {
        match self.random.below(8) {
            0 | 1 => {
                let list = self.list(depth, in_place);
                put(schema, "allOf", list);
            }
            2 | 3 => {
                let list = self.list(depth, in_place);
                put(schema, "anyOf", list);
            }
            4 | 5 => {
                let list = self.list(depth, in_place);
                put(schema, "oneOf", list);
            }
            6 => {
                let not = self.schema(depth - 1, in_place);
                put(schema, "not", not);
            }
            _ => {
                for key in ["if", "then", "else"] {
                    if key == "if" || self.random.chance(75) {
                        let part = self.schema(depth - 1, in_place);
                        put(schema, key, part);
                    }
                }
            }
        }
    }
}

fn put(schema: &mut Value, key: &str, value: impl Into<Value>) {
    if let Value::Object(schema) = schema {
        schema.insert(key.to_owned(), value.into());
    }
}
