//! Random schemas and values: `differential SCRATCH [--seed N] [--schemas N] [--instances N]`. A disagreement is printed as
//! the group of cases that keeps it once it is explained: see `tests/values/found.json`.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::expect_used, clippy::panic)]
#![allow(clippy::indexing_slicing, missing_docs)]

#[path = "../tests/other/mod.rs"]
mod other;

use std::path::PathBuf;
use std::process::ExitCode;

use gatewright_tests::differential::{self, Size};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let scratch = PathBuf::from(arguments.next().expect("a folder to work in"));
    let mut size = Size { seed: 1, schemas: 400, instances: 60 };
    while let Some(argument) = arguments.next() {
        let number: u64 = arguments.next().and_then(|text| text.parse().ok()).expect("a number");
        match argument.as_str() {
            "--seed" => size.seed = number,
            "--schemas" => size.schemas = number as usize,
            "--instances" => size.instances = number as usize,
            other => panic!("differential: `{other}`?"),
        }
    }
    let (files, outcome) = differential::run(size, &scratch, other::verdicts);
    for (place, why) in &outcome.failed {
        let group = differential::kept(&files, place).map(|group| group.to_string()).unwrap_or_default();
        println!("{place}: {why}\n{group}");
    }
    for place in outcome.untyped.iter().take(20) {
        let group = differential::kept(&files, place).map(|group| group.to_string()).unwrap_or_default();
        println!("untyped {place}\n{group}");
    }
    let passed: usize = outcome.passed.values().sum();
    println!("{passed} verdicts agree, {} do not; types refuse {}", outcome.failed.len(), outcome.untyped.len());
    if outcome.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
