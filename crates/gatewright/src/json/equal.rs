//! When two values are the same, and an order of values: numbers by value, members in any order.

use std::cmp::Ordering;

use super::document::{Kind, Member, Value};
use super::number;

/// Whether two values are equal as JSON Schema has it.
pub(super) fn equal(a: Value<'_>, b: Value<'_>) -> bool {
    order(a, b) == Ordering::Equal
}

fn rank(kind: Kind) -> u8 {
    match kind {
        Kind::Null => 0,
        Kind::Boolean => 1,
        Kind::Number => 2,
        Kind::String => 3,
        Kind::Array => 4,
        Kind::Object => 5,
    }
}

/// A total order in which exactly the equal values are equal. Recursion is bounded by the depth of the documents.
pub(super) fn order(a: Value<'_>, b: Value<'_>) -> Ordering {
    let (kind, other) = (a.kind(), b.kind());
    if kind != other {
        return rank(kind).cmp(&rank(other));
    }
    match kind {
        Kind::Null => Ordering::Equal,
        Kind::Boolean => a.as_bool().cmp(&b.as_bool()),
        Kind::Number => match (a.as_short_integer(), b.as_short_integer()) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => number::compare(a.as_number().unwrap_or("0"), b.as_number().unwrap_or("0")),
        },
        Kind::String => a.as_str().cmp(&b.as_str()),
        Kind::Array => a.len().cmp(&b.len()).then_with(|| {
            a.items().zip(b.items()).map(|(a, b)| order(a, b)).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
        }),
        Kind::Object => a.len().cmp(&b.len()).then_with(|| {
            let (left, right) = (sorted(a), sorted(b));
            let names = left.iter().map(|m| m.name).cmp(right.iter().map(|m| m.name));
            names.then_with(|| {
                let pairs = left.iter().zip(&right).map(|(l, r)| order(l.value, r.value));
                pairs.into_iter().find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
            })
        }),
    }
}

fn sorted(object: Value<'_>) -> Vec<Member<'_>> {
    let mut members: Vec<_> = object.members().collect();
    members.sort_unstable_by_key(|member| member.name);
    members
}

/// As many items are compared each with each: that needs no memory, and costs no more than sorting them.
const FEW: usize = 12;

/// The first item that equals an earlier one. Sorting bounds the work whatever was sent.
pub(super) fn repeated(array: Value<'_>) -> Option<Value<'_>> {
    if array.len() <= FEW {
        let mut items = array.items().enumerate();
        return items
            .find(|(place, item)| array.items().take(*place).any(|other| equal(other, *item)))
            .map(|(_, item)| item);
    }
    let mut items: Vec<Value<'_>> = array.items().collect();
    items.sort_by(|a, b| order(*a, *b));
    let pairs = items.windows(2).filter_map(|pair| match pair {
        [a, b] if equal(*a, *b) => Some(*b),
        _ => None,
    });
    pairs.min_by_key(|value| value.index)
}
