//! What a store is asked: scripts, each of which is one step that nobody else comes in between of.

/// A script. Its answer is a list of texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Script {
    /// Charges all limits of a request, or none.
    Charge,
}

impl Script {
    /// Every script, in the order of their numbers.
    pub(crate) const ALL: [Script; 1] = [Script::Charge];

    pub(crate) fn text(self) -> &'static str {
        match self {
            Script::Charge => include_str!("charge.lua"),
        }
    }

    pub(crate) fn index(self) -> usize {
        self as usize
    }
}
