//! The command line as scripts use it: what it prints where, what it writes, and how it ends.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::disallowed_methods)]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

const GOOD: &str = "\
openapi: 3.1.0
info: { title: Things, version: '1' }
paths:
  /things:
    get:
      operationId: listThings
      security: [ { key: [] } ]
      responses: { '204': { description: done } }
components:
  securitySchemes:
    key: { type: apiKey, in: header, name: X-Api-Key, x-security: { prefix: th } }
";

struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn run(folder: &Path, args: &[&str]) -> Ran {
    let done = Command::new(env!("CARGO_BIN_EXE_gatewright"))
        .args(args)
        .current_dir(folder)
        .env_remove("NO_COLOR")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: done.status.code().unwrap(), out: text(done.stdout), err: text(done.stderr) }
}

fn project(spec: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("specs")).unwrap();
    fs::write(dir.path().join("specs/v1.yaml"), spec).unwrap();
    let config = "[[api]]\nname = \"v1\"\nspec = \"specs/v1.yaml\"\nprefix = \"/v1\"\noutput = \"src/api/v1\"\n";
    fs::write(dir.path().join("gatewright.toml"), config).unwrap();
    dir
}

/// Every file below a folder with its text.
fn tree(folder: &Path) -> Vec<(String, String)> {
    fn walk(folder: &Path, base: &Path, out: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, base, out);
            } else {
                let name = path.strip_prefix(base).unwrap().display().to_string();
                out.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut out = Vec::new();
    walk(folder, folder, &mut out);
    out.sort();
    out
}

