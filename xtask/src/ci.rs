//! Everything that must hold, and a count of it. One step's failure does not hide another's.

use std::time::Duration;

use crate::Outcome;
use crate::run::{Done, capture, cargo, gatewright, root};

/// No step takes longer on a slow machine.
const LIMIT: Duration = Duration::from_secs(60 * 60);

#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
}

pub(crate) fn run() -> Outcome {
    let mut tally = Tally::default();
    step("format", &mut tally, || cargo_step(&["fmt", "--all", "--check"], &[]));
    step("lints", &mut tally, || {
        cargo_step(&["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"], &[])
    });
    step("documentation", &mut tally, || {
        cargo_step(&["doc", "--workspace", "--no-deps", "--all-features"], &[("RUSTDOCFLAGS", "-D warnings")])
    });
    // Tests start these.
    step("OpenID provider", &mut tally, crate::oidc::install);
    step("browser", &mut tally, crate::browser::install);
    step("PostgreSQL", &mut tally, crate::postgres::install);
    step("Redis", &mut tally, crate::stores::install);
    step("Pebble", &mut tally, crate::acme::install);
    step("sslscan", &mut tally, crate::scan::install);
    step("slowhttptest", &mut tally, crate::load::install);
    tests(&mut tally);
    step("standards", &mut tally, || crate::standards::run(&["--check".to_owned()]).map(drop));
    step("layers", &mut tally, || crate::layers::run().map(drop));
    step("mutants", &mut tally, || crate::mutants::run(&[]).map(drop));
    step("specs", &mut tally, specs);
    step("quickstart", &mut tally, || crate::quickstart::run(&["--check".to_owned()]).map(drop));
    step("projects", &mut tally, || crate::projects::run(&[]).map(drop));
    let line = format!("{} passed, {} failed", tally.passed, tally.failed);
    if tally.failed == 0 { Ok(line) } else { Err(line) }
}

fn step(name: &str, tally: &mut Tally, work: impl FnOnce() -> Result<(), String>) {
    let start = std::time::Instant::now();
    match work() {
        Ok(()) => {
            tally.passed += 1;
            println!("ok      {name} ({:.0} s)", start.elapsed().as_secs_f64());
        }
        Err(why) => {
            tally.failed += 1;
            println!("FAILED  {name}\n{why}");
        }
    }
}

fn cargo_step(args: &[&str], env: &[(&str, &str)]) -> Result<(), String> {
    let mut command = cargo(args.iter().copied());
    command.envs(env.iter().copied());
    let done = capture(command, LIMIT)?;
    if done.success() { Ok(()) } else { Err(done.tail(60)) }
}

/// Runs every test, and counts each.
fn tests(tally: &mut Tally) {
    let start = std::time::Instant::now();
    let done = match capture(cargo(["test", "--workspace", "--all-features", "--no-fail-fast"]), LIMIT) {
        Ok(done) => done,
        Err(why) => {
            tally.failed += 1;
            println!("FAILED  tests\n{why}");
            return;
        }
    };
    let (passed, failed, ignored) = count(&done);
    tally.passed += passed;
    // A crate that does not compile, or a harness that died, fails no test and must count all the same.
    tally.failed += if done.success() { failed } else { failed.max(1) };
    // A test that does not run holds nothing.
    tally.failed += ignored;
    if done.success() && failed == 0 && ignored == 0 {
        println!("ok      {passed} tests ({:.0} s)", start.elapsed().as_secs_f64());
    } else {
        println!("FAILED  tests: {passed} passed, {failed} failed, {ignored} ignored\n{}", failures(&done));
    }
}

/// Adds up libtest's `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
fn count(done: &Done) -> (usize, usize, usize) {
    let mut sums = (0, 0, 0);
    for line in done.stdout.lines().filter_map(|l| l.strip_prefix("test result: ")) {
        let number = |what: &str| {
            let words: Vec<&str> = line.split([' ', ';']).filter(|w| !w.is_empty()).collect();
            words
                .windows(2)
                .find(|w| matches!(w, [_, word] if *word == what))
                .and_then(|w| w.first()?.parse().ok())
                .unwrap_or(0)
        };
        sums.0 += number("passed");
        sums.1 += number("failed");
        sums.2 += number("ignored");
    }
    sums
}

fn failures(done: &Done) -> String {
    let mut out: Vec<&str> = Vec::new();
    let mut open = false;
    for line in done.stdout.lines() {
        open = (open || line == "failures:") && !line.starts_with("test result:");
        if open || line.ends_with("FAILED") {
            out.push(line);
        }
    }
    let errors = done.stderr.lines().filter(|l| l.starts_with("error") || l.trim_start().starts_with("--> "));
    out.extend(errors);
    out.truncate(200);
    out.join("\n")
}

/// Every document of the repository compiles, without a warning.
fn specs() -> Result<(), String> {
    let cli = gatewright(false)?;
    let mut list = Vec::new();
    crate::layers::files(&root().join("specs"), ".yaml", &mut list);
    let mut documents = 0;
    for path in list {
        let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        // The others are parts that documents refer to.
        if !text.lines().any(|line| line.starts_with("openapi:")) {
            continue;
        }
        documents += 1;
        let mut command = std::process::Command::new(&cli);
        command.arg("check").arg(&path);
        let done = capture(command, Duration::from_secs(60))?;
        if !done.success() || done.stderr.contains("warning") {
            return Err(done.tail(60));
        }
    }
    if documents == 0 { Err("no document found in specs/".to_owned()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_added_up() {
        let stdout = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
                      noise\ntest result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured\n";
        let done = Done { status: None, stdout: stdout.to_owned(), stderr: String::new(), seconds: 0.0 };
        assert_eq!(count(&done), (5, 1, 1));
    }
}
