//! GW0102 opened-without-public

use std::collections::HashSet;

use gatewright_diag::{Level, Sink, codes};
use gatewright_ir::policy::{Access, Layer};

use crate::context::shown;
use crate::{Context, Rule};

pub(crate) static RULE: Rule = Rule { code: codes::OPENED_WITHOUT_PUBLIC, level: Level::Error, check };

fn check(cx: &Context<'_>, sink: &mut Sink) {
    let mut seen = HashSet::new();
    for (operation, policy) in cx.operations() {
        let access = &policy.access;
        if access.value != Access::Opened || !seen.insert(access.span) {
            continue;
        }
        let message = match access.layer {
            Layer::Operation => format!("the operation `{}` is opened without saying why", shown(&operation.id)),
            _ => "every operation without `security` of its own is opened without saying why".to_owned(),
        };
        let report = match cx.options().allow_unguarded {
            true => RULE.warn(sink, access.span, message),
            false => RULE.report(sink, access.span, message),
        };
        report.label("asks for nothing").help("say why it is open with `x-security: { public: \"…\" }`, or ask for a scheme");
    }
}
