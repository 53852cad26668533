//! The load stage: bytes through a [`Loader`], checked to be text, into the source map.
//!
//! Nothing here touches a disk. What may be read at all is decided here, before the loader is asked: only files
//! inside the root folder, never a URL, never more than the limits.

mod decode;
mod path;

use std::collections::HashMap;

use gatewright_diag::{FileId, Sink, SourceMap, Span, codes};

pub use path::{FilePath, PathError};
pub(crate) use path::{percent_decode, scheme};

/// A file may have this many bytes.
pub const MAX_FILE: u64 = 128 << 20;
/// A document may have this many files.
pub const MAX_FILES: usize = 10_000;

/// Why a file could not be read. No variant carries text of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// There is no such file.
    NotFound,
    /// The path leads out of the root folder, for example through a symbolic link. Nothing was read.
    Outside,
    /// It is a folder, or no regular file.
    NotAFile,
    /// It has more bytes than were allowed.
    TooLarge,
    /// The operating system refuses.
    Denied,
    /// Anything else, in a few words.
    Other(String),
}

/// Reads files of one root folder. The disk is a shell's; tests use a [`MemoryLoader`].
pub trait Loader {
    /// Reads the file at `path`, at most `limit` bytes of it.
    ///
    /// `path` is already inside the root as far as its words go. The loader must resolve symbolic links, and refuse
    /// with [`LoadError::Outside`], without reading, what leads out of the root folder.
    ///
    /// # Errors
    /// Why it could not be read; [`LoadError::TooLarge`] if it has more than `limit` bytes.
    fn read(&self, path: &FilePath, limit: u64) -> Result<Vec<u8>, LoadError>;

    /// The name to show people.
    fn name(&self, path: &FilePath) -> String {
        path.to_string()
    }
}

/// Files in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryLoader {
    files: HashMap<String, Vec<u8>>,
}

impl MemoryLoader {
    /// Files by path.
    pub fn new<P: Into<String>, B: Into<Vec<u8>>>(files: impl IntoIterator<Item = (P, B)>) -> Self {
        MemoryLoader { files: files.into_iter().map(|(path, bytes)| (path.into(), bytes.into())).collect() }
    }
}

impl Loader for MemoryLoader {
    fn read(&self, path: &FilePath, limit: u64) -> Result<Vec<u8>, LoadError> {
        let bytes = self.files.get(path.as_str()).ok_or(LoadError::NotFound)?;
        if bytes.len() as u64 > limit { Err(LoadError::TooLarge) } else { Ok(bytes.clone()) }
    }
}

/// Reads one file into the source map. `from` is the place that asks for it; `None` for the entry document.
pub fn load(
    path: &FilePath,
    from: Option<Span>,
    loader: &dyn Loader,
    map: &mut SourceMap,
    sink: &mut Sink,
) -> Option<FileId> {
    let bytes = match loader.read(path, MAX_FILE) {
        Ok(bytes) if bytes.len() as u64 > MAX_FILE => Err(LoadError::TooLarge),
        other => other,
    };
    match bytes {
        Ok(bytes) => decode::decode(loader.name(path), bytes, map, sink),
        Err(error) => {
            refuse(path, from, &error, sink);
            None
        }
    }
}

/// Enters a file that a shell has read into the source map.
pub(crate) fn enter(name: String, bytes: Vec<u8>, map: &mut SourceMap, sink: &mut Sink) -> Option<FileId> {
    if bytes.len() as u64 > MAX_FILE {
        let message = format!("`{name}` has more than {} MiB", MAX_FILE >> 20);
        sink.error(codes::TOO_LARGE, None, message).help("split it into several files");
        return None;
    }
    decode::decode(name, bytes, map, sink)
}

fn refuse(path: &FilePath, from: Option<Span>, error: &LoadError, sink: &mut Sink) {
    let (code, why, help) = match error {
        LoadError::NotFound => (codes::FILE_NOT_READ, "there is no such file".to_owned(), "check the path"),
        LoadError::Outside => (
            codes::REFERENCE_OUTSIDE,
            "it lies outside the document's folder".to_owned(),
            "copy the file into the folder, or name a wider one: `--root DIR`, or `root` in gatewright.toml",
        ),
        LoadError::NotAFile => (codes::FILE_NOT_READ, "it is no file".to_owned(), "name a YAML or JSON file"),
        LoadError::TooLarge => (
            codes::TOO_LARGE,
            format!("it has more than {} MiB", MAX_FILE >> 20),
            "split the document into several files",
        ),
        LoadError::Denied => (codes::FILE_NOT_READ, "permission denied".to_owned(), "make the file readable"),
        LoadError::Other(why) => (codes::FILE_NOT_READ, why.clone(), "check the path"),
    };
    sink.error(code, from, format!("cannot read `{path}`: {why}")).help(help);
}
