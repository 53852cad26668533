//! Bytes as a file, parsed: no panic, and every node's place is in the text.
#![no_main]

use gatewright_diag::{Sink, SourceMap};
use gatewright_spec::{FilePath, MemoryLoader, Node, load, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let json = input.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    let name = if json { "api.json" } else { "api.yaml" };
    let loader = MemoryLoader::new([(name, input)]);
    let (mut map, mut sink) = (SourceMap::new(), Sink::new());
    let path = FilePath::entry(name).expect("a plain name");
    if let Some(id) = load(&path, None, &loader, &mut map, &mut sink)
        && let Some(tree) = parse(id, &map, &mut sink)
    {
        let text = map.get(id).expect("it was added").text().clone();
        visit(tree.root(), &text, 0);
        let _ = tree.to_string();
    }
    gatewright_fuzz::sound(&sink.finish(), &map);
});

fn visit(node: Node<'_>, text: &str, depth: usize) {
    let span = node.span();
    assert!(text.get(span.start as usize..span.end as usize).is_some(), "a place outside the text");
    if node.is_alias() || depth > 2_000 {
        return;
    }
    for (key, value) in node.entries() {
        assert!(text.get(key.span.start as usize..key.span.end as usize).is_some());
        visit(value, text, depth + 1);
    }
    for item in node.items() {
        visit(item, text, depth + 1);
    }
}
