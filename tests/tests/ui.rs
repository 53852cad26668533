//! Each file of `ui/` is a document with faults, and marks under the lines that say what the compiler finds there:
//!
//! ```text
//!       security: [ { oath: [] } ]
//! #                   ^^^^ error[GW0104]: declared nowhere
//! ```
//!
//! The carets stand under what is underlined (a mark that starts in the first column begins at the `#`); the words after
//! the code, if any, are part of the message, and those after ` => ` part of the help. Every diagnostic needs its mark and every mark its diagnostic. A first line
//! `# allow-unguarded` compiles with that option.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::disallowed_methods)]

use std::collections::BTreeSet;
use std::path::Path;

use gatewright_compiler::Options;
use gatewright_spec::MemoryLoader;

/// What stands at a place: line, first column, `error[GW0104]`, words of the message and of the help.
type Found = (u32, u32, String, String, String);

fn compile(name: &str, text: &str) -> Vec<Found> {
    let loader = MemoryLoader::new([(name.to_owned(), text)]);
    let options = Options { allow_unguarded: text.starts_with("# allow-unguarded\n"), ..Options::named("api") };
    let done = gatewright_compiler::compile(&loader, name, &options);
    let place = |d: &gatewright_diag::Diagnostic| {
        let span = d.span.expect("every diagnostic of a text has a place");
        let at = done.sources.get(span.file).unwrap().line_col(span.start);
        let help = d.help.clone().unwrap_or_else(|| panic!("{}: `{}` has no help", d.code, d.message));
        (at.line, at.column, format!("{}[{}]", d.level, d.code), d.message.clone(), help)
    };
    done.diagnostics.iter().map(place).collect()
}

/// The marks of a text: what is expected under the last line that is no mark.
fn marks(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let mut line = 0;
    for (at, content) in text.lines().enumerate() {
        let mark = content.strip_prefix('#').filter(|rest| rest.trim_start().starts_with('^'));
        let Some(rest) = mark else {
            line = at as u32 + 1;
            continue;
        };
        let spaces = rest.len() - rest.trim_start().len();
        // `#^` marks from the first column on.
        let column = if spaces == 0 { 1 } else { spaces as u32 + 2 };
        let said = rest.trim_start().trim_start_matches('^').trim();
        let (said, help) = said.split_once(" => ").unwrap_or((said, ""));
        let (code, words) = said.split_once(": ").unwrap_or((said, ""));
        found.push((line, column, code.to_owned(), words.to_owned(), help.to_owned()));
    }
    found
}

/// What is wrong with a case; empty if nothing is.
fn judge(name: &str, text: &str) -> Vec<String> {
    let marks = marks(text);
    let mut wrong = Vec::new();
    if marks.is_empty() {
        wrong.push(format!("{name}: no mark; a case says what it expects"));
    }
    let mut found = compile(name, text);
    for (line, column, code, words, help) in &marks {
        let at = found.iter().position(|(l, c, k, message, way)| {
            (l, c, k) == (line, column, code) && message.contains(words) && way.contains(help)
        });
        match at {
            Some(at) => {
                found.remove(at);
            }
            None => wrong.push(format!("{name}:{line}:{column}: expected {code}: {words} => {help}")),
        }
    }
    wrong.extend(found.iter().map(|(line, column, code, message, help)| {
        format!("{name}:{line}:{column}: unexpected {code}: {message} => {help}")
    }));
    wrong
}

fn cases() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui");
    let mut cases: Vec<(String, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "yaml"))
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(&path).unwrap()))
        .collect();
    cases.sort();
    cases
}

#[test]
fn every_case_says_what_the_compiler_says() {
    let cases = cases();
    assert!(cases.len() > 40, "only {} cases", cases.len());
    let wrong: Vec<String> = cases.iter().flat_map(|(name, text)| judge(name, text)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_code_about_policies_apis_schemas_and_the_vocabulary_has_a_case() {
    let marked: BTreeSet<String> =
        cases().iter().flat_map(|(_, text)| marks(text)).map(|(_, _, code, _, _)| code).collect();
    let missing: Vec<String> = gatewright_diag::ALL
        .iter()
        .filter(|entry| matches!(entry.code.0, 100..200 | 400..800))
        .map(|entry| format!("{}[{}]", entry.level, entry.code))
        .filter(|code| !marked.contains(code))
        .collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
}

#[test]
fn the_harness_sees_what_is_missing_and_what_is_too_much() {
    let document = "openapi: 3.1.0\ninfo: { title: T, version: '1' }\npaths:\n  /a:\n    get:\n";
    let marked = |mark: &str| format!("{document}{mark}      responses: {{}}\n");
    assert!(judge("none.yaml", &marked("")).iter().any(|w| w.contains("no mark")));
    assert!(judge("none.yaml", &marked("")).iter().any(|w| w.contains("unexpected error[GW0101]")));
    assert!(judge("right.yaml", &marked("#   ^^^ error[GW0101]: open to everybody\n")).is_empty());
    assert_eq!(judge("column.yaml", &marked("#    ^^ error[GW0101]\n")).len(), 2);
    assert_eq!(judge("code.yaml", &marked("#   ^^^ error[GW0102]\n")).len(), 2);
    assert_eq!(judge("level.yaml", &marked("#   ^^^ warning[GW0101]\n")).len(), 2);
    assert_eq!(judge("words.yaml", &marked("#   ^^^ error[GW0101]: shut\n")).len(), 2);
    assert!(judge("help.yaml", &marked("#   ^^^ error[GW0101]: open => `security`\n")).is_empty());
    assert_eq!(judge("help.yaml", &marked("#   ^^^ error[GW0101]: open => pray\n")).len(), 2);
}
