//! What a cell is found by. Addresses are held as they are; texts (subjects, claims) as 88 bits of a keyed hash, so that
//! a long claim costs no memory and nobody can choose two that meet.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::IpAddr;

/// The key of one cell, in 16 bytes, since there are many. Two limits never share a cell unless they share a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CellKey {
    /// The bucket, 24 bits more of a hash, the kind.
    high: u64,
    low: u64,
}

/// The kind of a hash; addresses have their version's number.
const HASHED: u64 = 1;

impl CellKey {
    fn new(bucket: u32, hash: u64, kind: u64, low: u64) -> CellKey {
        CellKey { high: u64::from(bucket) << 32 | hash >> 40 << 8 | kind & 0xFF, low }
    }

    pub(crate) fn bucket(&self) -> u32 {
        u32::try_from(self.high >> 32).unwrap_or(0)
    }
}

/// Two independently seeded SipHashes.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyHasher {
    high: RandomState,
    low: RandomState,
}

/// The parts of a combined key.
pub(crate) struct Parts {
    high: <RandomState as BuildHasher>::Hasher,
    low: <RandomState as BuildHasher>::Hasher,
}

impl KeyHasher {
    pub(crate) fn parts(&self) -> Parts {
        Parts { high: self.high.build_hasher(), low: self.low.build_hasher() }
    }
}

impl Parts {
    /// Adds a part. The length in front keeps ("ab", "c") and ("a", "bc") apart, the tag a user and a client of one name.
    pub(crate) fn add(&mut self, tag: u8, bytes: &[u8]) {
        for hasher in [&mut self.high, &mut self.low] {
            hasher.write_u8(tag);
            hasher.write_usize(bytes.len());
            hasher.write(bytes);
        }
    }

    pub(crate) fn key(self, bucket: u32) -> CellKey {
        // 88 bits of hashes under random keys: of a million cells no two meet.
        CellKey::new(bucket, self.high.finish(), HASHED, self.low.finish())
    }
}

/// The part of an address that is counted: an IPv4 address, or the /64 of an IPv6 one, which is what a customer gets.
pub(crate) fn counted(address: Option<IpAddr>) -> (u64, u64) {
    match address.map(crate::net::normal) {
        Some(IpAddr::V4(v4)) => (4, u64::from(u32::from(v4))),
        Some(IpAddr::V6(v6)) => (6, u64::try_from(u128::from(v6) >> 64).unwrap_or(0)),
        // Whoever hides behind an unreadable address shares one cell with all others who do.
        None => (0, 0),
    }
}

pub(crate) fn address(bucket: u32, address: Option<IpAddr>) -> CellKey {
    let (kind, low) = counted(address);
    CellKey::new(bucket, 0, kind, low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_share_a_cell_as_the_network_does() {
        let key = |text: &str| address(1, Some(text.parse().unwrap()));
        assert_eq!(key("203.0.113.7"), key("::ffff:203.0.113.7"));
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:1"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_ne!(key("0.0.0.4"), key("::4"));
        assert_ne!(key("203.0.113.7"), address(2, Some("203.0.113.7".parse().unwrap())));
        assert_ne!(address(1, None), key("0.0.0.0"));
    }

    #[test]
    fn parts_do_not_run_together() {
        let hasher = KeyHasher::default();
        let key = |parts: &[(u8, &str)]| {
            let mut p = hasher.parts();
            parts.iter().for_each(|(tag, text)| p.add(*tag, text.as_bytes()));
            p.key(1)
        };
        assert_eq!(key(&[(1, "ab"), (1, "c")]), key(&[(1, "ab"), (1, "c")]));
        assert_ne!(key(&[(1, "ab"), (1, "c")]), key(&[(1, "a"), (1, "bc")]));
        assert_ne!(key(&[(1, "a")]), key(&[(2, "a")]));
        assert_ne!(key(&[]), key(&[(1, "")]));
    }
}
