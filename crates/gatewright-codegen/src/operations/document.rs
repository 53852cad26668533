//! The trait of an operation: its documentation, and what the compiler says where it is missing.

use gatewright_ir::CheckedIr;
use gatewright_ir::api::Operation;
use gatewright_ir::names::{Case, plain};

use super::{Callers, Subject, callers};
use crate::docs::policy_line;
use crate::names::OperationNames;
use crate::verbatim::Lines;

/// What stands above the trait.
pub(super) fn head(subject: &Subject<'_>, lines: &mut Lines) {
    let (operation, cx) = (subject.operation, subject.cx);
    lines.docs(1, operation.summary.as_deref().unwrap_or(&operation.id));
    lines.doc(1, "");
    lines.docs(1, &policy_line(operation, cx.prefix, &cx.ir.policies, cx.sources));
    if let Some(description) = operation.description.as_deref().filter(|d| operation.summary.as_deref() != Some(*d)) {
        lines.doc(1, "");
        lines.docs(1, description);
    }
    if operation.deprecated {
        lines.doc(1, "");
        lines.doc(1, "Deprecated by its document.");
    }
    let path = format!("{} {}{}", operation.method, cx.prefix, operation.path.text);
    let place = cx.sources.at(operation.span);
    let message =
        format!("`{{Self}}` does not handle `{}` ({}, {})", braces(&operation.id), braces(&path), braces(&place));
    let label = braces(&format!("`{}` is missing", operation.id));
    let note = note(subject);
    lines
        .push(1, format!("#[diagnostic::on_unimplemented(message = {message:?}, label = {label:?}, note = {note:?})]"));
}

/// Braces of a path stand for themselves in a diagnostic.
fn braces(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}")
}

/// What to paste, in the note: `{Self}` is the application.
fn note(subject: &Subject<'_>) -> String {
    const APP: &str = "\u{1}";
    let stub = braces(&stub(subject.cx.ir, subject.operation, subject.names, APP, "gatewright::"));
    format!("add its handler:\n\n{}\n", stub.replace(APP, "{Self}"))
}

/// The function to paste. `runtime` stands before the names of the runtime.
pub(crate) fn stub(ir: &CheckedIr, operation: &Operation, names: &OperationNames, app: &str, runtime: &str) -> String {
    let (name, module) = (&names.name, &names.module);
    let mut arguments = vec![format!("app: &{app}")];
    if let Some(owner) = &ir.policies.get(operation.policy).owner {
        let word = &owner.resource.value;
        arguments.push(format!("{}: {runtime}Authorized<{}>", plain(word, Case::Snake), plain(word, Case::Pascal)));
    }
    if callers(ir, operation) != Callers::None {
        arguments.push(format!("who: {module}::Caller"));
    }
    arguments.push(format!("req: {module}::Request"));
    let arguments = arguments.join(", ");
    format!("#[{runtime}handler({name})]\nasync fn {module}({arguments}) -> {module}::Result {{\n    todo!()\n}}")
}
