//! A folder of documents from elsewhere: broken ones with a verdict each (`bad/EXPECT.tsv`), real ones (`MANIFEST.tsv`)
//! and large ones. What is generated from them must compile without a warning.
//!
//! Real documents that we refuse stand in `tests/corpus/refused.tsv` with a reason; a line that is not needed fails.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::Outcome;
use crate::run::{Done, capture, cargo, gatewright, root, target};

/// A broken document must be refused before this; nobody waits longer for an error.
const BAD_LIMIT: Duration = Duration::from_secs(20);
/// The largest real document, with the machine busy.
const REAL_LIMIT: Duration = Duration::from_secs(180);
/// `cargo check` of everything that was generated.
const CARGO_LIMIT: Duration = Duration::from_secs(3 * 60 * 60);
/// Real documents compiled in any case: the ones that users try first, and one of more than 500 operations.
const ALWAYS: &[&str] = &["petstore", "museum", "train-travel", "vampi", "digitalocean"];

struct Arguments {
    folder: PathBuf,
    compile: Sample,
    only: Option<String>,
}

#[derive(Clone, Copy)]
enum Sample {
    Some(usize),
    All,
}

fn arguments(args: &[String]) -> Result<Arguments, String> {
    let mut folder = None;
    let mut compile = Sample::Some(6);
    let mut only = None;
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--compile" => {
                let value = args.next().ok_or("--compile needs a number or `all`")?;
                compile = match value.as_str() {
                    "all" => Sample::All,
                    n => Sample::Some(n.parse().map_err(|_| "--compile needs a number or `all`")?),
                };
            }
            "--only" => only = Some(args.next().ok_or("--only needs a text")?.clone()),
            other if folder.is_none() && !other.starts_with('-') => folder = Some(PathBuf::from(other)),
            other => return Err(format!("corpus: `{other}`?")),
        }
    }
    let folder = folder.ok_or("corpus: which folder?")?;
    let folder = folder.canonicalize().map_err(|e| format!("corpus: {}: {e}", folder.display()))?;
    Ok(Arguments { folder, compile, only })
}

/// The verifier of tokens against Wycheproof's signatures (row J21).
fn signatures(vectors: &Path) -> Result<(), String> {
    let mut test = cargo(["test", "--quiet", "--package", "gatewright", "--lib", "jwt::tests::wycheproof"]);
    test.env("WYCHEPROOF", vectors);
    let done = capture(test, Duration::from_secs(30 * 60))?;
    if done.success() && done.stdout.contains("1 passed") { Ok(()) } else { Err(done.tail(30)) }
}

pub(crate) fn run(args: &[String]) -> Outcome {
    let args = arguments(args)?;
    let mut run = Run { cli: gatewright(false)?, work: Workspace::new()?, wrong: Vec::new(), passed: 0 };
    let wanted = |name: &str| args.only.as_ref().is_none_or(|only| name.contains(only.as_str()));

    for row in rows(&args.folder.join("bad/EXPECT.tsv"))? {
        let [file, verdict, reason] = row.as_slice() else { return Err(format!("EXPECT.tsv: {row:?}")) };
        if wanted(&format!("bad/{file}")) {
            let outcome = run.bad(&args.folder.join("bad").join(file), verdict);
            run.note(file, outcome.map_err(|why| format!("{why}\n    expected: {verdict} ({reason})")));
        }
    }
    let refused = rows(&root().join("tests/corpus/refused.tsv"))?;
    let mut real = Vec::new();
    for row in rows(&args.folder.join("MANIFEST.tsv"))? {
        let Some(file) = row.first().filter(|f| f.starts_with("specs/") && wanted(f)) else { continue };
        let operations: usize = row.get(7).and_then(|n| n.parse().ok()).unwrap_or(0);
        let reason = refused.iter().find(|r| r.first() == Some(file)).and_then(|r| r.get(1));
        let outcome = run.real(&args.folder, file, reason.map(String::as_str));
        if let Ok(Some(member)) = &outcome {
            real.push((member.clone(), file.clone(), operations));
        }
        run.note(file, outcome.map(drop));
    }
    for row in refused.iter().filter_map(|r| r.first()).filter(|f| wanted(f)) {
        if !args.folder.join(row).exists() {
            run.note(row, Err("tests/corpus/refused.tsv names a file that is not there".to_owned()));
        }
    }
    let mut large = Vec::new();
    crate::layers::files(&args.folder.join("large"), "", &mut large);
    for path in large.iter().filter(|p| wanted(&p.to_string_lossy())) {
        let name = path.strip_prefix(&args.folder).unwrap_or(path).to_string_lossy().into_owned();
        let outcome = run.real(&args.folder, &name, None);
        if let Ok(Some(member)) = &outcome {
            real.push((member.clone(), name.clone(), usize::MAX));
        }
        run.note(&name, outcome.map(drop));
    }
    let vectors = args.folder.join("wycheproof");
    if vectors.is_dir() && wanted("wycheproof") {
        run.note("wycheproof", signatures(&vectors));
    }
    run.work.keep(&sample(&real, args.compile));
    let outcome = run.work.check();
    run.note("cargo check of what was generated", outcome);

    if args.only.is_none() {
        let folders = ["specs", "large"].map(|name| args.folder.join(name));
        run.note("our reading against that of openapiv3", crate::suite::oracle(&folders));
    }
    if wanted("json-schema-test-suite") && args.folder.join("json-schema-test-suite").is_dir() {
        let outcome = crate::suite::run(&[args.folder.display().to_string()]);
        run.note("json-schema-test-suite", outcome.map(drop));
    }

    let line = format!("{} passed, {} failed", run.passed, run.wrong.len());
    if run.wrong.is_empty() { Ok(line) } else { Err(format!("{}\n{line}", run.wrong.join("\n"))) }
}

