//! `gatewright man`: the manual, for `man` and for packagers.

use std::path::Path;

use clap::CommandFactory;
use clap_mangen::Man;

use crate::args::{self, Args};
use crate::ui::{Exit, Outcome, Stop, Ui};

pub(crate) fn run(args: &args::Man, ui: &Ui) -> Outcome {
    let mut command = Args::command();
    // Names of subcommands (`gatewright-keys-issue`) are known only then.
    command.build();
    match &args.output {
        None => ui.out(&page(command)?)?,
        Some(folder) => {
            let mut pages = 0;
            write(command, folder, &mut pages)?;
            ui.done("Wrote", &format!("{} ({pages} pages)", folder.display()));
        }
    }
    Ok(Exit::Good)
}

fn page(command: clap::Command) -> Result<String, Stop> {
    let mut text = Vec::new();
    Man::new(command).render(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// The page of a command, and those of its subcommands.
fn write(command: clap::Command, folder: &Path, pages: &mut usize) -> Result<(), Stop> {
    for inner in command.get_subcommands().filter(|c| !c.is_hide_set() && c.get_name() != "help") {
        write(inner.clone(), folder, pages)?;
    }
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).replace(' ', "-");
    let path = folder.join(format!("{name}.1"));
    let text = page(command)?;
    crate::write::replace(&path, &text).map_err(|e| Stop(format!("cannot write `{}`: {e}", path.display())))?;
    *pages += 1;
    Ok(())
}
