//! The trie of all routes. It is built once, from the constant templates of the operations, and never changes.
//!
//! At each place a literal is tried before a segment of literals and parameters (`{id}.json`), that before a parameter
//! alone. The first *path* that matches decides: a method that it lacks is 405 there, it is not looked for under a less
//! specific path, because a reader of the document would not look there either.

use std::collections::HashMap;
use std::fmt;

use http::{HeaderValue, Method};
use smallvec::SmallVec;

use super::path::{BadPath, Segment, segments};
use super::template::{Piece, Template};

/// What a path and a method lead to.
#[derive(Debug)]
pub enum Found<'t, T> {
    /// An operation, with the values of its path parameters.
    Route(&'t T, PathParams),
    /// The path exists, the method does not: the value of `Allow`.
    Method(HeaderValue),
    /// No such path.
    Nothing,
    /// The path is not well-formed.
    Malformed,
}

/// The values of an operation's path parameters.
#[derive(Clone, Debug, Default)]
pub struct PathParams {
    values: SmallVec<[(&'static str, PathValue); 2]>,
}

/// The value of one path parameter.
#[derive(Clone, Debug)]
pub struct PathValue {
    /// Percent-decoded.
    pub text: Box<str>,
    /// As it was sent, where that differs and the parameter is a whole segment.
    pub raw: Option<Box<str>>,
}

/// What the parameters of a path took, in its order.
type Captured = SmallVec<[PathValue; 2]>;

impl PathParams {
    /// The decoded value of the parameter of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.value(name).map(|v| &*v.text)
    }

    /// The value of the parameter of this name.
    pub fn value(&self, name: &str) -> Option<&PathValue> {
        self.values.iter().find(|(n, _)| *n == name).map(|(_, v)| v)
    }
}

impl crate::PathValues for PathParams {
    fn get(&self, name: &str) -> Option<&str> {
        PathParams::get(self, name)
    }
}

/// Two operations that no request can tell apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SameRoute {
    /// The method of both.
    pub method: String,
    /// One's path.
    pub path: String,
}

impl fmt::Display for SameRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "two operations answer {} {}", self.method, self.path)
    }
}

impl std::error::Error for SameRoute {}

/// All routes.
#[derive(Debug)]
pub struct Table<T> {
    nodes: Vec<Node<T>>,
}

#[derive(Debug)]
struct Node<T> {
    literals: HashMap<Box<str>, usize, foldhash::fast::RandomState>,
    /// Segments with literal text and parameters, most literal text first.
    mixed: Vec<(Vec<Piece>, usize)>,
    parameter: Option<usize>,
    methods: Vec<Endpoint<T>>,
    allow: Option<HeaderValue>,
}

#[derive(Debug)]
struct Endpoint<T> {
    method: Method,
    names: Vec<&'static str>,
    value: T,
}

impl<T> Default for Node<T> {
    fn default() -> Self {
        Node { literals: HashMap::default(), mixed: Vec::new(), parameter: None, methods: Vec::new(), allow: None }
    }
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table { nodes: vec![Node::default()] }
    }
}

impl<T> Table<T> {
    /// Adds an operation under `prefix` (`/v1`, or nothing).
    ///
    /// # Errors
    /// Another one has that method and a path that matches exactly the same.
    pub fn add(&mut self, method: &Method, prefix: &str, template: Template, value: T) -> Result<(), SameRoute> {
        let mut at = 0;
        for part in prefix.split('/').filter(|p| !p.is_empty()) {
            at = self.literal(at, part);
        }
        let mut names = Vec::new();
        for segment in template.segments() {
            names.extend(segment.iter().filter_map(|piece| match piece {
                Piece::Parameter(name) => Some(*name),
                Piece::Literal(_) => None,
            }));
            at = match segment.as_slice() {
                [] => self.literal(at, ""),
                [Piece::Literal(text)] => self.literal(at, text),
                [Piece::Parameter(_)] => self.parameter(at),
                pieces => self.mixed(at, pieces),
            };
        }
        let Some(node) = self.nodes.get_mut(at) else { return Ok(()) };
        if node.methods.iter().any(|e| e.method == *method) {
            return Err(SameRoute { method: method.to_string(), path: format!("{prefix}{}", template.as_str()) });
        }
        node.methods.push(Endpoint { method: method.clone(), names, value });
        node.allow = Some(allow(&node.methods));
        Ok(())
    }

