//! One operation: its trait, and the module of its inputs and answers.

mod document;
mod request;
mod response;

use gatewright_diag::SourceMap;
use gatewright_ir::api::Operation;
use gatewright_ir::policy::{Access, UnknownFields};
use gatewright_ir::{CheckedIr, SchemaId};
use proc_macro2::TokenStream;
use quote::quote;

use crate::CodegenError;
use crate::names::{Names, OperationNames, ResourceNames};
use crate::types::Plan;

pub(crate) use document::stub;
pub(crate) use request::owner_ids;

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
}

pub(crate) fn callers(ir: &CheckedIr, operation: &Operation) -> Callers {
    match &ir.policies.get(operation.policy).access.value {
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
    let policy = cx.ir.policies.get(operation.policy);
    let owner = policy.owner.as_ref().and_then(|owner| {
        let index = cx.names.resources.iter().position(|r| r.word == owner.resource.value)?;
        Some((cx.names.resources.get(index)?, cx.ids.get(index)?.clone()))
    });
    let subject = Subject {
        cx,
        operation,
        names,
        owner,
        unknown: policy.unknown_fields.value,
        callers: callers(cx.ir, operation),
    };
    let definition = document::definition(&subject);
    let module = module(&subject, plan)?;
    let route = route(&subject);
    Ok(quote!(#definition #module #route))
}

fn module(subject: &Subject<'_>, plan: &Plan<'_>) -> Result<TokenStream, CodegenError> {
    let name = &subject.names.module;
    let docs = crate::docs::doc(&format!("Inputs and answers of {}.", subject.operation.id));
    let request = request::request(subject, plan)?;
    let (responses, errors, produces) = response::responses(subject, plan);
    let meta = meta(subject, &request.parameters, &request.body, &produces);
    let (fields, read, media_enum) = (&request.fields, &request.read, &request.body_enum);
    let id = subject.owner.as_ref().map_or_else(|| quote!(()), |(_, id)| id.clone());
    let (context_docs, context) = match &subject.owner {
        Some((resource, _)) => {
            let resolve = &resource.name;
            (
                "What the pipeline hands to the handler, with the object that it may touch.",
                quote!(::gatewright::Authorized<<A as super::super::resources::#resolve>::Object>),
            )
        }
        None => ("What the pipeline hands to the handler.", quote!(::gatewright::Unowned<A>)),
    };
    let caller = match subject.callers {
        Callers::None => quote!(),
        Callers::Some => quote! {
            /// Who calls, if a credential was presented.
            pub type Caller = ::core::option::Option<::gatewright::Caller<Op>>;
        },
        Callers::Always => quote! {
            /// Who calls.
            pub type Caller = ::gatewright::Caller<Op>;
            impl ::gatewright::Guarded for Op {}
        },
    };
    let context_docs = crate::docs::doc(context_docs);
    let (input, found) = (&request.input, &request.found);
    Ok(quote! {
        #docs
        pub mod #name {
            /// Marks the operation.
            #[derive(Debug)]
            pub struct Op;
            impl ::gatewright::Operation for Op {
                #meta
                type Request = Request;
                type Id = #id;
                fn read(
                    #input: &::gatewright::Input<'_>,
                    #found: &mut ::gatewright::json::Violations,
                ) -> ::core::option::Option<(Request, Self::Id)> {
                    #read
                }
            }
            /// A valid request.
            #[derive(Debug)]
            pub struct Request { #fields }
            impl<K> ::gatewright::Part<::gatewright::Cx<Op, K>> for Request {
                fn take(
                    cx: &mut ::gatewright::Cx<Op, K>,
                ) -> ::core::result::Result<Self, ::gatewright::Internal> {
                    ::gatewright::take_request(cx)
                }
            }
            #media_enum
            #responses
            #errors
            /// What the handler gives.
            pub type Result = ::core::result::Result<Response, Error>;
            #caller
            #context_docs
            pub type Cx<A> = ::gatewright::Cx<Op, #context>;
        }
    })
}

fn meta(subject: &Subject<'_>, parameters: &TokenStream, body: &TokenStream, produces: &[String]) -> TokenStream {
    let constant = &subject.names.constant;
    let method = &subject.operation.method;
    let path = request::template(&subject.operation.path);
    let refuse = subject.unknown == UnknownFields::Refuse;
    let credentials = subject.cx.credentials;
    quote! {
        const API: &'static ::gatewright::table::ApiPolicy = &super::super::policy::API;
        const META: &'static ::gatewright::Meta = &::gatewright::Meta {
            policy: &super::super::policy::#constant,
            method: #method,
            path: #path,
            parameters: #parameters,
            body: #body,
            produces: &[#(#produces),*],
            credentials: &[#(#credentials),*],
            refuse_unknown: #refuse,
        };
    }
}

/// Which function is called, with the application's type forgotten.
fn route(subject: &Subject<'_>) -> TokenStream {
    let (name, module) = (&subject.names.name, &subject.names.module);
    let steps = match &subject.owner {
        None => quote! {
            let (valid, ()) = pending.read::<Self>()?;
            let cx = valid.unowned();
        },
        Some((resource, _)) => {
            let resolve = &resource.name;
            quote! {
                let (valid, id) = pending.read::<Self>()?;
                let who = valid.identity()?;
                let object = super::resources::#resolve::resolve(&*app, id, &who).await;
                let cx = valid.owned(object)?;
            }
        }
    };
    quote! {
        impl<A: #name> ::gatewright::HandledBy<A> for #module::Op {
            const ROUTE: ::gatewright::Route<A> = ::gatewright::Route::new::<Self>(|app, pending| {
                ::std::boxed::Box::pin(async move {
                    #steps
                    ::core::result::Result::Ok(::gatewright::IntoReply::into_reply(#name::handle(&*app, cx).await))
                })
            });
        }
    }
}

/// The schema of a parameter, if the operation has it.
pub(crate) fn parameter_schema(
    operation: &Operation,
    place: gatewright_ir::api::Location,
    name: &str,
) -> Option<SchemaId> {
    operation.parameters.iter().find(|p| p.location == place && p.name == name).map(|p| p.schema)
}
