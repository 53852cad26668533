//! `gatewright check`: compile, show, write nothing.

use gatewright_compiler::{Compilation, compile};

use crate::args::{Check, Format};
use crate::ui::{Exit, Outcome, Run, Ui};

pub(crate) fn run(args: &Check, ui: &Ui) -> Outcome {
    let mut all: Vec<Compilation> = Vec::new();
    let mut exit = Exit::Good;
    for spec in &args.specs {
        // One document that cannot be read does not hide what is wrong with the others.
        let document = match super::overlaid(spec, args.root.as_deref(), &args.overlays, args.allow_unguarded) {
            Ok(document) => document,
            Err(stop) => {
                ui.failed(&stop.0);
                exit = Exit::CouldNotRun;
                continue;
            }
        };
        ui.doing("Checking", &spec.display().to_string());
        let done = compile(&document.loader, &document.entry, &document.options);
        if done.has_errors() {
            exit = exit.max(Exit::Found);
        }
        if args.format == Format::Human {
            ui.show(&[Run::of(&done)], Format::Human)?;
            if let Some(ir) = &done.ir {
                let count = ir.api.operations.len();
                let plural = if count == 1 { "" } else { "s" };
                ui.done("Compiles", &format!("{}: {count} operation{plural}", spec.display()));
            }
        } else {
            all.push(done);
        }
    }
    if args.format != Format::Human {
        let runs: Vec<Run<'_>> = all.iter().map(Run::of).collect();
        ui.show(&runs, args.format)?;
    }
    Ok(exit)
}
