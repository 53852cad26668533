//! Documents that nobody would write, by the thousand: nothing crashes the compiler, whatever it says has a place, and
//! names stay what they are. The long versions of these, guided by coverage, stand in `tests/fuzz`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::disallowed_methods)]

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use gatewright_compiler::{Options, OverlayFile, compile};
use gatewright_diag::{Sink, SourceMap};
use gatewright_ir::names::{self, Case};
use gatewright_spec::{MemoryLoader, lower, read};
use proptest::prelude::*;

/// Texts to start from: the cases of `ui/`, and what once was found.
fn seeds() -> Vec<String> {
    let base = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<PathBuf> = ["ui", "fuzz/found/compile", "fuzz/found/overlay"]
        .iter()
        .filter_map(|folder| std::fs::read_dir(base.join(folder)).ok())
        .flat_map(|entries| entries.map(|entry| entry.unwrap().path()))
        .collect();
    files.sort();
    files.iter().filter_map(|path| std::fs::read_to_string(path).ok()).collect()
}

/// What is put into a text: words of OpenAPI, marks of YAML, characters that mean something elsewhere.
const PIECES: &[&str] = &[
    "$ref: '#/components/schemas/A'",
    "$ref: '#'",
    "allOf: [{}]",
    "oneOf:",
    "properties:",
    "type: [object, 'null']",
    "enum: []",
    "x-security:",
    "security: []",
    "public: x",
    "operationId: a",
    "&a ",
    "*a",
    "!!str ",
    "<<: {}",
    "- ",
    ": ",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "'",
    "|\n",
    "#",
    "\t",
    "\u{0}",
    "\u{202e}",
    "\u{feff}",
    "é",
    "~",
    "99999999999999999999999",
    "-0.0",
    "1e400",
    "{id}",
    "/a/{b}{c}",
    "%2e%2e",
    "\r\n",
    "---\n",
];

fn mutate(text: &mut String, at: usize, cut: usize, piece: usize) {
    let near = |text: &str, at: usize| (0..=at.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
    let start = near(text, at % (text.len() + 1));
    let end = near(text, start + cut).max(start);
    text.replace_range(start..end, PIECES.get(piece).copied().unwrap_or(""));
}

fn judge(text: &str, overlay: Option<&str>) {
    let overlays = overlay.map(|o| OverlayFile { name: "overlay.yaml".to_owned(), bytes: o.as_bytes().to_vec() });
    let options = Options { allow_unguarded: true, overlays: overlays.into_iter().collect(), ..Options::named("api") };
    let done = compile(&MemoryLoader::new([("api.yaml", text)]), "api.yaml", &options);
    assert_eq!(done.files.is_none(), done.has_errors(), "neither code nor an error:\n{text}");
    for d in &done.diagnostics {
        assert!(d.help.is_some(), "{}: no help:\n{text}", d.code);
        for span in d.span.iter().chain(d.related.iter().map(|label| &label.span)) {
            let file = done.sources.get(span.file).expect("a file that was read");
            assert!(file.text().get(span.start as usize..span.end as usize).is_some(), "{}: {span:?}:\n{text}", d.code);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn no_text_crashes_the_compiler(
        seed in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<usize>(), 0_usize..24, 0..PIECES.len() + 8), 1..5),
    ) {
        let seeds = seeds();
        let mut text = seed.get(&seeds).clone();
        for (at, cut, piece) in edits {
            mutate(&mut text, at, cut, piece);
        }
        judge(&text, None);
    }

    #[test]
    fn no_overlay_crashes_the_compiler(
        target in prop::collection::vec(prop::sample::select(vec![
            "$", ".paths", "..", "*", "['/a']", "[*]", "[0]", "[-1:]", "[?@.name]", "[?@.a == 'b' && !@.c]", ".get", ".info", "[", "]", "(", "?", "'", "@",
        ]), 0..6),
        action in prop::sample::select(vec!["update: {a: 1}", "update: []", "remove: true", "update: x", "update: {get: {x-security: {public: x}}}", ""]),
    ) {
        let overlay = format!("overlay: 1.0.0\ninfo: {{title: o, version: '1'}}\nactions:\n- target: \"{}\"\n  {action}\n", target.concat());
        judge("openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths: {/a: {get: {responses: {'200': {description: d}}}}}\n", Some(&overlay));
    }
}

/// A name in the shape of a Rust identifier, and no reserved word.
fn is_identifier(name: &str) -> bool {
    let sound =
        name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.starts_with(|c: char| c.is_ascii_digit());
    sound && name != "_" && !name.is_empty() && !gatewright_policy::case::RESERVED.contains(&name)
}

/// Texts that fall together often.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[aA][-_. ]?[bB][-_]{0,2}1?",
        1 => "\\PC{0,8}",
        1 => prop::sample::select(vec!["type", "self", "Self", "", "_", "__", "+1", "-1", "r#type", "日本", "*/", "\n"]).prop_map(str::to_owned),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]

    #[test]
    fn any_texts_get_names_that_a_further_text_leaves_alone(all in prop::collection::hash_set(texts(), 1..12), more in texts()) {
        let before: Vec<String> = all.into_iter().collect();
        for case in [Case::Snake, Case::Pascal] {
            let given = names::unique(before.iter().map(String::as_str), case, &[]);
            prop_assert!(given.iter().all(|name| is_identifier(name)), "{:?}", given);
            prop_assert_eq!(given.iter().collect::<HashSet<_>>().len(), before.len(), "{:?}: {:?}", before, given);
            let mut after = before.clone();
            after.reverse();
            if !after.contains(&more) {
                after.push(more.clone());
            }
            let again = names::unique(after.iter().map(String::as_str), case, &[]);
            let again: BTreeMap<&String, &String> = after.iter().zip(&again).collect();
            let renamed: Vec<&String> = before.iter().zip(&given).filter(|(text, name)| again[text] != *name).map(|(t, _)| t).collect();
            // At most the one whose plain name the further text has.
            prop_assert!(renamed.len() <= 1, "{:?}", renamed);
            prop_assert!(renamed.iter().all(|text| names::plain(text, case) == names::plain(&more, case)), "{:?}", renamed);
        }
    }

    #[test]
    fn a_further_operation_renames_no_other(
        paths in prop::collection::hash_set("(/(a|A|b|a-b|a_b|\\{x\\}|\\{y\\})){1,3}/?", 1..8),
        more in "(/(a|A|b|a-b|a_b|\\{x\\}|\\{y\\})){1,3}/?",
    ) {
        let paths: Vec<String> = paths.into_iter().collect();
        let before = ids(&paths);
        prop_assert_eq!(before.values().collect::<HashSet<_>>().len(), before.len(), "{:?}", before);
        let mut further: Vec<String> = vec![more.clone()];
        further.extend(paths.iter().filter(|path| **path != more).cloned());
        let after = ids(&further);
        let renamed: Vec<_> = before.iter().filter(|(path, id)| after.get(*path) != Some(*id)).collect();
        prop_assert!(renamed.len() <= 1, "{:?} becomes {:?}", before, after);
        // And that one gave its name to the further one.
        prop_assert!(renamed.iter().all(|(_, id)| after.get(&more) == Some(*id)), "{:?} becomes {:?}", before, after);
    }
}

