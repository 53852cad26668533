//! `gatewright generate`: every API of the configuration, or nothing.

use gatewright_diag::{Level, Sink, codes};
use gatewright_ir::OutputFiles;

use crate::args::{Format, Generate};
use crate::project::{self, Compiled, Project};
use crate::ui::{Exit, Outcome, Run, Stop, Ui};
use crate::write::{self, Change};

pub(crate) fn run(args: &Generate, ui: &Ui) -> Outcome {
    let project = match Project::open(&args.config, ui, args.format)? {
        Ok(project) => project,
        Err(exit) => return Ok(exit),
    };
    let compiled = project.compile(ui)?;
    if project::show(&compiled, ui, args.format)? != Exit::Good {
        return Ok(Exit::Found);
    }
    let mut plans = Vec::new();
    for one in &compiled {
        plans.push(plan(&project, one)?);
    }
    if foreign(&plans, ui, args.format)? {
        return Ok(Exit::Found);
    }
    if args.check {
        return drift(&plans, ui);
    }
    for (one, changes) in compiled.iter().zip(&plans) {
        write::apply(changes)?;
        ui.done("Generated", &summary(one, changes));
    }
    Ok(Exit::Good)
}

fn plan(project: &Project, one: &Compiled) -> Result<Vec<Change>, Stop> {
    let nothing = OutputFiles::new();
    let files = one.done.files.as_ref().unwrap_or(&nothing);
    let output = project.folder.join(&one.api.output);
    if !one.api.output.ends_with(".rs") {
        return Ok(write::plan(&output, files, true)?);
    }
    // One file: its name is the configuration's, and it can leave no others behind.
    let mut single = OutputFiles::new();
    let name = output.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let text: String = files.iter().map(|(_, text)| text).collect();
    single.add(name, text).map_err(|bad| Stop(format!("`{}` is no path for output", bad.0)))?;
    Ok(write::plan(output.parent().unwrap_or(&output), &single, false)?)
}

/// Files in the way are errors like any other.
fn foreign(plans: &[Vec<Change>], ui: &Ui, format: Format) -> Result<bool, Stop> {
    let mut sink = Sink::new();
    for change in plans.iter().flatten() {
        if let Change::Foreign { path } = change {
            let message = format!("`{}` was not generated, and stands where output goes", path.display());
            drop(sink.error(codes::FOREIGN_FILE, None, message).help("move it, or choose another `output`"));
        }
    }
    let diagnostics = sink.finish();
    let sources = gatewright_diag::SourceMap::new();
    ui.show(&[Run { diagnostics: &diagnostics, sources: &sources, dropped: 0 }], format)?;
    Ok(diagnostics.iter().any(|d| d.level == Level::Error))
}

fn drift(plans: &[Vec<Change>], ui: &Ui) -> Outcome {
    let diff: String = plans.iter().map(|changes| write::diff(changes)).collect();
    if diff.is_empty() {
        ui.done("Checked", "what is generated is up to date");
        return Ok(Exit::Good);
    }
    ui.out(&diff)?;
    ui.failed("what is generated is not up to date; run `gatewright generate`");
    Ok(Exit::Found)
}

fn summary(one: &Compiled, changes: &[Change]) -> String {
    let files = one.done.files.as_ref().map_or(0, OutputFiles::len);
    let removed = changes.iter().filter(|c| matches!(c, Change::Remove { .. })).count();
    let written = changes
        .iter()
        .filter(|c| matches!(c, Change::Write { path, .. } if path.file_name().is_none_or(|n| n != write::LIST)))
        .count();
    let mut text = format!("{} ({files} files, {written} written", one.api.output);
    if removed > 0 {
        text.push_str(&format!(", {removed} removed"));
    }
    text + ")"
}
