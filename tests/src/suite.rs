//! Cases in the format of the JSON Schema test suite, asked of generated checks: every group becomes a module of one
//! crate, which is compiled and run.
//!
//! Three words are ours: a group may say `"openapi": "3.0.3"` (else what its file's dialect is), `"unknownFields":
//! "refuse"` or `"ignore"` (else `keep`), and `"path": "Name"` for a schema that stands as a component of a document
//! whose `components` the group gives.
#![allow(clippy::disallowed_methods, clippy::expect_used, clippy::indexing_slicing, reason = "a tool of tests")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use gatewright_codegen::types::{Options, Plan};
use gatewright_diag::{Sink, SourceMap};
use gatewright_ir::policy::UnknownFields;
use gatewright_ir::schema::Schemas;
use gatewright_ir::{CheckedIr, Ir};
use gatewright_spec::MemoryLoader;
use serde_json::{Value, json};

use crate::scratch;

/// A file of cases, and how it is to be read.
#[derive(Clone, Debug)]
pub struct Cases {
    /// What its rows are called after: `draft4/minimum`.
    pub name: String,
    /// Groups of cases, as JSON.
    pub groups: Vec<Value>,
    /// The version of OpenAPI whose dialect of schemas it speaks.
    pub openapi: &'static str,
    /// Whether `format` and the content keywords refuse; else they are notes, as the suite's required cases have it.
    pub formats: bool,
}

impl Cases {
    /// Reads a file.
    pub fn read(path: &Path, name: String, openapi: &'static str, formats: bool) -> Cases {
        let text = std::fs::read_to_string(path).expect("a file of cases");
        Cases { name, groups: serde_json::from_str(&text).expect("groups of cases"), openapi, formats }
    }
}

/// Where something stands: file, group, case. A group as a whole has no case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file's name.
    pub file: String,
    /// The group's description.
    pub group: String,
    /// The case's description.
    pub case: String,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} / {}", self.file, self.group, self.case)
    }
}

/// What became of the cases.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Cases that came out as they should.
    pub passed: BTreeMap<String, usize>,
    /// Cases that did not, with what was wrong: also all of a group whose schema could not be read.
    pub failed: Vec<(Place, String)>,
    /// Cases that the check rightly admits and the type does not take: the schema names properties without saying that
    /// it wants an object, say. Those are refused too, as a mismatch.
    pub untyped: Vec<Place>,
}

