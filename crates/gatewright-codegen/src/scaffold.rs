//! Stubs for the handlers that are missing, and only for those.

use std::collections::HashSet;

use gatewright_ir::CheckedIr;
use gatewright_ir::names::{Case, plain};
use gatewright_ir::policy::{Scheme, SchemeKind};
use syn::visit::Visit;

use crate::mount::verified;
use crate::names::{Names, OperationNames};
use crate::operations::{Callers, callers, stub};

/// Which door the stubs go through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// `#[handler(…)]` on functions.
    #[default]
    Function,
    /// `#[derive(Handler)]` on structs.
    Derive,
    /// `impl CreateTransfer for App`.
    Trait,
}

/// What stubs are written for.
#[derive(Clone, Debug)]
pub struct ScaffoldOptions {
    /// The application's type as the stubs name it: `App`.
    pub app: String,
    /// The path of the API's module: `crate::api::v1`.
    pub module: String,
    /// The door.
    pub style: Style,
}

/// The text of one file with a stub for each operation, each resolver and each scheme of the application's own that `existing` sources do not handle; `None`
/// if nothing is missing. Sources that do not parse are an error, because a handler in them could not be seen.
///
/// # Errors
/// The index of the source that is no Rust.
pub fn scaffold(ir: &CheckedIr, options: &ScaffoldOptions, existing: &[&str]) -> Result<Option<String>, usize> {
    let mut handled = Handled::default();
    for (i, source) in existing.iter().enumerate() {
        let file = syn::parse_file(source).map_err(|_| i)?;
        handled.visit_file(&file);
    }
    let names = Names::new(ir);
    let mut parts = Vec::new();
    for resource in &names.resources {
        if !handled.0.contains(&resource.name.to_string()) {
            parts.push(resolver(resource, options));
        }
    }
    for (scheme, marker) in verified(ir, &names) {
        if !handled.0.contains(&format!("Verify<{marker}>")) {
            parts.push(verifier(scheme, marker, options));
        }
    }
    for (operation, name) in ir.api.operations.iter().zip(&names.operations) {
        if handled.0.contains(&name.name.to_string()) {
            continue;
        }
        let text = match options.style {
            Style::Function => stub(ir, operation, name, &options.app, ""),
            Style::Derive => derive(ir, operation, name, options),
            Style::Trait => implementation(name, options),
        };
        let summary = operation.summary.as_deref().unwrap_or(&operation.id);
        let summary: String = summary.lines().next().unwrap_or("").chars().filter(|c| !c.is_control()).collect();
        parts.push(format!("/// {summary}\n{text}\n"));
    }
    if parts.is_empty() {
        return Ok(None);
    }
    let mut out = String::new();
    if existing.is_empty() {
        let runtime = match options.style {
            Style::Function => "handler",
            Style::Derive => "Handler",
            Style::Trait => "",
        };
        let resolving =
            if names.resources.is_empty() { "" } else { "Authorized, Identity, Owned, ResolveError, resolver" };
        let imports: Vec<&str> = [resolving, runtime].into_iter().filter(|i| !i.is_empty()).collect();
        out.push_str(&format!("use {}::*;\n", options.module));
        if !imports.is_empty() {
            out.push_str(&format!("use gatewright::{{{}}};\n", imports.join(", ")));
        }
        out.push('\n');
    }
    out.push_str(&parts.join("\n"));
    Ok(Some(out))
}

fn resolver(resource: &crate::names::ResourceNames, options: &ScaffoldOptions) -> String {
    let (name, module) = (&resource.name, &resource.module);
    let object = plain(&resource.word, Case::Pascal);
    let function = plain(&resource.word, Case::Snake);
    format!(
        "#[resolver({name})]\nasync fn {function}(app: &{}, id: {module}::Id, who: &Identity) -> Result<Owned<{object}>, ResolveError> {{\n    todo!()\n}}\n",
        options.app
    )
}

