//! What the readers make of text: values against two oracles, faults with their code and line, spans, mutations.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use gatewright_diag::{Code, FileId, Sink, SourceMap, codes};
use gatewright_spec::syntax::{Format, Node, NodeKind, Scalar, Tree, parse_text};

fn tree(text: &str, format: Format) -> Result<Tree, Vec<(Code, u32, String)>> {
    let mut map = SourceMap::new();
    let file = map.add("t", text);
    let mut sink = Sink::new();
    let tree = parse_text(file, text.into(), format, &mut sink);
    let faults: Vec<_> = sink
        .finish()
        .into_iter()
        .map(|d| {
            assert!(d.help.is_some(), "{d:?} has no help");
            let line = d.span.map_or(0, |s| map.get(s.file).unwrap().line_col(s.start).line);
            (d.code, line, d.message)
        })
        .collect();
    match tree {
        Some(tree) if faults.is_empty() => Ok(tree),
        _ => Err(faults),
    }
}

fn yaml(text: &str) -> Tree {
    tree(text, Format::Yaml).unwrap()
}

/// The value as serde_json has it, for comparison.
fn value(node: Node<'_>) -> serde_json::Value {
    use serde_json::Value;
    match node.kind() {
        NodeKind::Map => Value::Object(node.entries().map(|(k, v)| (k.text.to_owned(), value(v))).collect()),
        NodeKind::Seq => Value::Array(node.items().map(value).collect()),
        NodeKind::Scalar => match node.scalar().unwrap() {
            Scalar::Null => Value::Null,
            Scalar::Bool(b) => b.into(),
            Scalar::Str(s) => s.into(),
            Scalar::Number(n) => match (n.as_u64(), n.as_i64()) {
                (Some(n), _) => n.into(),
                (_, Some(n)) => n.into(),
                _ => n.as_f64().into(),
            },
        },
    }
}

const SAMPLE: &str = r#"{"openapi":"3.1.0","a":[1,-2,1.5,1e3,true,false,null,"x",""],"esc":"q\"\\\/\b\f\n\r\té\uD834\uDD1E",
 "empty":{},"list":[],"deep":{"a":{"b":[{"c":[[[]]]}]}},"200":{"no":"yes","a/b~c":1},"long":18446744073709551615}"#;

#[test]
fn json_values_equal_serde_json() {
    let ours = tree(SAMPLE, Format::Json).unwrap();
    let theirs: serde_json::Value = serde_json::from_str(SAMPLE).unwrap();
    let mut ours = value(ours.root());
    // `1e3` is an integer to us, a float to serde_json.
    assert_eq!(ours["a"][3], 1000);
    ours["a"][3] = 1000.0.into();
    assert_eq!(ours, theirs);
}

#[test]
fn json_read_as_yaml_is_the_same() {
    let json = tree(SAMPLE, Format::Json).unwrap();
    let yaml = tree(SAMPLE, Format::Yaml).unwrap();
    assert_eq!(value(json.root()), value(yaml.root()));
    assert_eq!(json.len(), yaml.len());
}

#[test]
fn yaml_values_equal_yaml_serde() {
    let text = "a: 1\nb: [x, 'y', \"z\\n\"]\nc: |\n  two\n  lines\nd: >-\n  folded\n  text\ne: ~\nf:\ng: {h: true, i: .5}\n\
                j: &anchor {k: l}\nm: *anchor\nn:\n- o\n- p: q\n  r: s\nt: \"\u{e4}\\u00e4\"\nu: 'it''s'\n";
    let theirs: serde_json::Value = serde_yaml::from_str(text).unwrap();
    assert_eq!(value(yaml(text).root()), theirs);
}

#[test]
fn keys_stay_text_and_norway_is_a_country() {
    let tree = yaml("no: no\n200: on\nnull: y\ntrue: 1\n");
    let root = tree.root();
    assert_eq!(root.entries().map(|(k, _)| k.text).collect::<Vec<_>>(), ["no", "200", "null", "true"]);
    assert_eq!(root.get("no").unwrap().as_str(), Some("no"));
    assert_eq!(root.get("200").unwrap().as_str(), Some("on"));
}

#[test]
fn spans_are_where_the_text_is() {
    let text = "a: b\nlist:\n  - {x: 'y z'}\n\n# comment\nlast: 1\n";
    let tree = yaml(text);
    let root = tree.root();
    let at = |node: Node<'_>| &text[node.span().start as usize..node.span().end as usize];
    assert_eq!(at(root.at("/list/0/x").unwrap()), "'y z'");
    assert_eq!(at(root.at("/list/0").unwrap()), "{x: 'y z'}");
    assert_eq!(at(root.at("/list").unwrap()), "- {x: 'y z'}");
    let key = root.get("last").unwrap().key_span().unwrap();
    assert_eq!(&text[key.start as usize..key.end as usize], "last");
    for node in tree.nodes().filter(|n| n.key().is_some()) {
        assert_eq!(root.at(&node.pointer()).unwrap(), node);
    }
}

