//! Each folder of `golden/` is a document and the code that it must become; `cargo xtask bless` writes the code anew. The
//! code is a module of this test, so it compiles, and without a warning.
#![deny(warnings)]
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "cases are files")]

use std::path::{Path, PathBuf};

use gatewright_compiler::{Compilation, Layout, Options, compile, disk::DiskLoader};

macro_rules! cases {
    ($($name:ident)*) => {
        const CASES: &[&str] = &[$(stringify!($name)),*];
        $(
            mod $name {
                include!(concat!("../golden/", stringify!($name), "/expected.rs"));
            }
        )*
    };
}
cases!(answers bank_v1 bank_v2 credentials limits media names parameters properties schemas);

#[allow(dead_code, reason = "only compiled")]
mod money {
    //! What `schemas` names by `x-rust-type`.
    use gatewright::json::{FromJson, Mismatch, ToJson, Value, Writer};

    #[derive(Clone, Debug, PartialEq)]
    pub(crate) struct Amount(String);

    impl FromJson for Amount {
        fn decode(value: Value<'_>) -> Result<Self, Mismatch> {
            String::decode(value).map(Amount)
        }
    }

    impl ToJson for Amount {
        fn write(&self, out: &mut Writer) {
            self.0.write(out);
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

fn generated(case: &str, layout: Layout) -> Compilation {
    let folder = root().join(case);
    let spec = match std::fs::read_to_string(folder.join("spec")) {
        Ok(path) => Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path.trim()),
        Err(_) => folder.join("openapi.yaml"),
    };
    let version = case.rsplit('_').next().filter(|v| v.starts_with('v')).unwrap_or(case);
    let options =
        Options { name: version.to_owned(), prefix: format!("/{version}"), layout, ..Options::named(version) };
    let (loader, entry) = DiskLoader::open(spec.parent().unwrap(), Path::new(spec.file_name().unwrap()), None).unwrap();
    compile(&loader, &entry, &options)
}

#[test]
fn documents_become_the_code_that_stands_beside_them() {
    let mut wrong = Vec::new();
    for case in CASES {
        let compiled = generated(case, Layout::SingleFile);
        let text = compiled.files.as_ref().and_then(|f| f.iter().next().map(|(_, text)| text.to_owned()));
        let text = text.unwrap_or_else(|| panic!("{case}: {:?}", compiled.diagnostics));
        let path = root().join(case).join("expected.rs");
        if std::fs::read_to_string(path).unwrap() != text {
            wrong.push(*case);
        }
    }
    assert!(wrong.is_empty(), "the code of {wrong:?} changed: read the difference after `cargo xtask bless`");
}

/// `lines.tsv`, which `cargo xtask bless` writes: growth of what is generated shows in a difference.
#[test]
fn the_lines_of_an_operation_are_what_the_table_says() {
    let table = std::fs::read_to_string(root().join("../lines.tsv")).unwrap();
    let rows: Vec<&str> = table.lines().skip(1).collect();
    assert_eq!(rows.len(), CASES.len());
    for (case, row) in CASES.iter().zip(rows) {
        let text = std::fs::read_to_string(root().join(case).join("expected.rs")).unwrap();
        let plain = |line: &&str| !(line.is_empty() || line.starts_with("//") || line.starts_with("#[doc"));
        let lines = text.lines().map(str::trim_start).filter(plain).count();
        let cells: Vec<&str> = row.split('\t').collect();
        assert_eq!((cells[0], cells[2]), (*case, lines.to_string().as_str()), "after `cargo xtask bless` read it");
    }
}

#[test]
fn every_folder_is_a_case() {
    let mut folders: Vec<String> =
        std::fs::read_dir(root()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    folders.sort();
    assert_eq!(folders, CASES);
}

#[test]
fn one_file_and_many_say_the_same() {
    for case in CASES {
        let one = generated(case, Layout::SingleFile).files.unwrap();
        let many = generated(case, Layout::Tree).files.unwrap();
        // How deep a line stands decides whether an arm has braces and a list its last comma.
        let words = |text: &str| text.split_whitespace().collect::<String>().replace([',', '{', '}'], "");
        let one = words(one.iter().next().unwrap().1);
        for (path, text) in many.iter().filter(|(path, _)| *path != "mod.rs") {
            let header = text.split_once("\n\n").unwrap().1;
            assert!(one.contains(&words(header)), "{case}/{path}");
        }
    }
}
