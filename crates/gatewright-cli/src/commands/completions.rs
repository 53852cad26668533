//! `gatewright completions`.

use clap::CommandFactory;

use crate::args::Args;
use crate::ui::{Exit, Outcome, Ui};

pub(crate) fn run(shell: clap_complete::Shell, ui: &Ui) -> Outcome {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "gatewright", &mut text);
    ui.out(&String::from_utf8_lossy(&text))?;
    Ok(Exit::Good)
}
