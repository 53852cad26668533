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

/// A piece of a segment of a path template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text that must stand there.
    Literal(&'static str),
    /// The parameter of this name: at least one character.
    Parameter(&'static str),
}

/// A path template as documents write it: `/accounts/{accountId}`, `/files/{name}.json`. A trailing slash is a last
/// segment without pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Template(&'static str);

impl Template {
    /// The template of this text.
    ///
    /// # Panics
    /// In a constant, and so in the build of generated code: it does not begin with a slash, or a brace has no other one, or
    /// nothing in between.
    #[must_use]
    #[allow(clippy::panic, clippy::indexing_slicing, reason = "a wrong route must not build")]
    pub const fn new(text: &'static str) -> Template {
        let bytes = text.as_bytes();
        assert!(!bytes.is_empty() && bytes[0] == b'/', "a path template begins with a slash");
        let mut at = 0;
        let mut open = None;
        while at < bytes.len() {
            match (bytes[at], open) {
                (b'{', None) => open = Some(at),
                (b'}', Some(from)) if at > from + 1 => open = None,
                (b'{' | b'}', _) | (b'/', Some(_)) => panic!("a brace of a path template has no other one"),
                _ => {}
            }
            at += 1;
        }
        assert!(open.is_none(), "a brace of a path template has no other one");
        Template(text)
    }

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// Its segments, each as its pieces.
    fn segments(self) -> impl Iterator<Item = Vec<Piece>> {
        self.0.strip_prefix('/').unwrap_or(self.0).split('/').map(pieces)
    }
}

fn pieces(segment: &'static str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = segment;
    while let Some((literal, (name, after))) =
        rest.split_once('{').and_then(|(literal, rest)| Some((literal, rest.split_once('}')?)))
    {
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        pieces.push(Piece::Parameter(name));
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest));
    }
    pieces
}

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
mod tests {
    use super::*;

