//! The only writer of a [`Tree`]: both readers feed it, and the limits and the duplicate check live here once.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::{Arc, OnceLock};

use gatewright_diag::{FileId, Sink, Span, codes};

use super::tree::{FLOW, KEY, Kind, Raw, SIDE, Tree};

/// How deep containers may nest, aliases followed. The deepest real document we know nests 33.
pub const MAX_DEPTH: usize = 128;
/// How many nodes a file may have.
const MAX_NODES: usize = 32 << 20;
/// Aliases may always write this much, in nodes and text.
const ALIAS_FREE: u64 = 1_000_000;
/// And beyond that, this many times what is written without them.
const ALIAS_RATIO: u64 = 20;
/// Maps with at most this many keys are checked for duplicates by comparison.
const FEW: u32 = 8;

/// The input cannot be read further; the reason is in the sink.
pub(super) struct Stop;

struct Frame {
    node: u32,
    map: bool,
    /// Children so far, keys and values each counted.
    children: u32,
    weight_before: u64,
    height: usize,
    anchor: usize,
}

#[derive(Clone, Copy)]
struct Anchor {
    node: u32,
    weight: u64,
    height: usize,
    open: bool,
}

pub(super) struct Builder<'s> {
    tree: Tree,
    stack: Vec<Frame>,
    anchors: HashMap<usize, Anchor>,
    /// What the document would weigh with all aliases written out.
    weight: u64,
    /// What it weighs as written.
    written: u64,
    seen: HashMap<u64, u32, foldhash::fast::FixedState>,
    hasher: foldhash::fast::RandomState,
    pub(super) sink: &'s mut Sink,
    done: bool,
    /// Where the last finished value ends.
    last: u32,
}

impl<'s> Builder<'s> {
    pub(super) fn new(file: FileId, text: Arc<str>, json: bool, sink: &'s mut Sink) -> Self {
        let nodes = Vec::with_capacity(text.len() / 24 + 16);
        Builder {
            tree: Tree { file, text, side: String::new(), nodes, big: Vec::new(), json, origins: Vec::new() },
            stack: Vec::new(),
            anchors: HashMap::new(),
            weight: 0,
            written: 0,
            seen: HashMap::default(),
            hasher: foldhash::fast::RandomState::default(),
            sink,
            done: false,
            last: 0,
        }
    }

    /// A span with offsets clamped into the text and to character boundaries.
    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        let text = &self.tree.text;
        let clamp = |mut at: usize| {
            at = at.min(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at as u32
        };
        let start = clamp(start);
        Span { file: self.tree.file, start, end: clamp(end).max(start) }
    }

    /// Whether the next node is a key.
    pub(super) fn at_key(&self) -> bool {
        self.stack.last().is_some_and(|f| f.map && f.children % 2 == 0)
    }

    pub(super) fn depth(&self) -> usize {
        self.stack.len()
    }

    /// Whether the one node of the document is finished.
    pub(super) fn done(&self) -> bool {
        self.done
    }

    fn push(&mut self, span: Span, a: u32, b: u32, kind: Kind, mut flags: u8, weight: u64) -> Result<u32, Stop> {
        if self.tree.nodes.len() >= MAX_NODES {
            self.sink
                .error(codes::TOO_LARGE, span, format!("the file has more than {MAX_NODES} values"))
                .help("split the document into several files");
            return Err(Stop);
        }
        if self.at_key() {
            flags |= KEY;
        }
        let id = self.tree.nodes.len() as u32;
        if let Some(frame) = self.stack.last_mut() {
            frame.children += 1;
        }
        self.weight = self.weight.saturating_add(weight);
        self.written = self.written.saturating_add(weight.min(1 << 32));
        self.last = span.end;
        self.tree.nodes.push(Raw { start: span.start, end: span.end, a, b, kind, flags, origin: 0 });
        self.done = self.stack.is_empty() && !matches!(kind, Kind::Map | Kind::Seq);
        Ok(id)
    }

    /// Adds a scalar whose text is the part `at..at+len` of the source.
    pub(super) fn slice(&mut self, span: Span, at: usize, len: usize, quoted: bool) -> Result<u32, Stop> {
        let kind = if quoted { Kind::Quoted } else { Kind::Plain };
        self.push(span, at as u32, len as u32, kind, 0, weight_of(len))
    }

