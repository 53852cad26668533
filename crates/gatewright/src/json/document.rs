//! The arena of a parsed document, and the handles that read it.

use std::fmt;

use super::number::Short;
use super::read::{Limits, ParseError, Reader};

/// A JSON document, parsed into one flat list of nodes. Texts are slices of the input (or of one side buffer where they
/// had escapes), and numbers keep the text they were written with.
pub struct Document {
    pub(super) text: String,
    pub(super) side: String,
    pub(super) nodes: Vec<Node>,
    /// What strings of the document may stand for: files that came beside it.
    pub(super) attachments: Vec<crate::body::File>,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    Null,
    False,
    True,
    /// A number written with digits alone, after at most a minus.
    Integer,
    /// A number with a fraction or an exponent.
    Decimal,
    String,
    Array,
    Object,
}

/// 16 bytes. Members of an object are two nodes each: the name (a string), then the value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) tag: Tag,
    /// Whether `start..end` lies in the side buffer.
    pub(super) side: bool,
    /// Where the text starts; of a container: how many items or members it has.
    pub(super) start: u32,
    /// Where the text ends; unused for containers.
    pub(super) end: u32,
    /// The node behind this one and all below it.
    pub(super) past: u32,
}

const NOTHING: Node = Node { tag: Tag::Null, side: false, start: 0, end: 0, past: u32::MAX };

/// The kind of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl Kind {
    /// JSON Schema's word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Boolean => "boolean",
            Kind::Number => "number",
            Kind::String => "string",
            Kind::Array => "array",
            Kind::Object => "object",
        }
    }
}

impl Document {
    /// Parses `text` within the default [`Limits`].
    ///
    /// # Errors
    /// The text is not JSON as RFC 8259 has it, an object has a name twice, or a limit is passed.
    pub fn parse(text: &[u8]) -> Result<Document, ParseError> {
        Document::parse_owned(text.to_vec(), &Limits::default())
    }

    /// Parses within `limits`, taking the bytes without copying them.
    ///
    /// # Errors
    /// As [`Document::parse`].
    pub fn parse_owned(text: Vec<u8>, limits: &Limits) -> Result<Document, ParseError> {
        let text = super::read::text(text, limits)?;
        let (nodes, side) = Reader::new(&text, limits).run()?;
        Ok(Document { text, side, nodes, attachments: Vec::new() })
    }

    /// The value that the document is.
    #[must_use]
    pub fn root(&self) -> Value<'_> {
        Value { document: self, index: 0 }
    }

    /// How many nodes there are: every value and every member name counts one.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no value in it; never so for a parsed document.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// What it was read from.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Adds files that its strings stand for, by their number.
    pub(crate) fn attach(&mut self, files: Vec<crate::body::File>) {
        self.attachments = files;
    }

    #[inline]
    pub(super) fn node(&self, index: u32) -> Node {
        self.nodes.get(index as usize).copied().unwrap_or(NOTHING)
    }

    #[inline]
    fn text_of(&self, node: Node) -> &str {
        let from = if node.side { &self.side } else { &self.text };
        from.get(node.start as usize..node.end as usize).unwrap_or("")
    }

    #[inline]
    fn bytes_of(&self, node: Node) -> &[u8] {
        let from = if node.side { &self.side } else { &self.text };
        from.as_bytes().get(node.start as usize..node.end as usize).unwrap_or_default()
    }
}

impl fmt::Debug for Document {
    /// The size only: what people send does not belong in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("nodes", &self.nodes.len()).finish_non_exhaustive()
    }
}

/// A value of a [`Document`].
#[derive(Clone, Copy)]
pub struct Value<'d> {
    pub(super) document: &'d Document,
    pub(super) index: u32,
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Value").field("kind", &self.kind()).finish_non_exhaustive()
    }
}

impl<'d> Value<'d> {
    pub(super) fn node(self) -> Node {
        self.document.node(self.index)
    }

