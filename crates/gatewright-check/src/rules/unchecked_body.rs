//! GW0703 unchecked-body

use std::collections::BTreeMap;

use gatewright_diag::{Level, Sink, Span, codes};
use gatewright_ir::api::{Media, MediaKind};
use gatewright_ir::schema::{Schema, Schemas, Types};

use crate::context::shown;
use crate::{Context, Rule};

pub(crate) static RULE: Rule = Rule { code: codes::UNCHECKED_BODY, level: Level::Warning, check };

/// So many others are shown beside the first.
const SHOWN: usize = 3;

fn check(cx: &Context<'_>, sink: &mut Sink) {
    let schemas = &cx.api().schemas;
    // One for a media type: some documents take the same in every operation.
    let mut found: BTreeMap<&str, Vec<Span>> = BTreeMap::new();
    for media in cx.api().operations.iter().flat_map(|o| &o.body).flat_map(|body| &body.content) {
        if unread(media) && says(schemas, media) {
            found.entry(media.media_type.value.as_str()).or_default().push(media.media_type.span);
        }
    }
    for (name, mut places) in found {
        // An operation's body may stand under several paths.
        places.sort_unstable();
        places.dedup();
        let [first, others @ ..] = places.as_slice() else { continue };
        let name = shown(name);
        let message = match others.len() {
            0 => format!("`{name}` goes to the handler as it comes"),
            n => format!("`{name}` goes to the handler as it comes, in {} bodies", n + 1),
        };
        let mut report = RULE.report(sink, *first, message).label("its schema is not checked");
        for place in others.iter().take(SHOWN) {
            report = report.related(*place, "nor this one");
        }
        report.help("check it in the handler, or take JSON, XML or a form");
    }
}

/// Whether the server reads no value of such a body. Of forms it reads every part.
fn unread(media: &Media) -> bool {
    let essence = media.media_type.value.split(';').next().unwrap_or("").trim();
    match media.kind {
        MediaKind::Multipart => !essence.eq_ignore_ascii_case("multipart/form-data"),
        MediaKind::Binary | MediaKind::Text => true,
        MediaKind::Json | MediaKind::Form | MediaKind::Xml | MediaKind::JsonLines | MediaKind::EventStream => false,
    }
}

/// Whether the document asks more of it than bytes or a text.
fn says(schemas: &Schemas, media: &Media) -> bool {
    let strings = media.kind == MediaKind::Binary;
    !media.encoding.is_empty() || media.schema.is_some_and(|id| schemas.possibly(id).any(|schema| asks(schema, strings)))
}

fn asks(schema: &Schema, strings: bool) -> bool {
    let types = schema.types.map_or(Types::empty(), |types| types.without(Types::STRING.with(Types::NULL)));
    let number = &schema.number;
    !types.is_empty()
        || !schema.object.is_empty()
        || [&number.minimum, &number.maximum, &number.exclusive_minimum, &number.exclusive_maximum]
            .iter()
            .any(|bound| bound.is_some())
        || schema.not.is_some()
        || schema.condition.is_some()
        || !schema.array.prefix_items.is_empty()
        || schema.array.items.is_some()
        || strings
            && (schema.enumeration.is_some()
                || schema.constant.is_some()
                || schema.string.min_length.is_some()
                || schema.string.max_length.is_some()
                || schema.string.pattern.is_some())
}
