//! `#[resolver(Trait)]` on a function, `#[derive(Resource)]` on the object's own type.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{DeriveInput, GenericArgument, ItemFn, Path, PathArguments, ReturnType, Type};

use crate::arguments::{Arguments, attribute, module_of, with_error};

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    match generate(arguments, item.clone()) {
        Ok(implementation) => quote!(#item #implementation),
        Err(error) => with_error(&item, &error),
    }
}

fn generate(arguments: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let arguments: Arguments = syn::parse2(arguments)?;
    let function: ItemFn = syn::parse2(item)?;
    let (app, inputs) = crate::handler::inputs(&function)?;
    let name = &function.sig.ident;
    if inputs.len() != 2 {
        return Err(syn::Error::new(name.span(), "a resolver takes `app: &App, id: …, who: &Identity`"));
    }
    let object = match arguments.object.or_else(|| object_of(&function.sig.output)) {
        Some(object) => object,
        None => {
            return Err(syn::Error::new(
                function.sig.output.span(),
                "a resolver gives `Result<Owned<T>, ResolveError>`; where that is hidden in an alias, say `object = T`",
            ));
        }
    };
    let path = &arguments.path;
    let module = module_of(path);
    let awaits = function.sig.asyncness.map(|_| quote!(.await));
    let call = quote_spanned!(name.span()=> #name(self, id, who));
    let also = arguments.also.iter().map(|old| forwarded(&app, path, old));
    Ok(quote! {
        impl #path for #app {
            type Object = #object;
            async fn resolve(
                &self,
                id: #module::Id,
                who: &::gatewright::Identity,
            ) -> ::core::result::Result<::gatewright::Owned<#object>, ::gatewright::ResolveError> {
                #call #awaits
            }
        }
        #(#also)*
    })
}

/// The resource of an older version, found as the newer one's: its id may be of another type, which converts.
fn forwarded(app: &Type, new: &Path, old: &Path) -> TokenStream {
    let module = module_of(old);
    // At the older trait, but not as text of the user's: ids of one type are no useless conversion of his.
    quote_spanned! {Span::call_site().located_at(old.span())=>
        impl #old for #app {
            type Object = <#app as #new>::Object;
            async fn resolve(
                &self,
                id: #module::Id,
                who: &::gatewright::Identity,
            ) -> ::core::result::Result<::gatewright::Owned<Self::Object>, ::gatewright::ResolveError> {
                <#app as #new>::resolve(self, ::core::convert::Into::into(id), who).await
            }
        }
    }
}

/// `T` of `Result<Owned<T>, _>`.
fn object_of(output: &ReturnType) -> Option<Type> {
    let ReturnType::Type(_, output) = output else { return None };
    argument(&argument(output, None)?, Some("Owned"))
}

/// The first type argument of a path, whose last segment must be `name`.
fn argument(ty: &Type, name: Option<&str>) -> Option<Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    if name.is_some_and(|name| last.ident != name) {
        return None;
    }
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    arguments.args.iter().find_map(|a| if let GenericArgument::Type(ty) = a { Some(ty.clone()) } else { None })
}

pub(crate) fn expand_derive(item: TokenStream) -> TokenStream {
    derive(item).unwrap_or_else(|error| error.to_compile_error())
}

fn derive(item: TokenStream) -> syn::Result<TokenStream> {
    let item: DeriveInput = syn::parse2(item)?;
    let name = &item.ident;
    let arguments: Arguments = attribute(
        &item.attrs,
        "resolver",
        name.span(),
        "say which resource it is: `#[resolver(ResolveAccount, app = Bank)]`",
    )?;
    let Some(app) = &arguments.app else {
        return Err(syn::Error::new(arguments.path.span(), "say which application finds it: `app = Bank`"));
    };
    let path = &arguments.path;
    let module = module_of(path);
    let call = quote_spanned!(name.span()=> #name::resolve(self, id, who));
    let also = arguments.also.iter().map(|old| forwarded(app, path, old));
    Ok(quote! {
        impl #path for #app {
            type Object = #name;
            async fn resolve(
                &self,
                id: #module::Id,
                who: &::gatewright::Identity,
            ) -> ::core::result::Result<::gatewright::Owned<#name>, ::gatewright::ResolveError> {
                #call.await
            }
        }
        #(#also)*
    })
}
