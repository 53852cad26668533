//! What documents become: the facts that backends build on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use gatewright_diag::{Level, Sink, SourceMap};
use gatewright_ir::Ir;
use gatewright_ir::api::{Location, Operation, ParameterEncoding, StatusKey, Style};
use gatewright_ir::json::Number;
use gatewright_ir::policy::{Access, Layer, LimitKey, Policy, Quota, Setting, Verify};
use gatewright_ir::schema::{Schema, Types};
use gatewright_spec::{MemoryLoader, lower, read};

/// Lowers a document that has no error.
fn ir(text: &str) -> Ir {
    let loader = MemoryLoader::new([("api.yaml", text)]);
    let (mut map, mut sink) = (SourceMap::new(), Sink::new());
    let spec = read("api.yaml", &loader, &mut map, &mut sink).expect("a document");
    let ir =
        lower::lower(&spec, &map, &lower::Options { name: "v1".to_owned(), ..lower::Options::default() }, &mut sink);
    let errors: Vec<String> = sink
        .finish()
        .into_iter()
        .filter(|d| d.level == Level::Error)
        .map(|d| format!("{} {}", d.code, d.message))
        .collect();
    assert_eq!(errors, Vec::<String>::new());
    ir
}

fn operation<'a>(ir: &'a Ir, id: &str) -> &'a Operation {
    let ids: Vec<&str> = ir.api.operations.iter().map(|o| o.id.as_str()).collect();
    ir.api.operations.iter().find(|o| o.id == id).unwrap_or_else(|| panic!("no `{id}` among {ids:?}"))
}

fn policy<'a>(ir: &'a Ir, id: &str) -> &'a Policy {
    ir.policies.get(operation(ir, id).policy)
}

/// The component of a document of this version whose schemas are given.
fn component(version: &str, schemas: &str, name: &str) -> (Ir, Schema) {
    let ir = ir(&format!(
        "openapi: {version}\ninfo: {{ title: T, version: '1' }}\npaths: {{}}\ncomponents:\n  schemas:\n{schemas}"
    ));
    let id = ir.api.components.iter().find(|(n, _)| n == name).unwrap().1;
    let schema = ir.api.schemas.get(id).clone();
    (ir, schema)
}

fn number(text: &str) -> Option<Number> {
    Number::parse(text)
}

#[test]
fn schemas_of_3_0_are_lifted() {
    let (_, schema) = component(
        "3.0.3",
        "    A: { type: number, nullable: true, minimum: 1, exclusiveMinimum: true, maximum: 9, exclusiveMaximum: false, example: 3 }\n",
        "A",
    );
    assert_eq!(schema.types, Some(Types::NUMBER.with(Types::NULL)));
    assert_eq!((schema.number.minimum, schema.number.exclusive_minimum), (None, number("1")));
    assert_eq!((schema.number.maximum, schema.number.exclusive_maximum), (number("9"), None));
    assert_eq!(schema.notes.examples.len(), 1);

    let (_, schema) = component("3.0.3", "    A: { type: string, format: byte }\n", "A");
    assert_eq!(schema.string.content_encoding.as_deref(), Some("base64"));

    // The 3.0.3 text: without a `type` beside it, `nullable` does nothing.
    let (_, schema) = component("3.0.3", "    A: { nullable: true, allOf: [ { type: string } ] }\n", "A");
    assert_eq!(schema.types, None);

    // Keys beside a `$ref` count from 3.1 on.
    let siblings = "    A: { type: object, properties: { b: { $ref: '#/components/schemas/B', maxLength: 3 } } }\n    B: { type: string }\n";
    for (version, beside) in [("3.0.3", false), ("3.1.0", true)] {
        let (ir, schema) = component(version, siblings, "A");
        let property = ir.api.schemas.get(schema.object.properties[0].schema);
        assert_eq!(property.reference.is_some(), beside, "{version}");
        assert_eq!(property.string.max_length, beside.then_some(3), "{version}");
    }
}

