//! Two validators, one answer: generated checks and the `jsonschema` crate on random schemas and values, from one seed so that
//! every run is the same. `cargo xtask differential` draws more.

mod other;

use gatewright_tests::differential::{self, Size};

#[test]
fn generated_checks_and_another_validator_agree() {
    let scratch = tempfile::tempdir().expect("a folder");
    let size = Size { seed: 1, schemas: 100, instances: 40 };
    let (_, outcome) = differential::run(size, scratch.path(), other::verdicts);
    assert!(outcome.failed.is_empty(), "{:#?}", outcome.failed);
    assert!(outcome.passed.values().sum::<usize>() > 2_000, "{outcome:?}");
}
