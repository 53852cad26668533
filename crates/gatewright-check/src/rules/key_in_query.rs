//! GW0118 key-in-query

use std::collections::HashSet;

use gatewright_diag::{Level, Sink, codes};
use gatewright_ir::api::Location;
use gatewright_ir::policy::SchemeKind;

use crate::context::{alternatives, shown};
use crate::{Context, Rule};

pub(crate) static RULE: Rule = Rule { code: codes::KEY_IN_QUERY, level: Level::Warning, check };

fn check(cx: &Context<'_>, sink: &mut Sink) {
    let needs = || cx.operations().flat_map(|(_, policy)| alternatives(policy)).flat_map(|a| &a.needs);
    let used: HashSet<&str> = needs().map(|need| need.scheme.value.as_str()).collect();
    for scheme in cx.policies().schemes.iter().filter(|s| used.contains(s.name.value.as_str())) {
        if matches!(scheme.kind, SchemeKind::ApiKey { location: Location::Query, .. }) {
            RULE.report(sink, scheme.name.span, format!("credentials of `{}` are sent in the URL", shown(&scheme.name.value)))
                .help("write `in: header`");
        }
    }
}
