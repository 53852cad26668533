//! Generated checks against another validator, on random schemas and values.

use std::path::Path;

use serde_json::{Value, json};

use crate::random::Random;
use crate::suite::{self, Cases, Outcome};

/// How much is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Where drawing starts; equal seeds draw equal schemas.
    pub seed: u64,
    /// How many schemas.
    pub schemas: usize,
    /// How many values of each.
    pub instances: usize,
}

/// Draws schemas and values, and asks generated checks of each. `other` is the other validator: of a schema it makes the
/// verdicts on values, or `None` where it takes the schema for none; a verdict that is known to be wrong is `None` too. What
/// failed is a disagreement.
pub fn run(
    size: Size,
    folder: &Path,
    other: impl Fn(&Value, &[Value]) -> Option<Vec<Option<bool>>>,
) -> (Vec<Cases>, Outcome) {
    let mut groups = Vec::new();
    for number in 0..size.schemas {
        let mut random = Random::new(size.seed.wrapping_add(number as u64));
        let schema = random.schema();
        let mut values: Vec<Value> = Vec::new();
        for _ in 0..size.instances {
            let value = random.value(&schema, &schema);
            if !values.contains(&value) {
                values.push(value);
            }
        }
        let Some(verdicts) = other(&schema, &values) else { continue };
        let tests = values.iter().zip(verdicts).enumerate();
        let tests: Vec<Value> = tests
            .filter_map(|(at, (data, valid))| Some((at, data, valid?)))
            .map(|(at, data, valid)| json!({ "description": at.to_string(), "data": data, "valid": valid }))
            .collect();
        let seed = size.seed.wrapping_add(number as u64).to_string();
        groups.push(json!({ "description": seed, "schema": schema, "tests": tests }));
    }
    let files = vec![Cases { name: "random".to_owned(), groups, openapi: "3.1.0", formats: true }];
    let outcome = suite::run(&files, folder);
    (files, outcome)
}

/// The group of a disagreement with that case alone, as a file of `tests/values` keeps it.
pub fn kept(files: &[Cases], place: &suite::Place) -> Option<Value> {
    let mut groups = files.iter().flat_map(|file| &file.groups);
    let mut group =
        groups.find(|group| group.get("description").and_then(Value::as_str) == Some(&place.group))?.clone();
    let tests = group.get_mut("tests")?.as_array_mut()?;
    tests.retain(|test| test.get("description").and_then(Value::as_str) == Some(&place.case));
    Some(group)
}