    fn table() -> Table<&'static str> {
        let mut table = Table::default();
        let rows: [(&str, &'static str, &'static str); 12] = [
            ("GET", "/users/me", "me"),
            ("GET", "/users/{id}", "user"),
            ("POST", "/users/{name}", "rename"),
            ("GET", "/users/{x}/keys", "keys"),
            ("GET", "/files/{id}.json", "json"),
            ("GET", "/files/{id}", "file"),
            ("GET", "/files/{a}-{b}", "range"),
            ("GET", "/slash/", "slash"),
            ("DELETE", "/users/{id}", "delete"),
            ("QUERY", "/search", "query"),
            ("GET", "/a/b/c", "abc"),
            ("GET", "/a/{x}/d", "axd"),
        ];
        for (method, template, value) in rows {
            table.add(&Method::from_bytes(method.as_bytes()).unwrap(), "/v1", Template::new(template), value).unwrap();
        }
        table
    }

    fn go(table: &Table<&'static str>, method: &str, path: &str) -> String {
        match table.find(&Method::from_bytes(method.as_bytes()).unwrap(), path) {
            Found::Route(value, params) => {
                let mut out = (*value).to_owned();
                for (name, value) in &params.values {
                    out.push_str(&format!(" {name}={}", value.text));
                }
                out
            }
            Found::Method(allow) => format!("405 {}", allow.to_str().unwrap()),
            Found::Nothing => "404".to_owned(),
            Found::Malformed => "400".to_owned(),
        }
    }

    #[test]
    fn finds_what_the_document_says() {
        let table = table();
        for (request, expected) in [
            ("GET /v1/users/me", "me"),
            ("GET /v1/users/7", "user id=7"),
            ("HEAD /v1/users/7", "user id=7"),
            ("POST /v1/users/7", "rename name=7"),
            ("GET /v1/users/me/keys", "keys x=me"),
            ("DELETE /v1/users/me", "405 GET, HEAD, OPTIONS"),
            ("PUT /v1/users/7", "405 DELETE, GET, HEAD, OPTIONS, POST"),
            ("OPTIONS /v1/users/7", "405 DELETE, GET, HEAD, OPTIONS, POST"),
            ("HEAD /v1/search", "405 OPTIONS, QUERY"),
            ("QUERY /v1/search", "query"),
            ("GET /v1/files/a.json", "json id=a"),
            ("GET /v1/files/a.json.json", "json id=a.json"),
            ("GET /v1/files/.json", "file id=.json"),
            ("GET /v1/files/1-2-3", "range a=1 b=2-3"),
            ("GET /v1/files/1-", "file id=1-"),
            ("GET /v1/files/a%2Fb", "file id=a/b"),
            ("GET /v1/files/", "404"),
            ("GET /v1/slash/", "slash"),
            ("GET /v1/slash", "404"),
            ("GET /v1/users/me/", "404"),
            ("GET /v2/users/me", "404"),
            ("GET /users/me", "404"),
            ("GET /v1/x/../users/%6De", "me"),
            ("GET /v1/a/b/d", "axd x=b"),
            ("GET /v1/%zz", "400"),
        ] {
            let (method, path) = request.split_once(' ').unwrap();
            assert_eq!(go(&table, method, path), expected, "{request}");
        }
    }

    #[test]
    fn a_template_is_its_pieces() {
        let read = |text| Template::new(text).segments().collect::<Vec<_>>();
        assert_eq!(read("/"), [[]]);
        let (a, b) = (Piece::Parameter("a"), Piece::Parameter("b"));
        assert_eq!(
            read("/x/{a}-{b}.json/"),
            [vec![Piece::Literal("x")], vec![a, Piece::Literal("-"), b, Piece::Literal(".json")], vec![]]
        );
    }

    #[test]
    fn the_same_route_twice_is_refused() {
        let mut table = Table::default();
        table.add(&Method::GET, "", Template::new("/{a}"), 1).unwrap();
        let error = table.add(&Method::GET, "", Template::new("/{b}"), 2).unwrap_err();
        assert_eq!(error.to_string(), "two operations answer GET /{b}");
        table.add(&Method::PUT, "", Template::new("/{b}"), 2).unwrap();
    }

    type Segments = &'static [&'static [Piece]];

    /// The same by hand: every template against the segments, all ways to cut them, the most specific one taken.
    mod naive {
        use super::*;

        /// The ways to cut a text into the values of the pieces, the shortest first values first.
        fn cuts(pieces: &[Piece], text: &str) -> Option<Vec<String>> {
            match pieces {
                [] => text.is_empty().then(Vec::new),
                [Piece::Literal(literal), rest @ ..] => cuts(rest, text.strip_prefix(literal)?),
                [Piece::Parameter(_), rest @ ..] => {
                    text.char_indices().skip(1).map(|(at, _)| at).chain([text.len()]).find_map(|at| {
                        let (value, behind) = text.split_at(at);
                        let mut values = cuts(rest, behind).filter(|_| !value.is_empty())?;
                        values.insert(0, value.to_owned());
                        Some(values)
                    })
                }
            }
        }

        /// How specific a segment of a template is: literals, then the most literal text, then parameters.
        fn rank(pieces: &[Piece]) -> (u8, std::cmp::Reverse<usize>) {
            match pieces {
                [] | [Piece::Literal(_)] => (0, std::cmp::Reverse(0)),
                [Piece::Parameter(_)] => (2, std::cmp::Reverse(0)),
                mixed => (1, std::cmp::Reverse(literal_length(mixed))),
            }
        }

        /// The names do not make a route another one.
        fn shape(template: Segments) -> String {
            let piece =
                |piece: &Piece| if let Piece::Literal(text) = piece { format!("L{text}") } else { "P".to_owned() };
            let segment = |pieces: &&[Piece]| pieces.iter().map(piece).collect::<Vec<_>>().join("+");
            template.iter().map(segment).collect::<Vec<_>>().join("/")
        }

        pub(super) fn find(
            rows: &[(Method, Segments)],
            method: &Method,
            path: &[&str],
        ) -> Option<(usize, Vec<String>)> {
            let fits = |template: Segments| -> Option<Vec<String>> {
                if template.len() != path.len() {
                    return None;
                }
                let values: Option<Vec<Vec<String>>> = template.iter().zip(path).map(|(p, s)| cuts(p, s)).collect();
                Some(values?.concat())
            };
            // Of templates that are equally specific the first of the document counts, segment by segment.
            let order = |template: Segments, upto: usize| {
                let start = shape(template.get(..=upto).unwrap_or_default());
                rows.iter().position(|(_, t)| t.len() > upto && shape(t.get(..=upto).unwrap_or_default()) == start)
            };
            let best = rows.iter().filter(|(_, t)| fits(t).is_some()).map(|(_, t)| *t).min_by_key(|t| {
                t.iter().enumerate().map(|(at, pieces)| (rank(pieces), order(t, at))).collect::<Vec<_>>()
            })?;
            let at = rows.iter().position(|(m, t)| m == method && shape(t) == shape(best))?;
            Some((at, fits(rows.get(at)?.1)?))
        }
    }

    /// The template of these segments.
    fn written(segments: Segments) -> Template {
        let mut text = String::new();
        for segment in segments {
            text.push('/');
            for piece in *segment {
                match piece {
                    Piece::Literal(literal) => text.push_str(literal),
                    Piece::Parameter(name) => text.push_str(&format!("{{{name}}}")),
                }
            }
        }
        Template::new(text.leak())
    }

    fn piece() -> impl proptest::strategy::Strategy<Value = Piece> {
        use proptest::prelude::*;
        prop_oneof![
            2 => prop::sample::select(vec!["a", "b", "-", ".json", "a-", "é"]).prop_map(Piece::Literal),
            1 => prop::sample::select(vec!["x", "y", "z"]).prop_map(Piece::Parameter),
        ]
    }

    /// A template as the compiler writes it: no two literals and no two parameters side by side.
    fn template() -> impl proptest::strategy::Strategy<Value = Segments> {
        use proptest::prelude::*;
        let segment = prop::collection::vec(piece(), 0..4).prop_map(|mut pieces| {
            pieces.dedup_by(|a, b| std::mem::discriminant(a) == std::mem::discriminant(b));
            &*Box::leak(pieces.into_boxed_slice())
        });
        prop::collection::vec(segment, 1..4).prop_map(|segments| &*Box::leak(segments.into_boxed_slice()))
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(400))]

        #[test]
        fn finds_what_a_naive_matcher_finds(
            templates in proptest::collection::vec(template(), 1..12),
            puts in proptest::collection::vec(proptest::bool::ANY, 12),
            paths in proptest::collection::vec(
                proptest::collection::vec(proptest::sample::select(vec!["a", "b", "-", "a-b", "a-", "x.json", "a-b.json", "--", "é", "a-.json", ".json", "aé"]), 1..4),
                1..12,
            ),
        ) {
            let mut table = Table::default();
            let mut rows = Vec::new();
            for (template, put) in templates.into_iter().zip(puts) {
                let method = if put { Method::PUT } else { Method::GET };
                // The same route twice is refused, and then it is in neither.
                if table.add(&method, "", written(template), rows.len()).is_ok() {
                    rows.push((method, template));
                }
            }
            for path in paths {
                let text = format!("/{}", path.join("/"));
                let want = naive::find(&rows, &Method::PUT, &path);
                let have = match table.find(&Method::PUT, &text) {
                    Found::Route(at, params) => {
                        Some((*at, params.values.into_iter().map(|(_, v)| v.text.into_string()).collect::<Vec<_>>()))
                    }
                    _ => None,
                };
                proptest::prop_assert_eq!(have, want, "{} in {:?}", text, rows);
                // However it is encoded, it is the same path.
                let encoded: String = text.bytes().map(|b| if b == b'/' { "/".to_owned() } else { format!("%{b:02x}") }).collect();
                let same = matches!(
                    (table.find(&Method::PUT, &text), table.find(&Method::PUT, &format!("/q/..{encoded}"))),
                    (Found::Route(a, _), Found::Route(b, _)) if a == b
                );
                proptest::prop_assert!(same || !matches!(table.find(&Method::PUT, &text), Found::Route(..)), "{}", encoded);
            }
        }
    }
}
