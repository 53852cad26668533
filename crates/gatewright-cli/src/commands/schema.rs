//! `gatewright schema`: the vocabulary for editors.

use crate::ui::{Exit, Outcome, Ui};

pub(crate) fn run(ui: &Ui) -> Outcome {
    ui.out(gatewright_compiler::VOCABULARY_SCHEMA)?;
    Ok(Exit::Good)
}
