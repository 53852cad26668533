//! Our reading of a 3.0 document against that of `openapiv3`: the document as the other crate reads it, and our IR
//! exported to 3.0, both as flat lists of facts. A fact that stands in one and not in the other is a disagreement.
//!
//! Compared is what decides how a server behaves: operations, parameters, bodies, answers, security, and the keywords of
//! schemas. Left out is prose.

use std::collections::BTreeMap;
use std::path::Path;

use gatewright_compiler::disk::DiskLoader;
use gatewright_compiler::{Options, compile};
use gatewright_diag::Sink;
use serde_json::{Map, Value};

/// Facts by name: `GET /pets query limit required` → `true`.
pub type Facts = BTreeMap<String, String>;

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
/// Keywords whose value is the fact.
const PLAIN: [&str; 16] = [
    "type",
    "format",
    "enum",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minItems",
    "maxItems",
    "uniqueItems",
    "nullable",
    "minProperties",
];
/// Nobody nests schemas deeper inline.
const MAX_DEPTH: usize = 12;
/// Nor are names of facts longer.
const MAX_NAME: usize = 2000;

/// What the two readings of one document say.
#[derive(Debug)]
pub enum Verdict {
    /// It is not for both: `openapiv3` does not read it, or we refuse it. The reason.
    Skipped(String),
    /// The number of facts that agree, and those that do not: `fact: theirs | ours`.
    Compared(usize, Vec<String>),
}

/// Compares the two readings of a document.
pub fn compare(folder: &Path, file: &Path) -> Verdict {
    let skip = |why: String| Verdict::Skipped(why.lines().next().unwrap_or_default().to_owned());
    let (loader, entry) = match DiskLoader::open(folder, file, None) {
        Ok(opened) => opened,
        Err(e) => return skip(e.to_string()),
    };
    let options = Options { allow_unguarded: true, ..Options::named("oracle") };
    let done = compile(&loader, &entry, &options);
    let Some(ir) = &done.ir else { return skip("we refuse it".to_owned()) };
    let text = done.sources.files().next().map(|(_, source)| source.text().to_string()).unwrap_or_default();
    let theirs: openapiv3::OpenAPI = match serde_yaml::from_str(&text) {
        Ok(document) => document,
        Err(e) => return skip(format!("openapiv3: {e}")),
    };
    if !theirs.openapi.starts_with("3.0") {
        return skip("not 3.0".to_owned());
    }
    if done.sources.files().count() > 1 {
        return skip("several files, which openapiv3 does not follow".to_owned());
    }
    let mut sink = Sink::new();
    let ours = gatewright_export::openapi::lower(ir, &mut sink);
    drop(sink.finish());
    let ours = match ours {
        Ok(document) => document,
        Err(e) => return Verdict::Compared(0, vec![format!("our export is no 3.0: {e}")]),
    };
    match (serde_json::to_value(&theirs), serde_json::to_value(&ours)) {
        (Ok(theirs), Ok(ours)) => {
            let names = Names::of(&theirs);
            judge(&facts(&theirs, &names), &facts(&ours, &names))
        }
        _ => skip("does not serialize".to_owned()),
    }
}

fn judge(theirs: &Facts, ours: &Facts) -> Verdict {
    let names: std::collections::BTreeSet<&String> = theirs.keys().chain(ours.keys()).collect();
    let mut agree = 0;
    let mut differ = Vec::new();
    for name in names {
        match (theirs.get(name), ours.get(name)) {
            (a, b) if a == b => agree += 1,
            // An id that the document does not say is ours to make.
            (None, Some(_)) if name.ends_with(" operationId") => agree += 1,
            (a, b) => {
                let shown =
                    |side: Option<&String>| side.map_or("-".to_owned(), |text| text.chars().take(120).collect());
                differ.push(format!("{name}: {} | {}", shown(a), shown(b)));
            }
        }
    }
    Verdict::Compared(agree, differ)
}

/// The components of the document as it was written.
#[derive(Debug, Default)]
pub struct Names {
    /// Each component's name, and the one that stands for it and for all that are only references to it.
    one: BTreeMap<String, String>,
}

impl Names {
    /// Of this document.
    pub fn of(document: &Value) -> Names {
        let schemas = document.pointer("/components/schemas");
        let next = |name: &str| {
            let target = schemas?.get(name)?.get("$ref")?.as_str()?;
            target.strip_prefix("#/components/schemas/").map(str::to_owned)
        };
        let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, _) in members(schemas) {
            let mut last = name.clone();
            for _ in 0..MAX_DEPTH {
                match next(&last) {
                    Some(target) => last = target,
                    None => break,
                }
            }
            groups.entry(last).or_default().push(name.clone());
        }
        let pairs = groups.into_values().flat_map(|group| {
            let first = group.iter().min().cloned().unwrap_or_default();
            group.into_iter().map(move |name| (name, first.clone()))
        });
        Names { one: pairs.collect() }
    }

    /// `None` for a component that only our export has: an inline schema that went deep.
    fn get(&self, name: &str) -> Option<&str> {
        self.one.get(name).map(String::as_str)
    }
}

