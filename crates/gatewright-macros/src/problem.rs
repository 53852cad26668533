//! `#[derive(Problem)]`: domain errors as the error responses of operations.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Fields, LitStr, Path, Token};

use crate::arguments::{Paths, attribute, module_of};

pub(crate) fn expand(item: TokenStream) -> TokenStream {
    generate(item).unwrap_or_else(|error| error.to_compile_error())
}

/// `Conflict, title = "…", detail = "…", kind = "…"`, or `Conflict, with = path`, or `internal`.
struct Variant {
    response: Ident,
    title: Option<LitStr>,
    detail: Option<LitStr>,
    kind: Option<LitStr>,
    with: Option<Path>,
}

impl Parse for Variant {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let response = input.parse()?;
        let mut variant = Variant { response, title: None, detail: None, kind: None, with: None };
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            let key = input.parse::<Ident>()?;
            input.parse::<Token![=]>()?;
            match key.to_string().as_str() {
                "title" => variant.title = Some(input.parse()?),
                "detail" => variant.detail = Some(input.parse()?),
                "kind" => variant.kind = Some(input.parse()?),
                "with" => variant.with = Some(input.parse()?),
                _ => return Err(syn::Error::new(key.span(), "the keys here are `title`, `detail`, `kind` and `with`")),
            }
        }
        Ok(variant)
    }
}

fn generate(item: TokenStream) -> syn::Result<TokenStream> {
    let item: DeriveInput = syn::parse2(item)?;
    let name = &item.ident;
    let Paths(operations) =
        attribute(&item.attrs, "problem", name.span(), "say whose errors these are: `#[problem(CreateTransfer)]`")?;
    let Data::Enum(data) = &item.data else {
        return Err(syn::Error::new(
            name.span(),
            "a domain error is an enum: each variant is one of the error responses",
        ));
    };
    let mut variants = Vec::new();
    for variant in &data.variants {
        let rule: Variant = attribute(
            &variant.attrs,
            "problem",
            variant.ident.span(),
            "say which error response this is: `#[problem(Conflict)]`, or `#[problem(internal)]`",
        )?;
        variants.push((variant, rule));
    }
    let mut out = TokenStream::new();
    for operation in &operations {
        let error = module_of(operation);
        let arms = variants.iter().map(|(variant, rule)| arm(name, &quote!(#error::Error), variant, rule));
        let arms: Vec<_> = arms.collect::<syn::Result<_>>()?;
        out.extend(quote_spanned! {operation.span()=>
            impl ::core::convert::From<#name> for #error::Error {
                fn from(error: #name) -> Self {
                    match error { #(#arms)* }
                }
            }
        });
    }
    Ok(out)
}

fn arm(name: &Ident, error: &TokenStream, variant: &syn::Variant, rule: &Variant) -> syn::Result<TokenStream> {
    let ident = &variant.ident;
    let response = &rule.response;
    if response == "internal" {
        let cause = match &variant.fields {
            Fields::Unit => {
                let text = ident.to_string();
                return Ok(quote!(#name::#ident => #error::Internal(::gatewright::Internal::new(#text)),));
            }
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => quote!((cause)),
            other => {
                return Err(syn::Error::new(
                    other.span(),
                    "an internal error has one unnamed field, its cause, or none",
                ));
            }
        };
        return Ok(quote!(#name::#ident #cause => #error::Internal(::gatewright::Internal::new(cause)),));
    }
    let rest = match &variant.fields {
        Fields::Unit => quote!(),
        Fields::Named(_) => quote!({ .. }),
        Fields::Unnamed(_) => quote!((..)),
    };
    let target = quote_spanned!(response.span()=> #error::#response);
    if let Some(with) = &rule.with {
        return Ok(quote!(whole @ #name::#ident #rest => #target(#with(&whole)),));
    }
    let title = rule.title.as_ref().map(|t| quote!(.title(#t)));
    let detail = rule.detail.as_ref().map(|t| quote!(.detail(#t)));
    let kind = rule.kind.as_ref().map(|t| quote!(.kind(#t)));
    // The status is the response's own; the renderer sets it.
    Ok(
        quote!(#name::#ident #rest => #target(::gatewright::Problem::new(::gatewright::StatusCode::INTERNAL_SERVER_ERROR) #kind #title #detail),),
    )
}