/// How the application verifies a scheme. It refuses everybody until somebody has written it: a stub that panicked would
/// answer 500 to whoever presents a credential, and one that let callers in could be forgotten.
fn verifier(scheme: &Scheme, marker: &proc_macro2::Ident, options: &ScaffoldOptions) -> String {
    let what = match &scheme.kind {
        SchemeKind::Http { scheme, .. } if scheme == "basic" => {
            "`Presented::Basic { user, password }` (RFC 7617)".to_owned()
        }
        SchemeKind::Http { scheme, .. } => format!("`Presented::Token`: what stands behind `{}`", one_line(scheme)),
        SchemeKind::ApiKey { location, name } => {
            format!("`Presented::Token`: the {} `{}`", location.as_str(), one_line(name))
        }
        SchemeKind::MutualTls => "`Presented::Certificate { sha256, der }`: a client's, which was verified".to_owned(),
        _ => "`Presented::Token`: an access token".to_owned(),
    };
    let app = &options.app;
    format!(
        "/// Verifies credentials of the scheme `{}`. It is given {what}.\n\
         impl gatewright::Verify<schemes::{marker}> for {app} {{\n    \
         async fn verify(&self, presented: gatewright::Presented<'_>) -> Result<gatewright::Verified, gatewright::Unverified> {{\n        \
         // Look it up, compare secrets in constant time, and say whose it is: `gatewright::Verified::subject(…)`.\n        \
         Err(gatewright::Unverified::Bad)\n    }}\n}}\n",
        one_line(&scheme.name.value)
    )
}

/// Text of a spec inside a comment: one line of it.
fn one_line(text: &str) -> String {
    text.lines().next().unwrap_or("").chars().filter(|c| !c.is_control() && *c != '`').collect()
}

fn derive(
    ir: &CheckedIr,
    operation: &gatewright_ir::Operation,
    name: &OperationNames,
    options: &ScaffoldOptions,
) -> String {
    let (trait_name, module) = (&name.name, &name.module);
    let mut fields = Vec::new();
    if let Some(owner) = &ir.policies.get(operation.policy).owner {
        let word = &owner.resource.value;
        fields.push(format!("    {}: Authorized<{}>,\n", plain(word, Case::Snake), plain(word, Case::Pascal)));
    }
    if callers(ir, operation) != Callers::None {
        fields.push(format!("    who: {module}::Caller,\n"));
    }
    fields.push(format!("    req: {module}::Request,\n"));
    let fields = fields.concat();
    let app = &options.app;
    format!(
        "#[derive(Handler)]\n#[handler({trait_name}, app = {app})]\nstruct {trait_name}Case {{\n{fields}}}\n\nimpl {trait_name}Case {{\n    async fn handle(self) -> {module}::Result {{\n        todo!()\n    }}\n}}"
    )
}

fn implementation(name: &OperationNames, options: &ScaffoldOptions) -> String {
    let (trait_name, module, app) = (&name.name, &name.module, &options.app);
    format!(
        "impl {trait_name} for {app} {{\n    async fn handle(&self, cx: {module}::Cx<Self>) -> {module}::Result {{\n        todo!()\n    }}\n}}"
    )
}

/// The traits that sources implement, by their last segment: by hand, or through one of the macros.
#[derive(Default)]
struct Handled(HashSet<String>);

impl Handled {
    fn attributes(&mut self, attributes: &[syn::Attribute]) {
        for attribute in attributes {
            let last = attribute.path().segments.last().map(|s| s.ident.to_string());
            if !matches!(last.as_deref(), Some("handler" | "resolver")) {
                continue;
            }
            let parse = |input: syn::parse::ParseStream<'_>| {
                let path: syn::Path = input.parse()?;
                input.parse::<proc_macro2::TokenStream>()?;
                Ok(path)
            };
            if let Ok(path) = attribute.parse_args_with(parse)
                && let Some(last) = path.segments.last()
            {
                self.0.insert(last.ident.to_string());
            }
        }
    }
}

impl<'ast> Visit<'ast> for Handled {
    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if let Some(last) = item.trait_.as_ref().and_then(|(path, _)| path.segments.last()) {
            self.0.insert(last.ident.to_string());
            // Of `Verify<schemes::Basic>` the marker says which one it is.
            if let syn::PathArguments::AngleBracketed(arguments) = &last.arguments
                && let Some(syn::GenericArgument::Type(syn::Type::Path(of))) = arguments.args.first()
                && let Some(marker) = of.path.segments.last()
            {
                self.0.insert(format!("{}<{}>", last.ident, marker.ident));
            }
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.attributes(&item.attrs);
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.attributes(&item.attrs);
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.attributes(&item.attrs);
    }
}
