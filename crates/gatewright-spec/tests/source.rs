//! Bytes that are no text, files that cannot be had, and the whole way under mutation.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use gatewright_diag::{Code, Sink, SourceMap, codes};
use gatewright_spec::{FilePath, LoadError, Loader, MemoryLoader, read};

fn entry(bytes: &[u8]) -> (bool, Vec<(Code, u32, String)>) {
    let loader = MemoryLoader::new([("api.yaml", bytes)]);
    let (mut map, mut sink) = (SourceMap::new(), Sink::new());
    let read = read("api.yaml", &loader, &mut map, &mut sink).is_some();
    let found = sink.finish().into_iter().map(|d| {
        let line = d.span.map_or(0, |s| map.get(s.file).unwrap().line_col(s.start).line);
        (d.code, line, d.message)
    });
    (read, found.collect())
}

#[test]
fn bytes_that_are_no_text() {
    let utf16: Vec<u8> = "openapi: 3.1.0".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked: Vec<u8> = [0xff, 0xfe].into_iter().chain(utf16.iter().copied()).collect();
    let rows: [(&[u8], Code, u32, &str); 7] = [
        (b"", codes::EMPTY_FILE, 1, "empty"),
        (b" \n\n", codes::EMPTY_FILE, 1, "empty"),
        (b"# only\n", codes::EMPTY_FILE, 1, "empty"),
        (b"openapi: 3.1.0\ninfo: Caf\xe9\n", codes::NOT_UTF8, 2, "byte 24 is 0xe9"),
        (b"openapi: 3.1.0\na: \0\n", codes::CONTROL_CHARACTER, 2, "NUL"),
        (&utf16, codes::NOT_UTF8, 1, "UTF-16"),
        (&marked, codes::NOT_UTF8, 1, "UTF-16"),
    ];
    for (bytes, code, line, words) in rows {
        let (read, found) = entry(bytes);
        assert!(!read);
        let [(got, at, message)] = &found[..] else { panic!("{found:?}") };
        assert_eq!((*got, *at), (code, line), "{message}");
        assert!(message.contains(words), "{message}");
    }
    let (read, found) = entry("\u{feff}openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths: {}\n".as_bytes());
    assert!(read && found.is_empty(), "a byte-order mark does no harm: {found:?}");
}

#[test]
fn what_a_loader_refuses_is_said_in_words() {
    struct No(LoadError);
    impl Loader for No {
        fn read(&self, _: &FilePath, _: u64) -> Result<Vec<u8>, LoadError> {
            Err(self.0.clone())
        }
    }
    let rows = [
        (LoadError::NotFound, codes::FILE_NOT_READ, "no such file"),
        (LoadError::NotAFile, codes::FILE_NOT_READ, "no file"),
        (LoadError::Denied, codes::FILE_NOT_READ, "denied"),
        (LoadError::Other("disk on fire".into()), codes::FILE_NOT_READ, "disk on fire"),
        (LoadError::TooLarge, codes::TOO_LARGE, "128 MiB"),
        (LoadError::Outside, codes::REFERENCE_OUTSIDE, "outside"),
    ];
    for (error, code, words) in rows {
        let (mut map, mut sink) = (SourceMap::new(), Sink::new());
        assert!(read("api.yaml", &No(error), &mut map, &mut sink).is_none());
        let found = sink.finish();
        assert!(found.len() == 1 && found[0].code == code && found[0].message.contains(words), "{found:?}");
    }
    let (mut map, mut sink) = (SourceMap::new(), Sink::new());
    assert!(read("../api.yaml", &No(LoadError::NotFound), &mut map, &mut sink).is_none());
    assert!(sink.finish()[0].message.contains("out of its folder"));
}

const SEED: &str = r##"openapi: 3.1.0
info: {title: T, version: '1'}
x-security: {vocabulary: 1}
paths:
  /a/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    get: &get
      operationId: a
      security: [{key: []}]
      responses:
        '200': {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}
        default: {$ref: 'other.yaml#/components/responses/No'}
  /b: {get: *get}
components:
  schemas:
    Pet: {type: object, required: [a], properties: {a: {$ref: '#/components/schemas/Pet/properties/b'}, b: {type: [string, 'null'], minLength: 1}}}
    Tree: {$id: 'https://e.com/t', $dynamicAnchor: n, properties: {l: {$dynamicRef: '#n'}, m: {$ref: '#/properties/l'}}}
    Any: {oneOf: [{$ref: '#/components/schemas/Pet'}], discriminator: {propertyName: a, mapping: {x: Pet}}}
  securitySchemes: {key: {type: apiKey, in: header, name: K}}
"##;

const OTHER: &str = "components: {responses: {No: {description: no, headers: {X: {schema: {$ref: 'api.yaml#/components/schemas/Pet'}}}}}}\n";

