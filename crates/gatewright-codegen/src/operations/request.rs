//! What goes in: the tables of parameters and body, the `Request` they are read into, and the reading.

use gatewright_ir::api::{
    Location, MediaKind, Operation, Parameter, ParameterEncoding, PathPiece, PathTemplate, Style,
};
use gatewright_ir::names::{Case, unique};
use gatewright_ir::policy::{Reference, RequestPart, UnknownFields};
use gatewright_ir::schema::{SchemaId, Schemas};
use gatewright_ir::{CheckedIr, api};
use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::{Subject, parameter_schema};
use crate::CodegenError;
use crate::docs::doc;
use crate::names::{Names, ident};
use crate::shape::shape;
use crate::short;
use crate::types::Plan;
use crate::verbatim;

/// The pieces of an operation's request.
pub(super) struct Request<'a> {
    /// The body, as calls on `Meta`.
    pub(super) meta: TokenStream,
    pub(super) fields: Vec<Field<'a>>,
    pub(super) body: Option<BodyField>,
    /// Where the id of an owned object stands.
    pub(super) id: Option<Id>,
    pub(super) body_enum: TokenStream,
    /// Whether the handler reads its body itself.
    pub(super) streams: bool,
}

/// One field of a request: a parameter.
pub(super) struct Field<'a> {
    pub(super) parameter: &'a Parameter,
    /// Whether there is always a value.
    pub(super) given: bool,
    pub(super) docs: Option<String>,
    pub(super) name: Ident,
    pub(super) ty: TokenStream,
    /// How it is read, and what it is, as text.
    pub(super) read: String,
}

/// The field of the body.
pub(super) struct BodyField {
    /// The schema of its values, where it is one value of one type.
    pub(super) schema: Option<SchemaId>,
    pub(super) required: bool,
    pub(super) docs: Option<String>,
    pub(super) ty: TokenStream,
    pub(super) read: TokenStream,
}

/// Where the id of an owned object stands.
pub(super) enum Id {
    /// In this parameter.
    Parameter(String),
    /// At this place of the body.
    Body(String),
}

/// Fields that OpenAPI says to ignore where they are declared as parameters: others speak of them.
fn ignored(parameter: &Parameter) -> bool {
    parameter.location == Location::Header
        && ["accept", "content-type", "authorization"].contains(&parameter.name.to_ascii_lowercase().as_str())
}

