//! A server under more than it can do: too many requests, ten thousand idle connections, and the slow ones of `slowhttptest`.

use std::process::Command;
use std::time::Duration;

use crate::Outcome;
use crate::run::{capture, cargo, show};

/// Sees to it that `slowhttptest` is there, by the system's packages where they are Debian's.
pub(crate) fn install() -> Result<(), String> {
    if there() {
        return Ok(());
    }
    for arguments in [&["update"][..], &["install", "--yes", "--no-install-recommends", "slowhttptest"]] {
        let mut apt = Command::new("apt-get");
        apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        match capture(apt, Duration::from_secs(10 * 60)) {
            Ok(done) if done.success() => {}
            Ok(done) => return Err(format!("{MISSING}\n{}", done.tail(10))),
            Err(why) => return Err(format!("{MISSING}\n{why}")),
        }
    }
    if there() { Ok(()) } else { Err(MISSING.to_owned()) }
}

const MISSING: &str = "`slowhttptest` is missing, and apt-get did not install it: a test of slow clients starts it";

fn there() -> bool {
    let mut asked = Command::new("slowhttptest");
    // It tells how it is used and fails, also where that was the question.
    asked.arg("-h");
    capture(asked, Duration::from_secs(60)).is_ok_and(|done| done.status.is_some())
}

/// Installs it, and runs the tests; `--nocapture` shows their figures.
pub(crate) fn run() -> Outcome {
    install()?;
    let tests = ["test", "--package", "gatewright-tests", "--features", "load", "--test", "load", "--", "--nocapture"];
    show(cargo(tests))?;
    Ok("what is too much is shed, and who behaves is answered".to_owned())
}
