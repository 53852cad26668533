//! What must never be: a crate that names one it may not, a word in generated code that nobody reviewed, a proof made in
//! a second place. Compared with tables, so that a change of the house is a change of this file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::Outcome;
use crate::run::{capture, cargo, root};

/// Which of our crates each may name (features and all; tests may name more).
const EDGES: &[(&str, &[&str])] = &[
    ("gatewright-policy", &[]),
    ("gatewright-store", &["gatewright-policy"]),
    ("gatewright", &["gatewright-policy", "gatewright-store", "gatewright-macros"]),
    ("gatewright-diag", &[]),
    ("gatewright-ir", &["gatewright-diag", "gatewright-policy"]),
    ("gatewright-spec", &["gatewright-diag", "gatewright-ir", "gatewright-policy"]),
    ("gatewright-check", &["gatewright-diag", "gatewright-ir", "gatewright-policy"]),
    ("gatewright-codegen", &["gatewright-diag", "gatewright-ir", "gatewright-policy"]),
    ("gatewright-export", &["gatewright-diag", "gatewright-ir", "gatewright-policy"]),
    (
        "gatewright-compiler",
        &[
            "gatewright-diag",
            "gatewright-ir",
            "gatewright-policy",
            "gatewright-spec",
            "gatewright-check",
            "gatewright-codegen",
        ],
    ),
    ("gatewright-macros", &["gatewright-policy", "gatewright-compiler", "gatewright-diag"]),
    ("gatewright-build", &["gatewright-compiler", "gatewright-diag"]),
    (
        "gatewright-cli",
        &[
            "gatewright-compiler",
            "gatewright-diag",
            "gatewright-ir",
            "gatewright-policy",
            "gatewright-export",
            "gatewright-store",
        ],
    ),
];

/// Crates from elsewhere that a crate of ours, with all that it pulls by default, must not have.
const KEPT_OUT: &[(&str, &[&str])] = &[
    ("gatewright-policy", &["serde", "tokio", "syn"]),
    (
        "gatewright-ir",
        &["granit-parser", "syn", "minijinja", "axum", "serde", "serde_json", "serde_yaml", "yaml_serde"],
    ),
    ("gatewright-macros", &["minijinja", "annotate-snippets", "tokio", "axum", "granit-parser"]),
    ("gatewright-build", &["minijinja", "annotate-snippets", "tokio", "axum", "clap"]),
    // Compiling opens no connection: nothing that could is in the tree.
    ("gatewright-compiler", &["hyper", "tokio", "ureq", "reqwest", "rustls", "socket2", "mio"]),
    ("gatewright", &["syn", "prettyplease", "granit-parser", "minijinja", "clap", "ureq", "reqwest"]),
];

/// Exceptions of the table above, each with its reason.
const LET_IN: &[(&str, &str, &str)] =
    &[("gatewright", "syn", "a procedural macro reads Rust; it does not end up in the server")];

/// Words that generated code may not hold: it names `::gatewright::`, `::core::` and `::std::` and nothing else.
const FORBIDDEN: &[&str] = &[
    "unsafe ",
    "unwrap()",
    ".expect(",
    "panic!(",
    "todo!(",
    "unimplemented!(",
    "::serde::",
    "::axum::",
    "::tokio::",
    "std::fs",
    "std::env",
    "std::process",
    "std::net",
    "extern crate",
];

/// Proof constructors, and in how many places of the rooms that may make them they are called.
const PROOFS: &[(&str, &[&str])] = &[("CheckedIr::assertion(", &["crates/gatewright-check"])];

pub(crate) fn run() -> Outcome {
    let mut wrong = Vec::new();
    edges(&mut wrong)?;
    kept_out(&mut wrong)?;
    let generated = forbidden(&mut wrong)?;
    proofs(&mut wrong)?;
    if wrong.is_empty() {
        Ok(format!("layers: {} crates, {generated} generated files, {} proofs", EDGES.len(), PROOFS.len()))
    } else {
        Err(wrong.join("\n"))
    }
}

fn metadata() -> Result<Value, String> {
    let done =
        capture(cargo(["metadata", "--format-version", "1", "--no-deps", "--offline"]), Duration::from_secs(120))?;
    if !done.success() {
        return Err(done.tail(20));
    }
    serde_json::from_str(&done.stdout).map_err(|e| format!("cargo metadata: {e}"))
}