pub(super) fn request<'a>(subject: &Subject<'a>, plan: &Plan<'_>) -> Result<Request<'a>, CodegenError> {
    let operation = subject.operation;
    let owner = subject.cx.ir.policies.get(operation.policy).owner.as_ref().map(|o| o.value.id.clone());
    let parameters: Vec<&Parameter> = operation.parameters.iter().filter(|p| !ignored(p)).collect();
    let keys: Vec<String> = parameters.iter().map(|p| field_key(p, &parameters)).collect();
    let idents = unique(keys.iter().map(String::as_str), Case::Snake, &["body"]);
    let (mut fields, mut id) = (Vec::new(), None);
    for (parameter, name) in parameters.iter().zip(&idents) {
        let is_id = owner.as_ref().is_some_and(|owner| names(owner, parameter));
        let default = plan.default(parameter.schema);
        let spec = spec(subject, parameter, is_id, default.as_deref(), plan);
        let spec = verbatim::one_line(short::operation(spec));
        if is_id {
            // The id of an owned object is no field: it comes back as the object, or not at all.
            id = Some(Id::Parameter(spec));
            continue;
        }
        let given = parameter.required || default.is_some();
        let ty = plan.request_type(parameter.schema, subject.unknown);
        fields.push(Field {
            parameter,
            given,
            docs: parameter.description.clone(),
            name: ident(name),
            ty: if given { ty } else { quote!(::core::option::Option<#ty>) },
            read: format!("{} {spec}", if given { "required" } else { "optional" }),
        });
    }
    let mut request =
        Request { meta: TokenStream::new(), fields, body: None, id, body_enum: TokenStream::new(), streams: false };
    if let Some(body) = body(subject, plan) {
        request.meta = body.spec;
        request.body = Some(BodyField {
            schema: body.schema,
            required: body.required,
            docs: body.docs,
            ty: body.ty,
            read: body.read,
        });
        (request.body_enum, request.streams) = (body.definition, body.streams);
    }
    if let Some(owner) = owner.filter(|o| o.part == RequestPart::Body) {
        request.id = Some(Id::Body(owner.name));
    }
    Ok(request)
}

/// The name under which a parameter becomes a field. Where one name stands in several places, the place is part of it.
fn field_key(parameter: &Parameter, all: &[&Parameter]) -> String {
    if all.iter().filter(|p| p.name == parameter.name).count() > 1 {
        return format!("{} {}", parameter.name, parameter.location.as_str());
    }
    parameter.name.clone()
}

/// Whether `reference` is of this parameter.
fn names(reference: &Reference, parameter: &Parameter) -> bool {
    match (reference.part, parameter.location) {
        (RequestPart::Path, Location::Path) | (RequestPart::Query, Location::Query) => reference.name == parameter.name,
        (RequestPart::Header, Location::Header) => reference.name.eq_ignore_ascii_case(&parameter.name),
        _ => false,
    }
}

fn spec(
    subject: &Subject<'_>,
    parameter: &Parameter,
    is_id: bool,
    default: Option<&str>,
    plan: &Plan<'_>,
) -> TokenStream {
    let name = match parameter.location {
        Location::Header => parameter.name.to_ascii_lowercase(),
        _ => parameter.name.clone(),
    };
    let (place, usual) = match parameter.location {
        Location::Path => (quote!(path), (quote!(Simple), false)),
        Location::Query => (quote!(query), (quote!(Form), true)),
        Location::Header => (quote!(header), (quote!(Simple), false)),
        Location::Cookie => (quote!(cookie), (quote!(Form), true)),
        Location::QueryString => (quote!(query_string), (quote!(Form), true)),
    };
    let (style, explode) = parameter_style(parameter);
    let required = parameter.required || is_id;
    let shape = shape(&subject.cx.ir.api.schemas, parameter.schema).promoted();
    let check = plan.check(parameter.schema, subject.unknown);
    let mut spec = quote!(#place(#name, #shape, #check));
    if (style.to_string(), explode) != (usual.0.to_string(), usual.1) {
        spec.extend(quote!(.style(::gatewright::params::Style::#style, #explode)));
    }
    // What stands in the path is there.
    if required && parameter.location != Location::Path {
        spec.extend(quote!(.required()));
    }
    if let Some(text) = default.filter(|_| !required) {
        spec.extend(quote!(.default(#text)));
    }
    if parameter.allow_empty {
        spec.extend(quote!(.allow_empty()));
    }
    spec
}

/// Whether a multipart body is read whole, as a form; of others a handler reads the parts.
pub(crate) fn is_form(schemas: &Schemas, media: &api::Media) -> bool {
    let essence = media.media_type.value.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    essence == "multipart/form-data" && media.schema.is_some_and(|schema| shape(schemas, schema).is_object())
}

struct Body {
    schema: Option<SchemaId>,
    required: bool,
    spec: TokenStream,
    ty: TokenStream,
    read: TokenStream,
    docs: Option<String>,
    definition: TokenStream,
    streams: bool,
}

fn body(subject: &Subject<'_>, plan: &Plan<'_>) -> Option<Body> {
    let body = subject.operation.body.as_ref()?;
    let media: Vec<Media> =
        body.content.iter().map(|m| media(&subject.cx.ir.api.schemas, subject.unknown, m, plan)).collect();
    let specs = media.iter().map(|m| &m.spec);
    let required = body.required;
    let streams = media.iter().any(|m| m.streams);
    let failure = if media.iter().any(|m| m.xml) { quote!(::gatewright::needs_xml!();) } else { quote!() };
    let method = if required { quote!(body) } else { quote!(optional_body) };
    let spec = quote!(.#method(&[#(#specs),*]));
    // Names of JSON for values of one type: a handler has nothing to tell apart.
    let json = body.content.iter().all(|m| m.kind == MediaKind::Json);
    let alike = |(a, b): (&Media, &Media)| a.ty.to_string() == b.ty.to_string();
    let single = json && media.iter().zip(media.iter().skip(1)).all(alike) || media.len() == 1;
    let (ty, read, definition) = match media.as_slice() {
        [] => return None,
        [one, ..] if single => (one.ty.clone(), one.read.clone(), failure),
        several => {
            let types = body.content.iter().map(api::Media::taken);
            let keys: Vec<String> = types.map(media_name).collect();
            let keys = keys.iter().enumerate().map(|(i, k)| {
                // The same type twice, with other parameters: numbered.
                if keys.iter().take(i).any(|other| other == k) { format!("{k} {i}") } else { k.clone() }
            });
            let keys: Vec<String> = keys.collect();
            let variants: Vec<_> =
                unique(keys.iter().map(String::as_str), Case::Pascal, &[]).iter().map(|v| ident(v)).collect();
            let definitions = several.iter().zip(&variants).zip(&body.content).map(|((m, variant), content)| {
                let (ty, docs) = (&m.ty, doc(&content.media_type.value));
                quote!(#docs #variant(#ty),)
            });
            let arms = several.iter().zip(&variants).enumerate().map(|(i, (m, variant))| {
                let read = &m.read;
                let i = proc_macro2::Literal::usize_unsuffixed(i);
                quote!(::core::option::Option::Some(#i) => #read.map(Body::#variant),)
            });
            let read = quote! {
                match input.media() { #(#arms)* _ => ::core::option::Option::None }
            };
            let definition = quote! {
                /// The body, by its media type.
                #[derive(Debug)]
                pub enum Body { #(#definitions)* }
                #failure
            };
            (quote!(Body), read, definition)
        }
    };
    let (ty, read) = if required {
        (ty, read)
    } else {
        let read = if single {
            quote!(#read.map(::core::option::Option::Some))
        } else {
            quote!((#read).map(::core::option::Option::Some))
        };
        (
            quote!(::core::option::Option<#ty>),
            quote! {
                if input.no_body() { ::core::option::Option::Some(::core::option::Option::None) } else { #read }
            },
        )
    };
    let schema = body.content.first().filter(|_| single && media.iter().all(|m| m.is_value)).and_then(|m| m.schema);
    Some(Body { schema, required, spec, ty, read, docs: body.description.clone(), definition, streams })
}

/// What a media type is called in an enum: `Json`, `FormUrlencoded`, `Csv`, `PngImage`.
pub(crate) fn media_name(media_type: &str) -> String {
    let essence = media_type.split(';').next().unwrap_or("").trim();
    match essence.split_once('/') {
        Some(("*", _)) => "Any".to_owned(),
        Some((main, "*")) => format!("Any {main}"),
        Some((_, "x-www-form-urlencoded")) => "Form".to_owned(),
        Some((_, "octet-stream")) => "Bytes".to_owned(),
        Some(("text", "plain")) => "Text".to_owned(),
        Some(("multipart", sub)) => format!("Multipart {sub}"),
        Some((_, sub)) => sub.replace("vnd.", "").replace("x-", ""),
        None => essence.to_owned(),
    }
}

struct Media {
    /// Whether it is a value of its schema's type.
    is_value: bool,
    /// Whether the handler reads it.
    streams: bool,
    /// Whether its reading needs the feature for XML.
    xml: bool,
    spec: TokenStream,
    ty: TokenStream,
    read: TokenStream,
}

fn media(schemas: &Schemas, unknown: UnknownFields, media: &api::Media, plan: &Plan<'_>) -> Media {
    let value = quote!(input.value(found));
    let untyped = || (quote!(::gatewright::json::Json), quote!(::gatewright::json::check::any));
    let typed = |schema: SchemaId| (plan.request_type(schema, unknown), plan.check(schema, unknown));
    let essence = media.taken().split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    let bytes = || (quote!(::gatewright::body::ByteStream), quote!(input.bytes()), quote!(Bytes));
    let (ty, read, how) = match (media.kind, media.schema) {
        (MediaKind::Json, schema) => {
            let (ty, check) = schema.map_or_else(untyped, typed);
            (ty, value, quote!(Json(#check)))
        }
        (MediaKind::Form, schema) => {
            let (ty, check) = schema.map_or_else(untyped, typed);
            let shape = schema.map(|s| shape(schemas, s)).unwrap_or_default().promoted();
            let encoded = encoded(media);
            (ty, value, quote!(Form(#shape, &[#(#encoded),*], #check)))
        }
        (MediaKind::Multipart, Some(schema)) if is_form(schemas, media) => {
            let (ty, check) = typed(schema);
            let form = form(schemas, unknown, media, schema, plan);
            (ty, value, quote!(Parts(&#form, #check)))
        }
        (MediaKind::Multipart, _) => (quote!(::gatewright::body::Parts), quote!(input.parts()), quote!(Multipart)),
        (MediaKind::JsonLines, _) => {
            let (ty, check) = items(schemas, media).map_or_else(untyped, typed);
            let how = if essence.ends_with("json-seq") { quote!(Sequence(#check)) } else { quote!(Lines(#check)) };
            (quote!(::gatewright::body::ItemStream<#ty>), quote!(input.items()), how)
        }
        (MediaKind::EventStream, _) => {
            let (ty, how) = match (media.item_schema, event_data(schemas, media)) {
                (Some(item), _) => {
                    let (ty, check) = typed(item);
                    (ty, quote!(Events(#check)))
                }
                (None, Some(data)) => {
                    let (ty, check) = typed(data);
                    (quote!(::gatewright::body::Event<#ty>), quote!(DataEvents(#check)))
                }
                (None, None) => (
                    quote!(::gatewright::body::Event<::std::string::String>),
                    quote!(Events(::gatewright::json::check::any)),
                ),
            };
            (quote!(::gatewright::body::ItemStream<#ty>), quote!(input.items()), how)
        }
        (MediaKind::Text, Some(schema)) if is_binary(schemas, schema) => bytes(),
        (MediaKind::Text, schema) => {
            // A text has a schema only in name unless that is one of strings.
            let text = schema.filter(|s| shape(schemas, *s).is_text());
            let (ty, check) =
                text.map_or_else(|| (quote!(::std::string::String), quote!(::gatewright::json::check::any)), typed);
            (ty, value, quote!(Text(#check)))
        }
        (MediaKind::Xml, Some(schema)) if !is_binary(schemas, schema) => {
            let (ty, check) = typed(schema);
            let table = plan.xml.table(schemas, schema);
            (ty, value, quote!(Xml(#table, #check)))
        }
        (MediaKind::Xml | MediaKind::Binary, _) => bytes(),
    };
    let streams = matches!(media.kind, MediaKind::Multipart | MediaKind::JsonLines | MediaKind::EventStream)
        || how.to_string() == "Bytes";
    let xml = media.kind == MediaKind::Xml && !streams;
    let is_value = read.to_string() == quote!(input.value(found)).to_string()
        && (media.kind != MediaKind::Text || media.schema.is_some_and(|schema| shape(schemas, schema).is_text()));
    Media {
        is_value,
        streams,
        xml,
        spec: quote! {
            ::gatewright::params::MediaSpec::new(#essence, ::gatewright::params::Read::#how)
        },
        ty,
        read,
    }
}

/// The schema of each item of JSON Lines: `itemSchema` (3.2), else what an array's items are, else the schema as it is.
pub(crate) fn items(schemas: &Schemas, media: &api::Media) -> Option<SchemaId> {
    let whole = media.schema;
    media.item_schema.or_else(|| whole.and_then(|id| schemas.get(id).array.items)).or(whole)
}

/// What documents before 3.2 say of events: the schema of their data, unless that is any text.
pub(crate) fn event_data(schemas: &Schemas, media: &api::Media) -> Option<SchemaId> {
    items(schemas, media).filter(|schema| media.item_schema.is_none() && !shape(schemas, *schema).is_text())
}

/// Whether a text is declared to be bytes: then it is a stream.
pub(crate) fn is_binary(schemas: &Schemas, schema: SchemaId) -> bool {
    schemas.get(schema).notes.format.as_ref().is_some_and(|format| format.value == "binary")
}

/// How the fields of a form are written, where its `encoding` says so.
pub(crate) fn encoded(media: &api::Media) -> Vec<TokenStream> {
    let fields = media.encoding.iter().filter_map(|(name, part)| {
        let json = part.content_type.as_deref().is_some_and(|t| MediaKind::of(t) == MediaKind::Json);
        let (style, explode) = match part.style {
            // `contentType` means nothing beside a style (OpenAPI 3.2.0, 4.15.1.2).
            None if json && part.explode.is_none() => (quote!(Json), false),
            None if part.explode.is_none() => return None,
            style => (
                self::style(style.unwrap_or(Style::Form)),
                part.explode.unwrap_or(style.is_none_or(|s| s == Style::Form)),
            ),
        };
        Some(quote! {
            ::gatewright::params::Encoded {
                name: #name, style: ::gatewright::params::Style::#style, explode: #explode
            }
        })
    });
    fields.collect()
}

/// How a parameter is written: the runtime's name of its style, and `explode`.
pub(crate) fn parameter_style(parameter: &Parameter) -> (TokenStream, bool) {
    match &parameter.encoding {
        ParameterEncoding::Content(media) => match MediaKind::of(media) {
            MediaKind::Json => (quote!(Json), false),
            MediaKind::Form if parameter.location == Location::QueryString => (quote!(Form), true),
            _ => (quote!(Text), false),
        },
        ParameterEncoding::Style { style, explode, .. } => (self::style(*style), *explode),
    }
}

fn style(style: Style) -> TokenStream {
    match style {
        Style::Matrix => quote!(Matrix),
        Style::Label => quote!(Label),
        Style::Simple => quote!(Simple),
        Style::Form => quote!(Form),
        Style::SpaceDelimited => quote!(SpaceDelimited),
        Style::PipeDelimited => quote!(PipeDelimited),
        Style::DeepObject => quote!(DeepObject),
        Style::Cookie => quote!(Cookie),
    }
}

/// The table of a form's parts.
fn form(
    schemas: &Schemas,
    unknown: UnknownFields,
    media: &api::Media,
    schema: SchemaId,
    plan: &Plan<'_>,
) -> TokenStream {
    let shape = shape(schemas, schema);
    let parts = shape.parts().map(|(name, kind, repeated)| {
        let encoding = media.encoding.iter().find(|(n, _)| n == name).map(|(_, part)| part);
        let types = encoding.and_then(|part| part.content_type.as_deref()).into_iter().flat_map(|t| t.split(','));
        let types: Vec<String> = types.map(|t| t.trim().to_ascii_lowercase()).filter(|t| !t.is_empty()).collect();
        let headers = encoding.into_iter().flat_map(|part| &part.headers).map(|header| {
            let (name, required) = (header.name.to_ascii_lowercase(), header.required);
            let shape = crate::shape::shape(schemas, header.schema).promoted();
            let check = plan.check(header.schema, unknown);
            let style = match (header.json, header.explode) {
                (true, _) => quote!(.style(::gatewright::params::Style::Json, false)),
                (false, true) => quote!(.style(::gatewright::params::Style::Simple, true)),
                (false, false) => quote!(),
            };
            let required = if required { quote!(.required()) } else { quote!() };
            quote!(::gatewright::params::ParameterSpec::header(#name, #shape, #check) #style #required)
        });
        quote! {
            ::gatewright::body::PartSpec {
                name: #name,
                kind: ::gatewright::body::PartKind::#kind,
                repeated: #repeated,
                types: &[#(#types),*],
                headers: &[#(#headers),*],
            }
        }
    });
    quote!(::gatewright::body::FormSpec { parts: &[#(#parts),*] })
}

/// The path template as the router reads it.
pub(super) fn template(path: &PathTemplate) -> Result<String, CodegenError> {
    let mut text = String::new();
    for pieces in &path.segments {
        text.push('/');
        for piece in pieces {
            let (PathPiece::Literal(part) | PathPiece::Parameter(part)) = piece;
            // The lock behind the reader of templates: what is written must be read as what it was.
            if part.is_empty() || part.contains(['{', '}', '/']) {
                return Err(CodegenError::new(
                    "a path template with a brace or a slash in it cannot be written",
                    path.span,
                ));
            }
            match piece {
                PathPiece::Literal(part) => text.push_str(part),
                PathPiece::Parameter(name) => text.extend(["{", name, "}"]),
            }
        }
    }
    Ok(text)
}

/// The type of each resource's id: what all operations that name it agree on, else any JSON value.
pub(crate) fn owner_ids(ir: &CheckedIr, names: &Names, plan: &Plan<'_>) -> Vec<TokenStream> {
    let mut ids = Vec::new();
    for resource in &names.resources {
        let mut found: Vec<TokenStream> = Vec::new();
        for operation in &ir.api.operations {
            let policy = ir.policies.get(operation.policy);
            let Some(owner) = policy.owner.as_ref().filter(|o| o.resource.value == resource.word) else { continue };
            let ty = match schema_of(ir, operation, &owner.id) {
                Some(schema) => plan.request_type(schema, policy.unknown_fields.value),
                None => quote!(::gatewright::json::Json),
            };
            if !found.iter().any(|f| f.to_string() == ty.to_string()) {
                found.push(ty);
            }
        }
        ids.push(match found.as_slice() {
            [one] => one.clone(),
            _ => quote!(::gatewright::json::Json),
        });
    }
    ids
}

/// The schema of the value that a reference names.
fn schema_of(ir: &CheckedIr, operation: &Operation, reference: &Reference) -> Option<SchemaId> {
    match reference.part {
        RequestPart::Path => parameter_schema(operation, Location::Path, &reference.name),
        RequestPart::Query => parameter_schema(operation, Location::Query, &reference.name),
        RequestPart::Header => operation
            .parameters
            .iter()
            .find(|p| p.location == Location::Header && p.name.eq_ignore_ascii_case(&reference.name))
            .map(|p| p.schema),
        RequestPart::Body => {
            let media = operation.body.as_ref()?.content.iter().find(|m| m.kind == MediaKind::Json)?;
            let mut schema = media.schema?;
            for part in reference.name.split('/').skip(1) {
                let part = part.replace("~1", "/").replace("~0", "~");
                schema = property(&ir.api.schemas, schema, &part)?;
            }
            Some(schema)
        }
    }
}

fn property(schemas: &Schemas, id: SchemaId, name: &str) -> Option<SchemaId> {
    let own = |schema: &gatewright_ir::schema::Schema| {
        schema.object.properties.iter().find(|p| p.name == name).map(|p| p.schema)
    };
    schemas.always(id).find_map(own)
}
