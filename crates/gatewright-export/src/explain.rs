//! An operation's effective policy, in the order in which the server checks it, each fact with the place it came from.
//! For people, and as JSON.

use std::collections::BTreeSet;
use std::fmt::Write;

use gatewright_diag::{SourceMap, Span, Spanned};
use gatewright_ir::lists::Lists;
use gatewright_ir::policy::{
    Access, Claim, Fact, Layer, Limit, LimitKey, Measure, Must, Operand, Policy, PolicySet, Quota, Reference,
    RequestPart, Setting, UnknownFields,
};
use gatewright_ir::schema::{Protection, SchemaId};
use gatewright_ir::{Ir, Operation};
use gatewright_policy::{Check, ORDER, Rate, table};
use serde_json::{Value, json};

/// One line of an explanation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// At which check it counts.
    pub check: Check,
    /// The key of the vocabulary, or OpenAPI's.
    pub key: &'static str,
    /// What it says.
    pub value: String,
    /// Which layer says it.
    pub layer: Layer,
    /// Where, as `bank.yaml:41`.
    pub at: String,
}

/// An operation by its id, or by `METHOD /path`.
pub fn find<'a>(ir: &'a Ir, name: &str) -> Option<&'a Operation> {
    let by_route = |op: &&Operation| {
        name.split_once(' ')
            .is_some_and(|(method, path)| op.method.eq_ignore_ascii_case(method) && op.path.text == path.trim())
    };
    ir.api.operations.iter().find(|op| op.id == name).or_else(|| ir.api.operations.iter().find(by_route))
}

/// The rows of an operation's policy, in the order of the checks.
pub fn rows(ir: &Ir, operation: &Operation, map: &SourceMap) -> Vec<Row> {
    let mut rows = Rows { list: Vec::new(), map };
    let policy = ir.policies.get(operation.policy);
    rows.shared(ir, operation);
    rows.access(policy, operation);
    rows.caller(policy);
    rows.limits(policy, &ir.policies);
    rows.request(policy);
    rows.properties(ir, operation);
    rows.lists(ir, operation);
    rows.list.sort_by_key(|row| ORDER.iter().position(|check| *check == row.check));
    rows.list
}

struct Rows<'m> {
    list: Vec<Row>,
    map: &'m SourceMap,
}

