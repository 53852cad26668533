//! Every name of the generated API that is not a type of a schema: operations, tag modules, resources, schemes. Decided
//! once, before anything is written, so that each file can name what stands in another.

use std::collections::{HashMap, HashSet};

use gatewright_ir::api::Operation;
use gatewright_ir::names::{Case, unique};
use gatewright_ir::{CheckedIr, policy};
use gatewright_policy::case;
use proc_macro2::{Ident, Span};

/// Traits and types of the prelude that a glob import of the API must not hide, and names of the API itself.
const TAKEN_TYPES: &[&str] = &[
    // The type parameter of every impl beside the traits.
    "A",
    "AsMut",
    "AsRef",
    "Box",
    "Clone",
    "Copy",
    "Debug",
    "Default",
    "DoubleEndedIterator",
    "Drop",
    "Eq",
    "Err",
    "ExactSizeIterator",
    "Extend",
    "Fn",
    "FnMut",
    "FnOnce",
    "From",
    "FromIterator",
    "Future",
    "Hash",
    "Into",
    "IntoFuture",
    "IntoIterator",
    "Iterator",
    "None",
    "Ok",
    "Option",
    "Ord",
    "PartialEq",
    "PartialOrd",
    "Result",
    "Self_",
    "Send",
    "Sized",
    "Some",
    "String",
    "Sync",
    "ToOwned",
    "ToString",
    "TryFrom",
    "TryInto",
    "Unpin",
    "Vec",
    // The runtime's words, which handlers import beside the API's.
    "Authorized",
    "Caller",
    "Config",
    "Cx",
    "Handler",
    "Identity",
    "Internal",
    "Operation",
    "Owned",
    "Part",
    "Principal",
    "Problem",
    "Reply",
    "ResolveError",
    "Resource",
    "ResponseExt",
    "ResultExt",
    "Verify",
    "Visible",
    "VisibleTo",
];

/// Modules of the API itself, and primitive types, which a module of that name would hide.
const TAKEN_MODULES: &[&str] = &[
    "types",
    "policy",
    "schemes",
    "resources",
    "sent",
    "earlier",
    "xml",
    "mount",
    "router",
    "partial",
    "guard",
    "core",
    "std",
    "alloc",
    "gatewright",
    "bool",
    "char",
    "str",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "isize",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "usize",
    "f32",
    "f64",
];

/// Tables that stand beside those of the operations.
pub(crate) const TAKEN_CONSTANTS: &[&str] = &["API", "USUAL"];

/// The names of one operation.
#[derive(Clone, Debug)]
pub(crate) struct OperationNames {
    /// `CreateTransfer`
    pub(crate) name: Ident,
    /// `create_transfer`
    pub(crate) module: Ident,
    /// `CREATE_TRANSFER`, its policy.
    pub(crate) constant: Ident,
    /// The index of its tag module.
    pub(crate) tag: usize,
}

