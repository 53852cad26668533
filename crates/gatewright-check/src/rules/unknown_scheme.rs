//! GW0104 unknown-scheme

use std::collections::HashSet;

use gatewright_diag::{Level, Sink, codes};

use crate::context::{alternatives, near_or, shown};
use crate::{Context, Rule};

pub(crate) static RULE: Rule = Rule { code: codes::UNKNOWN_SCHEME, level: Level::Error, check };

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
            RULE.report(sink, need.scheme.span, format!("the security scheme `{}` is declared nowhere", shown(name)))
                .help(help);
        }
    }
}
