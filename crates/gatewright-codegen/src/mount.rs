//! What binds the operations of a version together: resolvers, markers of schemes, and the functions that mount it.

use gatewright_ir::CheckedIr;
use gatewright_ir::policy::{Scheme, Verify};
use proc_macro2::TokenStream;
use quote::quote;

use crate::docs::doc;
use crate::names::{Names, used_schemes};

/// The resolver trait of each resource.
pub(crate) fn resources(ir: &CheckedIr, names: &Names, ids: &[TokenStream]) -> TokenStream {
    let traits = names.resources.iter().zip(ids).map(|(resource, id)| {
        let (name, module, word) = (&resource.name, &resource.module, &resource.word);
        let users: Vec<&str> = ir
            .api
            .operations
            .iter()
            .filter(|o| ir.policies.get(o.policy).owner.as_ref().is_some_and(|w| w.resource.value == *word))
            .map(|o| o.id.as_str())
            .collect();
        let docs = doc(&format!("Finds one of `{word}`, and says whether this caller may touch it. For {}.", shown(&users)));
        let object = gatewright_ir::names::plain(word, gatewright_ir::names::Case::Pascal);
        let function = gatewright_ir::names::plain(word, gatewright_ir::names::Case::Snake);
        let escape = |text: &str| text.replace('{', "{{").replace('}', "}}");
        let message = format!("`{{Self}}` has no resolver for `{}`", escape(word));
        let label = format!("{} says `owner: {}`", escape(&shown(&users)), escape(word));
        let note = format!(
            "add it:\n\n#[gatewright::resolver({name})]\nasync fn {function}(app: &{{Self}}, id: {module}::Id, who: &gatewright::Identity)\n    -> Result<gatewright::Owned<{object}>, gatewright::ResolveError> {{{{\n    todo!()\n}}}}\n"
        );
        let module_docs = format!("The id of one of `{word}`.");
        let module_docs = doc(&module_docs);
        quote! {
            #docs
            #[diagnostic::on_unimplemented(message = #message, label = #label, note = #note)]
            pub trait #name: ::core::marker::Sized + ::core::marker::Send + ::core::marker::Sync + 'static {
                /// What is found.
                type Object: ::core::marker::Send + ::core::marker::Sync + 'static;
                /// Finds it. `Owned::Hidden` for what is not there and for what this caller may not touch.
                fn resolve(
                    &self,
                    id: #module::Id,
                    who: &::gatewright::Identity,
                ) -> impl ::core::future::Future<
                    Output = ::core::result::Result<::gatewright::Owned<Self::Object>, ::gatewright::ResolveError>,
                > + ::core::marker::Send;
            }
            #module_docs
            pub mod #module {
                /// The type of its id.
                pub type Id = #id;
                /// Says that an operation names one.
                #[derive(Debug)]
                pub enum Owner {}
                impl<A: super::#name> ::gatewright::Keep<A> for Owner {
                    type Id = Id;
                    type Kept = ::gatewright::Authorized<A::Object>;
                    async fn keep<O: ::gatewright::Operation<Id = Id>>(
                        app: &A,
                        valid: ::gatewright::Valid<O>,
                        id: Id,
                    ) -> ::core::result::Result<::gatewright::Cx<O, Self::Kept>, ::gatewright::Refused> {
                        let who = valid.identity()?;
                        let object = app.resolve(id, &who).await;
                        valid.owned(object)
                    }
                }
            }
        }
    });
    quote!(#(#traits)*)
}

/// At most three of them, and how many more.
fn shown(names: &[&str]) -> String {
    let first: Vec<String> = names.iter().take(3).map(|n| format!("`{n}`")).collect();
    match names.len().saturating_sub(3) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

/// The schemes that the application verifies, each with its marker.
pub(crate) fn verified<'a>(ir: &'a CheckedIr, names: &'a Names) -> Vec<(&'a Scheme, &'a proc_macro2::Ident)> {
    used_schemes(ir)
        .into_iter()
        .filter(|s| matches!(s.verify, Verify::Application))
        .filter_map(|s| Some((s, names.schemes.get(&s.name.value)?)))
        .collect()
}

