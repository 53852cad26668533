//! `#[derive(Principal)]`: claims into a struct.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Fields, LitStr};

pub(crate) fn expand(item: TokenStream) -> TokenStream {
    generate(item).unwrap_or_else(|error| error.to_compile_error())
}

fn generate(item: TokenStream) -> syn::Result<TokenStream> {
    let item: DeriveInput = syn::parse2(item)?;
    let name = &item.ident;
    if let Some(parameter) = item.generics.params.first() {
        return Err(syn::Error::new(parameter.span(), "a principal has no type parameters"));
    }
    let fields = match &item.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => &fields.named,
            _ => return Err(syn::Error::new(name.span(), "a principal has named fields: each is a claim")),
        },
        _ => return Err(syn::Error::new(name.span(), "a principal is a struct: its fields are claims")),
    };
    let mut values = Vec::new();
    for field in fields {
        let (ident, ty) = (&field.ident, &field.ty);
        let claim = match field.attrs.iter().find(|a| a.path().is_ident("claim")) {
            Some(attribute) => attribute.parse_args::<LitStr>()?.value(),
            None => ident.as_ref().map(|i| i.to_string().trim_start_matches("r#").to_owned()).unwrap_or_default(),
        };
        let path: Vec<&str> = claim.split('.').collect();
        values.push(quote_spanned! {ty.span()=>
            #ident: <#ty as ::gatewright::FromClaim>::from_claim(who.claim(&[#(#path),*]), #claim)?
        });
    }
    Ok(quote! {
        impl ::gatewright::Principal for #name {
            fn from_identity(who: &::gatewright::Identity) -> ::core::result::Result<Self, ::gatewright::Internal> {
                ::core::result::Result::Ok(#name { #(#values),* })
            }
        }
        impl<O: ::gatewright::Guarded, K> ::gatewright::Part<::gatewright::Cx<O, K>> for #name {
            fn take(cx: &mut ::gatewright::Cx<O, K>) -> ::core::result::Result<Self, ::gatewright::Internal> {
                ::gatewright::take_principal(cx)
            }
        }
    })
}