impl Rows<'_> {
    fn add(&mut self, check: Check, key: &'static str, value: String, layer: Layer, span: Span) {
        let at = if span == Span::default() { String::new() } else { self.map.at(span) };
        self.list.push(Row { check, key, value, layer, at });
    }

    fn fact<T>(&mut self, check: Check, key: &'static str, fact: &Fact<T>, value: String) {
        self.add(check, key, value, fact.layer, fact.span);
    }

    fn shared(&mut self, ir: &Ir, operation: &Operation) {
        let set = &ir.policies;
        let https = match set.transport.https {
            table::Https::Required => "required",
            table::Https::Redirect => "redirect",
            table::Https::Off => "off",
        };
        self.add(Check::Connection, "https", https.to_owned(), Layer::Root, Span::default());
        if let Some(first) = set.transport.hosts.first() {
            let hosts: Vec<String> = set.transport.hosts.iter().map(|h| setting(&h.value)).collect();
            self.add(Check::Connection, "hosts", hosts.join(", "), Layer::Root, first.span);
        }
        if let Some(first) = set.allow_networks.first() {
            self.add(Check::Connection, "allow.networks", names(&set.allow_networks), Layer::Root, first.span);
        }
        let route = format!("{} {}", operation.method, operation.path.text);
        self.add(Check::Route, "path", route, Layer::Operation, operation.span);
        let life = &set.lifecycle;
        let status = match life.status {
            table::Status::Preview => "preview",
            table::Status::Stable => "stable",
            table::Status::Deprecated => "deprecated",
            table::Status::Retired => "retired: answers 410",
        };
        let known = life.span != Span::default();
        let layer = if known { Layer::Root } else { Layer::BuiltIn };
        self.add(Check::Lifecycle, "lifecycle", status.to_owned(), layer, life.span);
    }

    fn access(&mut self, policy: &Policy, operation: &Operation) {
        let fact = &policy.access;
        match &fact.value {
            Access::Public(reason) => {
                self.fact(Check::Authentication, "public", fact, format!("everybody: {}", reason.value));
            }
            Access::Unsaid => self.add(
                Check::Authentication,
                "security",
                "everybody: nothing is said".to_owned(),
                Layer::BuiltIn,
                operation.span,
            ),
            Access::Opened => {
                self.fact(Check::Authentication, "security", fact, "everybody: `security: []`".to_owned())
            }
            Access::Nobody => self.fact(Check::Authentication, "security", fact, "nobody".to_owned()),
            Access::Guarded(alternatives) => {
                let schemes = alternatives.iter().map(|a| {
                    let needs: Vec<&str> = a.needs.iter().map(|n| n.scheme.value.as_str()).collect();
                    if needs.is_empty() { "nothing presented".to_owned() } else { needs.join(" and ") }
                });
                let text = schemes.collect::<Vec<_>>().join(", or ");
                self.fact(Check::Authentication, "security", fact, text);
                let scopes = alternatives.iter().flat_map(|a| &a.needs).filter(|n| !n.scopes.is_empty());
                for need in scopes {
                    let text = format!("{}: all of {}", need.scheme.value, names(&need.scopes));
                    self.add(Check::Scopes, "security", text, fact.layer, need.scheme.span);
                }
            }
        }
    }

    fn caller(&mut self, policy: &Policy) {
        if let Some(level) = &policy.level {
            self.fact(Check::Level, "level", level, format!("at least {}", level.value));
        }
        if let Some(roles) = &policy.roles {
            self.fact(Check::Roles, "roles", roles, format!("any of {}", names(&roles.value)));
        }
        for (claim, layer) in policy.claims.iter().flat_map(|f| f.value.iter().map(|c| (c, f.layer))) {
            let check = if reads_body(claim) { Check::BodyClaims } else { Check::Claims };
            self.add(check, "claims", condition(claim), layer, claim.span);
        }
        if let Some(allow) = &policy.allow {
            let parts = [
                (Check::Networks, "allow.networks", &allow.value.networks),
                (Check::AllowedCaller, "allow.users", &allow.value.users),
                (Check::AllowedCaller, "allow.devices", &allow.value.devices),
            ];
            for (check, key, list) in parts {
                if let Some(list) = list {
                    let text = if list.is_empty() { "nobody".to_owned() } else { format!("any of {}", names(list)) };
                    self.fact(check, key, allow, text);
                }
            }
        }
        if let Some(step) = &policy.step_up {
            let acr = if step.value.acr.is_empty() { String::new() } else { format!(" ({})", names(&step.value.acr)) };
            let text = format!("{}{acr} within {}", step.value.method.value, seconds(u64::from(step.value.within)));
            self.fact(Check::StepUp, "step-up", step, text);
        }
        if let Some(owner) = &policy.owner {
            let text = format!("of {} {}", owner.value.resource.value, reference(&owner.value.id));
            self.fact(Check::Owner, "owner", owner, text);
        }
    }

    /// Objects of which each caller sees his own.
    fn lists(&mut self, ir: &Ir, operation: &Operation) {
        if !matches!(ir.policies.get(operation.policy).access.value, Access::Guarded(_)) {
            return;
        }
        if let Some(resource) = Lists::new(ir).of_operation(&ir.api, operation) {
            let text = format!("lists {resource}: those that the caller may see");
            self.add(Check::ResponseFilter, "owner", text, Layer::BuiltIn, operation.span);
        }
    }

    /// Members of bodies and answers, and parameters, that only some may send or see.
    fn properties(&mut self, ir: &Ir, operation: &Operation) {
        for parameter in &operation.parameters {
            let place = parameter.location.as_str();
            let schema = ir.api.schemas.get(parameter.schema).notes.protection.as_ref();
            for protection in parameter.protection.iter().chain(schema).filter(|p| !p.write.is_empty()) {
                let text = format!("{} in the {place}: any of {}", parameter.name, names(&protection.write));
                self.add(Check::Content, "write", text, Layer::Operation, protection.span);
            }
            for property in guarded(ir, vec![parameter.schema], |p| &p.write) {
                self.add(Check::Content, "write", property.0, Layer::Operation, property.1);
            }
        }
        let written = operation.body.iter().flat_map(|body| &body.content);
        let read = operation.responses.iter().flat_map(|response| &response.content);
        for property in guarded(ir, written.filter_map(|media| media.schema).collect(), |p| &p.write) {
            self.add(Check::Content, "write", property.0, Layer::Operation, property.1);
        }
        for property in guarded(ir, read.filter_map(|media| media.schema).collect(), |p| &p.read) {
            self.add(Check::ResponseFilter, "read", property.0, Layer::Operation, property.1);
        }
    }

    fn limits(&mut self, policy: &Policy, set: &PolicySet) {
        for (limit, layer) in policy.limits.iter().flat_map(|f| f.value.iter().map(|l| (l, f.layer))) {
            let by_address = limit.by.iter().all(|key| *key == LimitKey::Address) && !limit.by.is_empty();
            let alone = by_address && limit.measure != Measure::Concurrent;
            let check = if alone { Check::AddressRate } else { Check::CallerRate };
            self.add(check, "rate-limit", quota(limit), layer, limit.span);
        }
        if let Some(cost) = &policy.cost {
            self.fact(Check::CallerRate, "cost", cost, format!("takes {} of each limit", cost.value));
        }
        if let (Some(_), Some(shared)) = (&policy.limits, &set.shared_limits) {
            let outage = match shared.value.local_on_outage {
                true => "each server counts for itself",
                false => "nothing passes",
            };
            let text = format!("a shared store has {} ms; without it {outage}", shared.value.store_budget);
            self.add(Check::CallerRate, "limits", text, Layer::Root, shared.span);
        }
    }

    fn request(&mut self, policy: &Policy) {
        let bytes = |n: &u64| match n {
            n if n % (1 << 20) == 0 => format!("{} MiB", n >> 20),
            n if n % (1 << 10) == 0 => format!("{} KiB", n >> 10),
            n => format!("{n} bytes"),
        };
        let limit = match &policy.body_limit.value {
            Setting::Fixed(n) => bytes(n),
            Setting::Environment(text) => text.clone(),
        };
        self.fact(Check::Content, "body-limit", &policy.body_limit, limit);
        let timeout = match &policy.timeout.value {
            Setting::Fixed(ms) if ms % 1_000 == 0 => seconds(ms / 1_000),
            Setting::Fixed(ms) => format!("{ms} ms"),
            Setting::Environment(text) => text.clone(),
        };
        self.fact(Check::Route, "timeout", &policy.timeout, timeout);
        let fields = match policy.unknown_fields.value {
            UnknownFields::Refuse => "refuse",
            UnknownFields::Ignore => "ignore",
            UnknownFields::Keep => "keep",
        };
        self.fact(Check::Content, "unknown-fields", &policy.unknown_fields, fields.to_owned());
        if let Some(idempotency) = &policy.idempotency {
            let need = if idempotency.value.required { "required" } else { "optional" };
            let text = format!("{need}, kept for {}", seconds(u64::from(idempotency.value.expires)));
            self.fact(Check::Idempotency, "idempotency", idempotency, text);
        }
        if let Some(flow) = &policy.sensitive_flow {
            self.fact(Check::CallerRate, "sensitive-flow", flow, flow.value.clone());
        }
        if let Some(upstream) = &policy.upstream {
            self.fact(Check::Handler, "upstream", upstream, setting(&upstream.value));
        }
        let audit = if policy.audit.value { "each decision" } else { "off" };
        self.fact(Check::Audit, "audit", &policy.audit, audit.to_owned());
    }
}

