//! GW0117 flow-without-limit

use gatewright_diag::{Level, Sink, codes};
use gatewright_ir::policy::Measure;

use crate::context::shown;
use crate::{Context, Rule};

pub(crate) static RULE: Rule = Rule { code: codes::FLOW_WITHOUT_LIMIT, level: Level::Error, check };

fn check(cx: &Context<'_>, sink: &mut Sink) {
    for (operation, policy) in cx.operations() {
        let limits = policy.limits.iter().flat_map(|fact| &fact.value);
        // How many run at once slows nobody who sends one after the other.
        let counted = limits.into_iter().any(|limit| limit.measure != Measure::Concurrent);
        if let (Some(flow), false) = (&policy.sensitive_flow, counted) {
            RULE.report(sink, flow.span, format!("the sensitive flow `{}` has no limit", shown(&operation.id)))
                .help("add a `rate-limit` such as `[ { by: ip, limit: 5/h } ]`");
        }
    }
}
