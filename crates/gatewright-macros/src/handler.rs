//! `#[handler(Trait)]` on a function.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{FnArg, ItemFn, ReturnType, Type};

use crate::arguments::{Arguments, forwarded, module_of, with_error};

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    match generate(arguments, item.clone()) {
        Ok(implementation) => quote!(#item #implementation),
        Err(error) => with_error(&item, &error),
    }
}

fn generate(arguments: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let arguments: Arguments = syn::parse2(arguments)?;
    let function: ItemFn = syn::parse2(item)?;
    let signature = &function.sig;
    if let Some(parameter) = signature.generics.params.first() {
        return Err(syn::Error::new(
            parameter.span(),
            "a handler has no type parameters: it handles one operation of one application",
        ));
    }
    let (app, inputs) = inputs(&function)?;
    let path = &arguments.path;
    let module = module_of(path);
    let name = &signature.ident;
    let awaits = signature.asyncness.map(|_| quote!(.await));
    let names: Vec<_> = (0..inputs.len()).map(|i| format_ident!("input_{i}")).collect();
    // One name, also where the function itself comes out of a macro and its types have that one's hygiene.
    let own = format_ident!("cx");
    let takes = inputs.iter().zip(&names).map(|(input, name)| {
        // The type's own span, so that an input that the operation does not have is an error on that argument.
        quote_spanned! {input.span()=> let #name = <#input as ::gatewright::Part<#module::Cx<#app>>>::take(&mut #own)?; }
    });
    let cx = if inputs.is_empty() { quote!(_cx) } else { quote!(mut #own) };
    let result = match &signature.output {
        // Without a result the mismatch is best told at the function's name.
        ReturnType::Default => quote_spanned!(name.span()=> #module::Result),
        ReturnType::Type(_, _) => quote!(#module::Result),
    };
    let also = arguments.also.iter().map(|old| forwarded(&app, path, old));
    Ok(quote! {
        impl #path for #app {
            async fn handle(&self, #cx: #module::Cx<#app>) -> #result {
                #(#takes)*
                #name(self, #(#names),*) #awaits
            }
        }
        #(#also)*
    })
}

/// The application, and the types of the inputs.
pub(crate) fn inputs(function: &ItemFn) -> syn::Result<(Type, Vec<Type>)> {
    let mut types = Vec::new();
    for argument in &function.sig.inputs {
        match argument {
            FnArg::Typed(typed) => types.push((*typed.ty).clone()),
            FnArg::Receiver(receiver) => {
                return Err(syn::Error::new(
                    receiver.span(),
                    "a handler is a free function: its first argument is `app: &App`",
                ));
            }
        }
    }
    let mut types = types.into_iter();
    match types.next() {
        Some(Type::Reference(reference)) if reference.mutability.is_none() => {
            let app = without_lifetimes((*reference.elem).clone());
            Ok((app, types.collect()))
        }
        Some(other) => Err(syn::Error::new(
            other.span(),
            "the first argument of a handler is a reference to the application: `&Bank`",
        )),
        None => Err(syn::Error::new(
            function.sig.ident.span(),
            "the first argument of a handler is a reference to the application: `bank: &Bank`",
        )),
    }
}

fn without_lifetimes(ty: Type) -> Type {
    match ty {
        Type::Paren(inner) => without_lifetimes(*inner.elem),
        Type::Group(inner) => without_lifetimes(*inner.elem),
        other => other,
    }
}
