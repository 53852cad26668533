//! Everything that knows YAML, JSON and OpenAPI: load, parse, shape, resolve, lower.
//!
//! Each stage takes what the one before gives, and the [`Sink`]: it reports all it finds and goes on while that is
//! useful. [`read`] runs the first four.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod document;
pub mod lower;
pub mod overlay;
pub mod pattern;
pub mod resolve;
pub mod source;
pub mod syntax;
pub mod vocabulary;

use gatewright_diag::{Sink, SourceMap, codes};

pub use document::{Document, Version, shape};
pub use overlay::{OverlayFile, overlay};
pub use resolve::{Reference, Spec, resolve};
pub use source::{FilePath, LoadError, Loader, MemoryLoader, load};
pub use syntax::{Node, NodeKey, parse};

/// Loads, parses, shapes and resolves the document whose entry is the file `entry`, relative to the loader's root
/// folder. `None` where there is nothing to go on with; the sink then holds an error. A spec may come with errors in
/// the sink: what could be understood is in it.
pub fn read(entry: &str, loader: &dyn Loader, map: &mut SourceMap, sink: &mut Sink) -> Option<Spec> {
    let Ok(path) = FilePath::entry(entry) else {
        sink.error(codes::FILE_NOT_READ, None, "the entry document's name leads out of its folder")
            .help("name a file inside the folder");
        return None;
    };
    let file = load(&path, None, loader, map, sink)?;
    let tree = parse(file, map, sink)?;
    let document = shape(tree, sink)?;
    Some(resolve(document, &path, loader, map, sink))
}
