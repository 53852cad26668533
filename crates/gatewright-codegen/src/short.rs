//! Long paths of generated code as the names that a module knows them by. What another item of the module hides keeps its
//! long path.

use proc_macro2::{Group, Ident, Spacing, Span, TokenStream, TokenTree};

/// A path without its leading `::`, and the name that stands for it.
type Name = (&'static [&'static str], &'static str);

/// Of the standard prelude, which every module has.
const PRELUDE: &[Name] = &[
    (&["core", "option", "Option", "Some"], "Some"),
    (&["core", "option", "Option", "None"], "None"),
    (&["core", "option", "Option"], "Option"),
    (&["core", "result", "Result", "Ok"], "Ok"),
    (&["core", "result", "Result", "Err"], "Err"),
    (&["core", "marker", "Send"], "Send"),
    (&["core", "marker", "Sync"], "Sync"),
    (&["core", "marker", "Sized"], "Sized"),
    (&["std", "string", "String"], "String"),
    (&["std", "vec", "Vec"], "Vec"),
    (&["std", "boxed", "Box"], "Box"),
];

/// Of `::gatewright::generated`, which the modules of operations import.
const GENERATED: &[Name] = &[
    (&["std", "collections", "BTreeMap"], "BTreeMap"),
    (&["gatewright", "json", "Json"], "Json"),
    (&["gatewright", "json", "Number"], "Number"),
    (&["gatewright", "types", "Base64"], "Base64"),
    (&["gatewright", "types", "Date"], "Date"),
    (&["gatewright", "types", "Timestamp"], "Timestamp"),
    (&["gatewright", "types", "Uuid"], "Uuid"),
    (&["gatewright", "params", "ParameterSpec"], "ParameterSpec"),
    (&["gatewright", "params", "MediaSpec"], "MediaSpec"),
    (&["gatewright", "params", "Read"], "Read"),
    (&["gatewright", "params", "Shape"], "Shape"),
    (&["gatewright", "params", "Style"], "Style"),
    (&["gatewright", "JsonHeader"], "JsonHeader"),
    (&["gatewright", "HeaderPairs"], "HeaderPairs"),
    (&["gatewright", "HeaderJson"], "HeaderJson"),
    (&["gatewright", "Meta"], "Meta"),
    (&["gatewright", "NoError"], "NoError"),
    (&["gatewright", "Reply"], "Reply"),
    (&["gatewright", "Visible"], "Visible"),
    (&["gatewright", "json", "check"], "check"),
    (&["super", "super", "policy"], "policy"),
    (&["super", "super", "types", "checks"], "checks"),
    (&["super", "super", "resources"], "resources"),
    (&["super", "super", "types"], "types"),
];

/// In the module of an operation.
pub(crate) fn operation(tokens: TokenStream) -> TokenStream {
    let names: Vec<Name> = PRELUDE.iter().chain(GENERATED).copied().collect();
    shortened(tokens, &names)
}

fn shortened(tokens: TokenStream, names: &[Name]) -> TokenStream {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let mut out = TokenStream::new();
    let mut at = 0;
    while let Some(tree) = trees.get(at) {
        let rest = trees.get(at..).unwrap_or_default();
        let before = |back: usize| at.checked_sub(back).and_then(|before| trees.get(before));
        let inside = before(1).is_some_and(|t| is_colon(t, Spacing::Alone))
            && before(2).is_some_and(|t| is_colon(t, Spacing::Joint));
        // Colons behind a word go on with its path, unless the word is one like `impl`.
        let inside = inside || is_colon(tree, Spacing::Joint) && before(1).is_some_and(begins_path);
        let found = if inside { None } else { path(rest) };
        let known = found.and_then(|(lead, segments)| {
            let fits = |(path, _): &&Name| {
                segments.len() >= path.len()
                    && (lead > 0) == (path.first() != Some(&"super"))
                    && path.iter().zip(&segments).all(|(a, b)| **b == **a)
            };
            let (path, short) = names.iter().filter(fits).max_by_key(|(path, _)| path.len())?;
            // Two colons between segments, and those in front.
            Some((lead + 3 * path.len() - 2, *short))
        });
        match (known, tree) {
            (Some((length, short)), _) => {
                out.extend([TokenTree::Ident(Ident::new(short, Span::call_site()))]);
                at += length;
            }
            (None, TokenTree::Group(group)) => {
                out.extend([TokenTree::Group(Group::new(group.delimiter(), shortened(group.stream(), names)))]);
                at += 1;
            }
            (None, tree) => {
                out.extend([tree.clone()]);
                at += 1;
            }
        }
    }
    out
}

fn is_colon(tree: &TokenTree, spacing: Spacing) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ':' && punct.spacing() == spacing)
}

/// Whether a path may begin with this word: names, and the keywords that stand for modules.
fn begins_path(tree: &TokenTree) -> bool {
    let TokenTree::Ident(word) = tree else { return false };
    let word = word.to_string();
    matches!(&*word, "crate" | "self" | "super" | "Self") || syn::parse_str::<Ident>(&word).is_ok()
}

/// The path that begins here: how many colons are in front of it, and its segments.
fn path(trees: &[TokenTree]) -> Option<(usize, Vec<&Ident>)> {
    let colons = |at: usize| {
        let colon = |at: usize, spacing| trees.get(at).is_some_and(|t| is_colon(t, spacing));
        colon(at, Spacing::Joint) && colon(at + 1, Spacing::Alone)
    };
    let lead = if colons(0) { 2 } else { 0 };
    let mut segments = Vec::new();
    let mut at = lead;
    while let Some(TokenTree::Ident(segment)) = trees.get(at) {
        segments.push(segment);
        if !colons(at + 1) {
            break;
        }
        at += 3;
    }
    (!segments.is_empty()).then_some((lead, segments))
}

#[cfg(test)]
mod tests {
    use quote::quote;

    #[test]
    fn paths_become_names_where_they_begin() {
        let long = quote!(::core::option::Option<::std::vec::Vec<super::super::types::A>>);
        assert_eq!(super::operation(long).to_string(), quote!(Option<Vec<types::A>>).to_string());
        let call = quote!(::gatewright::Reply::json(200, &::gatewright::JsonHeader(x)));
        assert_eq!(super::operation(call).to_string(), quote!(Reply::json(200, &JsonHeader(x))).to_string());
        let other = quote!(crate::core::option::Option<x::super_::Y>);
        assert_eq!(super::operation(other.clone()).to_string(), other.to_string());
        let nested = quote!(f(::core::option::Option::None));
        assert_eq!(super::operation(nested).to_string(), quote!(f(None)).to_string());
    }
}
