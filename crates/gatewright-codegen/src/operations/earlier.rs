//! Requests of an earlier version as requests of this one, and answers of this one as answers of that: with them, one
//! handler serves both versions of an operation (`also = …`). Written where nothing has to be decided; the rest is the
//! application's to say.

use gatewright_ir::api::Operation;
use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::request::{self, Request};
use super::response::{self, Answers, Variant};
use super::{Context, Subject, subject};
use crate::CodegenError;
use crate::names::OperationNames;
use crate::types::Plan;
use crate::types::convert::Conversions;

/// One version: what its operations are written from, and its types.
pub(crate) type Version<'a, 'p> = (&'a Context<'a>, &'a Plan<'p>);

/// One operation, with what goes in and what comes out.
struct Both<'a> {
    names: &'a OperationNames,
    request: Request<'a>,
    answers: Answers,
}

/// The conversions of all operations that both versions have, but those that are written by hand.
///
/// # Errors
/// As writing the operations themselves.
pub(crate) fn conversions(
    old: Version<'_, '_>,
    new: Version<'_, '_>,
    by_hand: &[String],
) -> Result<TokenStream, CodegenError> {
    let mut pairs = Vec::new();
    let olds = old.0.ir.api.operations.iter().zip(&old.0.names.operations);
    for (operation, names) in olds.filter(|(operation, _)| !by_hand.contains(&operation.id)) {
        let news = new.0.ir.api.operations.iter().zip(&new.0.names.operations);
        if let Some((other, others)) = { news }.find(|(other, _)| other.id == operation.id) {
            pairs.push((both(old, operation, names)?, both(new, other, others)?));
        }
    }
    let mut conversions = Conversions::new(old.1, new.1);
    let module = crate::names::ident(&old.0.ir.name);
    let write = |conversions: &mut Conversions<'_, '_, '_>| -> Vec<[Option<TokenStream>; 3]> {
        let of = |(old, new): &(Both<'_>, Both<'_>)| {
            [
                request(conversions, &module, old, new),
                answers(conversions, &module, (new, &new.answers.good), (old, &old.answers.good), "Response"),
                answers(conversions, &module, (new, &new.answers.bad), (old, &old.answers.bad), "Error"),
            ]
        };
        pairs.iter().map(of).collect()
    };
    // What is written first is a guess: that types convert which were not looked into yet.
    drop(write(&mut conversions));
    conversions.settle();
    let operations = write(&mut conversions);
    let types = conversions.items();
    let operations = operations.into_iter().flatten().flatten();
    Ok(quote!(#types #(#operations)*))
}

fn both<'a>(
    (cx, plan): Version<'a, '_>,
    operation: &'a Operation,
    names: &'a OperationNames,
) -> Result<Both<'a>, CodegenError> {
    let subject: Subject<'a> = subject(cx, operation, names);
    let request = request::request(&subject, plan)?;
    let answers = response::responses(&subject, request.streams, plan);
    Ok(Both { names, request, answers })
}