/// The guarded properties that are reached from these schemas: in what words, and where each guard stands.
fn guarded(ir: &Ir, from: Vec<SchemaId>, names_of: fn(&Protection) -> &Vec<Spanned<String>>) -> Vec<(String, Span)> {
    let schemas = &ir.api.schemas;
    let mut found = BTreeSet::new();
    for schema in schemas.reached(from) {
        for property in &schema.object.properties {
            let protection = schemas.get(property.schema).notes.protection.as_ref();
            if let Some(protection) = protection.filter(|p| !names_of(p).is_empty()) {
                let any = names(names_of(protection));
                found.insert((format!("{}: any of {any}", property.name), protection.span));
            }
        }
    }
    found.into_iter().collect()
}

fn names(list: &[Spanned<String>]) -> String {
    list.iter().map(|n| n.value.as_str()).collect::<Vec<_>>().join(", ")
}

fn setting(value: &Setting<String>) -> String {
    match value {
        Setting::Fixed(text) | Setting::Environment(text) => text.clone(),
    }
}

fn seconds(n: u64) -> String {
    match n {
        0 => "0 s".to_owned(),
        n if n % 86_400 == 0 => format!("{} d", n / 86_400),
        n if n % 3_600 == 0 => format!("{} h", n / 3_600),
        n if n % 60 == 0 => format!("{} min", n / 60),
        n => format!("{n} s"),
    }
}

