//! GW0113 uncountable-limit

use gatewright_diag::{Level, Sink, codes};
use gatewright_ir::policy::{Limit, LimitKey, Quota, Scheme};

use crate::context::{alternatives, has_claims, has_level, shown};
use crate::{Context, Rule};

pub(crate) static RULE: Rule = Rule { code: codes::UNCOUNTABLE_LIMIT, level: Level::Error, check };

fn check(cx: &Context<'_>, sink: &mut Sink) {
    for (operation, policy) in cx.operations() {
        if cx.refused_as_open(policy) {
            continue;
        }
        for limit in policy.limits.iter().flat_map(|fact| &fact.value) {
            let own = std::slice::from_ref(limit);
            let action = match &limit.quota {
                Quota::Action(name) => cx.policies().actions.iter().find(|a| a.name.value == name.value),
                _ => None,
            };
            for key in action.map_or(own, |a| a.limits.as_slice()).iter().flat_map(|l: &Limit| &l.by) {
                let Some((word, who)) = needs(key) else { continue };
                let guarded = alternatives(policy);
                if policy.admits_anonymous() {
                    RULE.report(
                        sink,
                        limit.span,
                        format!("`{}` admits callers who have no {word} to count by", shown(&operation.id)),
                    )
                    .related(policy.access.span, "admits whoever presents nothing")
                    .help("count by `ip`, or ask for a credential");
                } else if !guarded.is_empty() && !guarded.iter().any(|a| cx.some_scheme(a, who)) {
                    RULE.report(sink, limit.span, format!("nobody who calls `{}` has a {word} to count by", shown(&operation.id)))
                        .related(policy.access.span, "none of these schemes says it")
                        .help("count by `ip` or `user`");
                }
            }
        }
    }
}

/// Whether a scheme's callers can be counted.
type Who = fn(&Scheme) -> bool;

/// What a key counts, and which schemes say it. `None` for the address, which everybody has.
fn needs(key: &LimitKey) -> Option<(&'static str, Who)> {
    Some(match key {
        LimitKey::Address => return None,
        LimitKey::User => ("user", |_| true),
        LimitKey::ApiKey => ("key", has_level),
        LimitKey::Client => ("client", has_claims),
        // A level that nobody has is another rule's, unless nobody presents anything at all.
        LimitKey::Level => ("level", |_| true),
        LimitKey::Claim(_) => ("claim", has_claims),
    })
}
