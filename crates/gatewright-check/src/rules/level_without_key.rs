//! GW0110 level-without-key

use gatewright_diag::{Level, Sink, codes};
use gatewright_ir::policy::Quota;

use crate::context::{alternatives, has_level, shown};
use crate::{Context, Rule};

pub(crate) static RULE: Rule = Rule { code: codes::LEVEL_WITHOUT_KEY, level: Level::Error, check };

fn check(cx: &Context<'_>, sink: &mut Sink) {
    let levels = &cx.policies().levels;
    for (operation, policy) in cx.operations() {
        let guarded = alternatives(policy);
        let has_key = guarded.is_empty() || guarded.iter().any(|a| cx.some_scheme(a, has_level));
        if let Some(level) = policy.level.as_ref().filter(|_| !has_key) {
            RULE.report(sink, level.span, format!("`{}` asks for a level, and for no API key", shown(&operation.id)))
                .related(policy.access.span, "none of these schemes has levels")
                .help("ask for an `apiKey` scheme with `x-security: { prefix: … }`");
        }
        for limit in policy.limits.iter().flat_map(|fact| &fact.value).filter(|l| l.quota == Quota::OfLevel) {
            let from = policy.level.as_ref().and_then(|l| levels.iter().position(|x| x.name.value == l.value));
            let without = levels.iter().skip(from.unwrap_or(0)).find(|level| level.rate.is_none());
            if levels.is_empty() || !has_key {
                RULE.report(sink, limit.span, format!("`{}` is limited by level, and its callers have none", shown(&operation.id)))
                    .help("declare `levels` in the root's `x-security` and ask for an API key, or give the limit a rate");
            } else if let Some(level) = without {
                RULE.report(sink, limit.span, format!("the level `{}` has no rate to limit by", shown(&level.name.value)))
                    .related(level.name.span, "declared here")
                    .help("give the level a `rate-limit`");
            }
        }
    }
}
