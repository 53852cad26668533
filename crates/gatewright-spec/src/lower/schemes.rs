//! Security schemes: what OpenAPI says of each, and how its credential is verified.

use std::collections::HashSet;

use gatewright_diag::{Spanned, codes};
use gatewright_ir::PolicySet;
use gatewright_ir::api::Location;
use gatewright_ir::policy::{Flow, Limit, LimitKey, Measure, Quota, Scheme, SchemeKind, Verify};

use super::{Lower, is_token, shown, text};
use crate::syntax::{Key, Node};
use crate::vocabulary::{Reader, verify};

impl<'a> Lower<'a, '_> {
    /// Everything about who may that no single operation says.
    pub(super) fn policies(&mut self) -> PolicySet {
        let root = self.root.clone();
        let mut policies = PolicySet::default();
        policies.roles = root.roles;
        policies.levels = root.levels;
        policies.networks = root.networks;
        policies.actions = root.actions;
        policies.allow_networks = root.allow_networks;
        // What no operation answers runs nothing.
        let counted = |limit: &Limit| matches!(limit.quota, Quota::Flat(_)) && limit.measure != Measure::Concurrent;
        let by_address = |limit: &Limit| limit.by == [LimitKey::Address] && counted(limit);
        let limits = root.defaults.limits.iter().flat_map(|limits| &limits.value);
        policies.limits = limits.filter(|limit| by_address(limit)).cloned().collect();
        policies.transport = root.transport;
        policies.lifecycle = root.lifecycle;
        policies.errors = root.errors;
        policies.shared_limits = root.limits;
        let components = self.spec.get(self.spec.root(), "components");
        if let Some(schemes) = components.and_then(|c| self.spec.get(c, "securitySchemes")) {
            for (key, node) in self.spec.entries(schemes) {
                policies.schemes.extend(self.scheme(key, node));
            }
        }
        policies
    }

    fn scheme(&mut self, key: Key<'a>, node: Node<'a>) -> Option<Scheme> {
        // A scheme that cannot be understood was reported; it is kept by name, so that nobody says it is unknown.
        let kind = self.kind(node).unwrap_or(SchemeKind::Http { scheme: String::new(), bearer_format: None });
        let verified = match node.get("x-security") {
            Some(keys) => verify(&kind, keys, &mut Reader { sink: self.sink }),
            None => Verify::Application,
        };
        let mut scopes: Vec<(Spanned<String>, String)> = Vec::new();
        let mut known: HashSet<&str> = HashSet::new();
        let mut flows = Vec::new();
        let said = self.spec.get(node, "flows");
        for (kind, flow) in said.into_iter().flat_map(|flows| self.spec.entries(flows)) {
            flows.push(self.flow(kind, flow));
            for (scope, about) in self.spec.get(flow, "scopes").into_iter().flat_map(Node::entries) {
                if known.insert(scope.text) {
                    let about = about.text().unwrap_or("").to_owned();
                    scopes.push((Spanned::new(scope.text.to_owned(), scope.span), about));
                }
            }
        }
        Some(Scheme {
            name: Spanned::new(key.text.to_owned(), key.span),
            description: text(node, "description"),
            scopes_declared: kind == SchemeKind::OAuth2,
            kind,
            scopes,
            flows,
            verify: verified,
        })
    }

    fn flow(&self, kind: Key<'a>, node: Node<'a>) -> Flow {
        let scopes = self.spec.get(node, "scopes").into_iter().flat_map(Node::entries);
        Flow {
            kind: Spanned::new(kind.text.to_owned(), kind.span),
            authorization_url: text(node, "authorizationUrl"),
            token_url: text(node, "tokenUrl"),
            refresh_url: text(node, "refreshUrl"),
            device_url: text(node, "deviceAuthorizationUrl"),
            scopes: scopes.map(|(name, about)| (name.text.to_owned(), about.text().unwrap_or("").to_owned())).collect(),
        }
    }

    fn kind(&mut self, node: Node<'a>) -> Option<SchemeKind> {
        Some(match node.get("type")?.as_str()? {
            "apiKey" => {
                let name = text(node, "name")?;
                let location = match node.get("in")?.as_str()? {
                    "header" => Location::Header,
                    "query" => Location::Query,
                    "cookie" => Location::Cookie,
                    _ => return None,
                };
                if location != Location::Query && !is_token(&name) {
                    let span = node.get("name").map(Node::span);
                    self.sink
                        .error(
                            codes::HEADER_NAME,
                            span,
                            format!("`{}` is no name for a {}", shown(&name), location.as_str()),
                        )
                        .help("use letters, digits, `-` and `_`");
                    return None;
                }
                SchemeKind::ApiKey { location, name }
            }
            "http" => SchemeKind::Http {
                scheme: text(node, "scheme")?.to_ascii_lowercase(),
                bearer_format: text(node, "bearerFormat"),
            },
            "oauth2" => SchemeKind::OAuth2,
            "openIdConnect" => SchemeKind::OpenIdConnect { url: text(node, "openIdConnectUrl").unwrap_or_default() },
            "mutualTLS" => SchemeKind::MutualTls,
            _ => return None,
        })
    }
}
