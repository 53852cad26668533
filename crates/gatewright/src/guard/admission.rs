//! The proof that an operation's guard admitted a request.

use std::sync::Arc;

use super::{Guard, SteppedUp};
use crate::auth::Identity;
use crate::limit::{Slots, Standing};

/// Says that a request passed every check up to its body. Only [`Guard::admit`] makes one.
#[derive(Debug)]
pub struct Admission {
    guard: Guard,
    identity: Option<Arc<Identity>>,
    stepped_up: Option<SteppedUp>,
    standing: Standing,
    /// Its places among the requests of its caller; they are free again when nothing of the request is left.
    running: Option<Arc<Slots>>,
}

impl Admission {
    /// The only way to one: the guard calls it after its last check.
    pub(super) fn assertion(
        guard: Guard,
        identity: Option<Arc<Identity>>,
        stepped_up: Option<SteppedUp>,
        standing: Standing,
        running: Option<Arc<Slots>>,
    ) -> Admission {
        Admission { guard, identity, stepped_up, standing, running }
    }

    /// The caller; `None` where the operation is public or the caller came in by `{}`.
    #[must_use]
    pub fn identity(&self) -> Option<&Arc<Identity>> {
        self.identity.as_ref()
    }

    /// How and when the caller authenticated, where the operation asks for `step-up`.
    #[must_use]
    pub fn stepped_up(&self) -> Option<SteppedUp> {
        self.stepped_up
    }

    /// The guard that admitted.
    #[must_use]
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    pub(crate) fn running(&self) -> Option<&Arc<Slots>> {
        self.running.as_ref()
    }

    pub(crate) fn standing(&self) -> &Standing {
        &self.standing
    }
}
