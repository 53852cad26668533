//! GW0107 unknown-reference

use gatewright_diag::{Level, Sink, codes};
use gatewright_ir::Operation;
use gatewright_ir::api::Location;
use gatewright_ir::policy::{Must, Operand, Policy, Reference, RequestPart};
use gatewright_ir::schema::Types;

use crate::context::{near_or, shown};
use crate::place::{self, Place};
use crate::{Context, Rule};

pub(crate) static RULE: Rule = Rule { code: codes::UNKNOWN_REFERENCE, level: Level::Error, check };

fn check(cx: &Context<'_>, sink: &mut Sink) {
    for (operation, policy) in cx.operations() {
        for reference in references(policy) {
            judge(cx, operation, reference, sink);
        }
    }
}

/// Every value of the request that a policy names.
fn references(policy: &Policy) -> Vec<&Reference> {
    let mut found: Vec<&Reference> = policy.owner.iter().map(|owner| &owner.value.id).collect();
    for claim in policy.claims.iter().flat_map(|fact| &fact.value) {
        let operands = match &claim.must {
            Must::Equal(one) | Must::Contain(one) => std::slice::from_ref(one),
            Must::In(many) => many,
        };
        found.extend(operands.iter().filter_map(|operand| match operand {
            Operand::Request(reference) => Some(reference),
            _ => None,
        }));
    }
    found
}

fn judge(cx: &Context<'_>, operation: &Operation, reference: &Reference, sink: &mut Sink) {
    let name = shown(&reference.name);
    let part = match reference.part {
        RequestPart::Path => "path",
        RequestPart::Query => "query",
        RequestPart::Header => "header",
        RequestPart::Body => "body",
    };
    match place::find(cx.api(), operation, reference) {
        Some(Place { types, .. }) => {
            let scalar = Types::STRING.with(Types::INTEGER).with(Types::BOOLEAN).with(Types::NULL);
            if types.is_some_and(|types| !scalar.contains(types) || types == Types::NULL) {
                RULE.report(sink, reference.span, format!("`{{{part}.{name}}}` is compared, and is not always a simple value"))
                    .related(operation.span, "in this operation")
                    .help("name a value whose `type` is `string`, `integer` or `boolean`");
            }
        }
        None if reference.part == RequestPart::Body => {
            RULE.report(sink, reference.span, format!("the body of `{}` has no `{name}`", shown(&operation.id)))
                .related(operation.span, "in this operation")
                .help("name a place that the JSON schema of the body declares");
        }
        None => {
            let location = match reference.part {
                RequestPart::Path => Location::Path,
                RequestPart::Query => Location::Query,
                RequestPart::Header | RequestPart::Body => Location::Header,
            };
            let known: Vec<String> = operation
                .parameters
                .iter()
                .filter(|p| p.location == location)
                .map(|p| format!("{{{part}.{}}}", p.name))
                .collect();
            let word = format!("{{{part}.{}}}", reference.name);
            let otherwise = match known.first() {
                Some(first) if known.len() == 1 => format!("the operation has `{}`", shown(first)),
                _ => format!("declare a {part} parameter `{name}`"),
            };
            let help = near_or(sink, &word, known.iter().map(String::as_str), &otherwise);
            RULE.report(sink, reference.span, format!("`{}` has no {part} parameter `{name}`", shown(&operation.id)))
                .related(operation.span, "in this operation")
                .help(help);
        }
    }
}
