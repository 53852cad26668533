//! How many requests are worked on at a time. One more is answered 503 at once, before anything of it is read: a server that
//! takes on more than it can do does nothing in time, and holds the body of each.

use std::sync::atomic::{AtomicUsize, Ordering};

use gatewright_policy::Refusal;

use crate::Refused;

pub(crate) struct Places {
    most: usize,
    taken: AtomicUsize,
}

/// The place of one request, until it is dropped.
pub(crate) struct Place<'p>(&'p Places);

impl Places {
    pub(super) fn new(most: usize) -> Places {
        Places { most: most.max(1), taken: AtomicUsize::new(0) }
    }

    /// A place for one request.
    ///
    /// # Errors
    /// There is none: 503.
    pub(crate) fn enter(&self) -> Result<Place<'_>, Refused> {
        let place = Place(self);
        if self.taken.fetch_add(1, Ordering::Relaxed) < self.most {
            return Ok(place);
        }
        drop(place);
        Err(Refused::new(Refusal::Overloaded).retry_after(1))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_given_and_come_back() {
        let places = Places::new(2);
        let (one, two) = (places.enter().ok().unwrap(), places.enter().ok().unwrap());
        for _ in 0..10 {
            assert_eq!(places.enter().err().unwrap().refusal(), Refusal::Overloaded);
        }
        drop(one);
        let three = places.enter().ok().unwrap();
        assert!(places.enter().is_err());
        drop((two, three));
        assert_eq!(places.taken.load(Ordering::Relaxed), 0);
    }
}