/// Which real documents' crates are compiled: the usual ones, and others evenly over the sizes.
fn sample(real: &[(String, String, usize)], compile: Sample) -> Vec<String> {
    // The large ones take minutes each: only where all are asked for.
    let all = matches!(compile, Sample::All);
    let mut list: Vec<&(String, String, usize)> = real.iter().filter(|(.., size)| all || *size < usize::MAX).collect();
    list.sort_by_key(|(_, file, operations)| (*operations, file.clone()));
    let chosen = |file: &str| ALWAYS.iter().any(|name| file.to_lowercase().contains(name));
    let (mut keep, rest): (Vec<_>, Vec<_>) = match compile {
        Sample::All => (list, Vec::new()),
        Sample::Some(_) => list.into_iter().partition(|(_, file, _)| chosen(file)),
    };
    if let Sample::Some(count) = compile
        && count > 0
    {
        let step = (rest.len() / count).max(1);
        keep.extend(rest.into_iter().step_by(step).take(count));
    }
    keep.into_iter().map(|(member, ..)| member.clone()).collect()
}

/// A table of tab-separated values without its heading; lines that start with `#` are remarks.
fn rows(path: &Path) -> Result<Vec<Vec<String>>, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let lines = text.lines().filter(|l| !l.is_empty() && !l.starts_with('#')).skip(1);
    Ok(lines.map(|line| line.split('\t').map(str::to_owned).collect()).collect())
}

struct Run {
    cli: PathBuf,
    work: Workspace,
    wrong: Vec<String>,
    passed: usize,
}

impl Run {
    fn note(&mut self, name: &str, outcome: Result<(), String>) {
        match outcome {
            Ok(()) => self.passed += 1,
            Err(why) => {
                eprintln!("FAILED  {name}: {why}");
                self.wrong.push(format!("{name}: {}", why.lines().next().unwrap_or("")));
            }
        }
    }

    fn check(&self, path: &Path, limit: Duration) -> Result<Done, String> {
        let mut command = Command::new(&self.cli);
        command.arg("check").arg("--quiet").arg(path);
        sane(capture(command, limit)?, limit)
    }

    fn generate(&self, member: &str, limit: Duration) -> Result<Done, String> {
        let mut command = Command::new(&self.cli);
        command.arg("generate").arg("--config").arg(self.work.folder.join(member).join("gatewright.toml"));
        sane(capture(command, limit)?, limit)
    }

    fn bad(&mut self, path: &Path, verdict: &str) -> Result<(), String> {
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let checked = self.check(path, BAD_LIMIT)?;
        let member = self.work.member(&format!("bad-{file}"), path, None, false)?;
        let generated = self.generate(&member, BAD_LIMIT)?;
        let written = self.work.folder.join(&member).join("src/api").exists();
        if verdict == "error" {
            self.work.remove(&member)?;
            if checked.code() != Some(1) || generated.code() != Some(1) {
                return Err(format!(
                    "exit status {:?} and {:?}\n{}",
                    checked.code(),
                    generated.code(),
                    checked.tail(9)
                ));
            }
            if written {
                return Err("something was generated".to_owned());
            }
            let about = checked.stderr.lines().any(|line| line.contains("error[GW"));
            if !about || !checked.stderr.contains(&file) {
                return Err(format!("no diagnostic names the file\n{}", checked.tail(9)));
            }
            if checked.stderr.contains("root:x:0") {
                return Err("text of a file outside the folder was shown".to_owned());
            }
            return Ok(());
        }
        if checked.code() != Some(0) || generated.code() != Some(0) || !written {
            self.work.remove(&member)?;
            return Err(format!("exit status {:?} and {:?}\n{}", checked.code(), generated.code(), checked.tail(12)));
        }
        if verdict == "warn" && !checked.stderr.contains("warning") {
            return Err("no warning names the fault".to_owned());
        }
        self.work.always.push(member);
        Ok(())
    }

