//! The [`Loader`] of the shells: files of one folder, and never of another.
//!
//! The only module below the shells that reads: the command line, build scripts and `api!` share it, and it exists only
//! with the feature `disk`.
#![allow(clippy::disallowed_methods, reason = "this is the shells' half of `Loader`; the pipeline never names it")]

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use gatewright_spec::{FilePath, LoadError, Loader, OverlayFile};

/// Reads files inside one folder.
#[derive(Clone, Debug)]
pub struct DiskLoader {
    /// Where the folder is.
    folder: PathBuf,
    /// The same without links: nothing outside is read.
    real: PathBuf,
    /// How people write it.
    shown: String,
}

/// Why there is nothing to compile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoSpec {
    /// The path as given.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: String,
}

impl std::fmt::Display for NoSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "cannot read `{}`: {}", self.path.display(), self.why)
    }
}

impl std::error::Error for NoSpec {}

impl DiskLoader {
    /// A loader for the document at `spec`, and its name for the loader. Relative paths start at `base`; names of files,
    /// as messages and generated code show them, do too, so that they are the same wherever a command runs. `root` is the
    /// folder that references may not leave; the document's own unless given.
    ///
    /// # Errors
    /// If there is no such file, or it is not inside `root`.
    pub fn open(base: &Path, spec: &Path, root: Option<&Path>) -> Result<(DiskLoader, String), NoSpec> {
        let fail = |why: &str| NoSpec { path: spec.to_owned(), why: why.to_owned() };
        let meta = fs::metadata(base.join(spec)).map_err(|e| fail(reason(e.kind())))?;
        if !meta.is_file() {
            return Err(fail("it is no file"));
        }
        let name = spec.file_name().ok_or_else(|| fail("it is no file"))?;
        let parent = spec.parent().unwrap_or(Path::new(""));
        let shown = root.unwrap_or(parent);
        let folder = base.join(shown);
        let folder = if folder == Path::new("") { PathBuf::from(".") } else { folder };
        let canonical = |path: &Path| fs::canonicalize(path).map_err(|e| fail(reason(e.kind())));
        let real = canonical(&folder)?;
        // Through the folder in which the file stands, so that a document which is itself a link keeps its name.
        let parent = base.join(parent);
        let parent = canonical(if parent == Path::new("") { Path::new(".") } else { &parent })?;
        let relative = parent.strip_prefix(&real).map_err(|_| fail("it is not inside `root`"))?.join(name);
        let parts: Option<Vec<&str>> = relative.components().map(|c| c.as_os_str().to_str()).collect();
        let entry = parts.ok_or_else(|| fail("its name is not UTF-8"))?.join("/");
        let shown = shown.components().filter(|c| *c != std::path::Component::CurDir).collect::<PathBuf>();
        let shown = shown.to_string_lossy().replace('\\', "/");
        Ok((DiskLoader { folder, real, shown }, entry))
    }
}

/// Reads an overlay. It was named by hand, so it may stand in any folder. Paths are relative to `base`, the name that
/// people see too.
///
/// # Errors
/// If there is no such file, or it cannot be read.
pub fn overlay(base: &Path, path: &Path) -> Result<OverlayFile, NoSpec> {
    let fail = |why: &str| NoSpec { path: path.to_owned(), why: why.to_owned() };
    let real = base.join(path);
    let meta = fs::metadata(&real).map_err(|e| fail(reason(e.kind())))?;
    if !meta.is_file() || meta.len() > gatewright_spec::source::MAX_FILE {
        return Err(fail("it is no overlay"));
    }
    let bytes = fs::read(&real).map_err(|e| fail(reason(e.kind())))?;
    Ok(OverlayFile { name: path.to_string_lossy().replace('\\', "/"), bytes })
}

impl DiskLoader {
    /// The same files, shown as if they stood in another folder.
    pub fn shown_as(mut self, folder: &str) -> DiskLoader {
        self.shown = folder.to_owned();
        self
    }
}

fn reason(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotFound => "there is no such file",
        ErrorKind::PermissionDenied => "permission denied",
        ErrorKind::NotADirectory => "a part of its path is no folder",
        _ => "the operating system refuses",
    }
}

fn refused(kind: ErrorKind) -> LoadError {
    match kind {
        ErrorKind::NotFound | ErrorKind::NotADirectory => LoadError::NotFound,
        ErrorKind::PermissionDenied => LoadError::Denied,
        kind => LoadError::Other(kind.to_string()),
    }
}

impl Loader for DiskLoader {
    fn read(&self, path: &FilePath, limit: u64) -> Result<Vec<u8>, LoadError> {
        let real = fs::canonicalize(self.folder.join(path.as_str())).map_err(|e| refused(e.kind()))?;
        if !real.starts_with(&self.real) {
            return Err(LoadError::Outside);
        }
        // Before opening: opening a pipe would wait for its writer.
        let meta = fs::metadata(&real).map_err(|e| refused(e.kind()))?;
        if !meta.is_file() {
            return Err(LoadError::NotAFile);
        }
        if meta.len() > limit {
            return Err(LoadError::TooLarge);
        }
        let mut bytes = Vec::new();
        let file = File::open(&real).map_err(|e| refused(e.kind()))?;
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(|e| refused(e.kind()))?;
        if bytes.len() as u64 > limit { Err(LoadError::TooLarge) } else { Ok(bytes) }
    }

    fn name(&self, path: &FilePath) -> String {
        if self.shown.is_empty() { path.to_string() } else { format!("{}/{path}", self.shown.trim_end_matches('/')) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_folder_and_no_others() {
        let dir = tempfile::tempdir().unwrap();
        let inside = dir.path().join("specs");
        fs::create_dir_all(inside.join("sub")).unwrap();
        fs::write(inside.join("api.yaml"), "a").unwrap();
        fs::write(inside.join("sub/b.yaml"), "bb").unwrap();
        fs::write(dir.path().join("secret.yaml"), "s").unwrap();
        let (loader, entry) = DiskLoader::open(dir.path(), Path::new("./specs/api.yaml"), None).unwrap();
        assert_eq!(entry, "api.yaml");
        assert_eq!(loader.name(&FilePath::entry("api.yaml").unwrap()), "specs/api.yaml");
        let read = |name: &str| loader.read(&FilePath::entry(name).unwrap(), 10);
        assert_eq!(read("api.yaml").unwrap(), b"a");
        assert_eq!(read("sub/b.yaml").unwrap(), b"bb");
        assert_eq!(read("sub"), Err(LoadError::NotAFile));
        assert_eq!(read("none.yaml"), Err(LoadError::NotFound));
        assert_eq!(loader.read(&FilePath::entry("sub/b.yaml").unwrap(), 1), Err(LoadError::TooLarge));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(dir.path().join("secret.yaml"), inside.join("link.yaml")).unwrap();
            std::os::unix::fs::symlink(dir.path(), inside.join("up")).unwrap();
            assert_eq!(read("link.yaml"), Err(LoadError::Outside));
            assert_eq!(read("up/secret.yaml"), Err(LoadError::Outside));
        }
        let (_, entry) = DiskLoader::open(dir.path(), Path::new("specs/sub/b.yaml"), Some(Path::new("specs"))).unwrap();
        assert_eq!(entry, "sub/b.yaml");
        assert!(DiskLoader::open(dir.path(), Path::new("secret.yaml"), Some(Path::new("specs"))).is_err());
        assert!(DiskLoader::open(Path::new(""), &inside, None).is_err());
    }
}