#[test]
fn pointers_escape() {
    let tree = yaml("a/b: {c~d: [0, {e: f}]}\n");
    let node = tree.root().at("/a~1b/c~0d/1/e").unwrap();
    assert_eq!((node.as_str(), node.pointer().as_str()), (Some("f"), "/a~1b/c~0d/1/e"));
    assert!(tree.root().at("/a~1b/c~0d/01").is_none());
}

#[test]
fn an_alias_is_its_target_at_another_place() {
    let text = "a: &x {y: z}\nb: *x\n";
    let tree = yaml(text);
    let (a, b) = (tree.root().get("a").unwrap(), tree.root().get("b").unwrap());
    assert_eq!(a.identity(), b.identity());
    assert_eq!(b.get("y").unwrap().as_str(), Some("z"));
    assert_eq!(&text[b.span().start as usize..b.span().end as usize], "*x");
    assert_eq!(b.key_span().unwrap().start, 13);
}

#[test]
fn a_tree_prints_itself_with_places() {
    let text = "a: &x\n  b: 'c'\nd: [1, *x]\n";
    let expected = "        1:1 {2}\n        1:1   a: {1}\n        2:3     b: \"c\"\n        3:1   d: [2]\n        3:5     - 1\n        3:8     - alias of /a\n";
    assert_eq!(yaml(text).to_string(), expected);
}

#[test]
fn large_maps_are_found_by_index() {
    let text: String = (0..1000).map(|i| format!("k{i}: {i}\n")).collect();
    let tree = yaml(&text);
    for i in 0..1000u64 {
        assert_eq!(tree.root().get(&format!("k{i}")).unwrap().as_u64(), Some(i));
    }
    assert!(tree.root().get("k1000").is_none());
}

#[test]
fn faults_have_a_code_and_a_line() {
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let blocks: String = (0..300).map(|i| format!("{}k:\n", " ".repeat(i))).collect();
    let dashes = "- ".repeat(100_000);
    let laughs = "a: &a [x,x,x,x,x,x,x,x,x,x]\n".to_owned()
        + &"bcdefghij"
            .chars()
            .zip("abcdefghi".chars())
            .map(|(n, o)| format!("{n}: &{n} [*{o},*{o},*{o},*{o},*{o},*{o},*{o},*{o},*{o},*{o}]\n"))
            .collect::<String>();
    let quadratic = format!("a: &a \"{}\"\nb:\n{}", "x".repeat(100_000), "- *a\n".repeat(100_000));
    let many: String = (0..20).map(|i| format!("k{i}: 1\n")).collect::<String>() + "k7: 2\n";
    use Format::{Json, Yaml};
    let rows: &[(Format, &str, Code, u32)] = &[
        (Yaml, "a: {b: [1, 2\nc: d\n", codes::YAML_SYNTAX, 2),
        (Yaml, "a:\n    b: 1\n  c: 2\n", codes::YAML_SYNTAX, 3),
        (Yaml, "a:\n\tb: 1\n", codes::YAML_SYNTAX, 2),
        (Yaml, "a: b: c\n", codes::YAML_SYNTAX, 1),
        (Yaml, "a: 'x\nb: y\n", codes::YAML_SYNTAX, 1),
        (Yaml, "a: \"x\" y\n", codes::YAML_SYNTAX, 1),
        (Yaml, "a: *nowhere\n", codes::YAML_SYNTAX, 1),
        (Yaml, "a: 1\nb: 2\na: 3\n", codes::DUPLICATE_KEY, 3),
        (Yaml, "a: 1\n'a': 3\n", codes::DUPLICATE_KEY, 2),
        (Yaml, &many, codes::DUPLICATE_KEY, 21),
        (Yaml, &deep, codes::TOO_DEEP, 1),
        (Yaml, &blocks, codes::TOO_DEEP, 129),
        (Yaml, &dashes, codes::TOO_DEEP, 1),
        (Yaml, &laughs, codes::ALIAS_EXPANSION, 6),
        (Yaml, &quadratic, codes::ALIAS_EXPANSION, 0),
        (Yaml, "a: &x [*x]\n", codes::ALIAS_CYCLE, 1),
        (Yaml, "a: !!python/object:os.system x\n", codes::CUSTOM_TAG, 1),
        (Yaml, "a:\n  !env [x]\n", codes::CUSTOM_TAG, 2),
        (Yaml, "a: !!int x\n", codes::CUSTOM_TAG, 1),
        (Yaml, "a: 1\n---\nb: 2\n", codes::SEVERAL_DOCUMENTS, 2),
        (Yaml, "x: &x {a: b}\ny:\n  <<: *x\n", codes::MERGE_KEY, 3),
        (Yaml, "? [a]\n: 1\n", codes::KEY_NOT_TEXT, 1),
        (Yaml, "a: 1\n: 2\n", codes::KEY_NOT_TEXT, 2),
        (Yaml, "# nothing\n", codes::EMPTY_FILE, 1),
        (Json, "{\"a\": 1,\n\"a\": 2}", codes::DUPLICATE_KEY, 2),
        (Json, "{\n\"a\": 1,\n}", codes::JSON_SYNTAX, 2),
        (Json, "[1,\n2,]", codes::JSON_SYNTAX, 2),
        (Json, "{\"a\": 1 \"b\": 2}", codes::JSON_SYNTAX, 1),
        (Json, "{\"a\" 1}", codes::JSON_SYNTAX, 1),
        (Json, "{'a': 1}", codes::JSON_SYNTAX, 1),
        (Json, "{a: 1}", codes::JSON_SYNTAX, 1),
        (Json, "{\"a\": True}", codes::JSON_SYNTAX, 1),
        (Json, "{\"a\": [1}", codes::JSON_SYNTAX, 1),
        (Json, "{\"a\": 01}", codes::JSON_SYNTAX, 1),
        (Json, "{\"a\": 1.}", codes::JSON_SYNTAX, 1),
        (Json, "{\"a\": \"x\ny\"}", codes::JSON_SYNTAX, 1),
        (Json, "{\"a\": \"\\x\"}", codes::JSON_SYNTAX, 1),
        (Json, "{\"a\": \"\\uD834\"}", codes::JSON_SYNTAX, 1),
        (Json, "{} {}", codes::JSON_SYNTAX, 1),
        (Json, "// no\n{}", codes::JSON_SYNTAX, 1),
        (Json, "{\"a\":\n[1,", codes::JSON_SYNTAX, 2),
        (Json, &deep, codes::TOO_DEEP, 1),
        (Json, "  ", codes::EMPTY_FILE, 1),
    ];
    for (format, text, code, line) in rows {
        let shown: String = text.chars().take(60).collect();
        let faults = tree(text, *format).err().unwrap_or_else(|| panic!("{shown:?} was accepted"));
        assert_eq!(faults.len(), 1, "{shown:?}: {faults:?}");
        assert_eq!(faults[0].0, *code, "{shown:?}: {faults:?}");
        assert!(*line == 0 || faults[0].1 == *line, "{shown:?}: {faults:?}");
    }
}

