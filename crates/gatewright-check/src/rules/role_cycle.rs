//! GW0109 role-cycle

use std::collections::HashMap;

use gatewright_diag::{Level, Sink, codes};
use gatewright_ir::policy::Role;

use crate::context::shown;
use crate::{Context, Rule};

pub(crate) static RULE: Rule = Rule { code: codes::ROLE_CYCLE, level: Level::Error, check };

fn check(cx: &Context<'_>, sink: &mut Sink) {
    let roles: HashMap<&str, &Role> = cx.policies().roles.iter().map(|r| (r.name.value.as_str(), r)).collect();
    // A walk in depth with a stack of its own, each role once: `true` while its inheritance is being followed.
    let mut open: HashMap<&str, bool> = HashMap::new();
    for start in &cx.policies().roles {
        let mut path = vec![(start, start.inherits.iter())];
        if open.insert(&start.name.value, true).is_some() {
            open.insert(&start.name.value, false);
            continue;
        }
        while let Some((role, inherits)) = path.last_mut() {
            let Some(next) = inherits.next() else {
                open.insert(&role.name.value, false);
                path.pop();
                continue;
            };
            match (open.get(next.value.as_str()), roles.get(next.value.as_str())) {
                (Some(true), Some(first)) => {
                    RULE.report(
                        sink,
                        first.name.span,
                        format!("the role `{}` inherits from itself", shown(&first.name.value)),
                    )
                    .related(next.span, "through here")
                    .help("remove one `inherits` of the circle");
                }
                (None, Some(above)) => {
                    open.insert(&above.name.value, true);
                    path.push((above, above.inherits.iter()));
                }
                _ => {}
            }
        }
    }
}
