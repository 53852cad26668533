//! Compiles a spec from `build.rs` into `OUT_DIR`, as one file, for `gatewright::include_api!`.
//!
//! ```no_run
//! // in `main` of build.rs
//! gatewright_build::compile("specs/bank.yaml");
//! ```
//!
//! ```text
//! // src/main.rs
//! mod bank { gatewright::include_api!("bank"); }
//! ```
//!
//! Cargo runs the script again when any file of the document changes. What the compiler finds becomes Cargo's errors and
//! warnings, each with its file and line.
#![allow(clippy::disallowed_methods, reason = "a shell: it reads what Cargo says, and writes to OUT_DIR")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "Cargo reads a build script's output")]

use std::fmt;
use std::path::{Path, PathBuf};

pub use gatewright_compiler::Select;
use gatewright_compiler::disk::{self, DiskLoader};
use gatewright_compiler::{Compilation, Layout, Options, Succeeds, compile as run};
use gatewright_diag::Level;
use gatewright_diag::show::plain;

/// Compiles a document to `OUT_DIR`, under the document's own name: `specs/bank.yaml` to `bank.rs`. The path is relative
/// to the package. If the document has errors, the build ends here.
pub fn compile(spec: impl AsRef<Path>) {
    Builder::new(spec).compile();
}

/// A compilation with more said about it.
#[derive(Clone, Debug)]
pub struct Builder {
    spec: PathBuf,
    root: Option<PathBuf>,
    overlays: Vec<PathBuf>,
    options: Options,
    succeeds: Option<Box<Builder>>,
    by_hand: Vec<String>,
}

/// Why nothing was written. What there is to say was said to Cargo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed(String);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failed {}

impl Builder {
    /// Of the document at `spec`, relative to the package.
    pub fn new(spec: impl AsRef<Path>) -> Builder {
        let spec = spec.as_ref().to_owned();
        let stem = spec.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let name = gatewright_compiler::module_name(&stem);
        Builder {
            spec,
            root: None,
            overlays: Vec::new(),
            options: Options { layout: Layout::SingleFile, ..Options::named(name) },
            succeeds: None,
            by_hand: Vec::new(),
        }
    }

    /// The name of the API version, and of the file in `OUT_DIR`; the document's name unless said.
    pub fn name(mut self, name: impl Into<String>) -> Builder {
        self.options.name = name.into();
        self
    }

    /// The path under which the version is served: `/v1`; nothing unless said.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Builder {
        self.options.prefix = prefix.into();
        self
    }

    /// The folder that references may not leave; the document's own unless said.
    pub fn root(mut self, folder: impl AsRef<Path>) -> Builder {
        self.root = Some(folder.as_ref().to_owned());
        self
    }

    /// Applies an OpenAPI overlay to the document first; several are applied in their order.
    pub fn overlay(mut self, file: impl AsRef<Path>) -> Builder {
        self.overlays.push(file.as_ref().to_owned());
        self
    }

    /// Compiles some of the operations only. A name that the document does not have is an error.
    pub fn select(mut self, select: Select) -> Builder {
        self.options.select = select;
        self
    }

    /// Serves operations that say neither `security` nor `public` to everybody, with a warning for each.
    pub fn allow_unguarded(mut self) -> Builder {
        self.options.allow_unguarded = true;
        self
    }

    /// Says what is built by `older` to be the version before this one: conversions between the two are generated where
    /// nothing has to be decided for them, so that handlers can serve both (`also = …`). Both are included beside each other:
    ///
    /// ```text
    /// gatewright::include_api!(v1);
    /// gatewright::include_api!(v2);
    /// ```
    pub fn succeeds(mut self, older: &Builder) -> Builder {
        self.succeeds = Some(Box::new(older.clone()));
        self
    }

    /// Generates no conversions for these operations: the application writes them.
    pub fn by_hand<S: Into<String>>(mut self, operations: impl IntoIterator<Item = S>) -> Builder {
        self.by_hand.extend(operations.into_iter().map(Into::into));
        self
    }

    /// Compiles, or ends the build script with status 1.
    pub fn compile(&self) {
        if let Err(failed) = self.try_compile() {
            eprintln!("{failed}");
            std::process::exit(1);
        }
    }

    /// Compiles, and says where the file is.
    ///
    /// # Errors
    /// If the document cannot be read or has errors, or if this is no build script.
    pub fn try_compile(&self) -> Result<PathBuf, Failed> {
        let variable = |name: &str| {
            std::env::var_os(name)
                .map(PathBuf::from)
                .ok_or_else(|| Failed(format!("{name} is not set: this is no build script")))
        };
        let mut lines = Vec::new();
        let written = self.write(&variable("CARGO_MANIFEST_DIR")?, &variable("OUT_DIR")?, &mut lines);
        lines.iter().for_each(|line| println!("{line}"));
        written
    }

    /// The whole work, with what Cargo is to be told in `lines`.
    fn write(&self, package: &Path, out: &Path, lines: &mut Vec<String>) -> Result<PathBuf, Failed> {
        let files = self.run(package, lines)?.files.unwrap_or_default();
        let text: String = files.iter().map(|(_, text)| text).collect();
        let path = out.join(format!("{}.rs", self.options.name));
        // Written only when its bytes change: what depends on it is then built again, and otherwise not.
        if std::fs::read_to_string(&path).is_ok_and(|before| before == text) {
            return Ok(path);
        }
        std::fs::write(&path, text).map_err(|e| Failed(format!("cannot write {}: {e}", path.display())))?;
        Ok(path)
    }

    /// Compiles, and tells Cargo of it.
    fn run(&self, package: &Path, lines: &mut Vec<String>) -> Result<Compilation, Failed> {
        lines.push(format!("cargo::rerun-if-changed={}", self.spec.display()));
        if !gatewright_compiler::config::is_prefix(&self.options.prefix) {
            return Err(Failed(format!("`{}` is no path prefix: start with `/` and end without", self.options.prefix)));
        }
        let (loader, entry) = DiskLoader::open(package, &self.spec, self.root.as_deref()).map_err(|e| {
            lines.push(format!("cargo::error={e}"));
            Failed(e.to_string())
        })?;
        let mut options = self.options.clone();
        for file in &self.overlays {
            lines.push(format!("cargo::rerun-if-changed={}", file.display()));
            options.overlays.push(disk::overlay(package, file).map_err(|e| {
                lines.push(format!("cargo::error={e}"));
                Failed(e.to_string())
            })?);
        }
        if let Some(older) = &self.succeeds {
            // What there is to say of it was said where it was built.
            let done = older.run(package, &mut Vec::new())?;
            lines.extend(done.sources.files().map(|(_, source)| format!("cargo::rerun-if-changed={}", source.name())));
            options.succeeds = done.ir.map(|ir| Succeeds { ir, by_hand: self.by_hand.clone() });
        }
        let done = run(&loader, &entry, &options);
        told(&done, lines);
        if done.files.is_none() {
            let all: Vec<String> = done.diagnostics.iter().map(|d| plain::text(d, &done.sources)).collect();
            return Err(Failed(all.join("\n")));
        }
        Ok(done)
    }
}

