//! `gatewright new` on many documents: each project must build and pass its own test, as a new user would find it. Those
//! of `tests/projects/` always; of a corpus the ones that users try first.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::Outcome;
use crate::run::{capture, cargo, gatewright, root, target};

/// A project with a cold runtime, on a busy machine.
const LIMIT: Duration = Duration::from_secs(60 * 60);
/// Of a corpus, by the beginning of their names: small ones with schemes of each kind.
const TRIED: &[&str] =
    &["swagger-petstore", "redocly-museum", "bump-train-travel", "vampi", "readme-security-multiple"];

pub(crate) fn run(args: &[String]) -> Outcome {
    let cli = gatewright(false)?;
    let mut specs = Vec::new();
    crate::layers::files(&root().join("tests/projects"), ".yaml", &mut specs);
    for folder in args {
        let mut found = Vec::new();
        crate::layers::files(&Path::new(folder).join("specs"), "", &mut found);
        let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        specs.extend(found.into_iter().filter(|path| TRIED.iter().any(|start| name(path).starts_with(start))));
    }
    let out = target().join("projects");
    let _ = std::fs::remove_dir_all(&out);
    let mut wrong = Vec::new();
    for (index, spec) in specs.iter().enumerate() {
        let project = out.join(format!("project-{index}"));
        match one(&cli, spec, &project) {
            Ok(()) => println!("ok      {}", spec.display()),
            Err(why) => wrong.push(format!("projects: {}:\n{why}", spec.display())),
        }
    }
    if wrong.is_empty() {
        Ok(format!("projects: {} build and pass their own tests", specs.len()))
    } else {
        Err(wrong.join("\n"))
    }
}

fn one(cli: &Path, spec: &Path, project: &Path) -> Result<(), String> {
    let mut command = Command::new(cli);
    command.current_dir(root()).args(["--quiet", "new", "--allow-unguarded", "--gatewright-path"]);
    command.arg(root().join("crates/gatewright")).arg("--spec").arg(spec).arg("--").arg(project);
    let done = capture(command, LIMIT)?;
    if !done.success() {
        return Err(done.tail(40));
    }
    // The versions that the repository was tested with.
    std::fs::copy(root().join("Cargo.lock"), project.join("Cargo.lock")).map_err(|e| e.to_string())?;
    let mut command = cargo(["test", "--quiet"]);
    command.current_dir(project).env("CARGO_TARGET_DIR", target());
    // Nothing of whoever runs this may be needed.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SHOP_")) {
        command.env_remove(name);
    }
    let done = capture(command, LIMIT)?;
    if done.success() { Ok(()) } else { Err(done.tail(60)) }
}