    /// Adds a scalar whose text is not a part of the source.
    pub(super) fn owned(&mut self, span: Span, text: &str, quoted: bool) -> Result<u32, Stop> {
        let kind = if quoted { Kind::Quoted } else { Kind::Plain };
        let at = self.tree.side.len();
        self.tree.side.push_str(text);
        self.push(span, at as u32, text.len() as u32, kind, SIDE, weight_of(text.len()))
    }

    /// The side buffer, for a reader that unescapes into it; finish with [`Builder::unescaped`].
    pub(super) fn side(&mut self) -> &mut String {
        &mut self.tree.side
    }

    /// Adds a text scalar that was just written to the side buffer, from `at` to its end.
    pub(super) fn unescaped(&mut self, span: Span, at: usize) -> Result<u32, Stop> {
        let len = self.tree.side.len().saturating_sub(at);
        self.push(span, at as u32, len as u32, Kind::Quoted, SIDE, weight_of(len))
    }

    pub(super) fn open(&mut self, span: Span, map: bool, flow: bool, anchor: usize) -> Result<(), Stop> {
        if self.at_key() {
            self.sink
                .error(codes::KEY_NOT_TEXT, span, "a list or an object stands where a key is wanted")
                .label("not a key")
                .help("write the key as text; put a value that starts with `{` or `[` in quotes");
            return Err(Stop);
        }
        if self.stack.len() >= MAX_DEPTH {
            self.too_deep(span);
            return Err(Stop);
        }
        let weight_before = self.weight;
        let flags = if flow { FLOW } else { 0 };
        let node = self.push(span, 0, 0, if map { Kind::Map } else { Kind::Seq }, flags, 1)?;
        self.stack.push(Frame { node, map, children: 0, weight_before, height: 1, anchor });
        if anchor != 0 {
            self.anchors.insert(anchor, Anchor { node, weight: 0, height: 0, open: true });
        }
        Ok(())
    }

    fn too_deep(&mut self, span: Span) {
        self.sink
            .error(codes::TOO_DEEP, span, format!("values nest more than {MAX_DEPTH} levels deep"))
            .label("the limit is reached here")
            .help("move inner parts to `components` and refer to them with `$ref`");
    }

    /// Ends the innermost container; `end` counts where it has a token of its own.
    pub(super) fn close(&mut self, end: usize) {
        let Some(frame) = self.stack.pop() else { return };
        let past = self.tree.nodes.len() as u32;
        let end = self.span(end, end).end;
        // A block's end token lies behind blank lines and comments; its last child's end is what a reader means.
        let start = self.tree.raw(frame.node).start;
        let count = if frame.map { frame.children / 2 } else { frame.children };
        if let Some(node) = self.tree.nodes.get_mut(frame.node as usize) {
            node.a = count;
            node.b = past;
            node.end = if node.flags & FLOW != 0 { end } else { self.last }.max(start);
            self.last = node.end;
        }
        if let Some(parent) = self.stack.last_mut() {
            parent.height = parent.height.max(frame.height + 1);
        }
        if frame.anchor != 0 {
            let weight = self.weight.saturating_sub(frame.weight_before);
            let anchor = Anchor { node: frame.node, weight, height: frame.height, open: false };
            self.anchors.insert(frame.anchor, anchor);
        }
        if frame.map {
            self.check_keys(frame.node, count);
            if Tree::worth_index(count) {
                self.tree.big.push((frame.node, OnceLock::new()));
            }
        }
        self.done = self.stack.is_empty();
    }

    /// Remembers a scalar as the target of aliases.
    pub(super) fn anchor_scalar(&mut self, anchor: usize, node: u32) {
        if anchor != 0 {
            let weight = weight_of(self.tree.raw(node).b as usize);
            self.anchors.insert(anchor, Anchor { node, weight, height: 0, open: false });
        }
    }

