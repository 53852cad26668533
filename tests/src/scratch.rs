//! Compiles generated code in a crate of its own, outside the repository.
#![allow(clippy::disallowed_methods, clippy::expect_used, reason = "tests read specs and run cargo")]

use std::path::{Path, PathBuf};
use std::process::Command;

use gatewright_diag::Sink;
use gatewright_ir::{CheckedIr, Ir};

/// The IR as backends take it, whatever the rules say of it.
pub fn checked(ir: Ir) -> CheckedIr {
    let sink = Sink::new();
    let checked = CheckedIr::assertion(ir, &sink).expect("no diagnostics");
    let _ = sink.finish();
    checked
}

/// Makes a crate with these files below `src` that depends on the runtime. It is compiled once, so nothing is kept for a
/// second time. Cargo tells crates of one target folder apart by their names, so the name is made of the content.
pub fn scratch(folder: &Path, files: &[(String, String)]) {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::create_dir_all(folder.join("src")).expect("a folder");
    let runtime = manifest.join("../crates/gatewright").canonicalize().expect("the runtime");
    let name = files.iter().flat_map(|(name, text)| [name, text]).fold(0xcbf2_9ce4_8422_2325_u64, |hash, text| {
        text.bytes().fold(hash, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    });
    let text = format!(
        "[package]\nname = \"scratch-{name:016x}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n\
         gatewright = {{ path = {runtime:?} }}\nserde_json = \"1\"\n[profile.dev]\ndebug = false\nincremental = false\n\
         [profile.dev.package.\"*\"]\nopt-level = 1\ndebug = false\n"
    );
    std::fs::write(folder.join("Cargo.toml"), text).expect("written");
    std::fs::copy(manifest.join("../Cargo.lock"), folder.join("Cargo.lock")).expect("the lock file");
    for (name, text) in files {
        std::fs::write(folder.join("src").join(name), text).expect("written");
    }
}

/// Runs cargo there; its output, and whether it went well.
pub fn cargo(folder: &Path, arguments: &[&str]) -> (String, bool) {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(folder).args(arguments).arg("--offline");
    // The compiler beside this very cargo: sources of dependencies may name another toolchain.
    command.env("RUSTC", Path::new(env!("CARGO")).with_file_name("rustc"));
    if let Some(target) = target() {
        command.env("CARGO_TARGET_DIR", target);
    }
    let output = command.output().expect("cargo");
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8_lossy(&text).into_owned(), output.status.success())
}

/// The target folder that this very program stands in, so that dependencies are compiled once.
fn target() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file()).map(Path::to_owned)
}
