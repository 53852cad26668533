//! The deployment's variables (`${NAME}`) that a document gives no default, and a value that is good enough for a
//! developer's machine: a new project starts and passes its own test before anybody has decided anything.

use std::collections::BTreeMap;

use gatewright_ir::Ir;
use gatewright_ir::policy::{Introspection, Keys, Limit, Measure, Quota, Setting, Verify};

const RATE: &str = "600/min";
/// An address block for documentation (RFC 5737): nobody has it, so nobody is trusted as a proxy.
const NOBODY: &str = "192.0.2.0/24";

/// Each variable that has no default, with its value for development.
#[must_use]
pub fn for_development(ir: &Ir) -> BTreeMap<String, String> {
    let mut found = Variables::default();
    let set = &ir.policies;
    for scheme in &set.schemes {
        found.scheme(&scheme.verify);
    }
    for rate in set.levels.iter().filter_map(|level| level.rate.as_ref()) {
        found.take(&rate.value, RATE);
    }
    for range in set.networks.iter().flat_map(|network| &network.ranges) {
        found.take(&range.value, "127.0.0.0/8");
    }
    for host in &set.transport.hosts {
        found.take(&host.value, "localhost");
    }
    for proxy in &set.transport.trusted_proxies {
        found.take(&proxy.value, NOBODY);
    }
    if let Some(base) = &set.errors.type_base {
        found.take(base, "https://localhost/problems/");
    }
    found.limits(set.actions.iter().flat_map(|action| &action.limits).chain(&set.limits));
    for policy in set.iter() {
        found.limits(policy.limits.iter().flat_map(|limits| &limits.value));
        found.take(&policy.body_limit.value, "64KiB");
        found.take(&policy.timeout.value, "10s");
        if let Some(upstream) = &policy.upstream {
            found.take(&upstream.value, "https://localhost/");
        }
    }
    found.0
}

/// The host that requests of a test are for: the first that the document admits.
#[must_use]
pub fn host(ir: &Ir) -> String {
    let variables = for_development(ir);
    match ir.policies.transport.hosts.first().map(|host| &host.value) {
        None => "localhost".to_owned(),
        Some(Setting::Fixed(name)) => name.clone(),
        Some(Setting::Environment(template)) => {
            let text = expanded(template, &variables);
            text.split(',').map(str::trim).find(|name| !name.is_empty()).unwrap_or("localhost").to_owned()
        }
    }
}

#[derive(Default)]
struct Variables(BTreeMap<String, String>);

impl Variables {
    /// `value` is for a setting that is one variable and nothing else; a part of a larger text is some word.
    fn take<T>(&mut self, setting: &Setting<T>, value: &str) {
        let Setting::Environment(template) = setting else { return };
        for (name, default) in variables(template) {
            if default.is_none() {
                let whole = *template == format!("${{{name}}}");
                self.0.entry(name.to_owned()).or_insert_with(|| if whole { value } else { "localhost" }.to_owned());
            }
        }
    }

    fn limits<'a>(&mut self, limits: impl IntoIterator<Item = &'a Limit>) {
        for limit in limits {
            let some = match limit.measure {
                Measure::Rate => RATE,
                Measure::Calendar => "1000000/day",
                Measure::Concurrent => "1000",
            };
            match &limit.quota {
                Quota::Flat(rate) => self.take(rate, some),
                Quota::ByName { default, rates } => {
                    self.take(default, some);
                    rates.iter().for_each(|(_, rate)| self.take(rate, some));
                }
                Quota::OfLevel | Quota::Action(_) => {}
            }
        }
    }

    fn introspection(&mut self, asked: &Introspection) {
        self.take(&asked.url.value, "https://localhost/introspect");
        asked.issuer.iter().for_each(|issuer| self.take(&issuer.value, "https://localhost/issuer"));
        asked.audience.iter().for_each(|audience| self.take(&audience.value, "development"));
    }

    fn scheme(&mut self, verify: &Verify) {
        match verify {
            Verify::Jwt(jwt) => {
                self.take(&jwt.issuer.value, "https://localhost/issuer");
                jwt.audience.iter().for_each(|audience| self.take(&audience.value, "development"));
                match &jwt.keys.value {
                    Keys::File(file) => self.take(file, "jwks.json"),
                    Keys::Url(url) => self.take(url, "https://localhost/jwks.json"),
                    Keys::Inline(_) | Keys::Discovery => {}
                }
                jwt.introspection.iter().for_each(|asked| self.introspection(&asked.value));
            }
            Verify::Introspection(asked) => self.introspection(&asked.value),
            Verify::WebAuthn(passkeys) => {
                self.take(&passkeys.rp_id, "localhost");
                passkeys.origins.iter().for_each(|origin| self.take(&origin.value, "https://localhost:8443"));
            }
            Verify::ApiKey(_) | Verify::Application => {}
        }
    }
}

/// The variables of a template, each with its default.
fn variables(template: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    template.split("${").skip(1).filter_map(|rest| {
        let (variable, _) = rest.split_once('}')?;
        Some(variable.split_once(":-").map_or((variable, None), |(name, default)| (name, Some(default))))
    })
}

/// A template with what these variables say, and defaults.
fn expanded(template: &str, values: &BTreeMap<String, String>) -> String {
    let mut parts = template.split("${");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let Some((variable, rest)) = part.split_once('}') else { continue };
        let (name, default) = variable.split_once(":-").unwrap_or((variable, ""));
        out.push_str(values.get(name).map_or(default, String::as_str));
        out.push_str(rest);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_variables_without_a_default_are_taken_each_for_what_it_is() {
        let mut found = Variables::default();
        let setting = |text: &str| Setting::<u64>::Environment(text.to_owned());
        found.take(&setting("${SIZE}"), "64KiB");
        found.take(&setting("${OTHER:-1KiB}"), "64KiB");
        found.take(&setting("https://${HOST}/${PATH:-x}/${TAIL}"), "no");
        found.take(&Setting::Fixed(1), "no");
        found.take(&setting("${SIZE}"), "another use");
        let found: Vec<(&str, &str)> = found.0.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(found, [("HOST", "localhost"), ("SIZE", "64KiB"), ("TAIL", "localhost")]);
    }

    #[test]
    fn a_template_is_expanded_as_the_server_does() {
        let values = BTreeMap::from([("A".to_owned(), "x".to_owned())]);
        assert_eq!(expanded("${A}.${B:-b}.c", &values), "x.b.c");
    }
}