#[test]
fn bounds_are_exact_and_lengths_never_wrap() {
    let (_, schema) = component(
        "3.1.0",
        "    A: { type: [integer, string], maximum: 18446744073709551616, minimum: -9007199254740993, minLength: 1.0, maxLength: 36893488147419103232 }\n",
        "A",
    );
    assert_eq!(schema.number.maximum, number("18446744073709551616"));
    assert_eq!(schema.number.minimum, number("-9007199254740993"));
    assert_eq!((schema.string.min_length, schema.string.max_length), (Some(1), Some(u64::MAX)));
}

#[test]
fn recursion_is_an_id_met_again() {
    let (ir, schema) = component(
        "3.1.0",
        "    Tree: { type: object, properties: { left: { $ref: '#/components/schemas/Tree' }, right: { $ref: '#/components/schemas/Tree' } } }\n",
        "Tree",
    );
    let own = ir.api.components[0].1;
    assert_eq!(schema.object.properties[0].schema, own);
    assert_eq!(schema.object.properties[1].schema, own);
    assert_eq!(schema.name.as_deref(), Some("Tree"));
    assert_eq!(ir.api.schemas.len(), 1);
}

#[test]
fn discriminators_know_members_children_and_grandchildren() {
    let (ir, schema) = component(
        "3.1.0",
        "    Pet: { type: object, discriminator: { propertyName: kind, mapping: { kitty: Cat } } }
    Cat: { allOf: [ { $ref: '#/components/schemas/Pet' } ] }
    Dog: { allOf: [ { $ref: '#/components/schemas/Pet' } ] }
    Puppy: { allOf: [ { $ref: '#/components/schemas/Dog' } ] }
    Either: { oneOf: [ { $ref: '#/components/schemas/Cat' }, { $ref: '#/components/schemas/Dog' } ], discriminator: { propertyName: kind } }
",
        "Pet",
    );
    let id = |name: &str| ir.api.components.iter().find(|(n, _)| n == name).unwrap().1;
    let pairs = |schema: &Schema| schema.discriminator.clone().unwrap().mapping;
    // The parent is a choice of its children and of itself; what they inherit is its own keywords.
    let base = *schema.one_of.last().unwrap();
    assert_eq!(
        pairs(&schema),
        [
            ("kitty".to_owned(), id("Cat")),
            ("Dog".to_owned(), id("Dog")),
            ("Puppy".to_owned(), id("Puppy")),
            ("Pet".to_owned(), base)
        ]
    );
    assert_eq!(schema.one_of, [id("Cat"), id("Dog"), id("Puppy"), base]);
    assert_eq!(ir.api.schemas.get(base).types, Some(Types::OBJECT));
    assert_eq!(ir.api.schemas.get(id("Cat")).all_of, [base]);
    assert_eq!(ir.api.schemas.get(id("Puppy")).all_of, [id("Dog")]);
    assert_eq!(pairs(ir.api.schemas.get(id("Either"))), [("Cat".to_owned(), id("Cat")), ("Dog".to_owned(), id("Dog"))]);
}

#[test]
fn dynamic_anchors_stand_on_the_schemas_that_bring_them() {
    let (ir, schema) = component(
        "3.1.0",
        "    List:
      $id: list
      $defs: { item: { $dynamicAnchor: item, not: {} } }
      type: array
      items: { $dynamicRef: '#item' }
    Names:
      $id: names
      $defs: { item: { $dynamicAnchor: item, type: string } }
      $ref: list
",
        "Names",
    );
    let (anchor, target) = &schema.dynamic_anchors[0];
    assert_eq!(anchor, "item");
    assert_eq!(ir.api.schemas.get(*target).types, Some(Types::STRING));
    let list = ir.api.schemas.get(schema.reference.unwrap());
    let (anchor, otherwise) = ir.api.schemas.get(list.array.items.unwrap()).dynamic_reference.clone().unwrap();
    assert_eq!(anchor, "item");
    assert!(ir.api.schemas.get(otherwise).not.is_some());
}

