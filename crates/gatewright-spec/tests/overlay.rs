//! Overlays: what they select, how they change it, where what they add stands, and what is wrong with them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use gatewright_diag::{ALL, Code, Diagnostic, Level, Sink, SourceMap, codes};
use gatewright_spec::lower::{Options, lower};
use gatewright_spec::syntax::{Node, NodeKind, Tree};
use gatewright_spec::{FilePath, MemoryLoader, OverlayFile, load, overlay, parse, resolve, shape};

const BASE: &str = "\
openapi: 3.1.0
info: { title: Things, version: '1' }
tags: [ { name: a }, { name: b } ]
paths:
  /things:
    get:
      operationId: getThings
      tags: [ a ]
      parameters: [ { name: q, in: query, schema: { type: string } } ]
      responses: { '204': { description: done } }
    post:
      operationId: addThing
      security: []
      responses: { '204': { description: done } }
  /things/{id}:
    get:
      operationId: getThing
      parameters: [ { name: id, in: path, required: true, schema: { type: string } } ]
      responses: { '204': { description: done } }
components:
  securitySchemes:
    key: { type: apiKey, in: header, name: X-Api-Key }
";

fn file(name: &str, text: &str) -> OverlayFile {
    OverlayFile { name: name.to_owned(), bytes: text.as_bytes().to_vec() }
}

fn apply(base: &str, overlays: &[OverlayFile]) -> (Option<Tree>, Vec<Diagnostic>, SourceMap) {
    let loader = MemoryLoader::new([("api.yaml", base)]);
    let (mut map, mut sink) = (SourceMap::new(), Sink::new());
    let id = load(&FilePath::entry("api.yaml").unwrap(), None, &loader, &mut map, &mut sink).unwrap();
    let tree = parse(id, &map, &mut sink).unwrap();
    let tree = overlay(tree, overlays, &mut map, &mut sink);
    (tree, sink.finish(), map)
}

/// As JSON, for comparison.
fn json(node: Node<'_>) -> String {
    match node.kind() {
        NodeKind::Map => {
            let entries: Vec<String> =
                node.entries().map(|(key, value)| format!("{}:{}", key.text, json(value))).collect();
            format!("{{{}}}", entries.join(","))
        }
        NodeKind::Seq => format!("[{}]", node.items().map(json).collect::<Vec<_>>().join(",")),
        NodeKind::Scalar => node.text().unwrap().to_owned(),
    }
}

fn actions(text: &str) -> OverlayFile {
    file("o.yaml", &format!("overlay: 1.0.0\ninfo: {{ title: O, version: '1' }}\nactions:\n{text}"))
}

