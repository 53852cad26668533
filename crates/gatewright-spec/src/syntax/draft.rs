//! A tree while it is being changed: what overlays work on.
//!
//! The arena of a [`Tree`] is packed and cannot grow in its middle. A draft holds the same nodes with vectors of
//! children, takes in parts of other files, and is packed again when all is done. Each node keeps the place in the file
//! that it was written in.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use gatewright_diag::{FileId, Span};

use super::build::MAX_DEPTH;
use super::scalar::Scalar;
use super::tree::{KEY, Kind, Raw, SIDE, Tree};

/// How many nodes may be added to those that the document has: a small overlay must not write without end.
const MAX_ADDED: usize = 1 << 20;

/// A node of a draft.
pub(crate) type Id = u32;

/// The draft would become too large.
#[derive(Debug)]
pub(crate) struct TooLarge;

pub(crate) struct Draft {
    file: FileId,
    text: Arc<str>,
    json: bool,
    side: String,
    items: Vec<Item>,
    /// Files that parts were taken from; a node's origin counts from 1, and 0 is the document itself.
    origins: Vec<(FileId, Arc<str>)>,
    limit: usize,
}

struct Item {
    raw: Raw,
    children: Children,
}

enum Children {
    None,
    /// Keys and values.
    Map(Vec<(Id, Id)>),
    Seq(Vec<Id>),
}

impl Draft {
    /// Takes a tree apart. Aliases are written out, so that a change of one copy is none of the other.
    pub(crate) fn new(tree: Tree) -> Result<Draft, TooLarge> {
        let mut draft = Draft {
            file: tree.file,
            text: tree.text.clone(),
            json: tree.json,
            side: tree.side.clone(),
            items: Vec::with_capacity(tree.nodes.len()),
            origins: tree.origins.clone(),
            limit: tree.nodes.len() + MAX_ADDED,
        };
        draft.copy(&tree, 0, |raw, _| raw)?;
        Ok(draft)
    }

    pub(crate) fn root(&self) -> Id {
        0
    }

    /// Takes in a copy of the part of another tree below `node`.
    pub(crate) fn import(&mut self, tree: &Tree, node: super::NodeId) -> Result<Id, TooLarge> {
        let known = self.origins.iter().position(|(file, _)| *file == tree.file);
        let nth = known.unwrap_or_else(|| {
            self.origins.push((tree.file, tree.text.clone()));
            self.origins.len() - 1
        });
        let origin = u16::try_from(nth + 1).map_err(|_| TooLarge)?;
        self.copy(tree, node.0, |raw, side| {
            if !matches!(raw.kind, Kind::Plain | Kind::Quoted) {
                return Raw { origin, ..raw };
            }
            let at = side.len() as u32;
            side.push_str(tree.scalar_text(raw));
            Raw { a: at, flags: raw.flags | SIDE, origin, ..raw }
        })
    }

    /// Recursion is bounded by the parser's limit on depth, which counts aliases too.
    fn copy(&mut self, tree: &Tree, at: u32, place: impl Fn(Raw, &mut String) -> Raw + Copy) -> Result<Id, TooLarge> {
        let mut raw = tree.raw(at);
        let target = if raw.kind == Kind::Alias { raw.a } else { at };
        if target != at {
            raw = Raw { flags: tree.raw(target).flags & !KEY | raw.flags & KEY, ..tree.raw(target) };
        }
        if self.items.len() >= self.limit || self.side.len() >= u32::MAX as usize / 2 {
            return Err(TooLarge);
        }
        let id = self.items.len() as Id;
        let placed = place(raw, &mut self.side);
        self.items.push(Item { raw: placed, children: Children::None });
        let mut child = target + 1;
        let children = match raw.kind {
            Kind::Map => {
                let mut entries = Vec::with_capacity(raw.a as usize);
                for _ in 0..raw.a {
                    let key = self.copy(tree, child, place)?;
                    entries.push((key, self.copy(tree, child + 1, place)?));
                    child = tree.past(child + 1);
                }
                Children::Map(entries)
            }
            Kind::Seq => {
                let mut items = Vec::with_capacity(raw.a as usize);
                for _ in 0..raw.a {
                    items.push(self.copy(tree, child, place)?);
                    child = tree.past(child);
                }
                Children::Seq(items)
            }
            _ => Children::None,
        };
        self.put(id, children);
        Ok(id)
    }

