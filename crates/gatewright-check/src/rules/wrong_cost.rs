//! GW0121 wrong-cost

use gatewright_diag::{Level, Sink, Span, codes};
use gatewright_ir::policy::{Layer, Limit, Measure, Quota, Setting};
use gatewright_policy::Rate;

use crate::context::shown;
use crate::{Context, Rule};

pub(crate) static RULE: Rule = Rule { code: codes::WRONG_COST, level: Level::Error, check };

fn check(cx: &Context<'_>, sink: &mut Sink) {
    for (operation, policy) in cx.operations() {
        let Some(cost) = &policy.cost else { continue };
        let limits = policy.limits.as_ref().map_or(&[][..], |fact| &fact.value);
        let counted = limits.iter().any(|limit| limit.measure != Measure::Concurrent);
        if !counted && matches!(cost.layer, Layer::Operation | Layer::PathItem) {
            RULE.report(sink, cost.span, format!("`{}` has a cost, and no limit that it is taken of", shown(&operation.id)))
                .help("add a `rate-limit` with a `limit` or a `quota`");
        }
        for limit in limits {
            let action = match &limit.quota {
                Quota::Action(name) => cx.policies().actions.iter().find(|a| a.name.value == name.value),
                _ => None,
            };
            let own = std::slice::from_ref(limit);
            for much in action.map_or(own, |a| a.limits.as_slice()) {
                if let Some((holds, span)) = least(cx, much).filter(|(holds, _)| *holds < cost.value) {
                    RULE.report(
                        sink,
                        cost.span,
                        format!("a request of `{}` takes {} of a limit that holds {holds}", shown(&operation.id), cost.value),
                    )
                    .related(span, "no request would ever pass this")
                    .help("a limit holds its `burst`, or its count: make that larger, or the cost smaller");
                }
            }
        }
    }
}

/// The least that a limit holds for somebody, and where that is said. What a deployment sets is judged when the server starts.
fn least(cx: &Context<'_>, limit: &Limit) -> Option<(u32, Span)> {
    let fixed = |rate: &Setting<Rate>, span: Span| match rate {
        Setting::Fixed(rate) => Some((rate.burst, span)),
        Setting::Environment(_) => None,
    };
    let all: Vec<Option<(u32, Span)>> = match (&limit.quota, limit.measure) {
        (_, Measure::Concurrent) | (Quota::Action(_), _) => Vec::new(),
        (Quota::Flat(rate), _) => vec![fixed(rate, limit.span)],
        (Quota::ByName { default, rates }, _) => {
            let named = rates.iter().map(|(name, rate)| fixed(rate, name.span));
            named.chain([fixed(default, limit.span)]).collect()
        }
        (Quota::OfLevel, _) => {
            let rates = cx.policies().levels.iter().filter_map(|level| level.rate.as_ref());
            rates.map(|rate| fixed(&rate.value, rate.span)).collect()
        }
    };
    all.into_iter().flatten().min_by_key(|(holds, _)| *holds)
}
