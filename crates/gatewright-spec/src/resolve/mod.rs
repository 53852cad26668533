//! The resolve stage: every reference found by the shape stage, over all files of the document, is followed once.
//!
//! A file is read only when a reference names it, it lies inside the folder, and the reference stands where one is
//! followed: never under `x-` keys, in examples, defaults or constants. What a reference names is shaped as the kind
//! that is wanted at its place.

mod cycles;
mod find;
mod ids;
mod spec;
mod uri;

use std::collections::{HashMap, HashSet};

use gatewright_diag::{FileId, Sink, SourceMap, Span, codes};

use crate::document::tables::Kind;
use crate::document::walk::{How, Use, Walker};
use crate::document::{Document, Version};
use crate::source::{self, FilePath, Loader};
use crate::syntax::{self, Node, NodeKey, Tree};

pub use spec::{Reference, Spec};

/// Fast tables keyed by nodes; the keys are our own counters, so no seed is needed.
pub(crate) type Table<K, V> = HashMap<K, V, foldhash::fast::FixedState>;
type Set<K> = HashSet<K, foldhash::fast::FixedState>;

/// Where a reference leads.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// `None` where it dangles; that was reported.
    pub(crate) node: Option<NodeKey>,
    /// What its text calls it.
    pub(crate) name: Option<Box<str>>,
    /// Whether it is a component of the entry document, which the walk of that has shaped.
    pub(crate) walked: bool,
}

/// One file of the document.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: FilePath,
    /// `None` where it could not be read or parsed; that was reported.
    pub(crate) tree: Option<Tree>,
    /// `None` where it could not be read.
    pub(crate) id: Option<FileId>,
}

pub(crate) struct Resolver<'a> {
    pub(crate) version: Version,
    pub(crate) files: Vec<File>,
    by_path: HashMap<FilePath, usize>,
    pub(crate) by_id: Table<u32, usize>,
    pub(crate) table: Table<NodeKey, Target>,
    pub(crate) ids: ids::Ids,
    loader: &'a dyn Loader,
    map: &'a mut SourceMap,
    pub(crate) sink: &'a mut Sink,
    guesses: u32,
    /// How many more names may be compared with dangling ones: input must not buy work without bound.
    pub(crate) names: usize,
    /// How many references deep a pointer's way is being followed.
    through: usize,
    /// How many more times that may be done.
    detours: u32,
}

/// A pointer may lead through this many references that lead through references.
const MAX_THROUGH: usize = 8;

/// Follows every reference of a document. `entry` is the path under which its tree was loaded.
pub fn resolve(
    document: Document,
    entry: &FilePath,
    loader: &dyn Loader,
    map: &mut SourceMap,
    sink: &mut Sink,
) -> Spec {
    let Document { tree, version, uses, guesses } = document;
    let root = tree.file();
    let mut resolver = Resolver {
        version,
        files: Vec::new(),
        by_path: HashMap::new(),
        by_id: Table::default(),
        table: Table::default(),
        ids: ids::Ids::default(),
        loader,
        map,
        sink,
        guesses,
        names: 20_000,
        through: 0,
        detours: 10_000,
    };
    resolver.add(entry.clone(), Some(root), Some(tree));
    resolver.run(uses);
    cycles::cut(&mut resolver);
    let Resolver { files, by_id, table, .. } = resolver;
    Spec::new(version, root, files, by_id, table)
}

impl Resolver<'_> {
    fn add(&mut self, path: FilePath, id: Option<FileId>, tree: Option<Tree>) -> usize {
        let at = self.files.len();
        if let Some(id) = id {
            self.by_id.insert(id.0, at);
        }
        if let Some(tree) = &tree
            && self.version > Version::V3_0
        {
            self.ids.add(tree, &path);
        }
        self.by_path.insert(path.clone(), at);
        self.files.push(File { path, tree, id });
        at
    }

    pub(crate) fn file_of(&self, id: FileId) -> Option<&File> {
        self.files.get(*self.by_id.get(&id.0)?)
    }

    fn run(&mut self, mut queue: Vec<Use>) {
        // Nodes shaped because something refers to them. Other nodes of the entry document than components are shaped
        // again, at most once each, which costs less than remembering its whole walk.
        let mut shaped: Set<(NodeKey, usize)> = Set::default();
        let mut next = Vec::new();
        while !queue.is_empty() {
            for found in queue.drain(..) {
                if self.table.contains_key(&found.text) {
                    continue;
                }
                let target = self.follow(&found);
                let (node, walked) = (target.node, target.walked);
                self.table.insert(found.text, target);
                let Some(key) = node else { continue };
                if walked || !shaped.insert((key, std::ptr::from_ref(found.wants) as usize)) {
                    continue;
                }
                self.shape(key, found, &mut next);
            }
            std::mem::swap(&mut queue, &mut next);
        }
    }

    /// Shapes what a reference names.
    fn shape(&mut self, key: NodeKey, found: Use, next: &mut Vec<Use>) {
        let Some(at) = self.by_id.get(&key.file.0).copied() else { return };
        let Some(node) = self.files.get(at).and_then(|f| f.tree.as_ref()).map(|tree| tree.node(key.node)) else {
            return;
        };
        Walker::new(self.version, self.sink, next, &mut self.guesses).walk(node, found.wants);
    }

    /// Whether there is a file of this path: one that was read, or that can be.
    pub(crate) fn has(&self, path: &FilePath) -> bool {
        self.by_path.contains_key(path) || !matches!(self.loader.read(path, 0), Err(source::LoadError::NotFound))
    }

    /// The tree of another file, read when first named. `None` if it cannot be had; that was reported.
    pub(crate) fn open(&mut self, path: FilePath, from: Span) -> Option<usize> {
        if let Some(at) = self.by_path.get(&path) {
            return self.files.get(*at)?.tree.as_ref().map(|_| *at);
        }
        if self.files.len() >= source::MAX_FILES {
            self.sink
                .error(codes::TOO_LARGE, from, format!("the document has more than {} files", source::MAX_FILES))
                .help("join some of them");
            return None;
        }
        let id = source::load(&path, Some(from), self.loader, self.map, self.sink);
        let tree = id.and_then(|id| syntax::parse(id, self.map, self.sink));
        let read = tree.is_some();
        let at = self.add(path, id, tree);
        read.then_some(at)
    }

    pub(crate) fn node(&self, key: NodeKey) -> Option<Node<'_>> {
        Some(self.file_of(key.file)?.tree.as_ref()?.node(key.node))
    }

    /// Where a reference on the way of a pointer leads, though its own turn may not have come.
    pub(crate) fn through(&mut self, text: NodeKey) -> Option<NodeKey> {
        static ANYTHING: Kind = Kind::Any;
        if let Some(target) = self.table.get(&text) {
            return target.node;
        }
        if self.through >= MAX_THROUGH || self.detours == 0 {
            return None;
        }
        self.detours -= 1;
        self.through += 1;
        let target = self.follow(&Use { text, wants: &ANYTHING, how: How::Ref });
        self.through -= 1;
        target.node
    }

    fn follow(&mut self, found: &Use) -> Target {
        let dangling = Target { node: None, name: None, walked: false };
        let Some(node) = self.node(found.text) else { return dangling };
        let Some(text) = node.as_str().map(str::to_owned) else { return dangling };
        let span = node.span();
        if found.how == How::Mapping
            && let Some(target) = find::component(self, found.text, &text)
        {
            return target;
        }
        find::find(self, found, &text, span).unwrap_or(dangling)
    }
}
