//! One operation: its trait, and the module of its inputs and answers.

mod document;
mod earlier;
mod request;
mod response;

use gatewright_diag::SourceMap;
use gatewright_ir::api::Operation;
use gatewright_ir::lists::Lists;
use gatewright_ir::policy::{Access, UnknownFields};
use gatewright_ir::{CheckedIr, SchemaId};
use proc_macro2::TokenStream;
use quote::quote;

use crate::CodegenError;
use crate::names::{Names, OperationNames, ResourceNames};
use crate::short;
use crate::types::Plan;
use crate::verbatim::{self, Lines};

pub(crate) use document::stub;
pub(crate) use earlier::{Version, conversions};
pub(crate) use request::{encoded, event_data, is_binary, is_form, items, media_name, owner_ids, parameter_style};
use response::Answers;

/// What operations are written from.
pub(crate) struct Context<'a> {
    pub(crate) ir: &'a CheckedIr,
    pub(crate) sources: &'a SourceMap,
    pub(crate) names: &'a Names,
    pub(crate) prefix: &'a str,
    /// The query parameters that carry credentials.
    pub(crate) credentials: &'a [String],
    /// The type of each resource's id, in the order of the resources.
    pub(crate) ids: &'a [TokenStream],
    /// Which answers list objects that belong to somebody.
    pub(crate) lists: &'a Lists<'a>,
}

/// How a handler learns who calls.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Callers {
    /// Nobody can be known.
    None,
    /// Somebody may be known.
    Some,
    /// Somebody is known.
    Always,
    /// Somebody is known, who authenticated not long ago.
    Fresh,
}

pub(crate) fn callers(ir: &CheckedIr, operation: &Operation) -> Callers {
    let policy = ir.policies.get(operation.policy);
    match &policy.access.value {
        // The rules refuse `step-up` where nobody need be known.
        Access::Guarded(_) if policy.step_up.is_some() => Callers::Fresh,
        Access::Guarded(alternatives) if alternatives.iter().all(|a| !a.needs.is_empty()) => Callers::Always,
        Access::Guarded(alternatives) if alternatives.iter().any(|a| !a.needs.is_empty()) => Callers::Some,
        _ => Callers::None,
    }
}

/// One operation being written.
pub(crate) struct Subject<'a> {
    pub(crate) cx: &'a Context<'a>,
    pub(crate) operation: &'a Operation,
    pub(crate) names: &'a OperationNames,
    pub(crate) owner: Option<(&'a ResourceNames, TokenStream)>,
    pub(crate) unknown: UnknownFields,
    pub(crate) callers: Callers,
}

/// The items of one operation, in its tag's module.
pub(crate) fn operation(
    cx: &Context<'_>,
    operation: &Operation,
    names: &OperationNames,
    plan: &Plan<'_>,
) -> Result<TokenStream, CodegenError> {
    call(&subject(cx, operation, names), plan)
}

fn subject<'a>(cx: &'a Context<'a>, operation: &'a Operation, names: &'a OperationNames) -> Subject<'a> {
    let policy = cx.ir.policies.get(operation.policy);
    let owner = policy.owner.as_ref().and_then(|owner| {
        let index = cx.names.resources.iter().position(|r| r.word == owner.resource.value)?;
        Some((cx.names.resources.get(index)?, cx.ids.get(index)?.clone()))
    });
    Subject { cx, operation, names, owner, unknown: policy.unknown_fields.value, callers: callers(cx.ir, operation) }
}

/// Inside of `operation!`, in a module of a file, perhaps in a module of one file for all.
const WIDTH: usize = 120 - 8;

