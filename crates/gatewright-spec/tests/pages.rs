//! The pages of the front end's codes run: each bad document has its fault, each good one has not.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use gatewright_diag::{ALL, Code, Sink, SourceMap};
use gatewright_spec::{MemoryLoader, read};

fn codes(kind: &str, text: &str) -> Vec<Code> {
    let name = format!("api.{kind}");
    let loader = MemoryLoader::new([(name.clone(), text)]);
    let (mut map, mut sink) = (SourceMap::new(), Sink::new());
    read(&name, &loader, &mut map, &mut sink);
    sink.finish().into_iter().map(|d| d.code).collect()
}

/// The blocks of a part of a page, with their language.
fn blocks(part: &str) -> Vec<(&str, &str)> {
    part.split("```").skip(1).step_by(2).filter_map(|block| block.split_once('\n')).collect()
}

#[test]
fn bad_examples_are_bad_and_good_ones_good() {
    let ours = ALL.iter().filter(|e| matches!(e.code.0, 0..100 | 200..400));
    let mut run = 0;
    for entry in ours {
        let (bad, good) = entry.page.split_once("\n## Bad\n").unwrap().1.split_once("\n## Good\n").unwrap();
        for (kind, text) in blocks(bad).into_iter().filter(|(kind, _)| *kind != "text") {
            let found = codes(kind, text);
            assert!(found.contains(&entry.code), "{}: the bad example gives {found:?}", entry.code);
            run += 1;
        }
        for (kind, text) in blocks(good) {
            let found = codes(kind, text);
            assert!(found.is_empty(), "{}: the good example gives {found:?}", entry.code);
            run += 1;
        }
    }
    assert!(run > 60, "only {run} examples ran");
}
