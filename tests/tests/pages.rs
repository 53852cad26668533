//! The pages of the codes that the whole way to the rules is needed for: each bad document has its fault and no other,
//! each good one is clean.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;

use gatewright_diag::{ALL, Code, Sink, SourceMap};
use gatewright_spec::{MemoryLoader, lower, read};

fn codes(text: &str) -> BTreeSet<Code> {
    let loader = MemoryLoader::new([("api.yaml", text)]);
    let (mut map, mut sink) = (SourceMap::new(), Sink::new());
    let spec = read("api.yaml", &loader, &mut map, &mut sink).expect("a page's example is a document");
    let ir = lower::lower(&spec, &map, &lower::Options::default(), &mut sink);
    let _ = gatewright_check::check(ir, gatewright_check::Options::default(), &mut sink);
    sink.finish().into_iter().map(|d| d.code).collect()
}

fn example(part: &str) -> &str {
    part.split_once("```yaml\n").unwrap().1.split_once("```").unwrap().0
}

#[test]
fn bad_examples_have_their_fault_alone_and_good_ones_none() {
    let (mut run, mut wrong) = (0, Vec::new());
    for entry in ALL.iter().filter(|e| matches!(e.code.0, 100..200 | 400..800)) {
        let (bad, good) = entry.page.split_once("\n## Bad\n").unwrap().1.split_once("\n## Good\n").unwrap();
        // What the shape of the fault says besides is another page's.
        let found: BTreeSet<Code> = codes(example(bad)).into_iter().filter(|c| !matches!(c.0, 200..400)).collect();
        if found != BTreeSet::from([entry.code]) {
            wrong.push(format!("{}: the bad example gives {found:?}", entry.code));
        }
        let found = codes(example(good));
        if !found.is_empty() {
            wrong.push(format!("{}: the good example gives {found:?}", entry.code));
        }
        run += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(run > 45, "only {run} pages ran");
}
