//! References that lead in a circle of nothing but references.

use gatewright_diag::codes;

use super::{Resolver, Set};
use crate::document::walk::reference;
use crate::syntax::{Node, NodeKey};

/// Reports each circle once, and cuts it: its references dangle from then on, so that nobody follows them forever.
pub(super) fn cut(resolver: &mut Resolver<'_>) {
    let mut settled: Set<NodeKey> = Set::default();
    let mut starts: Vec<NodeKey> = resolver.table.keys().copied().collect();
    starts.sort();
    for start in starts {
        let mut chain = Vec::new();
        let mut on_chain: Set<NodeKey> = Set::default();
        let mut at = Some(start);
        while let Some(text) = at {
            if settled.contains(&text) {
                break;
            }
            if !on_chain.insert(text) {
                let from = chain.iter().position(|key| *key == text).unwrap_or(0);
                report(resolver, chain.get(from..).unwrap_or(&[]));
                break;
            }
            chain.push(text);
            // What the reference names may itself be a reference.
            at = resolver
                .table
                .get(&text)
                .and_then(|target| resolver.node(target.node?))
                .and_then(reference)
                .map(Node::identity);
        }
        settled.extend(chain);
    }
}

fn report(resolver: &mut Resolver<'_>, circle: &[NodeKey]) {
    let places: Vec<_> = circle.iter().filter_map(|key| resolver.node(*key)).map(Node::span).collect();
    let Some((first, rest)) = places.split_first() else { return };
    let message = match rest {
        [] => "this reference names itself",
        _ => "these references lead in a circle and name nothing",
    };
    let mut report = resolver.sink.error(codes::REFERENCE_CYCLE, *first, message);
    for place in rest.iter().take(4) {
        report = report.related(*place, "and on from here");
    }
    report.help("let one of them be a schema, not a reference");
    for key in circle {
        if let Some(target) = resolver.table.get_mut(key) {
            target.node = None;
        }
    }
}
