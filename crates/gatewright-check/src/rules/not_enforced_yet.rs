//! GW0701 not-enforced-yet
//!
//! The vocabulary is whole from its first version; the server grows. What it cannot enforce yet is refused, never ignored.
//! When it can, its row goes away.

use std::collections::{BTreeSet, HashSet};

use gatewright_diag::{Level, Sink, Span, codes};
use gatewright_ir::Policy;
use gatewright_ir::api::MediaKind;

use crate::{Context, Rule};

pub(crate) static RULE: Rule = Rule { code: codes::NOT_ENFORCED_YET, level: Level::Error, check };

/// A key, and where it stands.
type Row<T> = (&'static str, fn(&T) -> Option<Span>);

/// Of operations.
const OPERATION: &[Row<Policy>] = &[
    ("upstream", |policy| policy.upstream.as_ref().map(|fact| fact.span)),
];

fn check(cx: &Context<'_>, sink: &mut Sink) {
    // Keys of the root's defaults are met by every operation.
    let mut found: HashSet<(&str, Span)> = HashSet::new();
    for (_, policy) in cx.operations() {
        found.extend(OPERATION.iter().filter_map(|(key, at)| Some((*key, at(policy)?))));
    }
    // Two requests are compared by their bodies, and one that a handler reads itself is not there to be compared.
    for (operation, policy) in cx.operations() {
        let content = operation.body.iter().flat_map(|body| &body.content);
        let streamed = content.map(|media| media.kind).any(|kind| match kind {
            MediaKind::Json | MediaKind::Form | MediaKind::Xml | MediaKind::Text => false,
            MediaKind::Multipart | MediaKind::EventStream | MediaKind::JsonLines | MediaKind::Binary => true,
        });
        if let (true, Some(fact)) = (streamed, &policy.idempotency) {
            found.insert(("idempotency", fact.span));
        }
    }
    // Who sends a parameter has seen it.
    let parameters = cx.api().operations.iter().flat_map(|operation| &operation.parameters);
    let read = parameters.filter_map(|parameter| parameter.protection.as_ref()).filter(|p| !p.read.is_empty());
    let unseen: BTreeSet<Span> = read.map(|protection| protection.span).collect();
    for span in unseen {
        RULE.report(sink, span, "`read` of a parameter guards nothing")
            .label("no response shows it")
            .help("say `write`, which is about who may send it");
    }
    let mut found: Vec<_> = found.into_iter().collect();
    found.sort_unstable_by_key(|(key, span)| (*span, *key));
    for (key, span) in found {
        RULE.report(sink, span, format!("`{key}` cannot be enforced yet"))
            .label("nothing would guard this")
            .help("remove it until it is supported, and guard in another way");
    }
}
