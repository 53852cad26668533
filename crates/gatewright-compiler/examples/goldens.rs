//! Writes the code of every golden case anew, without compiling any of it: a change of the output may be one that the old
//! goldens do not compile with; and how many lines each has for an operation, so that growth is seen. `cargo run -p gatewright-compiler --example goldens -- tests/golden`
#![allow(clippy::disallowed_methods, clippy::print_stderr, reason = "a tool for terminals")]

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};

use gatewright_compiler::{Compilation, Layout, Options, Succeeds, compile, disk::DiskLoader};

/// A case, and before it the one that its `succeeds` names.
fn compiled(root: &Path, case: &str) -> Result<Compilation, Box<dyn Error>> {
    let folder = root.join(case);
    let spec = match std::fs::read_to_string(folder.join("spec")) {
        Ok(path) => root.join("../..").join(path.trim().trim_start_matches("../")),
        Err(_) => folder.join("openapi.yaml"),
    };
    let name = case.rsplit('_').next().filter(|v| v.starts_with('v')).unwrap_or(case);
    let older = match std::fs::read_to_string(folder.join("succeeds")) {
        Ok(older) => Some(compiled(root, older.trim())?.ir.ok_or("the version before has errors")?),
        Err(_) => None,
    };
    let options = Options {
        prefix: format!("/{name}"),
        layout: Layout::SingleFile,
        succeeds: older.map(|ir| Succeeds { ir, by_hand: Vec::new() }),
        ..Options::named(name)
    };
    let folder = spec.parent().unwrap_or(Path::new(""));
    let (loader, entry) = DiskLoader::open(folder, Path::new(spec.file_name().ok_or("no file")?), None)?;
    Ok(compile(&loader, &entry, &options))
}

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(std::env::args().nth(1).ok_or("which folder?")?);
    let mut table = BTreeMap::new();
    for entry in std::fs::read_dir(&root)? {
        let folder = entry?.path();
        let case = folder.file_name().and_then(|n| n.to_str()).ok_or("a case whose name is no text")?;
        let done = compiled(&root, case)?;
        let Some(files) = done.files else { return Err(format!("{case}: {:?}", done.diagnostics).into()) };
        for (_, text) in files.iter() {
            std::fs::write(folder.join("expected.rs"), text)?;
            let plain = |line: &&str| !(line.is_empty() || line.starts_with("//") || line.starts_with("#[doc"));
            let lines = text.lines().map(str::trim_start).filter(plain).count();
            let operations = done.ir.as_ref().map_or(0, |ir| ir.api.operations.len()).max(1);
            table.insert(case.to_owned(), format!("{operations}\t{lines}\t{}", lines / operations));
        }
    }
    let head = "case\toperations\tlines without documentation\tof an operation\n";
    let rows: String = table.iter().map(|(case, row)| format!("{case}\t{row}\n")).collect();
    std::fs::write(root.join("../lines.tsv"), format!("{head}{rows}"))?;
    Ok(())
}
