//! Deployment values: `${NAME}` and `${NAME:-default}`, resolved once, every missing one reported with its line.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::time::Duration;

use gatewright_policy::Rate;
use gatewright_policy::table::Setting;

use super::{Environment, StartError, StartProblem};

/// Resolves settings and gathers what is wrong.
pub(crate) struct Resolver {
    environment: Environment,
    /// The variables that limits asked for, and that are set.
    set: BTreeSet<String>,
    /// Whether a limit asks.
    keeping: bool,
    problems: Vec<StartProblem>,
}

impl Resolver {
    pub(crate) fn new(environment: Environment) -> Resolver {
        Resolver { environment, set: BTreeSet::new(), keeping: false, problems: Vec::new() }
    }

    pub(crate) fn problem(&mut self, at: &str, message: impl Display) {
        let problem = StartProblem { at: at.to_owned(), message: message.to_string() };
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// The variables that limits asked for until now, and that are set.
    pub(crate) fn variables(&self) -> BTreeSet<String> {
        self.set.clone()
    }

    /// The server may start only if nothing was wrong.
    pub(crate) fn finish(self) -> Result<(), StartError> {
        if self.problems.is_empty() { Ok(()) } else { Err(StartError { problems: self.problems }) }
    }

    pub(crate) fn text(&mut self, setting: Setting<&'static str>) -> Option<String> {
        match setting {
            Setting::Fixed(text) => Some(text.to_owned()),
            Setting::Environment { template, at } => self.expand(template, at),
        }
    }

    /// A rate, a quota or a count, as its key writes it.
    pub(crate) fn amount(
        &mut self,
        setting: Setting<Rate>,
        read: impl Fn(&str) -> Result<Rate, gatewright_policy::RateError>,
    ) -> Option<Rate> {
        self.keeping = true;
        let amount = self.value(setting, |text| read(text).map_err(|e| e.to_string()));
        self.keeping = false;
        amount
    }

    /// A size in bytes: `65536`, `64KiB`, `1MiB`.
    pub(crate) fn size(&mut self, setting: Setting<u64>) -> Option<u64> {
        self.value(setting, |text| {
            scaled(text, &[("", 1), ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)])
                .ok_or_else(|| "a size is written `65536`, `64KiB` or `1MiB`".to_owned())
        })
    }

    /// A time in milliseconds: `500ms`, `30s`, `5min`; at least 1 ms.
    pub(crate) fn time(&mut self, setting: Setting<u64>) -> Option<Duration> {
        let milliseconds = self.value(setting, |text| {
            scaled(text, &[("ms", 1), ("s", 1_000), ("min", 60_000), ("m", 60_000), ("h", 3_600_000)])
                .filter(|ms| *ms > 0)
                .ok_or_else(|| "a time is written `500ms`, `30s` or `5min`".to_owned())
        })?;
        Some(Duration::from_millis(milliseconds))
    }

    fn value<T>(&mut self, setting: Setting<T>, read: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        match setting {
            Setting::Fixed(value) => Some(value),
            Setting::Environment { template, at } => {
                let text = self.expand(template, at)?;
                match read(text.trim()) {
                    Ok(value) => Some(value),
                    Err(why) => {
                        // The value itself is not shown: a variable mixed up with another may hold a secret.
                        self.problem(at, format_args!("the value of `{template}` is not understood: {why}"));
                        None
                    }
                }
            }
        }
    }

    fn expand(&mut self, template: &str, at: &str) -> Option<String> {
        let mut out = String::new();
        let mut rest = template;
        let mut whole = true;
        while let Some((before, after)) = rest.split_once("${") {
            out.push_str(before);
            let Some((variable, tail)) = after.split_once('}') else {
                self.problem(at, format_args!("`{template}` has a `${{` without its `}}`"));
                return None;
            };
            let (name, default) = match variable.split_once(":-") {
                Some((name, default)) => (name, Some(default)),
                None => (variable, None),
            };
            // As in a shell, `:-` also stands in for a variable that is set and empty.
            let value = (self.environment)(name);
            if self.keeping && value.is_some() {
                self.set.insert(name.to_owned());
            }
            match (value.filter(|v| default.is_none() || !v.is_empty()), default) {
                (Some(value), _) => out.push_str(&value),
                (None, Some(default)) => out.push_str(default),
                (None, None) => {
                    self.problem(at, format_args!("the variable `{name}` is not set"));
                    whole = false;
                }
            }
            rest = tail;
        }
        out.push_str(rest);
        whole.then_some(out)
    }
}

fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let scale = units.iter().find(|(name, _)| *name == unit.trim()).map(|(_, scale)| *scale)?;
    number.parse::<u64>().ok()?.checked_mul(scale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn resolver() -> Resolver {
        Resolver::new(Arc::new(|name| match name {
            "A" => Some("x".into()),
            "EMPTY" => Some(String::new()),
            "RATE" => Some("5/s".into()),
            "SIZE" => Some("64KiB".into()),
            "TIME" => Some("2min".into()),
            _ => None,
        }))
    }

    const fn env<T>(template: &'static str) -> Setting<T> {
        Setting::Environment { template, at: "bank.yaml:3" }
    }

    #[test]
    fn expands_variables_and_defaults() {
        let mut r = resolver();
        for (template, want) in [
            ("${A}", "x"),
            ("https://${A}/${B:-y}/z", "https://x/y/z"),
            ("${EMPTY:-d}", "d"),
            ("${EMPTY}", ""),
            ("${B:-}", ""),
            ("plain", "plain"),
        ] {
            assert_eq!(r.text(env(template)).as_deref(), Some(want), "{template}");
        }
        assert_eq!(r.amount(env("${RATE}"), Rate::parse), Some(Rate { limit: 5, window: 1, burst: 5 }));
        assert_eq!(r.size(env("${SIZE}")), Some(65_536));
        assert_eq!(r.time(env("${TIME}")), Some(Duration::from_secs(120)));
        assert!(r.finish().is_ok());
    }

    #[test]
    fn reports_everything_that_is_missing_with_its_line() {
        let mut r = resolver();
        assert_eq!(r.text(env("${NO}-${NEITHER}")), None);
        assert_eq!(r.amount(env("${A}"), Rate::parse), None);
        assert_eq!(r.size(env("${A}")), None);
        assert_eq!(r.time(env("${A}")), None);
        assert_eq!(r.text(env("${A")), None);
        let error = r.finish().unwrap_err();
        assert_eq!(error.problems.len(), 6, "{error}");
        let text = error.to_string();
        assert!(text.contains("bank.yaml:3: the variable `NO` is not set"), "{text}");
        assert!(text.contains("`NEITHER`"), "{text}");
    }
}
