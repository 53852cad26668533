//! The store that the tests of shared limits start themselves: Redis or, under its name, Valkey.

use std::process::Command;
use std::time::Duration;

use crate::Outcome;
use crate::run::{capture, cargo, show};

/// Sees to it that `redis-server` is there, by the system's packages where they are Debian's.
pub(crate) fn install() -> Result<(), String> {
    if there() {
        return Ok(());
    }
    for arguments in [&["update"][..], &["install", "--yes", "--no-install-recommends", "redis-server"]] {
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

const MISSING: &str =
    "`redis-server` 5 or later is missing, and apt-get did not install it: the tests of shared limits start it";

fn there() -> bool {
    let mut asked = Command::new("redis-server");
    asked.arg("--version");
    capture(asked, Duration::from_secs(60)).is_ok_and(|done| done.success())
}

/// Installs it, and runs the tests.
pub(crate) fn run() -> Outcome {
    install()?;
    show(cargo(["test", "--package", "gatewright", "--all-features", "--lib", "--test", "shared"]))?;
    show(cargo([
        "test",
        "--package",
        "gatewright-tests",
        "--test",
        "limits",
        "--test",
        "once",
        "--test",
        "processes",
    ]))?;
    Ok("servers that share a real store hold their limits together".to_owned())
}
