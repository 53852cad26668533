//! Generates the types of the given specs into one crate and checks it: `types FOLDER SPEC...`.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::expect_used, missing_docs)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::time::Instant;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().expect("a folder"));
    let mut files = Vec::new();
    let mut library = String::new();
    for (place, spec) in arguments.enumerate() {
        let Some((ir, errors)) = support::lower(Path::new(&spec)) else {
            println!("{spec}: unreadable");
            continue;
        };
        let checked = support::checked(ir);
        let start = Instant::now();
        let text = support::module(&checked);
        println!(
            "{spec}: {} schemas, {} operations, {} lines, {} ms{}",
            checked.api.schemas.len(),
            checked.api.operations.len(),
            text.lines().count(),
            start.elapsed().as_millis(),
            errors.first().map(|e| format!(" ({} errors: {e})", errors.len())).unwrap_or_default()
        );
        library.push_str(&format!("pub mod m{place};\n"));
        files.push((format!("m{place}.rs"), text));
    }
    files.push(("lib.rs".into(), library));
    support::scratch(&folder, &files);
    let (output, good) = support::cargo(&folder, &["check"]);
    println!("{output}\n{}", if good { "compiles" } else { "DOES NOT COMPILE" });
}
