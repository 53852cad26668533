//! What comes out: an enum of the declared responses, one of the declared errors, and how each is written.

use gatewright_ir::api::{Link, Media, MediaKind, Response, StatusKey};
use gatewright_ir::names::{Case, unique};
use gatewright_ir::schema::{SchemaId, Schemas};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::request::{event_data, is_binary, items, media_name};
use super::{Callers, Subject};
use crate::docs::{doc, harmless};
use crate::names::ident;
use crate::short;
use crate::status::{has_body, status_name, status_words};
use crate::types::Plan;
use crate::verbatim::{self, Lines};

/// One variant: a status (or a class of them) with one media type, or several that say the same value.
pub(super) struct Variant {
    pub(super) name: Ident,
    pub(super) status: StatusKey,
    /// Its media type without parameters, the first where there are several; nothing where it has no body.
    pub(super) media: Option<String>,
    /// The schema of its body, where that is a value.
    pub(super) schema: Option<SchemaId>,
    /// Whether it lists objects that belong to somebody, so that its body is a proof that they were asked about.
    pub(super) visible: bool,
    /// The struct of its header fields, and these.
    pub(super) headers: Option<(Ident, Vec<HeaderField>)>,
    docs: String,
    /// What the answer is good for next, a line each.
    links: Vec<String>,
    /// What it carries, each with the name that its reply knows it by.
    pub(super) payload: Vec<(TokenStream, TokenStream)>,
    /// Its media type is the one of several that the caller likes best.
    pub(super) negotiated: bool,
    reply: TokenStream,
}

/// What an operation answers.
pub(super) struct Answers {
    pub(super) good: Vec<Variant>,
    pub(super) bad: Vec<Variant>,
    /// The media types of the good ones.
    pub(super) produces: Vec<String>,
    /// What else they need.
    pub(super) more: TokenStream,
}

impl Answers {
    pub(super) fn variants(&self) -> impl Iterator<Item = &Variant> {
        self.good.iter().chain(&self.bad)
    }
}

