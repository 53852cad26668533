//! How keys are used: counted in the server's memory, added to the store every few seconds, and compared there with what
//! was usual before. The arithmetic is here, so that every store finds the same unusual.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// Networks remembered for each key; the oldest is forgotten for the next.
pub const NETWORKS: usize = 256;
/// Before so many minutes have been seen of a key, nothing is a spike: nothing is usual yet.
const LEARNED: i64 = 10;
/// Fewer uses in a minute are no spike, however quiet the key was.
const FLOOR: u64 = 60;
/// How much of the average the minute that ended makes.
const SHARE: f64 = 0.1;

/// What a server saw of one key since it last said so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// The key's id.
    pub id: String,
    /// How often it was used.
    pub uses: u64,
    /// When it was last used, in seconds since 1970.
    pub last: i64,
    /// From where, as [`network`] says it.
    pub networks: Vec<String>,
    /// How many times the usual traffic are a spike; `None` looks for none.
    pub spike: Option<u32>,
}

/// What is known of the use of one key. Times are seconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// The key's id.
    pub id: String,
    /// How often it was used.
    pub uses: u64,
    /// When it was first seen.
    pub first: i64,
    /// When it was last used.
    pub last: i64,
    /// The networks it came from, in the order in which they were first seen.
    pub networks: Vec<String>,
    /// The minute that is being counted, since 1970.
    minute: i64,
    /// Uses in it.
    in_minute: u64,
    /// Uses in a usual minute.
    average: f64,
    /// Whether this minute's spike was said.
    said: bool,
}

/// What is unusual in the use of a key.
#[derive(Clone, Debug, PartialEq)]
pub enum Unusual {
    /// It came from a network that it never came from; its first one is nothing new.
    Network(String),
    /// More uses in a minute than so many times the usual ones.
    Spike {
        /// Uses in this minute until now.
        uses: u64,
        /// Uses in a usual minute.
        usual: f64,
    },
}

impl Usage {
    /// Adds what a server saw, and says what of it is unusual.
    pub fn add(&mut self, used: &Used) -> Vec<Unusual> {
        let mut unusual = Vec::new();
        if self.uses == 0 {
            self.id.clone_from(&used.id);
            self.first = used.last;
            self.minute = used.last.div_euclid(60);
        }
        for network in &used.networks {
            if self.networks.contains(network) {
                continue;
            }
            if !self.networks.is_empty() {
                unusual.push(Unusual::Network(network.clone()));
            }
            if self.networks.len() >= NETWORKS {
                self.networks.remove(0);
            }
            self.networks.push(network.clone());
        }
        self.turn(used.last.div_euclid(60));
        self.uses = self.uses.saturating_add(used.uses);
        self.last = self.last.max(used.last);
        self.in_minute = self.in_minute.saturating_add(used.uses);
        let learned = self.minute - self.first.div_euclid(60) >= LEARNED;
        #[allow(clippy::cast_precision_loss, reason = "an average needs no more")]
        let much = used.spike.is_some_and(|times| self.in_minute as f64 > f64::from(times) * self.average);
        if learned && much && self.in_minute >= FLOOR && !self.said {
            self.said = true;
            unusual.push(Unusual::Spike { uses: self.in_minute, usual: self.average });
        }
        unusual
    }

    /// Ends the minutes before this one. A server whose clock is behind adds to the minute that is counted.
    fn turn(&mut self, minute: i64) {
        let passed = minute.saturating_sub(self.minute);
        if passed <= 0 {
            return;
        }
        #[allow(clippy::cast_precision_loss, reason = "an average needs no more")]
        let ended = self.in_minute as f64;
        self.average += SHARE * (ended - self.average);
        // Those in which nothing happened; after a day nothing is left to halve.
        let quiet = i32::try_from((passed - 1).min(1_440)).unwrap_or(1_440);
        self.average *= (1.0 - SHARE).powi(quiet);
        self.minute = minute;
        self.in_minute = 0;
        self.said = false;
    }
}

/// The network of an address, as it is remembered: IPv4 by /24, IPv6 by /48.
#[must_use]
pub fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => network(IpAddr::V4(v4)),
            None => {
                let [a, b, c, ..] = v6.segments();
                format!("{}/48", std::net::Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(last: i64, uses: u64, networks: &[&str]) -> Used {
        let networks = networks.iter().map(|n| (*n).to_owned()).collect();
        Used { id: "k".to_owned(), uses, last, networks, spike: Some(10) }
    }

    #[test]
    fn the_first_network_is_nothing_new_and_each_other_is_said_once() {
        let mut usage = Usage::default();
        assert_eq!(usage.add(&used(100, 1, &["192.0.2.0/24"])), []);
        let new = Unusual::Network("198.51.100.0/24".to_owned());
        assert_eq!(usage.add(&used(101, 1, &["192.0.2.0/24", "198.51.100.0/24"])), [new]);
        assert_eq!(usage.add(&used(102, 1, &["198.51.100.0/24"])), []);
        assert_eq!((usage.uses, usage.first, usage.last), (3, 100, 102));
        for i in 0..1_000 {
            usage.add(&used(103, 1, &[&format!("10.{}.{}.0/24", i / 256, i % 256)]));
        }
        assert_eq!(usage.networks.len(), NETWORKS);
    }

    #[test]
    fn ten_times_the_usual_is_a_spike_and_is_said_once_a_minute() {
        let mut usage = Usage::default();
        // Twenty minutes of twelve uses: usual is a little below twelve.
        for minute in 0..20 {
            assert_eq!(usage.add(&used(minute * 60, 12, &[])), [], "{minute}");
        }
        assert_eq!(usage.add(&used(20 * 60, 100, &[])), [], "below ten times");
        let unusual = usage.add(&used(20 * 60 + 5, 60, &[]));
        assert!(
            matches!(unusual[..], [Unusual::Spike { uses: 160, usual }] if (9.0..12.0).contains(&usual)),
            "{unusual:?}"
        );
        assert_eq!(usage.add(&used(20 * 60 + 10, 1_000, &[])), [], "said");
        assert!(!usage.add(&used(21 * 60, 2_000, &[])).is_empty(), "the next minute");
    }

    #[test]
    fn what_is_young_or_slow_has_no_spikes() {
        let mut young = Usage::default();
        assert_eq!(young.add(&used(0, 100_000, &[])), []);
        assert_eq!(young.add(&used(60, 1_000_000, &[])), []);
        let mut slow = Usage::default();
        slow.add(&used(0, 1, &[]));
        assert_eq!(slow.add(&used(3_600, 59, &[])), [], "below the floor");
        let mut unasked = Usage::default();
        unasked.add(&used(0, 1, &[]));
        assert_eq!(unasked.add(&Used { spike: None, ..used(3_600, 100_000, &[]) }), []);
    }

    #[test]
    fn a_clock_that_jumps_breaks_nothing() {
        let mut usage = Usage::default();
        usage.add(&used(i64::MAX, u64::MAX, &[]));
        usage.add(&used(i64::MIN, u64::MAX, &[]));
        usage.add(&used(0, 1, &[]));
        assert_eq!((usage.uses, usage.last), (u64::MAX, i64::MAX));
    }

    #[test]
    fn networks_are_of_24_and_48_bits() {
        for (address, want) in [
            ("192.0.2.77", "192.0.2.0/24"),
            ("::ffff:192.0.2.77", "192.0.2.0/24"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
            ("::1", "::/48"),
        ] {
            assert_eq!(network(address.parse().unwrap()), want);
        }
    }
}
