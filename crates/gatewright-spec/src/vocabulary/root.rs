//! `x-security` at the root of a document: catalogues, transport, lifecycle, errors, defaults.

use gatewright_diag::{Spanned, codes};
use gatewright_ir::policy::{Action, Errors, Level, Lifecycle, Network, Role, Setting, SharedLimits, Transport};
use gatewright_policy::table::{ClientCertificates, Hsts, Https, Status};

use super::operation::OperationKeys;
use super::read::Reader;
use super::{ACTION, ERRORS, HSTS, LEVEL, LIFECYCLE, LIMITS, ROLE, ROOT, ROOT_ALLOW, TRANSPORT, values};
use crate::syntax::Node;

/// What the root says.
#[allow(missing_docs)] // each is the key of its name
#[derive(Clone, Debug, Default)]
pub struct RootKeys {
    pub transport: Transport,
    pub allow_networks: Vec<Spanned<String>>,
    pub roles: Vec<Role>,
    pub levels: Vec<Level>,
    pub networks: Vec<Network>,
    pub actions: Vec<Action>,
    pub lifecycle: Lifecycle,
    pub errors: Errors,
    pub limits: Option<Spanned<SharedLimits>>,
    pub defaults: OperationKeys,
}

impl RootKeys {
    /// Reads the root's `x-security`. Keys that cannot be understood are reported and left out.
    pub(crate) fn read(node: Node<'_>, reader: &mut Reader<'_>) -> RootKeys {
        let mut keys = RootKeys::default();
        if !reader.object(node, ROOT) {
            return keys;
        }
        for (key, value) in node.entries() {
            match key.text {
                "vocabulary" => reader.version(value),
                "transport" => keys.transport = reader.transport(value),
                "allow" if reader.object(value, ROOT_ALLOW) => {
                    if let Some(names) = value.get("networks") {
                        keys.allow_networks = reader.names(names).unwrap_or_default();
                    }
                }
                "roles" => keys.roles = reader.catalogue(value, Reader::role),
                "levels" => keys.levels = reader.catalogue(value, Reader::level),
                "networks" => keys.networks = reader.catalogue(value, Reader::network),
                "actions" => keys.actions = reader.catalogue(value, Reader::action),
                "lifecycle" => keys.lifecycle = reader.lifecycle(value),
                "errors" => keys.errors = reader.errors(value),
                "limits" => keys.limits = reader.shared_limits(value),
                "defaults" => keys.defaults = OperationKeys::read(value, reader),
                _ => {}
            }
        }
        keys
    }
}

