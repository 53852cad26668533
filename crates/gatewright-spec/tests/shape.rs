//! The object model: each row is a document with one fault, and what must be said of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use gatewright_diag::{Code, Diagnostic, Level, Sink, SourceMap, codes};
use gatewright_spec::{MemoryLoader, Version, read};

fn found(text: &str) -> (Vec<(Diagnostic, u32)>, Option<Version>) {
    let loader = MemoryLoader::new([("api.yaml", text)]);
    let (mut map, mut sink) = (SourceMap::new(), Sink::new());
    let spec = read("api.yaml", &loader, &mut map, &mut sink);
    let list = sink.finish().into_iter().map(|d| {
        let line = d.span.map_or(0, |s| map.get(s.file).unwrap().line_col(s.start).line);
        assert!(d.help.is_some(), "{d:?} has no help");
        assert!(!d.message.ends_with('.') && !d.message.starts_with(char::is_uppercase), "{d:?}");
        (d, line)
    });
    (list.collect(), spec.map(|s| s.version()))
}

/// Five lines, then what is given, at the level of `paths`.
fn document(version: &str, rest: &str) -> String {
    format!("openapi: {version}\ninfo:\n  title: T\n  version: \"1\"\n{rest}")
}

/// An operation with these lines in it, the first of which is line 7.
fn operation(version: &str, lines: &str) -> String {
    let lines: String = lines.lines().map(|l| format!("      {l}\n")).collect();
    document(
        version,
        &format!("paths:\n  /a: {{get: {{\n{lines}      responses: {{\"204\": {{description: d}}}}}}}}\n"),
    )
}

/// A schema in flow style in line 7.
fn schema(version: &str, schema: &str) -> String {
    document(version, &format!("paths: {{}}\ncomponents:\n  schemas: {{S: {schema}}}\n"))
}

