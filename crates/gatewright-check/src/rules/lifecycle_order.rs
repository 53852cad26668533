//! GW0115 lifecycle-order

use gatewright_diag::{Level, Sink, codes};
use gatewright_policy::table::Status;

use crate::{Context, Rule};

pub(crate) static RULE: Rule = Rule { code: codes::LIFECYCLE_ORDER, level: Level::Error, check };

fn check(cx: &Context<'_>, sink: &mut Sink) {
    let life = &cx.policies().lifecycle;
    if life.sunset.zip(life.deprecated_at).is_some_and(|(sunset, deprecated)| sunset <= deprecated) {
        RULE.report(sink, life.span, "the sunset is not after the deprecation")
            .help("a version is deprecated first and switched off later: mend `deprecated-at` or `sunset`");
    }
    let living = matches!(life.status, Status::Preview | Status::Stable);
    if living && (life.sunset.is_some() || life.deprecated_at.is_some()) {
        RULE.report(sink, life.span, "a version that is not deprecated has a date for its end")
            .help("write `status: deprecated`, or remove the dates");
    }
}
