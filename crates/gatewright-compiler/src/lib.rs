//! The whole compiler on one screen: [`pipeline`](self) runs the stages in their order, and what each made can be looked
//! at with [`dump`]. The command line, build scripts and `api!` call [`compile`] and nothing else, so all of them write the
//! same text.
//!
//! ```
//! use gatewright_compiler::{Options, compile};
//! use gatewright_spec::MemoryLoader;
//!
//! let spec = r#"
//! openapi: 3.1.0
//! info: { title: Things, version: "1" }
//! paths:
//!   /health:
//!     get:
//!       operationId: health
//!       x-security: { public: "liveness probe; no data" }
//!       responses: { "204": { description: It lives. } }
//! "#;
//! let loader = MemoryLoader::new([("things.yaml", spec)]);
//! let done = compile(&loader, "things.yaml", &Options::named("v1"));
//! assert!(!done.has_errors());
//! assert!(done.files.unwrap().iter().any(|(_, text)| text.contains("pub trait Health")));
//! ```

pub mod config;
#[cfg(feature = "disk")]
pub mod disk;
mod dump;

use std::sync::Arc;

use gatewright_check::check;
use gatewright_codegen::{Earlier, generate};
use gatewright_diag::{Diagnostic, Level, Sink, SourceMap, codes, nearest};
use gatewright_ir::{CheckedIr, OutputFiles};
use gatewright_spec::lower::lower;
use gatewright_spec::{FilePath, Loader, load, overlay, parse, resolve, shape};

pub use gatewright_codegen::{Layout, ScaffoldOptions, Style, scaffold};
pub use gatewright_spec::OverlayFile;
pub use gatewright_spec::lower::Select;
/// The JSON Schema of `x-security`, for editors.
pub use gatewright_spec::vocabulary::SCHEMA as VOCABULARY_SCHEMA;

/// What a document does not say.
#[derive(Clone, Debug)]
pub struct Options {
    /// The short name of this API version: `v1`. The module is called so.
    pub name: String,
    /// The path under which the version is served: `/v1`; empty for none.
    pub prefix: String,
    /// Operations that say neither `security` nor `public` are open, with a warning, instead of an error.
    pub allow_unguarded: bool,
    /// OpenAPI overlays, applied to the entry document in this order.
    pub overlays: Vec<OverlayFile>,
    /// Which operations are compiled; all unless said.
    pub select: Select,
    /// Several files, or one.
    pub layout: Layout,
    /// The version before this one; none unless said.
    pub succeeds: Option<Succeeds>,
}

/// The version of the API before this one. Conversions between the two are generated where nothing has to be decided for
/// them: they name the older version's module, which stands beside this one's.
#[derive(Clone, Debug)]
pub struct Succeeds {
    /// The older version, compiled.
    pub ir: Arc<CheckedIr>,
    /// The operations whose conversions the application writes itself.
    pub by_hand: Vec<String>,
}

impl Options {
    /// An API version of this name, served without a prefix, unguarded operations refused, in several files.
    pub fn named(name: impl Into<String>) -> Options {
        Options {
            name: name.into(),
            prefix: String::new(),
            allow_unguarded: false,
            overlays: Vec::new(),
            select: Select::default(),
            layout: Layout::Tree,
            succeeds: None,
        }
    }
}

/// The module's name for a document that is called `stem`: `bank-v1` gives `bank_v1`.
pub fn module_name(stem: &str) -> String {
    gatewright_ir::names::plain(stem, gatewright_ir::names::Case::Snake)
}

/// All there is to know of one run.
#[derive(Debug, Default)]
pub struct Compilation {
    /// Every file that was read; its names are what the loader calls them.
    pub sources: SourceMap,
    /// What was found, in the order of files and places.
    pub diagnostics: Vec<Diagnostic>,
    /// How many more there were, beyond those kept.
    pub dropped: usize,
    /// The API and its policies; nothing if there is an error.
    pub ir: Option<Arc<CheckedIr>>,
    /// The Rust code; nothing if there is an error.
    pub files: Option<OutputFiles>,
}

impl Compilation {
    /// Whether anything found is an error.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|d| d.level == Level::Error)
    }
}

/// The stages, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Bytes to text.
    Load,
    /// Text to a tree of nodes with places.
    Parse,
    /// The tree is an OpenAPI document.
    Shape,
    /// Every reference followed, over all files.
    Resolve,
    /// The API and its policies, in our words.
    Lower,
    /// The rules ran.
    Check,
    /// Rust code.
    Generate,
}

/// Compiles the document `entry`, a path inside the loader's folder.
pub fn compile(loader: &dyn Loader, entry: &str, options: &Options) -> Compilation {
    observe(loader, entry, options, &mut |_| {})
}

/// As [`compile`], and says when each stage is done: for progress, and for measuring.
pub fn observe(loader: &dyn Loader, entry: &str, options: &Options, done: &mut dyn FnMut(Stage)) -> Compilation {
    run(loader, entry, options, &mut Watch { until: None, text: None, done })
}

