//! Documents made by a program: parameters, forms and cookies become values of the same kind as bodies.

use std::fmt;

use super::check::{BOOLEAN, INTEGER, NULL, NUMBER, STRING};
use super::document::{Document, Node, Tag};
use super::read::{Limits, repeats};

/// Why a document could not be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuilderError {
    /// An object has a name twice.
    Duplicate,
    /// Too deep, or too many values or bytes.
    Size,
    /// What was begun was not ended, or the other way round.
    Unbalanced,
}

impl fmt::Display for BuilderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BuilderError::Duplicate => "an object has a name twice",
            BuilderError::Size => "too many values",
            BuilderError::Unbalanced => "something was not ended",
        })
    }
}

impl std::error::Error for BuilderError {}

/// Builds a [`Document`].
///
/// ```
/// use gatewright::json::{Builder, check};
/// let mut builder = Builder::new();
/// builder.begin_object();
/// builder.name("limit");
/// builder.scalar("20", check::INTEGER);
/// builder.name("tag");
/// builder.scalar("20", check::STRING);
/// builder.end();
/// let document = builder.finish().unwrap();
/// assert_eq!(document.root().get("limit").unwrap().as_i128(), Some(20));
/// assert_eq!(document.root().get("tag").unwrap().as_str(), Some("20"));
/// ```
#[derive(Debug, Default)]
pub struct Builder {
    side: String,
    nodes: Vec<Node>,
    open: Vec<u32>,
    failed: Option<BuilderError>,
}

impl Builder {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Builder::default()
    }

    fn push(&mut self, tag: Tag, text: &str, is_name: bool) {
        let limits = Limits::default();
        let start = self.side.len();
        if self.nodes.len() >= limits.nodes || u32::try_from(start + text.len()).is_err() {
            self.failed = Some(BuilderError::Size);
            return;
        }
        if let Some(node) = self.open.last().and_then(|open| self.nodes.get_mut(*open as usize)) {
            // An object counts its names, an array its items.
            node.start += u32::from((node.tag == Tag::Object) == is_name);
        } else if !self.nodes.is_empty() {
            self.failed = Some(BuilderError::Unbalanced);
            return;
        }
        self.side.push_str(text);
        let container = matches!(tag, Tag::Array | Tag::Object);
        let (start, end) = if container { (0, 0) } else { (start as u32, self.side.len() as u32) };
        let past = self.nodes.len() as u32 + 1;
        self.nodes.push(Node { tag, side: true, start, end, past });
    }

    fn begin(&mut self, tag: Tag) {
        let place = self.nodes.len() as u32;
        self.push(tag, "", false);
        self.open.push(place);
        if self.open.len() > Limits::default().depth {
            self.failed = Some(BuilderError::Size);
        }
    }

    /// `{`
    pub fn begin_object(&mut self) {
        self.begin(Tag::Object);
    }

    /// `[`
    pub fn begin_array(&mut self) {
        self.begin(Tag::Array);
    }

    /// `}` or `]`
    pub fn end(&mut self) {
        let past = self.nodes.len() as u32;
        let Some(container) = self.open.pop() else {
            self.failed = Some(BuilderError::Unbalanced);
            return;
        };
        let Some(node) = self.nodes.get_mut(container as usize) else { return };
        node.past = past;
        let count = node.start as usize;
        if node.tag == Tag::Object && repeats("", &self.side, &self.nodes, container, count) {
            self.failed = Some(BuilderError::Duplicate);
        }
    }

    /// A member's name; its value must follow.
    pub fn name(&mut self, name: &str) {
        self.push(Tag::String, name, true);
    }

    /// `null`
    pub fn null(&mut self) {
        self.push(Tag::Null, "", false);
    }

    /// A string.
    pub fn string(&mut self, text: &str) {
        self.push(Tag::String, text, false);
    }

    /// A scalar that came as plain text, as the first of the wanted types (bits of [`check`](super::check)) that its text
    /// spells: number, boolean, `null` (also where it is empty), else a string. A check then says what is wrong with it.
    pub fn scalar(&mut self, text: &str, wanted: u8) {
        if wanted & (INTEGER | NUMBER) != 0
            && let Some(tag) = number_tag(text)
        {
            return self.push(tag, text, false);
        }
        match text {
            "true" if wanted & BOOLEAN != 0 => self.push(Tag::True, "", false),
            "false" if wanted & BOOLEAN != 0 => self.push(Tag::False, "", false),
            "null" if wanted & NULL != 0 => self.null(),
            "" if wanted & NULL != 0 && wanted & STRING == 0 => self.null(),
            text => self.string(text),
        }
    }

    /// The document.
    ///
    /// # Errors
    /// It is not whole, too large, or an object has a name twice.
    pub fn finish(self) -> Result<Document, BuilderError> {
        match self.failed {
            Some(error) => Err(error),
            None if self.nodes.is_empty() || !self.open.is_empty() => Err(BuilderError::Unbalanced),
            None => Ok(Document { text: String::new(), side: self.side, nodes: self.nodes, attachments: Vec::new() }),
        }
    }
}

/// Whether a text is a JSON number, and of which kind.
fn number_tag(text: &str) -> Option<Tag> {
    if !text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) || text.len() > 1000 {
        return None;
    }
    let document = Document::parse(text.as_bytes()).ok()?;
    let node = document.node(0);
    // The reader lets white space pass around a value; a parameter has none.
    (matches!(node.tag, Tag::Integer | Tag::Decimal) && (node.end - node.start) as usize == text.len())
        .then_some(node.tag)
}