pub(super) fn responses(subject: &Subject<'_>, streams: bool, plan: &Plan<'_>) -> Answers {
    let all = &subject.operation.responses;
    // Where nothing but `default` is declared, it is what succeeds too.
    let only_default = all.iter().all(|r| r.status.is_error()) && all.iter().any(|r| r.status == StatusKey::Default);
    let is_good = |r: &&Response| !r.status.is_error() || (only_default && r.status == StatusKey::Default);
    let api = &subject.cx.ir.api;
    let framed = subject.operation.method != "HEAD";
    // Who cannot know his caller has nobody to filter for: the rules speak of lists that are open to everybody.
    let visible = |media: &Media| {
        subject.callers != Callers::None && subject.cx.lists.of(api, subject.operation, media).is_some()
    };
    let lists = Kit { schemas: &api.schemas, plan, visible: &visible };
    let plain = Kit { visible: &|_| false, ..lists };
    let mut headers = Vec::new();
    let mut variants = |kit: &Kit<'_, '_>, responses: Vec<&Response>, reserved: &[&str]| {
        variants(kit, &responses, framed, reserved, &mut headers)
    };
    let good = variants(&lists, all.iter().filter(is_good).collect(), &["With"]);
    let errors = if only_default { &lists } else { &plain };
    let bad = variants(errors, all.iter().filter(|r| r.status.is_error()).collect(), &["With", "Internal"]);
    let mut produces: Vec<String> = Vec::new();
    for media in all.iter().filter(is_good).flat_map(|r| &r.content) {
        let essence = media.taken().split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        if !produces.contains(&essence) {
            produces.push(essence);
        }
    }
    let xml = all.iter().flat_map(|r| &r.content).any(|m| m.kind == MediaKind::Xml && m.schema.is_some());
    let needs = if xml { quote!(::gatewright::needs_xml!();) } else { quote!() };
    // A type of its own even where nothing is declared: an application converts the errors of one version into another's.
    let failure = if streams {
        // What a handler reads by itself can fail under it: `?` is then the right answer.
        quote! {
            impl ::core::convert::From<::gatewright::body::BodyError> for Error {
                fn from(error: ::gatewright::body::BodyError) -> Self {
                    Self::Internal(::core::convert::From::from(error))
                }
            }
        }
    } else {
        quote!()
    };
    Answers { good, bad, produces, more: quote!(#(#headers)* #needs #failure) }
}

/// The variants, and what each of them becomes.
pub(super) fn written(name: &str, variants: &[Variant], lines: &mut Lines) {
    if variants.is_empty() {
        return;
    }
    lines.push(1, format!("{name} {{"));
    for variant in variants {
        lines.docs(2, &variant.docs);
        if !variant.links.is_empty() {
            lines.doc(2, "");
            variant.links.iter().for_each(|link| lines.doc(2, link));
        }
        let payload = variant.payload.iter().map(|(name, ty)| {
            let ty = verbatim::kind(&short::operation(ty.clone()));
            format!("{name}: {ty}")
        });
        let payload = payload.collect::<Vec<_>>().join(", ");
        let payload = if payload.is_empty() { payload } else { format!("({payload})") };
        lines.value(2, &format!("{}{payload} => ", variant.name), short::operation(variant.reply.clone()));
    }
    lines.push(1, "}");
}

/// What answers are written from.
#[derive(Clone, Copy)]
struct Kit<'a, 'p> {
    schemas: &'a Schemas,
    plan: &'a Plan<'p>,
    /// Whether a body lists objects that belong to somebody.
    visible: &'a dyn Fn(&Media) -> bool,
}

fn variants(
    kit: &Kit<'_, '_>,
    responses: &[&Response],
    framed: bool,
    reserved: &[&str],
    headers: &mut Vec<TokenStream>,
) -> Vec<Variant> {
    let contents: Vec<Vec<Vec<&Media>>> = responses.iter().map(|response| alike(kit.schemas, response)).collect();
    let mut keys = Vec::new();
    for (response, contents) in responses.iter().zip(&contents) {
        let base = status_name(response.status);
        for i in 0..contents.len().max(1) {
            let media = contents.get(i).and_then(|alike| alike.first());
            let media = media.map(|m| media_name(m.taken())).unwrap_or_default();
            let key = if contents.len() > 1 { format!("{base} {media}") } else { base.clone() };
            let key = if keys.contains(&key) { format!("{key} {i}") } else { key };
            keys.push(key);
        }
    }
    let names = unique(keys.iter().map(String::as_str), Case::Pascal, reserved);
    let mut names = names.iter().map(|n| ident(n));
    let mut out = Vec::new();
    for (response, contents) in responses.iter().zip(&contents) {
        let fields = header_fields(response, framed, kit.plan);
        let base = gatewright_ir::names::plain(&status_name(response.status), Case::Pascal);
        let struct_name = format_ident!("{base}Headers");
        if !fields.is_empty() {
            let fields = fields.iter().map(|f| &f.definition);
            let docs = doc(&format!("The header fields of {}.", status_name(response.status)));
            // A class may stand among the responses and among the errors; its header fields are the same.
            let definition = quote! {
                #docs
                #[derive(Debug)]
                pub struct #struct_name { #(#fields)* }
            };
            if !headers.iter().any(|h| h.to_string() == definition.to_string()) {
                headers.push(definition);
            }
        }
        let contents = if contents.is_empty() { vec![&[][..]] } else { contents.iter().map(Vec::as_slice).collect() };
        for media in contents {
            let Some(name) = names.next() else { break };
            out.push(variant(kit, name, response, media, &fields, &struct_name));
        }
    }
    out
}

/// The media types of a response, those that say one value in several ways together: JSON under several names, or as XML.
fn alike<'r>(schemas: &Schemas, response: &'r Response) -> Vec<Vec<&'r Media>> {
    let mut found: Vec<Vec<&Media>> = Vec::new();
    if !has_body(response.status) {
        return found;
    }
    for media in &response.content {
        let same = |known: &&mut Vec<&Media>| {
            let is_same = |m: &&Media| m.schema == media.schema && is_value(schemas, m) && is_value(schemas, media);
            known.first().is_some_and(is_same)
        };
        match found.iter_mut().find(same) {
            Some(known) => known.push(media),
            None => found.push(vec![media]),
        }
    }
    found
}

#[derive(Clone)]
pub(super) struct HeaderField {
    pub(super) name: Ident,
    pub(super) wire: String,
    pub(super) schema: SchemaId,
    pub(super) required: bool,
    definition: TokenStream,
    set: TokenStream,
}

