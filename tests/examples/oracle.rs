//! `oracle [--known TABLE] DIR…`: compares our reading of every 3.0 document of these folders with that of `openapiv3`, and
//! fails where they disagree, unless the table says why; and where a row of the table is not needed.
#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a tool for terminals")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use gatewright_tests::oracle::{Verdict, compare};

/// Differences shown of one document.
const SHOWN: usize = 8;
const STACK: usize = 128 << 20;

fn main() -> ExitCode {
    let work = std::thread::Builder::new().stack_size(STACK).spawn(run);
    match work.map(std::thread::JoinHandle::join) {
        Ok(Ok(true)) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// A difference that is known: of which document (`*`: of any), what its line holds, and why it is.
struct Known {
    file: String,
    holds: String,
    needed: bool,
}

fn known(path: &Path) -> Option<Vec<Known>> {
    let text = std::fs::read_to_string(path).ok()?;
    let rows = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).skip(1);
    rows.map(|row| match row.split('\t').collect::<Vec<_>>().as_slice() {
        [file, holds, why] if !holds.is_empty() && !why.is_empty() => {
            Some(Known { file: (*file).to_owned(), holds: (*holds).to_owned(), needed: false })
        }
        _ => None,
    })
    .collect()
}

fn run() -> bool {
    let mut arguments: Vec<PathBuf> = std::env::args().skip(1).map(PathBuf::from).collect();
    let mut table = Vec::new();
    if arguments.first().is_some_and(|first| first == Path::new("--known")) {
        let path = arguments.drain(..2.min(arguments.len())).next_back().unwrap_or_default();
        let Some(rows) = known(&path) else {
            println!("oracle: {} cannot be read", path.display());
            return false;
        };
        table = rows;
    }
    let (mut compared, mut facts, mut explained, mut wrong) = (0, 0, 0, 0);
    for folder in arguments {
        let Ok(list) = std::fs::read_dir(&folder) else {
            println!("cannot read {}", folder.display());
            return false;
        };
        let mut files: Vec<PathBuf> = list.filter_map(|entry| entry.ok().map(|e| e.path())).collect();
        files.retain(|path| path.extension().is_some_and(|e| e == "json" || e == "yaml"));
        files.sort();
        for path in files {
            let name = path.file_name().map(Path::new).unwrap_or(Path::new(""));
            let (agree, mut differ) = match compare(&folder, name) {
                Verdict::Skipped(why) => {
                    println!("skipped  {}: {why}", name.display());
                    continue;
                }
                Verdict::Compared(agree, differ) => (agree, differ),
            };
            compared += 1;
            facts += agree;
            let all = differ.len();
            let file = name.to_string_lossy();
            differ.retain(|line| {
                let known = table.iter_mut().filter(|row| row.file == "*" || row.file == *file);
                let known = known.filter(|row| line.contains(&row.holds)).map(|row| row.needed = true).count();
                known == 0
            });
            explained += all - differ.len();
            if differ.is_empty() {
                println!("agree    {}: {agree} facts, and {all} known differences", name.display());
            } else {
                wrong += 1;
                println!("DIFFER   {}: {agree} facts, and {} differ", name.display(), differ.len());
                differ.iter().take(SHOWN).for_each(|line| println!("    {line}"));
            }
        }
    }
    let unneeded: Vec<&Known> = table.iter().filter(|row| !row.needed).collect();
    unneeded.iter().for_each(|row| println!("NOT NEEDED  {}: {}", row.file, row.holds));
    println!(
        "oracle: {compared} documents, {facts} facts agree, {explained} known differences, {wrong} documents differ"
    );
    wrong == 0 && unneeded.is_empty()
}
