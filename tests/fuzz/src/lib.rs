//! What the targets share: a text as a document, and what must hold of whatever was found in it.

use gatewright_compiler::{Compilation, Options};
use gatewright_diag::{Diagnostic, SourceMap};
use gatewright_spec::MemoryLoader;

/// Several files in one input: a line of this and a name begins the next one.
const NEXT_FILE: &str = "\n#### ";

/// The files of an input: the first is `api.yaml`, or `api.json` where it looks like JSON.
pub fn files(input: &str) -> (String, Vec<(String, String)>) {
    let mut parts = input.split(NEXT_FILE);
    let first = parts.next().unwrap_or("");
    let entry = if first.trim_start().starts_with('{') { "api.json" } else { "api.yaml" };
    let mut files = vec![(entry.to_owned(), first.to_owned())];
    files.extend(parts.map(|part| match part.split_once('\n') {
        Some((name, text)) => (name.trim().to_owned(), text.to_owned()),
        None => (part.trim().to_owned(), String::new()),
    }));
    (entry.to_owned(), files)
}

/// Files in memory.
pub fn loader(files: Vec<(String, String)>) -> MemoryLoader {
    MemoryLoader::new(files)
}

/// A place lies in its file and on the borders of characters; whatever is said has a way on.
pub fn sound(diagnostics: &[Diagnostic], map: &SourceMap) {
    for diagnostic in diagnostics {
        assert!(diagnostic.help.is_some(), "{}: no help", diagnostic.code);
        assert!(!diagnostic.message.is_empty());
        for span in diagnostic.span.iter().chain(diagnostic.related.iter().map(|label| &label.span)) {
            let Some(file) = map.get(span.file) else { panic!("{}: no such file", diagnostic.code) };
            let (start, end) = (span.start as usize, span.end as usize);
            assert!(file.text().get(start..end).is_some(), "{}: {start}..{end}", diagnostic.code);
        }
        assert!(!gatewright_diag::show::plain::text(diagnostic, map).is_empty());
    }
}

/// The whole compiler. What it wrote is sound Rust: the backend reads its own output back.
pub fn compile(input: &str, options: &Options) -> Compilation {
    let (entry, files) = files(input);
    let done = gatewright_compiler::compile(&loader(files), &entry, options);
    sound(&done.diagnostics, &done.sources);
    assert_eq!(done.files.is_none(), done.has_errors(), "neither code nor an error");
    done
}
