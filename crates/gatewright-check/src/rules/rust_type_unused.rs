//! GW0703 rust-type-unused

use gatewright_diag::{Level, Sink, codes};

use crate::{Context, Rule};

pub(crate) static RULE: Rule = Rule { code: codes::RUST_TYPE_UNUSED, level: Level::Warning, check };

fn check(cx: &Context<'_>, sink: &mut Sink) {
    for (_, schema) in cx.api().schemas.iter() {
        if let Some(name) = &schema.notes.rust_type {
            RULE.report(sink, name.span, format!("`x-rust-type: {}` is not applied yet", name.value))
                .label("the schema's own type is generated")
                .help("convert in the handler, and remove the key");
        }
    }
}
