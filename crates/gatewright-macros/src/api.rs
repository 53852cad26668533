//! `api!`: a spec compiled where it stands.
#![allow(clippy::disallowed_methods, reason = "a shell: it finds the crate's folder")]

use std::path::{Path, PathBuf};

use gatewright_compiler::disk::DiskLoader;
use gatewright_compiler::{Layout, Options, compile, module_name};
use gatewright_diag::Level;
use gatewright_diag::show::plain;
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{LitStr, Token};

/// `"spec.yaml", prefix = "/v1"`
struct Arguments {
    path: LitStr,
    prefix: String,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut arguments = Arguments { path: input.parse()?, prefix: String::new() };
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            let key = input.parse::<Ident>()?;
            input.parse::<Token![=]>()?;
            if key != "prefix" {
                return Err(syn::Error::new(key.span(), "the only key here is `prefix`"));
            }
            arguments.prefix = input.parse::<LitStr>()?.value();
        }
        Ok(arguments)
    }
}

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    generate(input).unwrap_or_else(|error| error.to_compile_error())
}

fn generate(input: TokenStream) -> syn::Result<TokenStream> {
    let Arguments { path, prefix } = syn::parse2(input)?;
    let fail = |text: String| syn::Error::new(path.span(), text);
    let folder = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    let spec = path.value();
    let (loader, entry) = DiskLoader::open(&folder, Path::new(&spec), None)
        .map_err(|e| fail(format!("`{}` cannot be read: {}", e.path.display(), e.why)))?;
    let stem = Path::new(&spec).file_stem().and_then(|s| s.to_str()).unwrap_or("api");
    let options = Options { prefix, layout: Layout::SingleFile, ..Options::named(module_name(stem)) };
    let compiled = compile(&loader, &entry, &options);
    let Some(files) = compiled.files.as_ref().filter(|_| !compiled.has_errors()) else {
        let errors = compiled.diagnostics.iter().filter(|d| d.level == Level::Error);
        let text: Vec<String> = errors.map(|d| plain::text(d, &compiled.sources)).collect();
        return Err(fail(text.join("\n")));
    };
    let mut code = TokenStream::new();
    for (_, text) in files.iter() {
        code.extend(text.parse::<TokenStream>().map_err(|e| fail(e.to_string()))?);
    }
    // So that cargo builds again when the document changes.
    let absolute = folder.join(&spec);
    let absolute = absolute.to_string_lossy();
    Ok(quote! {
        #code
        const _: &[u8] = ::core::include_bytes!(#absolute);
    })
}
