#[path = "../../golden/bank_v1/expected.rs"]
#[allow(dead_code, unused)]
mod v1;

use gatewright::{Identity, Owned, ResolveError, SteppedUp, handler, resolver};
use v1::*;

struct Bank;
struct Account;

#[resolver(ResolveAccount)]
async fn account(_: &Bank, _: resolve_account::Id, _: &Identity) -> Result<Owned<Account>, ResolveError> {
    Ok(Owned::Hidden)
}

#[handler(GetAccount)]
async fn get_account(_: &Bank, _: SteppedUp) -> get_account::Result {
    unimplemented!()
}

fn main() {}
