//! GW0105 undeclared-scope

use std::collections::HashSet;

use gatewright_diag::{Level, Sink, codes};

use crate::context::{alternatives, has_roles, near_or, shown};
use crate::{Context, Rule};

pub(crate) static RULE: Rule = Rule { code: codes::UNDECLARED_SCOPE, level: Level::Error, check };

fn check(cx: &Context<'_>, sink: &mut Sink) {
    let mut seen = HashSet::new();
    for (_, policy) in cx.operations() {
        for need in alternatives(policy).iter().flat_map(|a| &a.needs) {
            let Some(scheme) = cx.scheme(need).filter(|s| s.scopes_declared) else { continue };
            for scope in &need.scopes {
                if scheme.scopes.iter().any(|(known, _)| known.value == scope.value) || !seen.insert(scope.span) {
                    continue;
                }
                let known = scheme.scopes.iter().map(|(s, _)| s.value.as_str());
                let help = near_or(sink, &scope.value, known, "declare it under a flow's `scopes`");
                let message = format!("no flow of `{}` declares the scope `{}`", shown(&need.scheme.value), shown(&scope.value));
                RULE.report(sink, scope.span, message).related(scheme.name.span, "the scheme").help(help);
            }
        }
    }
    roles(cx, sink);
}

/// A role's scopes are granted on the schemes that carry roles: at least one must know each.
fn roles(cx: &Context<'_>, sink: &mut Sink) {
    let carriers: Vec<_> = cx.policies().schemes.iter().filter(|s| has_roles(s)).collect();
    if carriers.is_empty() || carriers.iter().any(|s| !s.scopes_declared) {
        return;
    }
    for scope in cx.policies().roles.iter().flat_map(|role| &role.scopes) {
        let known = || carriers.iter().flat_map(|s| &s.scopes).map(|(s, _)| s.value.as_str());
        if !known().any(|name| name == scope.value) {
            let help = near_or(sink, &scope.value, known(), "declare it under a flow's `scopes`");
            RULE.report(sink, scope.span, format!("no scheme that carries roles declares the scope `{}`", shown(&scope.value)))
                .help(help);
        }
    }
}
