//! Deleting a guard must turn a test red, or make the compiler refuse its own output (GW0911). Each file of `tests/mutants`
//! takes one away from the runtime or from what is generated, in a copy of the repository, and names the tests that must
//! notice.
//!
//! ```text
//! # What is gone.
//! file: crates/…/guard/mod.rs
//! test: --test edge
//! --- take
//! text that stands there exactly once
//! --- put
//! what stands there instead
//! ```
//!
//! Its tests are sought in the whole workspace, with all features: for one package Cargo would unite other features of the
//! dependencies, and build those once more.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::Outcome;
use crate::run::{capture, cargo, root, target};

/// One mutant with a cold build behind it, on a slow machine.
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// The folder below the copy's workspace root that holds everything but the root's own files.
const BELOW: &str = "copy";

struct Mutant {
    name: String,
    file: String,
    test: String,
    take: String,
    put: String,
}

/// Runs them all, or those whose names hold one of these.
pub(crate) fn run(names: &[String]) -> Outcome {
    let mut paths = Vec::new();
    crate::layers::files(&root().join("tests/mutants"), ".mutant", &mut paths);
    paths.sort();
    paths.retain(|path| {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        names.is_empty() || names.iter().any(|name| stem.contains(name.as_str()))
    });
    let mutants = paths.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    if mutants.is_empty() {
        return Err("tests/mutants has none of them".to_owned());
    }
    // A mutant that no longer fits the code proves nothing.
    let fitting = mutants.iter().map(|m| mutated(m).map(|text| (m, text))).collect::<Result<Vec<_>, _>>()?;
    let copy = copy_of_repository()?;
    let workspace = copy.parent().unwrap_or(&copy);
    let mut survivors = Vec::new();
    let mut killed = 0;
    for (mutant, text) in &fitting {
        let path = copy.join(&mutant.file);
        let original = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))?;
        let mut command = cargo(["test", "--quiet"]);
        command.args(["--workspace", "--all-features"]).args(mutant.test.split_whitespace());
        command.current_dir(workspace).env("CARGO_TARGET_DIR", target());
        let done = capture(command, LIMIT)?;
        fs::write(&path, original).map_err(|e| format!("{}: {e}", path.display()))?;
        // What does not build was not tested: only a failed test counts, or the compiler's refusal of its own output.
        if done.stdout.contains("test result: FAILED") || done.stderr.contains("error[GW0911]") {
            killed += 1;
            println!("killed  {} ({:.0} s)", mutant.name, done.seconds);
        } else {
            println!("LIVES   {}\n{}", mutant.name, done.tail(20));
            survivors.push(mutant.name.as_str());
        }
    }
    if survivors.is_empty() {
        Ok(format!("{killed} mutants, every one noticed"))
    } else {
        Err(format!("no test noticed: {}", survivors.join(", ")))
    }
}

fn read(path: &Path) -> Result<Mutant, String> {
    let name = path.file_stem().and_then(|s| s.to_str()).unwrap_or_default().to_owned();
    let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let malformed = || format!("tests/mutants/{name}.mutant has not the form that `xtask/src/mutants.rs` describes");
    let (head, rest) = text.split_once("--- take\n").ok_or_else(malformed)?;
    let (take, put) = rest.split_once("--- put\n").ok_or_else(malformed)?;
    let field = |key: &str| {
        head.lines().find_map(|line| line.strip_prefix(key)).map(|value| value.trim().to_owned()).ok_or_else(malformed)
    };
    let (file, test) = (field("file:")?, field("test:")?);
    let whole = |text: &str| text.strip_suffix('\n').unwrap_or(text).to_owned();
    Ok(Mutant { file, test, take: whole(take), put: whole(put), name })
}

/// The file with its guard gone.
fn mutated(mutant: &Mutant) -> Result<String, String> {
    let text = fs::read_to_string(root().join(&mutant.file)).map_err(|e| format!("{}: {e}", mutant.file))?;
    match text.matches(&mutant.take).count() {
        1 => Ok(text.replacen(&mutant.take, &mutant.put, 1)),
        n => Err(format!("{}: its text stands {n} times in {}, not once", mutant.name, mutant.file)),
    }
}

/// A copy of every file that is or could be committed. It stays, so that a second run builds little.
///
/// The workspace's root is the folder above the copy. Cargo tells crates apart by their path below that root, so the
/// copy's crates are others than the repository's, and both can share one target folder and every dependency in it.
fn copy_of_repository() -> Result<PathBuf, String> {
    let workspace = target().join("mutants");
    let copy = workspace.join(BELOW);
    let mut command = std::process::Command::new("git");
    command.args(["ls-files", "--cached", "--others", "--exclude-standard"]).current_dir(root());
    let listed = capture(command, Duration::from_secs(60))?;
    if !listed.success() {
        return Err(listed.tail(5));
    }
    for name in listed.stdout.lines() {
        let from = root().join(name);
        let to = if name.contains('/') { copy.join(name) } else { workspace.join(name) };
        // A link to a folder, which Git lists as if it were a file.
        let mut files = Vec::new();
        if from.is_dir() {
            crate::layers::files(&from, "", &mut files);
        }
        for file in &files {
            place(file, &to.join(file.strip_prefix(&from).unwrap_or(file)), |bytes| bytes)?;
        }
        if files.is_empty() {
            place(&from, &to, |bytes| match name {
                "Cargo.toml" => moved(&String::from_utf8_lossy(&bytes)).into_bytes(),
                _ => bytes,
            })?;
        }
    }
    Ok(copy)
}

/// Copies a file where it is not so already: unchanged files keep their time, so that Cargo builds them once. What Git
/// still lists and is gone is left out.
fn place(from: &Path, to: &Path, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Result<(), String> {
    let Ok(bytes) = fs::read(from).map(change) else { return Ok(()) };
    if fs::read(to).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    fs::write(to, bytes).map_err(|e| format!("{}: {e}", to.display()))
}

/// The manifest of a workspace whose crates stand one folder deeper.
fn moved(manifest: &str) -> String {
    let line = |line: &str| {
        if line.starts_with("members = ") || line.starts_with("exclude = ") {
            line.replace("[\"", &format!("[\"{BELOW}/")).replace(", \"", &format!(", \"{BELOW}/"))
        } else {
            line.replace("path = \"", &format!("path = \"{BELOW}/"))
        }
    };
    manifest.lines().map(|text| line(text) + "\n").collect()
}