#[test]
fn long_chains_and_deep_recursion_cost_no_stack() {
    let mut schemas = String::new();
    for i in 0..4_000 {
        schemas.push_str(&format!(
            "    S{i}: {{ properties: {{ next: {{ $ref: '#/components/schemas/S{}' }} }} }}\n",
            i + 1
        ));
    }
    schemas.push_str("    S4000: { allOf: [ { $ref: '#/components/schemas/A0' } ] }\n");
    for i in 0..4_000 {
        schemas.push_str(&format!("    A{i}: {{ allOf: [ {{ $ref: '#/components/schemas/A{}' }} ] }}\n", i + 1));
    }
    schemas.push_str("    A4000: {}\n");
    let (ir, _) = component("3.1.0", &schemas, "S0");
    assert_eq!(ir.api.schemas.len(), 8_002);
}

const API: &str = r##"
openapi: 3.2.0
info: { title: Things, version: "2" }
servers: [ { url: "https://{host}/v1", variables: { host: { default: a.example } } } ]
x-security:
  roles: { clerk: { scopes: [read] } }
  defaults:
    timeout: 5s
    rate-limit: [ { by: ip, limit: "${RATE:-60/min}" }, { by: [user, "claim:tenant.id"], limit: { default: 5/min, clerk: 50/min }, burst: 2 } ]
security: [ { token: [read] } ]
paths:
  /things/{id}.json:
    x-security: { timeout: 2s, audit: true }
    parameters:
      - { name: id, in: path, required: true, schema: { type: string } }
      - { name: X-Trace, in: header, schema: { type: string, maxLength: 9 } }
      - { name: limit, in: query, schema: { type: integer } }
    get:
      parameters:
        - { name: x-trace, in: header, required: true, schema: { type: string } }
        - { name: Authorization, in: header, schema: { type: string } }
        - { name: filter, in: query, style: deepObject, schema: { type: object } }
        - { name: shape, in: query, content: { application/json: { schema: { type: object } } } }
        - { name: ids, in: query, explode: false, schema: { type: array, items: { type: string } } }
      responses:
        "200": { $ref: "#/components/responses/Thing" }
        4XX: { description: refused }
        default: { description: other }
    query:
      x-security: { timeout: 1s }
      responses: { "204": { description: done } }
    additionalOperations:
      COPY: { operationId: copyThing, security: [ { key: [] }, {} ], responses: { "204": { description: done } } }
  /health:
    get: { x-security: { public: "liveness probe" }, responses: { "204": { description: done } } }
  /things/:
    get: { security: [], x-security: { public: "no data" }, responses: { "204": { description: done } } }
webhooks:
  changed:
    post: { responses: { "204": { description: done } } }
components:
  responses:
    Thing:
      description: One thing.
      headers: { ETag: { required: true, schema: { type: string } }, Content-Type: { schema: { type: string } } }
      content: { application/json: { schema: { type: object } }, text/plain: { schema: { type: string } } }
  securitySchemes:
    key: { type: apiKey, in: header, name: X-Api-Key, x-security: { prefix: th, grace: 7d } }
    basic: { type: http, scheme: Basic }
    token:
      type: http
      scheme: bearer
      x-security:
        issuer: "${ISSUER}"
        audience: [a, b]
        keys: { file: jwks.json }
        algorithms: [ES256, EdDSA]
        max-lifetime: 10m
        roles-claim: realm_access.roles
        scopes-claim: "https://a.example/scopes"
"##;

#[test]
fn operations_have_ids_methods_and_paths() {
    let ir = ir(API);
    let ids: Vec<(&str, &str, bool)> =
        ir.api.operations.iter().map(|o| (o.id.as_str(), o.method.as_str(), o.id_given)).collect();
    assert_eq!(
        ids,
        [
            ("getThingsByIdJson", "GET", false),
            ("queryThingsByIdJson", "QUERY", false),
            ("copyThing", "COPY", true),
            ("getHealth", "GET", false),
            ("getThings", "GET", false),
        ]
    );
    assert_eq!(operation(&ir, "getThings").path.segments.last().unwrap().len(), 0);
    assert_eq!(ir.api.webhooks[0].id, "postChanged");
    assert!(ir.api.webhooks[0].path.segments.is_empty());
    assert_eq!(ir.api.servers[0].0, "https://a.example/v1");
    assert_eq!((ir.name.as_str(), ir.api.files.as_slice()), ("v1", ["api.yaml".to_owned()].as_slice()));
}