/// Compiles up to a stage, and what that stage made as text. `None` if an error came before it was done.
pub fn dump(loader: &dyn Loader, entry: &str, options: &Options, stage: Stage) -> (Option<String>, Compilation) {
    let mut watch = Watch { until: Some(stage), text: None, done: &mut |_| {} };
    let done = run(loader, entry, options, &mut watch);
    (watch.text, done)
}

fn run(loader: &dyn Loader, entry: &str, options: &Options, watch: &mut Watch<'_>) -> Compilation {
    let mut sources = SourceMap::new();
    let mut sink = Sink::new();
    let (ir, files) = pipeline(loader, entry, options, &mut sources, &mut sink, watch).unzip();
    let ir = ir.map(Arc::new);
    let dropped = sink.dropped();
    let mut done = Compilation { dropped, diagnostics: sink.finish(), sources, ir, files };
    // Also a backend may find something: what does not stand behind a whole compilation is not handed out.
    if done.has_errors() {
        (done.ir, done.files) = (None, None);
    }
    done
}

/// The compiler. Every stage reports into one sink and goes on while that is useful; only [`check`] makes the value that
/// opens a backend, and only without an error in the sink.
fn pipeline(
    loader: &dyn Loader,
    entry: &str,
    options: &Options,
    map: &mut SourceMap,
    sink: &mut Sink,
    watch: &mut Watch<'_>,
) -> Option<(CheckedIr, OutputFiles)> {
    let path = named(entry, sink)?;

    let file = load(&path, None, loader, map, sink)?;
    watch.pass(Stage::Load, || dump::files(map))?;

    let tree = parse(file, map, sink)?;
    watch.pass(Stage::Parse, || tree.to_string())?;

    let tree = overlay(tree, &options.overlays, map, sink)?;
    let document = shape(tree, sink)?;
    watch.pass(Stage::Shape, || document.to_string())?;

    let spec = resolve(document, &path, loader, map, sink);
    watch.pass(Stage::Resolve, || spec.to_string())?;

    let ir = lower(&spec, map, &options.lower(), sink);
    watch.pass(Stage::Lower, || dump::ir(&ir))?;

    let checked = check(ir, options.check(), sink).ok()?;
    watch.pass(Stage::Check, || dump::ir(&checked))?;

    let succeeds = options.succeeds.as_ref();
    if let Some(succeeds) = succeeds {
        named_of_both(succeeds, &checked, sink);
    }
    let earlier = succeeds.map(|older| Earlier { ir: &older.ir, by_hand: &older.by_hand });
    let files = written(generate(&checked, map, &options.generate(), earlier.as_ref()), sink)?;
    watch.pass(Stage::Generate, || dump::output(&files))?;

    Some((checked, files))
}

fn named(entry: &str, sink: &mut Sink) -> Option<FilePath> {
    let path = FilePath::entry(entry);
    if path.is_err() {
        sink.error(codes::FILE_NOT_READ, None, format!("`{entry}` is no file inside the document's folder"))
            .help("name the entry document relative to its folder");
    }
    path.ok()
}

/// Reports operations that are to be converted by hand and are not in both versions: a name that is misspelt.
fn named_of_both(succeeds: &Succeeds, ir: &CheckedIr, sink: &mut Sink) {
    let older = succeeds.ir.api.operations.iter().map(|o| o.id.as_str());
    let both: Vec<&str> = older.filter(|id| ir.api.operations.iter().any(|o| o.id == *id)).collect();
    for name in succeeds.by_hand.iter().filter(|name| !both.contains(&name.as_str())) {
        let help = match nearest(name, both.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "remove it from `by-hand`, or write it as the documents do".to_owned(),
        };
        let message = format!("no operation of both versions is called `{name}`, which `by-hand` names");
        sink.error(codes::UNKNOWN_SELECTION, None, message).help(help);
    }
}

fn written(files: Result<OutputFiles, gatewright_codegen::CodegenError>, sink: &mut Sink) -> Option<OutputFiles> {
    files
        .map_err(|mut error| {
            let more = std::mem::take(&mut error.more);
            for error in [error].into_iter().chain(more) {
                sink.error(codes::NOT_GENERATED, error.span, error.message)
                    .help("leave this part out of the document, and report it");
            }
        })
        .ok()
}

impl Options {
    fn lower(&self) -> gatewright_spec::lower::Options {
        gatewright_spec::lower::Options { name: self.name.clone(), select: self.select.clone() }
    }

    fn check(&self) -> gatewright_check::Options {
        gatewright_check::Options { allow_unguarded: self.allow_unguarded }
    }

    fn generate(&self) -> gatewright_codegen::Options {
        gatewright_codegen::Options { layout: self.layout, prefix: self.prefix.clone() }
    }
}

/// Looks at the stages as they pass, and ends the run behind the one that is wanted.
struct Watch<'a> {
    until: Option<Stage>,
    text: Option<String>,
    done: &'a mut dyn FnMut(Stage),
}

impl Watch<'_> {
    fn pass(&mut self, stage: Stage, text: impl FnOnce() -> String) -> Option<()> {
        (self.done)(stage);
        if self.until != Some(stage) {
            return Some(());
        }
        self.text = Some(text());
        None
    }
}
