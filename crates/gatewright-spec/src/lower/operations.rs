//! Operations: every method of every path, the webhooks, and the callbacks.

use std::collections::{HashMap, HashSet};

use gatewright_diag::{Span, codes};
use gatewright_ir::PolicySet;
use gatewright_ir::api::{Api, Operation, PathPiece, PathTemplate};
use gatewright_policy::case;

use super::select::Selector;
use super::{Lower, is_policy, is_token, paths, short_hash, shown, text, truth};
use crate::syntax::Node;
use crate::vocabulary::OperationKeys;

/// The fixed fields of a path item that hold an operation.
const METHODS: [&str; 9] = ["get", "put", "post", "delete", "options", "head", "patch", "trace", "query"];

impl<'a> Lower<'a, '_> {
    /// Every operation that is served, then the webhooks.
    pub(super) fn operations(&mut self, api: &mut Api, policies: &mut PolicySet, selector: &mut Selector<'_>) {
        let root = self.spec.root();
        if let Some(paths) = self.spec.get(root, "paths") {
            for (key, raw) in paths.entries().filter(|(key, _)| !key.text.starts_with("x-")) {
                let item = self.item(raw);
                let template = paths::parse(key.text, key.span, self.sink);
                let layer = self.item_layer(&item);
                for (method, node) in self.methods(&item) {
                    self.ids.extend(node.get("operationId").and_then(Node::as_str));
                    if !selector.takes(self.spec, &method, key.text, node) {
                        continue;
                    }
                    let Some(template) = template.as_ref().filter(|_| self.afford(node)) else { continue };
                    let mut operation = self.operation(&item, &method, node, template.clone());
                    operation.policy = policies.add(self.policy(node, operation.span, &layer));
                    api.operations.push(operation);
                }
            }
        }
        paths::conflicts(&api.operations, self.sink);
        if let Some(hooks) = self.spec.get(root, "webhooks") {
            for (key, raw) in self.spec.resolve(hooks).into_iter().flat_map(Node::entries) {
                let item = self.item(raw);
                let sent = self.sent(&item, key.text, key.span, policies);
                api.webhooks.extend(sent);
            }
        }
        self.identify(api);
        self.links(api);
    }

    /// Links that name no operation.
    fn links(&mut self, api: &Api) {
        let sent = api.operations.iter().flat_map(|o| &o.callbacks).chain(&api.webhooks);
        let sent: HashSet<&str> = sent.filter(|o| o.id_given).map(|o| o.id.as_str()).collect();
        for link in std::mem::take(&mut self.linked) {
            if self.ids.contains(link.value) || sent.contains(link.value) {
                continue;
            }
            let mut known: Vec<&str> = self.ids.iter().copied().collect();
            known.sort_unstable();
            let help = match self.sink.suggest(link.value, known) {
                Some(near) => format!("did you mean `{}`?", shown(near)),
                None => "name the `operationId` of an operation of this document".to_owned(),
            };
            self.sink
                .warning(codes::LINK_TO_NOTHING, link.span, format!("no operation is named `{}`", shown(link.value)))
                .label("the link leads nowhere")
                .help(help);
        }
    }

    /// A path item: what stands at its place, then what its `$ref` names, and so on. What is nearer counts
    /// (OpenAPI 3.2.0, section 4.9.1, leaves a field that both have undefined; it is reported).
    fn item(&mut self, raw: Node<'a>) -> Vec<Node<'a>> {
        let mut item = vec![raw];
        let mut at = raw;
        // Circles were cut: every step is another reference.
        while let Some(found) = self.spec.reference(at) {
            let Some(target) = found.target else { break };
            for (key, value) in target.entries() {
                // Parameters of both are put together; the others only describe.
                let merged = matches!(key.text, "$ref" | "parameters" | "summary" | "description" | "servers");
                let nearer = item.iter().find_map(|node| node.get(key.text));
                let Some(near) = nearer.filter(|_| !merged && !key.text.starts_with("x-")) else { continue };
                self.sink
                    .warning(
                        codes::IGNORED_SIBLINGS,
                        value.anchor_span(),
                        format!("`{}` stands beside the `$ref` too", shown(key.text)),
                    )
                    .label("ignored")
                    .related(near.anchor_span(), "this one counts")
                    .help("keep one of them");
            }
            item.push(target);
            at = target;
        }
        item
    }

    /// The `x-security` of a path item: the one that is nearest. Beside a `$ref` it is an error, reported elsewhere.
    fn item_layer(&mut self, item: &[Node<'a>]) -> OperationKeys {
        match item.iter().find(|node| node.entries().any(|(key, _)| is_policy(key.text))) {
            Some(node) => self.layer(*node),
            None => OperationKeys::default(),
        }
    }

    /// The operations of a path item by method, in the document's order.
    fn methods(&mut self, item: &[Node<'a>]) -> Vec<(String, Node<'a>)> {
        let mut found = Vec::new();
        for node in item {
            for (method, value) in self.methods_of(*node) {
                if !found.iter().any(|(known, _)| *known == method) {
                    found.push((method, value));
                }
            }
        }
        found
    }

    fn methods_of(&mut self, item: Node<'a>) -> Vec<(String, Node<'a>)> {
        let mut found = Vec::new();
        for (key, raw) in item.entries() {
            let Some(value) = self.spec.resolve(raw) else { continue };
            if METHODS.contains(&key.text) && value.is_map() {
                found.push((key.text.to_ascii_uppercase(), value));
            } else if key.text == "additionalOperations" {
                for (name, value) in self.spec.entries(value).filter(|(_, value)| value.is_map()) {
                    if !is_token(name.text) {
                        let message = format!("`{}` is no method", shown(name.text));
                        self.sink
                            .error(codes::METHOD_NAME, name.span, message)
                            .help("a method is made of letters, digits and `-`, as it stands in a request");
                    } else if METHODS.contains(&name.text.to_ascii_lowercase().as_str()) {
                        let field = name.text.to_ascii_lowercase();
                        self.sink
                            .error(codes::METHOD_NAME, name.span, format!("`{}` has a field of its own", name.text))
                            .help(format!("write it under `{field}`"));
                    } else {
                        found.push((name.text.to_owned(), value));
                    }
                }
            }
        }
        found
    }

    /// Operations that are sent, not served: nobody calls them, so nobody may.
    fn sent(&mut self, item: &[Node<'a>], name: &str, span: Span, policies: &mut PolicySet) -> Vec<Operation> {
        let template = PathTemplate { text: name.to_owned(), span, segments: Vec::new() };
        let mut found = Vec::new();
        self.unguarded(item);
        for (method, node) in self.methods(item) {
            if !self.afford(node) {
                break;
            }
            self.unguarded(&[node]);
            let mut operation = self.operation(item, &method, node, template.clone());
            operation.policy = policies.add(gatewright_ir::Policy::nobody());
            found.push(operation);
        }
        found
    }

    /// `x-security` of what is sent: nobody asks for it who could be let in or refused.
    fn unguarded(&mut self, nodes: &[Node<'a>]) {
        let keys = nodes.iter().flat_map(|node| node.entries()).filter(|(key, _)| key.text == "x-security");
        for (key, _) in keys {
            self.sink
                .error(codes::MISPLACED_POLICY, key.span, "`x-security` has no meaning in a webhook or callback")
                .label("this is sent, and nothing guards it")
                .help("remove it; what is sent is for the handler that sends it to judge");
        }
    }

    fn operation(&mut self, item: &[Node<'a>], method: &str, node: Node<'a>, path: PathTemplate) -> Operation {
        let span = node.anchor_span();
        let served = !path.segments.is_empty();
        let tags = self.spec.get(node, "tags").into_iter().flat_map(Node::items);
        let mut operation = Operation {
            id: text(node, "operationId").unwrap_or_default(),
            id_given: node.get("operationId").is_some_and(|id| id.text().is_some_and(|t| !t.is_empty())),
            method: method.to_owned(),
            span,
            summary: text(node, "summary"),
            description: text(node, "description"),
            tags: tags.filter_map(|tag| tag.text().map(str::to_owned)).collect(),
            deprecated: truth(node, "deprecated"),
            parameters: self.parameters(item, node, if served { Some(&path) } else { None }),
            body: self.body(node),
            responses: self.responses(node),
            callbacks: Vec::new(),
            policy: gatewright_ir::PolicyId::default(),
            path,
        };
        if served {
            operation.callbacks = self.callbacks(node);
        }
        operation
    }

    fn callbacks(&mut self, node: Node<'a>) -> Vec<Operation> {
        let mut found = Vec::new();
        let Some(callbacks) = self.spec.get(node, "callbacks") else { return found };
        // What is called back is somebody else's to guard; these policies are of no set that is ever asked.
        let mut nobody = PolicySet::default();
        for (_, callback) in self.spec.entries(callbacks) {
            for (key, raw) in callback.entries().filter(|(key, _)| !key.text.starts_with("x-")) {
                if !closes(key.text) {
                    self.sink
                        .warning(
                            codes::PATH_TEMPLATE,
                            key.span,
                            format!("the braces of `{}` do not close one another", shown(key.text)),
                        )
                        .label("no value stands for what they hold")
                        .help("write each expression as in `{$request.body#/url}`");
                }
                let item = self.item(raw);
                let mut sent = self.sent(&item, key.text, key.span, &mut nobody);
                sent.iter_mut().for_each(|o| o.policy = gatewright_ir::PolicyId(u32::MAX));
                found.extend(sent);
            }
        }
        found
    }

    /// Gives each operation an id of its own.
    fn identify(&mut self, api: &mut Api) {
        let mut given: HashMap<String, Span> = HashMap::new();
        for operation in &mut api.operations {
            if !operation.id_given {
                continue;
            }
            let Some(first) = given.get(&operation.id) else {
                given.insert(operation.id.clone(), operation.span);
                continue;
            };
            if *first == operation.span {
                // One operation that several paths share by reference: what it is called tells none of them apart.
                operation.id_given = false;
                continue;
            }
            self.sink
                .error(
                    codes::DUPLICATE_OPERATION_ID,
                    operation.span,
                    format!("two operations are named `{}`", shown(&operation.id)),
                )
                .related(*first, "the first")
                .help("give each operation its own `operationId`");
        }
        let mut used: HashSet<String> = given.into_keys().collect();
        name_unnamed(&mut api.operations.iter_mut().collect::<Vec<_>>(), &mut used);
        // What is sent may repeat the ids of what is served: that harms nobody.
        let mut sent: Vec<&mut Operation> =
            api.operations.iter_mut().flat_map(|o| &mut o.callbacks).chain(&mut api.webhooks).collect();
        name_unnamed(&mut sent, &mut used.clone());
        for operation in sent {
            if used.contains(&operation.id) {
                operation.id = with_suffix(&operation.id, operation, &used);
            }
            used.insert(operation.id.clone());
        }
    }

    /// The policy of an operation, from its own keys, its path item's, and the root's.
    fn policy(&mut self, node: Node<'a>, span: Span, path_item: &OperationKeys) -> gatewright_ir::Policy {
        let own = self.layer(node);
        // The root's alternatives are copied into each policy.
        let shared = self.spec.get(self.spec.root(), "security").map_or(0, |s| s.items().map(|a| a.len() + 1).sum());
        if node.has("security") || self.spend(shared, node) {
            return super::policies::effective(self.spec, node, span, &own, path_item, &self.root.defaults, self.sink);
        }
        gatewright_ir::Policy::nobody()
    }
}

/// `get /a/{id}` → `getAById`.
fn made_id(method: &str, path: &PathTemplate) -> String {
    let mut id = case::snake(method).replace('_', "");
    if path.segments.is_empty() {
        id.push_str(&case::pascal(&path.text));
    }
    for piece in path.segments.iter().flatten() {
        match piece {
            PathPiece::Literal(text) => id.push_str(&case::pascal(text)),
            PathPiece::Parameter(name) => {
                id.push_str("By");
                id.push_str(&case::pascal(name));
            }
        }
    }
    id
}

/// Names the operations to which the document gives no id, after their methods and paths. Where several would be called
/// the same, the one with the shortest path is; the others get a suffix of their own text. So a further operation renames
/// none but, at most, the one whose name it would have.
fn name_unnamed(operations: &mut [&mut Operation], used: &mut HashSet<String>) {
    let mut unnamed: Vec<&mut Operation> = operations.iter_mut().filter(|o| !o.id_given).map(|o| &mut **o).collect();
    unnamed.sort_by(|a, b| {
        let key = |o: &Operation| (o.path.text.len(), o.path.text.clone(), o.method.clone());
        key(a).cmp(&key(b))
    });
    for operation in unnamed {
        let plain = made_id(&operation.method, &operation.path);
        operation.id = if used.contains(&plain) { with_suffix(&plain, operation, used) } else { plain };
        used.insert(operation.id.clone());
    }
}

fn with_suffix(plain: &str, operation: &Operation, used: &HashSet<String>) -> String {
    let mut text = format!("{} {}", operation.method, operation.path.text);
    loop {
        let id = format!("{plain}X{:04x}", short_hash(&text));
        if !used.contains(&id) {
            return id;
        }
        text.push('+');
    }
}

/// Whether every brace of a callback's URL is closed, and none opened within another.
fn closes(expression: &str) -> bool {
    let mut open = false;
    for c in expression.chars().filter(|c| matches!(c, '{' | '}')) {
        if open == (c == '{') {
            return false;
        }
        open = !open;
    }
    !open
}
