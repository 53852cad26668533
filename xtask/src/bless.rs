//! Rewrites every expectation at once; read the difference before committing it.

use crate::Outcome;
use crate::run::{cargo, show};

pub(crate) fn run() -> Outcome {
    // First, and without the tests: the old goldens may not compile with the runtime that the new ones are for.
    show(cargo([
        "run",
        "--quiet",
        "--package",
        "gatewright-compiler",
        "--features",
        "disk",
        "--example",
        "goldens",
        "--",
        "tests/golden",
    ]))?;
    let mut tests = cargo(["test", "--quiet", "--workspace"]);
    tests.env("TRYBUILD", "overwrite");
    show(tests)?;
    let mut diff = std::process::Command::new("git");
    diff.args(["status", "--short"]).current_dir(crate::run::root());
    show(diff)?;
    Ok("blessed: read the difference".to_owned())
}
