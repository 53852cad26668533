//! A naive reading of a policy: the second engine of the differential test.
//!
//! It knows the IR and nothing of the server: no bits, no tables, no caches, strings throughout, one `if` per sentence of
//! the vocabulary. Where it and a generated server disagree, one of them is wrong.

use std::collections::BTreeMap;
use std::net::IpAddr;

use gatewright_diag::Spanned;
use gatewright_ir::policy::{
    Access, Alternative, Claim, Must, Operand, Policy, PolicySet, RequestPart, Setting, Verify,
};
use gatewright_policy::Refusal;
use serde_json::Value;

/// What a request shows to a policy.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// When, in seconds since 1970.
    pub now: i64,
    /// How many seconds ago a passkey was shown with the token.
    pub shown: Option<u32>,
    /// Where it comes from.
    pub address: Option<IpAddr>,
    /// What was presented, by scheme; absent means that nothing was.
    pub credentials: BTreeMap<String, Credential>,
    /// Path parameters.
    pub path: BTreeMap<String, String>,
    /// Query parameters.
    pub query: BTreeMap<String, String>,
    /// Header fields, names in lower case.
    pub headers: BTreeMap<String, String>,
}

/// A presented credential.
#[derive(Clone, Debug)]
pub enum Credential {
    /// It does not verify: malformed, expired, forged, of another audience.
    Bad,
    /// A verified token, by its claims.
    Token(Value),
    /// A verified API key of this level.
    Key {
        /// The level.
        level: String,
    },
}

/// What the checks between the connection and the body decide.
///
/// Limits are left out: the test keeps every caller under his.
pub fn decide(policies: &PolicySet, policy: &Policy, facts: &Facts) -> Result<(), Refusal> {
    // The operation's networks, before anybody asks who it is.
    if let Some(names) = policy.allow.as_ref().and_then(|allow| allow.networks.as_ref()) {
        let inside = names.iter().any(|name| in_network(policies, name, facts.address));
        if !inside {
            return Err(Refusal::NetworkNotAllowed);
        }
    }

    // Authentication and scopes.
    let alternatives = match &policy.access.value {
        Access::Public(_) | Access::Unsaid | Access::Opened => return Ok(()),
        Access::Nobody => return Err(Refusal::Internal),
        Access::Guarded(alternatives) => alternatives,
    };
    let named: Vec<&str> = alternatives.iter().flat_map(|a| &a.needs).map(|need| need.scheme.value.as_str()).collect();
    let presented_bad = named.iter().any(|scheme| matches!(facts.credentials.get(*scheme), Some(Credential::Bad)));
    let authenticated = |a: &Alternative| a.needs.iter().all(|need| good(facts, &need.scheme));
    let authorized = |a: &Alternative| {
        authenticated(a)
            && a.needs.iter().all(|need| {
                let has = scopes(policies, facts, &need.scheme);
                need.scopes.iter().all(|scope| has.contains(&scope.value))
            })
    };
    let with_schemes = || alternatives.iter().filter(|a| !a.needs.is_empty());
    let anonymous_allowed = alternatives.iter().any(|a| a.needs.is_empty());

    let admitted_as_somebody = with_schemes().any(authorized);
    let authenticated_somehow = with_schemes().any(authenticated);
    let refusal = if admitted_as_somebody {
        None
    } else if presented_bad {
        Some(Refusal::CredentialInvalid)
    } else if anonymous_allowed {
        // Whoever presents too little for any other alternative is nobody, and nobody may come in.
        None
    } else if authenticated_somehow {
        Some(Refusal::ScopeMissing)
    } else {
        Some(Refusal::CredentialMissing)
    };

    // Who is known and lacks a level is told of the level before the scopes.
    let known = refusal.is_none() || refusal == Some(Refusal::ScopeMissing);
    if known
        && let Some(level) = &policy.level
        && !has_level(policies, facts, &named, level)
    {
        return Err(Refusal::LevelTooLow);
    }
    if let Some(refusal) = refusal {
        return Err(refusal);
    }

    if let Some(roles) = &policy.roles
        && !roles.iter().any(|wanted| caller_roles(policies, facts, &named).contains(&wanted.value))
    {
        return Err(Refusal::RoleMissing);
    }
    for claim in policy.claims.iter().flat_map(|claims| claims.iter()) {
        if !mentions_body(claim) && !holds(claim, facts, &named) {
            return Err(Refusal::ClaimMismatch);
        }
    }
    if let Some(users) = policy.allow.as_ref().and_then(|allow| allow.users.as_ref()) {
        let subject = tokens(facts, &named).find_map(|claims| claims.get("sub")?.as_str());
        if !users.iter().any(|user| Some(user.value.as_str()) == subject) {
            return Err(Refusal::CallerNotAllowed);
        }
    }

    // A strong sign-in, or a passkey, that is not long ago. (What the caller's rate decides before it is left out.)
    if let Some(step) = &policy.step_up {
        let recent = if step.method.value == "webauthn" {
            facts.shown.is_some_and(|ago| ago <= step.within)
        } else {
            tokens(facts, &named).any(|claims| signed_in(claims, &step.acr, step.within, facts.now))
        };
        if !recent {
            return Err(Refusal::StepUpRequired);
        }
    }
    Ok(())
}

