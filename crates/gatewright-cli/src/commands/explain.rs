//! `gatewright explain`: what a code means, or what guards an operation.

use std::path::Path;

use gatewright_compiler::compile;
use gatewright_diag::{ALL, lookup_name, nearest};
use gatewright_export::explain;

use crate::args::{Explain, Format, Report};
use crate::ui::{Exit, Outcome, Run, Stop, Ui};

pub(crate) fn run(args: &Explain, ui: &Ui) -> Outcome {
    match &args.operation {
        Some(operation) => policy(args, operation, ui),
        None => page(args, ui),
    }
}

fn page(args: &Explain, ui: &Ui) -> Outcome {
    let name = args.subject.as_str();
    if let Some(entry) = lookup_name(name) {
        ui.out(entry.page)?;
        return Ok(Exit::Good);
    }
    if Path::new(name).is_file() {
        return operations(args, ui);
    }
    let near = nearest(name, ALL.iter().map(|entry| entry.name)).map(|near| format!("; is it `{near}`?"));
    Err(Stop(format!("`{name}` is neither a diagnostic's code nor a document{}", near.unwrap_or_default())))
}

/// A document without an operation: which there are.
fn operations(args: &Explain, ui: &Ui) -> Outcome {
    let document =
        super::overlaid(Path::new(&args.subject), args.root.as_deref(), &args.overlays, args.allow_unguarded)?;
    let done = compile(&document.loader, &document.entry, &document.options);
    let Some(ir) = &done.ir else {
        ui.show(&[Run::of(&done)], Format::Human)?;
        return Ok(Exit::Found);
    };
    let list = ir.api.operations.iter().map(|op| format!("{}  ({} {})\n", op.id, op.method, op.path.text));
    ui.out(&list.collect::<String>())?;
    Ok(Exit::Good)
}

fn policy(args: &Explain, name: &str, ui: &Ui) -> Outcome {
    let document =
        super::overlaid(Path::new(&args.subject), args.root.as_deref(), &args.overlays, args.allow_unguarded)?;
    let done = compile(&document.loader, &document.entry, &document.options);
    let Some(ir) = &done.ir else {
        ui.show(&[Run::of(&done)], Format::Human)?;
        return Ok(Exit::Found);
    };
    let Some(operation) = explain::find(ir, name) else {
        let near = nearest(name, ir.api.operations.iter().map(|op| op.id.as_str()));
        let hint = near.map(|near| format!("; is it `{near}`?")).unwrap_or_default();
        return Err(Stop(format!("`{}` has no operation `{name}`{hint}", args.subject)));
    };
    match args.format {
        Report::Human => ui.out(&explain::human(ir, operation, &done.sources))?,
        Report::Json => ui.out(&format!("{:#}\n", explain::json(ir, operation, &done.sources)))?,
    }
    Ok(Exit::Good)
}
