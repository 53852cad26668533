//! The reading side: cheap, copyable cursors into a [`Tree`].

use gatewright_diag::{FileId, Span};

use super::scalar::{Number, Scalar};
use super::tree::{KEY, Kind, NodeId, Tree};

/// A node of some file: a stable key for tables, equal exactly where the same text is meant (an alias has its
/// target's).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeKey {
    /// The file.
    pub file: FileId,
    /// The node in the file's tree.
    pub node: NodeId,
}

/// A cursor: a value in a tree, with its place. Aliases are followed: [`span`](Node::span) is where the value is
/// *used*, everything else is of the value itself.
#[derive(Clone, Copy)]
pub struct Node<'t> {
    tree: &'t Tree,
    /// The value.
    id: u32,
    /// Where it stands: an alias node, or `id`.
    at: u32,
}

/// A key of an object. Reads as its text.
#[derive(Clone, Copy, Debug)]
pub struct Key<'t> {
    /// The key itself, never resolved: `200`, `no` and `null` are text here.
    pub text: &'t str,
    /// Where it stands.
    pub span: Span,
}

impl std::ops::Deref for Key<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        self.text
    }
}

/// The three shapes of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// An object.
    Map,
    /// A list.
    Seq,
    /// Text, a number, true, false or null.
    Scalar,
}

impl<'t> Node<'t> {
    pub(super) fn new(tree: &'t Tree, at: u32) -> Self {
        let raw = tree.raw(at);
        // An alias always points at a node before it that is no alias: one step is enough.
        let id = if raw.kind == Kind::Alias { raw.a } else { at };
        Node { tree, id, at }
    }

    /// A null of no file.
    pub(crate) fn nothing() -> Node<'static> {
        static NOTHING: std::sync::OnceLock<Tree> = std::sync::OnceLock::new();
        Node::new(NOTHING.get_or_init(Tree::nothing), 0)
    }

    /// The tree it belongs to.
    pub fn tree(self) -> &'t Tree {
        self.tree
    }

    /// The file it stands in.
    pub fn file(self) -> FileId {
        self.tree.file
    }

    /// Its stable key: the same for every way to reach the same text.
    pub fn identity(self) -> NodeKey {
        NodeKey { file: self.tree.file, node: NodeId(self.id) }
    }

    /// The node after it and all below it.
    pub(crate) fn past(self) -> NodeId {
        NodeId(self.tree.past(self.id))
    }

    /// Where it stands. For a block of YAML: from its first key to its last value.
    pub fn span(self) -> Span {
        self.tree.span(self.at)
    }

    /// A short span good to underline: the key if it has one, else the first key or character of a container, else
    /// the scalar itself.
    pub fn anchor_span(self) -> Span {
        if let Some(span) = self.key_span() {
            return span;
        }
        match self.kind() {
            NodeKind::Scalar => self.span(),
            _ => match self.entries().next() {
                Some((key, _)) if self.id == self.at => key.span,
                _ => {
                    let span = self.span();
                    let text = self
                        .tree
                        .origin(self.tree.raw(self.at))
                        .1
                        .get(span.start as usize..span.end as usize)
                        .unwrap_or("");
                    let len = text.chars().next().map_or(0, char::len_utf8) as u32;
                    Span { end: span.start + len, ..span }
                }
            },
        }
    }

    /// Its shape.
    pub fn kind(self) -> NodeKind {
        match self.tree.raw(self.id).kind {
            Kind::Map => NodeKind::Map,
            Kind::Seq => NodeKind::Seq,
            _ => NodeKind::Scalar,
        }
    }

    /// Whether it is an object.
    pub fn is_map(self) -> bool {
        self.kind() == NodeKind::Map
    }

    /// Whether it is a list.
    pub fn is_seq(self) -> bool {
        self.kind() == NodeKind::Seq
    }

    /// Whether it stands here by a YAML alias.
    pub fn is_alias(self) -> bool {
        self.id != self.at
    }

    /// How many entries or items it has; 0 for a scalar.
    pub fn len(self) -> usize {
        match self.kind() {
            NodeKind::Scalar => 0,
            _ => self.tree.raw(self.id).a as usize,
        }
    }

    /// Whether it has no entries and no items.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The value of a key of this object.
    pub fn get(self, key: &str) -> Option<Node<'t>> {
        self.tree.find(self.id, key).map(|id| Node::new(self.tree, id))
    }

    /// Whether this object has a key.
    pub fn has(self, key: &str) -> bool {
        self.tree.find(self.id, key).is_some()
    }

    /// The entries of this object in the order of the text; none if it is no object.
    pub fn entries(self) -> Entries<'t> {
        let left = if self.is_map() { self.tree.raw(self.id).a } else { 0 };
        Entries { tree: self.tree, at: self.id + 1, left }
    }

    /// The items of this list in order; none if it is no list.
    pub fn items(self) -> Items<'t> {
        let left = if self.is_seq() { self.tree.raw(self.id).a } else { 0 };
        Items { tree: self.tree, at: self.id + 1, left }
    }

    /// The text of any scalar as written, unescaped, whatever its type: `8`, `true` and `"8"` alike.
    pub fn text(self) -> Option<&'t str> {
        let raw = self.tree.raw(self.id);
        matches!(raw.kind, Kind::Plain | Kind::Quoted).then(|| self.tree.scalar_text(raw))
    }

    /// The scalar's value by YAML 1.2's core schema.
    pub fn scalar(self) -> Option<Scalar<'t>> {
        let raw = self.tree.raw(self.id);
        match raw.kind {
            Kind::Plain => Some(Scalar::of_plain(self.tree.scalar_text(raw))),
            Kind::Quoted => Some(Scalar::Str(self.tree.scalar_text(raw))),
            _ => None,
        }
    }

    /// Whether it is an unquoted scalar.
    pub fn is_plain(self) -> bool {
        self.tree.raw(self.id).kind == Kind::Plain
    }

    /// The text, if it is text (`true` and `8` are not, `"8"` is).
    pub fn as_str(self) -> Option<&'t str> {
        match self.scalar()? {
            Scalar::Str(text) => Some(text),
            _ => None,
        }
    }

    /// True or false.
    pub fn as_bool(self) -> Option<bool> {
        match self.scalar()? {
            Scalar::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The number, exact.
    pub fn as_number(self) -> Option<Number<'t>> {
        match self.scalar()? {
            Scalar::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The integer, if it is one and fits (`1.0` is one).
    pub fn as_u64(self) -> Option<u64> {
        self.as_number()?.as_u64()
    }

    /// Whether it is null, or nothing at all after a colon.
    pub fn is_null(self) -> bool {
        matches!(self.scalar(), Some(Scalar::Null))
    }

    /// The word for its type, for messages.
    pub fn type_name(self) -> &'static str {
        match self.kind() {
            NodeKind::Map => "an object",
            NodeKind::Seq => "a list",
            NodeKind::Scalar => self.scalar().map_or("null", Scalar::type_name),
        }
    }

    /// Its key, where it is a value of an object.
    pub fn key(self) -> Option<Key<'t>> {
        let before = self.at.checked_sub(1)?;
        let raw = self.tree.raw(before);
        (raw.flags & KEY != 0).then(|| Key { text: self.tree.scalar_text(raw), span: self.tree.span(before) })
    }

    /// The span of its key, where it is a value of an object.
    pub fn key_span(self) -> Option<Span> {
        self.key().map(|key| key.span)
    }

    /// The JSON pointer of its place in its file (RFC 6901). Walks from the root: for diagnostics, names and tests,
    /// not for inner loops.
    pub fn pointer(self) -> String {
        let mut path = String::new();
        let mut at = 0;
        'down: while at != self.at {
            let raw = self.tree.raw(at);
            let map = match raw.kind {
                Kind::Map => true,
                Kind::Seq => false,
                _ => break,
            };
            let mut child = at + 1;
            for nth in 0..raw.a {
                let value = if map { child + 1 } else { child };
                let past = self.tree.past(value);
                if self.at < past {
                    path.push('/');
                    if map {
                        escape_into(&mut path, self.tree.scalar_text(self.tree.raw(child)));
                    } else {
                        path.push_str(&nth.to_string());
                    }
                    if self.at == child && map {
                        break 'down;
                    }
                    at = value;
                    continue 'down;
                }
                child = past;
            }
            break;
        }
        path
    }

    /// The node under a JSON pointer from here (RFC 6901, unescaped here; not percent-decoded). The empty pointer is
    /// the node itself.
    pub fn at(self, pointer: &str) -> Option<Node<'t>> {
        let mut node = self;
        if pointer.is_empty() {
            return Some(node);
        }
        for token in pointer.strip_prefix('/')?.split('/') {
            node = node.child(&unescape(token))?;
        }
        Some(node)
    }

    /// One step of a JSON pointer: a key, or the number of an item.
    pub fn child(self, token: &str) -> Option<Node<'t>> {
        match self.kind() {
            NodeKind::Map => self.get(token),
            NodeKind::Seq => {
                let plain = token == "0" || !token.starts_with(['0', '+']);
                let nth: usize = token.parse().ok().filter(|_| plain)?;
                self.items().nth(nth)
            }
            NodeKind::Scalar => None,
        }
    }
}

