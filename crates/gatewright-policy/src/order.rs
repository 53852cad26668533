//! The order of the checks: the same for every operation, cheapest and least revealing first.

/// One check on the way of a request to its handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    /// TLS, the `Host`, and the API's own allowed networks.
    Connection,
    /// A declared path and method.
    Route,
    /// The version is not retired.
    Lifecycle,
    /// The operation's allowed networks.
    Networks,
    /// Limits that need only the address.
    AddressRate,
    /// Every presented credential is verified; one alternative of `security` has all its schemes.
    Authentication,
    /// The API key level.
    Level,
    /// The scopes of the alternative.
    Scopes,
    /// One of the roles.
    Roles,
    /// Every claim that does not refer to the body.
    Claims,
    /// The allowed users and devices.
    AllowedCaller,
    /// Limits that need to know the caller.
    CallerRate,
    /// A fresh second factor.
    StepUp,
    /// Media type, body limit, parsing and validation of parameters and body.
    Content,
    /// Claims that refer to the body.
    BodyClaims,
    /// Object-level authorization.
    Owner,
    /// The Idempotency-Key.
    Idempotency,
    /// The handler.
    Handler,
    /// What this caller may not read leaves the response.
    ResponseFilter,
    /// The audit record.
    Audit,
}

/// The order, first to last. `explain`, the server and the policy interpreter of the tests all walk this.
pub const ORDER: [Check; 20] = [
    Check::Connection,
    Check::Route,
    Check::Lifecycle,
    Check::Networks,
    Check::AddressRate,
    Check::Authentication,
    Check::Level,
    Check::Scopes,
    Check::Roles,
    Check::Claims,
    Check::AllowedCaller,
    Check::CallerRate,
    Check::StepUp,
    Check::Content,
    Check::BodyClaims,
    Check::Owner,
    Check::Idempotency,
    Check::Handler,
    Check::ResponseFilter,
    Check::Audit,
];

#[cfg(test)]
mod tests {
    use super::ORDER;

    #[test]
    fn the_order_is_the_order_of_the_enum() {
        assert!(ORDER.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