#[test]
fn check_tells_good_from_bad_from_unable() {
    let dir = project(GOOD);
    let ran = run(dir.path(), &["check", "specs/v1.yaml"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
    assert!(!ran.err.contains("warning"));

    let open = GOOD.replace("      security: [ { key: [] } ]\n", "");
    fs::write(dir.path().join("open.yaml"), open).unwrap();
    let ran = run(dir.path(), &["check", "open.yaml"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("error[GW0101]") && ran.err.contains("open.yaml:5"), "{}", ran.err);
    let ran = run(dir.path(), &["check", "--allow-unguarded", "--quiet", "open.yaml"]);
    assert_eq!(ran.code, 0);
    assert!(ran.err.contains("warning[GW0101]"), "{}", ran.err);

    // One document that is not there does not hide the errors of another.
    let ran = run(dir.path(), &["check", "missing.yaml", "open.yaml"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("missing.yaml") && ran.err.contains("GW0101"), "{}", ran.err);
    assert_eq!(run(dir.path(), &["check"]).code, 2);
    assert_eq!(run(dir.path(), &["check", "specs"]).code, 2);
}

#[test]
fn overlays_and_a_wider_root_are_named_by_hand() {
    let dir = project(&GOOD.replace("key: []", "kee: []"));
    let overlay = "overlay: 1.0.0\nactions: [ { target: $.components.securitySchemes, update: { kee: { type: apiKey, in: header, name: X-Key } } } ]\n";
    fs::write(dir.path().join("guards.yaml"), overlay).unwrap();
    assert_eq!(run(dir.path(), &["check", "specs/v1.yaml"]).code, 1);
    let ran = run(dir.path(), &["check", "specs/v1.yaml", "--overlay", "guards.yaml"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let config = dir.path().join("gatewright.toml");
    let text = fs::read_to_string(&config).unwrap().replacen("output =", "overlays = [\"guards.yaml\"]\noutput =", 1);
    fs::write(&config, text).unwrap();
    let ran = run(dir.path(), &["generate"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let ran = run(dir.path(), &["check", "specs/v1.yaml", "--overlay", "none.yaml"]);
    assert!(ran.code > 1 && ran.err.contains("none.yaml"), "{}", ran.err);

    fs::write(dir.path().join("shared.yaml"), "A: { type: string }\n").unwrap();
    fs::write(dir.path().join("specs/v1.yaml"), format!("{GOOD}  schemas: {{ A: {{ $ref: '../shared.yaml#/A' }} }}\n"))
        .unwrap();
    let ran = run(dir.path(), &["check", "specs/v1.yaml"]);
    assert!(ran.code == 1 && ran.err.contains("--root"), "{}", ran.err);
    let ran = run(dir.path(), &["check", "specs/v1.yaml", "--root", "."]);
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn machines_get_their_formats_on_standard_output() {
    let dir = project(&GOOD.replace("key: []", "kee: []"));
    let ran = run(dir.path(), &["check", "--format", "json", "specs/v1.yaml"]);
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    let first: serde_json::Value = serde_json::from_str(ran.out.lines().next().unwrap()).unwrap();
    assert_eq!(first["location"]["file"], "specs/v1.yaml");
    assert_eq!(first["location"]["line"], 7);
    let ran = run(dir.path(), &["check", "--format", "sarif", "specs/v1.yaml"]);
    let log: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(log["runs"][0]["results"][0]["level"], "error");
    let ran = run(dir.path(), &["check", "--format", "github", "specs/v1.yaml"]);
    assert!(ran.out.starts_with("::error file=specs/v1.yaml,line=7,"), "{}", ran.out);
}

#[test]
fn colour_is_asked_for_or_left_out() {
    let dir = project("openapi: 3.1.0\n");
    assert!(!run(dir.path(), &["check", "specs/v1.yaml"]).err.contains('\x1b'));
    assert!(run(dir.path(), &["check", "--color", "always", "specs/v1.yaml"]).err.contains('\x1b'));
}

#[test]
fn generate_writes_once_checks_drift_and_removes_what_is_stale() {
    let dir = project(GOOD);
    let ran = run(dir.path(), &["generate", "--check"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("--- /dev/null") && ran.out.contains("+++ b/src/api/v1/mod.rs"), "{}", ran.out);
    assert!(!dir.path().join("src").exists(), "--check writes nothing");

    assert_eq!(run(dir.path(), &["generate"]).code, 0);
    let first = tree(&dir.path().join("src"));
    assert!(first.iter().any(|(name, text)| name == "api/v1/mod.rs" && text.contains("@generated by gatewright")));
    let time = |name: &str| fs::metadata(dir.path().join(name)).unwrap().modified().unwrap();
    let before = time("src/api/v1/mod.rs");
    assert_eq!(run(dir.path(), &["generate"]).code, 0);
    assert_eq!(time("src/api/v1/mod.rs"), before, "a file that does not change is not written");
    assert_eq!(run(dir.path(), &["generate", "--check"]).code, 0);

    // The same bytes wherever the command runs.
    assert_eq!(
        run(Path::new("/"), &["generate", "--check", "--config", dir.path().join("gatewright.toml").to_str().unwrap()])
            .code,
        0
    );

    fs::write(dir.path().join("src/api/v1/mine.rs"), "fn mine() {}\n").unwrap();
    let list = dir.path().join("src/api/v1/.gatewright-files");
    fs::write(&list, fs::read_to_string(&list).unwrap() + "mine.rs\nstale.rs\n").unwrap();
    fs::write(dir.path().join("src/api/v1/stale.rs"), "// @generated by gatewright\n").unwrap();
    assert_eq!(run(dir.path(), &["generate"]).code, 0);
    assert!(dir.path().join("src/api/v1/mine.rs").exists());
    assert!(!dir.path().join("src/api/v1/stale.rs").exists());
}

#[test]
fn what_is_between_two_versions_is_generated_but_for_what_is_written_by_hand() {
    let dir = project(GOOD);
    let config = dir.path().join("gatewright.toml");
    let two = "\n[[api]]\nname = \"v2\"\nspec = \"specs/v2.yaml\"\nprefix = \"/v2\"\noutput = \"src/api/v2\"\nsucceeds = \"v1\"\n";
    let whole = fs::read_to_string(&config).unwrap() + two;
    fs::write(&config, &whole).unwrap();
    fs::write(dir.path().join("specs/v2.yaml"), GOOD).unwrap();
    assert_eq!(run(dir.path(), &["generate"]).code, 0);
    let earlier = || fs::read_to_string(dir.path().join("src/api/v2/earlier.rs")).unwrap();
    let name = GOOD.split("operationId: ").nth(1).unwrap().split_whitespace().next().unwrap();
    let module = gatewright_ir::names::plain(name, gatewright_ir::names::Case::Snake);
    let converted = format!("for v1::{module}::Response");
    assert!(earlier().contains(&converted), "{}", earlier());
    fs::write(&config, format!("{whole}by-hand = [\"{name}\"]\n")).unwrap();
    assert_eq!(run(dir.path(), &["generate"]).code, 0);
    assert!(!earlier().contains(&converted), "{}", earlier());
    fs::write(&config, format!("{whole}by-hand = [\"{name}s\"]\n")).unwrap();
    let ran = run(dir.path(), &["generate"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("no operation of both versions is called")
            && ran.err.contains(&format!("did you mean `{name}`?"))
    );
}

#[test]
fn nothing_is_written_when_anything_is_wrong() {
    let dir = project(GOOD);
    let config = dir.path().join("gatewright.toml");
    let two = "\n[[api]]\nname = \"v2\"\nspec = \"specs/v2.yaml\"\nprefix = \"/v2\"\noutput = \"src/api/v2\"\n";
    fs::write(&config, fs::read_to_string(&config).unwrap() + two).unwrap();
    fs::write(dir.path().join("specs/v2.yaml"), GOOD.replace("key: []", "kee: []")).unwrap();
    assert_eq!(run(dir.path(), &["generate"]).code, 1);
    assert!(!dir.path().join("src").exists());

    fs::write(dir.path().join("specs/v2.yaml"), GOOD).unwrap();
    fs::create_dir_all(dir.path().join("src/api/v2")).unwrap();
    fs::write(dir.path().join("src/api/v2/mod.rs"), "fn mine() {}\n").unwrap();
    let ran = run(dir.path(), &["generate"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("GW0910"), "{}", ran.err);
    assert!(!dir.path().join("src/api/v1").exists());
    assert_eq!(fs::read_to_string(dir.path().join("src/api/v2/mod.rs")).unwrap(), "fn mine() {}\n");
}

#[test]
fn one_file_is_the_same_text_as_in_a_build_script() {
    let dir = project(GOOD);
    let config = dir.path().join("gatewright.toml");
    fs::write(&config, fs::read_to_string(&config).unwrap().replace("src/api/v1\"", "src/api/v1.rs\"")).unwrap();
    assert_eq!(run(dir.path(), &["generate"]).code, 0);
    let written = fs::read_to_string(dir.path().join("src/api/v1.rs")).unwrap();
    let (loader, entry) =
        gatewright_compiler::disk::DiskLoader::open(dir.path(), Path::new("specs/v1.yaml"), None).unwrap();
    let options = gatewright_compiler::Options {
        prefix: "/v1".to_owned(),
        layout: gatewright_compiler::Layout::SingleFile,
        ..gatewright_compiler::Options::named("v1")
    };
    let files = gatewright_compiler::compile(&loader, &entry, &options).files.unwrap();
    assert_eq!(files.iter().map(|(_, text)| text).collect::<String>(), written);
}

#[test]
fn mistakes_in_the_configuration_have_their_place() {
    let dir = project(GOOD);
    fs::write(dir.path().join("gatewright.toml"), "[[api]]\nname = \"v1\"\nspeck = \"x\"\noutput = \"src\"\n").unwrap();
    let ran = run(dir.path(), &["generate"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("gatewright.toml:3:1") && ran.err.contains("write `spec`"), "{}", ran.err);
    assert_eq!(run(dir.path(), &["generate", "--config", "none.toml"]).code, 2);
}

#[test]
fn explain_says_policies_and_pages() {
    let dir = project(GOOD);
    let ran = run(dir.path(), &["explain", "specs/v1.yaml", "listThings"]);
    assert_eq!(ran.code, 0);
    let line = ran.out.lines().find(|line| line.contains("authentication")).unwrap();
    assert!(line.contains("key") && line.contains("specs/v1.yaml:7"), "{line}");
    let ran = run(dir.path(), &["explain", "--format", "json", "specs/v1.yaml", "GET /things"]);
    let policy: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(policy["operation"], "listThings");
    let ran = run(dir.path(), &["explain", "specs/v1.yaml", "listThing"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("`listThings`"), "{}", ran.err);
    let ran = run(dir.path(), &["explain", "gw0101"]);
    assert!(ran.out.starts_with("# GW0101 "), "{}", ran.out);
    assert_eq!(run(dir.path(), &["explain", "GW9999"]).code, 2);
}

#[test]
fn every_stage_can_be_looked_at() {
    let dir = project(GOOD);
    for stage in ["load", "parse", "shape", "resolve", "lower", "check", "generate"] {
        let ran = run(dir.path(), &["dump", "specs/v1.yaml", "--stage", stage]);
        assert_eq!(ran.code, 0, "{stage}: {}", ran.err);
        assert!(!ran.out.is_empty(), "{stage}");
    }
}

#[test]
fn the_exported_document_is_one_of_3_0_and_losses_are_named() {
    let text = GOOD.replace("'204': { description: done }", "'200': { description: d, content: { application/json: { schema: { type: [string, 'null'], const: a, patternProperties: { a: {} } } } } }");
    let dir = project(&text);
    let ran = run(dir.path(), &["export", "openapi", "--version", "3.0", "specs/v1.yaml"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("warning[GW0920]") && ran.err.contains("patternProperties"), "{}", ran.err);
    assert!(ran.out.starts_with("openapi: 3.0.3\n"), "{}", ran.out);
    assert!(ran.out.contains("nullable: true") && ran.out.contains("- key: []"), "{}", ran.out);
    fs::write(dir.path().join("lowered.yaml"), &ran.out).unwrap();
    let again = run(dir.path(), &["check", "lowered.yaml"]);
    assert_eq!(again.code, 0, "{}", again.err);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let dir = project(GOOD);
    let mut child = Command::new(env!("CARGO_BIN_EXE_gatewright"))
        .args(["dump", "specs/v1.yaml", "--stage", "check"])
        .current_dir(dir.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let done = child.wait_with_output().unwrap();
    assert!(!String::from_utf8_lossy(&done.stderr).contains("panicked"));
    assert_eq!(done.status.code(), Some(0));
}

#[test]
fn shells_and_editors_are_served() {
    let dir = project(GOOD);
    assert!(run(dir.path(), &["completions", "bash"]).out.contains("gatewright"));
    let schema: serde_json::Value = serde_json::from_str(&run(dir.path(), &["schema"]).out).unwrap();
    assert!(schema.is_object());
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let dir = project(GOOD);
    let ran = run(dir.path(), &["man"]);
    assert_eq!(ran.code, 0);
    assert!(ran.out.contains(".TH gatewright 1") && ran.out.contains("check"), "{}", ran.out);
    let ran = run(dir.path(), &["man", "--output", "man"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let pages: Vec<String> = tree(&dir.path().join("man")).into_iter().map(|(name, _)| name).collect();
    for page in ["gatewright.1", "gatewright-check.1", "gatewright-keys-issue.1", "gatewright-export-openapi.1"] {
        assert!(pages.iter().any(|name| name == page), "{page}: {pages:?}");
    }
}

#[test]
fn quiet_leaves_diagnostics_and_results_only() {
    let dir = project(GOOD);
    let ran = run(dir.path(), &["generate", "--quiet"]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
    assert!(!run(dir.path(), &["generate"]).err.is_empty());
    fs::write(dir.path().join("bad.yaml"), GOOD.replace("key: []", "kee: []")).unwrap();
    let ran = run(dir.path(), &["check", "--quiet", "bad.yaml"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("error[GW") && !ran.err.contains("for more about"), "{}", ran.err);
}

/// What SARIF 2.1.0 asks of the parts that we write (3.13 log, 3.14 run, 3.19 component, 3.27 result, 3.28 location).
#[test]
fn sarif_has_the_shape_of_its_standard() {
    let dir = project(&GOOD.replace("key: []", "kee: []"));
    let odd = dir.path().join("specs/a b%.yaml");
    fs::copy(dir.path().join("specs/v1.yaml"), &odd).unwrap();
    let ran = run(dir.path(), &["check", "--format", "sarif", "specs/v1.yaml", "specs/a b%.yaml", "specs/none.yaml"]);
    assert_eq!(ran.code, 2);
    let log: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(log["version"], "2.1.0");
    assert!(log["$schema"].as_str().unwrap().contains("sarif-2.1.0"));
    let run = &log["runs"][0];
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "gatewright");
    let rules = driver["rules"].as_array().unwrap();
    let ids: std::collections::BTreeSet<&str> = rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), rules.len(), "a rule stands there once");
    assert!(rules.iter().all(|rule| rule["shortDescription"]["text"].as_str().is_some_and(|text| !text.is_empty())));
    let results = run["results"].as_array().unwrap();
    assert!(results.len() >= 2);
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["none", "note", "warning", "error"].contains(&result["level"].as_str().unwrap()), "{result}");
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        let locations =
            result["locations"].as_array().unwrap().iter().chain(result["relatedLocations"].as_array().unwrap());
        for location in locations {
            let place = &location["physicalLocation"];
            let uri = place["artifactLocation"]["uri"].as_str().unwrap();
            assert!(["specs/v1.yaml", "specs/a%20b%25.yaml"].contains(&uri), "{uri}");
            let number = |key: &str| place["region"][key].as_u64().unwrap();
            assert!(number("startLine") >= 1 && number("startColumn") >= 1);
            assert!((number("startLine"), number("startColumn")) <= (number("endLine"), number("endColumn")));
        }
    }
}

#[test]
fn an_exported_scheme_keeps_its_flows_and_names_those_that_3_0_does_not_know() {
    let flows = "\
components:
  securitySchemes:
    key:
      type: oauth2
      flows:
        authorizationCode:
          authorizationUrl: https://a.example/authorize
          tokenUrl: https://a.example/token
          refreshUrl: https://a.example/refresh
          scopes: { read: See. }
        deviceAuthorization:
          deviceAuthorizationUrl: https://a.example/device
          tokenUrl: https://a.example/token
          scopes: { read: See. }
";
    let start = GOOD.find("components:").unwrap();
    let text = format!("{}{flows}", &GOOD[..start]).replace("3.1.0", "3.2.0");
    let dir = project(&text);
    let ran = run(dir.path(), &["export", "openapi", "--version", "3.0", "--text", "json", "specs/v1.yaml"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let losses: Vec<&str> = ran.err.lines().filter(|line| line.contains("warning[GW0920]")).collect();
    assert!(matches!(losses[..], [loss] if loss.contains("deviceAuthorization")), "{}", ran.err);
    let document: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let flows = &document["components"]["securitySchemes"]["key"]["flows"];
    assert_eq!(flows["authorizationCode"]["authorizationUrl"], "https://a.example/authorize");
    assert_eq!(flows["authorizationCode"]["refreshUrl"], "https://a.example/refresh");
    assert_eq!(flows["authorizationCode"]["scopes"]["read"], "See.");
    assert_eq!(flows.as_object().unwrap().len(), 1);
}

#[test]
fn a_scheme_of_the_applications_own_gets_a_stub_that_refuses_everybody_once() {
    let basic = GOOD.replace("key: []", "users: []").replace(
        "key: { type: apiKey, in: header, name: X-Api-Key, x-security: { prefix: th } }",
        "users: { type: http, scheme: basic }",
    );
    let dir = project(&basic);
    assert_eq!(run(dir.path(), &["generate"]).code, 0);
    assert_eq!(run(dir.path(), &["scaffold"]).code, 0);
    let config = fs::read_to_string(dir.path().join("gatewright.toml")).unwrap();
    let stubs = tree(dir.path()).into_iter().find(|(name, text)| name.ends_with("v1.rs") && text.contains("handler"));
    let (name, text) = stubs.unwrap_or_else(|| panic!("{config}"));
    assert!(text.contains("impl gatewright::Verify<schemes::Users> for App"), "{text}");
    assert!(text.contains("Err(gatewright::Unverified::Bad)") && text.contains("Presented::Basic"), "{text}");
    // A second run adds nothing.
    assert_eq!(run(dir.path(), &["scaffold"]).code, 0);
    assert_eq!(fs::read_to_string(dir.path().join(name)).unwrap(), text);
}

const POLICIES: &str = "\
openapi: 3.1.0
info: { title: 'Things | <b>', version: '1' }
x-security:
  roles:
    viewer: { scopes: [ 'things:read' ] }
    teller: { inherits: [ viewer ], scopes: [ 'things:write' ] }
  networks: { office: [ 203.0.113.0/24, '${HOME_NET:-}' ] }
  errors: { type-base: 'https://errors.example.com/', validation: 422 }
paths:
  /{tenant}/things:
    parameters: [ { name: tenant, in: path, required: true, schema: { type: string } } ]
    get:
      operationId: listThings
      security: [ { oauth: [ 'things:read' ] } ]
      x-security:
        roles: [ teller ]
        claims: [ { claim: tenant, equals: '{path.tenant}' } ]
        allow: { networks: [ office ], users: [ 'a|b' ] }
        rate-limit: { by: user, limit: 60/min }
      responses:
        '200':
          description: them
          content: { application/json: { schema: { $ref: '#/components/schemas/Thing' } } }
        '404': { description: 'none | here' }
    post:
      operationId: ping
      x-security: { public: nothing in it }
      responses: { '204': { description: done } }
components:
  schemas:
    Thing:
      type: object
      properties:
        price: { type: integer, x-security: { read: [ teller ] } }
  securitySchemes:
    oauth:
      type: oauth2
      flows: { clientCredentials: { tokenUrl: 'https://i.example/t', scopes: { 'things:read': r, 'things:write': w } } }
      x-security: { issuer: 'https://i.example', audience: things, keys: { discovery: true }, algorithms: [ ES256 ], roles-claim: roles }
";

#[test]
fn a_matrix_says_who_may_call_what_and_notices_a_change() {
    let dir = project(GOOD);
    fs::write(dir.path().join("p.yaml"), POLICIES).unwrap();
    let ran = run(dir.path(), &["export", "matrix", "p.yaml"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    for line in [
        "| GET /{tenant}/things (listThings) | oauth; oauth: all of things:read | · | any of teller | \
         tenant equals {path.tenant} | any of office; any of a\\|b | · | · | price: any of teller | 60/min per user |",
        "| POST /{tenant}/things (ping) | everybody: nothing in it | · | · | · | · | · | · | · | · |",
        "| teller | viewer | things:write |",
        "| office | 203.0.113.0/24, ${HOME\\_NET:-} |",
    ] {
        assert!(ran.out.lines().any(|l| l == line), "{line}\n{}", ran.out);
    }
    assert!(ran.out.starts_with("# Access matrix of Things \\| \\<b\\>\n"), "{}", ran.out);
    let file = ["export", "matrix", "p.yaml", "--output", "matrix.md"];
    assert_eq!(run(dir.path(), &[&file[..], &["--check"]].concat()).code, 1, "there is none yet");
    assert_eq!(run(dir.path(), &file).code, 0);
    assert_eq!(fs::read_to_string(dir.path().join("matrix.md")).unwrap(), ran.out);
    assert_eq!(run(dir.path(), &[&file[..], &["--check"]].concat()).code, 0);
    // One that says less is noticed.
    fs::write(dir.path().join("p.yaml"), POLICIES.replace("        roles: [ teller ]\n", "")).unwrap();
    let drift = run(dir.path(), &[&file[..], &["--check"]].concat());
    assert!(drift.code == 1 && drift.err.contains("is not what the document says"), "{}", drift.err);
    let explained = run(dir.path(), &["explain", "p.yaml", "listThings"]);
    assert!(
        explained.out.contains("response filter") && explained.out.contains("price: any of teller"),
        "{}",
        explained.out
    );
}

#[test]
fn the_catalogue_names_every_error_once() {
    let dir = project(GOOD);
    fs::write(dir.path().join("p.yaml"), POLICIES).unwrap();
    let ran = run(dir.path(), &["export", "errors", "p.yaml"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.out.contains("| 422 | https://errors.example.com/validation-failed | Validation failed |"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("| listThings | 404 | none \\| here |"), "{}", ran.out);
    let slugs: std::collections::BTreeSet<_> = gatewright_policy::Refusal::ALL.iter().map(|r| r.slug()).collect();
    for slug in &slugs {
        assert_eq!(ran.out.matches(&format!("https://errors.example.com/{slug} |")).count(), 1, "{slug}");
    }
}