fn reference(reference: &Reference) -> String {
    let part = match reference.part {
        RequestPart::Path => "path.",
        RequestPart::Query => "query.",
        RequestPart::Header => "header.",
        RequestPart::Body => "body.",
    };
    format!("{{{part}{}}}", reference.name)
}

fn operands(claim: &Claim) -> Vec<&Operand> {
    match &claim.must {
        Must::Equal(one) | Must::Contain(one) => vec![one],
        Must::In(list) => list.iter().collect(),
    }
}

fn reads_body(claim: &Claim) -> bool {
    operands(claim).iter().any(|o| matches!(o, Operand::Request(r) if r.part == RequestPart::Body))
}

fn condition(claim: &Claim) -> String {
    let operand = |o: &Operand| match o {
        Operand::Text(text) => format!("{text:?}"),
        Operand::Integer(n) => n.to_string(),
        Operand::Bool(b) => b.to_string(),
        Operand::Request(r) => reference(r),
    };
    let list: Vec<String> = operands(claim).into_iter().map(operand).collect();
    let word = match claim.must {
        Must::Equal(_) => "equals",
        Must::In(_) => "is one of",
        Must::Contain(_) => "contains",
    };
    format!("{} {word} {}", claim.path.join("."), list.join(", "))
}

/// How much a limit admits.
pub(crate) fn rate(rate: &Setting<Rate>, measure: Measure) -> String {
    match rate {
        Setting::Fixed(rate) if measure == Measure::Concurrent => format!("{} running", rate.limit),
        Setting::Environment(text) if measure == Measure::Concurrent => format!("{text} running"),
        Setting::Fixed(rate) if measure == Measure::Calendar => measure.written(rate),
        Setting::Fixed(rate) if rate.burst == rate.limit => rate.to_string(),
        Setting::Fixed(rate) => format!("{rate}, {} at once", rate.burst),
        Setting::Environment(text) => text.clone(),
    }
}