/// Every file that was read, and every diagnostic, in Cargo's words.
fn told(done: &Compilation, lines: &mut Vec<String>) {
    lines.extend(done.sources.files().map(|(_, source)| format!("cargo::rerun-if-changed={}", source.name())));
    for diagnostic in &done.diagnostics {
        let word = if diagnostic.level == Level::Error { "error" } else { "warning" };
        let help = diagnostic.help.as_deref().map(|h| format!("; help: {}", gatewright_diag::show::clean(h)));
        lines.push(format!("cargo::{word}={}{}", plain::line(diagnostic, &done.sources), help.unwrap_or_default()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "openapi: 3.1.0\ninfo: { title: T, version: '1' }\npaths:\n  /a:\n    get:\n      operationId: a\n      \
                        x-security: { public: why }\n      responses: { '204': { description: d } }\n";

    fn build(text: &str) -> (Result<PathBuf, Failed>, Vec<String>, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("specs")).unwrap();
        std::fs::write(dir.path().join("specs/My-Bank.yaml"), text).unwrap();
        let mut lines = Vec::new();
        let written = Builder::new("specs/My-Bank.yaml").write(dir.path(), dir.path(), &mut lines);
        (written, lines, dir)
    }

    #[test]
    fn a_good_document_is_one_file_and_cargo_knows_what_was_read() {
        let (written, lines, dir) = build(GOOD);
        let path = written.unwrap();
        assert_eq!(path, dir.path().join("my_bank.rs"));
        assert!(std::fs::read_to_string(&path).unwrap().contains("@generated by gatewright"));
        assert!(lines.contains(&"cargo::rerun-if-changed=specs/My-Bank.yaml".to_owned()), "{lines:?}");
        let before = std::fs::metadata(&path).unwrap().modified().unwrap();
        Builder::new("specs/My-Bank.yaml").write(dir.path(), dir.path(), &mut Vec::new()).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().modified().unwrap(), before);
    }

    #[test]
    fn overlays_are_applied_and_watched() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("api.yaml"), GOOD.replace("      x-security: { public: why }\n", "")).unwrap();
        let overlay =
            "overlay: 1.0.0\nactions: [ { target: $.paths.*.get, update: { x-security: { public: why } } } ]\n";
        std::fs::write(dir.path().join("guards.yaml"), overlay).unwrap();
        let mut lines = Vec::new();
        assert!(Builder::new("api.yaml").write(dir.path(), dir.path(), &mut lines).is_err());
        let builder = Builder::new("api.yaml").overlay("guards.yaml");
        lines.clear();
        builder.write(dir.path(), dir.path(), &mut lines).unwrap();
        assert!(lines.contains(&"cargo::rerun-if-changed=guards.yaml".to_owned()), "{lines:?}");
    }

    #[test]
    fn errors_are_cargo_errors_with_their_line_and_nothing_is_written() {
        let (written, lines, dir) = build(&GOOD.replace("x-security: { public: why }", "x-security: { publik: why }"));
        assert!(written.unwrap_err().to_string().contains("error[GW"));
        assert!(lines.iter().any(|l| l.starts_with("cargo::error=specs/My-Bank.yaml:7:")), "{lines:?}");
        assert!(!dir.path().join("my_bank.rs").exists());
    }
}
