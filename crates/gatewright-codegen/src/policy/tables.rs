//! The tables as tokens. Whatever the tables have no word for is refused: a guard that is not written down is not there.

use std::collections::BTreeMap;

use gatewright_diag::{SourceMap, Span};
use gatewright_ir::CheckedIr;
use gatewright_ir::policy::{Access, Alternative, Claim, Must, Operand, Policy, RequestPart, Setting, StepUp};
use gatewright_policy::Rate;
use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use super::limits::{limits, shared_store};
use super::schemes::scheme;
use super::shared::{Shared, Value, alternative_words, limit_words};
use super::{Bits, Graph, sha256};
use crate::CodegenError;

/// What tables are made from.
pub(crate) struct Source<'a> {
    pub(crate) ir: &'a CheckedIr,
    pub(crate) sources: &'a SourceMap,
    pub(crate) bits: &'a Bits,
    pub(crate) prefix: &'a str,
}

pub(super) type Written = Result<TokenStream, CodegenError>;

pub(super) fn refused(what: &str, span: Span) -> CodegenError {
    CodegenError::new(format!("{what} cannot be enforced by generated servers yet"), span)
}

/// `static API`, without its docs. `policies` are the tokens of all operations' tables, for the fingerprint.
pub(crate) fn api(source: &Source<'_>, policies: &TokenStream, fields: &TokenStream) -> Written {
    let set = &source.ir.policies;
    let (name, prefix, bits) =
        (format!("{} {}", source.ir.api.title, source.ir.api.version), source.prefix, source.bits.count);
    let schemes = source.bits.schemes.iter().filter_map(|s| set.scheme(&s.name));
    let schemes = schemes.map(|s| scheme(source, s)).collect::<Result<Vec<_>, _>>()?;
    let roles = set.roles.iter().map(|role| {
        let name = &role.name.value;
        let grants = grants(&source.bits.grants_of_role(set, name));
        quote!(Role { name: #name, grants: #grants })
    });
    let levels = set.levels.iter().enumerate().map(|(i, level)| {
        let name = &level.name.value;
        let grants = grants(&source.bits.grants_of_level(set, i));
        let rate = match &level.rate {
            Some(rate) => {
                let rate = setting(source, &rate.value, rate.span, |r| self::rate(*r));
                quote!(::core::option::Option::Some(#rate))
            }
            None => none(),
        };
        quote!(Level { name: #name, grants: #grants, rate: #rate })
    });
    let networks = set.networks.iter().map(|network| {
        let name = &network.name.value;
        let ranges = network.ranges.iter().map(|r| text_setting(source, &r.value, r.span));
        quote!(Network { name: #name, ranges: &[#(#ranges),*] })
    });
    let mut actions = Vec::new();
    for action in &set.actions {
        let name = &action.name.value;
        let limits = limits(source, &action.limits)?;
        actions.push(quote!(Action { name: #name, limits: #limits }));
    }
    let allow = networks_by_index(source, set.allow_networks.iter().map(|n| (n.value.as_str(), n.span)))?;
    let limits = limits(source, &set.limits)?;
    let transport = transport(source);
    let store = shared_store(source);
    let lifecycle = lifecycle(source);
    let type_base = match &set.errors.type_base {
        Some(base) => {
            let base = text_setting(source, base, Span::default());
            quote!(::core::option::Option::Some(#base))
        }
        None => none(),
    };
    let passkeys = super::passkeys::passkeys(source)?;
    let validation = set.errors.validation;
    let body = quote! {
        name: #name, prefix: #prefix, bits: #bits, schemes: &[#(#schemes),*], roles: &[#(#roles),*],
        levels: &[#(#levels),*], networks: &[#(#networks),*], actions: &[#(#actions),*], allow_networks: #allow,
        limits: #limits, store: #store, transport: #transport, lifecycle: #lifecycle, type_base: #type_base, validation_status: #validation,
        passkeys: #passkeys, fields: #fields,
    };
    let hash = sha256::hex(&format!("{body}\n{policies}"));
    Ok(quote!(pub static API: ApiPolicy = ApiPolicy { #body hash: #hash };))
}

/// The tables of all operations, each under the name of its operation and with these docs, and the constants they share.
pub(crate) fn operations(source: &Source<'_>, names: &[(&Ident, TokenStream)], fields: &mut Graph<'_>) -> Written {
    let operations = &source.ir.api.operations;
    let parts = CodegenError::all(operations.iter().map(|o| parts(source, o, fields)))?;
    let mut shared = Shared::new(names.iter().map(|(name, _)| name.to_string().to_lowercase()));
    for parts in &parts {
        shared.count(&parts.access);
        shared.count(&parts.limits);
    }
    let (constants, shared) = shared.name();
    let body_limit = usual(parts.iter().map(|p| &p.body_limit));
    let timeout = usual(parts.iter().map(|p| &p.timeout));
    let audit = parts.iter().filter(|p| p.audit).count() * 2 > parts.len();
    let usually = if audit { quote!(.audit(true)) } else { quote!() };
    let mut tables = quote! {
        /// What operations have unless their own table says otherwise: no access to anything.
        const USUAL: Policy = Policy::CLOSED.body_limit(#body_limit).timeout(#timeout) #usually;
        #constants
    };
    for (((name, docs), operation), parts) in names.iter().zip(operations).zip(&parts) {
        let (id, at, access) = (&operation.id, source.sources.at(operation.span), shared.of(&parts.access));
        let mut steps = parts.steps.clone();
        if !parts.limits.is_empty() {
            let limits = shared.of(&parts.limits);
            steps.extend(quote!(.limits(#limits)));
        }
        if let Some(cost) = parts.cost {
            let cost = Literal::u32_unsuffixed(cost);
            steps.extend(quote!(.cost(#cost)));
        }
        if parts.body_limit.to_string() != body_limit.to_string() {
            let body_limit = &parts.body_limit;
            steps.extend(quote!(.body_limit(#body_limit)));
        }
        if parts.timeout.to_string() != timeout.to_string() {
            let timeout = &parts.timeout;
            steps.extend(quote!(.timeout(#timeout)));
        }
        if parts.audit != audit {
            let audit = parts.audit;
            steps.extend(quote!(.audit(#audit)));
        }
        tables.extend(quote!(#docs pub static #name: Policy = USUAL.operation(#id, #at, #access) #steps.checked();));
    }
    Ok(tables)
}

/// What a table is made of.
struct Parts {
    access: Value,
    limits: Value,
    /// Roles, level, claims, networks and users, where they are asked for.
    steps: TokenStream,
    cost: Option<u32>,
    body_limit: TokenStream,
    timeout: TokenStream,
    audit: bool,
}

fn parts(
    source: &Source<'_>,
    operation: &gatewright_ir::Operation,
    fields: &mut Graph<'_>,
) -> Result<Parts, CodegenError> {
    let set = &source.ir.policies;
    let policy = set.get(operation.policy);
    unenforceable(policy)?;
    let access = access(source, &policy.access.value, policy.access.span)?;
    let mut steps = TokenStream::new();
    let role_bits = policy.roles.iter().flat_map(|r| &r.value).map(|role| {
        let missing = || refused(&format!("the role `{}`, which is not declared,", role.value), role.span);
        source.bits.roles.get(&role.value).copied().ok_or_else(missing)
    });
    let role_bits = role_bits.collect::<Result<Vec<_>, _>>()?;
    if policy.roles.as_ref().is_some_and(|r| r.value.is_empty()) {
        return Err(refused("an empty list of roles", operation.span));
    }
    if !role_bits.is_empty() {
        let roles = words(&source.bits.words(&role_bits));
        steps.extend(quote!(.roles(#roles)));
    }
    if let Some(level) = &policy.level {
        let missing = || refused(&format!("the level `{}`, which is not declared,", level.value), level.span);
        let bit = small(source.bits.levels.get(&level.value).copied().ok_or_else(missing)?);
        steps.extend(quote!(.level(#bit)));
    }
    if let Some(claims) = policy.claims.as_ref().filter(|c| !c.value.is_empty()) {
        let claims = claims.value.iter().map(claim);
        steps.extend(quote!(.claims(&[#(#claims),*])));
    }
    let allow = policy.allow.as_ref().map(|a| &a.value);
    if let Some(names) = allow.and_then(|a| a.networks.as_ref()) {
        let networks = networks_by_index(source, names.iter().map(|n| (n.value.as_str(), n.span)))?;
        steps.extend(quote!(.allow_networks(#networks)));
    }
    if let Some(users) = allow.and_then(|a| a.users.as_ref()) {
        let users = users.iter().map(|u| &u.value);
        steps.extend(quote!(.allow_users(&[#(#users),*])));
    }
    if let Some(groups) = allow.and_then(|a| a.devices.as_ref()) {
        let groups = groups.iter().map(|g| &g.value);
        steps.extend(quote!(.allow_devices(&[#(#groups),*])));
    }
    if let Some(step) = &policy.step_up {
        let step = step_up(&step.value, step.span)?;
        steps.extend(quote!(.step_up(#step)));
    }
    if let Some(idempotency) = &policy.idempotency {
        let required = idempotency.value.required;
        let expires = Literal::u32_unsuffixed(idempotency.value.expires);
        steps.extend(quote!(.idempotency(Idempotency { required: #required, expires: #expires })));
    }
    if let Some(node) = fields.read(operation)? {
        let node = small(node as u16);
        steps.extend(quote!(.read(#node)));
    }
    if let Some(node) = fields.written(operation)? {
        let node = small(node as u16);
        steps.extend(quote!(.write(#node)));
    }
    if let Some(node) = fields.sent(operation)? {
        let node = small(node as u16);
        steps.extend(quote!(.parameters(#node)));
    }
    let limits = policy.limits.as_ref().map_or(&[][..], |l| l.value.as_slice());
    let limits = Value {
        words: limits.iter().map(limit_words).collect::<Vec<_>>().join(" "),
        kind: quote!(&[Limit]),
        tokens: if limits.is_empty() { TokenStream::new() } else { self::limits(source, limits)? },
        named: false,
    };
    let number = |n: &u64| {
        let n = proc_macro2::Literal::u64_unsuffixed(*n);
        quote!(#n)
    };
    Ok(Parts {
        access,
        limits,
        steps,
        cost: policy.cost.as_ref().map(|cost| cost.value).filter(|cost| *cost != 1),
        body_limit: setting(source, &policy.body_limit.value, policy.body_limit.span, number),
        timeout: setting(source, &policy.timeout.value, policy.timeout.span, number),
        audit: policy.audit.value,
    })
}

/// What most operations have.
fn usual<'t>(all: impl Iterator<Item = &'t TokenStream>) -> TokenStream {
    let mut counts: BTreeMap<String, (usize, &TokenStream)> = BTreeMap::new();
    for tokens in all {
        counts.entry(tokens.to_string()).or_insert((0, tokens)).0 += 1;
    }
    let most = counts.into_values().max_by_key(|(count, _)| *count);
    most.map_or_else(|| quote!(Setting::Fixed(0)), |(_, tokens)| tokens.clone())
}

/// What the vocabulary has and the tables have not.
fn unenforceable(policy: &Policy) -> Result<(), CodegenError> {
    if let Some(fact) = &policy.upstream {
        return Err(refused("`upstream`", fact.span));
    }
    Ok(())
}

pub(super) fn none() -> TokenStream {
    quote!(::core::option::Option::None)
}

/// A number without the name of its type: the field says it.
pub(super) fn small(number: u16) -> proc_macro2::Literal {
    proc_macro2::Literal::u16_unsuffixed(number)
}

pub(super) fn words(words: &[u64]) -> TokenStream {
    let words = words.iter().map(|w| proc_macro2::Literal::u64_unsuffixed(*w));
    quote!(&[#(#words),*])
}

pub(super) fn grants(grants: &[(u16, Vec<u64>)]) -> TokenStream {
    let grants = grants.iter().map(|(scheme, bits)| {
        let bits = words(bits);
        let scheme = small(*scheme);
        quote!((#scheme, #bits))
    });
    quote!(&[#(#grants),*])
}

pub(super) fn setting<T>(
    source: &Source<'_>,
    value: &Setting<T>,
    span: Span,
    fixed: impl Fn(&T) -> TokenStream,
) -> TokenStream {
    match value {
        Setting::Fixed(value) => {
            let value = fixed(value);
            quote!(Setting::Fixed(#value))
        }
        Setting::Environment(template) => {
            let at = source.sources.at(span);
            quote!(Setting::Environment { template: #template, at: #at })
        }
    }
}

pub(super) fn text_setting(source: &Source<'_>, value: &Setting<String>, span: Span) -> TokenStream {
    setting(source, value, span, |text| quote!(#text))
}

pub(super) fn rate(rate: Rate) -> TokenStream {
    let [limit, window, burst] = [rate.limit, rate.window, rate.burst].map(proc_macro2::Literal::u32_unsuffixed);
    quote!(Rate { limit: #limit, window: #window, burst: #burst })
}

fn access(source: &Source<'_>, access: &Access, span: Span) -> Result<Value, CodegenError> {
    let inline = |tokens| Value { words: String::new(), kind: quote!(Access), tokens, named: false };
    Ok(match access {
        Access::Public(reason) => {
            let reason = &reason.value;
            inline(quote!(Access::Public(#reason)))
        }
        Access::Unsaid | Access::Opened => inline(quote!(Access::Unguarded)),
        Access::Nobody => return Err(refused("a policy that could not be understood", span)),
        Access::Guarded(alternatives) if alternatives.is_empty() => {
            return Err(refused("an empty list of alternatives", span));
        }
        Access::Guarded(alternatives) => {
            let list = alternatives.iter().map(|a| alternative(source, a)).collect::<Result<Vec<_>, _>>()?;
            let words = alternatives.iter().map(alternative_words).collect::<Vec<_>>().join(" or ");
            Value { words, kind: quote!(Access), tokens: quote!(Access::Guarded(&[#(#list),*])), named: true }
        }
    })
}

pub(super) fn alternative(source: &Source<'_>, alternative: &Alternative) -> Written {
    let mut schemes = Vec::new();
    let mut authenticated = Vec::new();
    let mut authorized = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    for need in &alternative.needs {
        let missing =
            || refused(&format!("the scheme `{}`, which is not declared,", need.scheme.value), need.scheme.span);
        let (index, scheme) = source.bits.scheme(&need.scheme.value).ok_or_else(missing)?;
        schemes.push(small(index));
        authenticated.push(scheme.bit);
        authorized.push(scheme.bit);
        for scope in &need.scopes {
            let missing = || refused(&format!("the scope `{}`", scope.value), scope.span);
            authorized.push(source.bits.bit_of_scope(&need.scheme.value, &scope.value).ok_or_else(missing)?);
            if !names.contains(&scope.value.as_str()) {
                names.push(&scope.value);
            }
        }
    }
    let authenticated = words(&source.bits.words(&authenticated));
    let authorized = words(&source.bits.words(&authorized));
    Ok(quote! {
        Alternative { schemes: &[#(#schemes),*], authenticated: #authenticated, authorized: #authorized, scopes: &[#(#names),*] }
    })
}

fn step_up(step: &StepUp, span: Span) -> Written {
    let method = match step.method.value.as_str() {
        "mfa" => {
            let acr = step.acr.iter().map(|acr| &acr.value);
            quote!(Mfa { acr: &[#(#acr),*] })
        }
        "webauthn" => quote!(WebAuthn),
        _ => return Err(refused("this method of `step-up`", span)),
    };
    let within = proc_macro2::Literal::u32_unsuffixed(step.within);
    Ok(quote!(StepUp { method: StepUpMethod::#method, within: #within }))
}

fn claim(claim: &Claim) -> TokenStream {
    let path = &claim.path;
    let must = match &claim.must {
        Must::Equal(value) => {
            let value = operand(value);
            quote!(Equal(#value))
        }
        Must::In(values) => {
            let values = values.iter().map(operand);
            quote!(In(&[#(#values),*]))
        }
        Must::Contain(value) => {
            let value = operand(value);
            quote!(Contain(#value))
        }
    };
    quote!(Claim { path: &[#(#path),*], must: Must::#must })
}

fn operand(operand: &Operand) -> TokenStream {
    match operand {
        Operand::Text(text) => quote!(Operand::Text(#text)),
        Operand::Integer(n) => quote!(Operand::Integer(#n)),
        Operand::Bool(b) => quote!(Operand::Bool(#b)),
        Operand::Request(reference) => {
            let name = &reference.name;
            match reference.part {
                RequestPart::Path => quote!(Operand::Path(#name)),
                RequestPart::Query => quote!(Operand::Query(#name)),
                RequestPart::Header => quote!(Operand::Header(#name)),
                RequestPart::Body => quote!(Operand::Body(#name)),
            }
        }
    }
}

pub(super) fn networks_by_index<'a>(source: &Source<'_>, names: impl Iterator<Item = (&'a str, Span)>) -> Written {
    let networks = &source.ir.policies.networks;
    let indexes = names.map(|(name, span)| {
        let missing = || refused(&format!("the network `{name}`, which is not declared,"), span);
        networks.iter().position(|n| n.name.value == name).map(|i| i as u16).ok_or_else(missing)
    });
    let indexes = indexes.map(|index| index.map(small)).collect::<Result<Vec<_>, _>>()?;
    Ok(quote!(&[#(#indexes),*]))
}

fn transport(source: &Source<'_>) -> TokenStream {
    let transport = &source.ir.policies.transport;
    let https = crate::names::ident(&format!("{:?}", transport.https));
    let certificates = crate::names::ident(&format!("{:?}", transport.client_certificates));
    let tls13 = transport.tls13_only;
    let hsts = match transport.hsts {
        Some(hsts) => {
            let (age, sub, preload) = (hsts.max_age, hsts.include_subdomains, hsts.preload);
            quote!(::core::option::Option::Some(Hsts { max_age: #age, include_subdomains: #sub, preload: #preload }))
        }
        None => none(),
    };
    let hosts = transport.hosts.iter().map(|h| text_setting(source, &h.value, h.span));
    let proxies = transport.trusted_proxies.iter().map(|p| text_setting(source, &p.value, p.span));
    quote! {
        Transport {
            https: Https::#https, tls13_only: #tls13, hsts: #hsts, client_certificates: ClientCertificates::#certificates,
            hosts: &[#(#hosts),*], trusted_proxies: &[#(#proxies),*],
        }
    }
}

fn lifecycle(source: &Source<'_>) -> TokenStream {
    let lifecycle = &source.ir.policies.lifecycle;
    let status = crate::names::ident(&format!("{:?}", lifecycle.status));
    let moment = |at: Option<i64>| at.map_or_else(none, |s| quote!(::core::option::Option::Some(#s)));
    let text = |t: &Option<String>| t.as_ref().map_or_else(none, |t| quote!(::core::option::Option::Some(#t)));
    let (deprecated, sunset) = (moment(lifecycle.deprecated_at), moment(lifecycle.sunset));
    let (successor, documentation) = (text(&lifecycle.successor), text(&lifecycle.documentation));
    quote! {
        Lifecycle {
            status: Status::#status, deprecated_at: #deprecated, sunset: #sunset, successor: #successor,
            documentation: #documentation,
        }
    }
}
