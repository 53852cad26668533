//! `oracle DIR…`: compares our reading of every 3.0 document of these folders with that of `openapiv3`, and fails where
//! they disagree.
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

fn run() -> bool {
    let (mut compared, mut facts, mut wrong) = (0, 0, 0);
    for folder in std::env::args().skip(1).map(PathBuf::from) {
        let Ok(list) = std::fs::read_dir(&folder) else {
            println!("cannot read {}", folder.display());
            return false;
        };
        let mut files: Vec<PathBuf> = list.filter_map(|entry| entry.ok().map(|e| e.path())).collect();
        files.retain(|path| path.extension().is_some_and(|e| e == "json" || e == "yaml"));
        files.sort();
        for path in files {
            let name = path.file_name().map(Path::new).unwrap_or(Path::new(""));
            match compare(&folder, name) {
                Verdict::Skipped(why) => println!("skipped  {}: {why}", name.display()),
                Verdict::Compared(agree, differ) => {
                    compared += 1;
                    facts += agree;
                    if differ.is_empty() {
                        println!("agree    {}: {agree} facts", name.display());
                    } else {
                        wrong += 1;
                        println!("DIFFER   {}: {agree} facts, and {} differ", name.display(), differ.len());
                        differ.iter().take(SHOWN).for_each(|line| println!("    {line}"));
                    }
                }
            }
        }
    }
    println!("oracle: {compared} documents, {facts} facts agree, {wrong} documents differ");
    wrong == 0
}
