//! Generating from large documents, beside other generators: who needs how much CPU for how many lines, in one run.
//!
//! A peer that is not there is named and fails the task: a ratio without the other side is no figure. A peer that refuses
//! a document has that as its result.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::Outcome;
use crate::run::{capture, gatewright, target};

/// What any generator may take for one document.
const LIMIT: Duration = Duration::from_secs(10 * 60);
/// Runs of ours; the least counts. The peers take long enough to run once.
const RUNS: usize = 3;

const HOW: &str = "  openapi-generator: `mvn dependency:copy -Dartifact=org.openapitools:openapi-generator-cli:7.25.0` and `--jar FILE`,\n\
                   \x20 or openapi-generator-cli on the path\n\
                   \x20 progenitor: `cargo install cargo-progenitor`";

struct Row {
    tool: &'static str,
    document: String,
    /// Seconds of user CPU and lines of Rust, or why there are none.
    result: Result<(f64, usize), String>,
}

pub(crate) fn run(args: &[String]) -> Outcome {
    let (mut folder, mut jar) = (None, None);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--jar" => jar = Some(PathBuf::from(args.next().ok_or("--jar needs a file")?)),
            other if folder.is_none() && !other.starts_with('-') => folder = Some(PathBuf::from(other)),
            other => return Err(format!("peers: `{other}`?")),
        }
    }
    let folder = folder.ok_or("peers: which folder of documents?")?;
    let mut documents = Vec::new();
    crate::layers::files(&folder, "json", &mut documents);
    documents.sort();
    if documents.is_empty() {
        return Err(format!("peers: no JSON document in {}", folder.display()));
    }
    let ours = gatewright(true)?;
    let work = target().join("peers");
    let _ = std::fs::remove_dir_all(&work);
    std::fs::create_dir_all(&work).map_err(|e| format!("{}: {e}", work.display()))?;

    // With its usual cache of 200 names a large document takes it several times as long.
    let java = ["java", "-Dorg.openapitools.codegen.utils.namecache.cachesize=100000", "-jar"].map(Into::into);
    let openapi_generator =
        jar.map(|jar| java.into_iter().chain([jar.into_os_string()]).collect::<Vec<_>>()).or_else(|| {
            let found = there("openapi-generator-cli", &["version"]);
            found.then(|| vec!["openapi-generator-cli".into()])
        });
    let progenitor = there("cargo-progenitor", &["progenitor", "--help"]);
    let mut rows = Vec::new();
    for document in &documents {
        let name = document.file_name().unwrap_or_default().to_string_lossy().into_owned();
        own(&ours, document, &name, &work, &mut rows)?;
        if let Some(command) = &openapi_generator {
            let out = work.join(format!("rust-axum-{name}"));
            let mut all = command.clone();
            all.extend(["generate", "-g", "rust-axum", "--skip-validate-spec", "-i"].map(Into::into));
            all.extend([document.into(), "-o".into(), out.clone().into_os_string()]);
            rows.push(Row { tool: "openapi-generator rust-axum", document: name.clone(), result: timed(&all, &out) });
        }
        if progenitor {
            let out = work.join(format!("progenitor-{name}"));
            let mut all: Vec<std::ffi::OsString> = vec!["cargo-progenitor".into(), "progenitor".into()];
            all.extend(["-i".into(), document.into(), "-o".into(), out.clone().into_os_string()]);
            all.extend(["-n", "peer", "-v", "0.1.0"].map(Into::into));
            rows.push(Row { tool: "progenitor (client)", document: name.clone(), result: timed(&all, &out) });
        }
    }
    print(&rows);
    let mut missing = Vec::new();
    if openapi_generator.is_none() {
        missing.push("openapi-generator");
    }
    if !progenitor {
        missing.push("progenitor");
    }
    let failed = rows.iter().find(|row| row.tool.starts_with("gatewright") && row.result.is_err());
    match (failed, missing.is_empty()) {
        (Some(row), _) => Err(format!("{} failed on {}", row.tool, row.document)),
        (None, false) => Err(format!("not measured, because not installed: {}\n{HOW}", missing.join(", "))),
        (None, true) => Ok(format!("{} documents, three generators", documents.len())),
    }
}

