//! Generated checks and types say the same as the schemas: the cases of `tests/values`, in the format of the JSON Schema
//! test suite, compiled and run.

mod support;

use std::path::Path;

#[test]
fn checks_and_types_agree_with_the_cases() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/values");
    let files = support::suite::files(&cases);
    assert!(!files.is_empty(), "no cases");
    let scratch = tempfile::tempdir().expect("a folder");
    let outcome = support::suite::run(&files, scratch.path(), true);
    assert!(outcome.unread.is_empty(), "{:#?}", outcome.unread);
    assert!(outcome.failed.is_empty(), "{:#?}", outcome.failed);
    assert!(outcome.untyped.is_empty(), "{:#?}", outcome.untyped);
    assert!(outcome.passed > 30, "{outcome:?}");
}
