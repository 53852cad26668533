//! The tests of keys against a real PostgreSQL, which apt installs.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::Outcome;
use crate::run::{capture, cargo, show};

/// Installs the database where it is missing.
pub(crate) fn install() -> Result<(), String> {
    if !is_there() {
        let why = |what: &str| format!("PostgreSQL 13 or later is missing, and {what}: install `postgresql`");
        for args in [&["update"][..], &["install", "--yes", "--no-install-recommends", "postgresql"]] {
            let mut apt = Command::new("apt-get");
            apt.args(args).env("DEBIAN_FRONTEND", "noninteractive");
            let done = capture(apt, Duration::from_secs(10 * 60)).map_err(|e| why(&e))?;
            if !done.success() {
                return Err(why(&format!("apt-get failed:\n{}", done.tail(10))));
            }
        }
    }
    if is_there() { Ok(()) } else { Err("`initdb` is neither in PATH nor in /usr/lib/postgresql".to_owned()) }
}

fn is_there() -> bool {
    let debian = std::fs::read_dir("/usr/lib/postgresql")
        .is_ok_and(|versions| versions.flatten().any(|v| v.path().join("bin/initdb").is_file()));
    debian || std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|p| has(&p)))
}

fn has(folder: &Path) -> bool {
    folder.join("initdb").is_file() && folder.join("postgres").is_file()
}

/// Installs it, and runs the tests.
pub(crate) fn run() -> Outcome {
    install()?;
    for package in ["gatewright-store", "gatewright-cli"] {
        show(cargo(["test", "--package", package, "--features", "postgres"]))?;
    }
    Ok("keys are kept in PostgreSQL as they should be".to_owned())
}
