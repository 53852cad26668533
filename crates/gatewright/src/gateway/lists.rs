//! What may change while a server runs: networks, trusted proxies, devices, and limits, read anew from the environment and the files
//! that the configuration names. All of it is read before any of it counts: one mistake leaves everything as it was.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use gatewright_policy::table::{ApiPolicy, Setting};

use super::{Buckets, Edge, Gateway, start};
use crate::config::{Config, DeviceList, Environment, Resolver, StartError};
use crate::limit::Rules;
use crate::net::{Devices, Ranges, parse_device, parse_network};

/// Where lists come from.
pub(crate) struct Sources {
    environment: Environment,
    files: Vec<PathBuf>,
    devices: BTreeMap<String, DeviceList>,
    seen: Mutex<Vec<Option<SystemTime>>>,
    /// The variables of limits that were set when all was read last.
    set: Mutex<BTreeSet<String>>,
}

impl Sources {
    pub(super) fn new(config: &Config) -> Sources {
        let sources = Sources {
            environment: config.environment.clone(),
            files: config.files.clone(),
            devices: config.devices.clone(),
            seen: Mutex::default(),
            set: Mutex::default(),
        };
        *sources.seen.lock().unwrap_or_else(PoisonError::into_inner) = sources.times();
        sources
    }

    /// A reader, which knows already of files that cannot be read: their values must not be taken for unset.
    pub(super) fn resolver(&self) -> Resolver {
        let mut r = Resolver::new(self.environment.clone());
        for path in &self.files {
            match std::fs::read_to_string(path) {
                Ok(text) => {
                    let wrong = text.lines().position(|line| crate::config::pair(line).is_none());
                    if let Some(line) = wrong {
                        r.problem("", format_args!("`{}:{}` is no `NAME=value`", path.display(), line + 1));
                    }
                }
                Err(why) => r.problem("", format_args!("`{}` cannot be read: {why}", path.display())),
            }
        }
        r
    }

    /// Compares which variables of limits are set. One that was set at the last time and is not now is a file that was cut, or a slip:
    /// the default of the document may be looser than what it said.
    pub(super) fn compare(&self, r: &mut Resolver) {
        let set = r.variables();
        for gone in self.set.lock().unwrap_or_else(PoisonError::into_inner).difference(&set) {
            let how = "to go back to the default of the document, set it to nothing";
            r.problem("", format_args!("the variable `{gone}` was set, and is not any more: {how}"));
        }
    }

    /// What was read counts from now on.
    pub(super) fn keep(&self, set: BTreeSet<String>) {
        *self.set.lock().unwrap_or_else(PoisonError::into_inner) = set;
    }

    fn times(&self) -> Vec<Option<SystemTime>> {
        let lists = self.devices.values().filter_map(|list| match list {
            DeviceList::File(path) => Some(path),
            DeviceList::Known(_) => None,
        });
        self.files.iter().chain(lists).map(|path| std::fs::metadata(path).and_then(|m| m.modified()).ok()).collect()
    }

    /// The devices of these groups in one set. Groups that are all empty allow nobody.
    pub(crate) fn devices(&self, groups: &[&str], at: &str, r: &mut Resolver) -> Devices {
        let mut found = Vec::new();
        for group in groups {
            match self.devices.get(*group) {
                None => r.problem(at, format_args!("nobody says which devices `{group}` are: `Config::devices`")),
                Some(DeviceList::Known(list)) => {
                    for text in list {
                        match parse_device(text) {
                            Some(thumbprint) => found.push(thumbprint),
                            None => r.problem(at, format_args!("`{text}` of the devices `{group}` is no thumbprint")),
                        }
                    }
                }
                Some(DeviceList::File(path)) => match std::fs::read_to_string(path) {
                    Err(why) => r.problem(at, format_args!("`{}` cannot be read: {why}", path.display())),
                    Ok(text) => {
                        for (number, line) in text.lines().enumerate() {
                            let line = line.split('#').next().unwrap_or_default().trim();
                            if line.is_empty() {
                                continue;
                            }
                            match parse_device(line) {
                                Some(thumbprint) => found.push(thumbprint),
                                None => {
                                    let place = format!("{}:{}", path.display(), number + 1);
                                    r.problem(at, format_args!("`{place}` is no thumbprint"));
                                }
                            }
                        }
                    }
                },
            }
        }
        Devices::new(found)
    }
}

