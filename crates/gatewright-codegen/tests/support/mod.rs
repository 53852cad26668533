//! Compiles generated types in a crate of their own, outside the repository.
#![allow(
    dead_code,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a test reads specs and runs cargo"
)]

pub(crate) mod suite;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use gatewright_codegen::types::{Options, Plan};
use gatewright_diag::{Sink, SourceMap};
use gatewright_ir::policy::UnknownFields;
use gatewright_ir::{CheckedIr, Ir};
use gatewright_spec::{FilePath, LoadError, Loader};

/// Reads below one folder.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Loader for Folder {
    fn read(&self, path: &FilePath, _: u64) -> Result<Vec<u8>, LoadError> {
        std::fs::read(self.0.join(path.as_str())).map_err(|_| LoadError::NotFound)
    }
}

/// Lowers a document; also one with errors, as far as it is understood.
pub(crate) fn lower(file: &Path) -> Option<(Ir, Vec<String>)> {
    let (mut map, mut sink) = (SourceMap::new(), Sink::new());
    let folder = Folder(file.parent()?.to_owned());
    let spec = gatewright_spec::read(file.file_name()?.to_str()?, &folder, &mut map, &mut sink)?;
    let options = gatewright_spec::lower::Options { name: "api".into(), ..Default::default() };
    let ir = gatewright_spec::lower::lower(&spec, &map, &options, &mut sink);
    let errors = sink.diagnostics().iter().filter(|d| d.level == gatewright_diag::Level::Error);
    let errors = errors.map(|d| gatewright_diag::show::plain::line(d, &map)).collect();
    let _ = sink.finish();
    Some((ir, errors))
}

/// The IR as backends take it.
pub(crate) fn checked(ir: Ir) -> CheckedIr {
    let sink = Sink::new();
    let checked = CheckedIr::assertion(ir, &sink).expect("no diagnostics");
    let _ = sink.finish();
    checked
}

/// The types of everything that the operations use, as a module that uses each of them.
pub(crate) fn module(ir: &CheckedIr) -> String {
    let plan = Plan::new(ir, &Options { types: "types".into() });
    let mut uses = String::new();
    let mut seen = std::collections::BTreeSet::new();
    let mut incoming = |id| {
        for mode in [UnknownFields::Refuse, UnknownFields::Keep] {
            let (kind, check) = (plan.request_type(id, mode), plan.check(id, mode));
            let default = plan.default(id).map(|value| format!("let _: {kind} = {value};")).unwrap_or_default();
            seen.insert(format!("one::<{kind}>({check});{default}"));
        }
    };
    for operation in &ir.api.operations {
        operation.parameters.iter().for_each(|parameter| incoming(parameter.schema));
        operation.body.iter().flat_map(|body| &body.content).filter_map(|media| media.schema).for_each(&mut incoming);
    }
    let outgoing = ir.api.operations.iter().flat_map(|operation| &operation.responses);
    for response in outgoing {
        let media = response.content.iter().flat_map(|media| media.schema.iter().chain(&media.item_schema));
        for id in media.copied().chain(response.headers.iter().map(|header| header.schema)) {
            seen.insert(format!("other::<{}>();", plan.response_type(id)));
        }
    }
    for line in seen {
        let _ = writeln!(uses, "{line}");
    }
    let items = plan.emit();
    let tokens: proc_macro2::TokenStream = format!(
        "pub mod types {{ {items} }}
         pub fn one<T: ::gatewright::json::FromJson>(_: ::gatewright::json::Check) {{}}
         pub fn other<T: ::gatewright::json::ToJson>() {{}}
         pub fn uses() {{ {uses} }}"
    )
    .parse()
    .expect("tokens");
    prettyplease::unparse(&syn::parse2(tokens).expect("a file"))
}

/// A crate with these files below `src`, that depends on the runtime.
pub(crate) fn scratch(folder: &Path, files: &[(String, String)]) {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::create_dir_all(folder.join("src")).expect("a folder");
    let runtime = manifest.join("../gatewright").canonicalize().expect("the runtime");
    let text = format!(
        "[package]\nname = \"scratch\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n\
         gatewright = {{ path = {runtime:?} }}\nserde_json = \"1\"\n[profile.dev]\ndebug = \"line-tables-only\"\n\
         [profile.dev.package.\"*\"]\nopt-level = 1\ndebug = false\n"
    );
    std::fs::write(folder.join("Cargo.toml"), text).expect("written");
    let lock = manifest.join("../../Cargo.lock");
    std::fs::copy(lock, folder.join("Cargo.lock")).expect("the lock file");
    for (name, text) in files {
        std::fs::write(folder.join("src").join(name), text).expect("written");
    }
}

/// Runs cargo there; its output, and whether it went well.
pub(crate) fn cargo(folder: &Path, arguments: &[&str]) -> (String, bool) {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(folder).args(arguments).arg("--offline");
    // The compiler beside this very cargo: sources of dependencies may name another toolchain.
    command.env("RUSTC", Path::new(env!("CARGO")).with_file_name("rustc"));
    if let Some(target) = target() {
        command.env("CARGO_TARGET_DIR", target);
    }
    let output = command.output().expect("cargo");
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8_lossy(&text).into_owned(), output.status.success())
}

/// The target folder that this very program stands in, so that dependencies are compiled once.
fn target() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file()).map(Path::to_owned)
}
