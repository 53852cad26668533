//! One module per command.

pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod dump;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod generate;
pub(crate) mod keys;
pub(crate) mod man;
pub(crate) mod new;
pub(crate) mod passkeys;
pub(crate) mod scaffold;
pub(crate) mod schema;

use std::path::{Path, PathBuf};

use gatewright_compiler::disk::DiskLoader;
use gatewright_compiler::{Layout, Options, module_name};

use crate::ui::Stop;

/// A document named on the command line, ready to compile.
pub(crate) struct Document {
    pub(crate) loader: DiskLoader,
    pub(crate) entry: String,
    pub(crate) options: Options,
}

/// Opens a document named on the command line.
pub(crate) fn open(spec: &Path, root: Option<&Path>, allow_unguarded: bool) -> Result<Document, Stop> {
    overlaid(spec, root, &[], allow_unguarded)
}

/// Opens a document named on the command line, with overlays.
pub(crate) fn overlaid(
    spec: &Path,
    root: Option<&Path>,
    overlays: &[PathBuf],
    allow_unguarded: bool,
) -> Result<Document, Stop> {
    let (loader, entry) = DiskLoader::open(Path::new(""), spec, root)?;
    let stem = spec.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let overlays = crate::project::overlays(Path::new(""), overlays)?;
    let options =
        Options { allow_unguarded, overlays, layout: Layout::SingleFile, ..Options::named(module_name(&stem)) };
    Ok(Document { loader, entry, options })
}
