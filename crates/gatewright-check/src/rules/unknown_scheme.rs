//! GW0104 unknown-scheme

use std::collections::HashSet;

use gatewright_diag::{Level, Sink, Spanned, codes};
use gatewright_ir::Ir;
use gatewright_ir::policy::{Scheme, SchemeKind, Verify};

use crate::context::{alternatives, near_or, shown};
use crate::{Context, Rule};

pub(crate) static RULE: Rule = Rule { code: codes::UNKNOWN_SCHEME, level: Level::Error, check };

/// Declares what is asked for and declared nowhere, for a caller who lets that pass: a scheme that the application
/// verifies. What it takes for a credential is a guess; who may is not: an application without a verifier for the scheme
/// does not start, and a credential that its verifier does not accept is refused.
pub(crate) fn declare(ir: &mut Ir) {
    let policies = &ir.policies;
    let asked = ir.api.operations.iter().flat_map(|operation| alternatives(policies.get(operation.policy)));
    let mut missing: Vec<Spanned<String>> = Vec::new();
    for need in asked.flat_map(|alternative| &alternative.needs) {
        let known = policies.scheme(&need.scheme.value).is_some();
        if !known && !missing.iter().any(|name| name.value == need.scheme.value) {
            missing.push(need.scheme.clone());
        }
    }
    ir.policies.schemes.extend(missing.into_iter().map(|name| Scheme {
        name,
        description: None,
        kind: SchemeKind::Http { scheme: "bearer".to_owned(), bearer_format: None },
        scopes: Vec::new(),
        flows: Vec::new(),
        scopes_declared: false,
        verify: Verify::Application,
    }));
}

fn check(cx: &Context<'_>, sink: &mut Sink) {
    // The root's `security` is met by every operation.
    let mut seen = HashSet::new();
    for (_, policy) in cx.operations() {
        for need in alternatives(policy).iter().flat_map(|a| &a.needs) {
            if cx.scheme(need).is_some() || !seen.insert(need.scheme.span) {
                continue;
            }
            let name = &need.scheme.value;
            let known = cx.policies().schemes.iter().map(|s| s.name.value.as_str());
            let help = near_or(sink, name, known, "declare it under `components.securitySchemes`");
            let message = format!("the security scheme `{}` is declared nowhere", shown(name));
            match cx.options().allow_unguarded {
                true => {
                    RULE.warn(sink, need.scheme.span, message)
                        .label("the application is asked to verify a bearer token")
                        .help(help);
                }
                false => {
                    RULE.report(sink, need.scheme.span, message).help(help);
                }
            }
        }
    }
}
