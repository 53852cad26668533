//! GW0116 weakens-default

use std::collections::HashSet;

use gatewright_diag::{Level, Sink, Span, codes};
use gatewright_ir::Policy;

use crate::{Context, Rule};

pub(crate) static RULE: Rule = Rule { code: codes::WEAKENS_DEFAULT, level: Level::Warning, check };

fn check(cx: &Context<'_>, sink: &mut Sink) {
    // A path item's key is met by each of its operations.
    let mut seen = HashSet::new();
    for (_, policy) in cx.operations() {
        for far in policy.replaced.iter().filter(|replaced| replaced.weakened) {
            let near = near_span(policy, far.key);
            if seen.insert((near, far.span)) {
                RULE.report(sink, near, format!("this `{}` is weaker than the one that it replaces", far.key))
                    .related(far.span, "replaced here")
                    .help("keys are replaced whole: repeat what shall still hold");
            }
        }
    }
}

/// Where the key in force stands.
fn near_span(policy: &Policy, key: &str) -> Span {
    let span = match key {
        "roles" => policy.roles.as_ref().map(|f| f.span),
        "claims" => policy.claims.as_ref().map(|f| f.span),
        "step-up" => policy.step_up.as_ref().map(|f| f.span),
        "allow" => policy.allow.as_ref().map(|f| f.span),
        "rate-limit" => policy.limits.as_ref().map(|f| f.span),
        "cost" => policy.cost.as_ref().map(|f| f.span),
        "body-limit" => Some(policy.body_limit.span),
        "timeout" => Some(policy.timeout.span),
        "idempotency" => policy.idempotency.as_ref().map(|f| f.span),
        "unknown-fields" => Some(policy.unknown_fields.span),
        "audit" => Some(policy.audit.span),
        _ => None,
    };
    span.unwrap_or(policy.access.span)
}
