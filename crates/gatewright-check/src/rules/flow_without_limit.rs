//! GW0117 flow-without-limit

use gatewright_diag::{Level, Sink, codes};

use crate::context::shown;
use crate::{Context, Rule};

pub(crate) static RULE: Rule = Rule { code: codes::FLOW_WITHOUT_LIMIT, level: Level::Error, check };

fn check(cx: &Context<'_>, sink: &mut Sink) {
    for (operation, policy) in cx.operations() {
        if let (Some(flow), None) = (&policy.sensitive_flow, &policy.limits) {
            RULE.report(sink, flow.span, format!("the sensitive flow `{}` has no limit", shown(&operation.id)))
                .help("add a `rate-limit` such as `[ { by: ip, limit: 5/h } ]`");
        }
    }
}
