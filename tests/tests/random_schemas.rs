//! Two validators, one answer: generated checks and the `jsonschema` crate on random schemas and values, from one seed so that
//! every run is the same. `cargo xtask differential` draws more.

mod other;

use gatewright_ir::fits::{Bound, Fits};
use gatewright_ir::{Ir, SchemaId};
use gatewright_tests::differential::{self, Size};
use gatewright_tests::random::Random;
use gatewright_tests::suite;
use serde_json::{Value, json};

#[test]
fn generated_checks_and_another_validator_agree() {
    let scratch = tempfile::tempdir().expect("a folder");
    let size = Size { seed: 1, schemas: 100, instances: 40 };
    let (_, outcome) = differential::run(size, scratch.path(), other::verdicts);
    assert!(outcome.failed.is_empty(), "{:#?}", outcome.failed);
    assert!(outcome.passed.values().sum::<usize>() > 2_000, "{outcome:?}");
}

/// The schema of a group, as the compiler has it.
fn lowered(schema: &Value) -> Option<(Ir, SchemaId)> {
    let ir = suite::lower(&json!({ "schema": schema }), "3.1.0", true).ok()?;
    let body = ir.api.operations.first()?.body.as_ref()?;
    let id = body.content.first()?.schema?;
    Some((ir, id))
}

/// A schema and one that was made of it by a few changes: where every value of the one is said to be one of the other, each
/// that the other validator takes for the first it takes for the second.
#[test]
fn values_that_fit_are_values_of_the_other_schema() {
    let (mut fitting, mut others, mut values) = (0, 0, 0);
    for seed in 0..1_500 {
        let mut random = Random::new(1_000_000 + seed);
        let schema = random.schema();
        let mut edited = schema.clone();
        for _ in 0..1 + seed % 3 {
            random.edit(&mut edited);
        }
        let (Some((from, a)), Some((to, b))) = (lowered(&schema), lowered(&edited)) else { continue };
        assert!(Fits::new(Bound::Request, &from.api.schemas, &from.api.schemas).fits(a, a), "{schema}");
        if !Fits::new(Bound::Request, &from.api.schemas, &to.api.schemas).fits(a, b) {
            others += 1;
            continue;
        }
        fitting += 1;
        let drawn: Vec<Value> = (0..40).map(|_| random.value(&schema, &schema)).collect();
        let (Some(before), Some(after)) = (other::verdicts(&schema, &drawn), other::verdicts(&edited, &drawn)) else {
            continue;
        };
        for ((value, before), after) in drawn.iter().zip(before).zip(after) {
            if before == Some(true) && after.is_some() {
                values += 1;
                assert_eq!(after, Some(true), "seed {seed}: {value}\nof {schema}\nin {edited}");
            }
        }
    }
    println!("{fitting} fit, {others} do not; {values} values");
    assert!(fitting > 200 && others > 200 && values > 1_000, "{fitting} fit, {others} do not; {values} values");
}
