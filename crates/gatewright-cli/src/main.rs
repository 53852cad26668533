//! The `gatewright` command: arguments in, compiler, diagnostics out. It decides nothing about specs.
#![allow(
    clippy::disallowed_methods,
    reason = "a shell: it reads and writes files, and asks the environment about colour"
)]

mod args;
mod commands;
mod project;
mod store;
mod ui;
mod write;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};
use ui::{Exit, Ui};

/// Types and documents nest; the compiler's recursion is bounded, and this is room for the bound.
const STACK: usize = 128 << 20;

fn main() -> ExitCode {
    let args = Args::parse();
    let ui = Ui::new(args.color, args.quiet);
    let command = args.command;
    let work = std::thread::Builder::new().name("gatewright".to_owned()).stack_size(STACK);
    let exit = std::thread::scope(|scope| {
        let ui = &ui;
        match work.spawn_scoped(scope, move || run(command, ui)) {
            Ok(thread) => thread.join().unwrap_or_else(|_| {
                ui.failed("internal error: the compiler stopped; this is a fault of Gatewright, please report it");
                Exit::CouldNotRun
            }),
            Err(e) => {
                ui.failed(&format!("cannot start a thread: {e}"));
                Exit::CouldNotRun
            }
        }
    });
    ExitCode::from(exit as u8)
}

fn run(command: Command, ui: &Ui) -> Exit {
    let outcome = match command {
        Command::New(args) => commands::new::run(&args, ui),
        Command::Generate(args) => commands::generate::run(&args, ui),
        Command::Check(args) => commands::check::run(&args, ui),
        Command::Explain(args) => commands::explain::run(&args, ui),
        Command::Scaffold(args) => commands::scaffold::run(&args, ui),
        Command::Keys(args) => commands::keys::run(&args, ui),
        Command::Passkeys(args) => commands::passkeys::run(&args, ui),
        Command::Dump(args) => commands::dump::run(&args, ui),
        Command::Export(args) => commands::export::run(&args, ui),
        Command::Man(args) => commands::man::run(&args, ui),
        Command::Schema => commands::schema::run(ui),
        Command::Completions { shell } => commands::completions::run(shell, ui),
    };
    outcome.unwrap_or_else(|stop| {
        ui.failed(&stop.0);
        Exit::CouldNotRun
    })
}
