//! What comes back: an enum of the answers that a webhook or callback declares.

use gatewright_ir::api::{Media, MediaKind, Operation, Response, StatusKey};
use gatewright_ir::names::{Case, unique};
use proc_macro2::TokenStream;
use quote::quote;

use crate::operations::{Context, is_binary, media_name};
use crate::status::{has_body, status_name, status_words};
use crate::types::Plan;
use crate::verbatim::{self, Lines};

/// One of the answers: media types of one status that are read alike.
struct Form {
    types: Vec<String>,
    /// The type of its value; none where there is no body.
    ty: Option<TokenStream>,
    /// The runtime's name for how it is read, and what that is given behind the media types.
    read: (&'static str, Vec<TokenStream>),
}

/// In a module in a module.
const WIDTH: usize = 120 - 8;

/// The type of the answers, and the items that it needs.
pub(super) fn answers(cx: &Context<'_>, plan: &Plan<'_>, operation: &Operation) -> (TokenStream, TokenStream) {
    let mut responses: Vec<&Response> = operation.responses.iter().collect();
    if responses.is_empty() {
        return (quote!(::gatewright::Bytes), quote!());
    }
    // A status of its own counts before its class, and that before the others.
    responses.sort_by_key(|response| response.status);
    let body = operation.method != "HEAD";
    let forms: Vec<Vec<Form>> = responses.iter().map(|response| forms(cx, plan, response, body)).collect();
    let mut keys: Vec<String> = Vec::new();
    for (response, forms) in responses.iter().zip(&forms) {
        let base = status_name(response.status);
        keys.extend(forms.iter().map(|form| match form.types.first() {
            Some(first) if forms.len() > 1 => format!("{base} {}", media_name(first)),
            _ => base.clone(),
        }));
    }
    let names = unique(keys.iter().map(String::as_str), Case::Pascal, &[]);
    let mut names = names.into_iter();
    let mut accept: Vec<&str> = Vec::new();
    for form in forms.iter().flatten() {
        accept.extend(form.types.iter().map(String::as_str).filter(|t| !accept.contains(t)).collect::<Vec<_>>());
    }
    let mut lines = Lines::default();
    lines.push(0, "::gatewright::received! {");
    lines.filled(1, &format!("accept {accept:?};"), WIDTH);
    for (response, forms) in responses.iter().zip(&forms) {
        let status = match response.status {
            StatusKey::Code(code) => code.to_string(),
            StatusKey::Class(class) => format!("{class}00..={class}99"),
            StatusKey::Default => "_".to_owned(),
        };
        lines.push(1, format!("{status} => {{"));
        let said = response.description.as_deref().filter(|text| !text.trim().is_empty());
        let said = said.map_or_else(|| format!("{}.", status_words(response.status)), str::to_owned);
        for (form, name) in forms.iter().zip(&mut names) {
            lines.docs(2, &said);
            let ty = form.ty.as_ref().map_or_else(String::new, |ty| format!("({})", verbatim::kind(ty)));
            let (how, more) = &form.read;
            let more: String = more.iter().map(|more| format!(", {}", verbatim::one_line(more.clone()))).collect();
            let types = if form.ty.is_some() { format!("&{:?}", form.types) } else { String::new() };
            lines.assigned(2, &format!("{name}{ty}"), &format!("{how}({types}{more}),"), WIDTH);
        }
        lines.push(1, "}");
    }
    lines.push(0, "}");
    let written = lines.mark();
    let xml = forms.iter().flatten().any(|form| form.read.0 == "xml");
    let needs = if xml { quote!(::gatewright::needs_xml!();) } else { quote!() };
    (quote!(Answer), quote!(#needs #written))
}

fn forms(cx: &Context<'_>, plan: &Plan<'_>, response: &Response, body: bool) -> Vec<Form> {
    if !body || !has_body(response.status) || response.content.is_empty() {
        return vec![Form { types: Vec::new(), ty: None, read: ("nothing", Vec::new()) }];
    }
    let mut forms: Vec<Form> = Vec::new();
    for media in &response.content {
        let mut form = form(cx, plan, media);
        let alike = |other: &Form| {
            let text = |form: &Form| {
                let ty = form.ty.iter().chain(&form.read.1).map(ToString::to_string);
                (form.read.0, ty.collect::<Vec<_>>())
            };
            text(other) == text(&form)
        };
        match forms.iter().position(alike).and_then(|place| forms.get_mut(place)) {
            Some(known) => known.types.append(&mut form.types),
            None => forms.push(form),
        }
    }
    forms
}

fn form(cx: &Context<'_>, plan: &Plan<'_>, media: &Media) -> Form {
    let schemas = &cx.ir.api.schemas;
    let essence = media.taken().split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    let (ty, how, more) = match (media.kind, media.schema) {
        (MediaKind::Json, Some(schema)) => (plan.answer_type(schema), "json", vec![plan.answer_check(schema)]),
        (MediaKind::Json, None) => {
            (quote!(::gatewright::json::Json), "json", vec![quote!(::gatewright::json::check::any)])
        }
        (MediaKind::Xml, Some(schema)) => {
            let table = plan.xml.table(schemas, schema);
            (plan.answer_type(schema), "xml", vec![table, plan.answer_check(schema)])
        }
        (MediaKind::Text, schema) if !schema.is_some_and(|schema| is_binary(schemas, schema)) => {
            (quote!(::std::string::String), "text", Vec::new())
        }
        _ => (quote!(::gatewright::Bytes), "bytes", Vec::new()),
    };
    Form { types: vec![essence], ty: Some(ty), read: (how, more) }
}
