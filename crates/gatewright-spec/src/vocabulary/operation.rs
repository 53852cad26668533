//! `x-security` of an operation, a path item, or the root's `defaults`.

use gatewright_diag::{Spanned, codes};
use gatewright_ir::policy::{
    Allow, Claim, Idempotency, Limit, LimitKey, Measure, Must, Operand, Owner, Quota, Setting, StepUp, UnknownFields,
};
use gatewright_policy::Rate;

use super::read::Reader;
use super::{ALLOW, CLAIM, IDEMPOTENCY, LIMIT, OPERATION, OWNER, STEP_UP, values};
use crate::syntax::Node;

/// What one layer says, each key with its place.
#[allow(missing_docs)] // each is the key of its name
#[derive(Clone, Debug, Default)]
pub struct OperationKeys {
    pub public: Option<Spanned<String>>,
    pub roles: Option<Spanned<Vec<Spanned<String>>>>,
    pub level: Option<Spanned<String>>,
    pub claims: Option<Spanned<Vec<Claim>>>,
    pub owner: Option<Spanned<Owner>>,
    pub step_up: Option<Spanned<StepUp>>,
    pub allow: Option<Spanned<Allow>>,
    pub limits: Option<Spanned<Vec<Limit>>>,
    pub cost: Option<Spanned<u32>>,
    pub body_limit: Option<Spanned<Setting<u64>>>,
    pub timeout: Option<Spanned<Setting<u64>>>,
    pub idempotency: Option<Spanned<Idempotency>>,
    pub unknown_fields: Option<Spanned<UnknownFields>>,
    pub sensitive_flow: Option<Spanned<String>>,
    pub audit: Option<Spanned<bool>>,
    pub upstream: Option<Spanned<Setting<String>>>,
    /// Something in it was not understood, which was reported: what it does not say may have been meant.
    pub faulty: bool,
}

impl OperationKeys {
    /// Reads one layer. Keys that cannot be understood are reported and left out.
    pub(crate) fn read(node: Node<'_>, reader: &mut Reader<'_>) -> OperationKeys {
        let mut keys = OperationKeys::default();
        let before = reader.sink.errors();
        if !reader.object(node, OPERATION) {
            keys.faulty = true;
            return keys;
        }
        /// The value of a key with the key's own place, where it could be read.
        fn at<T>(node: Node<'_>, value: Option<T>) -> Option<Spanned<T>> {
            value.map(|value| Spanned::new(value, node.anchor_span()))
        }
        for (key, value) in node.entries() {
            match key.text {
                "public" => keys.public = reader.public(value),
                "roles" => keys.roles = at(value, reader.names(value)),
                "level" => keys.level = reader.name(value),
                "claims" => keys.claims = at(value, reader.claims(value)),
                "owner" => keys.owner = at(value, reader.owner(value)),
                "step-up" => keys.step_up = at(value, reader.step_up(value)),
                "allow" => keys.allow = at(value, reader.allow(value)),
                "rate-limit" => keys.limits = at(value, reader.limits(value)),
                "cost" => keys.cost = at(value, reader.count(value)),
                "body-limit" => keys.body_limit = reader.setting(value, values::size),
                "timeout" => keys.timeout = reader.setting(value, values::duration),
                "idempotency" => keys.idempotency = at(value, reader.idempotency(value)),
                "unknown-fields" => {
                    let words = [
                        ("refuse", UnknownFields::Refuse),
                        ("ignore", UnknownFields::Ignore),
                        ("keep", UnknownFields::Keep),
                    ];
                    keys.unknown_fields = at(value, reader.word(value, &words));
                }
                "sensitive-flow" => keys.sensitive_flow = reader.text(value),
                "audit" => keys.audit = at(value, reader.boolean(value)),
                "upstream" => keys.upstream = reader.url_setting(value),
                _ => {}
            }
        }
        keys.faulty = reader.sink.errors() > before;
        keys
    }
}