/// The ids of operations that have none of their own, by path.
fn ids(paths: &[String]) -> BTreeMap<String, String> {
    let mut text = "openapi: 3.1.0\ninfo: { title: T, version: '1' }\npaths:\n".to_owned();
    for path in paths {
        text.push_str(&format!("  \"{path}\": {{ get: {{ responses: {{ '200': {{ description: d }} }} }} }}\n"));
    }
    let loader = MemoryLoader::new([("api.yaml", text)]);
    let (mut map, mut sink) = (SourceMap::new(), Sink::new());
    let spec = read("api.yaml", &loader, &mut map, &mut sink).unwrap();
    let ir = lower::lower(&spec, &map, &lower::Options::default(), &mut sink);
    drop(sink.finish());
    ir.api.operations.iter().map(|o| (o.path.text.clone(), o.id.clone())).collect()
}

/// Every input that a fuzz target once stumbled over.
#[test]
fn what_was_found_stays_mended() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let base = fuzz.join("found");
    for entry in std::fs::read_dir(base.join("compile")).into_iter().flatten() {
        if let Ok(text) = std::fs::read_to_string(entry.unwrap().path()) {
            judge(&text, None);
        }
    }
    let document = std::fs::read_to_string(fuzz.join("api/openapi.yaml")).unwrap();
    for entry in std::fs::read_dir(base.join("overlay")).into_iter().flatten() {
        if let Ok(text) = std::fs::read_to_string(entry.unwrap().path()) {
            judge(&document, Some(&text));
        }
    }
    for entry in std::fs::read_dir(base.join("pattern")).into_iter().flatten() {
        if let Ok(text) = std::fs::read_to_string(entry.unwrap().path()) {
            let _ = gatewright_spec::pattern::translate(text.lines().next().unwrap_or(""));
        }
    }
}

/// Ten layers of 25 schemas, each a choice of all of the next: there are 25^10 ways down, and nobody may walk them. (Who does
/// never comes back from here.)
#[test]
fn parts_that_are_reached_by_many_ways_are_looked_at_once() {
    const WIDE: usize = 25;
    let mut schemas = String::new();
    for layer in 0..10 {
        let parts: Vec<String> =
            (0..WIDE).map(|n| format!("{{ $ref: '#/components/schemas/L{}N{n}' }}", layer + 1)).collect();
        let parts = parts.join(", ");
        (0..WIDE).for_each(|n| schemas.push_str(&format!("    L{layer}N{n}: {{ anyOf: [{parts}] }}\n")));
    }
    (0..WIDE).for_each(|n| schemas.push_str(&format!("    L10N{n}: {{ type: string, title: '{n}' }}\n")));
    for media in ["*/*", "text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let document = format!(
            "openapi: 3.1.0\ninfo: {{ title: T, version: '1' }}\npaths:\n  /a:\n    post:\n      x-security: {{ public: an example }}\n      \
             requestBody: {{ required: true, content: {{ '{media}': {{ schema: {{ $ref: '#/components/schemas/L0N0' }} }} }} }}\n      \
             responses: {{ '204': {{ description: done }} }}\ncomponents:\n  schemas:\n{schemas}"
        );
        let done = compile(&MemoryLoader::new([("a.yaml", &*document)]), "a.yaml", &Options::named("v1"));
        assert!(done.files.is_some(), "{media}: {:?}", done.diagnostics.first());
    }
}
