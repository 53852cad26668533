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
//! Most are built together, each body of a function behind a switch, and their tests run two at a time. Tests are sought in the
//! whole workspace, with all features: for one package Cargo would unite other features of the dependencies, and build those
//! once more.

mod copy;
mod switch;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use crate::Outcome;
use crate::run::{capture, cargo, root, target};

/// One build, on a slow machine; and one run of a test program, which a mutant may make wait.
const LIMIT: Duration = Duration::from_secs(20 * 60);

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
    // One that no longer fits the code proves nothing.
    mutants.iter().try_for_each(|mutant| mutated(mutant).map(drop))?;
    let switched = switch::together(&mutants, text_of)?;
    let copy = copy::of_repository(&switched.files)?;
    let mut survivors = Vec::new();
    let mut judge = |mutant: &Mutant, judged: Judged| {
        if judged.noticed {
            println!("killed  {} ({:.0} s)", mutant.name, judged.seconds);
        } else {
            println!("LIVES   {}\n{}", mutant.name, judged.said);
            survivors.push(mutant.name.clone());
        }
    };
    let tests = sound(&copy, &mutants)?;
    let numbered: Vec<(usize, &Mutant)> = (1..).zip(switched.mutants.iter().copied()).collect();
    let run = |(number, mutant): &(usize, &Mutant)| match tests.get(&mutant.test) {
        Some(tests) => tests.run(Some(*number)),
        None => Err(format!("{}: its tests were not built", mutant.name)),
    };
    for ((_, mutant), judged) in two_at_a_time(&numbered, run)? {
        judge(mutant, judged);
    }
    for mutant in switched.apart {
        let judged = with(&copy.join(&mutant.file), &mutated(mutant)?, || match build(&copy, &mutant.test)? {
            Built::Tests(tests) => tests.run(None),
            Built::Refused(judged) => Ok(judged),
        })?;
        judge(mutant, judged);
    }
    if survivors.is_empty() {
        Ok(format!("{} mutants, every one noticed", mutants.len()))
    } else {
        Err(format!("no test noticed: {}", survivors.join(", ")))
    }
}

/// The tests that mutants name, each seen to pass as it stands: one that fails without a mutant, for instance because of how it
/// is started here, would notice every one.
fn sound(copy: &Path, mutants: &[Mutant]) -> Result<BTreeMap<String, Tests>, String> {
    let names: BTreeSet<&String> = mutants.iter().map(|mutant| &mutant.test).collect();
    // All in one go, with both cores; what each is made of is asked behind it.
    let targets: BTreeSet<&str> = names.iter().map(|name| words(name).0).collect();
    if let Built::Refused(judged) = build(copy, &targets.into_iter().collect::<Vec<_>>().join(" "))? {
        return Err(format!("the tests do not build as they stand\n{}", judged.said));
    }
    let mut tests = BTreeMap::new();
    for name in names {
        match build(copy, name)? {
            Built::Tests(built) => tests.insert(name.clone(), built),
            Built::Refused(judged) => return Err(format!("`{name}` does not build as it stands\n{}", judged.said)),
        };
    }
    let named: Vec<(&String, &Tests)> = tests.iter().collect();
    for ((name, _), judged) in two_at_a_time(&named, |(_, tests)| tests.run(None))? {
        if judged.noticed {
            return Err(format!("`{name}` fails as it stands\n{}", judged.said));
        }
    }
    Ok(tests)
}

