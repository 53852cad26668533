//! The compiled API to formatted Rust.
//!
//! One pass writes every file of an API version: its policies as constant tables, the types of its schemas, a module of
//! operations for each tag, and the functions that mount them. The text is then read back, and its tables compared with
//! the policies that we began with, before anybody gets to see it.
//!
//! Generated code names only `::gatewright`, `::core` and `::std`, and holds text of a document only in literals.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod docs;
mod files;
mod fill;
mod layout;
mod mount;
mod names;
mod operations;
mod policy;
mod scaffold;
mod sent;
mod shape;
mod short;
mod status;
pub mod types;
mod verbatim;
mod xml;

use std::collections::BTreeSet;
use std::fmt;

use gatewright_diag::{SourceMap, Span};
use gatewright_ir::api::Location;
use gatewright_ir::lists::Lists;
use gatewright_ir::policy::SchemeKind;
use gatewright_ir::{CheckedIr, OutputFiles};
use proc_macro2::TokenStream;
use quote::quote;

pub use scaffold::{ScaffoldOptions, Style, scaffold};

use names::Names;

/// How the code is laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// `mod.rs` and a file for each module: for committed code.
    #[default]
    Tree,
    /// One file with all modules inline, named after the API version: for `include_api!` and `api!`.
    SingleFile,
}

/// What a shell chooses.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The path prefix under which this version is served: `/v1`, or empty.
    pub prefix: String,
    /// How the code is laid out.
    pub layout: Layout,
}

/// The version of the API that this one comes after: its requests become this one's, and this one's answers its own, where
/// nothing has to be decided for it.
#[derive(Clone, Debug)]
pub struct Earlier<'a> {
    /// It. Its module stands beside that of this version.
    pub ir: &'a CheckedIr,
    /// The operations whose conversions the application writes itself.
    pub by_hand: &'a [String],
}

/// Why there is no code. The rules of the compiler find all of it before; this is the lock behind them.
#[derive(Clone, Debug)]
pub struct CodegenError {
    /// What is the matter, in the words of a diagnostic.
    pub message: String,
    /// Where.
    pub span: Span,
    /// What else is, in the order of the document.
    pub more: Vec<CodegenError>,
}

impl CodegenError {
    pub(crate) fn new(message: impl Into<String>, span: Span) -> CodegenError {
        CodegenError { message: message.into(), span, more: Vec::new() }
    }

    /// All results, or all errors as one. What several come to is said once.
    pub(crate) fn all<T>(results: impl IntoIterator<Item = Result<T, CodegenError>>) -> Result<Vec<T>, CodegenError> {
        let (mut good, mut bad, mut said) = (Vec::new(), Vec::new(), BTreeSet::new());
        for result in results {
            match result {
                Ok(value) => good.push(value),
                Err(error) => {
                    if said.insert((error.span, error.message.clone())) {
                        bad.push(error);
                    }
                }
            }
        }
        let mut bad = bad.into_iter();
        match bad.next() {
            None => Ok(good),
            Some(first) => Err(CodegenError { more: bad.collect(), ..first }),
        }
    }
}

impl fmt::Display for CodegenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CodegenError {}

