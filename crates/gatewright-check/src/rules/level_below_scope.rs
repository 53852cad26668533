//! GW0111 level-below-scope

use gatewright_diag::{Level, Sink, codes};

use crate::context::{alternatives, has_level, shown};
use crate::{Context, Rule};

pub(crate) static RULE: Rule = Rule { code: codes::LEVEL_BELOW_SCOPE, level: Level::Error, check };

fn check(cx: &Context<'_>, sink: &mut Sink) {
    let levels = &cx.policies().levels;
    let granting = |scope: &str| levels.iter().position(|l| l.scopes.iter().any(|s| s.value == scope));
    for (_, policy) in cx.operations() {
        let Some(level) = &policy.level else { continue };
        let Some(asked) = levels.iter().position(|l| l.name.value == level.value) else { continue };
        for need in alternatives(policy).iter().flat_map(|a| &a.needs) {
            if !cx.scheme(need).is_some_and(has_level) {
                continue;
            }
            for scope in &need.scopes {
                let Some(above) = granting(&scope.value).filter(|at| *at > asked) else { continue };
                let name = levels.get(above).map_or("", |l| l.name.value.as_str());
                RULE.report(
                    sink,
                    level.span,
                    format!("the level `{}` does not grant the scope `{}`", shown(&level.value), shown(&scope.value)),
                )
                .related(scope.span, "the scope is asked for here")
                .help(format!("ask for the level `{}`, or grant the scope to `{}`", shown(name), shown(&level.value)));
            }
        }
    }
}
