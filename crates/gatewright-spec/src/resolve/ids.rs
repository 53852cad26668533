//! Schemas that name themselves: `$id`, `$anchor`, `$dynamicAnchor`, and a document's `$self`.
//!
//! JSON Schema 2020-12, section 8.2. Most documents have none, and then nothing here costs anything.

use crate::source::FilePath;
use crate::syntax::{Node, NodeId, NodeKey, Tree};

use super::{Table, uri};

#[derive(Default)]
pub(crate) struct Ids {
    /// Resources by absolute URI, or by path where nothing absolute is known.
    by_uri: std::collections::HashMap<String, NodeKey>,
    /// The URI of each resource that says one.
    uri_of: Table<NodeKey, String>,
    /// Anchors by resource and name.
    anchors: std::collections::HashMap<(NodeKey, String), NodeKey>,
    /// The resources of each file in the order of the text: first node, node past the last, index of the one around.
    ranges: Table<u32, Vec<Range>>,
}

struct Range {
    start: u32,
    past: u32,
    around: Option<usize>,
}

impl Ids {
    /// Registers what a tree names. Values of `enum`, `const`, `default`, `example`, `examples` and of extensions
    /// are data and name nothing.
    pub(crate) fn add(&mut self, tree: &Tree, path: &FilePath) {
        let root = tree.root();
        let mut base = path.as_str().to_owned();
        if let Some(own) = root.get("$self").and_then(Node::as_str) {
            base = uri::join(&base, without_fragment(own));
            self.by_uri.insert(base.clone(), root.identity());
        }
        self.uri_of.insert(root.identity(), base);
        let mut ranges = Vec::new();
        self.visit(root, root.identity(), None, false, &mut ranges);
        if !ranges.is_empty() {
            self.ranges.insert(root.file().0, ranges);
        }
    }

    fn visit(
        &mut self,
        node: Node<'_>,
        resource: NodeKey,
        around: Option<usize>,
        names: bool,
        ranges: &mut Vec<Range>,
    ) {
        if node.is_alias() {
            return;
        }
        let (mut resource, mut around) = (resource, around);
        if node.is_map() && !names {
            if let Some(id) = node.get("$id").and_then(Node::as_str) {
                let base = self.uri_of.get(&resource).cloned().unwrap_or_default();
                let own = uri::join(&base, without_fragment(id));
                resource = node.identity();
                self.by_uri.entry(own.clone()).or_insert(resource);
                self.uri_of.insert(resource, own);
                ranges.push(Range { start: resource.node.0, past: node.past().0, around });
                around = Some(ranges.len() - 1);
            }
            for key in ["$anchor", "$dynamicAnchor"] {
                if let Some(name) = node.get(key).and_then(Node::as_str) {
                    self.anchors.entry((resource, name.to_owned())).or_insert(node.identity());
                }
            }
        }
        for item in node.items() {
            self.visit(item, resource, around, false, ranges);
        }
        for (key, value) in node.entries() {
            let data =
                matches!(key.text, "enum" | "const" | "default" | "example" | "examples") || key.starts_with("x-");
            if (!names && data) || (!value.is_map() && !value.is_seq()) {
                continue;
            }
            let holds_names = matches!(
                key.text,
                "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas" | "schemas"
            );
            self.visit(value, resource, around, !names && holds_names && value.is_map(), ranges);
        }
    }

    pub(crate) fn by_uri(&self, uri: &str) -> Option<NodeKey> {
        self.by_uri.get(uri).copied()
    }

    pub(crate) fn anchor(&self, resource: NodeKey, name: &str) -> Option<NodeKey> {
        self.anchors.get(&(resource, name.to_owned())).copied()
    }

    pub(crate) fn uri_of(&self, resource: NodeKey) -> Option<&str> {
        self.uri_of.get(&resource).map(String::as_str)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_uri.is_empty()
    }

    /// The schema resource that a node belongs to: the nearest object around it, or itself, that says `$id`; else
    /// its file's root.
    pub(crate) fn resource_of(&self, node: Node<'_>) -> NodeKey {
        let (file, id) = (node.file(), node.identity().node.0);
        let root = node.tree().root().identity();
        let Some(ranges) = self.ranges.get(&file.0) else { return root };
        // The last that starts before the node, or one of those around it.
        let mut at = ranges.partition_point(|range| range.start <= id).checked_sub(1);
        while let Some(range) = at.and_then(|at| ranges.get(at)) {
            if id < range.past {
                return NodeKey { file, node: NodeId(range.start) };
            }
            at = range.around;
        }
        root
    }
}

fn without_fragment(uri: &str) -> &str {
    uri.split('#').next().unwrap_or("")
}
