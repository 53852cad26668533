//! GW0106 unknown-name

use std::collections::HashSet;

use gatewright_diag::{Level, Sink, Spanned, codes};
use gatewright_ir::Policy;
use gatewright_ir::policy::{Limit, Quota};

use crate::context::{near_or, shown};
use crate::{Context, Rule};

pub(crate) static RULE: Rule = Rule { code: codes::UNKNOWN_NAME, level: Level::Error, check };

fn check(cx: &Context<'_>, sink: &mut Sink) {
    let set = cx.policies();
    let mut names = Names {
        roles: set.roles.iter().map(|r| r.name.value.as_str()).collect(),
        levels: set.levels.iter().map(|l| l.name.value.as_str()).collect(),
        networks: set.networks.iter().map(|n| n.name.value.as_str()).collect(),
        actions: set.actions.iter().map(|a| a.name.value.as_str()).collect(),
        seen: HashSet::new(),
        sink,
    };
    for inherited in set.roles.iter().flat_map(|r| &r.inherits) {
        names.role(inherited);
    }
    set.allow_networks.iter().for_each(|name| names.network(name));
    set.actions.iter().flat_map(|a| &a.limits).for_each(|limit| names.limit(limit));
    for (_, policy) in cx.operations() {
        names.policy(policy);
    }
    for protection in super::protections(cx) {
        for name in protection.read.iter().chain(&protection.write) {
            names.role_or_scope(cx, name);
        }
    }
}

struct Names<'a, 's> {
    roles: Vec<&'a str>,
    levels: Vec<&'a str>,
    networks: Vec<&'a str>,
    actions: Vec<&'a str>,
    /// Facts of the root and of path items are met by many operations.
    seen: HashSet<gatewright_diag::Span>,
    sink: &'s mut Sink,
}

impl Names<'_, '_> {
    fn policy(&mut self, policy: &Policy) {
        for name in policy.roles.iter().flat_map(|fact| &fact.value) {
            self.role(name);
        }
        if let Some(level) = &policy.level {
            let name = Spanned::new(level.value.clone(), level.span);
            let known = self.levels.clone();
            self.find("level", "levels", &known, &name);
        }
        if let Some(allow) = &policy.allow {
            allow.value.networks.iter().flatten().for_each(|name| self.network(name));
        }
        policy.limits.iter().flat_map(|fact| &fact.value).for_each(|limit| self.limit(limit));
    }

    fn limit(&mut self, limit: &Limit) {
        match &limit.quota {
            Quota::Action(name) => {
                let known = self.actions.clone();
                self.find("action", "actions", &known, name);
            }
            Quota::ByName { rates, .. } => {
                let known: Vec<&str> = self.roles.iter().chain(&self.levels).copied().collect();
                for (name, _) in rates {
                    self.find("role or level", "roles` or `levels", &known, name);
                }
            }
            Quota::Flat(_) | Quota::OfLevel => {}
        }
    }

    fn role(&mut self, name: &Spanned<String>) {
        let known = self.roles.clone();
        self.find("role", "roles", &known, name);
    }

    fn network(&mut self, name: &Spanned<String>) {
        let known = self.networks.clone();
        self.find("network", "networks", &known, name);
    }

    /// A property's readers are scopes or roles.
    fn role_or_scope(&mut self, cx: &Context<'_>, name: &Spanned<String>) {
        let schemes = &cx.policies().schemes;
        if schemes.iter().any(|s| !s.scopes_declared) {
            return;
        }
        let scopes = schemes.iter().flat_map(|s| &s.scopes).map(|(s, _)| s.value.as_str());
        let known: Vec<&str> = scopes.chain(self.roles.iter().copied()).collect();
        self.find("role or scope", "roles", &known, name);
    }

    fn find(&mut self, what: &str, place: &str, known: &[&str], name: &Spanned<String>) {
        if known.contains(&name.value.as_str()) || !self.seen.insert(name.span) {
            return;
        }
        let help = near_or(self.sink, &name.value, known.iter().copied(), &format!("declare it in the root's `x-security` under `{place}`"));
        RULE.report(self.sink, name.span, format!("the {what} `{}` is declared nowhere", shown(&name.value))).help(help);
    }
}
