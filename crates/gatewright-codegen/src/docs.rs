//! Documentation of generated items: the document's own words, made harmless, and the policy in one line.

use gatewright_diag::SourceMap;
use gatewright_ir::api::Operation;
use gatewright_ir::policy::{
    Access, LimitKey, Measure, Must, Operand, Policy, PolicySet, Quota, Reference, RequestPart, Setting,
};
use proc_macro2::TokenStream;
use quote::quote;

/// Lines of a text as doc attributes. Text of a document can make no code block (it would be run as a test), no link and
/// no markup, and no line is endless.
pub(crate) fn doc(text: &str) -> TokenStream {
    let lines = lines(text).into_iter().map(|line| {
        let line = if line.is_empty() { line } else { format!(" {line}") };
        quote!(#[doc = #line])
    });
    quote!(#(#lines)*)
}

/// The harmless lines of a text: at most twelve.
pub(crate) fn lines(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for line in text.lines() {
        let line = harmless(line.trim());
        if line.is_empty() && out.last().is_none_or(String::is_empty) {
            continue;
        }
        if out.len() >= 12 {
            out.push("…".to_owned());
            break;
        }
        out.push(line);
    }
    while out.last().is_some_and(String::is_empty) {
        out.pop();
    }
    out
}

/// One line without markup but inline code: nothing of it is a link, an element, a code block, or a character that hides
/// what is read.
pub(crate) fn harmless(line: &str) -> String {
    let mut short: String = line.chars().take(240).filter(|c| is_shown(*c)).collect();
    if line.chars().nth(240).is_some() {
        short.push('…');
    }
    // Code keeps its marks where every piece of it closes. Two marks together would open something longer.
    let sound = !short.contains("``") && short.matches('`').count().is_multiple_of(2);
    if !sound {
        short = short.replace('`', "'");
    }
    let parts = short.split('`').enumerate();
    let parts = parts.map(|(at, part)| if at % 2 == 1 { part.to_owned() } else { escaped(part) });
    parts.collect::<Vec<_>>().join("`")
}

/// Text outside of code. `~~~` would open a code block; an address alone would be a link that rustdoc warns of.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '~' => out.push('\''),
            '[' | ']' | '<' | '>' | '\\' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out.replace("://", "\\://")
}

/// No control characters, and none that change the order of what is read (Trojan Source).
pub(crate) fn is_shown(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// `POST /v1/transfers · oauth[transfers:write] · owner account({path.accountId}) · 100/min per user (bank.yaml:41)`
pub(crate) fn policy_line(operation: &Operation, prefix: &str, set: &PolicySet, sources: &SourceMap) -> String {
    let policy = set.get(operation.policy);
    let mut parts = vec![format!("{} {prefix}{}", operation.method, operation.path.text)];
    parts.push(access(&policy.access.value));
    rest(policy, &mut parts);
    format!("{} ({})", parts.join(" · "), sources.at(operation.span))
}

fn access(access: &Access) -> String {
    match access {
        Access::Public(reason) => format!("public: {}", reason.value),
        Access::Unsaid | Access::Opened => "OPEN: no policy".to_owned(),
        Access::Nobody => "nobody".to_owned(),
        Access::Guarded(alternatives) => {
            let alternatives = alternatives.iter().map(|alternative| {
                if alternative.needs.is_empty() {
                    return "anonymous".to_owned();
                }
                let needs = alternative.needs.iter().map(|need| {
                    let scopes: Vec<&str> = need.scopes.iter().map(|s| s.value.as_str()).collect();
                    if scopes.is_empty() {
                        need.scheme.value.clone()
                    } else {
                        format!("{}[{}]", need.scheme.value, scopes.join(", "))
                    }
                });
                needs.collect::<Vec<_>>().join(" and ")
            });
            alternatives.collect::<Vec<_>>().join(" or ")
        }
    }
}

fn rest(policy: &Policy, parts: &mut Vec<String>) {
    if let Some(roles) = &policy.roles {
        let roles: Vec<&str> = roles.iter().map(|r| r.value.as_str()).collect();
        parts.push(format!("role {}", roles.join(" or ")));
    }
    if let Some(level) = &policy.level {
        parts.push(format!("level {}", level.value));
    }
    for claim in policy.claims.iter().flat_map(|c| &c.value) {
        let path = claim.path.join(".");
        parts.push(match &claim.must {
            Must::Equal(value) => format!("{path} = {}", operand(value)),
            Must::In(values) => format!("{path} in {}", values.iter().map(operand).collect::<Vec<_>>().join(", ")),
            Must::Contain(value) => format!("{path} contains {}", operand(value)),
        });
    }
    if let Some(owner) = &policy.owner {
        parts.push(format!("owner {}({})", owner.resource.value, reference(&owner.id)));
    }
    if let Some(step) = &policy.step_up {
        parts.push(format!("step-up {} within {} s", step.value.method.value, step.value.within));
    }
    if let Some(allow) = &policy.allow {
        let named = [("networks", &allow.networks), ("users", &allow.users), ("devices", &allow.devices)];
        for (what, names) in named {
            if let Some(names) = names {
                let names: Vec<&str> = names.iter().map(|n| n.value.as_str()).collect();
                parts.push(format!("{what} {}", names.join(", ")));
            }
        }
    }
    for limit in policy.limits.iter().flat_map(|l| &l.value) {
        let by: Vec<String> = limit.by.iter().map(key).collect();
        let much = match &limit.quota {
            Quota::Flat(Setting::Fixed(rate)) => limit.measure.written(rate),
            Quota::Flat(Setting::Environment(text)) => text.clone(),
            Quota::ByName { default: Setting::Fixed(rate), .. } => {
                format!("{} (others by role)", limit.measure.written(rate))
            }
            Quota::ByName { default: Setting::Environment(text), .. } => format!("{text} (others by role)"),
            Quota::OfLevel => "the level's rate".to_owned(),
            Quota::Action(name) => format!("bucket {}", name.value),
        };
        let much = if limit.measure == Measure::Concurrent { format!("{much} at once") } else { much };
        parts.push(if by.is_empty() { much } else { format!("{much} per {}", by.join(" and ")) });
    }
    if let Some(cost) = &policy.cost {
        parts.push(format!("cost {}", cost.value));
    }
}

fn key(key: &LimitKey) -> String {
    match key {
        LimitKey::Address => "ip".to_owned(),
        LimitKey::User => "user".to_owned(),
        LimitKey::ApiKey => "key".to_owned(),
        LimitKey::Client => "client".to_owned(),
        LimitKey::Level => "level".to_owned(),
        LimitKey::Claim(path) => format!("claim {}", path.join(".")),
    }
}

fn operand(operand: &Operand) -> String {
    match operand {
        Operand::Text(text) => format!("{text:?}"),
        Operand::Integer(n) => n.to_string(),
        Operand::Bool(b) => b.to_string(),
        Operand::Request(place) => reference(place),
    }
}

fn reference(reference: &Reference) -> String {
    let part = match reference.part {
        RequestPart::Path => "path",
        RequestPart::Query => "query",
        RequestPart::Header => "header",
        RequestPart::Body => "body",
    };
    format!("{{{part}.{}}}", reference.name)
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn text_of_a_document_makes_no_markup() {
        assert_eq!(harmless("```rust"), "'''rust");
        assert_eq!(harmless("see [x](http://e) <b>"), "see \\[x\\](http\\://e) \\<b\\>");
        assert_eq!(harmless("a\u{202e}b\u{7}"), "ab");
        assert_eq!(harmless("a `Vec<[u8]>` of <b>"), "a `Vec<[u8]>` of \\<b\\>");
        assert_eq!(harmless("`a ``b`"), "'a ''b'");
    }
}
