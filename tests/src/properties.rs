//! A naive reading of guarded properties and parameters: the second engine of their differential test. It knows the document
//! as text and nothing of the server: it follows references, looks at every schema of a value at once, and compares names.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// The names of the scopes and roles that a caller has.
pub type Names = BTreeSet<String>;

/// A document, and what its caller has.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'d> {
    /// The whole document.
    pub document: &'d Value,
    /// What the caller has.
    pub have: &'d Names,
    /// `read` or `write`.
    pub key: &'static str,
}

impl<'d> Reading<'d> {
    /// The pointer of the first member that the caller may not send.
    #[must_use]
    pub fn forbidden(&self, schema: &'d Value, value: &Value) -> Option<String> {
        self.first(&[schema], value, "")
    }

    /// The value without what the caller may not see.
    #[must_use]
    pub fn visible(&self, schema: &'d Value, value: &Value) -> Value {
        self.pruned(&[schema], value)
    }

    /// The first parameter, by the order of the document, of which the caller may not send what he sends: its name, and the
    /// pointer within. `sent` has values by place and name.
    #[must_use]
    pub fn forbidden_parameter(
        &self,
        parameters: &'d [Value],
        sent: impl Fn(&str, &str) -> Option<Value>,
    ) -> Option<String> {
        parameters.iter().find_map(|parameter| {
            let text = |key: &str| parameter.get(key).and_then(Value::as_str).unwrap_or_default();
            let value = sent(text("in"), text("name"))?;
            let schema = parameter.get("schema")?;
            let schemas = self.all(&[schema]);
            if !self.may(parameter) || !schemas.iter().all(|schema| self.may(schema)) {
                return Some(text("name").to_owned());
            }
            self.forbidden(schema, &value).map(|pointer| format!("{} {pointer}", text("name")))
        })
    }

    /// Whether what stands beside a schema or a parameter lets the caller.
    fn may(&self, said: &Value) -> bool {
        let names = said.pointer(&format!("/x-security/{}", self.key)).and_then(Value::as_array);
        names.is_none_or(|names| names.iter().filter_map(Value::as_str).any(|name| self.have.contains(name)))
    }

    /// These schemas and all that look at the same value.
    fn all(&self, schemas: &[&'d Value]) -> Vec<&'d Value> {
        let mut open = schemas.to_vec();
        let mut found: Vec<&'d Value> = Vec::new();
        while let Some(schema) = open.pop() {
            if found.iter().any(|known| std::ptr::eq(*known, schema)) {
                continue;
            }
            found.push(schema);
            if let Some(pointer) = schema.get("$ref").and_then(Value::as_str) {
                open.extend(self.document.pointer(pointer.trim_start_matches('#')));
            }
            for key in ["allOf", "anyOf", "oneOf"] {
                open.extend(schema.get(key).and_then(Value::as_array).into_iter().flatten());
            }
        }
        found
    }

    /// The schemas of a member.
    fn of_member(&self, schemas: &[&'d Value], name: &str) -> Vec<&'d Value> {
        let all = self.all(schemas);
        let named = all.iter().filter_map(|schema| schema.get("properties")?.get(name));
        let others = all.iter().filter_map(|schema| schema.get("additionalProperties")).filter(|s| s.is_object());
        self.all(&named.chain(others).collect::<Vec<_>>())
    }

    fn of_items(&self, schemas: &[&'d Value]) -> Vec<&'d Value> {
        self.all(schemas).iter().filter_map(|schema| schema.get("items")).collect()
    }

    fn first(&self, schemas: &[&'d Value], value: &Value, at: &str) -> Option<String> {
        match value {
            Value::Object(members) => members.iter().find_map(|(name, value)| {
                let of = self.of_member(schemas, name);
                let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                if of.iter().all(|schema| self.may(schema)) { self.first(&of, value, &at) } else { Some(at) }
            }),
            Value::Array(items) => {
                let of = self.of_items(schemas);
                items.iter().enumerate().find_map(|(n, item)| self.first(&of, item, &format!("{at}/{n}")))
            }
            _ => None,
        }
    }

    fn pruned(&self, schemas: &[&'d Value], value: &Value) -> Value {
        match value {
            Value::Object(members) => {
                let kept = members.iter().filter_map(|(name, value)| {
                    let of = self.of_member(schemas, name);
                    let may = of.iter().all(|schema| self.may(schema));
                    may.then(|| (name.clone(), self.pruned(&of, value)))
                });
                Value::Object(kept.collect::<Map<_, _>>())
            }
            Value::Array(items) => {
                let of = self.of_items(schemas);
                Value::Array(items.iter().map(|item| self.pruned(&of, item)).collect())
            }
            other => other.clone(),
        }
    }
}