fn quota(limit: &Limit) -> String {
    let by: Vec<String> = limit
        .by
        .iter()
        .map(|key| match key {
            LimitKey::Address => "ip".to_owned(),
            LimitKey::User => "user".to_owned(),
            LimitKey::ApiKey => "key".to_owned(),
            LimitKey::Client => "client".to_owned(),
            LimitKey::Level => "level".to_owned(),
            LimitKey::Claim(path) => format!("claim:{}", path.join(".")),
        })
        .collect();
    let per = if by.is_empty() { String::new() } else { format!(" per {}", by.join(" and ")) };
    match &limit.quota {
        Quota::Flat(flat) => format!("{}{per}", rate(flat, limit.measure)),
        Quota::ByName { default, rates } => {
            let named = rates.iter().map(|(name, r)| format!("{} for {}", rate(r, limit.measure), name.value));
            format!("{}{per}; {}", rate(default, limit.measure), named.collect::<Vec<_>>().join(", "))
        }
        Quota::OfLevel => format!("the level's own rate{per}"),
        Quota::Action(name) => format!("the bucket {}", name.value),
    }
}

/// What a check is called in an explanation.
fn title(check: Check) -> &'static str {
    match check {
        Check::Connection => "connection",
        Check::Route => "route",
        Check::Lifecycle => "lifecycle",
        Check::Networks => "networks",
        Check::AddressRate => "address rate",
        Check::Authentication => "authentication",
        Check::Level => "level",
        Check::Scopes => "scopes",
        Check::Roles => "roles",
        Check::Claims => "claims",
        Check::AllowedCaller => "allowed caller",
        Check::CallerRate => "caller rate",
        Check::StepUp => "step-up",
        Check::Content => "content",
        Check::BodyClaims => "body claims",
        Check::Owner => "owner",
        Check::Idempotency => "idempotency",
        Check::Handler => "handler",
        Check::ResponseFilter => "response filter",
        Check::Audit => "audit",
    }
}

fn layer(layer: Layer) -> &'static str {
    match layer {
        Layer::Operation => "operation",
        Layer::PathItem => "path item",
        Layer::Root => "root",
        Layer::BuiltIn => "built in",
    }
}

/// The policy for people: a line per fact, aligned.
pub fn human(ir: &Ir, operation: &Operation, map: &SourceMap) -> String {
    let rows = rows(ir, operation, map);
    let mut out = String::new();
    let at = map.at(operation.span);
    let _ = writeln!(out, "{} · {} {} · {at}\n", operation.id, operation.method, operation.path.text);
    let keys = rows.iter().map(|r| r.key.len()).max().unwrap_or(0);
    let values = rows.iter().map(|r| r.value.chars().count()).max().unwrap_or(0).min(60);
    for row in &rows {
        let from = if row.at.is_empty() || row.layer == Layer::BuiltIn {
            layer(row.layer).to_owned()
        } else {
            format!("{} ({})", row.at, layer(row.layer))
        };
        let value = gatewright_diag::show::clean(&row.value);
        let _ = writeln!(out, "  {:<15} {:<keys$}  {value:<values$}  {from}", title(row.check), row.key);
    }
    let policy = ir.policies.get(operation.policy);
    for replaced in &policy.replaced {
        let weaker = if replaced.weakened { ", which was stricter" } else { "" };
        let _ = writeln!(
            out,
            "  {:<15} {:<keys$}  replaces the {}'s at {}{weaker}",
            "",
            replaced.key,
            layer(replaced.layer),
            map.at(replaced.span)
        );
    }
    out
}

/// The policy for programs.
pub fn json(ir: &Ir, operation: &Operation, map: &SourceMap) -> Value {
    let rows: Vec<Value> = rows(ir, operation, map)
        .iter()
        .map(|row| {
            json!({
                "check": title(row.check), "key": row.key, "value": row.value, "layer": layer(row.layer),
                "at": if row.layer == Layer::BuiltIn || row.at.is_empty() { Value::Null } else { json!(row.at) },
            })
        })
        .collect();
    let policy = ir.policies.get(operation.policy);
    let replaced: Vec<Value> = policy
        .replaced
        .iter()
        .map(|r| json!({ "key": r.key, "layer": layer(r.layer), "at": map.at(r.span), "weakened": r.weakened }))
        .collect();
    json!({
        "operation": operation.id, "method": operation.method, "path": operation.path.text,
        "at": map.at(operation.span), "checks": rows, "replaced": replaced,
    })
}