/// Every JSON file of a folder and the folders in it.
pub fn files(folder: &Path) -> Vec<PathBuf> {
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

/// Generates checks for all groups into `folder`, compiles and runs them.
pub fn run(files: &[Cases], folder: &Path) -> Outcome {
    let mut outcome = Outcome::default();
    let mut modules = String::new();
    let mut table = String::new();
    let mut cases = Vec::new();
    for file in files {
        for group in &file.groups {
            let title = group["description"].as_str().unwrap_or_default();
            let number = cases.len();
            let read = lower(group, file.openapi, file.formats)
                .and_then(|ir| module(&ir, group).ok_or_else(|| "no schema".to_owned()));
            let (module, check, kind) = match read {
                Ok(read) => read,
                Err(why) => {
                    for test in group["tests"].as_array().into_iter().flatten() {
                        let case = test["description"].as_str().unwrap_or_default().to_owned();
                        let place = Place { file: file.name.clone(), group: title.to_owned(), case };
                        outcome.failed.push((place, format!("not read: {why}")));
                    }
                    continue;
                }
            };
            let case = format!("pub const CASE: (super::Check, super::Decodes) = ({check}, super::decodes::<{kind}>);");
            let _ = writeln!(modules, "pub mod g{number} {{ {module} {case} }}");
            let _ = writeln!(table, "g{number}::CASE,");
            cases.push(json!({ "file": file.name, "group": title, "tests": group["tests"] }));
        }
    }
    let main = format!("{MAIN}\nstatic TABLE: &[(Check, Decodes)] = &[{table}];\n{modules}");
    let cases = serde_json::to_string(&cases).expect("JSON");
    scratch::scratch(folder, &[("main.rs".into(), main), ("cases.json".into(), cases)]);
    let (output, good) = scratch::cargo(folder, &["run", "-q"]);
    if !good {
        let place = Place { file: "all".into(), group: "all".into(), case: "all".into() };
        // What went wrong stands behind the warnings.
        let from = output.lines().take_while(|line| !line.starts_with("error")).map(|line| line.len() + 1).sum();
        let text: String = output.get(from..).unwrap_or(&output).chars().take(4000).collect();
        outcome.failed.push((place, format!("does not run: {text}")));
        return outcome;
    }
    for line in output.lines() {
        let mut parts = line.splitn(5, '\t').map(str::to_owned);
        let (Some(what), Some(file), Some(group), Some(case)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let place = Place { file, group, case };
        match what.as_str() {
            "passed" => *outcome.passed.entry(place.file).or_default() += 1,
            "untyped" => {
                *outcome.passed.entry(place.file.clone()).or_default() += 1;
                outcome.untyped.push(place);
            }
            _ => outcome.failed.push((place, parts.next().unwrap_or_default())),
        }
    }
    outcome
}

/// A document whose one operation takes the group's schema, which is a file of its own as its `#` needs.
///
/// # Errors
/// What the compiler has against it.
pub fn lower(group: &Value, openapi: &str, formats: bool) -> Result<Ir, String> {
    let version = group["openapi"].as_str().unwrap_or(openapi);
    let reference = match group["path"].as_str() {
        Some(name) => format!("#/components/schemas/{name}"),
        None => "./schema.json".to_owned(),
    };
    let unknown = group["unknownFields"].as_str().unwrap_or("keep");
    let document = json!({
        "openapi": version,
        "info": { "title": "cases", "version": "1" },
        "security": [],
        "paths": { "/": { "post": {
            "operationId": "post",
            "x-security": { "public": "cases", "unknown-fields": unknown },
            "requestBody": { "content": { "application/json": { "schema": { "$ref": reference } } } },
            "responses": { "204": { "description": "good" } },
        } } },
        "components": { "schemas": group.get("components").cloned().unwrap_or_else(|| json!({})) },
    });
    let schema = group.get("schema").map(Value::to_string).unwrap_or_default();
    let loader = MemoryLoader::new([("api.json", document.to_string()), ("schema.json", schema)]);
    let (mut map, mut sink) = (SourceMap::new(), Sink::new());
    let mut ir = Ir::default();
    if let Some(spec) = gatewright_spec::read("api.json", &loader, &mut map, &mut sink) {
        let options = gatewright_spec::lower::Options { name: "api".into(), ..Default::default() };
        ir = gatewright_spec::lower::lower(&spec, &map, &options, &mut sink);
    }
    let error = sink.diagnostics().iter().find(|d| d.level == gatewright_diag::Level::Error);
    let error = error.map(|d| gatewright_diag::show::plain::line(d, &map));
    let _ = sink.finish();
    if let Some(error) = error {
        return Err(error);
    }
    if !formats {
        let mut schemas = Schemas::default();
        for (_, schema) in ir.api.schemas.iter() {
            let mut schema = schema.clone();
            schema.notes.format = None;
            schema.string.content_encoding = None;
            schema.string.content_media_type = None;
            schemas.add(schema);
        }
        ir.api.schemas = schemas;
    }
    Ok(ir)
}

/// The module of a group, the path of its check, and its type.
fn module(ir: &Ir, group: &Value) -> Option<(String, String, String)> {
    let checked: CheckedIr = scratch::checked(ir.clone());
    let plan = Plan::new(&checked, &Options { types: "types".into() });
    let id = checked.api.operations.first()?.body.as_ref()?.content.first()?.schema?;
    let mode = match group["unknownFields"].as_str() {
        Some("refuse") => UnknownFields::Refuse,
        Some("ignore") => UnknownFields::Ignore,
        _ => UnknownFields::Keep,
    };
    let check = plan.check(id, mode).to_string().replace(' ', "");
    let kind = plan.request_type(id, mode).to_string().replace(' ', "");
    let items = plan.emit();
    Some((format!("pub mod types {{ {items} }}"), check, kind))
}

const MAIN: &str = r#"
#![allow(dead_code, unused_imports)]
use gatewright::json::{Check, Document, FromJson, Value, Violations};
type Decodes = fn(Value<'_>) -> bool;
fn decodes<T: FromJson>(value: Value<'_>) -> bool { T::decode(value).is_ok() }
fn main() {
    let cases: serde_json::Value = serde_json::from_str(include_str!("cases.json")).unwrap();
    for (group, (check, decodes)) in cases.as_array().unwrap().iter().zip(TABLE) {
        for test in group["tests"].as_array().unwrap() {
            let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().replace(['\t', '\n'], " ");
            let place = format!("{}\t{}\t{}", text(&group["file"]), text(&group["group"]), text(&test["description"]));
            let document = match Document::parse(test["data"].to_string().as_bytes()) {
                Ok(document) => document,
                Err(error) => { println!("failed\t{place}\t{error}"); continue; }
            };
            let mut found = Violations::new();
            found.scope(gatewright::json::Scope::Body, document.root());
            check(document.root(), &mut found);
            let valid = test["valid"].as_bool().unwrap();
            if found.is_empty() != valid {
                let list: Vec<String> =
                    found.list().iter().map(|v| format!("{} {} {}", v.pointer, v.rule, v.detail)).collect();
                println!("failed\t{place}\texpected {valid}, found {list:?}");
            } else if valid && !decodes(document.root()) {
                println!("untyped\t{place}");
            } else {
                println!("passed\t{place}");
            }
        }
    }
}
"#;