fn request(
    conversions: &mut Conversions<'_, '_, '_>,
    module: &Ident,
    old: &Both<'_>,
    new: &Both<'_>,
) -> Option<TokenStream> {
    let mut used = 0;
    let mut values = Vec::new();
    for field in &new.request.fields {
        let name = &field.name;
        let parameter = field.parameter;
        let same = |other: &&request::Field<'_>| {
            other.parameter.location == parameter.location && other.parameter.name == parameter.name
        };
        let value = match old.request.fields.iter().find(same) {
            Some(known) => {
                used += 1;
                if known.parameter.allow_empty && !parameter.allow_empty {
                    return None;
                }
                let how = conversions.request(known.parameter.schema, parameter.schema)?;
                let known_name = &known.name;
                let value = quote!(value.#known_name);
                if field.given && !known.given {
                    let default = conversions.default(parameter.schema)?;
                    let inner = how.apply(quote!(value));
                    quote!(match #value {
                        ::core::option::Option::Some(value) => #inner,
                        ::core::option::Option::None => #default,
                    })
                } else {
                    how.given(known.given, field.given, value)?
                }
            }
            None if field.given => conversions.default(parameter.schema)?,
            None => quote!(::core::option::Option::None),
        };
        values.push(quote!(#name: #value));
    }
    // What the older version takes must not be lost.
    if used < old.request.fields.len() {
        return None;
    }
    match (&old.request.body, &new.request.body) {
        (None, None) => {}
        (None, Some(body)) if !body.required => values.push(quote!(body: ::core::option::Option::None)),
        (Some(a), Some(b)) => {
            let how = match (a.schema, b.schema) {
                (Some(a), Some(b)) => conversions.request(a, b)?,
                _ => return None,
            };
            used += 1;
            let value = how.given(a.required, b.required, quote!(value.body))?;
            values.push(quote!(body: #value));
        }
        _ => return None,
    }
    let (operation, old_operation) = (&new.names.module, &old.names.module);
    let value = if used > 0 { quote!(value) } else { quote!(_) };
    Some(quote! {
        impl ::core::convert::From<#module::#old_operation::Request> for super::#operation::Request {
            fn from(#value: #module::#old_operation::Request) -> Self {
                Self { #(#values),* }
            }
        }
    })
}

fn answers(
    conversions: &mut Conversions<'_, '_, '_>,
    module: &Ident,
    (new, variants): (&Both<'_>, &[Variant]),
    (old, known): (&Both<'_>, &[Variant]),
    kind: &str,
) -> Option<TokenStream> {
    let kind = crate::names::ident(kind);
    let (operation, old_operation) = (&new.names.module, &old.names.module);
    let source = quote!(super::#operation::#kind);
    let arms = variants.iter().map(|variant| {
        // An answer that the older version does not declare is one that its callers do not know.
        let target = known.iter().find(|k| k.status == variant.status && k.media == variant.media)?;
        let (name, other) = (&variant.name, &target.name);
        let binds: Vec<&TokenStream> = variant.payload.iter().map(|(name, _)| name).collect();
        let values = target.payload.iter().map(|(part, ty)| {
            let (_, own) = variant.payload.iter().find(|(name, _)| name.to_string() == part.to_string())?;
            Some(match part.to_string().as_str() {
                "body" => match (variant.schema, target.schema) {
                    (Some(a), Some(b)) => {
                        let how = conversions.response(a, b)?;
                        match (variant.visible, target.visible) {
                            (false, false) => how.apply(quote!(body)),
                            (true, true) => how.inside().apply(quote!(body)),
                            (true, false) => how.apply(quote!(body.into_inner())),
                            // Nobody asked for whom the list is.
                            (false, true) => return None,
                        }
                    }
                    // Bytes, texts and problems are the runtime's types, the same in all versions.
                    (None, None) if ty.to_string() == own.to_string() && !ty.to_string().contains("types ::") => {
                        quote!(body)
                    }
                    _ => return None,
                },
                "headers" => {
                    let (struct_name, wanted) = target.headers.as_ref()?;
                    let (_, fields) = variant.headers.as_ref()?;
                    let fields = wanted.iter().map(|field| {
                        let own = fields.iter().find(|f| f.wire == field.wire)?;
                        let how = conversions.response(own.schema, field.schema)?;
                        let (name, own_name) = (&field.name, &own.name);
                        let value = how.given(own.required, field.required, quote!(headers.#own_name))?;
                        Some(quote!(#name: #value))
                    });
                    let fields = fields.collect::<Option<Vec<_>>>()?;
                    quote!(#module::#old_operation::#struct_name { #(#fields),* })
                }
                _ => quote!(status),
            })
        });
        let values = values.collect::<Option<Vec<_>>>()?;
        // Header fields that the older version does not declare are left out.
        let binds = binds.into_iter().map(|bind| {
            let used = target.payload.iter().any(|(part, _)| part.to_string() == bind.to_string());
            if used { quote!(#bind) } else { quote!(_) }
        });
        let binds: Vec<_> = binds.collect();
        let pattern = if binds.is_empty() { quote!() } else { quote!((#(#binds),*)) };
        let made = if values.is_empty() { quote!() } else { quote!((#(#values),*)) };
        Some(quote!(#source::#name #pattern => Self::#other #made,))
    });
    let arms = arms.collect::<Option<Vec<_>>>()?;
    let internal = if kind == "Error" { quote!(#source::Internal(error) => Self::Internal(error),) } else { quote!() };
    Some(quote! {
        impl ::core::convert::From<#source> for #module::#old_operation::#kind {
            fn from(value: #source) -> Self {
                match value {
                    #(#arms)*
                    #internal
                    #source::With(with) => Self::With(::std::boxed::Box::new(with.map(Self::from))),
                }
            }
        }
    })
}
