//! GW0119 secret-in-url

use std::collections::HashSet;

use gatewright_diag::{Level, Sink, codes};
use gatewright_ir::api::Location;
use gatewright_ir::schema::Classification;

use crate::context::shown;
use crate::{Context, Rule};

pub(crate) static RULE: Rule = Rule { code: codes::SECRET_IN_URL, level: Level::Warning, check };

fn check(cx: &Context<'_>, sink: &mut Sink) {
    let mut seen = HashSet::new();
    for parameter in cx.operations().flat_map(|(operation, _)| &operation.parameters) {
        if !matches!(parameter.location, Location::Path | Location::Query | Location::QueryString) {
            continue;
        }
        let schema = cx.api().schemas.get(parameter.schema);
        let said = parameter.protection.iter().chain(&schema.notes.protection);
        let sensitive = said.map(|p| p.classification).max().is_some_and(|c| c >= Classification::Pii);
        if sensitive && seen.insert(parameter.span) {
            RULE.report(sink, parameter.span, format!("`{}` is sensitive, and is sent in the URL", shown(&parameter.name)))
                .help("send it in the body, or in a header");
        }
    }
}