impl Reader<'_> {
    fn version(&mut self, node: Node<'_>) {
        if node.as_u64() != Some(1) {
            self.sink
                .error(codes::VOCABULARY_VALUE, node.span(), "this is no version of the vocabulary that is known")
                .help("write `vocabulary: 1`");
        }
    }

    /// An object whose keys are names that the document makes up.
    fn catalogue<T>(&mut self, node: Node<'_>, read: fn(&mut Self, Spanned<String>, Node<'_>) -> T) -> Vec<T> {
        if !node.is_map() {
            self.wrong_type(node, "an object");
            return Vec::new();
        }
        let mut found = Vec::new();
        for (key, value) in node.entries() {
            if key.text.is_empty() || key.text.contains("${") {
                self.sink
                    .error(codes::VOCABULARY_VALUE, key.span, "a name is fixed text, and not empty")
                    .help("write the name itself");
                continue;
            }
            found.push(read(self, Spanned::new(key.text.to_owned(), key.span), value));
        }
        found
    }

    fn name_list(&mut self, node: Node<'_>, key: &str) -> Vec<Spanned<String>> {
        match node.get(key) {
            Some(value) if value.is_seq() && value.is_empty() => Vec::new(),
            Some(value) => self.names(value).unwrap_or_default(),
            None => Vec::new(),
        }
    }

    // An entry that cannot be read keeps its name, so that nobody says it is declared nowhere.

    fn role(&mut self, name: Spanned<String>, node: Node<'_>) -> Role {
        self.object(node, ROLE);
        Role { name, scopes: self.name_list(node, "scopes"), inherits: self.name_list(node, "inherits") }
    }

    fn level(&mut self, name: Spanned<String>, node: Node<'_>) -> Level {
        self.object(node, LEVEL);
        let rate = node.get("rate-limit").and_then(|value| self.rate(value));
        Level { name, scopes: self.name_list(node, "scopes"), rate }
    }

    fn network(&mut self, name: Spanned<String>, node: Node<'_>) -> Network {
        if node.is_seq() && node.is_empty() {
            self.wrong_type(node, "a list with at least one network");
        }
        let ranges = self.list(node).into_iter().filter_map(|item| self.range(item)).collect();
        Network { name, ranges }
    }

    /// A network; a deployment may set several, separated by commas.
    fn range(&mut self, node: Node<'_>) -> Option<Spanned<Setting<String>>> {
        self.setting(node, |text| match text.split(',').map(|part| values::network(part.trim())).collect() {
            Ok::<Vec<String>, String>(ranges) if ranges.len() == 1 || node.text().is_some_and(|t| t.contains("${")) => {
                Ok(ranges.join(","))
            }
            Ok(_) => Err("write each network as an item of its own".to_owned()),
            Err(help) => Err(help),
        })
    }

    fn action(&mut self, name: Spanned<String>, node: Node<'_>) -> Action {
        let mut action = Action { name, limits: Vec::new() };
        if !self.object(node, ACTION) {
            return action;
        }
        let Some(limits) = node.get("rate-limit") else {
            self.missing(node, "rate-limit", "say how much: `rate-limit: { by: ip, limit: 5/15min }`");
            return action;
        };
        let nested = limits.items().chain([limits]).find(|limit| limit.has("action"));
        if let Some(nested) = nested {
            self.sink
                .error(codes::VOCABULARY_VALUE, nested.anchor_span(), "a named bucket draws from another")
                .help("say its own limits: `{ by: ip, limit: 5/15min }`");
            return action;
        }
        action.limits = self.limits(limits).unwrap_or_default();
        action
    }

    fn transport(&mut self, node: Node<'_>) -> Transport {
        let mut transport = Transport::default();
        if !self.object(node, TRANSPORT) {
            return transport;
        }
        for (key, value) in node.entries() {
            match key.text {
                "https" => {
                    let words = [("required", Https::Required), ("redirect", Https::Redirect), ("off", Https::Off)];
                    transport.https = self.word(value, &words).unwrap_or(transport.https);
                }
                "min-tls" => {
                    let words = [("1.2", false), ("1.3", true)];
                    transport.tls13_only = self.word(value, &words).unwrap_or(true);
                }
                "hsts" => transport.hsts = self.hsts(value),
                "client-certificates" => {
                    let words = [
                        ("off", ClientCertificates::Off),
                        ("optional", ClientCertificates::Optional),
                        ("required", ClientCertificates::Required),
                    ];
                    transport.client_certificates = self.word(value, &words).unwrap_or(ClientCertificates::Required);
                }
                "hosts" => {
                    let items = self.list(value);
                    transport.hosts = items.into_iter().filter_map(|i| self.setting(i, values::host)).collect();
                }
                "trusted-proxies" => {
                    let items = self.list(value);
                    transport.trusted_proxies = items.into_iter().filter_map(|i| self.range(i)).collect();
                }
                _ => {}
            }
        }
        transport
    }

    fn hsts(&mut self, node: Node<'_>) -> Option<Hsts> {
        if node.text() == Some("off") {
            return None;
        }
        let mut hsts = Transport::default().hsts?;
        if !self.object(node, HSTS) {
            return Some(hsts);
        }
        if let Some(value) = node.get("max-age") {
            hsts.max_age = self.seconds(value).map_or(hsts.max_age, u64::from);
        }
        if let Some(value) = node.get("include-subdomains") {
            hsts.include_subdomains = self.boolean(value).unwrap_or(true);
        }
        if let Some(value) = node.get("preload") {
            hsts.preload = self.boolean(value).unwrap_or(false);
        }
        Some(hsts)
    }

    fn lifecycle(&mut self, node: Node<'_>) -> Lifecycle {
        let mut lifecycle = Lifecycle { span: node.anchor_span(), ..Lifecycle::default() };
        if !self.object(node, LIFECYCLE) {
            return lifecycle;
        }
        for (key, value) in node.entries() {
            match key.text {
                "status" => {
                    let words = [
                        ("preview", Status::Preview),
                        ("stable", Status::Stable),
                        ("deprecated", Status::Deprecated),
                        ("retired", Status::Retired),
                    ];
                    lifecycle.status = self.word(value, &words).unwrap_or(Status::Retired);
                }
                "deprecated-at" => lifecycle.deprecated_at = self.date(value),
                "sunset" => lifecycle.sunset = self.date(value),
                "successor" => lifecycle.successor = self.name(value).map(|t| t.value),
                "documentation" => lifecycle.documentation = self.name(value).map(|t| t.value),
                "notes" => lifecycle.notes = self.text(value).map(|t| t.value),
                _ => {}
            }
        }
        lifecycle
    }

    fn date(&mut self, node: Node<'_>) -> Option<i64> {
        match values::date(node.text().unwrap_or("")) {
            Ok(seconds) => Some(seconds),
            Err(help) => {
                self.wrong_value(node, &help);
                None
            }
        }
    }

    fn errors(&mut self, node: Node<'_>) -> Errors {
        let mut errors = Errors::default();
        if self.object(node, ERRORS) {
            errors.type_base = node.get("type-base").and_then(|value| self.url_setting(value)).map(|s| s.value);
            if let Some(value) = node.get("validation") {
                errors.validation = self.word(value, &[("400", 400), ("422", 422)]).unwrap_or(400);
            }
        }
        errors
    }

    fn shared_limits(&mut self, node: Node<'_>) -> Option<Spanned<SharedLimits>> {
        if !self.object(node, LIMITS) {
            return None;
        }
        let mut limits = SharedLimits::default();
        if let Some(value) = node.get("on-outage") {
            limits.local_on_outage = self.word(value, &[("closed", false), ("local", true)])?;
        }
        if let Some(value) = node.get("store-budget") {
            match values::duration(value.text().unwrap_or("")) {
                Ok(ms @ 1..=1_000) => limits.store_budget = ms as u32,
                Ok(_) => {
                    let help =
                        "every request may have to wait so long: a budget is at most `1s`, and `20ms` unless said";
                    self.wrong_value(value, help);
                    return None;
                }
                Err(_) => {
                    self.wrong_value(value, "write a short duration such as `20ms`");
                    return None;
                }
            }
        }
        Some(Spanned::new(limits, node.anchor_span()))
    }
}
