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

/// Each constructor of a value that proves something, and every place that may call it, with how often. What stands
/// behind a feature for unit tests is counted too.
const PROOFS: &[(&str, &[(&str, usize)])] = &[
    ("CheckedIr::assertion(", &[("gatewright-check/src/lib.rs", 1)]),
    ("Identity::assertion(", &[("gatewright/src/auth/identity.rs", 2), ("gatewright/src/auth/scheme.rs", 1)]),
    ("Admission::assertion(", &[("gatewright/src/guard/mod.rs", 1)]),
    ("Caller::assertion(", &[("gatewright/src/part.rs", 2)]),
    ("Visible(", &[("gatewright/src/visible.rs", 6)]),
    ("Authorized::assertion(", &[("gatewright/src/stage.rs", 1)]),
    ("SteppedUp::assertion(", &[("gatewright/src/guard/step_up.rs", 1)]),
    ("Cx::assertion(", &[("gatewright/src/forward.rs", 1), ("gatewright/src/stage.rs", 2)]),
    // Fields that the rest of its crate may read are fields that it could fill.
    (" Cx {", &[("gatewright/src/cx.rs", 1)]),
];

pub(crate) fn run() -> Outcome {
    let mut wrong = Vec::new();
    edges(&named(&metadata()?)?, &mut wrong);
    kept_out(&mut wrong)?;
    let generated = forbidden(&mut wrong)?;
    proofs(&sources()?, &mut wrong);
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

/// Which of our crates each names, tests apart.
fn named(metadata: &Value) -> Result<BTreeMap<String, Vec<String>>, String> {
    let packages = metadata.get("packages").and_then(Value::as_array).ok_or("cargo metadata: no packages")?;
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
    let mut seen: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in packages {
        let found = seen.entry(text(package, "name")).or_default();
        for dependency in package.get("dependencies").and_then(Value::as_array).into_iter().flatten() {
            let other = text(dependency, "name");
            if other.starts_with("gatewright") && text(dependency, "kind") != "dev" {
                found.push(other);
            }
        }
    }
    Ok(seen)
}

fn edges(seen: &BTreeMap<String, Vec<String>>, wrong: &mut Vec<String>) {
    for (name, found) in seen {
        let beside = ["gatewright-tests", "gatewright-macro-tests", "gatewright-bench"].contains(&name.as_str())
            || name.starts_with("gatewright-example-");
        if !name.starts_with("gatewright") || beside {
            continue;
        }
        match EDGES.iter().find(|(n, _)| n == name) {
            None => wrong.push(format!("layers: `{name}` stands in no table of allowed edges")),
            Some((_, allowed)) => wrong.extend(
                found
                    .iter()
                    .filter(|f| !allowed.contains(&f.as_str()))
                    .map(|f| format!("layers: `{name}` may not name `{f}`")),
            ),
        }
    }
    let absent = EDGES.iter().filter(|(n, _)| !seen.contains_key(*n));
    wrong.extend(absent.map(|(n, _)| format!("layers: no crate `{n}`")));
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
        words(&path.display().to_string(), &text, wrong);
    }
    Ok(generated)
}

fn words(name: &str, text: &str, wrong: &mut Vec<String>) {
    for (number, line) in text.lines().enumerate().filter(|(_, l)| !l.trim_start().starts_with("//")) {
        let code = without_strings(line);
        for word in FORBIDDEN.iter().filter(|word| code.contains(*word)) {
            wrong.push(format!("layers: {name}:{}: `{word}` in generated code", number + 1));
        }
    }
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

/// The sources of all crates, by their path below `crates/`.
fn sources() -> Result<Vec<(String, String)>, String> {
    let folder = root().join("crates");
    let mut list = Vec::new();
    files(&folder, ".rs", &mut list);
    // Tests may forge what they test with.
    list.retain(|path| !path.components().any(|part| part.as_os_str() == "tests"));
    list.into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
            let name = path.strip_prefix(&folder).unwrap_or(&path).display().to_string().replace('\\', "/");
            Ok((name, text))
        })
        .collect()
}

