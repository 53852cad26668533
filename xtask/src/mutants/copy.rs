//! The repository once more, below the target folder: what is taken away is taken away there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::run::{capture, root, target};

/// The folder below the copy's workspace root that holds everything but the root's own files.
const BELOW: &str = "copy";

/// A copy of every file that is or could be committed. It stays, so that a second run builds little.
///
/// Files that are `changed` have another text in it. The workspace's root is the folder above the copy. Cargo tells crates apart by their path below that root, so the
/// copy's crates are others than the repository's, and both can share one target folder and every dependency in it.
pub(super) fn of_repository(changed: &BTreeMap<String, String>) -> Result<PathBuf, String> {
    let workspace = target().join("mutants");
    let copy = workspace.join(BELOW);
    let mut command = std::process::Command::new("git");
    command.args(["ls-files", "--cached", "--others", "--exclude-standard"]).current_dir(root());
    let listed = capture(command, Duration::from_secs(60))?;
    if !listed.success() {
        return Err(listed.tail(5));
    }
    let mut placed = BTreeSet::new();
    for name in listed.stdout.lines() {
        let from = root().join(name);
        let to = if name.contains('/') { copy.join(name) } else { workspace.join(name) };
        // A link to a folder, which Git lists as if it were a file.
        let mut files = Vec::new();
        if from.is_dir() {
            crate::layers::files(&from, "", &mut files);
        }
        for file in &files {
            let to = to.join(file.strip_prefix(&from).unwrap_or(file));
            place(file, &to, |bytes| bytes)?;
            placed.insert(to);
        }
        if files.is_empty() {
            place(&from, &to, |bytes| match (name, changed.get(name)) {
                ("Cargo.toml", _) => moved(&String::from_utf8_lossy(&bytes)).into_bytes(),
                (_, Some(text)) => text.clone().into_bytes(),
                _ => bytes,
            })?;
            placed.insert(to);
        }
    }
    // What an earlier run left, and is gone: a module must not stand there twice.
    let mut there = Vec::new();
    crate::layers::files(&copy, "", &mut there);
    for file in there.iter().filter(|file| !placed.contains(*file)) {
        fs::remove_file(file).map_err(|e| format!("{}: {e}", file.display()))?;
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
