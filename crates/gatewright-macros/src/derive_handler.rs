//! `#[derive(Handler)]` on a struct.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Fields};

use crate::arguments::{Arguments, attribute, forwarded, module_of};

pub(crate) fn expand(item: TokenStream) -> TokenStream {
    generate(item).unwrap_or_else(|error| error.to_compile_error())
}

fn generate(item: TokenStream) -> syn::Result<TokenStream> {
    let item: DeriveInput = syn::parse2(item)?;
    let name = &item.ident;
    let arguments: Arguments = attribute(
        &item.attrs,
        "handler",
        name.span(),
        "say which operation it handles: `#[handler(CreateTransfer, app = Bank)]`",
    )?;
    let Some(app) = &arguments.app else {
        return Err(syn::Error::new(arguments.path.span(), "say on which application it runs: `app = Bank`"));
    };
    if let Some(parameter) = item.generics.params.first() {
        return Err(syn::Error::new(parameter.span(), "a use case has no type parameters"));
    }
    let Data::Struct(data) = &item.data else {
        return Err(syn::Error::new(name.span(), "a use case is a struct: its fields are its inputs"));
    };
    let path = &arguments.path;
    let module = module_of(path);
    let mut inputs = 0_usize;
    let values = data.fields.iter().map(|field| {
        let ty = &field.ty;
        let value = if field.attrs.iter().any(|a| a.path().is_ident("state")) {
            quote_spanned!(ty.span()=> <#ty as ::gatewright::FromApp<#app>>::from_app(self))
        } else {
            inputs += 1;
            quote_spanned!(ty.span()=> <#ty as ::gatewright::Part<#module::Cx<#app>>>::take(&mut cx)?)
        };
        match &field.ident {
            Some(field) => quote!(#field: #value),
            None => value,
        }
    });
    let values: Vec<_> = values.collect();
    let make = match &data.fields {
        Fields::Named(_) => quote!(#name { #(#values),* }),
        Fields::Unnamed(_) => quote!(#name(#(#values),*)),
        Fields::Unit => quote!(#name),
    };
    let cx = if inputs == 0 { quote!(_cx) } else { quote!(mut cx) };
    let handle = quote_spanned!(name.span()=> #name::handle(case));
    let also = arguments.also.iter().map(|old| forwarded(app, path, old));
    Ok(quote! {
        impl #path for #app {
            async fn handle(&self, #cx: #module::Cx<#app>) -> #module::Result {
                let case = #make;
                #handle.await
            }
        }
        #(#also)*
    })
}