#[test]
fn an_operations_parameters_replace_its_path_items() {
    let ir = ir(API);
    let get = operation(&ir, "getThingsByIdJson");
    let names: Vec<(&str, Location)> = get.parameters.iter().map(|p| (p.name.as_str(), p.location)).collect();
    assert_eq!(
        names,
        [
            ("id", Location::Path),
            ("x-trace", Location::Header),
            ("limit", Location::Query),
            ("filter", Location::Query),
            ("shape", Location::Query),
            ("ids", Location::Query),
        ]
    );
    assert!(get.parameters[1].required);
    let encoding = |at: usize| get.parameters[at].encoding.clone();
    let style = |style, explode| ParameterEncoding::Style { style, explode, allow_reserved: false };
    assert_eq!(encoding(0), style(Style::Simple, false));
    assert_eq!(encoding(2), style(Style::Form, true));
    assert_eq!(encoding(3), style(Style::DeepObject, false));
    assert_eq!(encoding(4), ParameterEncoding::Content("application/json".to_owned()));
    assert_eq!(encoding(5), style(Style::Form, false));
}

#[test]
fn responses_keep_their_statuses_headers_and_names() {
    let ir = ir(API);
    let responses = &operation(&ir, "getThingsByIdJson").responses;
    let keys: Vec<StatusKey> = responses.iter().map(|r| r.status).collect();
    assert_eq!(keys, [StatusKey::Code(200), StatusKey::Class(4), StatusKey::Default]);
    assert_eq!(responses[0].name.as_deref(), Some("Thing"));
    assert_eq!(responses[0].headers.iter().map(|h| h.name.as_str()).collect::<Vec<_>>(), ["ETag"]);
    assert_eq!(responses[0].content.len(), 2);
    assert!(responses[1].content.is_empty());
}

#[test]
fn the_nearest_layer_says_each_key() {
    let ir = ir(API);
    let get = policy(&ir, "getThingsByIdJson");
    assert_eq!((&get.timeout.value, get.timeout.layer), (&Setting::Fixed(2_000), Layer::PathItem));
    assert_eq!((get.audit.value, get.audit.layer), (true, Layer::PathItem));
    assert_eq!(get.body_limit.layer, Layer::BuiltIn);
    assert_eq!(get.access.layer, Layer::Root);
    let query = policy(&ir, "queryThingsByIdJson");
    assert_eq!((&query.timeout.value, query.timeout.layer), (&Setting::Fixed(1_000), Layer::Operation));
    assert_eq!(query.replaced.iter().filter(|r| r.key == "timeout").count(), 2);
    assert!(query.replaced.iter().all(|r| !r.weakened));
    let limits = &get.limits.as_ref().unwrap().value;
    assert_eq!(limits[0].quota, Quota::Flat(Setting::Environment("${RATE:-60/min}".to_owned())));
    assert_eq!(limits[1].by, [LimitKey::User, LimitKey::Claim(vec!["tenant".to_owned(), "id".to_owned()])]);
    let Quota::ByName { default: Setting::Fixed(default), rates } = &limits[1].quota else { panic!("{:?}", limits[1]) };
    assert_eq!((default.limit, default.burst, rates[0].0.value.as_str()), (5, 2, "clerk"));
}

#[test]
fn access_is_guarded_public_or_optional() {
    let ir = ir(API);
    let Access::Guarded(alternatives) = &policy(&ir, "getThingsByIdJson").access.value else { panic!() };
    assert_eq!(alternatives[0].needs[0].scheme.value, "token");
    assert_eq!(alternatives[0].needs[0].scopes[0].value, "read");
    let copy = policy(&ir, "copyThing");
    assert!(copy.admits_anonymous());
    assert!(copy.replaced.iter().any(|r| r.key == "security" && r.weakened));
    assert_eq!(policy(&ir, "getHealth").public_reason(), Some("liveness probe"));
    assert_eq!(policy(&ir, "getThings").public_reason(), Some("no data"));
    // What is sent is nobody's to call.
    assert_eq!(ir.policies.get(ir.api.webhooks[0].policy).access.value, Access::Nobody);
}