fn proofs(sources: &[(String, String)], wrong: &mut Vec<String>) {
    let count = |text: &str, call: &str| -> usize {
        let code = text.lines().filter(|line| {
            let line = line.trim_start();
            !line.starts_with("//") && !line.starts_with("pub struct") && !line.starts_with("impl")
        });
        code.map(|line| line.matches(call).count()).sum()
    };
    for (call, allowed) in PROOFS {
        for (name, text) in sources {
            let found = count(text, call);
            let may = allowed.iter().find(|(home, _)| home == name).map_or(0, |(_, times)| *times);
            if found != may {
                wrong.push(format!("layers: `{}…` stands {found} times in {name}, and may {may} times", call.trim()));
            }
        }
        for (home, _) in allowed.iter().filter(|(home, _)| !sources.iter().any(|(name, _)| name == home)) {
            wrong.push(format!("layers: no file `{home}`, which `{}…` is allowed in", call.trim()));
        }
    }
    // Whoever adds a proof adds its row.
    let constructors: usize = sources.iter().map(|(_, text)| count(text, "fn assertion(")).sum();
    let rows = PROOFS.iter().filter(|(call, _)| call.ends_with("::assertion(")).count();
    if constructors != rows {
        wrong.push(format!("layers: {constructors} functions are called `assertion`, and {rows} stand in the table"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(of: impl FnOnce(&mut Vec<String>)) -> Vec<String> {
        let mut wrong = Vec::new();
        of(&mut wrong);
        wrong
    }

    #[test]
    fn words_in_strings_do_not_count() {
        assert_eq!(without_strings(r#"a("unsafe \" x", b) unsafe {"#), "a(, b) unsafe {");
        assert!(wrong(|w| words("x.rs", "// unwrap()\nlet a = \"panic!(\";\n", w)).is_empty());
        assert_eq!(wrong(|w| words("x.rs", "a();\nb.unwrap();\n", w)).len(), 1);
    }

    #[test]
    fn a_forbidden_edge_fails() {
        let house = |extra: Option<(&str, &str)>| {
            let packages: Vec<Value> = EDGES
                .iter()
                .map(|(name, _)| {
                    let edges = extra.iter().filter(|(from, _)| from == name);
                    let edges: Vec<Value> =
                        edges.map(|(_, to)| serde_json::json!({ "name": to, "kind": null })).collect();
                    serde_json::json!({ "name": name, "dependencies": edges })
                })
                .collect();
            let seen = named(&serde_json::json!({ "packages": packages })).unwrap();
            wrong(|w| edges(&seen, w))
        };
        assert_eq!(house(None), Vec::<String>::new());
        for (from, to) in [
            ("gatewright", "gatewright-ir"),
            ("gatewright-codegen", "gatewright-export"),
            ("gatewright-check", "gatewright-spec"),
            ("gatewright-policy", "gatewright-diag"),
        ] {
            assert_eq!(house(Some((from, to))), [format!("layers: `{from}` may not name `{to}`")]);
        }
        assert!(house(Some(("gatewright-ir", "gatewright-policy"))).is_empty());
        let stranger = BTreeMap::from([("gatewright-new".to_owned(), Vec::new())]);
        assert!(wrong(|w| edges(&stranger, w)).iter().any(|text| text.contains("`gatewright-new` stands in no table")));
    }

    #[test]
    fn a_proof_that_is_made_elsewhere_fails() {
        let house = sources().unwrap();
        assert_eq!(wrong(|w| proofs(&house, w)), Vec::<String>::new());
        for (call, _) in PROOFS {
            let mut house = house.clone();
            house.push(("gatewright/src/forged.rs".to_owned(), format!("fn forge() {{ let x ={call}}}; }}\n")));
            // A literal and a call differ by a space.
            let found = wrong(|w| proofs(&house, w));
            assert!(found.iter().any(|text| text.contains("forged.rs")), "{call}: {found:?}");
        }
        let mut house = house.clone();
        house.push(("gatewright/src/new.rs".to_owned(), "    fn assertion(x: X) -> Proof {}\n".to_owned()));
        assert_eq!(wrong(|w| proofs(&house, w)).len(), 1);
    }
}
