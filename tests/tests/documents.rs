//! Odd and legal documents, a file each in `documents/` (or a folder with a `main.yaml`): every one of them generates, and
//! what comes out compiles and is documented without a warning, all in one crate. A document that must be refused is a ui
//! case instead.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::panic, reason = "cases are files")]

use std::path::{Path, PathBuf};

use gatewright_compiler::{Layout, Options, compile, disk::DiskLoader};
use gatewright_diag::Level;
use gatewright_tests::scratch;

fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("documents");
    let mut all: Vec<PathBuf> = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.sort();
    all.into_iter().map(|path| if path.is_dir() { path.join("main.yaml") } else { path }).collect()
}

fn name(path: &Path) -> String {
    let file = if path.ends_with("main.yaml") { path.parent().unwrap() } else { path };
    file.file_stem().unwrap().to_string_lossy().replace('-', "_")
}

#[test]
fn odd_documents_compile_without_a_warning() {
    let mut files = Vec::new();
    let mut main = "#![deny(warnings)]\n//! Compiles what was generated.\n".to_owned();
    let mut refused = Vec::new();
    for path in documents() {
        let name = name(&path);
        let (loader, entry) =
            DiskLoader::open(path.parent().unwrap(), Path::new(path.file_name().unwrap()), None).unwrap();
        let options = Options { allow_unguarded: true, layout: Layout::SingleFile, ..Options::named("api") };
        let done = compile(&loader, &entry, &options);
        let errors = done.diagnostics.iter().filter(|d| d.level == Level::Error);
        refused.extend(errors.map(|error| format!("{name}: {}: {}", error.code, error.message)));
        let Some(generated) = done.files else { continue };
        files.push((format!("{name}.rs"), generated.iter().next().unwrap().1.to_owned()));
        main.push_str(&format!("pub mod {name};\n"));
    }
    assert!(refused.is_empty(), "{refused:#?}");
    files.push(("lib.rs".to_owned(), main));
    let folder = tempfile::tempdir().unwrap();
    scratch::scratch(folder.path(), &files);
    let (said, fine) = scratch::cargo(folder.path(), &["check", "--quiet"]);
    assert!(fine, "{said}");
    // Texts of a document are hostile to rustdoc too, and its files have the names of types.
    let (said, fine) = scratch::cargo(folder.path(), &["doc", "--quiet", "--no-deps"]);
    assert!(fine, "{said}");
}
