//! `gatewright scaffold`: stubs for what is not handled yet, behind what is there. Nothing is overwritten.

use std::path::{Path, PathBuf};

use gatewright_compiler::{ScaffoldOptions, Style, scaffold};
use gatewright_ir::CheckedIr;

use crate::args::{Format, Scaffold};
use crate::project::{self, Project};
use crate::ui::{Exit, Outcome, Stop, Ui};
use crate::write;

pub(crate) fn run(args: &Scaffold, ui: &Ui) -> Outcome {
    let project = match Project::open(&args.config, ui, Format::Human)? {
        Ok(project) => project,
        Err(exit) => return Ok(exit),
    };
    let compiled = project.compile(ui)?;
    if project::show(&compiled, ui, Format::Human)? != Exit::Good {
        return Ok(Exit::Found);
    }
    let folder = project.folder.join(&project.config.scaffold.output);
    let mut texts = Vec::new();
    for one in &compiled {
        let Some(ir) = &one.done.ir else { continue };
        let alone = compiled.len() == 1;
        let existing = sources(&folder, (!alone).then_some(one.api.name.as_str()))?;
        let file = folder.join(format!("{}.rs", one.api.name));
        texts.push((file, stubs(ir, &one.api.name, &project.config.scaffold.app, &existing)?));
    }
    for (file, text) in texts {
        match text {
            None => ui.done("Complete", &format!("{}: nothing is missing", file.display())),
            Some(text) => {
                let before = if file.exists() { std::fs::read_to_string(&file)? + "\n" } else { String::new() };
                write::replace(&file, &(before + &text))
                    .map_err(|e| Stop(format!("cannot write `{}`: {e}", file.display())))?;
                ui.done("Scaffolded", &file.display().to_string());
            }
        }
    }
    Ok(Exit::Good)
}

/// A source of handlers, and where it stands.
pub(crate) struct Source {
    path: PathBuf,
    text: String,
}

/// The stubs of one API, with what a new file needs above them.
pub(crate) fn stubs(ir: &CheckedIr, api: &str, app: &str, existing: &[Source]) -> Result<Option<String>, Stop> {
    let options = ScaffoldOptions { app: app.to_owned(), module: format!("crate::api::{api}"), style: Style::Function };
    let texts: Vec<&str> = existing.iter().map(|s| s.text.as_str()).collect();
    let text = scaffold(ir, &options, &texts).map_err(|index| {
        let path = existing.get(index).map(|s| s.path.display().to_string()).unwrap_or_default();
        Stop(format!("`{path}` does not parse as Rust, so what it handles cannot be seen; mend it first"))
    })?;
    Ok(text.map(|text| {
        if existing.is_empty() {
            format!(
                "//! Handlers of `{api}`. Each stub says what it is given; once none is left, remove the next line.\n\
                 #![allow(unused_variables, unused_imports)]\n\nuse crate::app::*;\n{text}"
            )
        } else {
            text
        }
    }))
}

/// Every source below the folder; with several APIs, those that carry this one's name.
fn sources(folder: &Path, api: Option<&str>) -> Result<Vec<Source>, Stop> {
    let mut found = Vec::new();
    match api {
        None => collect(folder, 0, &mut found)?,
        Some(name) => {
            collect(&folder.join(name), 0, &mut found)?;
            let file = folder.join(format!("{name}.rs"));
            if file.is_file() {
                found.push(Source { text: std::fs::read_to_string(&file)?, path: file });
            }
        }
    }
    // A file that only declares modules handles nothing, and needs no imports repeated.
    found.retain(|source| source.path.file_name().is_none_or(|n| n != "mod.rs"));
    Ok(found)
}

/// Folders deeper than this hold no handlers.
const MAX_DEPTH: usize = 16;

fn collect(folder: &Path, depth: usize, found: &mut Vec<Source>) -> Result<(), Stop> {
    if depth > MAX_DEPTH || !folder.is_dir() {
        return Ok(());
    }
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        paths.push(entry?.path());
    }
    paths.sort();
    for path in paths {
        if path.is_dir() && !path.is_symlink() {
            collect(&path, depth + 1, found)?;
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(Source { text: std::fs::read_to_string(&path)?, path });
        }
    }
    Ok(())
}
