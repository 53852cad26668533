//! What rules read, and the small questions that several of them ask.

use gatewright_diag::{Level, Report, Sink, Span};
use gatewright_ir::policy::{Access, Alternative, Need, PolicySet, Scheme, Verify};
use gatewright_ir::{Api, Ir, Operation, Policy};

use crate::{Options, Rule};

/// The compiled spec, and what the caller eased.
#[derive(Debug)]
pub struct Context<'a> {
    ir: &'a Ir,
    options: Options,
}

impl<'a> Context<'a> {
    pub(crate) fn new(ir: &'a Ir, options: Options) -> Self {
        Context { ir, options }
    }

    /// What exists.
    pub fn api(&self) -> &'a Api {
        &self.ir.api
    }

    /// All of it.
    pub(crate) fn ir(&self) -> &'a Ir {
        self.ir
    }

    /// Who may.
    pub fn policies(&self) -> &'a PolicySet {
        &self.ir.policies
    }

    /// What the caller eased.
    pub fn options(&self) -> Options {
        self.options
    }

    /// Every operation that is served, with its policy.
    pub(crate) fn operations(&self) -> impl Iterator<Item = (&'a Operation, &'a Policy)> {
        let policies = self.policies();
        self.api().operations.iter().map(|operation| (operation, policies.get(operation.policy)))
    }

    /// Whether nothing guards it although nothing says that it may be open, and another rule refuses it for that.
    pub(crate) fn refused_as_open(&self, policy: &Policy) -> bool {
        matches!(policy.access.value, Access::Unsaid | Access::Opened) && !self.options.allow_unguarded
    }

    /// The scheme of a need, if it is declared.
    pub(crate) fn scheme(&self, need: &Need) -> Option<&'a Scheme> {
        self.policies().scheme(&need.scheme.value)
    }

    /// Whether a scheme of this alternative answers `yes`. An undeclared scheme is reported elsewhere and answers yes.
    pub(crate) fn some_scheme(&self, alternative: &Alternative, yes: impl Fn(&Scheme) -> bool) -> bool {
        alternative.needs.iter().any(|need| self.scheme(need).is_none_or(&yes))
    }
}

/// The alternatives of a policy that asks for a credential.
pub(crate) fn alternatives(policy: &Policy) -> &[Alternative] {
    match &policy.access.value {
        Access::Guarded(alternatives) => alternatives,
        _ => &[],
    }
}

/// Whether a verified credential of this scheme comes with claims.
pub(crate) fn has_claims(scheme: &Scheme) -> bool {
    matches!(scheme.verify, Verify::Jwt(_) | Verify::Introspection(_) | Verify::Application)
}

/// Whether a verified credential of this scheme may come with roles.
pub(crate) fn has_roles(scheme: &Scheme) -> bool {
    scheme.verify.roles_claim().is_some() || matches!(scheme.verify, Verify::Application)
}

/// Whether a verified credential of this scheme has a level.
pub(crate) fn has_level(scheme: &Scheme) -> bool {
    matches!(scheme.verify, Verify::ApiKey(_))
}

impl Rule {
    /// Reports at the rule's own level.
    pub(crate) fn report<'s>(&self, sink: &'s mut Sink, span: Span, message: impl Into<String>) -> Report<'s> {
        sink.report(self.code, self.level, span, message)
    }

    /// Reports a lesser case of the rule.
    pub(crate) fn warn<'s>(&self, sink: &'s mut Sink, span: Span, message: impl Into<String>) -> Report<'s> {
        sink.report(self.code, Level::Warning, span, message)
    }
}

/// "did you mean …?", or what else helps.
pub(crate) fn near_or<'a>(
    sink: &Sink,
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
    otherwise: &str,
) -> String {
    match sink.suggest(word, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => otherwise.to_owned(),
    }
}

/// Text of a document as a message may quote it.
pub(crate) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(60).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}
