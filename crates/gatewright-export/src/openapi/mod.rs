//! The compiled API as an OpenAPI 3.0 document, for tools that read no other version. Each thing that 3.0 has no word for
//! is named as a warning, so that nobody takes the exported file for the whole.
//!
//! It is written from the IR, not from the text: several files become one, references are followed, and the version in
//! which the document was written does not matter. The result is typed ([`openapiv3::OpenAPI`]), which is also the proof
//! that it is 3.0.

mod schema;

use gatewright_diag::{Sink, Span, codes};
use gatewright_ir::api::{Header, Location, Media, Operation, Parameter, ParameterEncoding, Style};
use gatewright_ir::api::{Response, StatusKey};
use gatewright_ir::policy::{Access, Scheme, SchemeKind};
use gatewright_ir::{CheckedIr, Ir};
use serde_json::{Map, Value, json};

use schema::Schemas;

/// The methods that a 3.0 path item has a place for.
const METHODS: [&str; 8] = ["GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"];

/// The API as OpenAPI 3.0. Losses are warnings in `sink`.
///
/// # Errors
/// What was written is no OpenAPI 3.0 document: our mistake, said in a few words.
pub fn lower(ir: &CheckedIr, sink: &mut Sink) -> Result<openapiv3::OpenAPI, String> {
    let mut export = Export { ir, schemas: Schemas::new(&ir.api), sink };
    let document = export.document();
    serde_json::from_value(document).map_err(|e| e.to_string())
}

struct Export<'a> {
    ir: &'a Ir,
    schemas: Schemas<'a>,
    sink: &'a mut Sink,
}

/// Names a loss.
fn loss(sink: &mut Sink, span: Span, what: impl Into<String>) {
    sink.warning(codes::EXPORT_LOSS, span, format!("OpenAPI 3.0 has no word for {}", what.into()))
        .label("left out of the exported document");
}

fn put(object: &mut Map<String, Value>, key: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        object.insert(key.to_owned(), value.into());
    }
}