    /// What `method` and `path` (still percent-encoded) lead to. `HEAD` is answered by the operation of `GET` where the
    /// document declares no `HEAD` (RFC 9110, 9.3.2).
    pub fn find(&self, method: &Method, path: &str) -> Found<'_, T> {
        let segments = match segments(path) {
            Ok(segments) => segments,
            Err(BadPath::Malformed) => return Found::Malformed,
            Err(BadPath::TooLong) => return Found::Nothing,
        };
        let mut captured = Captured::new();
        let Some(node) = self.walk(0, &segments, &mut captured) else { return Found::Nothing };
        let by = |method: &Method| node.methods.iter().find(|e| e.method == *method);
        let found = by(method).or_else(|| if *method == Method::HEAD { by(&Method::GET) } else { None });
        match (found, &node.allow) {
            (Some(endpoint), _) => {
                let values = endpoint.names.iter().copied().zip(captured).collect();
                Found::Route(&endpoint.value, PathParams { values })
            }
            (None, Some(allow)) => Found::Method(allow.clone()),
            (None, None) => Found::Nothing,
        }
    }

    /// Every operation.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.nodes.iter().flat_map(|n| &n.methods).map(|e| &e.value)
    }

    /// Depth first. Each node has one parent and one depth, so none is entered twice: the cost is bounded by the number
    /// of nodes, whatever the path.
    fn walk(&self, at: usize, rest: &[Segment<'_>], captured: &mut Captured) -> Option<&Node<T>> {
        let node = self.nodes.get(at)?;
        let Some((segment, rest)) = rest.split_first() else {
            return if node.methods.is_empty() { None } else { Some(node) };
        };
        let kept = captured.len();
        if let Some(&next) = node.literals.get(&*segment.text)
            && let Some(found) = self.walk(next, rest, captured)
        {
            return Some(found);
        }
        captured.truncate(kept);
        for (pieces, next) in &node.mixed {
            if split(pieces, &segment.text, captured)
                && let Some(found) = self.walk(*next, rest, captured)
            {
                return Some(found);
            }
            captured.truncate(kept);
        }
        if let Some(next) = node.parameter
            && !segment.text.is_empty()
        {
            let raw = (segment.raw != segment.text).then(|| segment.raw.into());
            captured.push(PathValue { text: (&*segment.text).into(), raw });
            if let Some(found) = self.walk(next, rest, captured) {
                return Some(found);
            }
            captured.truncate(kept);
        }
        None
    }

    fn push(&mut self) -> usize {
        self.nodes.push(Node::default());
        self.nodes.len() - 1
    }

    fn literal(&mut self, at: usize, text: &str) -> usize {
        if let Some(&next) = self.nodes.get(at).and_then(|n| n.literals.get(text)) {
            return next;
        }
        let next = self.push();
        if let Some(node) = self.nodes.get_mut(at) {
            node.literals.insert(text.into(), next);
        }
        next
    }

    fn parameter(&mut self, at: usize) -> usize {
        if let Some(next) = self.nodes.get(at).and_then(|n| n.parameter) {
            return next;
        }
        let next = self.push();
        if let Some(node) = self.nodes.get_mut(at) {
            node.parameter = Some(next);
        }
        next
    }

    fn mixed(&mut self, at: usize, pieces: &[Piece]) -> usize {
        let same = |known: &[Piece]| {
            known.len() == pieces.len()
                && known.iter().zip(pieces).all(|(a, b)| match (a, b) {
                    (Piece::Literal(a), Piece::Literal(b)) => a == b,
                    (Piece::Parameter(_), Piece::Parameter(_)) => true,
                    _ => false,
                })
        };
        let known = self.nodes.get(at).and_then(|n| n.mixed.iter().find(|(p, _)| same(p)).map(|(_, next)| *next));
        if let Some(next) = known {
            return next;
        }
        let next = self.push();
        if let Some(node) = self.nodes.get_mut(at) {
            node.mixed.push((pieces.to_vec(), next));
            node.mixed.sort_by_key(|(pieces, _)| std::cmp::Reverse(literal_length(pieces)));
        }
        next
    }
}

fn literal_length(pieces: &[Piece]) -> usize {
    pieces.iter().map(|p| if let Piece::Literal(text) = p { text.len() } else { 0 }).sum()
}

/// Matches a segment with the pieces: each parameter takes as little as it can, the last one the rest. A literal that
/// ends the segment must stand at its very end (`{name}.json` of `a.json.json`).
fn split(pieces: &[Piece], text: &str, captured: &mut Captured) -> bool {
    let mut rest = text;
    let mut pieces = pieces;
    while let Some((piece, after)) = pieces.split_first() {
        pieces = after;
        match piece {
            Piece::Literal(literal) => match rest.strip_prefix(literal) {
                Some(after) => rest = after,
                None => return false,
            },
            Piece::Parameter(_) => {
                // At least one character, whatever follows.
                let first = rest.char_indices().nth(1).map_or(rest.len(), |(i, _)| i);
                let end = match after {
                    [] => Some(rest.len()),
                    [Piece::Literal(literal)] => rest.strip_suffix(literal).map(str::len),
                    [Piece::Literal(literal), ..] => {
                        rest.get(first..).and_then(|r| r.find(literal)).map(|at| first + at)
                    }
                    [Piece::Parameter(_), ..] => Some(first),
                };
                let Some((value, after)) = end.and_then(|end| rest.split_at_checked(end)) else { return false };
                if value.is_empty() {
                    return false;
                }
                captured.push(PathValue { text: value.into(), raw: None });
                rest = after;
            }
        }
    }
    rest.is_empty()
}

/// The methods that a path has, with the `HEAD` that `GET` brings and the `OPTIONS` that we answer.
fn allow<T>(methods: &[Endpoint<T>]) -> HeaderValue {
    let mut names: Vec<&str> = methods.iter().map(|e| e.method.as_str()).collect();
    if names.contains(&"GET") {
        names.push("HEAD");
    }
    names.push("OPTIONS");
    names.sort_unstable();
    names.dedup();
    HeaderValue::from_str(&names.join(", ")).unwrap_or(HeaderValue::from_static("OPTIONS"))
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
