//! `x-security` of a security scheme: how its credential is verified.

use gatewright_diag::{Span, Spanned, codes};
use gatewright_ir::policy::{Anomaly, ApiKey, Bound, Introspection, Jwt, Keys, SchemeKind, Setting, Verify, WebAuthn};
use gatewright_policy::table::Algorithm;

use super::read::Reader;
use super::{ANOMALY, BOUND, INTROSPECTION, KEY_SCHEME, KEY_SOURCES, TOKEN_SCHEME, WEBAUTHN_SCHEME, values};
use crate::lower::json;
use crate::syntax::Node;

const ALGORITHMS: [(&str, Algorithm); 9] = [
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("EdDSA", Algorithm::EdDSA),
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
];

/// How a scheme with this `x-security` is verified. Where it cannot be understood that is reported, and the application
/// stands in so that the rest can be looked at.
pub(crate) fn verify(kind: &SchemeKind, node: Node<'_>, reader: &mut Reader<'_>) -> Verify {
    let found = match kind {
        SchemeKind::ApiKey { .. } => reader.api_key(node).map(Verify::ApiKey),
        SchemeKind::OAuth2 | SchemeKind::OpenIdConnect { .. } => reader.token(node),
        SchemeKind::Http { scheme, .. } if scheme == "bearer" => reader.token(node),
        SchemeKind::Http { scheme, .. } if scheme == "webauthn" => reader.webauthn(node).map(Verify::WebAuthn),
        SchemeKind::Http { .. } | SchemeKind::MutualTls => {
            reader
                .sink
                .error(
                    codes::VOCABULARY_MISPLACED,
                    node.anchor_span(),
                    "`x-security` says nothing about this kind of scheme",
                )
                .help("leave it away: the application verifies this credential");
            None
        }
    };
    found.unwrap_or(Verify::Application)
}

