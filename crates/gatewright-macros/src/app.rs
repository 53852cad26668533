//! `#[derive(App)]`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Fields};

pub(crate) fn expand(item: TokenStream) -> TokenStream {
    generate(item).unwrap_or_else(|error| error.to_compile_error())
}

fn generate(item: TokenStream) -> syn::Result<TokenStream> {
    let item: DeriveInput = syn::parse2(item)?;
    let name = &item.ident;
    let Data::Struct(data) = &item.data else {
        return Err(syn::Error::new(name.span(), "an application is a struct: its fields are what use cases need"));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(syn::Error::new(name.span(), "an application has named fields"));
    };
    let (generics, arguments, bounds) = item.generics.split_for_impl();
    let mut seen = Vec::new();
    let mut parts = Vec::new();
    for field in &fields.named {
        let mut skip = false;
        for attribute in field.attrs.iter().filter(|a| a.path().is_ident("app")) {
            attribute.parse_nested_meta(|meta| {
                skip = meta.path.is_ident("skip");
                if skip { Ok(()) } else { Err(meta.error("the only word here is `skip`")) }
            })?;
        }
        if skip {
            continue;
        }
        let (ident, ty) = (&field.ident, &field.ty);
        let text = quote!(#ty).to_string();
        if seen.contains(&text) {
            return Err(syn::Error::new(
                ty.span(),
                "two fields have this type, so a use case could not say which it needs: mark one with `#[app(skip)]`, or give it a type of its own",
            ));
        }
        seen.push(text);
        parts.push(quote_spanned! {ty.span()=>
            impl #generics ::gatewright::FromApp<#name #arguments> for #ty #bounds {
                fn from_app(app: &#name #arguments) -> Self {
                    ::core::clone::Clone::clone(&app.#ident)
                }
            }
        });
    }
    Ok(quote!(#(#parts)*))
}