/// The markers.
pub(crate) fn schemes(ir: &CheckedIr, names: &Names) -> TokenStream {
    let markers = verified(ir, names).into_iter().map(|(scheme, marker)| {
        let word = &scheme.name.value;
        let docs = doc(&format!("The scheme `{word}`: the application implements `gatewright::Verify` for it."));
        quote! {
            #docs
            #[derive(Debug)]
            pub enum #marker {}
        }
    });
    quote!(#(#markers)*)
}

/// The items of the API's own module.
pub(crate) fn root(ir: &CheckedIr, names: &Names) -> TokenStream {
    let resources = (!names.resources.is_empty()).then(|| crate::names::ident("resources"));
    let all: Vec<_> = names.tags.iter().map(|(module, _)| module.clone()).chain(resources).collect();
    let shown = if all.is_empty() {
        quote!()
    } else {
        quote! {
            #[allow(unreachable_pub, unused_imports)]
            #[doc(inline)]
            pub use self::{#(#all::*),*};
        }
    };
    let traits: Vec<_> = names.operations.iter().map(|o| qualified(names, o.tag, &o.name)).collect();
    let modules: Vec<_> = names.operations.iter().map(|o| qualified(names, o.tag, &o.module)).collect();
    let markers = verified(ir, names);
    let verifies: Vec<_> = markers.iter().map(|(_, m)| quote!(::gatewright::Verify<schemes::#m>)).collect();
    let verifiers: Vec<_> = markers
        .iter()
        .map(|(scheme, m)| {
            let word = &scheme.name.value;
            quote!(.verifier(::gatewright::Verifier::new::<schemes::#m, A>(#word, ::std::sync::Arc::clone(&app))))
        })
        .collect();
    let all = bounds(traits.iter().cloned().chain(verifies.iter().cloned()));
    let some = bounds(verifies.into_iter());
    quote! {
        #shown
        /// This version with all its operations, to be mounted beside others with `gatewright::router`.
        #[allow(dead_code, unreachable_pub)]
        pub fn mount<A>(app: ::std::sync::Arc<A>) -> ::gatewright::Mount
        where
            A: #all,
        {
            ::gatewright::Mount::new(
                &policy::API,
                &app,
                &[#(<#modules::Op as ::gatewright::HandledBy<A>>::ROUTE),*],
            )
            #(#verifiers)*
        }
        /// The router of this version alone.
        ///
        /// # Errors
        /// A setting of the deployment is missing or wrong.
        #[allow(dead_code, unreachable_pub)]
        pub fn router<A>(
            app: A,
            config: ::gatewright::Config,
        ) -> ::core::result::Result<::gatewright::Router, ::gatewright::StartError>
        where
            A: #all,
        {
            ::gatewright::router([mount(::std::sync::Arc::new(app))], config)
        }
        /// This version with some of its operations: those that are added to it.
        #[allow(dead_code, unreachable_pub)]
        pub fn partial<A>(app: ::std::sync::Arc<A>) -> ::gatewright::Partial<A>
        where
            A: #some,
        {
            ::gatewright::Partial::new(
                &policy::API,
                ::std::sync::Arc::clone(&app),
                &[#(<#modules::Op as ::gatewright::Operation>::META),*],
            )
            #(#verifiers)*
        }
    }
}

fn qualified(names: &Names, tag: usize, item: &proc_macro2::Ident) -> TokenStream {
    match names.tags.get(tag) {
        Some((module, _)) => quote!(#module::#item),
        None => quote!(#item),
    }
}

fn bounds(bounds: impl Iterator<Item = TokenStream>) -> TokenStream {
    let bounds: Vec<_> = bounds.collect();
    quote!(#(#bounds +)* ::core::marker::Send + ::core::marker::Sync + 'static)
}