/// Whether a token says that its subject signed in with several factors, at most so many seconds ago.
fn signed_in(claims: &Value, acr: &[Spanned<String>], within: u32, now: i64) -> bool {
    let said = claims.get("acr").and_then(Value::as_str).unwrap_or("");
    let strong = if acr.is_empty() {
        let list = claims.get("amr").and_then(Value::as_array).cloned().unwrap_or_default();
        list.contains(&Value::from("mfa")) || said == "http://schemas.openid.net/pape/policies/2007/06/multi-factor"
    } else {
        acr.iter().any(|wanted| wanted.value == said)
    };
    let Some(at) = claims.get("auth_time").and_then(Value::as_i64) else { return false };
    // The server forgives an issuer's clock that is half a minute fast.
    strong && at <= now + 30 && now - at <= i64::from(within)
}

fn good(facts: &Facts, scheme: &str) -> bool {
    matches!(facts.credentials.get(scheme), Some(Credential::Token(_) | Credential::Key { .. }))
}

fn in_network(policies: &PolicySet, name: &str, address: Option<IpAddr>) -> bool {
    let Some(address) = address else { return false };
    policies.networks.iter().filter(|network| network.name.value == name).flat_map(|network| &network.ranges).any(
        |range| {
            let text = match &range.value {
                Setting::Fixed(text) => text.clone(),
                Setting::Environment(template) => default_of(template),
            };
            text.split(',').any(|range| contains(range.trim(), address))
        },
    )
}

/// The default of `${NAME:-default}`.
fn default_of(template: &str) -> String {
    template
        .split_once(":-")
        .and_then(|(_, rest)| rest.split_once('}'))
        .map(|(default, _)| default.to_owned())
        .unwrap_or_default()
}

/// Whether a range in CIDR notation holds an address, bit by bit.
fn contains(range: &str, address: IpAddr) -> bool {
    let Some((base, length)) = range.split_once('/') else { return false };
    let (Ok(base), Ok(length)) = (base.parse::<IpAddr>(), length.parse::<usize>()) else { return false };
    let bits = |address: IpAddr| -> Vec<bool> {
        let octets = match address {
            IpAddr::V4(v4) => v4.octets().to_vec(),
            IpAddr::V6(v6) => v6.octets().to_vec(),
        };
        octets.iter().flat_map(|octet| (0..8).rev().map(move |bit| octet >> bit & 1 == 1)).collect()
    };
    base.is_ipv4() == address.is_ipv4() && bits(base).iter().zip(&bits(address)).take(length).all(|(a, b)| a == b)
}

fn tokens<'a>(facts: &'a Facts, named: &'a [&'a str]) -> impl Iterator<Item = &'a Value> {
    facts.credentials.iter().filter(|(scheme, _)| named.contains(&scheme.as_str())).filter_map(|(_, c)| match c {
        Credential::Token(claims) => Some(claims),
        _ => None,
    })
}

fn at<'a>(claims: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(claims, |value, part| value.get(part))
}