/// The facts of a document, components by these names.
pub fn facts(document: &Value, names: &Names) -> Facts {
    let mut out = Facts::new();
    let reader = Reader { document, names };
    for (path, item) in members(document.get("paths")) {
        for method in METHODS {
            if let Some(operation) = item.get(method) {
                reader.operation(&format!("{} {path}", method.to_uppercase()), item, operation, &mut out);
            }
        }
    }
    let components = document.get("components");
    for (name, schema) in members(components.and_then(|c| c.get("schemas"))) {
        // One that only refers to another is the other.
        if let Some(one) = names.get(name).filter(|_| schema.get("$ref").is_none()) {
            reader.schema(&format!("schema {one}"), schema, 0, &mut out);
        }
    }
    for (name, scheme) in members(components.and_then(|c| c.get("securitySchemes"))) {
        let mut scheme = reader.follow(scheme).clone();
        strip(&mut scheme);
        out.insert(format!("scheme {name}"), scheme.to_string());
    }
    out
}

/// Descriptions and extensions are prose.
fn strip(value: &mut Value) {
    if let Value::Object(object) = value {
        object.retain(|key, _| key != "description" && !key.starts_with("x-"));
        object.values_mut().for_each(strip);
    }
}

fn members(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flat_map(Map::iter)
}

fn items(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

struct Reader<'a> {
    document: &'a Value,
    names: &'a Names,
}

impl<'a> Reader<'a> {
    fn follow(&self, mut value: &'a Value) -> &'a Value {
        for _ in 0..MAX_DEPTH {
            let target = value.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix('#'));
            match target.and_then(|pointer| self.document.pointer(pointer)) {
                Some(next) => value = next,
                None => break,
            }
        }
        value
    }

    fn operation(&self, name: &str, item: &'a Value, operation: &'a Value, out: &mut Facts) {
        for key in ["operationId", "deprecated"] {
            if let Some(value) = operation.get(key) {
                out.insert(format!("{name} {key}"), value.to_string());
            }
        }
        let mut parameters: BTreeMap<String, &Value> = BTreeMap::new();
        for parameter in items(item.get("parameters")).chain(items(operation.get("parameters"))) {
            let parameter = self.follow(parameter);
            let text = |key: &str| parameter.get(key).and_then(Value::as_str).unwrap_or_default();
            let (place, word) = (text("in"), text("name"));
            // Header names are the same in any case, and these three are described elsewhere (OpenAPI 3.0.3).
            let word = if place == "header" { word.to_ascii_lowercase() } else { word.to_owned() };
            if place != "header" || !["accept", "content-type", "authorization"].contains(&word.as_str()) {
                parameters.insert(format!("{place} {word}"), parameter);
            }
        }
        for (word, parameter) in parameters {
            let name = format!("{name} {word}");
            let required = parameter.get("required").and_then(Value::as_bool).unwrap_or(false);
            out.insert(format!("{name} required"), required.to_string());
            if let Some(schema) = parameter.get("schema") {
                self.schema(&name, self.follow(schema), 0, out);
            }
            for (media, _) in members(parameter.get("content")) {
                out.insert(format!("{name} content {media}"), String::new());
            }
        }
        if let Some(body) = operation.get("requestBody").map(|body| self.follow(body)) {
            let required = body.get("required").and_then(Value::as_bool).unwrap_or(false);
            out.insert(format!("{name} body required"), required.to_string());
            self.content(&format!("{name} body"), body, out);
        }
        for (status, response) in members(operation.get("responses")) {
            let response = self.follow(response);
            out.insert(format!("{name} {status}"), String::new());
            self.content(&format!("{name} {status}"), response, out);
            for (header, _) in members(response.get("headers")) {
                // `Content-Type` is not a header of its own there (OpenAPI 3.0.3).
                if !header.eq_ignore_ascii_case("content-type") {
                    out.insert(format!("{name} {status} header {}", header.to_ascii_lowercase()), String::new());
                }
            }
        }
        let security = operation.get("security").or_else(|| self.document.get("security"));
        let alternatives = items(security).map(|alternative| {
            let needs = members(Some(alternative)).map(|(scheme, scopes)| {
                let mut scopes: Vec<&str> = items(Some(scopes)).filter_map(Value::as_str).collect();
                scopes.sort_unstable();
                scopes.dedup();
                format!("{scheme}({})", scopes.join(" "))
            });
            let mut needs: Vec<String> = needs.collect();
            needs.sort();
            needs.join(" and ")
        });
        let mut alternatives: Vec<String> = alternatives.collect();
        // No alternative, and only the empty one, ask for the same.
        if alternatives.iter().all(String::is_empty) {
            alternatives.clear();
        }
        out.insert(format!("{name} security"), alternatives.join(" or "));
    }

    fn content(&self, name: &str, holder: &'a Value, out: &mut Facts) {
        for (media, value) in members(holder.get("content")) {
            let name = format!("{name} {media}");
            out.insert(name.clone(), String::new());
            if let Some(schema) = value.get("schema") {
                self.schema(&name, schema, 0, out);
            }
        }
    }

