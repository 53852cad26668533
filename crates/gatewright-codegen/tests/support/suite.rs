//! Runs cases in the format of the JSON Schema test suite against generated checks.
//!
//! Two words are ours: a group may say `"openapi": "3.0.3"` (else 3.1.0) and `"unknownFields": "refuse"` (else `keep`).

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use gatewright_codegen::types::{Options, Plan};
use gatewright_diag::{Sink, SourceMap};
use gatewright_ir::policy::UnknownFields;
use gatewright_ir::schema::Schemas;
use gatewright_ir::{CheckedIr, Ir};
use gatewright_spec::MemoryLoader;
use serde_json::{Value, json};

/// What became of the cases.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) passed: usize,
    /// File, group, case, and what was wrong.
    pub(crate) failed: Vec<String>,
    /// Cases that the check rightly admits and the type does not take: the schema names properties without saying that
    /// it wants an object, say. Those are refused too, as a mismatch.
    pub(crate) untyped: Vec<String>,
    /// Groups whose schema could not be read, with the first error.
    pub(crate) unread: Vec<String>,
}

/// Every JSON file of a folder and the folders in it.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|e| e == "json") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Generates checks for all groups into `scratch`, compiles and runs them. Without `formats`, `format` and
/// `contentEncoding` are notes, as the suite's required cases have it.
pub(crate) fn run(files: &[PathBuf], scratch: &Path, formats: bool) -> Outcome {
    let mut outcome = Outcome::default();
    let mut modules = String::new();
    let mut table = String::new();
    let mut cases = Vec::new();
    for file in files {
        let name = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        let text = std::fs::read_to_string(file).expect("a file of cases");
        let groups: Vec<Value> = serde_json::from_str(&text).expect("JSON");
        for group in groups {
            let title = format!("{name}: {}", group["description"].as_str().unwrap_or_default());
            let (ir, errors) = lower(&group, formats);
            if let Some(error) = errors.first() {
                outcome.unread.push(format!("{title}: {error}"));
                continue;
            }
            let number = cases.len();
            let Some((module, check, kind)) = module(&ir, &group) else {
                outcome.unread.push(format!("{title}: no schema"));
                continue;
            };
            let case = format!("pub const CASE: (super::Check, super::Decodes) = ({check}, super::decodes::<{kind}>);");
            let _ = writeln!(modules, "pub mod g{number} {{ {module} {case} }}");
            let _ = writeln!(table, "g{number}::CASE,");
            cases.push(json!({ "title": title, "tests": group["tests"] }));
        }
    }
    let main = format!("{MAIN}\nstatic TABLE: &[(Check, Decodes)] = &[{table}];\n{modules}");
    super::scratch(
        scratch,
        &[("main.rs".into(), main), ("cases.json".into(), serde_json::to_string(&cases).expect("JSON"))],
    );
    let (output, good) = super::cargo(scratch, &["run", "-q"]);
    if !good {
        outcome.failed.push(format!("does not run: {}", &output[..output.len().min(4000)]));
        return outcome;
    }
    for line in output.lines() {
        if let Some(count) = line.strip_prefix("passed ") {
            outcome.passed += count.parse::<usize>().expect("a number");
        } else if let Some(case) = line.strip_prefix("untyped ") {
            outcome.untyped.push(case.to_owned());
        } else {
            outcome.failed.push(line.to_owned());
        }
    }
    outcome
}

/// A document whose one operation takes the group's schema, which is a file of its own as its `#` needs.
fn lower(group: &Value, formats: bool) -> (Ir, Vec<String>) {
    let version = group["openapi"].as_str().unwrap_or("3.1.0");
    let document = json!({
        "openapi": version,
        "info": { "title": "cases", "version": "1" },
        "security": [],
        "paths": { "/": { "post": {
            "operationId": "post",
            "x-security": { "public": "cases" },
            "requestBody": { "content": { "application/json": { "schema": { "$ref": "./schema.json" } } } },
            "responses": { "204": { "description": "good" } },
        } } }
    });
    let schema = group["schema"].to_string();
    let loader = MemoryLoader::new([("api.json", document.to_string()), ("schema.json", schema)]);
    let (mut map, mut sink) = (SourceMap::new(), Sink::new());
    let mut ir = Ir::default();
    if let Some(spec) = gatewright_spec::read("api.json", &loader, &mut map, &mut sink) {
        let options = gatewright_spec::lower::Options { name: "api".into(), ..Default::default() };
        ir = gatewright_spec::lower::lower(&spec, &map, &options, &mut sink);
    }
    let errors = sink.diagnostics().iter().filter(|d| d.level == gatewright_diag::Level::Error);
    let errors = errors.map(|d| gatewright_diag::show::plain::line(d, &map)).collect();
    let _ = sink.finish();
    if !formats {
        let mut schemas = Schemas::default();
        for (_, schema) in ir.api.schemas.iter() {
            let mut schema = schema.clone();
            schema.notes.format = None;
            schema.string.content_encoding = None;
            schemas.add(schema);
        }
        ir.api.schemas = schemas;
    }
    (ir, errors)
}

/// The module of a group, the path of its check, and its type.
fn module(ir: &Ir, group: &Value) -> Option<(String, String, String)> {
    let checked: CheckedIr = super::checked(ir.clone());
    let plan = Plan::new(&checked, &Options { types: "types".into() });
    let id = checked.api.operations.first()?.body.as_ref()?.content.first()?.schema?;
    let mode = if group["unknownFields"] == "refuse" { UnknownFields::Refuse } else { UnknownFields::Keep };
    let check = plan.check(id, mode).to_string().replace(' ', "");
    let kind = plan.request_type(id, mode).to_string().replace(' ', "");
    let items = plan.emit();
    Some((format!("pub mod types {{ {items} }}"), check, kind))
}

const MAIN: &str = r#"
#![allow(dead_code)]
use gatewright::json::{Check, Document, FromJson, Value, Violations};
type Decodes = fn(Value<'_>) -> bool;
fn decodes<T: FromJson>(value: Value<'_>) -> bool { T::decode(value).is_ok() }
fn main() {
    let cases: serde_json::Value = serde_json::from_str(include_str!("cases.json")).unwrap();
    let mut passed = 0;
    for (group, (check, decodes)) in cases.as_array().unwrap().iter().zip(TABLE) {
        for test in group["tests"].as_array().unwrap() {
            let name = format!("{} / {}", group["title"].as_str().unwrap(), test["description"].as_str().unwrap());
            let document = match Document::parse(test["data"].to_string().as_bytes()) {
                Ok(document) => document,
                Err(error) => { println!("{name}: {error}"); continue; }
            };
            let mut found = Violations::new();
            found.scope(gatewright::json::Scope::Body, document.root());
            check(document.root(), &mut found);
            let valid = test["valid"].as_bool().unwrap();
            if found.is_empty() != valid {
                println!("{name}: expected {valid}, found {:?}", found.list());
            } else {
                passed += 1;
                if valid && !decodes(document.root()) {
                    println!("untyped {name}");
                }
            }
        }
    }
    println!("passed {passed}");
}
"#;
