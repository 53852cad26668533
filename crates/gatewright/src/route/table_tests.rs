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
        let piece = |piece: &Piece| if let Piece::Literal(text) = piece { format!("L{text}") } else { "P".to_owned() };
        let segment = |pieces: &&[Piece]| pieces.iter().map(piece).collect::<Vec<_>>().join("+");
        template.iter().map(segment).collect::<Vec<_>>().join("/")
    }

    pub(super) fn find(rows: &[(Method, Segments)], method: &Method, path: &[&str]) -> Option<(usize, Vec<String>)> {
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
