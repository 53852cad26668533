//! The JSON Schema test suite through generated checks: `suite SCRATCH TESTS`. `TESTS` is the folder that holds `draft4` and
//! `draft2020-12`; what does not come out as it should must stand in `tests/corpus/suite.tsv` with its reason.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::expect_used, clippy::panic)]
#![allow(clippy::indexing_slicing, missing_docs)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use gatewright_tests::suite::{self, Cases, Place};

/// A draft, the version of OpenAPI that speaks it, and which files are read with formats on.
const DRAFTS: [(&str, &str); 2] = [("draft2020-12", "3.1.0"), ("draft4", "3.0.3")];
/// The share of required cases that must hold, in percent.
const WANTED: f64 = 99.0;

/// A row of the table of reasons. `*` stands for every group or case.
struct Reason {
    place: [String; 3],
    used: bool,
    /// The dialect has no such keyword, so the cases are not counted.
    foreign: bool,
}

impl Reason {
    fn covers(&self, place: &Place) -> bool {
        let [file, group, case] = &self.place;
        let like = |pattern: &String, text: &String| pattern == "*" || pattern == text;
        *file == place.file && like(group, &place.group) && like(case, &place.case)
    }
}

fn reasons(path: &Path) -> Vec<Reason> {
    let text = std::fs::read_to_string(path).expect("tests/corpus/suite.tsv");
    let rows = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).skip(1);
    rows.map(|line| {
        let columns: Vec<&str> = line.split('\t').collect();
        let [file, group, case, kind, why] = columns.as_slice() else { panic!("suite.tsv: {line}") };
        assert!(["foreign", "differs"].contains(kind) && !why.is_empty(), "suite.tsv: {line}");
        let place = [file, group, case].map(|text| (*text).to_owned());
        Reason { place, used: false, foreign: *kind == "foreign" }
    })
    .collect()
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(PathBuf::from);
    let (scratch, tests) =
        (arguments.next().expect("a folder to work in"), arguments.next().expect("a folder of tests"));
    let mut files = Vec::new();
    for (draft, openapi) in DRAFTS {
        let folder = tests.join(draft);
        for path in suite::files(&folder) {
            let inside = path.strip_prefix(&folder).unwrap_or(&path).with_extension("").display().to_string();
            let formats = inside.starts_with("optional/format");
            files.push(Cases::read(&path, format!("{draft}/{inside}"), openapi, formats));
        }
    }
    let outcome = suite::run(&files, &scratch);
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/suite.tsv");
    let mut reasons = reasons(&table);
    let mut wrong = 0;
    // Required, of formats, otherwise optional: passed and failed.
    let mut counts = [(0_usize, 0_usize); 3];
    let kind =
        |file: &str| if file.contains("/optional/format/") { 1 } else { 2 * usize::from(file.contains("/optional/")) };
    for (file, passed) in &outcome.passed {
        counts[kind(file)].0 += passed;
    }
    for (place, why) in &outcome.failed {
        let reason = reasons.iter_mut().find(|reason| reason.covers(place));
        if !reason.as_ref().is_some_and(|reason| reason.foreign) {
            counts[kind(&place.file)].1 += 1;
        }
        match reason {
            Some(reason) => reason.used = true,
            None => {
                wrong += 1;
                println!("failed  {place}: {why}");
            }
        }
    }
    for reason in reasons.iter().filter(|reason| !reason.used) {
        wrong += 1;
        println!("tests/corpus/suite.tsv has a row that is not needed: {}", reason.place.join(" / "));
    }
    for place in &outcome.untyped {
        println!("untyped {place}");
    }
    for ((passed, failed), name) in counts.iter().zip(["required", "formats", "optional"]) {
        let share = 100.0 * *passed as f64 / (passed + failed).max(1) as f64;
        println!("{name}: {passed} of {} cases hold ({share:.2} %)", passed + failed);
        wrong += usize::from(*name != *"optional" && share < WANTED);
    }
    println!("{} of the cases that hold are refused by their type", outcome.untyped.len());
    if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