/// The networks whose forwarding headers count.
pub(super) fn trusted(settings: &'static [Setting<&'static str>], r: &mut Resolver) -> Ranges {
    let mut found = Vec::new();
    for setting in settings {
        let Some(text) = r.text(*setting) else { continue };
        for text in listed(&text) {
            match parse_network(text) {
                Some(network) => found.push(network),
                None => r.problem("", format_args!("the trusted proxy `{text}` is no network")),
            }
        }
    }
    Ranges::new(&found)
}

/// The networks of these indexes in one set. Networks that are all empty allow nobody.
pub(crate) fn networks(policy: &'static ApiPolicy, names: &[u16], at: &str, r: &mut Resolver) -> Ranges {
    let mut found = Vec::new();
    for index in names {
        let Some(network) = policy.networks.get(usize::from(*index)) else {
            r.problem(at, format_args!("the network {index} does not exist"));
            continue;
        };
        for setting in network.ranges {
            let Some(text) = r.text(*setting) else { continue };
            for text in listed(&text) {
                match parse_network(text) {
                    Some(range) => found.push(range),
                    None => r.problem(at, format_args!("`{text}` of the network `{}` is no network", network.name)),
                }
            }
        }
    }
    Ranges::new(&found)
}

pub(super) fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|t| !t.is_empty())
}

impl Gateway {
    /// Reads networks, trusted proxies, devices, and the limits that the environment sets anew, and lets them count from the
    /// next request on. A server that was
    /// told of its gateway does this by itself on SIGHUP, and within ten seconds after a file of
    /// [`Config::environment_file`](crate::Config::environment_file) or
    /// [`Config::devices_file`](crate::Config::devices_file) changed.
    ///
    /// # Errors
    /// Everything that is wrong with them: then all stay as they were.
    pub fn reload(&self) -> Result<(), StartError> {
        let sources = &self.shared.lists;
        *sources.seen.lock().unwrap_or_else(PoisonError::into_inner) = sources.times();
        let mut r = sources.resolver();
        let mut edges = Vec::new();
        for mounted in self.apis.iter() {
            let policy = mounted.state.policy;
            let inside =
                (!policy.allow_networks.is_empty()).then(|| networks(policy, policy.allow_networks, "", &mut r));
            edges.push((trusted(policy.transport.trusted_proxies, &mut r), inside));
        }
        let guards: Vec<_> = self.guards().map(|(_, guard)| (guard, guard.lists(&mut r))).collect();
        let limits = self.limits_now(&mut r);
        sources.compare(&mut r);
        let set = r.variables();
        r.finish()?;
        let common = start::common_lists(&edges);
        sources.keep(set);
        let (table, now) = (&self.shared.limits, self.shared.clock.monotonic());
        let changed: usize = limits.into_iter().map(|(held, newer)| held.adopt(newer, table, now)).sum();
        for (mounted, lists) in self.apis.iter().zip(edges) {
            mounted.state.edge.set(lists);
        }
        self.common.set(common);
        for (guard, lists) in guards {
            guard.set_lists(lists);
        }
        tracing::info!(target: "gatewright::start", limits_changed = changed, "networks, proxies, devices and limits were read again");
        Ok(())
    }

    /// All limits, each with what is said of it now, made in the order of the start: buckets that several share are compared again.
    fn limits_now(&self, r: &mut Resolver) -> Vec<(&Rules, Rules)> {
        let mut buckets = Buckets::default();
        let mut all = Vec::new();
        for mounted in self.apis.iter() {
            all.push((&mounted.state.limits, Rules::of_api(mounted.state.policy, &mut buckets, r)));
            for guard in mounted.guards.iter().chain(&mounted.passkeys) {
                all.push((guard.limits(), guard.limits_now(&mut buckets, r)));
            }
        }
        all
    }

    /// As [`reload`](Gateway::reload), if a file changed since.
    ///
    /// # Errors
    /// As there.
    pub fn reload_if_changed(&self) -> Result<(), StartError> {
        let sources = &self.shared.lists;
        let changed = *sources.seen.lock().unwrap_or_else(PoisonError::into_inner) != sources.times();
        if changed { self.reload() } else { Ok(()) }
    }
}

impl Edge {
    fn set(&self, (trusted, networks): (Ranges, Option<Ranges>)) {
        self.trusted.store(Arc::new(trusted));
        // Whether there is a list at all is the document's to say.
        if let (Some(list), Some(new)) = (&self.networks, networks) {
            list.store(Arc::new(new));
        }
    }
}
