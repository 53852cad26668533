//! The application: what the handlers share, and who owns an account.

use std::sync::Arc;

use gatewright::{App, Config, Gateway, Identity, Owned, ResolveError, Router, StartError, VisibleTo, resolver};

use crate::api::{v1, v2};
use crate::ledger::{Entry, Ledger};
use crate::page;

/// The bank.
#[derive(Clone, App)]
pub struct Bank {
    /// Its books.
    pub ledger: Ledger,
}

/// Both versions of the bank's API, side by side, with the bank's page at `/page`.
///
/// # Errors
/// A deployment value is missing or wrong.
pub fn router(config: Config) -> Result<Router, StartError> {
    serve(config).map(|(router, _)| router)
}

/// The same with the gateway that stands in it, which knows whether the server is ready and what it counted.
///
/// # Errors
/// A deployment value is missing or wrong.
pub fn serve(config: Config) -> Result<(Router, Gateway), StartError> {
    let bank = Arc::new(Bank { ledger: Ledger::with_examples() });
    let (router, gateway) = gatewright::serve([v1::mount(bank.clone()), v2::mount(bank)], config)?;
    Ok((page::with(router), gateway))
}

#[resolver(v2::ResolveAccount, also = v1::ResolveAccount)]
async fn account(bank: &Bank, id: v2::resolve_account::Id, who: &Identity) -> Result<Owned<Entry>, ResolveError> {
    Ok(Owned::visible(bank.ledger.account(&id), who))
}

/// Asked about one account, and about each of a list.
impl VisibleTo for Entry {
    fn visible_to(&self, caller: &Identity) -> bool {
        caller.subject() == Some(self.owner.as_str())
    }
}
