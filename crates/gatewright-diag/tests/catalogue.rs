//! The table of codes and the folder of pages hold each other.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::disallowed_methods)]

use std::collections::BTreeSet;

use gatewright_diag::{ALL, Code, lookup, lookup_name};

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let pages: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("GW"))
        .collect();
    let table: BTreeSet<String> = ALL.iter().map(|entry| format!("{}.md", entry.code)).collect();
    assert_eq!(pages, table);
}

#[test]
fn codes_and_names_are_unique_and_in_order() {
    assert!(ALL.windows(2).all(|pair| pair[0].code < pair[1].code));
    let names: BTreeSet<_> = ALL.iter().map(|entry| entry.name).collect();
    assert_eq!(names.len(), ALL.len());
    for entry in ALL {
        assert_eq!(lookup(entry.code).unwrap().name, entry.name);
        assert_eq!(lookup_name(entry.name).unwrap().code, entry.code);
        assert_eq!(lookup_name(&entry.code.to_string()).unwrap().code, entry.code);
        assert!(entry.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{}", entry.name);
        // Lower case, but for names written in capitals.
        let first = entry.summary.split(' ').next().unwrap_or("");
        assert!(first.to_lowercase() == first || first.to_uppercase() == first, "{}", entry.summary);
        assert!(!entry.summary.ends_with('.'), "{}", entry.summary);
    }
    assert!(lookup(Code(9999)).is_none());
}

#[test]
fn pages_have_their_headings_and_examples() {
    for entry in ALL {
        let page = entry.page;
        let code = entry.code;
        assert!(page.starts_with(&format!("# {code} {}\n", entry.name)), "{code}: the title");
        let (why, rest) = page.split_once("\n## Bad\n").unwrap_or_else(|| panic!("{code}: no `## Bad`"));
        let (bad, good) = rest.split_once("\n## Good\n").unwrap_or_else(|| panic!("{code}: no `## Good`"));
        assert!(why.lines().skip(1).any(|line| !line.trim().is_empty()), "{code}: no reason is given");
        let starts = |part: &str, kinds: &[&str]| kinds.iter().any(|kind| part.contains(&format!("```{kind}\n")));
        assert!(starts(bad, &["yaml", "json", "toml", "text"]), "{code}: no bad example");
        assert!(starts(good, &["yaml", "json", "toml", "text"]), "{code}: no good example");
        assert_eq!(page.matches("```").count() % 2, 0, "{code}: an open block");
    }
}
