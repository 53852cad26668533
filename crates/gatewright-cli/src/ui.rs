//! The terminal: what goes out, in colour or not, and the exit code. Everything printed passes here.

use std::io::{self, IsTerminal, Write};

use gatewright_diag::show::{human, machine, tally};
use gatewright_diag::{Diagnostic, SourceMap, lookup};

use crate::args::{Color, Format};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// It did what was asked, and found no error.
    Good = 0,
    /// It ran, and found errors, or drift.
    Found = 1,
    /// It could not run.
    CouldNotRun = 2,
}

/// A command's end when it could not run: what to tell people.
pub(crate) struct Stop(pub(crate) String);

impl<E: std::error::Error> From<E> for Stop {
    fn from(error: E) -> Self {
        Stop(error.to_string())
    }
}

/// What every command answers.
pub(crate) type Outcome = Result<Exit, Stop>;

/// The two streams.
pub(crate) struct Ui {
    color: bool,
    quiet: bool,
    live: bool,
}

impl Ui {
    pub(crate) fn new(color: Color, quiet: bool) -> Ui {
        let terminal = io::stderr().is_terminal();
        let color = match color {
            Color::Always => true,
            Color::Never => false,
            // https://no-color.org: set and not empty.
            Color::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
        };
        Ui { color, quiet, live: terminal && !quiet }
    }

    /// The result of a command, on standard output. A reader that went away is no error of ours.
    pub(crate) fn out(&self, text: &str) -> Result<(), Stop> {
        let mut stream = io::stdout().lock();
        match stream.write_all(text.as_bytes()).and_then(|()| stream.flush()) {
            Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
                Err(Stop(format!("cannot write to standard output: {e}")))
            }
            _ => Ok(()),
        }
    }

    /// Text on standard error; if that is closed, nobody can be told.
    pub(crate) fn err(&self, text: &str) {
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    /// What is being done, on long work: only where somebody watches.
    pub(crate) fn doing(&self, verb: &str, what: &str) {
        if self.live {
            self.status(verb, what);
        }
    }

    /// What was done.
    pub(crate) fn done(&self, verb: &str, what: &str) {
        if !self.quiet {
            self.status(verb, what);
        }
    }

    fn status(&self, verb: &str, what: &str) {
        let (on, off) = if self.color { ("\x1b[1;32m", "\x1b[0m") } else { ("", "") };
        self.err(&format!("{on}{verb:>12}{off} {what}\n"));
    }

    pub(crate) fn failed(&self, why: &str) {
        let (on, off) = if self.color { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
        self.err(&format!("{on}error{off}: {why}\n"));
    }

    /// Diagnostics for people, and how many there were.
    pub(crate) fn human(&self, diagnostics: &[Diagnostic], map: &SourceMap, dropped: usize) {
        let width = if self.live { terminal_width() } else { 0 };
        self.err(&human::text(diagnostics, map, human::Style { color: self.color, width }));
        let tally = tally(diagnostics, dropped);
        if !tally.is_empty() && !self.quiet {
            self.err(&format!("{tally}\n"));
        }
        if let Some(first) = diagnostics.iter().find(|d| d.level == gatewright_diag::Level::Error)
            && !self.quiet
            && lookup(first.code).is_some()
        {
            self.err(&format!("for more about an error, try `gatewright explain {}`\n", first.code));
        }
    }

    /// Diagnostics in the form that was asked for.
    pub(crate) fn show(&self, runs: &[Run<'_>], format: Format) -> Result<(), Stop> {
        match format {
            Format::Human => {
                runs.iter().for_each(|run| self.human(run.diagnostics, run.sources, run.dropped));
                Ok(())
            }
            Format::Json => self.out(&runs.iter().map(|r| machine::json(r.diagnostics, r.sources)).collect::<String>()),
            Format::Github => {
                self.out(&runs.iter().map(|r| machine::github(r.diagnostics, r.sources)).collect::<String>())
            }
            Format::Sarif => {
                let runs = runs.iter().map(|r| (r.diagnostics, r.sources));
                let summary = |code| lookup(code).map(|entry| entry.summary);
                self.out(&machine::sarif(runs, env!("CARGO_PKG_VERSION"), summary))
            }
        }
    }
}

/// The diagnostics of one compilation.
pub(crate) struct Run<'a> {
    pub(crate) diagnostics: &'a [Diagnostic],
    pub(crate) sources: &'a SourceMap,
    pub(crate) dropped: usize,
}

/// What the shell says about the width; a wrong value only wraps lines otherwise.
fn terminal_width() -> usize {
    std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok()).filter(|c| (40..=1_000).contains(c)).unwrap_or(0)
}