    /// Adds an alias of an anchor seen before.
    pub(super) fn alias(&mut self, span: Span, anchor: usize) -> Result<(), Stop> {
        let Some(target) = self.anchors.get(&anchor).copied() else {
            self.sink
                .error(codes::YAML_SYNTAX, span, "this alias names no anchor")
                .help("define it with `&name` first");
            return Err(Stop);
        };
        let place = Span { file: self.tree.file, ..self.tree.span(target.node) };
        let place = Span { end: place.end.min(place.start.saturating_add(1)).max(place.start), ..place };
        if target.open {
            self.sink
                .error(codes::ALIAS_CYCLE, span, "this alias stands inside the value that it names")
                .related(place, "the value starts here")
                .help("use `$ref` for recursive schemas: an alias is a copy, and this one would have no end");
            return Err(Stop);
        }
        if self.stack.len() + target.height > MAX_DEPTH {
            self.too_deep(span);
            return Err(Stop);
        }
        let raw = self.tree.raw(target.node);
        if self.at_key() {
            if !matches!(raw.kind, Kind::Plain | Kind::Quoted) {
                self.sink
                    .error(codes::KEY_NOT_TEXT, span, "this alias names a list or an object, where a key is wanted")
                    .help("write the key as text");
                return Err(Stop);
            }
            self.push(span, raw.a, raw.b, raw.kind, raw.flags & SIDE, target.weight)?;
            return Ok(());
        }
        if let Some(frame) = self.stack.last_mut() {
            frame.height = frame.height.max(target.height + 1);
        }
        let written = self.written;
        self.push(span, target.node, 0, Kind::Alias, 0, target.weight.max(1))?;
        self.written = written + 1;
        if self.weight > ALIAS_FREE && self.weight / ALIAS_RATIO > self.written {
            self.sink
                .error(codes::ALIAS_EXPANSION, span, "aliases multiply this document beyond all measure")
                .label("too much is repeated by the time this alias is read")
                .help("refer to shared parts with `$ref`, which copies nothing");
            return Err(Stop);
        }
        Ok(())
    }

    /// A key that stands twice in one map is an error that shows both: whoever takes the last would drop the first
    /// in silence, and what it drops may be a `security`.
    fn check_keys(&mut self, map: u32, count: u32) {
        if count < 2 {
            return;
        }
        self.seen.clear();
        let mut at = map + 1;
        for nth in 0..count {
            let raw = self.tree.raw(at);
            let text = self.tree.scalar_text(raw);
            let earlier = if count <= FEW {
                let mut other = map + 1;
                (0..nth).find_map(|_| {
                    let found = (self.tree.scalar_text(self.tree.raw(other)) == text).then_some(other);
                    other = self.tree.past(other + 1);
                    found
                })
            } else {
                // Equal hashes of different keys are resolved by searching: rare, so its cost does not matter.
                match self.seen.insert(self.hasher.hash_one(text), at) {
                    Some(other) if self.tree.scalar_text(self.tree.raw(other)) == text => Some(other),
                    Some(_) => self.search(map, nth, text),
                    None => None,
                }
            };
            if let Some(earlier) = earlier {
                let (here, there) = (self.tree.span(at), self.tree.span(earlier));
                let shown: String = text.chars().take(64).collect();
                self.sink
                    .error(codes::DUPLICATE_KEY, here, format!("the key `{shown}` stands twice in one object"))
                    .label("the second")
                    .related(there, "the first")
                    .help("remove one of them, or merge what they hold");
            }
            at = self.tree.past(at + 1);
        }
    }

    fn search(&self, map: u32, before: u32, text: &str) -> Option<u32> {
        let mut other = map + 1;
        for _ in 0..before {
            if self.tree.scalar_text(self.tree.raw(other)) == text {
                return Some(other);
            }
            other = self.tree.past(other + 1);
        }
        None
    }

    pub(super) fn finish(mut self) -> Option<Tree> {
        if self.tree.nodes.is_empty() {
            return None;
        }
        self.tree.big.sort_by_key(|(id, _)| *id);
        self.tree.nodes.shrink_to_fit();
        Some(self.tree)
    }
}

/// What a scalar counts for when aliases are measured: long texts weigh as many short ones.
fn weight_of(len: usize) -> u64 {
    1 + (len / 32) as u64
}