/// The words of a claim: a space-separated string, or an array of strings.
fn words(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => text.split(' ').filter(|w| !w.is_empty()).map(str::to_owned).collect(),
        Some(Value::Array(items)) => items.iter().filter_map(|item| item.as_str()).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// Roles that one credential carries, inherited ones included.
fn roles_of(policies: &PolicySet, facts: &Facts, scheme: &str) -> Vec<String> {
    let Some(Credential::Token(claims)) = facts.credentials.get(scheme) else { return Vec::new() };
    let Some(Verify::Jwt(jwt)) = policies.scheme(scheme).map(|s| &s.verify) else { return Vec::new() };
    let Some(path) = &jwt.roles_claim else { return Vec::new() };
    words(at(claims, path))
        .iter()
        .flat_map(|role| policies.role_closure(role))
        .map(|role| role.name.value.clone())
        .collect()
}

fn caller_roles(policies: &PolicySet, facts: &Facts, named: &[&str]) -> Vec<String> {
    named.iter().flat_map(|scheme| roles_of(policies, facts, scheme)).collect()
}

/// Scopes that one credential carries: its own, and those of its roles or its level.
fn scopes(policies: &PolicySet, facts: &Facts, scheme: &str) -> Vec<String> {
    match facts.credentials.get(scheme) {
        Some(Credential::Token(claims)) => {
            let mut scopes = match policies.scheme(scheme).map(|s| &s.verify) {
                Some(Verify::Jwt(jwt)) => words(at(claims, &jwt.scopes_claim)),
                _ => Vec::new(),
            };
            for role in roles_of(policies, facts, scheme) {
                let role = policies.roles.iter().find(|r| r.name.value == role);
                scopes.extend(role.iter().flat_map(|r| &r.scopes).map(|s| s.value.clone()));
            }
            scopes
        }
        Some(Credential::Key { level }) => policies
            .levels
            .iter()
            .filter(|l| l.name.value == *level)
            .flat_map(|l| &l.scopes)
            .map(|s| s.value.clone())
            .collect(),
        _ => Vec::new(),
    }
}

/// Whether one of the callers' keys has at least this level.
fn has_level(policies: &PolicySet, facts: &Facts, named: &[&str], wanted: &str) -> bool {
    let rank = |name: &str| policies.levels.iter().position(|level| level.name.value == name);
    facts.credentials.iter().filter(|(scheme, _)| named.contains(&scheme.as_str())).any(|(_, credential)| {
        match credential {
            Credential::Key { level } => rank(level) >= rank(wanted) && rank(level).is_some(),
            _ => false,
        }
    })
}

fn mentions_body(claim: &Claim) -> bool {
    let body = |operand: &Operand| matches!(operand, Operand::Request(r) if r.part == RequestPart::Body);
    match &claim.must {
        Must::Equal(operand) | Must::Contain(operand) => body(operand),
        Must::In(operands) => operands.iter().any(body),
    }
}

fn holds(claim: &Claim, facts: &Facts, named: &[&str]) -> bool {
    tokens(facts, named).filter_map(|claims| at(claims, &claim.path)).any(|value| match &claim.must {
        Must::Equal(operand) => equals(value, operand, facts),
        Must::In(operands) => operands.iter().any(|operand| equals(value, operand, facts)),
        Must::Contain(operand) => match value {
            Value::Array(items) => items.iter().any(|item| equals(item, operand, facts)),
            Value::String(text) => text.split(' ').any(|word| equals(&Value::from(word), operand, facts)),
            _ => false,
        },
    })
}

fn equals(value: &Value, operand: &Operand, facts: &Facts) -> bool {
    match operand {
        Operand::Text(text) => value.as_str() == Some(text),
        Operand::Integer(number) => value.as_i64() == Some(*number),
        Operand::Bool(flag) => value.as_bool() == Some(*flag),
        Operand::Request(reference) => {
            let given = match reference.part {
                RequestPart::Path => facts.path.get(&reference.name),
                RequestPart::Query => facts.query.get(&reference.name),
                RequestPart::Header => facts.headers.get(&reference.name.to_ascii_lowercase()),
                RequestPart::Body => None,
            };
            given.is_some_and(|given| match value {
                Value::String(text) => text == given,
                other => given.parse::<Value>().is_ok_and(|given| given == *other),
            })
        }
    }
}
