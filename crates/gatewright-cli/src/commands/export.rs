//! `gatewright export`: the API in another format, and what that format cannot say.

use gatewright_compiler::compile;
use gatewright_diag::Sink;
use gatewright_export::openapi;

use crate::args::{Export, ExportFormat, Format, Text};
use crate::ui::{Exit, Outcome, Run, Stop, Ui};

pub(crate) fn run(args: &Export, ui: &Ui) -> Outcome {
    let ExportFormat::Openapi { spec, version: _, text, output, allow_unguarded } = &args.format;
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