fn header_fields(response: &Response, framed: bool, plan: &Plan<'_>) -> Vec<HeaderField> {
    // How long a message is and what becomes of its connection is the server's to say, but for what `HEAD` tells of a body.
    let ours = |name: &str| {
        let is = |own: &&str| name.eq_ignore_ascii_case(own);
        ["content-type", "transfer-encoding", "connection", "keep-alive", "upgrade", "te", "trailer"].iter().any(is)
            || is(&"content-length") && framed
    };
    let declared: Vec<_> = response.headers.iter().filter(|h| !ours(&h.name) && is_token(&h.name)).collect();
    let idents = unique(declared.iter().map(|h| h.name.as_str()), Case::Snake, &[]);
    let fields = declared.iter().zip(&idents).map(|(header, name)| {
        let name = ident(name);
        let wire = header.name.to_ascii_lowercase();
        let ty = plan.response_type(header.schema);
        let docs = doc(header.description.as_deref().unwrap_or(&header.name));
        let how = match (header.json, header.explode) {
            (true, _) => quote!(::gatewright::HeaderJson),
            (false, true) => quote!(::gatewright::HeaderPairs),
            (false, false) => quote!(::gatewright::JsonHeader),
        };
        let (definition, set) = if header.required {
            (quote!(#docs pub #name: #ty,), quote!(.header(#wire, &#how(&headers.#name))))
        } else {
            (
                quote!(#docs pub #name: ::core::option::Option<#ty>,),
                quote!(.header(#wire, &headers.#name.as_ref().map(#how))),
            )
        };
        HeaderField { name, wire, schema: header.schema, required: header.required, definition, set }
    });
    fields.collect()
}

/// A header field's name as HTTP allows it (RFC 9110, 5.1).
fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

#[allow(clippy::too_many_arguments)]
fn variant(
    kit: &Kit<'_, '_>,
    name: Ident,
    response: &Response,
    media: &[&Media],
    fields: &[HeaderField],
    headers: &Ident,
) -> Variant {
    let (schemas, plan) = (kit.schemas, kit.plan);
    let visible = media.iter().any(|media| (kit.visible)(media));
    let mut payload = Vec::new();
    let status = match response.status {
        StatusKey::Code(code) => {
            let code = proc_macro2::Literal::u16_unsuffixed(code);
            quote!(#code)
        }
        _ => {
            payload.push((quote!(status), quote!(::gatewright::StatusCode)));
            quote!(status)
        }
    };
    let mut negotiated = false;
    let made = match media {
        [] => quote!(::gatewright::Reply::empty(#status)),
        [media] => {
            let written = written_name(media);
            let (ty, made) = content(schemas, media, &status, &quote!(#written), plan, visible);
            payload.push((quote!(body), ty));
            made
        }
        [first, others @ ..] => {
            negotiated = true;
            let (ty, made) = content(schemas, first, &status, &quote!(name), plan, visible);
            payload.push((quote!(body), ty));
            let types = media.iter().map(|media| written_name(media));
            let is_like_first = |m: &&Media| m.kind == first.kind;
            let other = others.iter().enumerate().filter(|(_, m)| !is_like_first(m));
            let arms = other.map(|(place, media)| {
                let place = proc_macro2::Literal::usize_unsuffixed(place + 1);
                let (_, made) = content(schemas, media, &status, &quote!(name), plan, visible);
                quote!(#place => #made,)
            });
            let arms: Vec<TokenStream> = arms.collect();
            let written = if arms.is_empty() {
                quote!(move |_, name| #made)
            } else {
                quote!(move |which, name| match which { #(#arms)* _ => #made, })
            };
            quote!(::gatewright::Reply::chosen(&[#(#types),*], #written))
        }
    };
    let media = media.first().copied();
    if !fields.is_empty() {
        payload.push((quote!(headers), quote!(#headers)));
    }
    let sets = fields.iter().map(|f| &f.set);
    let made = quote!(#made #(#sets)*);
    let in_class = |class: TokenStream| {
        quote! {
            match ::gatewright::Reply::in_class(status, #class) {
                ::core::result::Result::Ok(status) => #made,
                ::core::result::Result::Err(reply) => reply,
            }
        }
    };
    let reply = match response.status {
        StatusKey::Code(_) => made,
        StatusKey::Class(class) => {
            let class = proc_macro2::Literal::u8_unsuffixed(class);
            in_class(quote!(::core::option::Option::Some(#class)))
        }
        StatusKey::Default => in_class(quote!(::core::option::Option::None)),
    };
    let text = response.description.as_deref().filter(|d| !d.trim().is_empty());
    let mut docs = text.map_or_else(|| format!("{}.", status_words(response.status)), str::to_owned);
    if visible {
        docs.push_str("\n\nOnly what its caller may see: `who.filter(…)` makes it.");
    }
    let essence = |media: &Media| media.taken().split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    Variant {
        name,
        status: response.status,
        media: media.map(essence),
        schema: media.filter(|m| is_value(schemas, m)).and_then(|m| m.schema),
        visible,
        headers: (!fields.is_empty()).then(|| (headers.clone(), fields.to_vec())),
        docs,
        links: links(response),
        payload,
        negotiated,
        reply,
    }
}

/// `- next: getPage with cursor = $response.body#/next: the page behind this one`
fn links(response: &Response) -> Vec<String> {
    const MOST: usize = 12;
    let line = |link: &Link| {
        let mut line = link.name.clone();
        if let Some(target) = &link.target {
            let given: Vec<String> = link.parameters.iter().map(|(name, value)| format!("{name} = {value}")).collect();
            let given = if given.is_empty() { String::new() } else { format!(" with {}", given.join(", ")) };
            line = format!("{line}: {target}{given}");
        }
        let said = link.description.iter().flat_map(|text| text.lines()).map(str::trim).find(|l| !l.is_empty());
        match said {
            Some(said) => format!("- {}", harmless(&format!("{line}: {said}"))),
            None => format!("- {}", harmless(&line)),
        }
    };
    let mut lines: Vec<String> = response.links.iter().take(MOST).map(line).collect();
    if response.links.len() > MOST {
        lines.push("- …".to_owned());
    }
    lines
}

/// The type of a body, and the reply that carries it; `name` is what its media type is taken from.
fn content(
    schemas: &Schemas,
    media: &Media,
    status: &TokenStream,
    name: &TokenStream,
    plan: &Plan<'_>,
    visible: bool,
) -> (TokenStream, TokenStream) {
    let proved = |ty: TokenStream| if visible { quote!(::gatewright::Visible<#ty>) } else { ty };
    let written = media.taken();
    let essence = written.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    if essence.contains('*') {
        return (quote!(::gatewright::Media), quote!(::gatewright::Reply::media(#status, #essence, body)));
    }
    match (media.kind, media.schema) {
        (MediaKind::Json, None) if essence == "application/problem+json" => {
            (quote!(::gatewright::Problem), quote!(::gatewright::Reply::problem(#status, body)))
        }
        (MediaKind::Json, schema) => {
            let ty = match schema {
                Some(schema) => plan.response_type(schema),
                None => quote!(::gatewright::json::Json),
            };
            (proved(ty), quote!(::gatewright::Reply::json(#status, #name, &body)))
        }
        (MediaKind::JsonLines, _) => {
            let item = match items(schemas, media) {
                Some(schema) => plan.response_type(schema),
                None => quote!(::gatewright::json::Json),
            };
            let item = proved(item);
            let made = if essence.ends_with("json-seq") { quote!(sequence) } else { quote!(lines) };
            (quote!(::gatewright::body::Lines<#item>), quote!(::gatewright::Reply::#made(#status, #written, body)))
        }
        (MediaKind::EventStream, _) => {
            let event = match (media.item_schema, event_data(schemas, media)) {
                (Some(item), _) => proved(plan.response_type(item)),
                (None, Some(data)) => {
                    let data = proved(plan.response_type(data));
                    quote!(::gatewright::body::Event<#data>)
                }
                (None, None) => quote!(::gatewright::body::Event<::std::string::String>),
            };
            (quote!(::gatewright::body::Events<#event>), quote!(::gatewright::Reply::events(#status, #written, body)))
        }
        (MediaKind::Xml, Some(schema)) if !is_binary(schemas, schema) => {
            let (ty, table) = (plan.response_type(schema), plan.xml.table(schemas, schema));
            (proved(ty), quote!(::gatewright::Reply::xml(#status, #name, #table, &body)))
        }
        (MediaKind::Text, Some(schema)) if is_binary(schemas, schema) => {
            (quote!(::gatewright::Body), quote!(::gatewright::Reply::body(#status, #written, body)))
        }
        (MediaKind::Text, _) => {
            let written = with_charset(written);
            (quote!(::std::string::String), quote!(::gatewright::Reply::body(#status, #written, body)))
        }
        _ => (quote!(::gatewright::Body), quote!(::gatewright::Reply::body(#status, #written, body))),
    }
}

/// Whether a body is a value of its schema's type.
fn is_value(schemas: &Schemas, media: &Media) -> bool {
    let range = media.taken().contains('*');
    match (media.kind, media.schema) {
        (MediaKind::Json, Some(_)) => !range,
        (MediaKind::Xml, Some(schema)) => !range && !is_binary(schemas, schema),
        _ => false,
    }
}

/// The media type that a value is sent as.
fn written_name(media: &Media) -> String {
    match media.kind {
        MediaKind::Xml => with_charset(media.taken()),
        _ => media.taken().to_owned(),
    }
}

/// A media type of text that we write, which is UTF-8, and says so: who must guess may guess wrong (ASVS 5.0, 4.1.1).
fn with_charset(written: &str) -> String {
    let says = written.split(';').skip(1).any(|p| p.trim_start().to_ascii_lowercase().starts_with("charset"));
    if says { written.to_owned() } else { format!("{written}; charset=utf-8") }
}