/// The keys that say how much, and what each counts.
const MEASURES: [(&str, Measure); 3] =
    [("limit", Measure::Rate), ("quota", Measure::Calendar), ("concurrent", Measure::Concurrent)];

impl Reader<'_> {
    fn public(&mut self, node: Node<'_>) -> Option<Spanned<String>> {
        match node.as_str() {
            Some(reason) if !reason.trim().is_empty() => Some(Spanned::new(reason.to_owned(), node.anchor_span())),
            _ => {
                self.sink
                    .error(codes::VOCABULARY_VALUE, node.anchor_span(), "`public` gives no reason")
                    .help("say in words why everybody may call it: `public: \"liveness probe; no data\"`");
                None
            }
        }
    }

    fn claims(&mut self, node: Node<'_>) -> Option<Vec<Claim>> {
        if !node.is_seq() || node.is_empty() {
            self.wrong_type(node, "a list of claims such as `{ claim: tenant, equals: acme }`");
            return None;
        }
        self.each(node, Self::claim)
    }

    fn claim(&mut self, node: Node<'_>) -> Option<Claim> {
        if !self.object(node, CLAIM) {
            return None;
        }
        let Some(path) = node.get("claim") else {
            self.missing(node, "claim", "name the claim: `{ claim: tenant, equals: \"{path.tenant}\" }`");
            return None;
        };
        let path = self.claim_path(path);
        let conditions: Vec<(&str, Node<'_>)> = ["equals", "in", "contains"]
            .into_iter()
            .filter_map(|key| node.get(key).map(|value| (key, value)))
            .collect();
        let [(condition, value)] = conditions.as_slice() else {
            self.missing(node, "equals", "say what the claim must be with exactly one of `equals`, `in`, `contains`");
            return None;
        };
        let must = match *condition {
            "equals" => Must::Equal(self.operand(*value)?),
            "contains" => Must::Contain(self.operand(*value)?),
            _ if !value.is_seq() || value.is_empty() => {
                self.wrong_type(*value, "a list with at least one value");
                return None;
            }
            _ => Must::In(self.each(*value, Self::operand)?),
        };
        Some(Claim { path: path?, must, span: node.span() })
    }

    fn operand(&mut self, node: Node<'_>) -> Option<Operand> {
        if let Some(value) = node.as_bool() {
            return Some(Operand::Bool(value));
        }
        if let Some(number) = node.as_number() {
            let value = number.as_i64();
            if value.is_none() {
                self.wrong_value(node, "a claim is compared with text, a whole number, `true` or `false`");
            }
            return value.map(Operand::Integer);
        }
        if let Some(reference) = self.reference(node)? {
            return Some(Operand::Request(reference));
        }
        self.name(node).map(|text| Operand::Text(text.value))
    }

    fn owner(&mut self, node: Node<'_>) -> Option<Owner> {
        if !self.object(node, OWNER) {
            return None;
        }
        let (Some(resource), Some(id)) = (node.get("resource"), node.get("id")) else {
            let key = if node.has("resource") { "id" } else { "resource" };
            self.missing(node, key, "write `owner: { resource: account, id: \"{path.accountId}\" }`");
            return None;
        };
        let resource = self.name(resource);
        match self.reference(id)? {
            Some(id) => Some(Owner { resource: resource?, id }),
            None => {
                self.wrong_value(id, "name the value of the request that is the id: `{path.accountId}`");
                None
            }
        }
    }

    fn step_up(&mut self, node: Node<'_>) -> Option<StepUp> {
        if !self.object(node, STEP_UP) {
            return None;
        }
        let (Some(method), Some(within)) = (node.get("method"), node.get("within")) else {
            let key = if node.has("method") { "within" } else { "method" };
            self.missing(node, key, "write `step-up: { method: webauthn, within: 5m }`");
            return None;
        };
        let word = self.word(method, &[("webauthn", "webauthn"), ("mfa", "mfa")]);
        let within = self.seconds(within)?;
        let acr = match node.get("acr") {
            None => Vec::new(),
            Some(value) if word == Some("webauthn") || (value.is_seq() && value.is_empty()) => {
                let (message, help) = if word == Some("webauthn") {
                    (
                        "`acr` is what a token says, and `webauthn` asks for a passkey",
                        "remove `acr`, or write `method: mfa`",
                    )
                } else {
                    ("an empty list admits nobody", "name an `acr` of the issuer, or leave the key away")
                };
                self.report(codes::VOCABULARY_VALUE, value.anchor_span(), message.to_owned(), help);
                return None;
            }
            Some(value) if !value.is_seq() => {
                self.wrong_type(value, "a list of `acr` values of the issuer");
                return None;
            }
            Some(value) => self.each(value, Self::acr)?,
        };
        Some(StepUp { method: Spanned::new(word?.to_owned(), method.span()), acr, within })
    }

    /// One of the words that a challenge lists behind `acr_values` (RFC 9470, 3): it holds no space.
    fn acr(&mut self, node: Node<'_>) -> Option<Spanned<String>> {
        let text = self.text(node)?;
        if text.value.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\')) {
            return Some(text);
        }
        self.wrong_value(node, "an `acr` is one word of visible ASCII, without quotes");
        None
    }

    fn allow(&mut self, node: Node<'_>) -> Option<Allow> {
        if !self.object(node, ALLOW) {
            return None;
        }
        if node.is_empty() {
            self.missing(node, "networks", "say who is allowed with `networks`, `users` or `devices`");
            return None;
        }
        let mut part = |key: &str| match node.get(key) {
            Some(value) => self.names(value).map(Some),
            None => Some(None),
        };
        // All are read before one of them ends it: their faults are shown at once.
        let (networks, users, devices) = (part("networks"), part("users"), part("devices"));
        Some(Allow { networks: networks?, users: users?, devices: devices? })
    }

    /// One limit, or a list of them.
    pub(super) fn limits(&mut self, node: Node<'_>) -> Option<Vec<Limit>> {
        if node.is_map() {
            return Some(vec![self.limit(node)?]);
        }
        if !node.is_seq() || node.is_empty() {
            self.wrong_type(node, "a list of limits such as `{ by: ip, limit: 100/min }`");
            return None;
        }
        self.each(node, Self::limit)
    }

    fn limit(&mut self, node: Node<'_>) -> Option<Limit> {
        if !self.object(node, LIMIT) {
            return None;
        }
        let span = node.span();
        if let Some(action) = node.get("action") {
            if node.len() > 1 {
                self.wrong_value(
                    action,
                    "a named bucket has its limits under the root's `actions`: leave `action` alone",
                );
                return None;
            }
            let quota = Quota::Action(self.name(action)?);
            return Some(Limit { by: Vec::new(), measure: Measure::Rate, quota, span });
        }
        let Some(by) = node.get("by") else {
            self.missing(node, "by", "say what is counted: `by: ip`, `user`, `key`, `client`, `level` or `claim:NAME`");
            return None;
        };
        let keys = if by.is_seq() && !by.is_empty() {
            self.each(by, Self::limit_key)
        } else {
            self.limit_key(by).map(|key| vec![key])
        };
        let burst = match node.get("burst") {
            Some(burst) => Some(self.count(burst)?),
            None => None,
        };
        let said = MEASURES.iter().filter_map(|(key, measure)| Some((*measure, node.get(key)?)));
        let (measure, quota) = match said.collect::<Vec<_>>()[..] {
            [] if keys.as_deref() == Some(&[LimitKey::Level]) && burst.is_none() => (Measure::Rate, Quota::OfLevel),
            [] => {
                self.missing(node, "limit", "say how much: `limit: 100/min`, `quota: 1000/day` or `concurrent: 4`");
                return None;
            }
            [(measure, _)] if measure != Measure::Rate && burst.is_some() => {
                let burst = node.get("burst").unwrap_or(node);
                self.wrong_value(burst, "only a rate (`limit`) has a `burst`: remove it");
                return None;
            }
            [(measure, much)] if much.is_map() => (measure, self.quota_by_name(much, measure, burst)?),
            [(measure, much)] => (measure, Quota::Flat(self.amount(much, measure, burst)?.value)),
            [_, (_, second), ..] => {
                self.wrong_value(second, "each limit says one thing: write a limit of its own for this");
                return None;
            }
        };
        Some(Limit { by: keys?, measure, quota, span })
    }

    /// How much, in the language of the key that says it.
    fn amount(&mut self, node: Node<'_>, measure: Measure, burst: Option<u32>) -> Option<Spanned<Setting<Rate>>> {
        match measure {
            Measure::Rate => self.burst_rate(node, burst),
            Measure::Calendar => self.setting(node, |text| Rate::quota(text).map_err(|e| e.to_string())),
            Measure::Concurrent => self.setting(node, |text| Rate::concurrent(text).map_err(|e| e.to_string())),
        }
    }

    fn burst_rate(&mut self, node: Node<'_>, burst: Option<u32>) -> Option<Spanned<Setting<Rate>>> {
        let rate = self.rate(node)?;
        match (rate.value, burst) {
            (Setting::Fixed(fixed), Some(burst)) => {
                Some(Spanned::new(Setting::Fixed(fixed.with_burst(burst)), rate.span))
            }
            (Setting::Environment(_), Some(_)) => {
                self.wrong_value(node, "a rate that the deployment sets has no `burst`: its burst is its count");
                None
            }
            (value, None) => Some(Spanned::new(value, rate.span)),
        }
    }

    fn quota_by_name(&mut self, node: Node<'_>, measure: Measure, burst: Option<u32>) -> Option<Quota> {
        let Some(default) = node.get("default") else {
            let help = match measure {
                Measure::Rate => "say the rate of everybody else: `default: 60/min`",
                Measure::Calendar => "say the quota of everybody else: `default: 1000/day`",
                Measure::Concurrent => "say how many of everybody else may run at once: `default: 2`",
            };
            self.missing(node, "default", help);
            return None;
        };
        let default = self.amount(default, measure, burst)?.value;
        let mut rates = Vec::new();
        for (key, value) in node.entries().filter(|(key, _)| key.text != "default") {
            rates.push((Spanned::new(key.text.to_owned(), key.span), self.amount(value, measure, burst)?.value));
        }
        Some(Quota::ByName { default, rates })
    }

    fn limit_key(&mut self, node: Node<'_>) -> Option<LimitKey> {
        const WORDS: [(&str, u8); 5] = [("ip", 0), ("user", 1), ("key", 2), ("client", 3), ("level", 4)];
        if let Some(claim) = node.as_str().and_then(|text| text.strip_prefix("claim:")) {
            return match values::claim_path(claim) {
                Ok(path) => Some(LimitKey::Claim(path)),
                Err(help) => {
                    self.wrong_value(node, &help);
                    None
                }
            };
        }
        Some(match self.word(node, &WORDS)? {
            0 => LimitKey::Address,
            1 => LimitKey::User,
            2 => LimitKey::ApiKey,
            3 => LimitKey::Client,
            _ => LimitKey::Level,
        })
    }

    fn idempotency(&mut self, node: Node<'_>) -> Option<Idempotency> {
        if !self.object(node, IDEMPOTENCY) {
            return None;
        }
        let required = match node.get("required") {
            Some(value) => self.boolean(value)?,
            None => false,
        };
        let expires = match node.get("expires") {
            Some(value) => self.seconds(value)?,
            None => 86_400,
        };
        Some(Idempotency { required, expires })
    }
}