    fn real(&mut self, folder: &Path, file: &str, refused: Option<&str>) -> Result<Option<String>, String> {
        // A document of several files stands in a folder of its own: that is as far as its references may go.
        let parts: Vec<&str> = file.split('/').collect();
        let wide = match parts.as_slice() {
            [first, second, _, ..] => Some(folder.join(first).join(second)),
            _ => None,
        };
        let member = self.work.member(&file.replace('/', "-"), &folder.join(file), wide.as_deref(), true)?;
        let done = self.generate(&member, REAL_LIMIT)?;
        println!("        {file} ({:.2} s)", done.seconds);
        match (done.code(), refused) {
            (Some(0), None) => Ok(Some(member)),
            (Some(0), Some(_)) => {
                self.work.remove(&member)?;
                Err("it compiles, and stands in tests/corpus/refused.tsv".to_owned())
            }
            (Some(1), Some(code)) if done.stderr.contains(code) => {
                self.work.remove(&member)?;
                Ok(None)
            }
            (code, _) => {
                self.work.remove(&member)?;
                Err(format!("exit status {code:?}\n{}", done.tail(30)))
            }
        }
    }
}

/// A run that ended by itself, without a panic.
fn sane(done: Done, limit: Duration) -> Result<Done, String> {
    if done.status.is_none() {
        return Err(format!("no end after {} s", limit.as_secs()));
    }
    if done.code().is_none() || done.stderr.contains("panicked at") || done.stderr.contains("internal error") {
        return Err(format!("it crashed\n{}", done.tail(9)));
    }
    Ok(done)
}

/// One scratch workspace for all generated crates, so that the runtime is built once.
struct Workspace {
    folder: PathBuf,
    /// Members that are compiled whatever the sample.
    always: Vec<String>,
}

impl Workspace {
    fn new() -> Result<Workspace, String> {
        let folder = target().join("corpus");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        // The versions of the repository, so that nothing is resolved anew.
        let lock = folder.join("Cargo.lock");
        std::fs::copy(root().join("Cargo.lock"), lock).map_err(|e| e.to_string())?;
        Ok(Workspace { folder, always: Vec::new() })
    }

    fn member(&self, name: &str, spec: &Path, wide: Option<&Path>, unguarded: bool) -> Result<String, String> {
        let name: String =
            name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let folder = self.folder.join(&name);
        let root_line = wide.map(|w| format!("root = {:?}\n", w.display().to_string())).unwrap_or_default();
        let spec = spec.display().to_string();
        let files = [
            (
                "Cargo.toml",
                format!(
                    "[package]\nname = \"c-{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n\
                     [dependencies]\ngatewright = {{ path = {:?} }}\n",
                    root().join("crates/gatewright").display().to_string()
                ),
            ),
            (
                "gatewright.toml",
                format!(
                    "[options]\nallow-unguarded = {unguarded}\n\n[[api]]\nname = \"api\"\nspec = {spec:?}\n{root_line}\
                     output = \"src/api\"\n"
                ),
            ),
            ("src/lib.rs", "//! Compiles what was generated.\n#![deny(warnings)]\npub mod api;\n".to_owned()),
        ];
        for (file, text) in files {
            let path = folder.join(file);
            let parent = path.parent().unwrap_or(&folder);
            std::fs::create_dir_all(parent)
                .and_then(|()| std::fs::write(&path, text))
                .map_err(|e| format!("{}: {e}", path.display()))?;
        }
        Ok(name)
    }

    fn remove(&self, member: &str) -> Result<(), String> {
        std::fs::remove_dir_all(self.folder.join(member)).map_err(|e| format!("{member}: {e}"))
    }

    /// The members to compile.
    fn keep(&mut self, members: &[String]) {
        self.always.extend(members.iter().cloned());
    }

    fn check(&self) -> Result<(), String> {
        if self.always.is_empty() {
            return Ok(());
        }
        let members: Vec<String> = self.always.iter().map(|m| format!("{m:?}")).collect();
        // With the repository's own profile, so that the runtime is not built a second time.
        let text = format!(
            "[workspace]\nresolver = \"3\"\nmembers = [{}]\n\n[profile.dev]\ndebug = \"line-tables-only\"\n\n\
             [profile.dev.package.\"*\"]\nopt-level = 1\ndebug = false\n",
            members.join(", ")
        );
        std::fs::write(self.folder.join("Cargo.toml"), text).map_err(|e| e.to_string())?;
        let mut command = cargo(["check", "--workspace", "--quiet", "--offline", "--keep-going"]);
        command.current_dir(&self.folder).env("CARGO_TARGET_DIR", target());
        println!("        cargo check of {} crates", self.always.len());
        let done = capture(command, CARGO_LIMIT)?;
        if done.success() { Ok(()) } else { Err(format!("generated code does not compile\n{}", done.tail(80))) }
    }
}