#[test]
fn updates_and_removals() {
    // Document, action, and what becomes of the document.
    let rows = [
        ("{a: {b: 1}}", "{ target: $.a, update: { c: 2 } }", "{a:{b:1,c:2}}"),
        ("{a: {b: 1}}", "{ target: $, update: { a: { b: 2 } } }", "{a:{b:2}}"),
        ("{a: {b: [1]}}", "{ target: $.a, update: { b: [2] } }", "{a:{b:[1,2]}}"),
        ("{a: {b: [1]}}", "{ target: $.a.b, update: 2 }", "{a:{b:[1,2]}}"),
        ("{a: {b: [1]}}", "{ target: $.a.b, update: { c: 3 } }", "{a:{b:[1,{c:3}]}}"),
        ("{a: {b: 1, c: 2}}", "{ target: $.a.b, remove: true }", "{a:{c:2}}"),
        ("{a: [1, 2, 3]}", "{ target: '$.a[0, -1]', remove: true }", "{a:[2]}"),
        ("{a: [1, 2, 3]}", "{ target: '$.a[?@ >= 2]', remove: true }", "{a:[1]}"),
        ("{a: {b: 1}}", "{ target: $.a, update: { b: 9 }, remove: true }", "{}"),
        ("{a: {x: {n: 1}, y: {n: 2}}}", "{ target: '$.a[?@.n == 2]', update: { m: 0 } }", "{a:{x:{n:1},y:{n:2,m:0}}}"),
        ("{a: {x: {n: p}, y: {}}}", "{ target: \"$.a[?(@.n=='p')]\", remove: true }", "{a:{y:{}}}"),
        ("{a: {x: {n: p}, y: {}}}", "{ target: '$.a[?!@.n]', remove: true }", "{a:{x:{n:p}}}"),
        ("{a: {x: {n: 1}, y: {n: 2}}}", "{ target: '$.a[?@.n == $.a.y.n]', remove: true }", "{a:{x:{n:1}}}"),
        ("{a: {b: {b: {}}}}", "{ target: '$..b', update: { z: 1 } }", "{a:{b:{b:{z:1},z:1}}}"),
        ("{a: {d: x}, b: [{d: y}]}", "{ target: '$..d', remove: true }", "{a:{},b:[{}]}"),
        ("{a: &x {n: 1}, b: *x}", "{ target: $.b, update: { m: 2 } }", "{a:{n:1},b:{n:1,m:2}}"),
        ("{a: {b: 1}}", "{ target: $.a, update: { d: \"e\\tf\" } }", "{a:{b:1,d:e\tf}}"),
    ];
    for (base, action, expected) in rows {
        let (tree, found, _) = apply(base, &[actions(&format!("  - {action}\n"))]);
        assert!(found.is_empty(), "{action}: {found:?}");
        assert_eq!(json(tree.unwrap().root()), expected, "{action}");
    }
    // Actions see what those before them did, and files come in their order.
    let second = actions("  - { target: $.a.c.d, update: { f: 1 } }\n");
    let first = actions("  - { target: $.a, update: { c: {} } }\n  - { target: $.a.c, update: { d: {} } }\n");
    let (tree, found, _) = apply("{a: {}}", &[first, second]);
    assert!(found.is_empty(), "{found:?}");
    assert_eq!(json(tree.unwrap().root()), "{a:{c:{d:{f:1}}}}");
}

#[test]
fn guards_come_from_an_overlay_and_keep_their_place() {
    let guards = actions(
        "  - target: $.paths.*.*\n    update:\n      security: [ { key: [] } ]\n  - target: $.paths['/things/{id}'].get\n    update:\n      x-security:\n        rate-limit: { by: ip, limit: 10/min }\n",
    );
    let (tree, found, mut map) = apply(BASE, &[guards]);
    assert!(found.is_empty(), "{found:?}");
    let tree = tree.unwrap();
    let security = tree.root().at("/paths/~1things~1{id}/get/security").unwrap();
    assert_eq!(map.at(security.span()), "o.yaml:6");
    assert_eq!(map.at(security.anchor_span()), "o.yaml:6");
    assert_eq!(map.at(tree.root().at("/paths/~1things/get/tags").unwrap().span()), "api.yaml:8");
    let mut sink = Sink::new();
    let loader = MemoryLoader::new([("api.yaml", BASE)]);
    let document = shape(tree, &mut sink).unwrap();
    let spec = resolve(document, &FilePath::entry("api.yaml").unwrap(), &loader, &mut map, &mut sink);
    let ir = lower(&spec, &map, &Options::default(), &mut sink);
    let found = sink.finish();
    assert!(found.is_empty(), "{found:?}");
    let of = |id: &str| ir.policies.get(ir.api.operations.iter().find(|o| o.id == id).unwrap().policy);
    let limits = of("getThing").limits.as_ref().expect("the overlay limits it");
    assert_eq!(map.at(limits.span), "o.yaml:10");
    assert!(of("getThings").limits.is_none());
    for id in ["getThings", "addThing", "getThing"] {
        assert!(matches!(of(id).access.value, gatewright_ir::policy::Access::Guarded(_)), "{id}");
    }
}