    fn schema(&self, name: &str, schema: &'a Value, depth: usize, out: &mut Facts) {
        if depth > MAX_DEPTH || name.len() > MAX_NAME {
            return;
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            let target = target.rsplit('/').next().unwrap_or_default();
            match self.names.get(target) {
                Some(one) => drop(out.insert(format!("{name} is"), one.to_owned())),
                // Named by our export alone: it stands where the other reading has it inline, no deeper.
                None => self.inline(name, self.follow(schema), depth, out),
            }
            return;
        }
        self.inline(name, schema, depth, out);
    }

    fn inline(&self, name: &str, schema: &'a Value, depth: usize, out: &mut Facts) {
        for key in PLAIN {
            // Without `type` beside it, `nullable` says nothing (OpenAPI 3.0.3, 4.7.24, as clarified).
            if key == "nullable" && schema.get("type").is_none() {
                continue;
            }
            if let Some(value) = schema.get(key).filter(|value| **value != Value::Bool(false)) {
                // 3 and 3.0 are one number.
                let text = value.as_f64().map_or_else(|| value.to_string(), |number| number.to_string());
                out.insert(format!("{name} {key}"), text);
            }
        }
        let mut required: Vec<&str> = items(schema.get("required")).filter_map(Value::as_str).collect();
        required.sort_unstable();
        required.dedup();
        if !required.is_empty() {
            out.insert(format!("{name} required"), required.join(" "));
        }
        for (property, value) in members(schema.get("properties")) {
            out.insert(format!("{name}.{property}"), String::new());
            self.schema(&format!("{name}.{property}"), value, depth + 1, out);
        }
        for key in ["items", "not", "additionalProperties"] {
            match schema.get(key) {
                Some(Value::Bool(admitted)) if key == "additionalProperties" && !admitted => {
                    out.insert(format!("{name} closed"), String::new());
                }
                Some(value) => self.schema(&format!("{name} {key}"), value, depth + 1, out),
                None => {}
            }
        }
        for key in ["allOf", "oneOf", "anyOf"] {
            for (i, value) in items(schema.get(key)).enumerate() {
                self.schema(&format!("{name} {key} {i}"), value, depth + 1, out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PETS: &str = "
openapi: 3.0.3
info: { title: Pets, version: '1' }
security: [ { key: [] }, { oauth: [write, read] } ]
paths:
  /pets/{id}:
    parameters: [ { name: id, in: path, required: true, schema: { type: integer, format: int64, minimum: 1 } } ]
    put:
      operationId: putPet
      parameters: [ { $ref: '#/components/parameters/Dry' } ]
      requestBody: { required: true, content: { application/json: { schema: { $ref: '#/components/schemas/Pet' } } } }
      responses:
        '200':
          description: put
          headers: { X-Rate: { schema: { type: integer } } }
          content: { application/json: { schema: { type: array, items: { $ref: '#/components/schemas/Pet' } } } }
        default: { description: bad }
    delete: { security: [], responses: { '204': { description: gone } } }
components:
  parameters:
    Dry: { name: dry, in: query, schema: { type: boolean, default: false } }
  schemas:
    Pet:
      type: object
      required: [name, kind]
      additionalProperties: false
      properties:
        name: { type: string, minLength: 1, maxLength: 40, pattern: '^[a-z]+$', nullable: true }
        kind: { type: string, enum: [cat, dog] }
        parent: { $ref: '#/components/schemas/Pet' }
        tags: { type: array, uniqueItems: true, maxItems: 3, items: { type: string } }
  securitySchemes:
    key: { type: apiKey, in: header, name: X-Key }
    oauth:
      type: oauth2
      flows:
        authorizationCode:
          authorizationUrl: https://a.example/authorize
          tokenUrl: https://a.example/token
          scopes: { read: See., write: Change. }
";

    #[test]
    fn the_two_readings_of_one_document_agree() {
        let dir = tempfile::tempdir().unwrap();
        #[allow(clippy::disallowed_methods)]
        std::fs::write(dir.path().join("pets.yaml"), PETS).unwrap();
        match compare(dir.path(), Path::new("pets.yaml")) {
            Verdict::Compared(agree, differ) => assert!(agree > 30 && differ.is_empty(), "{agree} {differ:#?}"),
            Verdict::Skipped(why) => panic!("skipped: {why}"),
        }
    }

    #[test]
    fn a_reading_that_differs_is_noticed() {
        let document = |required: bool| {
            serde_json::json!({ "paths": { "/a": { "get": {
                "parameters": [{ "in": "query", "name": "q", "required": required, "schema": { "type": "string" } }],
                "responses": {},
            } } } })
        };
        let names = Names::default();
        let (a, b) = (facts(&document(true), &names), facts(&document(false), &names));
        assert!(matches!(judge(&a, &a), Verdict::Compared(3, differ) if differ.is_empty()));
        assert!(matches!(judge(&a, &b), Verdict::Compared(2, differ) if differ.len() == 1));
    }
}
