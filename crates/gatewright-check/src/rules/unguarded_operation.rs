//! GW0101 unguarded-operation

use gatewright_diag::{Level, Sink, codes};
use gatewright_ir::policy::Access;

use crate::context::shown;
use crate::{Context, Rule};

pub(crate) static RULE: Rule = Rule { code: codes::UNGUARDED_OPERATION, level: Level::Error, check };

const HELP: &str = "add `security`, or say why it is open with `x-security: { public: \"…\" }`";

fn check(cx: &Context<'_>, sink: &mut Sink) {
    let open: Vec<_> = cx.operations().filter(|(_, policy)| policy.access.value == Access::Unsaid).map(|(o, _)| o).collect();
    if !cx.options().allow_unguarded {
        for operation in open {
            let message = format!("the operation `{}` is open to everybody", shown(&operation.id));
            RULE.report(sink, operation.span, message).help(HELP);
        }
        return;
    }
    // One warning for all: a thousand of them would hide the others.
    let Some((first, rest)) = open.split_first() else { return };
    let message = match rest.len() {
        0 => format!("the operation `{}` is open to everybody", shown(&first.id)),
        more => format!("the operation `{}` and {more} more are open to everybody", shown(&first.id)),
    };
    let mut report = RULE.warn(sink, first.span, message).help(HELP);
    for operation in rest.iter().take(3) {
        report = report.related(operation.span, "this one too");
    }
}
