//! Sets of addresses: ranges merged and sorted at start, a binary search at run time.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

/// An IPv4-mapped IPv6 address is the IPv4 address.
pub(crate) fn normal(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// A set of addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranges {
    v4: Box<[(u32, u32)]>,
    v6: Box<[(u128, u128)]>,
}

impl Ranges {
    /// The addresses of these networks.
    #[must_use]
    pub fn new(networks: &[IpNet]) -> Ranges {
        let mut v4 = Vec::new();
        let mut v6 = Vec::new();
        for network in networks {
            match network {
                IpNet::V4(net) => v4.push((u32::from(net.network()), u32::from(net.broadcast()))),
                IpNet::V6(net) => {
                    let (first, last) = (u128::from(net.network()), u128::from(net.broadcast()));
                    // Callers are normalised, so a range of mapped addresses must be an IPv4 range to match any.
                    match (Ipv6Addr::from(first).to_ipv4_mapped(), Ipv6Addr::from(last).to_ipv4_mapped()) {
                        (Some(a), Some(b)) => v4.push((u32::from(a), u32::from(b))),
                        _ => v6.push((first, last)),
                    }
                }
            }
        }
        Ranges { v4: merged(v4, |n| n.checked_add(1)), v6: merged(v6, |n| n.checked_add(1)) }
    }

    /// Whether an address is in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match normal(address) {
            IpAddr::V4(a) => within(&self.v4, u32::from(a)),
            IpAddr::V6(a) => within(&self.v6, u128::from(a)),
        }
    }

    /// All addresses of all.
    pub(crate) fn union<'r>(sets: impl Iterator<Item = &'r Ranges>) -> Ranges {
        let mut v4 = Vec::new();
        let mut v6 = Vec::new();
        for set in sets {
            v4.extend_from_slice(&set.v4);
            v6.extend_from_slice(&set.v6);
        }
        Ranges { v4: merged(v4, |n| n.checked_add(1)), v6: merged(v6, |n| n.checked_add(1)) }
    }
}

/// Reads `203.0.113.0/24`, `2001:db8::/32`, or a bare address.
pub(crate) fn parse(text: &str) -> Option<IpNet> {
    text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

fn merged<T: Ord + Copy>(mut ranges: Vec<(T, T)>, next: impl Fn(T) -> Option<T>) -> Box<[(T, T)]> {
    ranges.sort_unstable();
    let mut out: Vec<(T, T)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match out.last_mut() {
            Some(before) if next(before.1).is_none_or(|n| first <= n) => before.1 = before.1.max(last),
            _ => out.push((first, last)),
        }
    }
    out.into_boxed_slice()
}

fn within<T: Ord + Copy>(ranges: &[(T, T)], address: T) -> bool {
    let after = ranges.partition_point(|(first, _)| *first <= address);
    after.checked_sub(1).and_then(|i| ranges.get(i)).is_some_and(|(_, last)| address <= *last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(texts: &[&str]) -> Ranges {
        Ranges::new(&texts.iter().map(|t| parse(t).unwrap()).collect::<Vec<_>>())
    }

    #[test]
    fn holds_what_its_networks_hold() {
        let set = ranges(&["10.0.0.0/24", "10.0.1.0/24", "192.0.2.7", "2001:db8::/32", "::ffff:198.51.100.0/120"]);
        assert_eq!(set.v4.len(), 3, "neighbours merge");
        for (address, inside) in [
            ("10.0.0.0", true),
            ("10.0.1.255", true),
            ("10.0.2.0", false),
            ("9.255.255.255", false),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
            ("::ffff:10.0.0.9", true),
            ("198.51.100.9", true),
            ("2001:db8:ffff::1", true),
            ("2001:db9::", false),
            ("::1", false),
        ] {
            assert_eq!(set.contains(address.parse().unwrap()), inside, "{address}");
        }
        assert!(!Ranges::default().contains("127.0.0.1".parse().unwrap()));
        assert!(ranges(&["0.0.0.0/0"]).contains("255.255.255.255".parse().unwrap()));
        assert!(ranges(&["255.255.255.255/32", "0.0.0.0/0"]).contains("1.2.3.4".parse().unwrap()));
    }

    #[test]
    fn refuses_what_is_no_network() {
        for text in ["", "10.0.0.0/33", "10.0.0", "a", "10.0.0.0/-1", "10.0.0.0 /8"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn agrees_with_looking_at_each_network() {
        let texts = ["10.0.0.0/8", "10.128.0.0/9", "11.0.0.0/30", "172.16.0.0/12", "172.31.255.255/32"];
        let nets: Vec<IpNet> = texts.iter().map(|t| parse(t).unwrap()).collect();
        let set = Ranges::new(&nets);
        for seed in 0u32..20_000 {
            let address = IpAddr::V4(seed.wrapping_mul(2_654_435_761).into());
            assert_eq!(set.contains(address), nets.iter().any(|n| n.contains(&address)), "{address}");
        }
    }
}