/// Runs the tests of many, two at a time: most wait rather than compute. The answers stand in the order of what was asked.
fn two_at_a_time<T: Sync>(
    all: &[T],
    run: impl Fn(&T) -> Result<Judged, String> + Sync,
) -> Result<Vec<(&T, Judged)>, String> {
    let next = Mutex::new(all.iter().enumerate());
    let done = Mutex::new(BTreeMap::new());
    let take = || next.lock().ok().and_then(|mut next| next.next());
    let work = || {
        while let Some((n, one)) = take() {
            let judged = run(one);
            if let Ok(mut done) = done.lock() {
                done.insert(n, (one, judged));
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        work();
    });
    let done = done.into_inner().map_err(|_| "a run of tests ended in a panic".to_owned())?;
    done.into_values().map(|(one, judged)| judged.map(|judged| (one, judged))).collect()
}

/// What became of a mutant.
struct Judged {
    noticed: bool,
    said: String,
    seconds: f64,
}

enum Built {
    /// It does not build, or the compiler refused its own output.
    Refused(Judged),
    Tests(Tests),
}

/// Programs with the tests that must notice a mutant, each with the folder of its package.
struct Tests {
    programs: Vec<(PathBuf, PathBuf)>,
    filter: Option<String>,
}

impl Tests {
    /// Runs one after the other until one fails; as the mutant with this number, or as they stand.
    fn run(&self, number: Option<usize>) -> Result<Judged, String> {
        let mut judged = Judged { noticed: false, said: String::new(), seconds: 0.0 };
        for (program, package) in &self.programs {
            let mut command = std::process::Command::new(program);
            command.arg("--quiet").args(&self.filter).current_dir(package).env("CARGO_MANIFEST_DIR", package);
            // They are to fail, and nobody reads where: finding the lines of a trace takes longer than the test.
            command.env("RUST_BACKTRACE", "0");
            command.envs(number.map(|number| (switch::VARIABLE, number.to_string())));
            let done = capture(command, LIMIT)?;
            judged.seconds += done.seconds;
            judged.said = done.tail(20);
            judged.noticed |= done.stdout.contains("test result: FAILED");
            if judged.noticed {
                break;
            }
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

/// Which targets a mutant's tests are in, as Cargo's options, and the filter of the tests in them.
fn words(test: &str) -> (&str, Option<&str>) {
    let options = if test.starts_with("--lib") { 1 } else { 2 };
    let end = test.match_indices(' ').nth(options - 1);
    match end.and_then(|(at, _)| test.split_at_checked(at)) {
        Some((targets, filter)) => (targets, Some(filter.trim())),
        None => (test, None),
    }
}

fn build(copy: &Path, test: &str) -> Result<Built, String> {
    let (targets, filter) = words(test);
    let mut command =
        cargo(["test", "--no-run", "--message-format=json-render-diagnostics", "--workspace", "--all-features"]);
    command
        .args(targets.split_whitespace())
        .current_dir(copy.parent().unwrap_or(copy))
        .env("CARGO_TARGET_DIR", target())
        // Also where the rest is built once: a mutant that stands alone builds a crate again.
        .env("CARGO_INCREMENTAL", "1");
    let done = capture(command, LIMIT)?;
    if !done.success() {
        // What does not build was not tested: of this only the compiler's refusal of its own output counts.
        let noticed = done.stderr.contains("error[GW0911]");
        return Ok(Built::Refused(Judged { noticed, said: done.tail(20), seconds: done.seconds }));
    }
    let mut programs = Vec::new();
    for line in done.stdout.lines().filter(|line| line.starts_with(r#"{"reason":"compiler-artifact""#)) {
        let artifact: serde_json::Value =
            serde_json::from_str(line).map_err(|e| format!("Cargo said what is no JSON: {e}"))?;
        let path = |pointer: &str| artifact.pointer(pointer).and_then(|value| value.as_str()).map(PathBuf::from);
        let is_test = artifact.pointer("/profile/test").and_then(serde_json::Value::as_bool) == Some(true);
        let (true, Some(program), Some(manifest)) = (is_test, path("/executable"), path("/manifest_path")) else {
            continue;
        };
        programs.push((program, manifest.parent().unwrap_or(copy).to_owned()));
    }
    if programs.is_empty() {
        return Err(format!("no tests are there for `{test}`"));
    }
    Ok(Built::Tests(Tests { programs, filter: filter.map(str::to_owned) }))
}

fn read(path: &Path) -> Result<Mutant, String> {
    let name = path.file_stem().and_then(|s| s.to_str()).unwrap_or_default().to_owned();
    let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let malformed =
        || format!("tests/mutants/{name}.mutant has not the form that `xtask/src/mutants/mod.rs` describes");
    let (head, rest) = text.split_once("--- take\n").ok_or_else(malformed)?;
    let (take, put) = rest.split_once("--- put\n").ok_or_else(malformed)?;
    let field = |key: &str| {
        head.lines().find_map(|line| line.strip_prefix(key)).map(|value| value.trim().to_owned()).ok_or_else(malformed)
    };
    let (file, test) = (field("file:")?, field("test:")?);
    let whole = |text: &str| text.strip_suffix('\n').unwrap_or(text).to_owned();
    Ok(Mutant { file, test, take: whole(take), put: whole(put), name })
}

fn text_of(file: &str) -> Result<String, String> {
    fs::read_to_string(root().join(file)).map_err(|e| format!("{file}: {e}"))
}

/// The file with its guard gone.
fn mutated(mutant: &Mutant) -> Result<String, String> {
    let text = text_of(&mutant.file)?;
    match text.matches(&mutant.take).count() {
        1 => Ok(text.replacen(&mutant.take, &mutant.put, 1)),
        n => Err(format!("{}: its text stands {n} times in {}, not once", mutant.name, mutant.file)),
    }
}