/// An owner resource.
#[derive(Clone, Debug)]
pub(crate) struct ResourceNames {
    /// As the document says: `account`
    pub(crate) word: String,
    /// `ResolveAccount`
    pub(crate) name: Ident,
    /// `resolve_account`
    pub(crate) module: Ident,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Names {
    /// In the order of the API's operations.
    pub(crate) operations: Vec<OperationNames>,
    /// The tag modules, with the tag as written; in the order of their first operation.
    pub(crate) tags: Vec<(Ident, String)>,
    pub(crate) resources: Vec<ResourceNames>,
    /// The marker of each scheme that is in use, by its index in the policy set.
    pub(crate) schemes: HashMap<String, Ident>,
}

impl Names {
    pub(crate) fn new(ir: &CheckedIr) -> Names {
        let operations = &ir.api.operations;
        let mut tags: Vec<&str> = Vec::new();
        let mut tag_of = Vec::with_capacity(operations.len());
        for operation in operations {
            let tag = tag(operation);
            tag_of.push(tags.iter().position(|t| *t == tag).unwrap_or_else(|| {
                tags.push(tag);
                tags.len() - 1
            }));
        }
        let tag_modules = unique(tags.iter().copied(), Case::Snake, TAKEN_MODULES);
        let mut words: Vec<&str> = Vec::new();
        for operation in operations {
            if let Some(owner) = &ir.policies.get(operation.policy).owner
                && !words.contains(&owner.resource.value.as_str())
            {
                words.push(&owner.resource.value);
            }
        }
        let resources: Vec<String> =
            unique(words.iter().copied(), Case::Pascal, &[]).into_iter().map(|w| format!("Resolve{w}")).collect();
        let mut taken: Vec<&str> = TAKEN_TYPES.to_vec();
        taken.extend(resources.iter().map(String::as_str));
        let ids: Vec<&str> = operations.iter().map(|o| o.id.as_str()).collect();
        let traits =
            distinct_modules(unique(ids.iter().copied(), Case::Pascal, &taken), &ids, &taken, &tag_modules, &resources);
        let operations = traits.iter().zip(tag_of).map(|(name, tag)| {
            let module = case::module(name);
            OperationNames { name: ident(name), constant: ident(&constant(&module)), module: ident(&module), tag }
        });
        let resources = resources.iter().zip(words).map(|(name, word)| ResourceNames {
            word: word.to_owned(),
            name: ident(name),
            module: ident(&case::module(name)),
        });
        let used = used_schemes(ir);
        let markers = unique(used.iter().map(|s| s.name.value.as_str()), Case::Pascal, TAKEN_TYPES);
        Names {
            operations: operations.collect(),
            tags: tag_modules.iter().map(|t| ident(t)).zip(tags.iter().map(|t| (*t).to_owned())).collect(),
            resources: resources.collect(),
            schemes: used.iter().map(|s| s.name.value.clone()).zip(markers.iter().map(|m| ident(m))).collect(),
        }
    }
}

/// The name of an operation's table. No module's name ends as those of the operations `api` and `usual` then do.
fn constant(module: &str) -> String {
    let name = module.to_uppercase();
    if TAKEN_CONSTANTS.contains(&name.as_str()) { format!("{name}_") } else { name }
}

/// The tag under which an operation is filed.
fn tag(operation: &Operation) -> &str {
    operation.tags.first().map_or("operations", String::as_str)
}

/// The macros find a module by the name of its trait, so two traits may not lead to one module: `Ab` and `AB` do. All of
/// those but the first in a fixed order get another name.
fn distinct_modules(
    mut traits: Vec<String>,
    ids: &[&str],
    taken: &[&str],
    tags: &[String],
    resources: &[String],
) -> Vec<String> {
    let mut modules: HashSet<String> = tags.iter().cloned().collect();
    modules.extend(TAKEN_MODULES.iter().map(|m| (*m).to_owned()));
    modules.extend(resources.iter().map(|r| case::module(r)));
    let mut order: Vec<usize> = (0..traits.len()).collect();
    order.sort_by_key(|i| (traits.get(*i).cloned(), ids.get(*i).copied()));
    let mut all: HashSet<String> = traits.iter().cloned().collect();
    for i in order {
        let (Some(name), Some(id)) = (traits.get(i).cloned(), ids.get(i)) else { continue };
        if modules.insert(case::module(&name)) {
            continue;
        }
        let mut salted = format!("{id} operation");
        loop {
            let mut refused: Vec<&str> = taken.to_vec();
            refused.push(&name);
            let other = unique([salted.as_str()], Case::Pascal, &refused).into_iter().next().unwrap_or_default();
            if !all.contains(&other) && modules.insert(case::module(&other)) {
                all.insert(other.clone());
                if let Some(slot) = traits.get_mut(i) {
                    *slot = other;
                }
                break;
            }
            salted.push_str(" x");
        }
    }
    traits
}

/// The schemes that some operation names, in the document's order.
pub(crate) fn used_schemes(ir: &CheckedIr) -> Vec<&policy::Scheme> {
    let mut used: HashSet<&str> = HashSet::new();
    for operation in &ir.api.operations {
        if let policy::Access::Guarded(alternatives) = &ir.policies.get(operation.policy).access.value {
            used.extend(alternatives.iter().flat_map(|a| &a.needs).map(|n| n.scheme.value.as_str()));
        }
    }
    ir.policies.schemes.iter().filter(|s| used.contains(s.name.value.as_str())).collect()
}

/// An identifier; the names are mended already, and what is none all the same becomes a raw or marked one.
pub(crate) fn ident(text: &str) -> Ident {
    if syn::parse_str::<Ident>(text).is_ok() {
        return Ident::new(text, Span::call_site());
    }
    let kept: String = text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    Ident::new(&format!("x_{kept}"), Span::call_site())
}
