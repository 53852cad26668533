//! Sets of grants as bits. The compiler numbers every scheme, scope, role and level of an API once; a credential becomes
//! a set of bits when it is verified; a check is then a few `and`s: no strings, no allocation.

use alloc::boxed::Box;
use alloc::vec;

/// Whether every bit of `need` is in `have`. Words that `have` lacks count as zero, so a short set grants less, never
/// more.
#[must_use]
pub fn covers(have: &[u64], need: &[u64]) -> bool {
    need.iter().enumerate().all(|(i, word)| have.get(i).copied().unwrap_or(0) & word == *word)
}

/// Whether at least one bit of `any` is in `have`. An empty `any` gives no grant: `false`.
#[must_use]
pub fn meets(have: &[u64], any: &[u64]) -> bool {
    any.iter().zip(have).any(|(a, h)| a & h != 0)
}

/// A set of grants of one caller.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Grants(Box<[u64]>);

impl Grants {
    /// No grants, with room for `bits` of them.
    #[must_use]
    pub fn with_room(bits: usize) -> Grants {
        Grants(vec![0; bits.div_ceil(64)].into_boxed_slice())
    }

    /// Adds one. A bit beyond the room is not granted.
    pub fn grant(&mut self, bit: u16) {
        if let Some(word) = self.0.get_mut(usize::from(bit) / 64) {
            *word |= 1 << (bit % 64);
        }
    }

    /// Adds all of `other`.
    pub fn grant_all(&mut self, other: &[u64]) {
        for (word, more) in self.0.iter_mut().zip(other) {
            *word |= more;
        }
    }

    /// The bits as words.
    #[must_use]
    pub fn words(&self) -> &[u64] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_set_grants_less() {
        assert!(covers(&[0b11], &[0b01]));
        assert!(covers(&[0b11], &[0b01, 0]));
        assert!(!covers(&[0b11], &[0b01, 1]));
        assert!(!covers(&[], &[1]));
        assert!(!meets(&[!0], &[]));
        assert!(!meets(&[], &[!0]));
        assert!(meets(&[0b10], &[0b110]));
    }

    #[test]
    fn bits_beyond_the_room_are_not_granted() {
        let mut grants = Grants::with_room(65);
        grants.grant(64);
        grants.grant(128);
        grants.grant(u16::MAX);
        assert_eq!(grants.words(), &[0, 1]);
    }
}
