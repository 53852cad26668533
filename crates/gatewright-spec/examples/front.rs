//! Reads documents through the front end and prints what was found and how long each stage took.
//!
//! `cargo run --release -p gatewright-spec --example front -- [--root FOLDER] FILE…`

#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::print_stderr)]

use std::path::{Path, PathBuf};
use std::time::Instant;

use gatewright_diag::{Sink, SourceMap};
use gatewright_spec::{FilePath, LoadError, Loader, load, parse, resolve, shape};

struct Disk(PathBuf);

impl Loader for Disk {
    fn read(&self, path: &FilePath, limit: u64) -> Result<Vec<u8>, LoadError> {
        let root = self.0.canonicalize().map_err(|_| LoadError::NotFound)?;
        let real = root.join(path.as_str()).canonicalize().map_err(|_| LoadError::NotFound)?;
        if !real.starts_with(&root) {
            return Err(LoadError::Outside);
        }
        if std::fs::metadata(&real).map_err(|_| LoadError::NotFound)?.len() > limit {
            return Err(LoadError::TooLarge);
        }
        std::fs::read(real).map_err(|e| LoadError::Other(e.to_string()))
    }
}

fn main() {
    let mut names = std::env::args().skip(1);
    let mut root = None;
    while let Some(name) = names.next() {
        match name.as_str() {
            "--root" => root = names.next(),
            name => one(Path::new(name), root.as_deref().map(Path::new)),
        }
    }
}

fn one(path: &Path, root: Option<&Path>) {
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = root.unwrap_or(parent);
    let name = root.map_or_else(|| path.file_name().map(Path::new), |root| path.strip_prefix(root).ok());
    let (Some(file), loader) = (name.and_then(Path::to_str), Disk(folder.to_owned())) else { return };
    let (mut map, mut sink) = (SourceMap::new(), Sink::new());
    let mut times = Vec::new();
    let mut clock = Instant::now();
    let mut lap = |name: &'static str| {
        times.push(format!("{name} {:.1} ms", clock.elapsed().as_secs_f64() * 1e3));
        clock = Instant::now();
    };
    let spec = FilePath::entry(file).ok().and_then(|entry| {
        let id = load(&entry, None, &loader, &mut map, &mut sink);
        lap("load");
        let tree = parse(id?, &map, &mut sink);
        lap("parse");
        let document = shape(tree?, &mut sink);
        lap("shape");
        let spec = resolve(document?, &entry, &loader, &mut map, &mut sink);
        lap("resolve");
        Some(spec)
    });
    let read = if spec.is_some() { "read" } else { "NOT READ" };
    let dropped = sink.dropped();
    println!("{}: {read}: {}", path.display(), times.join(", "));
    for d in sink.finish() {
        let place = d.span.map_or(String::new(), |s| {
            let at = map.get(s.file).map(|f| f.line_col(s.start));
            at.map_or(String::new(), |at| {
                format!("{}:{}:{}", map.get(s.file).map_or("", |f| f.name()), at.line, at.column)
            })
        });
        let help = d.help.unwrap_or_default();
        println!("  {} {} {place} {} [{}] ({help})", d.level, d.code, d.message, d.label);
    }
    if dropped > 0 {
        println!("  and {dropped} more");
    }
}