    /// The file that this string stands for.
    pub(crate) fn attachment(self) -> Option<&'d crate::body::File> {
        let number: usize = self.as_str()?.parse().ok()?;
        self.document.attachments.get(number)
    }

    /// What kind of value it is.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self.node().tag {
            Tag::Null => Kind::Null,
            Tag::False | Tag::True => Kind::Boolean,
            Tag::Integer | Tag::Decimal => Kind::Number,
            Tag::String => Kind::String,
            Tag::Array => Kind::Array,
            Tag::Object => Kind::Object,
        }
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.node().tag == Tag::Null
    }

    /// The boolean it is.
    #[must_use]
    pub fn as_bool(self) -> Option<bool> {
        match self.node().tag {
            Tag::True => Some(true),
            Tag::False => Some(false),
            _ => None,
        }
    }

    /// The string it is, without quotes and escapes.
    #[must_use]
    pub fn as_str(self) -> Option<&'d str> {
        let node = self.node();
        (node.tag == Tag::String).then(|| self.document.text_of(node))
    }

    /// The number it is, as it was written.
    #[must_use]
    pub fn as_number(self) -> Option<&'d str> {
        let node = self.node();
        matches!(node.tag, Tag::Integer | Tag::Decimal).then(|| self.document.text_of(node))
    }

    /// The integer it is, if it is one (`1.0` and `1e2` are) that fits.
    #[must_use]
    pub fn as_i128(self) -> Option<i128> {
        super::number::integer(self.as_number()?)
    }

    /// The number it is if it is a short whole one, written without fraction or exponent.
    #[inline]
    pub(super) fn as_short_integer(self) -> Option<i64> {
        let node = self.node();
        if node.tag == Tag::Integer { Short::of(self.document.bytes_of(node))?.integer() } else { None }
    }

    /// The number it is if it is short and has no exponent. The quick way for bounds and floats.
    #[inline]
    pub(super) fn as_short(self) -> Option<Short> {
        let node = self.node();
        if matches!(node.tag, Tag::Integer | Tag::Decimal) { Short::of(self.document.bytes_of(node)) } else { None }
    }

    /// How many items or members it has; 0 for what is no container.
    #[must_use]
    pub fn len(self) -> usize {
        let node = self.node();
        if matches!(node.tag, Tag::Array | Tag::Object) { node.start as usize } else { 0 }
    }

    /// Whether it has no items or members.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Its items; none if it is no array.
    #[must_use]
    pub fn items(self) -> Items<'d> {
        let node = self.node();
        let end = if node.tag == Tag::Array { node.past } else { self.index };
        Items { document: self.document, at: self.index + 1, end }
    }

    /// Its members, in the order of the text; none if it is no object.
    #[must_use]
    pub fn members(self) -> Members<'d> {
        let node = self.node();
        let end = if node.tag == Tag::Object { node.past } else { self.index };
        Members { document: self.document, at: self.index + 1, end }
    }

    /// The value of the member `name`.
    #[must_use]
    pub fn get(self, name: &str) -> Option<Value<'d>> {
        self.members().find(|member| member.name == name).map(|member| member.value)
    }

    /// The value at a JSON pointer (RFC 6901) below this one; the empty pointer is this value.
    ///
    /// ```
    /// let document = gatewright::json::Document::parse(br#"{"a/b": [10, {"~": "x"}]}"#).unwrap();
    /// assert_eq!(document.root().pointer("/a~1b/1/~0").unwrap().as_str(), Some("x"));
    /// assert!(document.root().pointer("/a~1b/2").is_none());
    /// ```
    #[must_use]
    pub fn pointer(self, pointer: &str) -> Option<Value<'d>> {
        if pointer.is_empty() {
            return Some(self);
        }
        let mut here = self;
        for segment in pointer.strip_prefix('/')?.split('/') {
            here = match here.kind() {
                Kind::Object if segment.contains('~') => here.get(&segment.replace("~1", "/").replace("~0", "~"))?,
                Kind::Object => here.get(segment)?,
                Kind::Array if segment == "0" || !segment.starts_with(['0', '+']) => {
                    here.items().nth(segment.parse().ok()?)?
                }
                _ => return None,
            };
        }
        Some(here)
    }

    /// The JSON pointer that leads from `root` to this value, found by walking; `None` if it is not below. Names that
    /// would make it longer than `limit` bytes are cut, and marked with `…`: a pointer is shown, and must not become an
    /// echo of what was sent.
    pub(super) fn path(self, root: Value<'d>, limit: usize) -> Option<String> {
        let mut out = String::new();
        let mut here = root;
        while here.index != self.index {
            let holds = |value: Value<'d>| value.index <= self.index && self.index < value.node().past;
            here = match here.kind() {
                Kind::Array => {
                    let (position, item) = here.items().enumerate().find(|(_, item)| holds(*item))?;
                    push_segment(&mut out, &position.to_string(), limit);
                    item
                }
                Kind::Object => {
                    let member =
                        here.members().find(|m| m.value.index.wrapping_sub(1) == self.index || holds(m.value))?;
                    push_segment(&mut out, member.name, limit);
                    if member.value.index.wrapping_sub(1) == self.index {
                        return Some(out);
                    }
                    member.value
                }
                _ => return None,
            };
        }
        Some(out)
    }
}

/// Adds one segment, escaped, unless the pointer is full.
pub(super) fn push_segment(out: &mut String, name: &str, limit: usize) {
    if out.len() >= limit {
        return;
    }
    out.push('/');
    for c in name.chars() {
        if out.len() >= limit {
            out.push('…');
            return;
        }
        match c {
            '~' => out.push_str("~0"),
            '/' => out.push_str("~1"),
            c => out.push(c),
        }
    }
}

/// The items of an array.
#[derive(Clone)]
pub struct Items<'d> {
    document: &'d Document,
    at: u32,
    end: u32,
}

impl<'d> Iterator for Items<'d> {
    type Item = Value<'d>;

    fn next(&mut self) -> Option<Value<'d>> {
        if self.at >= self.end {
            return None;
        }
        let value = Value { document: self.document, index: self.at };
        self.at = value.node().past;
        Some(value)
    }
}

/// A member of an object.
#[derive(Clone, Copy, Debug)]
pub struct Member<'d> {
    /// Its name.
    pub name: &'d str,
    /// Its value.
    pub value: Value<'d>,
}

impl<'d> Member<'d> {
    /// The name as a value: a violation there points at the member.
    #[must_use]
    pub fn key(self) -> Value<'d> {
        Value { document: self.value.document, index: self.value.index.wrapping_sub(1) }
    }
}

/// The members of an object.
#[derive(Clone)]
pub struct Members<'d> {
    document: &'d Document,
    at: u32,
    end: u32,
}

impl<'d> Iterator for Members<'d> {
    type Item = Member<'d>;

    fn next(&mut self) -> Option<Member<'d>> {
        if self.at >= self.end {
            return None;
        }
        let name = self.document.text_of(self.document.node(self.at));
        let value = Value { document: self.document, index: self.at + 1 };
        self.at = value.node().past;
        Some(Member { name, value })
    }
}