impl Reader<'_> {
    fn token(&mut self, node: Node<'_>) -> Option<Verify> {
        if !self.object(node, TOKEN_SCHEME) {
            return None;
        }
        let scopes_claim = match node.get("scopes-claim") {
            Some(value) => self.claim_path(value)?,
            None => vec!["scope".to_owned()],
        };
        let roles_claim = match node.get("roles-claim") {
            Some(value) => Some(self.claim_path(value)?),
            None => None,
        };
        let issuer = node.get("issuer").and_then(|value| self.text_setting(value));
        let audience = node.get("audience").and_then(|value| self.audience(value));
        let leeway = node.get("leeway").map_or(Some(30), |value| self.leeway(value));
        let bound = match node.get("bound") {
            Some(value) => Some(self.bound(value)?),
            None => None,
        };
        let introspection = match node.get("introspection") {
            Some(value) => {
                let (url, cache, span) = self.introspection(value)?;
                let asked = Introspection {
                    url,
                    cache,
                    issuer: issuer.clone(),
                    audience: audience.clone().unwrap_or_default(),
                    leeway: leeway?,
                    bound: bound.clone(),
                    scopes_claim: scopes_claim.clone(),
                    roles_claim: roles_claim.clone(),
                };
                Some(Spanned::new(asked, span))
            }
            None => None,
        };
        if let (Some(introspection), false) = (&introspection, node.has("keys")) {
            return self.opaque(node, introspection.clone());
        }
        let mut complete = true;
        for (key, why) in [
            ("issuer", "say who signs the tokens: `issuer: https://login.example.com/`"),
            ("audience", "say whom the tokens are for, else tokens for other services are taken: `audience: my-api`"),
            ("keys", "say where the issuer's keys are: `keys: { file: jwks.json }`"),
            ("algorithms", "pin the signature algorithms: `algorithms: [ES256]`"),
        ] {
            if !node.has(key) {
                self.missing(node, key, why);
                complete = false;
            }
        }
        let keys = node.get("keys").and_then(|value| self.keys(value));
        let algorithms = node.get("algorithms").and_then(|value| self.algorithms(value));
        let max_lifetime = node.get("max-lifetime").map_or(Some(3_600), |value| self.seconds(value));
        let typed = match node.get("typ") {
            Some(value) => self.word(value, &[("at+jwt", true), ("any", false)]),
            None => Some(true),
        };
        if !complete {
            return None;
        }
        Some(Verify::Jwt(Box::new(Jwt {
            span: node.anchor_span(),
            issuer: issuer?,
            audience: audience?,
            keys: keys?,
            algorithms: algorithms?,
            max_lifetime: max_lifetime?,
            leeway: leeway?,
            typed: typed?,
            scopes_claim,
            roles_claim,
            bound,
            introspection,
        })))
    }

    /// A scheme whose tokens are all asked about. What only signed tokens have would not be checked, so it may not be said.
    fn opaque(&mut self, node: Node<'_>, introspection: Spanned<Introspection>) -> Option<Verify> {
        for key in ["algorithms", "typ", "max-lifetime"] {
            if let Some(value) = node.get(key) {
                self.sink
                    .error(codes::VOCABULARY_VALUE, value.anchor_span(), format!("`{key}` is of signed tokens only"))
                    .help("say where their keys are: `keys: { discovery: true }`, or leave it away");
                return None;
            }
        }
        if !node.has("audience") {
            let why = "say whom the tokens are for, else tokens for other services are taken: `audience: my-api`";
            self.missing(node, "audience", why);
            return None;
        }
        Some(Verify::Introspection(introspection))
    }

    fn audience(&mut self, node: Node<'_>) -> Option<Vec<Spanned<gatewright_ir::policy::Setting<String>>>> {
        if node.is_seq() && !node.is_empty() {
            return self.each(node, Self::text_setting);
        }
        Some(vec![self.text_setting(node)?])
    }

    fn keys(&mut self, node: Node<'_>) -> Option<Spanned<Keys>> {
        if !self.object(node, KEY_SOURCES) {
            return None;
        }
        let sources: Vec<(&str, Node<'_>)> = node.entries().map(|(key, value)| (key.text, value)).collect();
        let [(source, value)] = sources.as_slice() else {
            let message =
                if sources.is_empty() { "the keys come from nowhere" } else { "the keys come from several places" };
            self.sink
                .error(codes::VOCABULARY_VALUE, node.anchor_span(), message)
                .help("say exactly one of `file`, `inline`, `jwks`, `discovery`");
            return None;
        };
        let keys = match *source {
            "file" => Keys::File(self.text_setting(*value)?.value),
            "jwks" => Keys::Url(self.url_setting(*value)?.value),
            "discovery" => match self.boolean(*value)? {
                true => Keys::Discovery,
                false => {
                    self.wrong_value(*value, "say where the keys are: `file`, `inline` or `jwks`");
                    return None;
                }
            },
            "inline" => {
                if !value.get("keys").is_some_and(|keys| keys.is_seq() && !keys.is_empty()) {
                    self.wrong_type(*value, "a key set such as `{ keys: [ … ] }`");
                    return None;
                }
                let private = value.get("keys").into_iter().flat_map(Node::items).find(|k| k.has("d") || k.has("k"));
                if let Some(private) = private {
                    self.sink
                        .error(codes::VOCABULARY_VALUE, private.anchor_span(), "a secret key stands in the document")
                        .help("keep the public part only: leave `d`, `p`, `q`, `dp`, `dq`, `qi` and `k` away");
                    return None;
                }
                Keys::Inline(json::of_node(*value)?.to_text())
            }
            _ => return None,
        };
        Some(Spanned::new(keys, node.anchor_span()))
    }

    fn algorithms(&mut self, node: Node<'_>) -> Option<Vec<Spanned<Algorithm>>> {
        if !node.is_seq() || node.is_empty() {
            self.wrong_type(node, "a list of signature algorithms such as `[ES256]`");
            return None;
        }
        self.each(node, |reader, item| match item.text() {
            Some(text) if text.starts_with("HS") || text.eq_ignore_ascii_case("none") => {
                let help = "use an asymmetric algorithm such as `ES256`: whoever verifies an HMAC can also sign";
                reader.wrong_value(item, help);
                None
            }
            _ => Some(Spanned::new(reader.word(item, &ALGORITHMS)?, item.span())),
        })
    }

    fn leeway(&mut self, node: Node<'_>) -> Option<u32> {
        if node.text() == Some("0s") {
            return Some(0);
        }
        let leeway = self.seconds(node)?;
        if leeway > 300 {
            self.wrong_value(node, "clocks that differ by more than five minutes are broken: write at most `5m`");
            return None;
        }
        Some(leeway)
    }

    /// `[dpop, mtls]`, or `{ methods: […], require: true, nonce: true }`.
    fn bound(&mut self, node: Node<'_>) -> Option<Spanned<Bound>> {
        let (methods, require, nonce) = if node.is_map() {
            if !self.object(node, BOUND) {
                return None;
            }
            let mut flag = |key: &str| match node.get(key) {
                Some(value) => self.boolean(value),
                None => Some(false),
            };
            let (require, nonce) = (flag("require")?, flag("nonce")?);
            (node.get("methods"), require, nonce)
        } else {
            (Some(node), false, false)
        };
        let Some(methods) = methods.filter(|m| m.is_seq() && !m.is_empty()) else {
            self.wrong_type(node, "a list of `dpop` and `mtls`");
            return None;
        };
        let mut bound = Bound { dpop: false, mtls: false, require, nonce };
        for item in methods.items() {
            match self.word(item, &[("dpop", true), ("mtls", false)])? {
                true => bound.dpop = true,
                false => bound.mtls = true,
            }
        }
        if bound.nonce && !bound.dpop {
            self.sink
                .error(codes::VOCABULARY_VALUE, node.anchor_span(), "only proofs of `dpop` have a nonce")
                .help("add `dpop` to the methods, or leave `nonce` away");
            return None;
        }
        Some(Spanned::new(bound, node.anchor_span()))
    }

    /// Where tokens are asked about, for how many seconds an answer is kept, and where it stands.
    fn introspection(&mut self, node: Node<'_>) -> Option<(Spanned<Setting<String>>, u32, Span)> {
        if !self.object(node, INTROSPECTION) {
            return None;
        }
        let Some(url) = node.get("url") else {
            self.missing(node, "url", "say where tokens are looked up: `url: https://login.example.com/introspect`");
            return None;
        };
        let cache = match node.get("cache") {
            Some(value) => self.seconds(value)?,
            None => 0,
        };
        Some((self.url_setting(url)?, cache, node.anchor_span()))
    }

    fn api_key(&mut self, node: Node<'_>) -> Option<ApiKey> {
        if !self.object(node, KEY_SCHEME) {
            return None;
        }
        let Some(prefix) = node.get("prefix") else {
            self.missing(node, "prefix", "say what keys start with, so that leaked ones can be found: `prefix: wx`");
            return None;
        };
        let text = self.name(prefix)?;
        let sound = text.len() <= 16
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if !sound {
            self.wrong_value(prefix, "a prefix is a lower-case letter and up to 15 more letters or digits");
            return None;
        }
        let rotate_every = match node.get("rotate-every") {
            Some(value) => Some(self.seconds(value)?),
            None => None,
        };
        let grace = match node.get("grace") {
            Some(value) => self.seconds(value)?,
            None => 0,
        };
        let anomaly = match node.get("anomaly") {
            Some(value) => Some(self.anomaly(value)?),
            None => None,
        };
        Some(ApiKey { prefix: text.value, rotate_every, grace, anomaly })
    }

    fn anomaly(&mut self, node: Node<'_>) -> Option<Spanned<Anomaly>> {
        if !self.object(node, ANOMALY) {
            return None;
        }
        let new_network = match node.get("new-network") {
            Some(value) => Some(self.word(value, &[("warn", "warn"), ("refuse", "refuse")])?.to_owned()),
            None => None,
        };
        let spike = match node.get("spike") {
            Some(value) => {
                let times = value.text().and_then(|t| t.strip_suffix('x')).and_then(|t| t.parse().ok());
                match times.filter(|times: &u32| *times > 1) {
                    Some(times) => Some(times),
                    None => {
                        self.wrong_value(value, "write how many times the usual traffic: `10x`");
                        return None;
                    }
                }
            }
            None => None,
        };
        Some(Spanned::new(Anomaly { new_network, spike }, node.anchor_span()))
    }

    fn webauthn(&mut self, node: Node<'_>) -> Option<WebAuthn> {
        if !self.object(node, WEBAUTHN_SCHEME) {
            return None;
        }
        for (key, why) in [
            ("rp-id", "say the domain that passkeys are for: `rp-id: bank.example.com`"),
            ("origins", "say which pages may ask: `origins: [\"https://bank.example.com\"]`"),
        ] {
            if !node.has(key) {
                self.missing(node, key, why);
            }
        }
        let rp_id = node.get("rp-id").and_then(|value| self.setting(value, values::host));
        let rp_name = match node.get("rp-name") {
            Some(value) => Some(self.text(value)?.value),
            None => None,
        };
        let origins = node.get("origins")?;
        if !origins.is_seq() || origins.is_empty() {
            self.wrong_type(origins, "a list of origins");
            return None;
        }
        let origins = self.each(origins, Self::url_setting)?;
        let words = [("required", "required"), ("preferred", "preferred"), ("discouraged", "discouraged")];
        let user_verification = match node.get("user-verification") {
            Some(value) => self.word(value, &words)?,
            None => "required",
        };
        Some(WebAuthn {
            span: node.anchor_span(),
            rp_id: rp_id?.value,
            rp_name,
            origins,
            user_verification: user_verification.to_owned(),
        })
    }
}
