//! GW0112 unsatisfiable

use std::collections::HashSet;

use gatewright_diag::{Level, Sink, Span, codes};
use gatewright_ir::policy::{Alternative, Scheme, Verify};
use gatewright_policy::table::ClientCertificates;

use crate::context::{alternatives, has_claims, has_level, has_roles, near_or, shown};
use crate::{Context, Rule};

pub(crate) static RULE: Rule = Rule { code: codes::UNSATISFIABLE, level: Level::Error, check };

fn check(cx: &Context<'_>, sink: &mut Sink) {
    key_scopes(cx, sink);
    certificates(cx, sink);
    passkeys(cx, sink);
    for (operation, policy) in cx.operations() {
        let guarded = alternatives(policy);
        if guarded.is_empty() {
            continue;
        }
        if let Some(claims) = &policy.claims {
            if guarded.iter().any(|a| cx.some_scheme(a, has_claims)) {
                partly(cx, guarded, "claims", claims.span, has_claims, sink);
            } else {
                RULE.report(sink, claims.span, format!("nobody who calls `{}` has claims", shown(&operation.id)))
                    .related(policy.access.span, "none of these schemes has claims")
                    .help("ask for a token: `oauth2`, `openIdConnect` or `http` with `scheme: bearer`");
            }
        }
        if let Some(step) = policy.step_up.as_ref().filter(|step| step.value.method.value == "mfa") {
            if guarded.iter().any(|a| cx.some_scheme(a, has_claims)) {
                partly(cx, guarded, "said how he authenticated", step.span, has_claims, sink);
            } else {
                let who = format!("nobody who calls `{}` says how he authenticated", shown(&operation.id));
                RULE.report(sink, step.span, who)
                    .related(policy.access.span, "none of these schemes says it")
                    .help("ask for a token: `oauth2`, `openIdConnect` or `http` with `scheme: bearer`");
            }
        }
        // That none has them at all is said by other rules.
        if let Some(roles) = policy.roles.as_ref().filter(|_| guarded.iter().any(|a| cx.some_scheme(a, has_roles))) {
            partly(cx, guarded, "roles", roles.span, has_roles, sink);
        }
        if let Some(level) = policy.level.as_ref().filter(|_| guarded.iter().any(|a| cx.some_scheme(a, has_level))) {
            partly(cx, guarded, "a level", level.span, has_level, sink);
        }
    }
}

/// Warns of alternatives whose callers never satisfy a key.
fn partly(cx: &Context<'_>, guarded: &[Alternative], what: &str, key: Span, yes: fn(&Scheme) -> bool, sink: &mut Sink) {
    for alternative in guarded.iter().filter(|a| !a.needs.is_empty() && !cx.some_scheme(a, yes)) {
        RULE.warn(sink, alternative.span, format!("whoever uses this alternative alone has not {what}, and is refused"))
            .related(key, "asked for here")
            .help("remove the alternative, or add to it a scheme that has what is asked for");
    }
}

/// A token that is bound to a certificate needs one to be asked for.
fn certificates(cx: &Context<'_>, sink: &mut Sink) {
    if cx.policies().transport.client_certificates != ClientCertificates::Off {
        return;
    }
    for scheme in &cx.policies().schemes {
        if let Some(bound) = scheme.verify.bound().filter(|bound| bound.value.mtls) {
            RULE.report(sink, bound.span, "nobody presents a certificate: the server does not ask for one")
                .help("ask for certificates in the root's `x-security`: `transport: { client-certificates: optional }`");
        }
    }
}

/// A passkey is shown to the server in a ceremony of its own: it is no credential of a request, and one scheme says which
/// passkeys there are.
fn passkeys(cx: &Context<'_>, sink: &mut Sink) {
    let webauthn = |scheme: &Scheme| matches!(scheme.verify, Verify::WebAuthn(_));
    let mut schemes = cx.policies().schemes.iter().filter(|scheme| webauthn(scheme));
    let first = schemes.next();
    let mut seen = HashSet::new();
    for (operation, policy) in cx.operations() {
        for need in alternatives(policy).iter().flat_map(|a| &a.needs) {
            if cx.scheme(need).is_some_and(webauthn) && seen.insert(need.scheme.span) {
                let name = shown(&need.scheme.value);
                RULE.report(sink, need.scheme.span, format!("no request carries `{name}`: a passkey is no credential"))
                    .help("ask for another scheme here, and for the passkey with `step-up: { method: webauthn, within: 5m }`");
            }
        }
        let step = policy.step_up.as_ref().filter(|step| step.value.method.value == "webauthn");
        if let Some(step) = step.filter(|_| first.is_none()) {
            let what = format!("`{}` asks for a passkey, and no scheme has any", shown(&operation.id));
            RULE.report(sink, step.span, what)
                .help("declare a security scheme with `type: http`, `scheme: webauthn` and `x-security: { rp-id: …, origins: […] }`");
        }
    }
    if let (Some(first), Some(second)) = (first, schemes.next()) {
        RULE.report(sink, second.name.span, "two schemes have passkeys, and `step-up` does not say which")
            .related(first.name.span, "the first")
            .help("remove one of them");
    }
}

/// An API key has the scopes of its level, and no others.
fn key_scopes(cx: &Context<'_>, sink: &mut Sink) {
    let levels = &cx.policies().levels;
    let mut seen = HashSet::new();
    for (_, policy) in cx.operations() {
        for need in alternatives(policy).iter().flat_map(|a| &a.needs) {
            if !cx.scheme(need).is_some_and(has_level) {
                continue;
            }
            for scope in &need.scopes {
                let known = || levels.iter().flat_map(|l| &l.scopes).map(|s| s.value.as_str());
                if known().any(|name| name == scope.value) || !seen.insert(scope.span) {
                    continue;
                }
                let help = near_or(sink, &scope.value, known(), "grant it to one of the root's `levels`");
                RULE.report(sink, scope.span, format!("no level grants API keys the scope `{}`", shown(&scope.value)))
                    .help(help);
            }
        }
    }
}