    fn raw(&self, id: Id) -> Option<Raw> {
        self.items.get(id as usize).map(|item| item.raw)
    }

    fn text(&self, id: Id) -> &str {
        let Some(raw) = self.raw(id) else { return "" };
        let buffer: &str = if raw.flags & SIDE == 0 { &self.text } else { &self.side };
        buffer.get(raw.a as usize..raw.a as usize + raw.b as usize).unwrap_or("")
    }

    /// Where a node was written.
    pub(crate) fn span(&self, id: Id) -> Span {
        let Some(raw) = self.raw(id) else { return Span::default() };
        let file = (raw.origin as usize).checked_sub(1).and_then(|nth| self.origins.get(nth));
        Span { file: file.map_or(self.file, |(file, _)| *file), start: raw.start, end: raw.end }
    }

    pub(crate) fn is_map(&self, id: Id) -> bool {
        matches!(self.children(id), Children::Map(_))
    }

    pub(crate) fn is_seq(&self, id: Id) -> bool {
        matches!(self.children(id), Children::Seq(_))
    }

    fn children(&self, id: Id) -> &Children {
        self.items.get(id as usize).map_or(&Children::None, |item| &item.children)
    }

    /// How many entries or items a node has.
    pub(crate) fn len(&self, id: Id) -> usize {
        match self.children(id) {
            Children::Map(entries) => entries.len(),
            Children::Seq(items) => items.len(),
            Children::None => 0,
        }
    }

