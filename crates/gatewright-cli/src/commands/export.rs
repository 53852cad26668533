//! `gatewright export`: the API in another format, and what that format cannot say.

use gatewright_compiler::compile;
use gatewright_diag::{Sink, SourceMap};
use gatewright_export::{openapi, report};
use gatewright_ir::Ir;

use crate::args::{Export, ExportFormat, Format, ReportFile, Text};
use crate::ui::{Exit, Outcome, Run, Stop, Ui};

pub(crate) fn run(args: &Export, ui: &Ui) -> Outcome {
    let (spec, text, output, allow_unguarded) = match &args.format {
        ExportFormat::Openapi { spec, version: _, text, output, allow_unguarded } => {
            (spec, text, output, allow_unguarded)
        }
        ExportFormat::Matrix(file) => return report(file, ui, report::matrix),
        ExportFormat::Errors(file) => return report(file, ui, |ir, _| report::errors(ir)),
    };
    let document = super::open(spec, None, *allow_unguarded)?;
    let done = compile(&document.loader, &document.entry, &document.options);
    ui.show(&[Run::of(&done)], Format::Human)?;
    let Some(ir) = &done.ir else { return Ok(Exit::Found) };
    let mut sink = Sink::new();
    let lowered = openapi::lower(ir, &mut sink).map_err(|e| Stop(format!("the export is no OpenAPI document: {e}")));
    let dropped = sink.dropped();
    let losses = sink.finish();
    ui.show(&[Run { diagnostics: &losses, sources: &done.sources, dropped }], Format::Human)?;
    let lowered = lowered?;
    let text = match text {
        Text::Yaml => serde_yaml::to_string(&lowered)?,
        Text::Json => format!("{}\n", serde_json::to_string_pretty(&lowered)?),
    };
    match output {
        None => ui.out(&text)?,
        Some(path) => {
            crate::write::replace(path, &text).map_err(|e| Stop(format!("cannot write `{}`: {e}", path.display())))?;
            ui.done("Exported", &path.display().to_string());
        }
    }
    Ok(Exit::Good)
}

fn report(file: &ReportFile, ui: &Ui, make: impl Fn(&Ir, &SourceMap) -> Result<String, String>) -> Outcome {
    let document = super::open(&file.spec, None, file.allow_unguarded)?;
    let done = compile(&document.loader, &document.entry, &document.options);
    ui.show(&[Run::of(&done)], Format::Human)?;
    let Some(ir) = &done.ir else { return Ok(Exit::Found) };
    let text = make(ir, &done.sources).map_err(Stop)?;
    let Some(path) = &file.output else {
        ui.out(&text)?;
        return Ok(Exit::Good);
    };
    let shown = path.display();
    if std::fs::read_to_string(path).is_ok_and(|there| there == text) {
        ui.done("Unchanged", &shown.to_string());
        return Ok(Exit::Good);
    }
    if file.check {
        ui.failed(&format!("`{shown}` is not what the document says: make it anew, and review the difference"));
        return Ok(Exit::Found);
    }
    crate::write::replace(path, &text).map_err(|e| Stop(format!("cannot write `{shown}`: {e}")))?;
    ui.done("Exported", &shown.to_string());
    Ok(Exit::Good)
}
