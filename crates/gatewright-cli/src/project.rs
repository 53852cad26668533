//! A `gatewright.toml` and the folder in which it stands.

use std::path::{Path, PathBuf};

use gatewright_compiler::config::{self, ApiConfig, Config};
use gatewright_compiler::disk::{self, DiskLoader};
use gatewright_compiler::{Compilation, Layout, Options, OverlayFile, Succeeds, compile};
use gatewright_diag::{Sink, SourceMap};

use crate::args::Format;
use crate::ui::{Exit, Run, Stop, Ui};

/// A configuration is a page of text.
const MAX_CONFIG: u64 = 1 << 20;

/// A configuration that was read.
pub(crate) struct Project {
    pub(crate) folder: PathBuf,
    pub(crate) config: Config,
}

/// One API of a project, compiled.
pub(crate) struct Compiled {
    pub(crate) api: ApiConfig,
    pub(crate) done: Compilation,
}

impl Project {
    /// Reads the configuration. `Ok(Err(…))` if it was shown to be wrong.
    pub(crate) fn open(path: &Path, ui: &Ui, format: Format) -> Result<Result<Project, Exit>, Stop> {
        let cannot = |e: std::io::Error| Stop(format!("cannot read `{}`: {e}", path.display()));
        let meta = std::fs::metadata(path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => {
                Stop(format!("there is no `{}`; `gatewright new` makes a project with one", path.display()))
            }
            _ => cannot(e),
        })?;
        if !meta.is_file() || meta.len() > MAX_CONFIG {
            return Err(Stop(format!("`{}` is no configuration", path.display())));
        }
        let text = std::fs::read_to_string(path).map_err(cannot)?;
        let mut sources = SourceMap::new();
        let mut sink = Sink::new();
        let file = sources.add(path.display().to_string().replace('\\', "/"), text);
        let config = sources.get(file).map(|source| config::read(file, source, &mut sink)).unwrap_or_default();
        let failed = sink.has_errors();
        let diagnostics = sink.finish();
        ui.show(&[Run { diagnostics: &diagnostics, sources: &sources, dropped: 0 }], format)?;
        if failed {
            return Ok(Err(Exit::Found));
        }
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        Ok(Ok(Project { folder, config }))
    }

    /// Compiles every API.
    pub(crate) fn compile(&self, ui: &Ui) -> Result<Vec<Compiled>, Stop> {
        let mut all: Vec<Compiled> = Vec::new();
        for api in &self.config.apis {
            ui.doing("Compiling", &format!("{} ({})", api.name, api.spec));
            let root = api.root.as_deref().map(Path::new);
            let (loader, entry) = DiskLoader::open(&self.folder, Path::new(&api.spec), root)?;
            let layout = if api.output.ends_with(".rs") { Layout::SingleFile } else { Layout::Tree };
            let older = api.succeeds.as_ref().and_then(|name| all.iter().find(|c| c.api.name == *name));
            // One that has errors is shown with them, and nothing is written.
            let older = older.and_then(|older| older.done.ir.clone());
            let options = Options {
                overlays: overlays(&self.folder, &api.overlays)?,
                select: api.select.clone(),
                name: api.name.clone(),
                prefix: api.prefix.clone(),
                allow_unguarded: api.allow_unguarded,
                layout,
                succeeds: older.map(|ir| Succeeds { ir, by_hand: api.by_hand.clone() }),
            };
            let mut done = compile(&loader, &entry, &options);
            // Names are relative to the project, for the code; people see them relative to where they are.
            if self.folder != Path::new("") {
                let folder = self.folder.clone();
                done.sources.rename(|name| folder.join(name).display().to_string().replace('\\', "/"));
            }
            all.push(Compiled { api: api.clone(), done });
        }
        Ok(all)
    }
}

/// Reads overlays, named relative to a folder.
pub(crate) fn overlays<P: AsRef<Path>>(folder: &Path, paths: &[P]) -> Result<Vec<OverlayFile>, Stop> {
    paths.iter().map(|path| Ok(disk::overlay(folder, path.as_ref())?)).collect()
}

/// Shows the diagnostics of all, and says whether there is an error.
pub(crate) fn show(list: &[Compiled], ui: &Ui, format: Format) -> Result<Exit, Stop> {
    let runs: Vec<Run<'_>> = list.iter().map(|c| Run::of(&c.done)).collect();
    ui.show(&runs, format)?;
    Ok(if list.iter().any(|c| c.done.has_errors()) { Exit::Found } else { Exit::Good })
}

impl<'a> Run<'a> {
    pub(crate) fn of(done: &'a Compilation) -> Run<'a> {
        Run { diagnostics: &done.diagnostics, sources: &done.sources, dropped: done.dropped }
    }
}