impl PartialEq for Node<'_> {
    /// The same text in the same tree.
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.tree, other.tree) && self.id == other.id
    }
}

impl Eq for Node<'_> {}

impl std::fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Node({}#{}, {})", self.tree.file.0, self.pointer(), self.type_name())
    }
}

fn escape_into(path: &mut String, token: &str) {
    for c in token.chars() {
        match c {
            '~' => path.push_str("~0"),
            '/' => path.push_str("~1"),
            c => path.push(c),
        }
    }
}

/// Undoes `~1` and `~0` of a pointer's token (RFC 6901, section 4).
pub(crate) fn unescape(token: &str) -> std::borrow::Cow<'_, str> {
    if token.contains('~') { token.replace("~1", "/").replace("~0", "~").into() } else { token.into() }
}

/// See [`Node::entries`].
#[derive(Clone)]
pub struct Entries<'t> {
    tree: &'t Tree,
    at: u32,
    left: u32,
}

impl<'t> Iterator for Entries<'t> {
    type Item = (Key<'t>, Node<'t>);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let raw = self.tree.raw(self.at);
        let key = Key { text: self.tree.scalar_text(raw), span: self.tree.span(self.at) };
        let value = Node::new(self.tree, self.at + 1);
        self.at = self.tree.past(self.at + 1);
        Some((key, value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

/// See [`Node::items`].
#[derive(Clone)]
pub struct Items<'t> {
    tree: &'t Tree,
    at: u32,
    left: u32,
}

impl<'t> Iterator for Items<'t> {
    type Item = Node<'t>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let item = Node::new(self.tree, self.at);
        self.at = self.tree.past(self.at);
        Some(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}