/// The call of the runtime's `operation!`.
fn call(subject: &Subject<'_>, plan: &Plan<'_>) -> Result<TokenStream, CodegenError> {
    let request = request::request(subject, plan)?;
    let answers = response::responses(subject, request.streams, plan);
    let owner = match &subject.owner {
        Some((resource, _)) => format!(", owner ({}, {})", resource.name, resource.module),
        None => String::new(),
    };
    let caller = match subject.callers {
        Callers::None => "none",
        Callers::Some => "maybe",
        Callers::Always => "always",
        Callers::Fresh => "fresh",
    };
    let mut lines = Lines::default();
    lines.push(0, "operation! {");
    document::head(subject, &mut lines);
    lines.push(1, format!("pub trait {} in {}{owner}, caller {caller};", subject.names.name, subject.names.module));
    let meta = meta(subject, &request.meta, &answers)?;
    lines.filled(1, &format!("meta: {},", verbatim::one_line(short::operation(meta))), WIDTH);
    if let Some(request::Id::Parameter(spec)) = &request.id {
        lines.filled(1, &format!("id: required {spec},"), WIDTH);
    }
    if !request.fields.is_empty() {
        lines.push(1, "request {");
        for field in &request.fields {
            field.docs.iter().for_each(|docs| lines.docs(2, docs));
            let ty = verbatim::kind(&short::operation(field.ty.clone()));
            lines.assigned(2, &format!("{}: {ty}", field.name), &format!("{},", field.read), WIDTH);
        }
        lines.push(1, "}");
    }
    if let Some(body) = &request.body {
        let ty = verbatim::kind(&short::operation(body.ty.clone()));
        let before = format!("body: {ty} = ");
        let read = short::operation(body.read.clone());
        let one = format!("body |input, found| {{ {before}{}, }}", verbatim::one_line(read.clone()));
        if body.docs.is_none() && one.len() <= WIDTH {
            lines.push(1, one);
        } else {
            lines.push(1, "body |input, found| {");
            body.docs.iter().for_each(|docs| lines.docs(2, docs));
            lines.value(2, &before, read);
            lines.push(1, "}");
        }
    }
    if let Some(request::Id::Body(pointer)) = &request.id {
        lines.push(1, format!("id at {pointer:?},"));
    }
    response::written("Response", &answers.good, &mut lines);
    response::written("Error", &answers.bad, &mut lines);
    let more = [request.body_enum.clone(), answers.more];
    let more: TokenStream = more.into_iter().collect();
    if !more.is_empty() {
        lines.push(1, "with {");
        verbatim::items(short::operation(more)).iter().for_each(|line| lines.push(2, line));
        lines.push(1, "}");
    }
    lines.push(0, "}");
    Ok(lines.mark())
}

fn meta(subject: &Subject<'_>, inputs: &TokenStream, answers: &Answers) -> Result<TokenStream, CodegenError> {
    let (constant, method) = (&subject.names.constant, &subject.operation.method);
    let path = request::template(&subject.operation.path)?;
    let produces = &answers.produces;
    let produces = if produces.is_empty() { quote!() } else { quote!(.produces(&[#(#produces),*])) };
    let negotiated = if answers.variants().any(|v| v.negotiated) { quote!(.negotiated()) } else { quote!() };
    let credentials = subject.cx.credentials;
    let credentials = if credentials.is_empty() { quote!() } else { quote!(.credentials(&[#(#credentials),*])) };
    let unknown = match subject.unknown {
        UnknownFields::Refuse => quote!(),
        UnknownFields::Ignore | UnknownFields::Keep => quote!(.unknown_let_through()),
    };
    let lists = if answers.good.iter().any(|variant| variant.visible) { quote!(.lists()) } else { quote!() };
    Ok(quote!(Meta::new(&policy::#constant, #method, #path) #inputs #produces #negotiated #credentials #unknown #lists))
}

/// The schema of a parameter, if the operation has it.
pub(crate) fn parameter_schema(
    operation: &Operation,
    place: gatewright_ir::api::Location,
    name: &str,
) -> Option<SchemaId> {
    operation.parameters.iter().find(|p| p.location == place && p.name == name).map(|p| p.schema)
}
