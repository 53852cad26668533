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
//! The tests of one mutant run while the next is built, from programs that are kept for it, unless they start programs or Cargo
//! themselves. They are sought in the whole workspace, with all features: for one package Cargo would unite other features of the
//! dependencies, and build those once more.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
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
    sound(&copy, &mutants)?;
    let mut survivors = Vec::new();
    let mut judge = |judged: Judged| {
        if judged.noticed {
            println!("killed  {} ({:.0} s)", judged.name, judged.seconds);
        } else {
            println!("LIVES   {}\n{}", judged.name, judged.said);
            survivors.push(judged.name);
        }
    };
    // The tests of one run while the next is built: a build waits for the compiler, tests mostly for each other.
    let mut running: Option<JoinHandle<Result<Judged, String>>> = None;
    for (mutant, text) in &fitting {
        let built = with(&copy.join(&mutant.file), text, || match build(&copy, mutant)? {
            // Its tests look at what the next build changes.
            Built::Tests(tests) if tests.alone => tests.run().map(Built::Judged),
            built => Ok(built),
        })?;
        if let Some(before) = running.take() {
            judge(before.join().map_err(|_| "the tests of a mutant could not be run".to_owned())??);
        }
        match built {
            Built::Judged(judged) => judge(judged),
            Built::Tests(tests) => running = Some(std::thread::spawn(move || tests.run())),
        }
    }
    if let Some(last) = running {
        judge(last.join().map_err(|_| "the tests of a mutant could not be run".to_owned())??);
    }
    if survivors.is_empty() {
        Ok(format!("{} mutants, every one noticed", fitting.len()))
    } else {
        Err(format!("no test noticed: {}", survivors.join(", ")))
    }
}

/// Tests that fail without a mutant, for instance because of how they are started here, would notice every one.
fn sound(copy: &Path, mutants: &[Mutant]) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for mutant in mutants.iter().filter(|mutant| seen.insert(&mutant.test)) {
        let judged = match build(copy, mutant)? {
            Built::Judged(judged) => {
                return Err(format!("`{}` does not build as it stands\n{}", mutant.test, judged.said));
            }
            Built::Tests(tests) => tests.run()?,
        };
        if judged.noticed {
            return Err(format!("`{}` fails as it stands\n{}", mutant.test, judged.said));
        }
    }
    Ok(())
}

/// What became of a mutant.
struct Judged {
    name: String,
    noticed: bool,
    said: String,
    seconds: f64,
}

enum Built {
    /// It does not build, or the compiler refused its own output.
    Judged(Judged),
    /// Its tests can run, whatever is built next.
    Tests(Tests),
}

/// Programs with the tests that must notice a mutant, kept under names that the next build does not use.
struct Tests {
    name: String,
    programs: Vec<(PathBuf, PathBuf)>,
    filter: Option<String>,
    /// Whether they start programs or Cargo themselves.
    alone: bool,
    seconds: f64,
}

impl Tests {
    /// Runs one after the other until one fails.
    fn run(self) -> Result<Judged, String> {
        let mut judged = Judged { name: self.name, noticed: false, said: String::new(), seconds: self.seconds };
        for (program, package) in &self.programs {
            let mut command = std::process::Command::new(program);
            command.arg("--quiet").args(&self.filter).current_dir(package).env("CARGO_MANIFEST_DIR", package);
            // They are to fail, and nobody reads where: finding the lines of a trace takes longer than the test.
            command.env("RUST_BACKTRACE", "0");
            let done = capture(command, LIMIT)?;
            judged.seconds += done.seconds;
            judged.said = done.tail(20);
            judged.noticed |= done.stdout.contains("test result: FAILED");
            if judged.noticed {
                break;
            }
        }
        for (program, _) in &self.programs {
            let _ = fs::remove_file(program);
        }
        Ok(judged)
    }
}

/// Does something while a file holds another text.
fn with<T>(path: &Path, text: &str, work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    let failed = |e: std::io::Error| format!("{}: {e}", path.display());
    let original = fs::read_to_string(path).map_err(failed)?;
    fs::write(path, text).map_err(failed)?;
    let done = work();
    fs::write(path, original).map_err(failed)?;
    done
}

fn build(copy: &Path, mutant: &Mutant) -> Result<Built, String> {
    let mut words: Vec<&str> = mutant.test.split_whitespace().collect();
    // Behind what says which targets, the filter of the tests in them.
    let filter = match words.as_slice() {
        ["--lib", filter] => Some((*filter).to_owned()),
        ["--test", _, filter] => Some((*filter).to_owned()),
        _ => None,
    };
    words.truncate(words.len() - usize::from(filter.is_some()));
    let mut command =
        cargo(["test", "--no-run", "--message-format=json-render-diagnostics", "--workspace", "--all-features"]);
    command.args(&words).current_dir(copy.parent().unwrap_or(copy)).env("CARGO_TARGET_DIR", target());
    let done = capture(command, LIMIT)?;
    let name = mutant.name.clone();
    if !done.success() {
        // What does not build was not tested: of this only the compiler's refusal of its own output counts.
        let noticed = done.stderr.contains("error[GW0911]");
        return Ok(Built::Judged(Judged { name, noticed, said: done.tail(20), seconds: done.seconds }));
    }
    let (mut programs, mut alone) = (Vec::new(), false);
    let away = target().join("mutants/tests");
    fs::create_dir_all(&away).map_err(|e| format!("{}: {e}", away.display()))?;
    for line in done.stdout.lines().filter(|line| line.starts_with(r#"{"reason":"compiler-artifact""#)) {
        let artifact: serde_json::Value =
            serde_json::from_str(line).map_err(|e| format!("Cargo said what is no JSON: {e}"))?;
        let path = |pointer: &str| artifact.pointer(pointer).and_then(|value| value.as_str()).map(PathBuf::from);
        let is_test = artifact.pointer("/profile/test").and_then(serde_json::Value::as_bool) == Some(true);
        let (true, Some(program), Some(manifest)) = (is_test, path("/executable"), path("/manifest_path")) else {
            continue;
        };
        let place = away.join(format!("{name}-{}", program.file_name().unwrap_or_default().to_string_lossy()));
        // The linker makes its file anew; the old one lives on under this name.
        let _ = fs::remove_file(&place);
        fs::hard_link(&program, &place).map_err(|e| format!("{}: {e}", program.display()))?;
        let source = path("/target/src_path").and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
        alone |= ["CARGO_BIN_EXE", "scratch", "trybuild"].iter().any(|word| source.contains(word));
        programs.push((place, manifest.parent().unwrap_or(copy).to_owned()));
    }
    if programs.is_empty() {
        return Err(format!("{name}: no tests are there for `{}`", mutant.test));
    }
    Ok(Built::Tests(Tests { name, programs, filter, alone, seconds: done.seconds }))
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
            place(&from, &to, |bytes| match name {
                "Cargo.toml" => moved(&String::from_utf8_lossy(&bytes)).into_bytes(),
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
