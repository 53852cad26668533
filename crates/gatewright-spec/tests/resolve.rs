//! References over files: where they lead, what they are called, and what is refused without being read.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::cell::RefCell;

use gatewright_diag::{Code, Diagnostic, Level, Sink, SourceMap, codes};
use gatewright_spec::{FilePath, LoadError, Loader, MemoryLoader, Spec, read};

const HEAD: &str = "openapi: 3.1.0\ninfo: {title: T, version: '1'}\n";

fn resolve(files: &[(&str, &str)]) -> (Spec, Vec<Diagnostic>) {
    let loader = MemoryLoader::new(files.iter().map(|(name, text)| (*name, *text)));
    let (mut map, mut sink) = (SourceMap::new(), Sink::new());
    let spec = read(files[0].0, &loader, &mut map, &mut sink).unwrap();
    (spec, sink.finish())
}

fn sound(files: &[(&str, &str)]) -> Spec {
    let (spec, found) = resolve(files);
    assert!(found.is_empty(), "{found:#?}");
    spec
}

fn one(files: &[(&str, &str)]) -> Diagnostic {
    let (_, mut found) = resolve(files);
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

fn schemas(lines: &str) -> String {
    format!("{HEAD}paths: {{}}\ncomponents:\n  schemas:\n{lines}")
}

#[test]
fn names_and_identity_are_the_targets() {
    let text = schemas(
        "    Pet: {type: object, properties: {owner: {$ref: '#/components/schemas/Owner'}, twin: {$ref: '#/components/schemas/Pet'}}}\n    Owner: {$ref: '#/components/schemas/Person'}\n    Person: {type: string}\n",
    );
    let spec = sound(&[("api.yaml", &text)]);
    let pet = spec.root().at("/components/schemas/Pet").unwrap();
    let twin = pet.at("/properties/twin").unwrap();
    assert_eq!(spec.resolve(twin).unwrap().identity(), pet.identity());
    let owner = pet.at("/properties/owner").unwrap();
    let reference = spec.reference(owner).unwrap();
    assert_eq!((reference.name, reference.text), (Some("Owner"), "#/components/schemas/Owner"));
    assert!(!reference.siblings);
    let person = spec.resolve(owner).unwrap();
    assert_eq!(person.pointer(), "/components/schemas/Person");
    assert_eq!(spec.name_of(person), Some("Person"));
    assert_eq!(spec.node(person.identity()), person);
    assert!(spec.reference(person).is_none());
}

#[test]
fn references_cross_files_relative_to_where_they_stand() {
    let main = format!(
        "{HEAD}paths:\n  /a: {{$ref: 'paths/a.yaml'}}\ncomponents:\n  schemas:\n    Pet: {{$ref: './models/Pet.yaml'}}\n"
    );
    let path = "get:\n  responses:\n    '200':\n      description: d\n      content: {application/json: {schema: {$ref: '../models/Pet.yaml'}}}\n";
    let pet = "type: object\nproperties:\n  tag: {$ref: 'common%20parts.json#/Tag'}\n  self: {$ref: '#'}\n  main: {$ref: '../api.yaml#/components/schemas/Pet'}\n";
    let spec = sound(&[
        ("api.yaml", &main),
        ("paths/a.yaml", path),
        ("models/Pet.yaml", pet),
        ("models/common parts.json", "{\"Tag\": {\"type\": \"string\"}}"),
    ]);
    let root = spec.root();
    let operation = spec.get(spec.get(spec.get(root, "paths").unwrap(), "/a").unwrap(), "get").unwrap();
    let answer = spec.get(spec.get(operation, "responses").unwrap(), "200").unwrap();
    let media = spec.get(spec.get(answer, "content").unwrap(), "application/json").unwrap();
    let schema = spec.get(media, "schema").unwrap();
    assert_eq!(spec.name_of(schema), Some("Pet"));
    let properties = spec.get(schema, "properties").unwrap();
    assert_eq!(spec.get(properties, "self").unwrap(), schema);
    assert_eq!(spec.get(properties, "main").unwrap(), schema);
    let tag = spec.get(properties, "tag").unwrap();
    assert_eq!((spec.name_of(tag), tag.get("type").unwrap().as_str()), (Some("Tag"), Some("string")));
    let files: Vec<&str> = spec.files().map(|(_, path)| path.as_str()).collect();
    assert_eq!(files.first(), Some(&"api.yaml"), "the entry document comes first");
    let mut sorted = files;
    sorted.sort_unstable();
    assert_eq!(sorted, ["api.yaml", "models/Pet.yaml", "models/common parts.json", "paths/a.yaml"]);
}

#[test]
fn what_a_file_refers_to_is_shaped_as_what_is_wanted() {
    let main = schemas("    Pet: {$ref: 'pet.yaml#/Pet'}\n");
    let found = one(&[("api.yaml", &main), ("pet.yaml", "Pet: {type: strnig}\nOther: {type: nobody cares}\n")]);
    assert_eq!((found.code, found.level), (codes::UNKNOWN_WORD, Level::Error));
}

#[test]
fn real_documents_refer_where_they_must_not() {
    let text = format!(
        "{HEAD}paths:\n  /a:\n    get: {{$ref: 'get.yaml'}}\n    post: {{responses: {{'200': {{description: d, content: {{$ref: '#/x-content'}}}}}}}}\ncomponents:\n  schemas: {{$ref: 'schemas.yaml'}}\nx-content: {{text/plain: {{schema: {{type: string}}}}}}\n"
    );
    let (spec, found) = resolve(&[
        ("api.yaml", &text),
        ("get.yaml", "operationId: getA\nresponses: {'204': {description: d}}\n"),
        ("schemas.yaml", "Pet: {type: object}\n"),
    ]);
    assert_eq!(
        found.iter().map(|d| (d.level, d.code)).collect::<Vec<_>>(),
        [(Level::Warning, codes::MISPLACED_REFERENCE); 3]
    );
    let path = spec.get(spec.get(spec.root(), "paths").unwrap(), "/a").unwrap();
    assert_eq!(spec.get(spec.get(path, "get").unwrap(), "operationId").unwrap().as_str(), Some("getA"));
    let schemas = spec.get(spec.get(spec.root(), "components").unwrap(), "schemas").unwrap();
    assert_eq!(spec.entries(schemas).map(|(key, _)| key.text).collect::<Vec<_>>(), ["Pet"]);
    let answer = spec.get(spec.get(spec.get(path, "post").unwrap(), "responses").unwrap(), "200").unwrap();
    assert_eq!(spec.entries(spec.get(answer, "content").unwrap()).count(), 1);
}

#[test]
fn faults() {
    use Level::{Error, Warning};
    let rows: Vec<(String, Level, Code, &str, &str)> = vec![
        (
            schemas("    A: {items: {$ref: '#/components/schemas/Ownr'}}\n    Owner: {}\n"),
            Error,
            codes::UNRESOLVED_REFERENCE,
            "names nothing",
            "`#/components/schemas/Owner`",
        ),
        (
            schemas("    A: {items: {$ref: '#/definitions/Owner'}}\n    Owner: {}\n"),
            Error,
            codes::UNRESOLVED_REFERENCE,
            "names nothing",
            "`#/components/schemas/Owner`",
        ),
        (schemas("    A: {items: {$ref: '#Owner'}}\n"), Error, codes::UNRESOLVED_REFERENCE, "$anchor", ""),
        (schemas("    A: {items: {$ref: 'no.yaml'}}\n"), Error, codes::FILE_NOT_READ, "no such file", ""),
        (
            schemas("    A: {items: {$ref: '../x.yaml'}}\n"),
            Error,
            codes::REFERENCE_OUTSIDE,
            "out of the document's folder",
            "",
        ),
        (
            schemas("    A: {items: {$ref: '/etc/passwd'}}\n"),
            Error,
            codes::REFERENCE_OUTSIDE,
            "out of the document's folder",
            "",
        ),
        (schemas("    A: {items: {$ref: 'file:///etc/passwd'}}\n"), Error, codes::REFERENCE_TO_URL, "`file:` URL", ""),
        (
            schemas("    A: {items: {$ref: 'http://169.254.169.254/x'}}\n"),
            Error,
            codes::REFERENCE_TO_URL,
            "a URL",
            "copy",
        ),
        (schemas("    A: {items: {$ref: 'a\\b.yaml'}}\n"), Error, codes::MALFORMED_REFERENCE, "no file", ""),
        (schemas("    A: {items: {$ref: '#/%zz'}}\n"), Error, codes::MALFORMED_REFERENCE, "percent", ""),
        (schemas("    A: {$ref: '#/components/schemas/A'}\n"), Error, codes::REFERENCE_CYCLE, "names itself", ""),
        (
            schemas(
                "    A: {$ref: '#/components/schemas/B'}\n    B: {$ref: '#/components/schemas/A'}\n    C: {$ref: '#/components/schemas/A'}\n",
            ),
            Error,
            codes::REFERENCE_CYCLE,
            "circle",
            "",
        ),
        (
            schemas("    A: {items: {$ref: '#/info'}}\n"),
            Error,
            codes::REFERENCE_TO_WRONG_KIND,
            "the `info` object",
            "a schema",
        ),
        (
            schemas("    A: {items: {$ref: '#/info/title'}}\n"),
            Error,
            codes::REFERENCE_TO_WRONG_KIND,
            "text",
            "a schema",
        ),
        (
            schemas(
                "    A: {items: {$ref: '#/components/parameters/P'}}\n  parameters: {P: {name: p, in: query, schema: {}}}\n",
            ),
            Error,
            codes::REFERENCE_TO_WRONG_KIND,
            "a parameter",
            "a schema",
        ),
        (
            schemas("    A: {discriminator: {propertyName: k, mapping: {a: Cta}}}\n    Cat: {}\n"),
            Error,
            codes::UNRESOLVED_REFERENCE,
            "names no schema",
            "`Cat`",
        ),
        (
            schemas("    A: {$ref: '#/components/schemas/B', maxLength: 1}\n    B: {}\n").replace("3.1.0", "3.0.0"),
            Warning,
            codes::IGNORED_SIBLINGS,
            "`maxLength` is ignored",
            "allOf",
        ),
    ];
    for (text, level, code, message, help) in rows {
        let d = one(&[("api.yaml", &text)]);
        assert_eq!((d.level, d.code), (level, code), "{text}\n{d:#?}");
        assert!(d.message.contains(message), "{message:?} is not in {:?}", d.message);
        assert!(d.help.as_ref().unwrap().contains(help), "{help:?} is not in {:?}", d.help);
    }
}

#[test]
fn a_spec_prints_where_references_lead() {
    let text = schemas("    A: {$ref: 'b.yaml#/B'}\n    C: {$ref: '#/components/schemas/X'}\n");
    let (spec, _) = resolve(&[("api.yaml", &text), ("b.yaml", "B: {}\n")]);
    let expected = "OpenAPI 3.1\nfile api.yaml\nfile b.yaml\napi.yaml#/components/schemas/A/$ref -> b.yaml#/B\napi.yaml#/components/schemas/C/$ref -> nothing\n";
    assert_eq!(spec.to_string(), expected);
}

#[test]
fn a_circle_never_holds_a_reader() {
    let text = schemas(
        "    A: {$ref: '#/components/schemas/B'}\n    B: {$ref: '#/components/schemas/A'}\n    C: {$ref: '#/components/schemas/A'}\n",
    );
    let (spec, _) = resolve(&[("api.yaml", &text)]);
    assert!(spec.resolve(spec.root().at("/components/schemas/C").unwrap()).is_none());
}

#[test]
fn siblings_apply_from_3_1_and_the_policy_of_a_schema_always() {
    for version in ["3.0.0", "3.1.0"] {
        let text = schemas("    A: {$ref: '#/components/schemas/B', x-security: {log: redact}}\n    B: {}\n")
            .replace("3.1.0", version);
        let spec = sound(&[("api.yaml", &text)]);
        let a = spec.root().at("/components/schemas/A").unwrap();
        assert!(spec.reference(a).unwrap().siblings && a.has("x-security"));
    }
}

#[test]
fn ids_and_anchors_resolve_locally() {
    let text = schemas(
        "    Tree:\n      $id: https://example.com/tree\n      $dynamicAnchor: node\n      type: object\n      properties:\n        left: {$dynamicRef: '#node'}\n        leaf: {$ref: '#/$defs/Leaf'}\n        named: {$ref: '#leaf'}\n        other: {$ref: 'box'}\n      $defs:\n        Leaf: {$anchor: leaf, type: string}\n    Box: {$id: 'https://example.com/box', type: integer}\n    Use: {items: {$ref: 'https://example.com/tree#leaf'}}\n",
    );
    let spec = sound(&[("api.yaml", &text)]);
    let at = |pointer: &str| spec.root().at(pointer).unwrap();
    let leaf = at("/components/schemas/Tree/$defs/Leaf");
    for place in ["Tree/properties/leaf", "Tree/properties/named", "Use/items"] {
        assert_eq!(spec.resolve(at(&format!("/components/schemas/{place}"))), Some(leaf), "{place}");
    }
    assert_eq!(spec.resolve(at("/components/schemas/Tree/properties/other")), Some(at("/components/schemas/Box")));
    let left = at("/components/schemas/Tree/properties/left");
    assert_eq!(spec.dynamic_target(left), Some(at("/components/schemas/Tree")));
    assert_eq!(spec.name_of(leaf), Some("Leaf"));
}

#[test]
fn a_mapping_names_schemas_by_name_or_reference() {
    let text = schemas(
        "    Pet: {discriminator: {propertyName: k, mapping: {c: Cat, d: '#/components/schemas/Dog', b: 'bird.yaml'}}}\n    Cat: {}\n    Dog: {}\n",
    );
    let spec = sound(&[("api.yaml", &text), ("bird.yaml", "type: object\n")]);
    let mapping = spec.root().at("/components/schemas/Pet/discriminator/mapping").unwrap();
    let names: Vec<String> = mapping.entries().map(|(_, v)| spec.mapping_target(v).unwrap().pointer()).collect();
    assert_eq!(names, ["/components/schemas/Cat", "/components/schemas/Dog", ""]);
}

#[test]
fn a_pointer_may_lead_through_a_reference() {
    let text = schemas(
        "    A: {properties: {b: {$ref: '#/components/schemas/B'}}}\n    B: {properties: {c: {type: string}}}\n    C: {items: {$ref: '#/components/schemas/A/properties/b/properties/c'}}\n",
    );
    let spec = sound(&[("api.yaml", &text)]);
    let items = spec.root().at("/components/schemas/C/items").unwrap();
    assert_eq!(spec.resolve(items).unwrap().pointer(), "/components/schemas/B/properties/c");
}

/// Remembers what it was asked for.
struct Spy(MemoryLoader, RefCell<Vec<String>>);

impl Loader for Spy {
    fn read(&self, path: &FilePath, limit: u64) -> Result<Vec<u8>, LoadError> {
        self.1.borrow_mut().push(path.to_string());
        if path.as_str() == "link.yaml" { Err(LoadError::Outside) } else { self.0.read(path, limit) }
    }
}

#[test]
fn nothing_outside_and_nothing_unneeded_is_read() {
    let text = schemas(
        "    A: {items: {$ref: '../secret.yaml'}}\n    B: {items: {$ref: 'https://example.com/x.yaml'}}\n    C: {example: {$ref: 'example.yaml'}, default: {$ref: 'default.yaml'}, const: {$ref: const.yaml}, enum: [{$ref: enum.yaml}], x-a: {$ref: x.yaml}}\n    D: {items: {$ref: link.yaml}}\n    E: {items: {$ref: twice.yaml}}\n    F: {items: {$ref: 'twice.yaml#'}}\n    G: {$ref: broken.yaml}\n    H: {$ref: broken.yaml}\n",
    );
    let loader = Spy(
        MemoryLoader::new([("api.yaml", text.as_str()), ("twice.yaml", "type: string\n"), ("broken.yaml", "a: [\n")]),
        RefCell::default(),
    );
    let (mut map, mut sink) = (SourceMap::new(), Sink::new());
    read("api.yaml", &loader, &mut map, &mut sink).unwrap();
    let codes: Vec<Code> = sink.finish().into_iter().filter(|d| d.level == Level::Error).map(|d| d.code).collect();
    let expected = [codes::REFERENCE_OUTSIDE, codes::REFERENCE_TO_URL, codes::REFERENCE_OUTSIDE, codes::YAML_SYNTAX];
    assert_eq!(codes, expected);
    assert_eq!(loader.1.into_inner(), ["api.yaml", "link.yaml", "twice.yaml", "broken.yaml"]);
}
