//! The pages of the codes run: each bad example gives its code, each good one compiles.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use gatewright_compiler::{Options, OverlayFile, Stage, config, dump};
use gatewright_diag::show::plain;
use gatewright_diag::{ALL, Code, Diagnostic, Level, Sink, SourceMap};
use gatewright_spec::MemoryLoader;

/// Examples that are no document: what a file holds cannot be shown in a page, or the fault is not in a text.
const NOT_RUN: &str = "text";

/// What the examples of overlays are applied to.
const OVERLAID: &str = "\
openapi: 3.1.0
info: { title: Things, version: '1' }
paths:
  /things:
    get:
      security: [ { key: [] } ]
      responses: { '204': { description: done } }
components:
  securitySchemes:
    key: { type: apiKey, in: header, name: X-Api-Key }
";

/// The fenced blocks of a part of a page: kind and text.
fn blocks(part: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut lines = part.lines();
    while let Some(line) = lines.next() {
        if let Some(kind) = line.strip_prefix("```") {
            let text: String = lines.by_ref().take_while(|l| *l != "```").map(|l| format!("{l}\n")).collect();
            found.push((kind.to_owned(), text));
        }
    }
    found
}

fn diagnose(kind: &str, text: &str) -> (Vec<Diagnostic>, SourceMap) {
    if kind == "toml" {
        let mut map = SourceMap::new();
        let mut sink = Sink::new();
        let file = map.add("gatewright.toml", text);
        config::read(file, map.get(file).unwrap(), &mut sink);
        return (sink.finish(), map);
    }
    if text.starts_with("overlay:") {
        let overlay = OverlayFile { name: "overlay.yaml".to_owned(), bytes: text.as_bytes().to_vec() };
        let options = Options { overlays: vec![overlay], ..Options::named("v1") };
        let loader = MemoryLoader::new([("api.yaml", OVERLAID)]);
        let (_, done) = dump(&loader, "api.yaml", &options, Stage::Check);
        return (done.diagnostics, done.sources);
    }
    let name = format!("api.{kind}");
    let loader = MemoryLoader::new([(name.as_str(), text)]);
    let (_, done) = dump(&loader, &name, &Options::named("v1"), Stage::Check);
    (done.diagnostics, done.sources)
}

fn shown(list: &[Diagnostic], map: &SourceMap) -> String {
    list.iter().map(|d| plain::line(d, map) + "\n").collect()
}

#[test]
fn every_bad_example_gives_its_code_and_every_good_one_compiles() {
    let mut wrong = String::new();
    let mut ran = 0;
    for entry in ALL {
        let (_, rest) = entry.page.split_once("\n## Bad\n").unwrap();
        let (bad, good) = rest.split_once("\n## Good\n").unwrap();
        // A code of an export is found by exporting.
        let exported = entry.code == Code(920);
        for (kind, text) in blocks(bad).iter().filter(|(kind, _)| kind != NOT_RUN && !exported) {
            ran += 1;
            let (list, map) = diagnose(kind, text);
            if !list.iter().any(|d| d.code == entry.code) {
                wrong.push_str(&format!("{}: the bad example does not give it:\n{}", entry.code, shown(&list, &map)));
            }
        }
        for (kind, text) in blocks(good).iter().filter(|(kind, _)| kind != NOT_RUN) {
            ran += 1;
            let (list, map) = diagnose(kind, text);
            if list.iter().any(|d| d.level == Level::Error || d.code == entry.code) {
                wrong.push_str(&format!("{}: the good example does not compile:\n{}", entry.code, shown(&list, &map)));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(ran > ALL.len(), "only {ran} examples ran");
}
