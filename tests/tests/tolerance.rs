//! What documents that break rules are read as: never as something more open than what they say.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use gatewright_check::Options;
use gatewright_diag::{Sink, SourceMap};
use gatewright_ir::api::ParameterEncoding;
use gatewright_ir::policy::{Access, Verify};
use gatewright_ir::schema::Schema;
use gatewright_ir::{CheckedIr, Ir};
use gatewright_spec::{MemoryLoader, lower, read};

fn compile(text: &str, options: Options) -> Result<CheckedIr, Box<Ir>> {
    let text = format!("openapi: 3.1.0\ninfo: {{ title: T, version: '1' }}\n{text}");
    let loader = MemoryLoader::new([("api.yaml", text)]);
    let (mut map, mut sink) = (SourceMap::new(), Sink::new());
    let spec = read("api.yaml", &loader, &mut map, &mut sink).unwrap();
    let ir = lower::lower(&spec, &map, &lower::Options::default(), &mut sink);
    let checked = gatewright_check::check(ir, options, &mut sink);
    drop(sink.finish());
    checked
}

fn open(text: &str) -> CheckedIr {
    compile(text, Options { allow_unguarded: true }).unwrap()
}

fn component<'ir>(ir: &'ir CheckedIr, name: &str) -> &'ir Schema {
    let (_, id) = ir.api.components.iter().find(|(found, _)| found == name).unwrap();
    ir.api.schemas.get(*id)
}

#[test]
fn an_undeclared_scheme_is_verified_by_the_application_or_refused() {
    let text =
        "security: [ { token: [read] } ]\npaths: { /a: { get: { responses: { '204': { description: d } } } } }\n";
    assert!(compile(text, Options::default()).is_err());
    let ir = open(text);
    let scheme = ir.policies.scheme("token").expect("it is declared for the document");
    assert!(matches!(scheme.verify, Verify::Application));
    let policy = ir.policies.get(ir.api.operations[0].policy);
    let Access::Guarded(alternatives) = &policy.access.value else { panic!("it must stay guarded") };
    assert_eq!(alternatives[0].needs[0].scheme.value, "token");
}

#[test]
fn a_list_of_items_is_a_tuple() {
    let ir = open(
        "paths: {}\ncomponents:\n  schemas:\n    A: { type: array, items: [ { type: integer } ], additionalItems: false }\n    B: { type: array, items: { type: integer }, additionalItems: false }\n",
    );
    let (a, b) = (component(&ir, "A"), component(&ir, "B"));
    assert_eq!(a.array.prefix_items.len(), 1);
    let rest = ir.api.schemas.get(a.array.items.expect("what comes behind is said"));
    assert!(rest.nothing, "nothing may come behind: {rest:?}");
    assert!(b.array.prefix_items.is_empty());
    assert!(b.array.items.is_some_and(|items| items != a.array.items.unwrap()));
}

#[test]
fn of_schema_and_content_the_content_is_read() {
    let ir = open(
        "paths:\n  /a:\n    get:\n      parameters: [ { name: a, in: query, schema: {}, content: { application/json: { schema: { type: object } } } } ]\n      responses: { '204': { description: d } }\n",
    );
    let parameter = &ir.api.operations[0].parameters[0];
    assert_eq!(parameter.encoding, ParameterEncoding::Content("application/json".to_owned()));
    assert!(ir.api.schemas.get(parameter.schema).types.is_some());
}

#[test]
fn a_mapping_to_nothing_admits_nothing() {
    let ir = open(
        "paths: {}\ncomponents:\n  schemas:\n    A: { type: object, discriminator: { propertyName: k, mapping: { x: some value } } }\n",
    );
    let mapping = &component(&ir, "A").discriminator.as_ref().unwrap().mapping;
    // The parent's own keywords hold as well as what the mapping names.
    let branch = ir.api.schemas.get(mapping[0].1);
    assert!(branch.all_of.iter().any(|part| ir.api.schemas.get(*part).nothing), "{mapping:?}");
}

#[test]
fn what_is_left_empty_is_as_if_absent() {
    let ir = open(
        "tags:\nservers:\npaths:\n  /a:\n    get:\n      parameters:\n      responses: { '204': { description: d, headers: } }\ncomponents:\n  schemas:\n    A: { type: object, properties: }\n  securitySchemes:\n",
    );
    assert!(ir.api.operations[0].parameters.is_empty());
    assert!(component(&ir, "A").object.properties.is_empty());
}

#[test]
fn a_child_that_names_its_parent_in_every_way_is_no_part_of_itself() {
    let ir = open(
        "paths: {}\ncomponents:\n  schemas:\n    Drink: { type: object, properties: { k: { type: string } }, discriminator: { propertyName: k } }\n    Tea:\n      oneOf: [ { $ref: '#/components/schemas/Drink' } ]\n      anyOf: [ { $ref: '#/components/schemas/Drink' } ]\n      allOf: [ { $ref: '#/components/schemas/Drink' } ]\n",
    );
    let discriminator = component(&ir, "Drink").discriminator.as_ref().unwrap();
    assert!(discriminator.mapping.iter().any(|(value, _)| value == "Tea"), "{discriminator:?}");
    let parent = ir.api.components.iter().find(|(name, _)| name == "Drink").unwrap().1;
    let tea = component(&ir, "Tea");
    assert!(!tea.one_of.iter().chain(&tea.any_of).chain(&tea.all_of).any(|part| *part == parent));
}
