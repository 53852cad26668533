//! The compiled spec before and after the rules ran. Backends take only [`CheckedIr`], which only a clean check makes.

use gatewright_diag::Sink;

use crate::api::Api;
use crate::policy::PolicySet;

/// A lowered spec: every reference resolved, every policy effective, nothing judged yet.
#[derive(Clone, Debug, Default)]
pub struct Ir {
    /// What exists.
    pub api: Api,
    /// Who may.
    pub policies: PolicySet,
    /// The short name of this API version, as configured or as the file is called: `v1`.
    pub name: String,
}

/// A spec that every rule let pass: the only key that opens a backend.
#[derive(Clone, Debug)]
pub struct CheckedIr(Ir);

impl CheckedIr {
    /// The proof that the rules ran over `ir` and that `sink`, into which every earlier stage reported too, has no
    /// error. Called by `gatewright-check` alone.
    ///
    /// # Errors
    /// Gives the IR back if there is an error.
    pub fn assertion(ir: Ir, sink: &Sink) -> Result<CheckedIr, Box<Ir>> {
        if sink.has_errors() { Err(Box::new(ir)) } else { Ok(CheckedIr(ir)) }
    }
}

impl std::ops::Deref for CheckedIr {
    type Target = Ir;
    fn deref(&self) -> &Ir {
        &self.0
    }
}