#[test]
fn a_duplicate_shows_both_places() {
    let mut sink = Sink::new();
    let parsed = parse_text(FileId(0), "a: 1\nb: 2\na: 3\n".into(), Format::Yaml, &mut sink);
    let found = sink.finish();
    assert_eq!((found[0].span.unwrap().start, found[0].related[0].span.start), (10, 0));
    assert_eq!(parsed.unwrap().root().get("a").unwrap().as_u64(), Some(1), "the first stays in force");
}

/// Deterministic mutations of small documents: never a panic, every span in range and on character boundaries.
#[test]
fn mutations_never_panic_and_spans_stay_in_range() {
    let yaml = "openapi: 3.1.0\ninfo: {title: 'Ä', version: \"1\"}\npaths:\n  /a: &x\n    get: {responses: {200: {description: |\n      x\n    }}}\n  /b: *x\n";
    let pieces = [
        "[", "]", "{", "}", ":", ": ", "- ", "\n", "\t", "&x ", "*x", "'", "\"", "\\", "#", "!", "|", ">", "%", "ä",
        "\u{2028}", "\u{feff}", "\r\n", "0", ",", "<<: ",
    ];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below.max(1) as u64) as usize
    };
    for round in 0..6_000 {
        let (seed, format) = if round % 2 == 0 { (yaml, Format::Yaml) } else { (SAMPLE, Format::Json) };
        let mut chars: Vec<char> = seed.chars().collect();
        for _ in 0..1 + random(4) {
            let at = random(chars.len());
            match random(3) {
                0 => drop(chars.remove(at)),
                1 => chars[at] = pieces[random(pieces.len())].chars().next().unwrap(),
                _ => drop(chars.splice(at..at, pieces[random(pieces.len())].chars())),
            }
        }
        let text: String = chars.into_iter().collect();
        let mut sink = Sink::new();
        let parsed = parse_text(FileId(0), text.as_str().into(), format, &mut sink);
        let inside = |span: gatewright_diag::Span| text.get(span.start as usize..span.end as usize).is_some();
        if let Some(tree) = &parsed {
            assert!(tree.nodes().all(|node| inside(node.span())), "{text:?}");
            for node in tree.nodes() {
                let _ = (node.anchor_span(), node.pointer(), node.scalar().is_some());
            }
        }
        let found = sink.finish();
        assert!(parsed.is_some() || !found.is_empty(), "{text:?} vanished without a word");
        for d in &found {
            assert!(inside(d.span.unwrap()) && d.related.iter().all(|l| inside(l.span)), "{text:?}: {d:?}");
        }
    }
}
