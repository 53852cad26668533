//! What a store is asked: scripts, each of which is one step that nobody else comes in between of.

/// A script. Its answer is a list of texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Script {
    /// Charges all limits of a request, or none.
    Charge,
    /// Leases an idempotency key.
    Begin,
    /// Keeps its result.
    Finish,
    /// Uses a proof up.
    Use,
    /// Prolongs places of what runs.
    Prolong,
    /// Gives them back.
    Leave,
}

#[cfg(feature = "redis")]
impl Script {
    /// Every script, in the order of their numbers.
    pub(crate) const ALL: [Script; 6] =
        [Script::Charge, Script::Begin, Script::Finish, Script::Use, Script::Prolong, Script::Leave];

    pub(crate) fn text(self) -> &'static str {
        match self {
            Script::Charge => include_str!("charge.lua"),
            Script::Begin => include_str!("begin.lua"),
            Script::Finish => include_str!("finish.lua"),
            Script::Use => include_str!("use.lua"),
            Script::Prolong => include_str!("prolong.lua"),
            Script::Leave => include_str!("leave.lua"),
        }
    }

    pub(crate) fn index(self) -> usize {
        self as usize
    }
}