/// Words of the document put in one another's place: the shapes and references go wrong, and nothing panics, hangs or
/// points outside a file.
#[test]
fn mutations_of_a_document_never_panic() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below.max(1) as u64) as usize
    };
    let words: Vec<&str> = SEED.split_inclusive([' ', '\n', ',', '{', '}', '[', ']', '/', '#', ':', '\'']).collect();
    let mut whole = 0;
    for _ in 0..4_000 {
        let mut words = words.clone();
        for _ in 0..1 + random(3) {
            let (at, from) = (random(words.len()), random(words.len()));
            match random(3) {
                0 => drop(words.remove(at)),
                1 => words[at] = words[from],
                _ => words.insert(at, words[from]),
            }
        }
        let text = words.concat();
        let loader = MemoryLoader::new([("api.yaml", text.as_str()), ("other.yaml", OTHER)]);
        let (mut map, mut sink) = (SourceMap::new(), Sink::new());
        if let Some(spec) = read("api.yaml", &loader, &mut map, &mut sink) {
            whole += 1;
            // Every node can be resolved: no circle was left.
            for (file, _) in spec.files() {
                let root = spec.node(gatewright_spec::NodeKey { file, node: gatewright_spec::syntax::NodeId(0) });
                for node in root.tree().nodes() {
                    let _ =
                        (spec.resolve(node), spec.name_of(node), spec.mapping_target(node), spec.dynamic_target(node));
                }
            }
        }
        for d in sink.finish() {
            for span in d.span.iter().chain(d.related.iter().map(|l| &l.span)) {
                let inside = map.get(span.file).and_then(|f| f.text().get(span.start as usize..span.end as usize));
                assert!(inside.is_some(), "{d:?} in {text}");
            }
        }
    }
    assert!(whole > 500, "only {whole} were read at all");
}

/// Shapes that would cost more than linear work somewhere if a bound were missing. Each must be done at once; a hang
/// is what fails.
#[test]
fn hostile_shapes_cost_linear_work() {
    let head = "openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths: {}\ncomponents:\n  schemas:\n";
    let many = 4_000;
    let rows: Vec<String> = vec![
        // A resource with an `$id`, and a reference from everywhere.
        format!("{head}    R: {{$id: 'https://e.com/r'}}\n")
            + &(0..many)
                .map(|i| format!("    S{i}: {{items: {{$ref: '#/components/schemas/S{}'}}}}\n", many - 1 - i))
                .collect::<String>(),
        // Everything dangles, and every name is near.
        head.to_owned()
            + &(0..many)
                .map(|i| format!("    LongishName{i}: {{items: {{$ref: '#/components/schemas/LongishNamX{i}'}}}}\n"))
                .collect::<String>(),
        // A chain of references as long as the file.
        head.to_owned()
            + &(0..many)
                .map(|i| format!("    S{i}: {{$ref: '#/components/schemas/S{}'}}\n", (i + 1) % many))
                .collect::<String>(),
        // Pointers that lead through references that lead through references.
        head.to_owned()
            + &(0..many)
                .map(|i| {
                    format!(
                        "    S{i}: {{$ref: '#/components/schemas/S{}/properties/p/properties/p/properties/p'}}\n",
                        (i + 1) % many
                    )
                })
                .collect::<String>(),
        // Unknown words everywhere, behind references into another place.
        format!(
            "{head}{}x-more:\n{}",
            (0..many).map(|i| format!("    S{i}: {{$ref: '#/x-more/S{i}'}}\n")).collect::<String>(),
            (0..many)
                .map(|i| format!("  S{i}: {{type: strinq, additionalPropertie: 1, unevaluatedPropertiez: 2}}\n"))
                .collect::<String>()
        ),
    ];
    for text in rows {
        let loader = MemoryLoader::new([("api.yaml", text.as_str())]);
        let (mut map, mut sink) = (SourceMap::new(), Sink::new());
        assert!(read("api.yaml", &loader, &mut map, &mut sink).is_some());
        assert!(sink.finish().len() <= 200);
    }
}

/// Depth at the limit fits into a small stack, as threads of build tools have it.
#[test]
fn the_deepest_document_fits_a_small_stack() {
    let deep = format!("{}true{}", "{items: ".repeat(120), "}".repeat(120));
    let text = format!(
        "openapi: 3.1.0\ninfo: {{title: T, version: '1'}}\npaths: {{}}\ncomponents: {{schemas: {{S: {deep}}}}}\n"
    );
    let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(move || {
        let (mut map, mut sink) = (SourceMap::new(), Sink::new());
        let spec = read("api.yaml", &MemoryLoader::new([("api.yaml", text)]), &mut map, &mut sink);
        (spec.is_some(), sink.finish())
    });
    assert_eq!(thread.unwrap().join().unwrap(), (true, vec![]));
}
