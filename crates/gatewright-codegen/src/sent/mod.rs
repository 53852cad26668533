//! What the API sends by itself: a module for each webhook and callback, with its request, its answers and, for a callback,
//! its URL.

mod answers;

use gatewright_ir::api::{Location, Media, MediaKind, Operation, Parameter};
use gatewright_ir::names::{Case, unique};
use proc_macro2::TokenStream;
use quote::quote;

use crate::docs::doc;
use crate::names::ident;
use crate::operations::{Context, encoded, parameter_style};
use crate::types::Plan;

/// The modules; empty where the API sends nothing.
pub(crate) fn modules(cx: &Context<'_>, plan: &Plan<'_>) -> TokenStream {
    let api = &cx.ir.api;
    let callbacks = api.operations.iter().flat_map(|o| &o.callbacks);
    let all: Vec<(&Operation, bool)> =
        api.webhooks.iter().map(|o| (o, false)).chain(callbacks.map(|o| (o, true))).collect();
    let names = unique(all.iter().map(|(o, _)| o.id.as_str()), Case::Snake, &[]);
    let modules =
        all.iter().zip(&names).map(|((operation, callback), name)| module(cx, plan, operation, *callback, name));
    quote!(#(#modules)*)
}

fn module(cx: &Context<'_>, plan: &Plan<'_>, operation: &Operation, callback: bool, name: &str) -> TokenStream {
    let name = ident(name);
    let method = &operation.method;
    let summary = doc(operation.summary.as_deref().or(operation.description.as_deref()).unwrap_or(&operation.id));
    let kind = if callback { "callback" } else { "webhook" };
    let place = doc(&format!("{method} · {kind} `{}` ({})", operation.path.text, cx.sources.at(operation.span)));
    // What stands in the path of a webhook is its URL's, which whoever asked for it names.
    let parameters: Vec<&Parameter> = operation.parameters.iter().filter(|p| p.location != Location::Path).collect();
    let fields = unique(parameters.iter().map(|p| p.name.as_str()), Case::Snake, &["body"]);
    let (mut definitions, mut writes) = (Vec::new(), Vec::new());
    for (parameter, field) in parameters.iter().zip(&fields) {
        let field = ident(field);
        let ty = plan.response_type(parameter.schema);
        let ty = if parameter.required { ty } else { quote!(::core::option::Option<#ty>) };
        let docs = doc(parameter.description.as_deref().unwrap_or(&parameter.name));
        definitions.push(quote!(#docs pub #field: #ty,));
        let wire = &parameter.name;
        let (style, explode) = parameter_style(parameter);
        let style = quote!(::gatewright::params::Style::#style);
        writes.push(match parameter.location {
            Location::Header => {
                let wire = wire.to_ascii_lowercase();
                quote!(out.header(#wire, &self.#field, #style, #explode)?;)
            }
            Location::Cookie => quote!(out.cookie(#wire, &self.#field, #style, #explode)?;),
            Location::QueryString => quote!(out.query_string(&self.#field, #style)?;),
            Location::Query | Location::Path => quote!(out.query(#wire, &self.#field, #style, #explode)?;),
        });
    }
    if let Some(body) = &operation.body
        && let Some(media) = chosen(&body.content)
    {
        let (ty, write) = content(cx, plan, media);
        let docs = doc(body.description.as_deref().unwrap_or("The body."));
        if body.required {
            definitions.push(quote!(#docs pub body: #ty,));
            writes.push(quote!(let body = &self.body; #write));
        } else {
            definitions.push(quote!(#docs pub body: ::core::option::Option<#ty>,));
            writes.push(quote!(if let ::core::option::Option::Some(body) = &self.body { #write }));
        }
    }
    let out = if writes.is_empty() { quote!(_) } else { quote!(out) };
    let (answer, answers) = answers::answers(cx, plan, operation);
    let url = if callback { url(&operation.path.text) } else { quote!() };
    quote! {
        #summary
        ///
        #place
        pub mod #name {
            /// What is sent.
            #[derive(Debug)]
            pub struct Request { #(#definitions)* }
            impl ::gatewright::outbound::Outgoing for Request {
                const METHOD: &'static str = #method;
                type Answer = #answer;
                fn write(
                    &self,
                    #out: &mut ::gatewright::outbound::Message,
                ) -> ::core::result::Result<(), ::gatewright::Internal> {
                    #(#writes)*
                    ::core::result::Result::Ok(())
                }
            }
            #answers
            #url
        }
    }
}

/// The media type that is sent: what we write best.
fn chosen(content: &[Media]) -> Option<&Media> {
    let rank = |media: &&Media| match media.kind {
        MediaKind::Json => 0,
        MediaKind::Form if media.schema.is_some() => 1,
        MediaKind::Xml if media.schema.is_some() => 2,
        MediaKind::Text => 3,
        _ => 4,
    };
    content.iter().min_by_key(rank)
}

fn content(cx: &Context<'_>, plan: &Plan<'_>, media: &Media) -> (TokenStream, TokenStream) {
    let written = media.taken();
    match (media.kind, media.schema) {
        // A range is no type to send, and parts need a boundary: both are for the sender to say.
        (kind, _) if written.contains('*') || kind == MediaKind::Multipart => {
            (quote!(::gatewright::outbound::Content), quote!(out.content(#written, body)?;))
        }
        (MediaKind::Json, schema) => {
            let ty = schema.map_or_else(|| quote!(::gatewright::json::Json), |schema| plan.response_type(schema));
            (ty, quote!(out.json(#written, body)?;))
        }
        (MediaKind::Form, Some(schema)) => {
            let encoded = encoded(media);
            (plan.response_type(schema), quote!(out.form(#written, body, &[#(#encoded),*])?;))
        }
        (MediaKind::Xml, Some(schema)) => {
            let table = plan.xml.table(&cx.ir.api.schemas, schema);
            (plan.response_type(schema), quote!(::gatewright::needs_xml!(); out.xml(#written, #table, body)?;))
        }
        (MediaKind::Text, _) => {
            (quote!(::std::string::String), quote!(out.body(#written, ::core::clone::Clone::clone(body));))
        }
        _ => (quote!(::gatewright::Bytes), quote!(out.body(#written, ::core::clone::Clone::clone(body));)),
    }
}

/// The URL of a callback, from the values that its expression names.
fn url(expression: &str) -> TokenStream {
    let (mut pieces, mut values) = (Vec::new(), Vec::new());
    let mut rest = expression;
    while let Some((text, behind)) = rest.split_once('{') {
        let Some((value, behind)) = behind.split_once('}') else { break };
        if !text.is_empty() {
            pieces.push((false, text));
        }
        pieces.push((true, value));
        if !values.contains(&value) {
            values.push(value);
        }
        rest = behind;
    }
    if !rest.is_empty() {
        pieces.push((false, rest));
    }
    let names = unique(values.iter().copied(), Case::Snake, &[]);
    let names: Vec<_> = names.iter().map(|name| ident(name)).collect();
    let pieces = pieces.into_iter().map(|(value, text)| {
        let name = values.iter().position(|v| *v == text).and_then(|i| names.get(i)).filter(|_| value);
        match name {
            Some(name) => quote!(::gatewright::outbound::Piece::Value(#name)),
            None => quote!(::gatewright::outbound::Piece::Text(#text)),
        }
    });
    let docs = doc(&format!("Where it goes: `{expression}`, with the values that the expression names."));
    quote! {
        #docs
        pub fn url(#(#names: &str),*) -> ::std::string::String {
            ::gatewright::outbound::target(&[#(#pieces),*])
        }
    }
}
