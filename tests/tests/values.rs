//! Generated checks and types say the same as the schemas: the cases of `tests/values`, in the format of the JSON Schema
//! test suite, compiled and run.

use std::path::Path;

use gatewright_tests::suite::{self, Cases};

#[test]
fn checks_and_types_agree_with_the_cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("values");
    let name = |path: &Path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let files: Vec<Cases> =
        suite::files(&folder).iter().map(|path| Cases::read(path, name(path), "3.1.0", true)).collect();
    assert!(!files.is_empty(), "no cases");
    let scratch = tempfile::tempdir().expect("a folder");
    let outcome = suite::run(&files, scratch.path());
    assert!(outcome.failed.is_empty(), "{:#?}", outcome.failed);
    assert!(outcome.untyped.is_empty(), "{:#?}", outcome.untyped);
    let cases: usize = files.iter().flat_map(|f| &f.groups).filter_map(|g| g["tests"].as_array()).map(Vec::len).sum();
    assert_eq!(outcome.passed.values().sum::<usize>(), cases);
}
