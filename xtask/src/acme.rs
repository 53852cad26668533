//! Pebble, an ACME server for tests, and its server of names.

use std::process::Command;
use std::time::Duration;

use crate::Outcome;
use crate::run::{capture, cargo, show};

/// Sees to it that Pebble is there, by the system's packages where they are Debian's.
pub(crate) fn install() -> Result<(), String> {
    if there() {
        return Ok(());
    }
    for arguments in [&["update"][..], &["install", "--yes", "--no-install-recommends", "pebble"]] {
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

const MISSING: &str = "Pebble is missing, and apt-get did not install it: a test of certificates by ACME starts it";

fn there() -> bool {
    let mut asked = Command::new("sh");
    asked.args(["-c", "command -v pebble && command -v pebble-challtestsrv"]);
    capture(asked, Duration::from_secs(60)).is_ok_and(|done| done.success())
}

/// Installs it, and runs the tests.
pub(crate) fn run() -> Outcome {
    install()?;
    show(cargo(["test", "--package", "gatewright", "--all-features", "--test", "acme"]))?;
    Ok("a real ACME server issues certificates, and they are renewed".to_owned())
}
