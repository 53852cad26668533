//! The application: what the handlers share, and who owns an account.

use std::sync::Arc;

use gatewright::{App, Config, Identity, Owned, ResolveError, Router, StartError, resolver};

use crate::api::{v1, v2};
use crate::ledger::{Entry, Ledger};

/// The bank.
#[derive(Clone, App)]
pub struct Bank {
    /// Its books.
    pub ledger: Ledger,
}

/// Both versions of the bank's API, side by side.
///
/// # Errors
/// A deployment value is missing or wrong.
pub fn router(config: Config) -> Result<Router, StartError> {
    let bank = Arc::new(Bank { ledger: Ledger::with_examples() });
    gatewright::router([v1::mount(bank.clone()), v2::mount(bank)], config)
}

#[resolver(v2::ResolveAccount, also = v1::ResolveAccount)]
async fn account(bank: &Bank, id: v2::resolve_account::Id, who: &Identity) -> Result<Owned<Entry>, ResolveError> {
    Ok(Owned::when(bank.ledger.account(&id), |account| Some(account.owner.as_str()) == who.subject()))
}
