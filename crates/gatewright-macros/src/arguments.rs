//! What the macros' arguments have in common.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Path, Token, Type};

/// `Trait, app = Type, also = Trait`
pub(crate) struct Arguments {
    pub(crate) path: Path,
    pub(crate) app: Option<Type>,
    pub(crate) object: Option<Type>,
    pub(crate) also: Vec<Path>,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.is_empty() {
            return Err(input.error("name the operation's trait: `CreateTransfer`"));
        }
        let path = input.parse::<Path>()?;
        let mut arguments = Arguments { path, app: None, object: None, also: Vec::new() };
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            let key = input.parse::<Ident>()?;
            input.parse::<Token![=]>()?;
            match key.to_string().as_str() {
                "app" => arguments.app = Some(input.parse()?),
                "object" => arguments.object = Some(input.parse()?),
                "also" => arguments.also.push(input.parse()?),
                _ => return Err(syn::Error::new(key.span(), "the keys here are `app`, `object` and `also`")),
            }
        }
        Ok(arguments)
    }
}

/// `v1::CreateTransfer` → `v1::create_transfer`
pub(crate) fn module_of(path: &Path) -> Path {
    let mut module = path.clone();
    if let Some(last) = module.segments.last_mut() {
        let name = gatewright_policy::case::module(&last.ident.to_string());
        last.ident = Ident::new(&name, last.ident.span());
    }
    module
}

/// An older version's operation that the handler of `new` answers: a second `impl`, and a constant that does not compile
/// where the older policy asks less.
pub(crate) fn forwarded(app: &Type, new: &Path, old: &Path) -> TokenStream {
    let (new_module, old_module) = (module_of(new), module_of(old));
    // What is missing for it is told at the older operation's name.
    quote_spanned! {old.span()=>
        const _: () = ::gatewright::forwards::<#old_module::Op, #new_module::Op>();
        impl #old for #app {
            async fn handle(&self, cx: #old_module::Cx<#app>) -> #old_module::Result {
                let cx = ::gatewright::forward::<#old_module::Op, #new_module::Op, _, _>(cx)?;
                match <#app as #new>::handle(self, cx).await {
                    ::core::result::Result::Ok(response) => ::core::result::Result::Ok(
                        <#old_module::Response as ::core::convert::From<#new_module::Response>>::from(response),
                    ),
                    ::core::result::Result::Err(error) => ::core::result::Result::Err(
                        <#old_module::Error as ::core::convert::From<#new_module::Error>>::from(error),
                    ),
                }
            }
        }
    }
}

/// The arguments of the one attribute of this name.
pub(crate) fn attribute<T: Parse>(attributes: &[Attribute], name: &str, span: Span, help: &str) -> syn::Result<T> {
    match attributes.iter().find(|a| a.path().is_ident(name)) {
        Some(attribute) => attribute.parse_args(),
        None => Err(syn::Error::new(span, help)),
    }
}

/// A list of paths.
pub(crate) struct Paths(pub(crate) Vec<Path>);

impl Parse for Paths {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Paths(Punctuated::<Path, Token![,]>::parse_terminated(input)?.into_iter().collect()))
    }
}

/// The error beside the item that it is about, so that the item itself stays known to the editor.
pub(crate) fn with_error(item: &TokenStream, error: &syn::Error) -> TokenStream {
    let error = error.to_compile_error();
    quote!(#item #error)
}

/// `include_api!(v1)`, or `include_api!("bank/v1")`.
pub(crate) fn include_api(input: TokenStream) -> TokenStream {
    let name = if let Ok(name) = syn::parse2::<Ident>(input.clone()) {
        name.to_string()
    } else {
        match syn::parse2::<syn::LitStr>(input) {
            Ok(text) => text.value(),
            Err(_) => {
                return syn::Error::new(Span::call_site(), "name the API version: `include_api!(v1)`")
                    .to_compile_error();
            }
        }
    };
    let file = format!("/{name}.rs");
    quote!(::core::include!(::core::concat!(::core::env!("OUT_DIR"), #file));)
}
