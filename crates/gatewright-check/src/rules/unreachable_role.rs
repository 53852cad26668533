//! GW0108 unreachable-role

use gatewright_diag::{Level, Sink, codes};

use crate::context::{alternatives, has_roles, shown};
use crate::{Context, Rule};

pub(crate) static RULE: Rule = Rule { code: codes::UNREACHABLE_ROLE, level: Level::Error, check };

fn check(cx: &Context<'_>, sink: &mut Sink) {
    for (operation, policy) in cx.operations() {
        let Some(roles) = &policy.roles else { continue };
        let guarded = alternatives(policy);
        if guarded.is_empty() || guarded.iter().any(|a| cx.some_scheme(a, has_roles)) {
            continue;
        }
        RULE.report(sink, roles.span, format!("nobody who calls `{}` can have a role", shown(&operation.id)))
            .related(policy.access.span, "none of these schemes carries roles")
            .help("say in the scheme's `x-security` which claim holds the roles: `roles-claim: roles`");
    }
}
