//! The trait of an operation: its documentation, and what the compiler says where it is missing.

use gatewright_ir::CheckedIr;
use gatewright_ir::api::Operation;
use gatewright_ir::names::{Case, plain};
use proc_macro2::TokenStream;
use quote::quote;

use super::{Callers, Subject, callers};
use crate::docs::{doc, policy_line};
use crate::names::OperationNames;

pub(super) fn definition(subject: &Subject<'_>) -> TokenStream {
    let (operation, names, cx) = (subject.operation, subject.names, subject.cx);
    let (name, module) = (&names.name, &names.module);
    let line = policy_line(operation, cx.prefix, &cx.ir.policies, cx.sources);
    let place = cx.sources.at(operation.span);
    let mut docs = vec![doc(operation.summary.as_deref().unwrap_or(&operation.id)), quote!(#[doc = ""]), doc(&line)];
    if let Some(description) = operation.description.as_deref().filter(|d| operation.summary.as_deref() != Some(*d)) {
        docs.extend([quote!(#[doc = ""]), doc(description)]);
    }
    let path = format!("{} {}{}", operation.method, cx.prefix, operation.path.text);
    let message =
        format!("`{{Self}}` does not handle `{}` ({}, {})", braces(&operation.id), braces(&path), braces(&place));
    let label = braces(&format!("`{}` is missing", operation.id));
    let note = note(subject);
    let supertraits = match &subject.owner {
        Some((resource, _)) => {
            let resolve = &resource.name;
            quote!(super::resources::#resolve)
        }
        None => quote!(::core::marker::Sized + ::core::marker::Send + ::core::marker::Sync + 'static),
    };
    let deprecated = if operation.deprecated { doc("\nDeprecated by its document.") } else { quote!() };
    crate::short::traits(quote! {
        #(#docs)*
        #deprecated
        #[diagnostic::on_unimplemented(message = #message, label = #label, note = #note)]
        pub trait #name: #supertraits {
            /// Handles an admitted, valid request.
            fn handle(
                &self,
                cx: #module::Cx<Self>,
            ) -> impl ::core::future::Future<Output = #module::Result> + ::core::marker::Send;
        }
    })
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
