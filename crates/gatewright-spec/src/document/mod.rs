//! The shape stage: is this an OpenAPI document, of which version, and is everything in it of its kind?
//!
//! The object model is data (`tables`), one walker checks a tree against it, and reports all it finds at once. What
//! can be understood all the same is a warning; what cannot is an error. After this stage, readers need not check
//! types again: a field is of its kind, or an error is in the sink.

mod hints;
mod hooks;
pub(crate) mod keys;
pub(crate) mod tables;
pub(crate) mod walk;

use std::fmt;

use gatewright_diag::{Sink, codes};

use crate::syntax::{Node, Scalar, Tree};
use walk::{Use, Walker};

static ROOT: tables::Kind = tables::Kind::Obj(&tables::ROOT);

/// A version of OpenAPI, as far as its object model differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// 3.0.x.
    V3_0,
    /// 3.1.x.
    V3_1,
    /// 3.2.x.
    V3_2,
}

impl Version {
    pub(crate) fn mask(self) -> tables::Mask {
        match self {
            Version::V3_0 => tables::V30,
            Version::V3_1 => tables::V31,
            Version::V3_2 => tables::V32,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Version::V3_0 => "3.0",
            Version::V3_1 => "3.1",
            Version::V3_2 => "3.2",
        })
    }
}

/// A tree that is an OpenAPI document, walked once: its version, and every reference found at its place.
#[derive(Debug)]
pub struct Document {
    pub(crate) tree: Tree,
    pub(crate) version: Version,
    pub(crate) uses: Vec<Use>,
    /// How many more names may be compared with known ones.
    pub(crate) guesses: u32,
}

/// Names compared with known ones, in a whole compilation, to say "did you mean".
const GUESSES: u32 = 1_000;

impl Document {
    /// The version it says.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The document's root.
    pub fn root(&self) -> Node<'_> {
        self.tree.root()
    }
}

/// The version, and each reference with its place: what `dump --stage shape` prints.
impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "OpenAPI {}", self.version)?;
        for found in &self.uses {
            let text = self.tree.node(found.text.node);
            writeln!(f, "#{} refers to {}", text.pointer(), keys::shown(text.text().unwrap_or("")))?;
        }
        Ok(())
    }
}

/// Checks the entry document's tree. `None` if it is no OpenAPI document of a version that we know; then the sink
/// holds an error.
pub fn shape(tree: Tree, sink: &mut Sink) -> Option<Document> {
    let version = version(tree.root(), sink)?;
    let mut uses = Vec::new();
    let mut guesses = GUESSES;
    Walker::new(version, sink, &mut uses, &mut guesses).walk(tree.root(), &ROOT);
    Some(Document { tree, version, uses, guesses })
}

fn version(root: Node<'_>, sink: &mut Sink) -> Option<Version> {
    let supported = "this compiler reads 3.0, 3.1 and 3.2";
    if !root.is_map() {
        let found = root.type_name();
        sink.error(
            codes::NOT_OPENAPI,
            root.anchor_span(),
            format!("an OpenAPI document is an object, this is {found}"),
        )
        .help("start the document with `openapi: 3.1.0`");
        return None;
    }
    let Some(node) = root.get("openapi") else {
        if let Some(node) = root.get("swagger") {
            sink.error(codes::UNSUPPORTED_VERSION, node.span(), "this is a Swagger 2.0 document")
                .label(supported)
                .help("convert it first, for example with `npx swagger2openapi` or at editor.swagger.io");
        } else {
            let near = root.entries().map(|(key, _)| key).find(|key| key.to_lowercase().trim() == "openapi");
            sink.error(
                codes::NOT_OPENAPI,
                near.map_or(root.anchor_span(), |k| k.span),
                "the document does not say `openapi`",
            )
            .help("start the document with `openapi: 3.1.0`");
        }
        return None;
    };
    let text = node.text().unwrap_or("");
    let error = |sink: &mut Sink, message: String, help: String| {
        sink.error(codes::UNSUPPORTED_VERSION, node.span(), message).label(supported).help(help);
    };
    match node.scalar() {
        Some(Scalar::Str(_)) => {}
        Some(Scalar::Number(_)) => {
            error(sink, format!("`openapi: {text}` is a number, not a version"), format!("write `openapi: {text}.0`"));
            return None;
        }
        _ => {
            error(sink, format!("the version is {}", node.type_name()), "write `openapi: 3.1.0`".to_owned());
            return None;
        }
    }
    let mut parts = text.split('.');
    let version = match (parts.next(), parts.next()) {
        (Some("3"), Some("0")) => Version::V3_0,
        (Some("3"), Some("1")) => Version::V3_1,
        (Some("3"), Some("2")) => Version::V3_2,
        _ => {
            let shown: String = text.chars().take(32).collect();
            error(
                sink,
                format!("`{shown}` is no version of OpenAPI that is supported"),
                "write `openapi: 3.1.0`".to_owned(),
            );
            return None;
        }
    };
    let patch = parts.next();
    let plain = patch.is_some_and(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit())) && parts.next().is_none();
    if !plain {
        sink.warning(codes::UNSUPPORTED_VERSION, node.span(), format!("`{text}` is read as {version}"))
            .help(format!("write `openapi: {version}.0`"));
    }
    Some(version)
}
