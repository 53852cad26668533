//! `gatewright dump`: what one stage made, for those who watch a spec travel.

use gatewright_compiler::dump;

use crate::args::{Dump, Format, Stage};
use crate::ui::{Exit, Outcome, Run, Ui};

pub(crate) fn run(args: &Dump, ui: &Ui) -> Outcome {
    let document = super::overlaid(&args.spec, args.root.as_deref(), &args.overlays, args.allow_unguarded)?;
    let stage = match args.stage {
        Stage::Load => gatewright_compiler::Stage::Load,
        Stage::Parse => gatewright_compiler::Stage::Parse,
        Stage::Shape => gatewright_compiler::Stage::Shape,
        Stage::Resolve => gatewright_compiler::Stage::Resolve,
        Stage::Lower => gatewright_compiler::Stage::Lower,
        Stage::Check => gatewright_compiler::Stage::Check,
        Stage::Generate => gatewright_compiler::Stage::Generate,
    };
    let (text, done) = dump(&document.loader, &document.entry, &document.options, stage);
    if let Some(text) = text {
        ui.out(&text)?;
    }
    ui.show(&[Run::of(&done)], Format::Human)?;
    Ok(if done.has_errors() { Exit::Found } else { Exit::Good })
}