#[test]
fn faults() {
    use Level::{Error, Warning};
    let rows: Vec<(OverlayFile, Level, Code, &str)> = vec![
        (file("o.yaml", "overlay: 2.0.0\nactions: []\n"), Error, codes::OVERLAY_SHAPE, "version 1.0"),
        (file("o.yaml", "openapi: 3.1.0\n"), Error, codes::OVERLAY_SHAPE, "version 1.0"),
        (file("o.yaml", "overlay: 1.0.0\n"), Error, codes::OVERLAY_SHAPE, "`actions`"),
        (file("o.yaml", "overlay: 1.0.0\nactions: {}\n"), Error, codes::OVERLAY_SHAPE, "`actions`"),
        (file("o.yaml", "overlay: [\n"), Error, codes::YAML_SYNTAX, ""),
        (file("o.yaml", ""), Error, codes::EMPTY_FILE, ""),
        (actions("  - 7\n"), Error, codes::OVERLAY_SHAPE, "`target`"),
        (actions("  - { update: {} }\n"), Error, codes::OVERLAY_SHAPE, "`target`"),
        (actions("  - { target: $.a, remove: 'yes' }\n"), Error, codes::OVERLAY_SHAPE, "true or false"),
        (actions("  - { target: $.a }\n"), Warning, codes::OVERLAY_SHAPE, "without `update`"),
        (actions("  - { target: a.b, update: {} }\n"), Error, codes::OVERLAY_TARGET, "not understood"),
        (actions("  - { target: $.zebra, update: {} }\n"), Warning, codes::OVERLAY_NO_MATCH, "selects nothing"),
        (actions("  - { target: $, remove: true }\n"), Error, codes::OVERLAY_CONFLICT, "cannot be removed"),
        (actions("  - { target: $.a, update: 7 }\n"), Error, codes::OVERLAY_CONFLICT, "takes an object"),
        (actions("  - { target: $.a.b, update: {} }\n"), Error, codes::OVERLAY_CONFLICT, "neither"),
        (actions("  - { target: $.a, update: { b: {} } }\n"), Error, codes::OVERLAY_CONFLICT, "another type"),
    ];
    for (overlay, level, code, words) in rows {
        let shown = String::from_utf8_lossy(&overlay.bytes).into_owned();
        let (_, found, map) = apply("{a: {b: 1}}", &[overlay]);
        let first = found.first().unwrap_or_else(|| panic!("{shown}: nothing found"));
        assert_eq!((first.level, first.code), (level, code), "{shown}: {found:?}");
        assert!(first.message.contains(words), "{shown}: {found:?}");
        assert!(first.help.is_some() && map.at(first.span.unwrap()).starts_with("o.yaml:"), "{shown}: {found:?}");
    }
}

#[test]
fn an_overlay_cannot_grow_a_document_without_end() {
    let twice: String = (0..200).map(|_| "  - { target: '$..*', update: { x: {}, y: {} } }\n").collect();
    let (tree, found, _) = apply("{a: {}}", &[actions(&twice)]);
    assert!(tree.is_none() && found.iter().any(|d| matches!(d.code, codes::TOO_LARGE | codes::TOO_DEEP)), "{found:?}");
    let deep: String =
        (0..300).map(|n| format!("  - {{ target: '$..a{n}', update: {{ a{}: {{}} }} }}\n", n + 1)).collect();
    let (tree, found, _) = apply("{a0: {}}", &[actions(&deep)]);
    assert!(tree.is_none() && found.iter().any(|d| d.code == codes::TOO_DEEP), "{found:?}");
}

#[test]
fn the_examples_of_the_pages_are_as_they_say() {
    for entry in ALL.iter().filter(|e| matches!(e.code.0, 800..900)) {
        let (bad, good) = entry.page.split_once("\n## Good\n").unwrap();
        let text = |part: &str| part.split_once("```yaml\n").unwrap().1.split_once("```").unwrap().0.to_owned();
        let base = BASE.replace("getThings\n", "getThings\n      security: [ { key: [] } ]\n");
        let (_, found, _) = apply(&base, &[file("o.yaml", &text(bad))]);
        assert!(found.iter().any(|d| d.code == entry.code), "{}: {found:?}", entry.code);
        let (_, found, _) = apply(&base, &[file("o.yaml", &text(good))]);
        assert!(found.is_empty(), "{}: {found:?}", entry.code);
    }
}
