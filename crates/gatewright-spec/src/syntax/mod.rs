//! The parse stage: text in, a [`Tree`] of nodes with spans out, for YAML and JSON alike.
//!
//! Limits are here, so that no later stage meets hostile shapes: depth (aliases followed), number of nodes, alias
//! expansion; and so are duplicate keys, which are an error with both places.

mod build;
pub(crate) mod draft;
mod dump;
mod json;
mod node;
mod scalar;
mod tree;
mod yaml;

use std::sync::Arc;

use gatewright_diag::{FileId, Sink, SourceMap, Span, codes};

pub use build::MAX_DEPTH;
pub(crate) use node::unescape;
pub use node::{Entries, Items, Key, Node, NodeKey, NodeKind};
pub use scalar::{Number, Scalar, yaml_1_1_differs};
pub use tree::{NodeId, Tree};

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// YAML 1.2.
    Yaml,
    /// JSON, RFC 8259.
    Json,
}

impl Format {
    /// By the name's extension; failing that, JSON if the text starts with `{` or `[`.
    pub fn of(name: &str, text: &str) -> Format {
        let extension =
            name.rsplit(['/', '\\']).next().and_then(|n| n.rsplit_once('.')).map(|(_, e)| e.to_ascii_lowercase());
        match extension.as_deref() {
            Some("json") => Format::Json,
            Some("yaml" | "yml") => Format::Yaml,
            _ if text.trim_start().starts_with(['{', '[']) => Format::Json,
            _ => Format::Yaml,
        }
    }
}

/// Parses a file of `map`. `None` where no tree could be made; then the sink holds the error.
///
/// Duplicate keys are reported and the tree goes on, with the first of them in force.
pub fn parse(file: FileId, map: &SourceMap, sink: &mut Sink) -> Option<Tree> {
    let source = map.get(file)?;
    let format = Format::of(source.name(), source.text());
    parse_text(file, source.text().clone(), format, sink)
}

/// Parses a text as one format.
pub fn parse_text(file: FileId, text: Arc<str>, format: Format, sink: &mut Sink) -> Option<Tree> {
    let start = Span { file, start: 0, end: 0 };
    if text.len() > u32::MAX as usize / 2 {
        sink.error(codes::TOO_LARGE, start, "the file is too large").help("split the document into several files");
        return None;
    }
    let said = |sink: &Sink| sink.diagnostics().len() + sink.dropped();
    let before = said(sink);
    let tree = match format {
        Format::Yaml => yaml::read(file, text, sink),
        Format::Json => json::read(file, text, sink),
    };
    if tree.is_none() && said(sink) == before {
        sink.error(codes::EMPTY_FILE, start, "the file is empty")
            .help("write an OpenAPI document, or run `gatewright new` for one to start from");
    }
    tree
}
