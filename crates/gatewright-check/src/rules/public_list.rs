//! GW0122 public-list

use gatewright_diag::{Level, Sink, codes};
use gatewright_ir::lists::Lists;
use gatewright_ir::policy::Access;

use crate::context::shown;
use crate::{Context, Rule};

pub(crate) static RULE: Rule = Rule { code: codes::PUBLIC_LIST, level: Level::Warning, check };

fn check(cx: &Context<'_>, sink: &mut Sink) {
    let lists = Lists::new(cx.ir());
    for (operation, policy) in cx.operations() {
        let Access::Public(reason) = &policy.access.value else { continue };
        if let Some(resource) = lists.of_operation(cx.api(), operation) {
            let resource = shown(resource);
            let id = shown(&operation.id);
            RULE.report(sink, reason.span, format!("`{id}` shows everybody a list of `{resource}`, of which each belongs to somebody"))
                .label("with no caller there is nobody to filter for")
                .related(operation.span, "in this operation")
                .help("ask for a scheme, so that each caller gets those that he may see, or list what is not owned");
        }
    }
}
