//! Filters: which operations are compiled, and names that nothing has.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use gatewright_diag::{Diagnostic, Sink, SourceMap, codes};
use gatewright_spec::lower::{Options, Select, lower};
use gatewright_spec::{MemoryLoader, read};

const API: &str = "\
openapi: 3.1.0
info: { title: T, version: '1' }
security: [ { key: [] } ]
paths:
  /things:
    get: { operationId: listThings, tags: [ things ], responses: { '204': { description: d } } }
    post: { operationId: addThing, tags: [ things, writes ], responses: { '204': { description: d } } }
  /things/{id}:
    get: { tags: [ broken ], responses: { '204': { description: d } } }
  /other:
    get: { operationId: other, responses: { '204': { description: d } } }
components:
  securitySchemes: { key: { type: apiKey, in: header, name: X-Key } }
";

type Names = &'static [&'static str];

fn compile(tags: &[&str], only: &[&str], skip: &[&str]) -> (Vec<String>, Vec<Diagnostic>) {
    let loader = MemoryLoader::new([("api.yaml", API)]);
    let (mut map, mut sink) = (SourceMap::new(), Sink::new());
    let spec = read("api.yaml", &loader, &mut map, &mut sink).unwrap();
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let select = Select { only_tags: owned(tags), only_operations: owned(only), skip_operations: owned(skip) };
    let ir = lower(&spec, &map, &Options { select, ..Options::default() }, &mut sink);
    (ir.api.operations.into_iter().map(|operation| operation.id).collect(), sink.finish())
}

#[test]
fn operations_are_selected_by_tag_and_name() {
    let rows: [(Names, Names, Names, Names); 6] = [
        (&["things"], &[], &[], &["listThings", "addThing"]),
        (&["writes"], &[], &[], &["addThing"]),
        (&["things"], &["addThing"], &[], &["addThing"]),
        (&["things"], &[], &["addThing"], &["listThings"]),
        (&[], &[], &["get /things/{id}"], &["listThings", "addThing", "other"]),
        (&[], &["GET /other", "listThings"], &[], &["listThings", "other"]),
    ];
    for (tags, only, skip, expected) in rows {
        let (found, wrong) = compile(tags, only, skip);
        // What is left out is not complained of either: `{id}` is declared nowhere.
        assert!(wrong.is_empty(), "{tags:?} {only:?} {skip:?}: {wrong:?}");
        assert_eq!(found, expected, "{tags:?} {only:?} {skip:?}");
    }
    assert_eq!(compile(&[], &[], &[]).0.len(), 4);
}

#[test]
fn names_that_nothing_has_are_errors() {
    let rows: [(Names, Names, Names, &str, &str); 5] = [
        (&["thing"], &[], &[], "no operation has the tag `thing`, which `only-tags` names", "`things`"),
        (&[], &["listThing"], &[], "is called `listThing`, which `only-operations`", "`listThings`"),
        (&[], &[], &["addThings", "GET /things/{id}"], "is called `addThings`, which `skip-operations`", "`addThing`"),
        (&[], &[], &["DELETE /other", "GET /things/{id}"], "is called `DELETE /other`", "remove it"),
        (&["writes"], &[], &["addThing"], "leave no operation", "at least one"),
    ];
    for (tags, only, skip, message, help) in rows {
        let (_, found) = compile(tags, only, skip);
        let found: Vec<_> = found.iter().filter(|d| d.code == codes::UNKNOWN_SELECTION).collect();
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].message.contains(message), "{found:?}");
        assert!(found[0].help.as_ref().unwrap().contains(help), "{found:?}");
    }
}
