//! The tests against a real OpenID provider, which npm installs beside them.

use std::process::Command;
use std::time::Duration;

use crate::Outcome;
use crate::run::{capture, cargo, root, show};

/// Installs the provider from its lock file.
pub(crate) fn install() -> Result<(), String> {
    for program in ["node", "npm"] {
        let mut asked = Command::new(program);
        asked.arg("--version");
        let there = capture(asked, Duration::from_secs(60)).is_ok_and(|done| done.success());
        if !there {
            return Err(format!("`{program}` is missing: the tests of credentials need Node.js 20 or later with npm"));
        }
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(root().join("tests/oidc"));
    let done = capture(npm, Duration::from_secs(10 * 60))?;
    if done.success() { Ok(()) } else { Err(done.tail(30)) }
}

/// Installs it, and runs the tests.
pub(crate) fn run() -> Outcome {
    install()?;
    show(cargo(["test", "--package", "gatewright-tests", "--features", "oidc", "--test", "oidc"]))?;
    Ok("a real provider's tokens are taken and refused as they should be".to_owned())
}
