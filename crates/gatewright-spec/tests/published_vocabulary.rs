//! The JSON Schema that editors use says what the reader reads.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;

use gatewright_spec::vocabulary::{KEYS, SCHEMA};
use serde_json::Value;

#[test]
fn the_schema_has_the_keys_that_the_reader_knows() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let objects = schema["$defs"].as_object().unwrap();
    for (name, keys) in KEYS {
        let object = objects.get(*name).unwrap_or_else(|| panic!("no `{name}` in the schema"));
        let published: BTreeSet<&str> = object["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(published, keys.iter().copied().collect(), "{name}");
        assert_eq!(object["additionalProperties"], Value::Bool(false), "{name} admits other keys");
    }
    let read: BTreeSet<&str> = KEYS.iter().map(|(name, _)| *name).collect();
    for (name, object) in objects {
        assert!(object.get("properties").is_none() || read.contains(name.as_str()), "nobody reads `{name}`");
    }
}

#[test]
fn every_reference_of_the_schema_leads_somewhere() {
    fn walk(value: &Value, names: &serde_json::Map<String, Value>) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(text)) = members.get("$ref") {
                    assert!(names.contains_key(text.strip_prefix("#/$defs/").unwrap()), "{text}");
                }
                members.values().for_each(|v| walk(v, names));
            }
            Value::Array(items) => items.iter().for_each(|v| walk(v, names)),
            _ => {}
        }
    }
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    walk(&schema, schema["$defs"].as_object().unwrap());
}
