//! The rules: one file each, with its page.
//!
//! A rule looks at the whole [`Ir`] and reports; it changes nothing. [`check`] runs them all and is the one place that
//! makes a [`CheckedIr`], without which no backend does anything.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod context;
mod place;
mod rules;

use gatewright_diag::{Code, Level, Sink};
use gatewright_ir::{CheckedIr, Ir};

pub use context::Context;

/// What a caller may ease.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Operations that nothing guards, and that do not say `public`, are warnings: for documents that were not written for
    /// Gatewright. So are security schemes that are declared nowhere: they are left to the application to verify.
    pub allow_unguarded: bool,
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// What it reports. Its name, summary and page stand in [`gatewright_diag::lookup`].
    pub code: Code,
    /// How bad that is, unless an option eases it.
    pub level: Level,
    check: fn(&Context<'_>, &mut Sink),
}

/// Every rule.
pub fn rules() -> &'static [&'static Rule] {
    rules::ALL
}

/// Runs every rule over the compiled spec. `sink` must hold what the earlier stages reported.
///
/// # Errors
/// Gives the IR back if the sink has an error, of a rule or of an earlier stage.
pub fn check(mut ir: Ir, options: Options, sink: &mut Sink) -> Result<CheckedIr, Box<Ir>> {
    let cx = Context::new(&ir, options);
    for rule in rules::ALL {
        (rule.check)(&cx, sink);
    }
    if options.allow_unguarded {
        rules::declare(&mut ir);
    }
    CheckedIr::assertion(ir, sink)
}
