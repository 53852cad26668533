//! The lower stage: a resolved document becomes the API in our words and the policies that guard it. After it nobody
//! knows which version of OpenAPI was written, or in how many files.

mod content;
mod discriminators;
mod forms;
mod inclusion;
pub(crate) mod json;
mod keywords;
mod operations;
mod parameters;
mod paths;
mod policies;
mod ranges;
mod schemas;
mod schemes;
mod select;
mod sense;
mod weaker;

use std::collections::HashSet;

use gatewright_diag::{Sink, SourceMap, Spanned, codes};
use gatewright_ir::api::{Api, Tag};
use gatewright_ir::{Ir, PolicySet};

use crate::document::keys::nearly_x_security;
use crate::resolve::Spec;
use crate::syntax::Node;
use crate::vocabulary::{OperationKeys, Reader, RootKeys};
use schemas::SchemaLowerer;
use select::Selector;

pub use select::Select;

/// What the document does not say.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The short name of this API version: `v1`.
    pub name: String,
    /// Which operations are compiled; all unless said.
    pub select: Select,
}

/// Lowers a resolved document. What cannot be understood is reported and left out, or stands as something closed: a
/// schema that admits nothing, a policy that nobody satisfies.
pub fn lower(spec: &Spec, map: &SourceMap, options: &Options, sink: &mut Sink) -> Ir {
    let mut lower = Lower::new(spec, sink);
    let mut policies = lower.policies();
    let mut selector = Selector::new(&options.select);
    let mut api = lower.api(map, &mut policies, &mut selector);
    selector.finish(lower.sink);
    lower.schemas.finish(&mut api, lower.sink);
    api.schemas = lower.schemas.take();
    forms::mark(&mut api);
    ranges::mark(&mut api);
    Ir { api, policies, name: options.name.clone() }
}

/// The stage at work.
struct Lower<'a, 's> {
    spec: &'a Spec,
    sink: &'s mut Sink,
    schemas: SchemaLowerer<'a>,
    /// What the root says for every operation.
    root: RootKeys,
    /// How many more parameters, responses, media types, headers and alternatives may be made.
    budget: usize,
    /// The `operationId`s of all operations, chosen or not.
    ids: HashSet<&'a str>,
    /// The `operationId`s that links name.
    linked: Vec<Spanned<&'a str>>,
}

/// Path items and responses are shared by reference, and the root's `security` by all operations: a small document
/// could ask for more than any machine holds. The largest real ones make a tenth of this.
const MOST_PARTS: usize = 500_000;

impl<'a, 's> Lower<'a, 's> {
    fn new(spec: &'a Spec, sink: &'s mut Sink) -> Self {
        let mut root = match spec.root().get("x-security") {
            Some(node) => RootKeys::read(node, &mut Reader { sink }),
            None => RootKeys::default(),
        };
        root.defaults.faulty |= misspelt_policy(spec.root());
        Lower {
            spec,
            sink,
            schemas: SchemaLowerer::new(spec),
            root,
            budget: MOST_PARTS,
            ids: HashSet::new(),
            linked: Vec::new(),
        }
    }

    fn api(&mut self, map: &SourceMap, policies: &mut PolicySet, selector: &mut Selector<'_>) -> Api {
        let root = self.spec.root();
        let info = self.spec.get(root, "info");
        let mut api = Api {
            title: info.and_then(|i| text(i, "title")).unwrap_or_default(),
            version: info.and_then(|i| text(i, "version")).unwrap_or_default(),
            description: info.and_then(|i| text(i, "description")),
            tags: self.tags(root),
            servers: self.servers(root),
            files: self.spec.files().filter_map(|(id, _)| Some(map.get(id)?.name().to_owned())).collect(),
            ..Api::default()
        };
        // Components first, so that they are numbered in the order in which people read them.
        if let Some(components) = self.spec.get(root, "components").and_then(|c| self.spec.get(c, "schemas")) {
            for (key, node) in components.entries() {
                let id = self.schemas.id(node);
                self.schemas.name(id, key.text);
                api.components.push((key.text.to_owned(), id));
            }
        }
        self.operations(&mut api, policies, selector);
        self.schemas.run(self.sink);
        api
    }

    fn tags(&self, root: Node<'a>) -> Vec<Tag> {
        let Some(tags) = self.spec.get(root, "tags") else { return Vec::new() };
        self.spec
            .items(tags)
            .filter_map(|tag| Some(Tag { name: text(tag, "name")?, description: text(tag, "description") }))
            .collect()
    }

    /// URLs with the defaults of their variables.
    fn servers(&self, root: Node<'a>) -> Vec<(String, Option<String>)> {
        let Some(servers) = self.spec.get(root, "servers") else { return Vec::new() };
        self.spec
            .items(servers)
            .filter_map(|server| {
                let mut url = text(server, "url")?;
                for (key, variable) in server.get("variables").into_iter().flat_map(Node::entries) {
                    if let Some(default) = text(variable, "default") {
                        url = url.replace(&format!("{{{}}}", key.text), &default);
                    }
                }
                Some((url, text(server, "description")))
            })
            .collect()
    }

    /// Whether one more part of an operation may be made.
    fn afford(&mut self, node: Node<'_>) -> bool {
        self.spend(1, node)
    }

    fn spend(&mut self, parts: usize, node: Node<'_>) -> bool {
        if self.budget == 0 {
            return false;
        }
        self.budget = self.budget.saturating_sub(parts);
        if self.budget == 0 {
            self.sink
                .error(codes::TOO_LARGE, node.anchor_span(), "what the parts of this document repeat is too large")
                .help("share fewer path items and responses among fewer paths");
        }
        self.budget > 0
    }

    /// The `x-security` of an operation or a path item.
    fn layer(&mut self, node: Node<'a>) -> OperationKeys {
        let mut keys = match node.get("x-security") {
            Some(keys) => OperationKeys::read(keys, &mut Reader { sink: self.sink }),
            None => OperationKeys::default(),
        };
        // One that is misspelt was reported when its shape was.
        keys.faulty |= misspelt_policy(node);
        keys
    }
}

/// Whether a key is `x-security`, or one that was meant to be.
fn is_policy(key: &str) -> bool {
    key == "x-security" || nearly_x_security(key)
}

fn misspelt_policy(node: Node<'_>) -> bool {
    node.entries().any(|(key, _)| nearly_x_security(key.text))
}

/// Text of a field; numbers and booleans that should have been quoted are taken as written.
fn text(node: Node<'_>, key: &str) -> Option<String> {
    let value = node.get(key)?;
    if value.is_null() && value.as_str().is_none() {
        return None;
    }
    value.text().map(str::to_owned)
}

/// Whether a field is `true`.
fn truth(node: Node<'_>, key: &str) -> bool {
    node.get(key).and_then(Node::as_bool).unwrap_or(false)
}

/// Text of a document as a message may quote it.
fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(60).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// Whether a text is a token of RFC 9110, 5.6.2: a method, a header's name.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// FNV-1a, folded to 16 bits: a short suffix that is the same at every run.
fn short_hash(text: &str) -> u16 {
    let wide = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    (wide ^ (wide >> 32) ^ (wide >> 16)) as u16
}