    /// The value, if it is no container.
    pub(crate) fn scalar(&self, id: Id) -> Option<Scalar<'_>> {
        match self.raw(id)?.kind {
            Kind::Plain => Some(Scalar::of_plain(self.text(id))),
            Kind::Quoted => Some(Scalar::Str(self.text(id))),
            _ => None,
        }
    }

    /// The value of a key.
    pub(crate) fn get(&self, id: Id, key: &str) -> Option<Id> {
        let Children::Map(entries) = self.children(id) else { return None };
        entries.iter().find(|(at, _)| self.text(*at) == key).map(|(_, value)| *value)
    }

    /// An item, counted from the end if the number is negative.
    pub(crate) fn item(&self, id: Id, nth: i64) -> Option<Id> {
        let Children::Seq(items) = self.children(id) else { return None };
        let nth = if nth < 0 { nth.checked_add(items.len() as i64)? } else { nth };
        items.get(usize::try_from(nth).ok()?).copied()
    }

    /// The values of an object or the items of a list.
    pub(crate) fn values(&self, id: Id) -> Vec<Id> {
        match self.children(id) {
            Children::Map(entries) => entries.iter().map(|(_, value)| *value).collect(),
            Children::Seq(items) => items.clone(),
            Children::None => Vec::new(),
        }
    }

    /// Adds an item to a list.
    pub(crate) fn append(&mut self, list: Id, item: Id) {
        if let Some(Item { children: Children::Seq(items), .. }) = self.items.get_mut(list as usize) {
            items.push(item);
        }
    }

    /// Merges the object `from` into the object `into` (Overlay 1.0, section 4.4.3.1): what only one has is kept,
    /// objects are merged, lists are joined, other values replaced. `Err` names the value of `from` that fits nothing.
    pub(crate) fn merge(&mut self, into: Id, from: Id) -> Result<(), Id> {
        let (Children::Map(mut own), Children::Map(added)) = (self.take(into), self.take(from)) else {
            return Err(from);
        };
        // Of keys that stand twice (an error already reported) the first counts.
        let mut places: HashMap<String, usize> =
            own.iter().enumerate().rev().map(|(nth, (key, _))| (self.text(*key).to_owned(), nth)).collect();
        let mut misfit = None;
        for (key, value) in added {
            let Some(entry) = places.get(self.text(key)).and_then(|nth| own.get_mut(*nth)) else {
                places.insert(self.text(key).to_owned(), own.len());
                own.push((key, value));
                continue;
            };
            let fits = match (self.children(entry.1), self.children(value)) {
                (Children::Map(_), Children::Map(_)) => self.merge(entry.1, value),
                (Children::Seq(_), Children::Seq(_)) => {
                    self.join(entry.1, value);
                    Ok(())
                }
                (Children::None, Children::None) => {
                    *entry = (key, value);
                    Ok(())
                }
                _ => Err(value),
            };
            misfit = misfit.or(fits.err());
        }
        self.put(into, Children::Map(own));
        misfit.map_or(Ok(()), Err)
    }

    fn join(&mut self, into: Id, from: Id) {
        if let (Children::Seq(mut own), Children::Seq(added)) = (self.take(into), self.take(from)) {
            own.extend(added);
            self.put(into, Children::Seq(own));
        }
    }

    fn take(&mut self, id: Id) -> Children {
        let children = self.items.get_mut(id as usize).map(|item| &mut item.children);
        children.map_or(Children::None, |children| std::mem::replace(children, Children::None))
    }

    fn put(&mut self, id: Id, children: Children) {
        if let Some(item) = self.items.get_mut(id as usize) {
            item.children = children;
        }
    }

    /// Takes nodes out of the containers that hold them.
    pub(crate) fn remove(&mut self, containers: &HashSet<Id>, gone: &HashSet<Id>) {
        for id in containers {
            match self.items.get_mut(*id as usize).map(|item| &mut item.children) {
                Some(Children::Map(entries)) => entries.retain(|(_, value)| !gone.contains(value)),
                Some(Children::Seq(items)) => items.retain(|item| !gone.contains(item)),
                _ => {}
            }
        }
    }

    /// Packs the draft. `Err` holds the first value that nests too deep.
    pub(crate) fn finish(self) -> Result<Tree, Span> {
        let mut packed = Packed { nodes: Vec::with_capacity(self.items.len()), big: Vec::new() };
        self.pack(self.root(), 0, &mut packed)?;
        let Packed { nodes, mut big } = packed;
        big.sort_by_key(|(id, _)| *id);
        let Draft { file, text, json, side, origins, .. } = self;
        Ok(Tree { file, text, side, nodes, big, json, origins })
    }

    fn pack(&self, id: Id, depth: usize, packed: &mut Packed) -> Result<(), Span> {
        let Some(item) = self.items.get(id as usize) else { return Ok(()) };
        if depth > MAX_DEPTH {
            return Err(self.span(id));
        }
        let at = packed.nodes.len();
        packed.nodes.push(item.raw);
        let count = match &item.children {
            Children::None => return Ok(()),
            Children::Map(entries) => {
                for (key, value) in entries {
                    self.pack(*key, depth + 1, packed)?;
                    self.pack(*value, depth + 1, packed)?;
                }
                entries.len() as u32
            }
            Children::Seq(items) => {
                for item in items {
                    self.pack(*item, depth + 1, packed)?;
                }
                items.len() as u32
            }
        };
        let past = packed.nodes.len() as u32;
        if let Some(raw) = packed.nodes.get_mut(at) {
            (raw.a, raw.b) = (count, past);
        }
        if matches!(item.children, Children::Map(_)) && Tree::worth_index(count) {
            packed.big.push((at as u32, OnceLock::new()));
        }
        Ok(())
    }
}

struct Packed {
    nodes: Vec<Raw>,
    big: Vec<(u32, OnceLock<Vec<u32>>)>,
}