#[test]
fn faults() {
    use Level::{Error, Warning};
    let parameter = |p: &str| operation("3.1.0", &format!("parameters: [{p}],"));
    let rows: Vec<(String, Level, Code, u32, &str, &str)> = vec![
        // Versions.
        ("[]".into(), Error, codes::NOT_OPENAPI, 1, "a list", "openapi"),
        ("info: {}\n".into(), Error, codes::NOT_OPENAPI, 1, "does not say `openapi`", "openapi: 3.1.0"),
        ("swagger: \"2.0\"\n".into(), Error, codes::UNSUPPORTED_VERSION, 1, "Swagger 2.0", "swagger2openapi"),
        (document("4.0.0", ""), Error, codes::UNSUPPORTED_VERSION, 1, "`4.0.0`", "3.1.0"),
        (document("3.1", "paths: {}\n"), Error, codes::UNSUPPORTED_VERSION, 1, "is a number", "openapi: 3.1.0"),
        (document("'3.1'", "paths: {}\n"), Warning, codes::UNSUPPORTED_VERSION, 1, "read as 3.1", "3.1.0"),
        (document("~", "paths: {}\n"), Error, codes::UNSUPPORTED_VERSION, 1, "null", "3.1.0"),
        // Types.
        (
            schema("3.1.0", "{minLength: \"8\"}"),
            Error,
            codes::WRONG_TYPE,
            7,
            "a whole number, zero or more, found text",
            "minLength",
        ),
        (schema("3.1.0", "{minLength: -1}"), Error, codes::WRONG_TYPE, 7, "zero or more", ""),
        (schema("3.1.0", "{maximum: .inf}"), Error, codes::WRONG_TYPE, 7, "a number", ""),
        (schema("3.1.0", "{uniqueItems: yes}"), Error, codes::WRONG_TYPE, 7, "`yes` is text in YAML 1.2", "true"),
        (schema("3.1.0", "{uniqueItems: \"true\"}"), Error, codes::WRONG_TYPE, 7, "found text", "remove the quotes"),
        (schema("3.1.0", "{properties: []}"), Error, codes::WRONG_TYPE, 7, "an object, found a list", ""),
        (schema("3.1.0", "{required: a}"), Error, codes::WRONG_TYPE, 7, "a list, found text", "brackets"),
        (schema("3.1.0", "{required: true}"), Warning, codes::WRONG_VERSION, 7, "means nothing", "around it"),
        (schema("3.1.0", "{items: [{}]}"), Warning, codes::WRONG_VERSION, 7, "under `items`", "prefixItems"),
        (schema("3.0.0", "{type: array, items: [{}]}"), Warning, codes::WRONG_VERSION, 7, "under `items`", "anyOf"),
        (schema("3.1.0", "{items: 7}"), Error, codes::WRONG_TYPE, 7, "a schema, found a number", ""),
        (schema("3.1.0", "{additionalItems: false}"), Warning, codes::WRONG_VERSION, 7, "older drafts", "`items`"),
        (operation("3.1.0", "parameters: ,"), Warning, codes::WRONG_TYPE, 7, "`parameters` holds nothing", "remove"),
        (schema("3.1.0", "{properties: }"), Warning, codes::WRONG_TYPE, 7, "`properties` holds nothing", "remove"),
        (schema("3.1.0", "{allOf: }"), Error, codes::WRONG_TYPE, 7, "a list, found nothing", ""),
        // What only describes.
        (schema("3.1.0", "{xml: {attribute: 1}}"), Warning, codes::WRONG_TYPE, 7, "found a number", ""),
        (schema("3.2.0", "{xml: {nodeType: x}}"), Warning, codes::UNKNOWN_WORD, 7, "`x`", "element"),
        (schema("3.1.0", "{xml: {nmae: x}}"), Warning, codes::UNKNOWN_FIELD, 7, "`nmae`", "`name`"),
        (schema("3.1.0", "{xml: 1}"), Warning, codes::WRONG_TYPE, 7, "an `xml` object", ""),
        (operation("3.1.0", "externalDocs: x,"), Warning, codes::WRONG_TYPE, 7, "`externalDocs`", ""),
        (operation("3.1.0", "descripton: x,"), Warning, codes::UNKNOWN_FIELD, 7, "`descripton`", "`description`"),
        (schema("3.0.0", "{not: true}"), Warning, codes::WRONG_VERSION, 7, "from OpenAPI 3.1", ""),
        (schema("3.1.0", "{title: 1}"), Warning, codes::NOT_QUOTED, 7, "found a number", "\"1\""),
        (schema("3.1.0", "{title: {$ref: x.md}}"), Warning, codes::MISPLACED_REFERENCE, 7, "text cannot", ""),
        (schema("3.1.0", "{type: null}"), Warning, codes::NOT_QUOTED, 7, "`null` is text", "\\\"null\\\""),
        (operation("3.1.0", "security: ,"), Error, codes::WRONG_TYPE, 7, "a list, found nothing", ""),
        (operation("3.1.0", "security: {key: []},"), Error, codes::WRONG_TYPE, 7, "a list, found an object", "`- `"),
        // Unknown fields and words.
        (
            operation("3.1.0", "operationID: x,"),
            Error,
            codes::UNKNOWN_FIELD,
            7,
            "`operationID` in an operation",
            "`operationId`",
        ),
        (operation("3.1.0", "secuirty: [],"), Error, codes::UNKNOWN_FIELD, 7, "`secuirty`", "`security`"),
        (operation("3.1.0", "zebra: [],"), Warning, codes::UNKNOWN_FIELD, 7, "`zebra`", "x-"),
        (schema("3.1.0", "{minLenght: 1}"), Warning, codes::UNKNOWN_KEYWORD, 7, "`minLenght`", "`minLength`"),
        (schema("3.0.0", "{minLenght: 1}"), Warning, codes::UNKNOWN_KEYWORD, 7, "`minLenght`", "`minLength`"),
        (schema("3.1.0", "{type: strnig}"), Error, codes::UNKNOWN_WORD, 7, "`strnig`", "`string`"),
        (
            schema("3.1.0", "{type: int64}"),
            Error,
            codes::UNKNOWN_WORD,
            7,
            "`int64`",
            "`type: integer` with `format: int64`",
        ),
        (parameter("{name: a, in: paht, schema: {}}"), Error, codes::UNKNOWN_WORD, 7, "`paht`", "`path`"),
        (parameter("{name: a, in: body, schema: {}}"), Error, codes::UNKNOWN_WORD, 7, "`body`", "`requestBody`"),
        // Versions of fields and words.
        (schema("3.1.0", "{nullable: true}"), Warning, codes::WRONG_VERSION, 7, "of OpenAPI 3.0", "null"),
        (schema("3.0.0", "{const: 1}"), Warning, codes::WRONG_VERSION, 7, "3.1 and later", "enum"),
        (schema("3.0.0", "{type: [string]}"), Warning, codes::WRONG_VERSION, 7, "3.1 and later", "nullable"),
        (schema("3.0.0", "{type: \"null\"}"), Warning, codes::WRONG_VERSION, 7, "3.1 and later", ""),
        (schema("3.0.0", "{exclusiveMinimum: 1}"), Warning, codes::WRONG_VERSION, 7, "with a number", ""),
        (schema("3.1.0", "{exclusiveMinimum: true}"), Warning, codes::WRONG_VERSION, 7, "with true or false", ""),
        (parameter("{name: a, in: querystring, content: {}}"), Warning, codes::WRONG_VERSION, 7, "3.2", ""),
        (document("3.0.0", "paths: {}\nwebhooks: {}\n"), Warning, codes::WRONG_VERSION, 6, "3.1 and later", ""),
        // Missing.
        (parameter("{in: query, schema: {}}"), Error, codes::MISSING_FIELD, 7, "a parameter has no `name`", "name"),
        (parameter("{name: a, in: query}"), Warning, codes::MISSING_DETAIL, 7, "nothing of its value", "schema"),
        (
            parameter("{name: a, in: path, schema: {}}"),
            Warning,
            codes::MISSING_DETAIL,
            7,
            "always required",
            "required: true",
        ),
        (parameter("{name: a, in: query, schema: {}, content: {}}"), Error, codes::EXCLUSIVE_FIELDS, 7, "either", ""),
        (schema("3.0.0", "{type: array}"), Warning, codes::MISSING_DETAIL, 7, "no `items`", ""),
        (document("3.0.0", "{}").replace("{}", ""), Warning, codes::MISSING_DETAIL, 1, "no `paths`", ""),
        (
            document("3.1.0", "components: {securitySchemes: {k: {type: apiKey, in: header}}}\n"),
            Error,
            codes::MISSING_FIELD,
            5,
            "`apiKey` has no `name`",
            "",
        ),
        // Keys.
        (document("3.1.0", "paths:\n  a: {}\n"), Error, codes::PATH_WITHOUT_SLASH, 6, "`a`", "/a"),
        (operation("3.1.0", "").replace("\"204\"", "999"), Error, codes::BAD_STATUS, 7, "`999`", "4XX"),
        (operation("3.1.0", "").replace("\"204\"", "defualt"), Error, codes::BAD_STATUS, 7, "`defualt`", "default"),
        (operation("3.1.0", "").replace("\"204\"", "2xx"), Warning, codes::BAD_STATUS, 7, "`2xx`", "2XX"),
        // The policy must not be lost.
        (
            document("3.1.0", "paths: {}\ncomponents: {x-security: {}}\n"),
            Error,
            codes::MISPLACED_POLICY,
            6,
            "`components`",
            "",
        ),
        (operation("3.1.0", "x-securty: {},"), Error, codes::MISPLACED_POLICY, 7, "`x-securty`", "`x-security`"),
        (operation("3.1.0", "X-Security: {},"), Error, codes::UNKNOWN_FIELD, 7, "`X-Security`", "`security`"),
        (operation("3.1.0", "x_security: {},"), Error, codes::UNKNOWN_FIELD, 7, "`x_security`", "`security`"),
        (
            parameter("{$ref: \"#/components/parameters/P\", x-security: {}}")
                + "components: {parameters: {P: {name: p, in: query, schema: {}}}}\n",
            Error,
            codes::POLICY_BESIDE_REFERENCE,
            7,
            "would be lost",
            "",
        ),
        (
            schema("3.1.0", "{properties: {x-security: {log: redact}}}"),
            Error,
            codes::MISPLACED_POLICY,
            7,
            "read as a name",
            "one level out",
        ),
        // Checks that would be lost.
        (
            parameter("{name: a, in: query, content: {}, type: string}"),
            Warning,
            codes::UNKNOWN_FIELD,
            7,
            "`type`",
            "`schema`",
        ),
        (
            operation("3.1.0", "requestBody: {content: {a/b: {type: object}}},"),
            Error,
            codes::UNKNOWN_FIELD,
            7,
            "`type`",
            "`schema`",
        ),
        (
            operation("3.1.0", "requestBody: {content: {a/b: {title: x}}},"),
            Warning,
            codes::UNKNOWN_FIELD,
            7,
            "`title`",
            "`schema`",
        ),
        (schema("3.1.0", "{type: integer, pattern: a}"), Warning, codes::IDLE_KEYWORD, 7, "`pattern`", "`string`"),
        (schema("3.1.0", "{format: date_time}"), Warning, codes::UNKNOWN_FORMAT, 7, "`date_time`", "`date-time`"),
        (schema("3.1.0", "{pattern: /^a$/i}"), Warning, codes::PATTERN_DELIMITED, 7, "slashes", "remove"),
        (schema("3.1.0", "{enum: []}"), Warning, codes::KEYWORD_VALUE, 7, "admits nothing", "list"),
        // Data.
        (schema("3.1.0", "{enum: [a, no]}"), Warning, codes::AMBIGUOUS_SCALAR, 7, "`no`", "\"no\""),
    ];
    for (text, level, code, line, message, help) in rows {
        let (found, _) = found(&text);
        let [(d, at)] = &found[..] else { panic!("{text}\n{found:#?}") };
        assert_eq!((d.level, d.code, *at), (level, code, line), "{text}\n{d:#?}");
        assert!(d.message.contains(message), "{message:?} is not in {:?}", d.message);
        let help = help.replace('\\', "");
        assert!(d.help.as_ref().unwrap().contains(&help), "{help:?} is not in {:?}", d.help);
    }
}