/// Writes one API version.
///
/// # Errors
/// A policy that generated servers cannot enforce, or a mistake of the generator itself: the text does not parse, or
/// its tables do not say what the document says.
pub fn generate(
    ir: &CheckedIr,
    sources: &SourceMap,
    options: &Options,
    earlier: Option<&Earlier<'_>>,
) -> Result<OutputFiles, CodegenError> {
    let names = Names::new(ir);
    let plan = types::Plan::new(ir, &types::Options { types: "super::super::types".to_owned() });
    let policies = policies(ir, sources, options, &names)?;
    let ids = operations::owner_ids(ir, &names, &plan);
    let credentials = credentials(ir);
    let lists = Lists::new(ir);
    let context = operations::Context {
        ir,
        sources,
        names: &names,
        prefix: &options.prefix,
        credentials: &credentials,
        ids: &ids,
        lists: &lists,
    };
    let mut tags: Vec<TokenStream> = vec![TokenStream::new(); names.tags.len()];
    let operations = ir.api.operations.iter().zip(&names.operations);
    let items = operations.map(|(operation, name)| operations::operation(&context, operation, name, &plan));
    for (items, name) in CodegenError::all(items)?.into_iter().zip(&names.operations) {
        if let Some(tag) = tags.get_mut(name.tag) {
            tag.extend(items);
        }
    }
    let conversions = match earlier {
        Some(earlier) => conversions(earlier, (&context, &plan))?,
        None => TokenStream::new(),
    };
    let sent = sent::modules(&context, &plan);
    let root = mount::root(ir, &names);
    let resources = mount::resources(ir, &names, &ids);
    let schemes = mount::schemes(ir, &names);
    let mut modules = vec![
        files::Module::new("policy", "Who may: every operation's policy, in the order of the document.", policies),
        files::Module::new("types", "The types of the document's schemas.", plan.lines()),
    ];
    if !names.resources.is_empty() {
        modules.push(files::Module::new("resources", "What finds the objects that belong to somebody.", resources));
    }
    if !schemes.is_empty() {
        modules.push(files::Module::new("schemes", "Markers of the schemes that the application verifies.", schemes));
    }
    if !sent.is_empty() {
        modules.push(files::Module::new("sent", "What the API sends by itself: webhooks and callbacks.", sent));
    }
    if let Some(earlier) = earlier {
        let name = &earlier.ir.name;
        let docs = format!("Requests of `{name}` as requests of this version, and answers as those of `{name}`.");
        modules.push(files::Module::new("earlier", &docs, conversions));
    }
    let xml = plan.xml.module().ok_or_else(|| {
        CodegenError::new("bodies of an API version consist of at most 65,536 schemas that become XML", Span::default())
    })?;
    if !xml.is_empty() {
        modules.push(files::Module::new("xml", "How the document's schemas look in XML.", xml));
    }
    for ((module, tag), items) in names.tags.iter().zip(tags) {
        let items = quote!(use ::gatewright::operation; #items);
        modules.push(files::Module::new(&module.to_string(), &format!("Operations of {tag}."), items));
    }
    let files = files::assemble(ir, options, root, modules)?;
    Ok(files)
}

/// What is between the operations of an earlier version and these.
fn conversions(earlier: &Earlier<'_>, new: operations::Version<'_, '_>) -> Result<TokenStream, CodegenError> {
    let ir = earlier.ir;
    let names = Names::new(ir);
    let plan = types::Plan::new(ir, &types::Options { types: "super::super::types".to_owned() });
    let ids = operations::owner_ids(ir, &names, &plan);
    // Only places of its document would come from there, and conversions name none.
    let sources = SourceMap::new();
    let credentials = credentials(ir);
    let lists = Lists::new(ir);
    let context = operations::Context {
        ir,
        sources: &sources,
        names: &names,
        prefix: "",
        credentials: &credentials,
        ids: &ids,
        lists: &lists,
    };
    let items = operations::conversions((&context, &plan), new, earlier.by_hand)?;
    let module = names::ident(&ir.name);
    Ok(quote!(use super::super::#module; #items))
}

/// The query parameters in which schemes look for credentials.
fn credentials(ir: &CheckedIr) -> Vec<String> {
    let of = |scheme: &gatewright_ir::policy::Scheme| match &scheme.kind {
        SchemeKind::ApiKey { location: Location::Query, name } => Some(name.clone()),
        _ => None,
    };
    names::used_schemes(ir).into_iter().filter_map(of).collect()
}

fn policies(
    ir: &CheckedIr,
    sources: &SourceMap,
    options: &Options,
    names: &Names,
) -> Result<TokenStream, CodegenError> {
    let bits = policy::Bits::new(ir).map_err(|_| {
        CodegenError::new("an API version has at most 65,535 schemes, scopes, roles and levels", Span::default())
    })?;
    let source = policy::Source { ir, sources, bits: &bits, prefix: &options.prefix };
    let documented = ir.api.operations.iter().zip(&names.operations).map(|(operation, name)| {
        (&name.constant, docs::doc(&docs::policy_line(operation, &options.prefix, &ir.policies, sources)))
    });
    let mut fields = policy::Graph::new(&ir.api.schemas);
    let tables = policy::operations(&source, &documented.collect::<Vec<_>>(), &mut fields)?;
    let api = policy::api(&source, &tables, &fields.rows(&bits))?;
    Ok(quote! {
        use ::gatewright::table::*;
        use ::gatewright::Rate;
        /// What all operations share.
        #api
        #tables
    })
}