fn edges(wrong: &mut Vec<String>) -> Result<(), String> {
    let metadata = metadata()?;
    let packages = metadata.get("packages").and_then(Value::as_array).ok_or("cargo metadata: no packages")?;
    let mut seen: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in packages {
        let text = |value: &'_ Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let name = package.get("name").and_then(Value::as_str).unwrap_or("");
        for dependency in package.get("dependencies").and_then(Value::as_array).into_iter().flatten() {
            let other = dependency.get("name").and_then(Value::as_str).unwrap_or("");
            if other.starts_with("gatewright") && text(dependency, "kind").as_deref() != Some("dev") {
                seen.entry(name).or_default().push(other);
            }
        }
        seen.entry(name).or_default();
    }
    for (name, found) in &seen {
        let beside = ["gatewright-tests", "gatewright-bench"].contains(name) || name.starts_with("gatewright-example-");
        if !name.starts_with("gatewright") || beside {
            continue;
        }
        match EDGES.iter().find(|(n, _)| n == name) {
            None => wrong.push(format!("layers: `{name}` stands in no table of allowed edges")),
            Some((_, allowed)) => wrong.extend(
                found.iter().filter(|f| !allowed.contains(f)).map(|f| format!("layers: `{name}` may not name `{f}`")),
            ),
        }
    }
    wrong.extend(EDGES.iter().filter(|(n, _)| !seen.contains_key(n)).map(|(n, _)| format!("layers: no crate `{n}`")));
    Ok(())
}

fn kept_out(wrong: &mut Vec<String>) -> Result<(), String> {
    for (name, banned) in KEPT_OUT {
        let args =
            ["tree", "--offline", "--package", name, "--edges", "normal,build", "--prefix", "none", "--format", "{p}"];
        let done = capture(cargo(args), Duration::from_secs(120))?;
        if !done.success() {
            return Err(done.tail(20));
        }
        let found: Vec<&str> = done.stdout.lines().filter_map(|l| l.split(' ').next()).collect();
        for word in banned.iter().filter(|word| found.contains(word)) {
            if !LET_IN.iter().any(|(n, w, _)| n == name && w == word) {
                wrong.push(format!("layers: `{name}` pulls `{word}`"));
            }
        }
    }
    Ok(())
}

/// Every file below a folder with this ending.
pub(crate) fn files(folder: &Path, ending: &str, out: &mut Vec<PathBuf>) {
    let Ok(list) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = list.filter_map(|entry| entry.ok().map(|e| e.path())).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() && !path.is_symlink() {
            if name != "target" && name != "node_modules" && !name.starts_with('.') {
                files(&path, ending, out);
            }
        } else if name.ends_with(ending) {
            out.push(path);
        }
    }
}

fn forbidden(wrong: &mut Vec<String>) -> Result<usize, String> {
    let mut list = Vec::new();
    for folder in ["tests/golden", "examples"] {
        files(&root().join(folder), ".rs", &mut list);
    }
    let mut generated = 0;
    for path in list {
        let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        if !text.lines().take(5).any(|line| line.contains("@generated by gatewright")) {
            continue;
        }
        generated += 1;
        for (number, line) in text.lines().enumerate().filter(|(_, l)| !l.trim_start().starts_with("//")) {
            let code = without_strings(line);
            for word in FORBIDDEN.iter().filter(|word| code.contains(*word)) {
                wrong.push(format!("layers: {}:{}: `{word}` in generated code", path.display(), number + 1));
            }
        }
    }
    Ok(generated)
}

/// A line without what stands between double quotes: texts of a spec may say anything.
fn without_strings(line: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if inside => drop(chars.next()),
            '"' => inside = !inside,
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out
}

fn proofs(wrong: &mut Vec<String>) -> Result<(), String> {
    let mut list = Vec::new();
    files(&root().join("crates"), ".rs", &mut list);
    // Tests may forge what they test with.
    list.retain(|path| !path.components().any(|part| part.as_os_str() == "tests"));
    for (call, homes) in PROOFS {
        let mut places = Vec::new();
        for path in &list {
            let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
            let code: usize =
                text.lines().filter(|l| !l.trim_start().starts_with("//")).map(|l| l.matches(call).count()).sum();
            places.extend(std::iter::repeat_n(path.clone(), code));
        }
        let at_home = |path: &PathBuf| homes.iter().any(|home| path.starts_with(root().join(home)));
        if places.len() != homes.len() || !places.iter().all(at_home) {
            wrong.push(format!("layers: `{call}…)` is called in {places:?}, allowed are {homes:?}, once each"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_strings_do_not_count() {
        assert_eq!(without_strings(r#"a("unsafe \" x", b) unsafe {"#), "a(, b) unsafe {");
    }
}
