//! What the lowering reads: all files of a document, with every reference already followed.

use gatewright_diag::{FileId, Span};

use super::{File, Table, Target};
use crate::document::Version;
use crate::document::walk::reference;
use crate::source::FilePath;
use crate::syntax::{Node, NodeKey};

/// A resolved document. Read it from [`root`](Spec::root) with [`get`](Spec::get), [`entries`](Spec::entries) and
/// [`items`](Spec::items), which follow references; or with a [`Node`]'s own methods, which do not.
#[derive(Debug)]
pub struct Spec {
    version: Version,
    root: FileId,
    files: Vec<File>,
    by_id: Table<u32, usize>,
    /// By the text of the reference.
    table: Table<NodeKey, Target>,
    /// What references call the nodes they name.
    names: Table<NodeKey, Box<str>>,
}

/// A `$ref` and where it leads, one step.
#[derive(Clone, Copy, Debug)]
pub struct Reference<'s> {
    /// What it names, which may be a reference itself. `None` where it dangles; that was reported.
    pub target: Option<Node<'s>>,
    /// What it calls it: `#/components/schemas/Pet` and `./Pet.yaml` say `Pet`.
    pub name: Option<&'s str>,
    /// The reference as written.
    pub text: &'s str,
    /// Where it is written.
    pub span: Span,
    /// Whether other keys stand beside it. In 3.0 they are ignored (and were reported), but for `x-security` and
    /// `x-rust-type` beside a schema's `$ref`; from 3.1 on a schema's apply beside what it names.
    pub siblings: bool,
}

impl Spec {
    pub(super) fn new(
        version: Version,
        root: FileId,
        files: Vec<File>,
        by_id: Table<u32, usize>,
        table: Table<NodeKey, Target>,
    ) -> Self {
        let mut names: Table<NodeKey, Box<str>> = Table::default();
        let mut sorted: Vec<_> = table.iter().collect();
        sorted.sort_by_key(|(text, _)| **text);
        for (_, target) in sorted {
            if let (Some(node), Some(name)) = (target.node, &target.name) {
                names.entry(node).or_insert_with(|| name.clone());
            }
        }
        Spec { version, root, files, by_id, table, names }
    }

    /// The version of OpenAPI that the document says.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The entry document's root object.
    pub fn root(&self) -> Node<'_> {
        let key = NodeKey { file: self.root, node: crate::syntax::NodeId(0) };
        self.try_node(key).unwrap_or(Node::nothing())
    }

    fn try_node(&self, key: NodeKey) -> Option<Node<'_>> {
        let file = self.files.get(*self.by_id.get(&key.file.0)?)?;
        Some(file.tree.as_ref()?.node(key.node))
    }

    /// The node with a key of this document.
    pub fn node(&self, key: NodeKey) -> Node<'_> {
        self.try_node(key).unwrap_or_else(|| self.root())
    }

    /// The files of the document that were read, the entry document first.
    pub fn files(&self) -> impl Iterator<Item = (FileId, &FilePath)> {
        self.files.iter().filter_map(|file| Some((file.id?, &file.path)))
    }

    /// The files that the document names, also those that could not be read: whatever a build must watch.
    pub fn paths(&self) -> impl Iterator<Item = &FilePath> {
        self.files.iter().map(|file| &file.path)
    }

    /// The `$ref` of an object, if it has one that is followed. Data that looks like a reference (in examples,
    /// defaults, extensions) is none.
    pub fn reference<'s>(&'s self, node: Node<'s>) -> Option<Reference<'s>> {
        let text = reference(node)?;
        let target = self.table.get(&text.identity())?;
        Some(Reference {
            target: target.node.and_then(|key| self.try_node(key)),
            name: target.name.as_deref(),
            text: text.as_str()?,
            span: text.span(),
            siblings: node.len() > 1,
        })
    }

    /// The node itself, or what its `$ref` names in the end. `None` where it dangles: that was reported, so skip it.
    pub fn resolve<'s>(&'s self, node: Node<'s>) -> Option<Node<'s>> {
        let mut node = node;
        // Circles were cut: every step is another reference.
        while let Some(found) = self.reference(node) {
            node = found.target?;
        }
        Some(node)
    }

    /// The value of a key, with references followed before and after: the usual way to read.
    pub fn get<'s>(&'s self, node: Node<'s>, key: &str) -> Option<Node<'s>> {
        self.resolve(self.resolve(node)?.get(key)?)
    }

    /// The entries of an object, with references followed before and after; dangling ones are left out.
    pub fn entries<'s>(&'s self, node: Node<'s>) -> impl Iterator<Item = (crate::syntax::Key<'s>, Node<'s>)> {
        let entries = self.resolve(node).map(Node::entries);
        entries.into_iter().flatten().filter_map(|(key, value)| Some((key, self.resolve(value)?)))
    }

    /// The items of a list, with references followed before and after; dangling ones are left out.
    pub fn items<'s>(&'s self, node: Node<'s>) -> impl Iterator<Item = Node<'s>> {
        let items = self.resolve(node).map(Node::items);
        items.into_iter().flatten().filter_map(|item| self.resolve(item))
    }

    /// The schema that a value of a discriminator's `mapping` names, by component name or by reference. One step:
    /// it may be a reference.
    pub fn mapping_target<'s>(&'s self, value: Node<'s>) -> Option<Node<'s>> {
        self.try_node(self.table.get(&value.identity())?.node?)
    }

    /// Where the `$dynamicRef` of a schema leads before anything is known of who refers to the schema.
    pub fn dynamic_target<'s>(&'s self, schema: Node<'s>) -> Option<Node<'s>> {
        self.mapping_target(schema.get("$dynamicRef")?)
    }

    /// What references call a node: a hint for a type's name. `None` if nothing refers to it by a name.
    pub fn name_of(&self, node: Node<'_>) -> Option<&str> {
        self.names.get(&node.identity()).map(|name| &**name)
    }
}

/// The files, and where each reference leads: what `dump --stage resolve` prints.
impl std::fmt::Display for Spec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "OpenAPI {}", self.version)?;
        for path in self.paths() {
            writeln!(f, "file {path}")?;
        }
        let place = |key: NodeKey| {
            let path = self.by_id.get(&key.file.0).and_then(|at| self.files.get(*at)).map_or("", |f| f.path.as_str());
            let pointer = self.try_node(key).map(Node::pointer).unwrap_or_default();
            format!("{path}#{pointer}")
        };
        let mut sorted: Vec<_> = self.table.iter().collect();
        sorted.sort_by_key(|(text, _)| **text);
        for (text, target) in sorted {
            let to = target.node.map_or_else(|| "nothing".to_owned(), place);
            writeln!(f, "{} -> {to}", place(*text))?;
        }
        Ok(())
    }
}
