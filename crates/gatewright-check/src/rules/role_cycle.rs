//! GW0109 role-cycle

use gatewright_diag::{Level, Sink, codes};

use crate::context::shown;
use crate::{Context, Rule};

pub(crate) static RULE: Rule = Rule { code: codes::ROLE_CYCLE, level: Level::Error, check };

fn check(cx: &Context<'_>, sink: &mut Sink) {
    let policies = cx.policies();
    let mut reported: Vec<&str> = Vec::new();
    for role in &policies.roles {
        let name = role.name.value.as_str();
        let circle = role.inherits.iter().find(|inherited| {
            policies.role_closure(&inherited.value).iter().any(|above| above.name.value == role.name.value)
        });
        let Some(through) = circle else { continue };
        if reported.contains(&name) {
            continue;
        }
        // One report for the whole circle.
        reported.extend(policies.role_closure(name).iter().map(|r| r.name.value.as_str()));
        RULE.report(sink, role.name.span, format!("the role `{}` inherits from itself", shown(name)))
            .related(through.span, "through here")
            .help("remove one `inherits` of the circle");
    }
}
