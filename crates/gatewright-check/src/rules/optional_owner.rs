//! GW0120 optional-owner

use gatewright_diag::{Level, Sink, codes};

use crate::context::shown;
use crate::{Context, Rule, place};

pub(crate) static RULE: Rule = Rule { code: codes::OPTIONAL_OWNER, level: Level::Error, check };

fn check(cx: &Context<'_>, sink: &mut Sink) {
    for (operation, policy) in cx.operations() {
        let Some(owner) = &policy.owner else { continue };
        if place::find(cx.api(), operation, &owner.value.id).is_some_and(|place| place.optional) {
            let resource = shown(&owner.value.resource.value);
            RULE.report(
                sink,
                owner.value.id.span,
                format!("a request of `{}` may leave the id of its {resource} away", shown(&operation.id)),
            )
            .related(operation.span, "in this operation")
            .help("make the value `required`");
        }
    }
}
