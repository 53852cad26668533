//! GW0114 needs-caller

use gatewright_diag::{Level, Sink, codes};

use crate::context::shown;
use crate::{Context, Rule};

pub(crate) static RULE: Rule = Rule { code: codes::NEEDS_CALLER, level: Level::Error, check };

fn check(cx: &Context<'_>, sink: &mut Sink) {
    for (operation, policy) in cx.operations() {
        if !policy.admits_anonymous() || cx.refused_as_open(policy) {
            continue;
        }
        let users = policy.allow.as_ref().filter(|a| a.value.users.is_some() || a.value.devices.is_some());
        for (key, span) in [
            ("roles", policy.roles.as_ref().map(|f| f.span)),
            ("level", policy.level.as_ref().map(|f| f.span)),
            ("claims", policy.claims.as_ref().map(|f| f.span)),
            ("owner", policy.owner.as_ref().map(|f| f.span)),
            ("step-up", policy.step_up.as_ref().map(|f| f.span)),
            ("allow", users.map(|f| f.span)),
        ] {
            let Some(span) = span else { continue };
            RULE.report(
                sink,
                span,
                format!("`{key}` is about a caller, and `{}` admits whoever presents nothing", shown(&operation.id)),
            )
            .related(policy.access.span, "admits everybody")
            .help(format!("remove `{key}`, or ask every caller for a credential with `security`"));
        }
    }
}
