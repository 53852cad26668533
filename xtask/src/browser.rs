//! The bank's page in a browser: what the test needs, the test, and the picture of it in the README.

use std::process::Command;
use std::time::Duration;

use crate::Outcome;
use crate::run::{capture, cargo, root, show};

/// As `tests/tests/browser.rs` looks for it.
const PROGRAMS: &[&str] = &["chromium", "chromium-browser", "google-chrome"];

/// Installs Chromium where it is missing; says what is, where that cannot be done.
pub(crate) fn install() -> Result<(), String> {
    if !runs("node") {
        return Err("`node` is missing: the test of the bank's page needs Node.js 20 or later".to_owned());
    }
    if let Ok(named) = std::env::var("CHROMIUM") {
        return if runs(&named) { Ok(()) } else { Err(format!("`{named}`, which CHROMIUM names, does not start")) };
    }
    if is_there() {
        return Ok(());
    }
    let why = |what: &str| format!("Chromium is missing, and {what}: install `chromium`, or name it in CHROMIUM");
    for args in [&["update"][..], &["install", "--yes", "--no-install-recommends", "chromium"]] {
        let mut apt = Command::new("apt-get");
        apt.args(args).env("DEBIAN_FRONTEND", "noninteractive");
        let done = capture(apt, Duration::from_secs(10 * 60)).map_err(|e| why(&e))?;
        if !done.success() {
            return Err(why(&format!("apt-get failed:\n{}", done.tail(10))));
        }
    }
    if is_there() { Ok(()) } else { Err(why("what apt installed does not start")) }
}

fn is_there() -> bool {
    PROGRAMS.iter().any(|program| runs(program))
}

fn runs(program: &str) -> bool {
    let mut asked = Command::new(program);
    asked.arg("--version");
    capture(asked, Duration::from_secs(60)).is_ok_and(|done| done.success())
}

/// Installs it, runs the test, and takes the picture.
pub(crate) fn run() -> Outcome {
    install()?;
    let picture = root().join("docs/passkeys.png");
    let mut test = cargo(["test", "--package", "gatewright-tests", "--features", "browser", "--test", "browser"]);
    test.env("GATEWRIGHT_PICTURE", &picture);
    show(test)?;
    Ok(format!("Chromium registers and shows passkeys; {} is what it shows", picture.display()))
}
