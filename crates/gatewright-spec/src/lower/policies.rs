//! The effective policy of an operation: by key, the nearest layer that says it, with the place it was said at and what
//! it replaced.

use gatewright_diag::{Sink, Span, Spanned, codes};
use gatewright_ir::policy::{
    Access, Alternative, DEFAULT_BODY_LIMIT, DEFAULT_TIMEOUT_MS, Fact, Layer, Need, Policy, Replaced, Setting,
    UnknownFields,
};

use super::weaker;
use crate::document::Version;
use crate::resolve::Spec;
use crate::source::percent_decode;
use crate::syntax::{Node, unescape};
use crate::vocabulary::OperationKeys;

/// Puts the layers together.
pub(super) fn effective<'a>(
    spec: &'a Spec,
    operation: Node<'a>,
    span: Span,
    own: &OperationKeys,
    path_item: &OperationKeys,
    defaults: &OperationKeys,
    sink: &mut Sink,
) -> Policy {
    let layers = [(Layer::Operation, own), (Layer::PathItem, path_item), (Layer::Root, defaults)];
    let mut replaced = Vec::new();
    /// The nearest layer's value of a key; the farther ones are remembered as replaced.
    macro_rules! nearest {
        ($key:literal, $field:ident, $weaker:path) => {{
            let mut said = layers.iter().filter_map(|(layer, keys)| Some((*layer, keys.$field.as_ref()?)));
            let found = said.next().map(|(layer, s)| Fact { value: s.value.clone(), layer, span: s.span });
            if let Some(near) = &found {
                for (layer, far) in said {
                    let weakened = $weaker(&near.value, &far.value);
                    replaced.push(Replaced { key: $key, layer, span: far.span, weakened });
                }
            }
            found
        }};
    }
    fn built_in<T>(value: T, span: Span) -> Fact<T> {
        Fact { value, layer: Layer::BuiltIn, span }
    }
    fn never<T>(_: &T, _: &T) -> bool {
        false
    }
    let roles = nearest!("roles", roles, weaker::names);
    let level = nearest!("level", level, never);
    let claims = nearest!("claims", claims, weaker::claims);
    let owner = nearest!("owner", owner, never);
    let step_up = nearest!("step-up", step_up, weaker::step_up);
    let allow = nearest!("allow", allow, weaker::allow);
    let limits = nearest!("rate-limit", limits, weaker::limits);
    let cost = nearest!("cost", cost, weaker::cost);
    let body_limit = nearest!("body-limit", body_limit, weaker::larger);
    let timeout = nearest!("timeout", timeout, weaker::larger);
    let idempotency = nearest!("idempotency", idempotency, weaker::idempotency);
    let unknown_fields = nearest!("unknown-fields", unknown_fields, weaker::unknown_fields);
    let sensitive_flow = nearest!("sensitive-flow", sensitive_flow, never);
    let audit = nearest!("audit", audit, weaker::audit);
    let upstream = nearest!("upstream", upstream, never);
    let access = access(spec, operation, span, &layers, &mut replaced, sink);
    Policy {
        access,
        roles,
        level,
        claims,
        owner,
        step_up,
        allow,
        limits,
        cost,
        body_limit: body_limit.unwrap_or_else(|| built_in(Setting::Fixed(DEFAULT_BODY_LIMIT), span)),
        timeout: timeout.unwrap_or_else(|| built_in(Setting::Fixed(DEFAULT_TIMEOUT_MS), span)),
        idempotency,
        unknown_fields: unknown_fields.unwrap_or_else(|| built_in(UnknownFields::Refuse, span)),
        sensitive_flow,
        audit: audit.unwrap_or_else(|| built_in(false, span)),
        upstream,
        replaced,
    }
}

