//! The arena: one compact vector of nodes in document order, for YAML and JSON alike.
//!
//! A node is 20 bytes. A container stores how many children it has and the index past its subtree, so that children
//! need no vectors of their own. A scalar is a range of the source, or of one side buffer where it had escapes. An
//! alias is one node that points back: an alias bomb is inert.

use std::sync::{Arc, OnceLock};

use gatewright_diag::{FileId, Span};

use super::node::Node;

/// A node's place in its [`Tree`]. Stable for the tree's life; never meaningful in another tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `a` children pairs counted as keys; `b` the index past the subtree.
    Map,
    /// `a` items; `b` the index past the subtree.
    Seq,
    /// `a` the text's start, `b` its length; type resolved by its text.
    Plain,
    /// As `Plain`; always text.
    Quoted,
    /// `a` the index of the node meant.
    Alias,
}

/// The text lies in the side buffer.
pub(super) const SIDE: u8 = 1;
/// The node is the key of the node after it.
pub(super) const KEY: u8 = 2;
/// The container was written in flow style: its end is a token of its own.
pub(super) const FLOW: u8 = 4;

#[derive(Clone, Copy, Debug)]
pub(super) struct Raw {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) a: u32,
    pub(super) b: u32,
    pub(super) kind: Kind,
    pub(super) flags: u8,
    /// Which file it was written in: 0 the tree's own, else one more than its place in the tree's `origins`.
    pub(super) origin: u16,
}

/// Maps with more keys than this are searched through an index, made when first needed.
const INDEXED: u32 = 32;

/// One file's text as nodes with spans.
pub struct Tree {
    pub(super) file: FileId,
    pub(super) text: Arc<str>,
    pub(super) side: String,
    pub(super) nodes: Vec<Raw>,
    /// Maps worth an index, by node, in ascending order.
    pub(super) big: Vec<(u32, OnceLock<Vec<u32>>)>,
    pub(super) json: bool,
    /// Files that parts of the tree were taken from: overlays.
    pub(super) origins: Vec<(FileId, Arc<str>)>,
}

impl Tree {
    /// The file it was read from.
    pub fn file(&self) -> FileId {
        self.file
    }

    /// How many nodes it has; keys count.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Never true: a tree has a root.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Whether the text is JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// The outermost node.
    pub fn root(&self) -> Node<'_> {
        Node::new(self, 0)
    }

    /// The node with this id. An id of another tree gives some other node, or the root.
    pub fn node(&self, id: NodeId) -> Node<'_> {
        Node::new(self, if (id.0 as usize) < self.nodes.len() { id.0 } else { 0 })
    }

    /// All nodes in document order, keys included.
    pub fn nodes(&self) -> impl Iterator<Item = Node<'_>> {
        (0..self.nodes.len() as u32).map(|id| Node::new(self, id))
    }

    pub(super) fn raw(&self, id: u32) -> Raw {
        const NOTHING: Raw = Raw { start: 0, end: 0, a: 0, b: 0, kind: Kind::Plain, flags: SIDE, origin: 0 };
        self.nodes.get(id as usize).copied().unwrap_or(NOTHING)
    }

    pub(super) fn scalar_text(&self, raw: Raw) -> &str {
        let buffer: &str = if raw.flags & SIDE == 0 { &self.text } else { &self.side };
        buffer.get(raw.a as usize..raw.a as usize + raw.b as usize).unwrap_or("")
    }

    pub(super) fn span(&self, id: u32) -> Span {
        let raw = self.raw(id);
        Span { file: self.origin(raw).0, start: raw.start, end: raw.end }
    }

    /// The file that a node was written in, and its text.
    pub(super) fn origin(&self, raw: Raw) -> (FileId, &str) {
        match (raw.origin as usize).checked_sub(1).and_then(|nth| self.origins.get(nth)) {
            Some((file, text)) => (*file, text),
            None => (self.file, &self.text),
        }
    }

    /// The index past a node's subtree.
    pub(super) fn past(&self, id: u32) -> u32 {
        let raw = self.raw(id);
        match raw.kind {
            Kind::Map | Kind::Seq => raw.b.max(id + 1),
            _ => id + 1,
        }
    }

    /// The value node of `key` in the map `map`.
    pub(super) fn find(&self, map: u32, key: &str) -> Option<u32> {
        let raw = self.raw(map);
        if raw.kind != Kind::Map {
            return None;
        }
        if raw.a > INDEXED
            && let Ok(at) = self.big.binary_search_by_key(&map, |(id, _)| *id)
            && let Some((_, index)) = self.big.get(at)
        {
            let index = index.get_or_init(|| self.make_index(map, raw));
            let at = index.binary_search_by(|id| self.scalar_text(self.raw(*id)).cmp(key)).ok()?;
            return index.get(at).map(|id| id + 1);
        }
        let mut at = map + 1;
        for _ in 0..raw.a {
            if self.scalar_text(self.raw(at)) == key {
                return Some(at + 1);
            }
            at = self.past(at + 1);
        }
        None
    }

    fn make_index(&self, map: u32, raw: Raw) -> Vec<u32> {
        let mut keys = Vec::with_capacity(raw.a as usize);
        let mut at = map + 1;
        for _ in 0..raw.a {
            keys.push(at);
            at = self.past(at + 1);
        }
        // Stable, and then deduplicated: of keys that stand twice (an error already reported) the first counts.
        keys.sort_by(|x, y| self.scalar_text(self.raw(*x)).cmp(self.scalar_text(self.raw(*y))));
        keys.dedup_by(|y, x| self.scalar_text(self.raw(*x)) == self.scalar_text(self.raw(*y)));
        keys
    }

    pub(super) fn nothing() -> Tree {
        Tree {
            file: FileId(u32::MAX),
            text: Arc::from(""),
            side: String::new(),
            nodes: Vec::new(),
            big: Vec::new(),
            json: false,
            origins: Vec::new(),
        }
    }

    pub(super) fn worth_index(count: u32) -> bool {
        count > INDEXED
    }
}

impl std::fmt::Debug for Tree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tree(file {}, {} nodes)", self.file.0, self.nodes.len())
    }
}
