//! What binds the operations of a version together: resolvers, markers of schemes, and the functions that mount it.

use gatewright_ir::CheckedIr;
use gatewright_ir::policy::{Scheme, Verify};
use proc_macro2::TokenStream;
use quote::quote;

use crate::docs::doc;
use crate::names::{Names, used_schemes};
use crate::verbatim::Lines;

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
    let mut lines = Lines::default();
    lines.push(0, "::gatewright::mounts! {");
    lines.push(1, "operations {");
    for operation in &names.operations {
        let tag = names.tags.get(operation.tag).map(|(module, _)| format!("{module}::")).unwrap_or_default();
        lines.push(2, format!("{tag}{} as {tag}{},", operation.name, operation.module));
    }
    lines.push(1, "}");
    let markers = verified(ir, names);
    if !markers.is_empty() {
        lines.push(1, "verified {");
        for (scheme, marker) in markers {
            lines.push(2, format!("{:?}: schemes::{marker},", scheme.name.value));
        }
        lines.push(1, "}");
    }
    lines.push(0, "}");
    let mounts = lines.mark();
    quote!(#shown #mounts)
}