#[test]
fn schemes_say_how_they_are_verified() {
    let ir = ir(API);
    let Verify::Jwt(jwt) = &ir.policies.scheme("token").unwrap().verify else { panic!() };
    assert_eq!(jwt.issuer.value, Setting::Environment("${ISSUER}".to_owned()));
    assert_eq!((jwt.audience.len(), jwt.algorithms.len(), jwt.max_lifetime, jwt.leeway), (2, 2, 600, 30));
    assert_eq!(jwt.roles_claim.as_deref(), Some(["realm_access".to_owned(), "roles".to_owned()].as_slice()));
    assert_eq!(jwt.scopes_claim, ["https://a.example/scopes"]);
    assert!(jwt.typed);
    let Verify::ApiKey(key) = &ir.policies.scheme("key").unwrap().verify else { panic!() };
    assert_eq!((key.prefix.as_str(), key.grace), ("th", 604_800));
    assert!(matches!(ir.policies.scheme("basic").unwrap().verify, Verify::Application));
}

#[test]
fn what_cannot_be_understood_is_closed() {
    for (text, what) in [
        ("security: everybody", "a `security` that is no list"),
        ("security: [ everybody ]", "an alternative that is no object"),
    ] {
        let document = format!(
            "openapi: 3.1.0\ninfo: {{ title: T, version: '1' }}\npaths:\n  /a:\n    get: {{ {text}, responses: {{}} }}\n"
        );
        let loader = MemoryLoader::new([("api.yaml", document.as_str())]);
        let (mut map, mut sink) = (SourceMap::new(), Sink::new());
        let spec = read("api.yaml", &loader, &mut map, &mut sink).unwrap();
        let ir = lower::lower(&spec, &map, &lower::Options::default(), &mut sink);
        assert_eq!(ir.policies.get(ir.api.operations[0].policy).access.value, Access::Nobody, "{what}");
        assert!(sink.has_errors(), "{what}");
        drop(sink.finish());
    }
}

#[test]
fn sharing_by_reference_buys_no_work_without_bound() {
    let head = "openapi: 3.1.0\ninfo: { title: T, version: '1' }\n";
    let alternatives: Vec<String> = (0..1_000).map(|i| format!("{{ s{i}: [] }}")).collect();
    let paths: Vec<String> = (0..1_000).map(|i| format!("  /p{i}: {{ get: {{ responses: {{}} }} }}\n")).collect();
    let document = format!("{head}security: [ {} ]\npaths:\n{}", alternatives.join(", "), paths.concat());
    let loader = MemoryLoader::new([("api.yaml", document.as_str())]);
    let (mut map, mut sink) = (SourceMap::new(), Sink::new());
    let spec = read("api.yaml", &loader, &mut map, &mut sink).unwrap();
    let ir = lower::lower(&spec, &map, &lower::Options::default(), &mut sink);
    assert!(sink.finish().iter().any(|d| d.code == gatewright_diag::codes::TOO_LARGE));
    let guarded = ir.api.operations.iter().filter(|o| ir.policies.get(o.policy).access.value != Access::Nobody);
    assert!(guarded.count() < 500);
}

#[test]
fn a_scheme_may_be_asked_for_by_its_uri() {
    let document = |version: &str| {
        let text = format!(
            "openapi: {version}\ninfo: {{ title: T, version: '1' }}\npaths:\n  /a:\n    get:\n      operationId: a\n      \
             security: [{{ '#/components/securitySchemes/the~0key%20': [] }}]\n      responses: {{ '204': {{ description: done }} }}\n\
             components:\n  securitySchemes:\n    'the~key ': {{ type: apiKey, in: header, name: X-Key }}\n"
        );
        let ir = ir(&text);
        let Access::Guarded(alternatives) = policy(&ir, "a").access.value.clone() else { panic!("guarded") };
        alternatives[0].needs[0].scheme.value.clone()
    };
    assert_eq!(document("3.2.0"), "the~key ");
    // Before, it is the name of a scheme that nobody declares.
    assert_eq!(document("3.1.0"), "#/components/securitySchemes/the~0key%20");
}