impl Export<'_> {
    fn document(&mut self) -> Value {
        let api = &self.ir.api;
        let mut info = Map::new();
        put(&mut info, "title", Some(api.title.clone()));
        put(&mut info, "version", Some(api.version.clone()));
        put(&mut info, "description", api.description.clone());
        let mut paths: Map<String, Value> = Map::new();
        for operation in &api.operations {
            if !METHODS.contains(&operation.method.as_str()) {
                loss(self.sink, operation.span, format!("the method `{}`", operation.method));
                continue;
            }
            let value = self.operation(operation);
            let item = paths.entry(operation.path.text.clone()).or_insert_with(|| json!({}));
            if let Some(item) = item.as_object_mut() {
                item.insert(operation.method.to_ascii_lowercase(), value);
            }
        }
        for webhook in &api.webhooks {
            loss(self.sink, webhook.span, format!("webhooks: `{}`", webhook.id));
        }
        let tags: Vec<Value> = api
            .tags
            .iter()
            .map(|tag| {
                let mut object = Map::new();
                put(&mut object, "name", Some(tag.name.clone()));
                put(&mut object, "description", tag.description.clone());
                Value::Object(object)
            })
            .collect();
        let servers: Vec<Value> = api
            .servers
            .iter()
            .map(|(url, description)| {
                let mut object = Map::new();
                put(&mut object, "url", Some(url.clone()));
                put(&mut object, "description", description.clone());
                Value::Object(object)
            })
            .collect();
        let mut schemes = Map::new();
        for scheme in &self.ir.policies.schemes {
            if let Some(value) = self.scheme(scheme) {
                schemes.insert(component_name(&scheme.name.value), value);
            }
        }
        let components = json!({ "schemas": self.schemas.finish(self.sink), "securitySchemes": schemes });
        json!({
            "openapi": "3.0.3", "info": info, "servers": servers, "tags": tags, "paths": paths, "components": components,
        })
    }

    fn operation(&mut self, operation: &Operation) -> Value {
        let mut object = Map::new();
        put(&mut object, "operationId", Some(operation.id.clone()));
        put(&mut object, "summary", operation.summary.clone());
        put(&mut object, "description", operation.description.clone());
        put(&mut object, "tags", (!operation.tags.is_empty()).then(|| operation.tags.clone()));
        put(&mut object, "deprecated", operation.deprecated.then_some(true));
        let parameters: Vec<Value> = operation.parameters.iter().filter_map(|p| self.parameter(p)).collect();
        put(&mut object, "parameters", (!parameters.is_empty()).then_some(parameters));
        if let Some(body) = &operation.body {
            let mut value = Map::new();
            put(&mut value, "description", body.description.clone());
            put(&mut value, "required", Some(body.required));
            let content = self.content(&body.content);
            put(&mut value, "content", Some(content));
            object.insert("requestBody".to_owned(), Value::Object(value));
        }
        let mut responses = Map::new();
        for response in &operation.responses {
            let key = match response.status {
                StatusKey::Code(code) => code.to_string(),
                StatusKey::Class(class) => format!("{class}XX"),
                StatusKey::Default => "default".to_owned(),
            };
            let value = self.response(response);
            responses.insert(key, value);
        }
        object.insert("responses".to_owned(), Value::Object(responses));
        for callback in &operation.callbacks {
            loss(self.sink, callback.span, "this callback as we hold it");
        }
        let policy = self.ir.policies.get(operation.policy);
        let security = match &policy.access.value {
            Access::Guarded(alternatives) => Some(
                alternatives
                    .iter()
                    .map(|alternative| {
                        let needs = alternative.needs.iter().map(|need| {
                            let scopes: Vec<&str> = need.scopes.iter().map(|s| s.value.as_str()).collect();
                            (component_name(&need.scheme.value), json!(scopes))
                        });
                        Value::Object(needs.collect())
                    })
                    .collect::<Vec<_>>(),
            ),
            Access::Public(reason) => {
                object.insert("x-security".to_owned(), json!({ "public": reason.value }));
                Some(Vec::new())
            }
            Access::Unsaid => None,
            Access::Opened => Some(Vec::new()),
            Access::Nobody => None,
        };
        put(&mut object, "security", security);
        let further = [
            ("roles", policy.roles.as_ref().map(|f| f.span)),
            ("level", policy.level.as_ref().map(|f| f.span)),
            ("claims", policy.claims.as_ref().map(|f| f.span)),
            ("owner", policy.owner.as_ref().map(|f| f.span)),
            ("step-up", policy.step_up.as_ref().map(|f| f.span)),
            ("allow", policy.allow.as_ref().map(|f| f.span)),
            ("rate-limit", policy.limits.as_ref().map(|f| f.span)),
            ("cost", policy.cost.as_ref().map(|f| f.span)),
        ];
        for (key, span) in further.into_iter().filter_map(|(key, span)| Some((key, span?))) {
            loss(self.sink, span, format!("`{key}` of `{}`", operation.id));
        }
        Value::Object(object)
    }

    fn parameter(&mut self, parameter: &Parameter) -> Option<Value> {
        if parameter.location == Location::QueryString {
            loss(self.sink, parameter.span, "a parameter that is the whole query string");
            return None;
        }
        let mut object = Map::new();
        put(&mut object, "name", Some(parameter.name.clone()));
        put(&mut object, "in", Some(parameter.location.as_str()));
        put(&mut object, "required", parameter.required.then_some(true));
        put(&mut object, "description", parameter.description.clone());
        put(&mut object, "deprecated", parameter.deprecated.then_some(true));
        let schema = self.schemas.reference(parameter.schema, self.sink);
        match &parameter.encoding {
            ParameterEncoding::Style { style, explode, allow_reserved } => {
                put(&mut object, "style", self.style(*style, parameter.span));
                put(&mut object, "explode", Some(*explode));
                put(
                    &mut object,
                    "allowReserved",
                    (parameter.location == Location::Query && *allow_reserved).then_some(true),
                );
                put(&mut object, "schema", Some(schema));
            }
            ParameterEncoding::Content(media) => {
                let content: Map<String, Value> = [(media.clone(), json!({ "schema": schema }))].into_iter().collect();
                put(&mut object, "content", Some(content));
            }
        }
        if parameter.location == Location::Query {
            put(&mut object, "allowEmptyValue", parameter.allow_empty.then_some(true));
        }
        Some(Value::Object(object))
    }

    fn style(&mut self, style: Style, span: Span) -> Option<&'static str> {
        Some(match style {
            Style::Matrix => "matrix",
            Style::Label => "label",
            Style::Simple => "simple",
            Style::Form => "form",
            Style::SpaceDelimited => "spaceDelimited",
            Style::PipeDelimited => "pipeDelimited",
            Style::DeepObject => "deepObject",
            Style::Cookie => {
                loss(self.sink, span, "the style `cookie`; `form` is written");
                "form"
            }
        })
    }

    fn content(&mut self, content: &[Media]) -> Map<String, Value> {
        let mut object = Map::new();
        for media in content {
            if media.item_schema.is_some() {
                loss(self.sink, media.media_type.span, "`itemSchema`");
            }
            let mut value = Map::new();
            let schema = media.schema.map(|id| self.schemas.reference(id, self.sink));
            put(&mut value, "schema", schema);
            let mut parts = Map::new();
            for (name, part) in &media.encoding {
                let mut encoding = Map::new();
                put(&mut encoding, "contentType", part.content_type.clone());
                if let Some(style) = part.style {
                    put(&mut encoding, "style", self.style(style, media.media_type.span));
                }
                put(&mut encoding, "explode", part.explode);
                let headers = self.headers(&part.headers);
                put(&mut encoding, "headers", (!headers.is_empty()).then_some(headers));
                parts.insert(name.clone(), Value::Object(encoding));
            }
            put(&mut value, "encoding", (!parts.is_empty()).then_some(parts));
            object.insert(media.media_type.value.clone(), Value::Object(value));
        }
        object
    }

    fn headers(&mut self, headers: &[Header]) -> Map<String, Value> {
        let mut object = Map::new();
        for header in headers {
            let mut value = Map::new();
            put(&mut value, "description", header.description.clone());
            put(&mut value, "required", header.required.then_some(true));
            put(&mut value, "style", Some("simple"));
            put(&mut value, "explode", header.explode.then_some(true));
            let schema = self.schemas.reference(header.schema, self.sink);
            put(&mut value, "schema", Some(schema));
            object.insert(header.name.clone(), Value::Object(value));
        }
        object
    }

    fn response(&mut self, response: &Response) -> Value {
        let mut object = Map::new();
        put(&mut object, "description", Some(response.description.clone().unwrap_or_default()));
        let headers = self.headers(&response.headers);
        put(&mut object, "headers", (!headers.is_empty()).then_some(headers));
        let content = self.content(&response.content);
        put(&mut object, "content", (!content.is_empty()).then_some(content));
        Value::Object(object)
    }

    fn scheme(&mut self, scheme: &Scheme) -> Option<Value> {
        let mut object = Map::new();
        put(&mut object, "description", scheme.description.clone());
        match &scheme.kind {
            SchemeKind::ApiKey { location, name } => {
                put(&mut object, "type", Some("apiKey"));
                put(&mut object, "in", Some(location.as_str()));
                put(&mut object, "name", Some(name.clone()));
            }
            SchemeKind::Http { scheme, bearer_format } => {
                put(&mut object, "type", Some("http"));
                put(&mut object, "scheme", Some(scheme.clone()));
                put(&mut object, "bearerFormat", bearer_format.clone());
            }
            SchemeKind::OpenIdConnect { url } => {
                put(&mut object, "type", Some("openIdConnect"));
                put(&mut object, "openIdConnectUrl", Some(url.clone()));
            }
            SchemeKind::OAuth2 => {
                let flows = self.flows(scheme);
                put(&mut object, "type", Some("oauth2"));
                put(&mut object, "flows", Some(flows));
            }
            SchemeKind::MutualTls => {
                // A tool that ignored it would take the operation for open: a header that nobody sends keeps it closed.
                loss(self.sink, scheme.name.span, format!("the scheme `{}` (mutualTLS)", scheme.name.value));
                put(&mut object, "type", Some("apiKey"));
                put(&mut object, "in", Some("header"));
                put(&mut object, "name", Some("X-Client-Certificate-Required"));
            }
        }
        Some(Value::Object(object))
    }

    /// The flows that 3.0 knows. A scheme must keep one of them, or tools take its operations for open.
    fn flows(&mut self, scheme: &Scheme) -> Map<String, Value> {
        let mut flows = Map::new();
        for flow in &scheme.flows {
            let (authorization, token) = match flow.kind.value.as_str() {
                "implicit" => (true, false),
                "password" | "clientCredentials" => (false, true),
                "authorizationCode" => (true, true),
                other => {
                    loss(self.sink, flow.kind.span, format!("the flow `{other}` of `{}`", scheme.name.value));
                    continue;
                }
            };
            let mut object = Map::new();
            // An address that must stand there and does not is one that nobody reaches.
            let url = |url: &Option<String>| url.clone().unwrap_or_else(|| "about:blank".to_owned());
            put(&mut object, "authorizationUrl", authorization.then(|| url(&flow.authorization_url)));
            put(&mut object, "tokenUrl", token.then(|| url(&flow.token_url)));
            put(&mut object, "refreshUrl", flow.refresh_url.clone());
            let scopes: Map<String, Value> =
                flow.scopes.iter().map(|(name, words)| (name.clone(), json!(words))).collect();
            put(&mut object, "scopes", Some(scopes));
            flows.insert(flow.kind.value.clone(), Value::Object(object));
        }
        if flows.is_empty() {
            let scopes: Map<String, Value> =
                scheme.scopes.iter().map(|(name, words)| (name.value.clone(), json!(words))).collect();
            let flow = json!({ "tokenUrl": "about:blank", "scopes": scopes });
            flows.insert("clientCredentials".to_owned(), flow);
        }
        flows
    }
}

/// A name that a component may have (`^[a-zA-Z0-9._-]+$`): other characters by their number.
fn component_name(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') {
            out.push(c);
        } else {
            out.push_str(&format!("_{:x}_", c as u32));
        }
    }
    if out.is_empty() { "_".to_owned() } else { out }
}
