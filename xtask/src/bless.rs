//! Rewrites every expectation at once; read the difference before committing it.

use crate::Outcome;
use crate::run::{cargo, show};

pub(crate) fn run() -> Outcome {
    let mut tests = cargo(["test", "--quiet", "--workspace"]);
    // Ours, and trybuild's.
    tests.env("GATEWRIGHT_BLESS", "1").env("TRYBUILD", "overwrite");
    show(tests)?;
    let mut diff = std::process::Command::new("git");
    diff.args(["status", "--short"]).current_dir(crate::run::root());
    show(diff)?;
    Ok("blessed: read the difference".to_owned())
}
