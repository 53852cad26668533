//! Runs files of the JSON Schema test suite against generated checks: `suite SCRATCH notes|formats FILE-OR-FOLDER...`.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::expect_used, missing_docs)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::path::PathBuf;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let scratch = PathBuf::from(arguments.next().expect("a folder to work in"));
    let formats = arguments.next().expect("`notes` or `formats`") == "formats";
    let files: Vec<PathBuf> = arguments
        .map(PathBuf::from)
        .flat_map(|path| if path.is_dir() { support::suite::files(&path) } else { vec![path] })
        .collect();
    let outcome = support::suite::run(&files, &scratch, formats);
    for line in &outcome.unread {
        println!("unread  {line}");
    }
    for line in &outcome.failed {
        println!("failed  {line}");
    }
    for line in &outcome.untyped {
        println!("untyped {line}");
    }
    let all = outcome.passed + outcome.failed.len();
    println!(
        "{} of {all} cases pass ({} of them the type refuses); {} groups are not read",
        outcome.passed,
        outcome.untyped.len(),
        outcome.unread.len()
    );
}