/// Who may call: the nearest of `security` and `public`. Both at one place contradict each other.
fn access<'a>(
    spec: &'a Spec,
    operation: Node<'a>,
    span: Span,
    layers: &[(Layer, &OperationKeys); 3],
    replaced: &mut Vec<Replaced>,
    sink: &mut Sink,
) -> Fact<Access> {
    let security = |node: Node<'a>, layer: Layer| {
        let node = spec.get(node, "security")?;
        Some(Fact { value: requirements(spec, node), layer, span: node.anchor_span() })
    };
    let own = security(operation, Layer::Operation);
    let root = security(spec.root(), Layer::Root);
    let mut said: Vec<Fact<Access>> = Vec::new();
    for (layer, keys) in layers {
        let public = keys.public.as_ref();
        let public = public.map(|p| Fact { value: Access::Public(p.clone()), layer: *layer, span: p.span });
        let security = match layer {
            Layer::Operation => own.clone(),
            Layer::Root => root.clone(),
            Layer::PathItem | Layer::BuiltIn => None,
        };
        match (public, security) {
            (Some(public), Some(guard)) if matches!(guard.value, Access::Guarded(_)) => {
                contradiction(public.span, guard.span, sink);
                said.push(guard);
            }
            (Some(public), _) => said.push(public),
            (None, Some(Fact { value: Access::Opened, layer: Layer::Operation, span })) => {
                // `security: []` may have its reason on the path item.
                let reason = layers.iter().skip(1).find_map(|(layer, k)| Some((*layer, k.public.as_ref()?)));
                said.push(match reason {
                    Some((layer, reason)) => Fact { value: Access::Public(reason.clone()), layer, span: reason.span },
                    None => Fact { value: Access::Opened, layer: Layer::Operation, span },
                });
            }
            (None, Some(guard)) => said.push(guard),
            (None, None) => {}
        }
    }
    let mut said = said.into_iter();
    let Some(nearest) = said.next() else {
        // Where a key was not understood it may have said who may call: that was reported, and nobody may.
        let faulty = layers.iter().any(|(_, keys)| keys.faulty);
        let value = if faulty { Access::Nobody } else { Access::Unsaid };
        return Fact { value, layer: Layer::BuiltIn, span };
    };
    for far in said {
        let key = if matches!(far.value, Access::Public(_)) { "public" } else { "security" };
        let weakened = weaker::access(&nearest.value, &far.value);
        replaced.push(Replaced { key, layer: far.layer, span: far.span, weakened });
    }
    nearest
}

fn contradiction(public: Span, guard: Span, sink: &mut Sink) {
    // Where it is said at the root, every operation meets it; the sink drops repeats.
    sink.error(codes::PUBLIC_WITH_SECURITY, public, "`public` and `security` contradict each other")
        .related(guard, "this asks for a credential")
        .help("remove one of them");
}

/// The value of a `security` key. What cannot be understood admits nobody.
fn requirements<'a>(spec: &'a Spec, node: Node<'a>) -> Access {
    if !node.is_seq() {
        return Access::Nobody;
    }
    let mut alternatives = Vec::new();
    for item in spec.items(node) {
        if !item.is_map() {
            return Access::Nobody;
        }
        let mut needs = Vec::new();
        for (key, scopes) in item.entries() {
            let scopes = scopes.items().filter_map(|s| Some(Spanned::new(s.text()?.to_owned(), s.span())));
            needs.push(Need { scheme: Spanned::new(scheme(spec, key.text), key.span), scopes: scopes.collect() });
        }
        alternatives.push(Alternative { needs, span: item.anchor_span() });
    }
    // `[]` and `[{}]` both ask for nothing.
    if alternatives.iter().all(|alternative| alternative.needs.is_empty()) {
        return Access::Opened;
    }
    Access::Guarded(alternatives)
}

/// The name of the scheme that is asked for. From 3.2 on a URI may stand for it; a name that is spelt like one comes first.
/// URIs of other documents stay as they are, and no scheme has such a name.
fn scheme(spec: &Spec, key: &str) -> String {
    const HERE: &str = "#/components/securitySchemes/";
    let declared = || {
        let components = spec.get(spec.root(), "components");
        components.and_then(|c| spec.get(c, "securitySchemes")).is_some_and(|schemes| schemes.has(key))
    };
    let pointed = key.strip_prefix(HERE).filter(|name| spec.version() >= Version::V3_2 && !name.contains('/'));
    match pointed.and_then(percent_decode) {
        Some(name) if !declared() => unescape(&name).into_owned(),
        _ => key.to_owned(),
    }
}
