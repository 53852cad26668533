//! Each folder of `golden/` is a document and the code that it must become; `cargo xtask bless` writes the code anew. The
//! code is a module of this test, so it compiles, and without a warning.
#![deny(warnings)]
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "cases are files")]

use std::path::{Path, PathBuf};

use gatewright_compiler::{Compilation, Layout, Options, Succeeds, compile, disk::DiskLoader};

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
cases!(answers bank_v1 bank_v2 credentials limits lists media names parameters properties schemas versions_v1 versions_v2);
// The versions' own names stand beside each other in a project.
use versions_v1 as v1;

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
    let older = std::fs::read_to_string(folder.join("succeeds")).ok();
    let older = older.map(|older| generated(older.trim(), layout).ir.unwrap());
    let options = Options {
        name: version.to_owned(),
        prefix: format!("/{version}"),
        layout,
        succeeds: older.map(|ir| Succeeds { ir, by_hand: Vec::new() }),
        ..Options::named(version)
    };
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
fn requests_of_an_older_version_become_those_of_the_newer_and_answers_go_back() {
    use gatewright::json::{Patch, Secret};
    let old = v1::types::NewItem {
        kind: v1::types::Kind::Large,
        count: 7,
        secret: Some(Secret::new("s".to_owned())),
        price: None,
        note: None,
    };
    let new: versions_v2::create_item::Request = v1::create_item::Request { body: old }.into();
    // What the older version does not have is absent, or what the newer says it is then.
    assert!(matches!(new.body.kind, versions_v2::types::NewKind::Large));
    assert_eq!((new.body.count, new.body.size, new.body.price, new.body.color), (7, 3, 0, Patch::Absent));
    assert_eq!(new.body.secret.map(Secret::into_inner).as_deref(), Some("s"));

    let request = v1::list_items::Request { limit: None, kind: None, x_trace: "t".to_owned() };
    let request: versions_v2::list_items::Request = request.into();
    assert_eq!((request.limit, request.x_trace.as_deref(), request.since.is_none()), (20, Some("t"), true));

    let answer = versions_v2::list_items::Response::Ok(
        Vec::new(),
        versions_v2::list_items::OkHeaders { x_total: 3, x_next: "n".to_owned(), x_new: Some("gone".to_owned()) },
    );
    let v1::list_items::Response::Ok(items, headers) = answer.into() else { panic!("another variant") };
    assert_eq!((items.len(), headers.x_total, headers.x_next.as_deref()), (0, 3, Some("n")));
}

/// What must not be converted without anybody looking: a request that became stricter, an answer that is new.
#[test]
fn what_is_not_mechanical_is_not_written() {
    let text = std::fs::read_to_string(root().join("versions_v2/expected.rs")).unwrap();
    let words: String = text.split_whitespace().collect();
    assert!(words.contains("From<v1::delete_item::Request>forsuper::delete_item::Request"));
    for (source, target) in [
        ("v1::put_item::Request", "super::put_item::Request"),
        ("super::delete_item::Response", "v1::delete_item::Response"),
        ("v1::types::Note", "super::types::Note"),
    ] {
        assert!(!words.contains(&format!("From<{source}>for{target}")), "{source}");
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
