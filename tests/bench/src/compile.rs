//! The compiler on one document: time and peak memory of each stage, lines of what comes out, and what `cargo check` of
//! it costs.

use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use gatewright_compiler::disk::DiskLoader;
use gatewright_compiler::{Options, observe};

/// Prints the figures.
///
/// # Errors
/// The document does not compile, or Cargo does not check what was generated.
pub(crate) fn measure(spec: &Path) -> Result<(), Box<dyn Error>> {
    let (loader, entry) = DiskLoader::open(Path::new(""), spec, None)?;
    let options = Options { allow_unguarded: true, ..Options::named("api") };
    println!("{:<10} {:>10} {:>14}", "stage", "ms", "peak, MiB");
    let mut began = Instant::now();
    forget_peak();
    let done = observe(&loader, &entry, &options, &mut |stage| {
        println!("{:<10} {:>10.1} {:>14.0}", format!("{stage:?}"), began.elapsed().as_secs_f64() * 1e3, peak_mib());
        forget_peak();
        began = Instant::now();
    });
    let (Some(ir), Some(files)) = (&done.ir, &done.files) else { return Err("it does not compile".into()) };

    let operations = ir.api.operations.len().max(1) as f64;
    let (mut lines, mut docs) = (0, 0);
    for line in files.iter().flat_map(|(_, text)| text.lines()) {
        let line = line.trim_start();
        lines += 1;
        docs += usize::from(line.is_empty() || line.starts_with("//") || line.starts_with("#[doc"));
    }
    println!("{operations} operations, {} files, {lines} lines", files.len());
    let types = files.get("types.rs").map_or(0, |text| text.lines().count());
    println!("lines of an operation without docs: {:.0}", (lines - docs) as f64 / operations);
    println!("  of which outside `types.rs`: {:.0}, docs not taken off", (lines - types) as f64 / operations);

    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/bench-check");
    let source = folder.join("src");
    if source.exists() {
        std::fs::remove_dir_all(&source)?;
    }
    for (path, text) in files.iter() {
        let path = source.join("api").join(path);
        std::fs::create_dir_all(path.parent().unwrap_or(&source))?;
        std::fs::write(path, text)?;
    }
    std::fs::write(source.join("lib.rs"), "//! Measured.\npub mod api;\n")?;
    std::fs::write(
        folder.join("Cargo.toml"),
        "[package]\nname = \"measured\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n\
         [dependencies]\ngatewright = { path = \"../../crates/gatewright\" }\n",
    )?;
    let check = || -> Result<f64, Box<dyn Error>> {
        let before = children_seconds()?;
        let mut cargo = Command::new("cargo");
        // Whole, without what an earlier check remembers.
        let status = cargo.args(["check", "--quiet"]).env("CARGO_INCREMENTAL", "0").current_dir(&folder).status()?;
        if !status.success() {
            return Err("what was generated does not check".into());
        }
        Ok(children_seconds()? - before)
    };
    // Once for the dependencies, once for the crate alone.
    check()?;
    std::fs::write(source.join("lib.rs"), "//! Measured again.\npub mod api;\n")?;
    let seconds = check()?;
    println!("cargo check, user CPU: {seconds:.1} s, {:.1} s for 1,000 operations", seconds * 1e3 / operations);
    Ok(())
}

/// Lets the kernel count this process's peak memory anew (`proc(5)`, `clear_refs`).
fn forget_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// The peak since then.
fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
    peak.map_or(f64::NAN, |kib: f64| kib / 1024.0)
}

/// User CPU seconds of all ended children (`proc(5)`, field 16 of `stat`).
fn children_seconds() -> Result<f64, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let field = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(13));
    Ok(field.ok_or("no field 16")?.parse::<f64>()? / 100.0)
}