/// Ours: generating anew, and once more with nothing changed.
fn own(ours: &Path, document: &Path, name: &str, work: &Path, rows: &mut Vec<Row>) -> Result<(), String> {
    let folder = work.join(format!("gatewright-{name}"));
    std::fs::create_dir_all(&folder).map_err(|e| e.to_string())?;
    let document = document.canonicalize().map_err(|e| e.to_string())?;
    let config = folder.join("gatewright.toml");
    let text = format!(
        "[options]\nallow-unguarded = true\n\n[[api]]\nname = \"api\"\nspec = {:?}\noutput = \"src/api\"\n",
        document.display().to_string()
    );
    std::fs::write(&config, text).map_err(|e| e.to_string())?;
    let command = [ours.into(), "generate".into(), "--config".into(), config.into_os_string()];
    let out = folder.join("src");
    let best = |anew: bool| {
        let mut best: Result<(f64, usize), String> = Err("never ran".to_owned());
        for _ in 0..RUNS {
            if anew {
                let _ = std::fs::remove_dir_all(&out);
            }
            let result = timed(&command, &out);
            if best.is_err() || matches!((&result, &best), (Ok(new), Ok(old)) if new.0 < old.0) {
                best = result;
            }
        }
        best
    };
    rows.push(Row { tool: "gatewright", document: name.to_owned(), result: best(true) });
    rows.push(Row { tool: "gatewright, nothing changed", document: name.to_owned(), result: best(false) });
    Ok(())
}

fn there(program: &str, args: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(args);
    capture(command, Duration::from_secs(60)).is_ok_and(|done| done.success())
}

/// User CPU of a command and all it starts, as the shell's `times` counts it, and the lines of Rust that it left.
fn timed(command: &[std::ffi::OsString], out: &Path) -> Result<(f64, usize), String> {
    // `timeout` ends all that the shell has started too, which would keep its pipes open.
    let mut shell = Command::new("timeout");
    shell.arg(LIMIT.as_secs().to_string());
    shell.args(["sh", "-c", "\"$@\"; status=$?; echo; times >&2; exit $status", "sh"]).args(command);
    let done = capture(shell, 2 * LIMIT)?;
    if done.code() == Some(124) {
        return Err(format!("no end after {} s", LIMIT.as_secs()));
    }
    if !done.success() {
        let said = done.stderr.lines().chain(done.stdout.lines());
        let why = said.map(str::trim).find(|l| ["panicked", "rror", "xception"].iter().any(|w| l.contains(w)));
        return Err(why.unwrap_or("it failed").chars().take(90).collect());
    }
    // The last line is that of the children: `1m2.500s 0m0.300s`.
    let user = done.stderr.lines().rev().find(|l| !l.trim().is_empty()).and_then(|l| l.split_whitespace().next());
    let (minutes, seconds) = user.and_then(|u| u.trim_end_matches('s').split_once('m')).ok_or("no time was said")?;
    let parse = |text: &str| text.replace(',', ".").parse::<f64>().map_err(|e| format!("{text}: {e}"));
    let mut files = Vec::new();
    crate::layers::files(out, "rs", &mut files);
    let lines = files.iter().filter_map(|f| std::fs::read_to_string(f).ok()).map(|t| t.lines().count()).sum();
    Ok((parse(minutes)? * 60.0 + parse(seconds)?, lines))
}

fn print(rows: &[Row]) {
    println!("{:<30} {:<34} {:>9} {:>9} {:>8}", "generator", "document", "user s", "lines", "ratio");
    for row in rows {
        let base = rows.iter().find(|r| r.tool == "gatewright" && r.document == row.document);
        match &row.result {
            Ok((seconds, lines)) => {
                let ratio = match base.map(|b| &b.result) {
                    Some(Ok((ours, _))) if *ours > 0.0 => format!("{:.1}", seconds / ours),
                    _ => "-".to_owned(),
                };
                println!("{:<30} {:<34} {seconds:>9.2} {lines:>9} {ratio:>8}", row.tool, row.document);
            }
            Err(why) => println!("{:<30} {:<34} fails: {why}", row.tool, row.document),
        }
    }
}