#[test]
fn five_mistakes_are_five_errors() {
    let text = document(
        "3.1.0",
        "paths:\n  /a:\n    gett: {}\n    post:\n      deprecated: maybe\n      responses: {20O: {}}\n  b: {}\ncomponents:\n  schemas: {S: {type: strin}}\n",
    );
    let codes: Vec<Code> =
        found(&text).0.into_iter().filter(|(d, _)| d.level == Level::Error).map(|(d, _)| d.code).collect();
    let expected =
        [codes::UNKNOWN_FIELD, codes::WRONG_TYPE, codes::BAD_STATUS, codes::PATH_WITHOUT_SLASH, codes::UNKNOWN_WORD];
    assert_eq!(codes, expected);
}

#[test]
fn sound_documents_have_no_findings() {
    let rows = [
        (
            "3.0.3",
            Version::V3_0,
            "{type: object, nullable: true, properties: {a: {type: array, items: {}}}, x-any: [1], example: {$ref: nowhere}}",
        ),
        (
            "3.1.0",
            Version::V3_1,
            "{type: [object, integer, 'null'], const: {$ref: nowhere}, minProperties: 1.0, maximum: 18446744073709551616, if: true, $defs: {A: {}}}",
        ),
        (
            "3.2.0",
            Version::V3_2,
            "{default: {$ref: nowhere}, examples: [{$ref: nowhere}], x-rust-type: a, x-security: {log: show}}",
        ),
        (
            "3.1.0",
            Version::V3_1,
            "{type: [string, integer], maxLength: 1, maximum: 1, format: int8, pattern: '/api/[a-z]+/', required: []}",
        ),
    ];
    for (version, expected, schema_text) in rows {
        let (found, version) = found(&schema(version, schema_text));
        assert_eq!((found.len(), version), (0, Some(expected)), "{found:#?}");
    }
    let (found, _) = found(
        "openapi: 3.2.0\ninfo: {title: T, version: '1'}\npaths:\n  /a:\n    query: {responses: {default: {}}}\n    additionalOperations: {COPY: {}}\n",
    );
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn hostile_breadth_buys_no_work() {
    // Many unknown words: the comparison with known ones is bounded, and so is what is kept.
    let fields: String = (0..50_000).map(|i| format!("a{i}: 1, ")).collect();
    let (found, version) = found(&schema("3.1.0", &format!("{{{fields}}}")));
    assert!(found.len() <= 200 && version.is_some());
}
