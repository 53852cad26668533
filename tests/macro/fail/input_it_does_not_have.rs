#[path = "../../golden/bank_v1/expected.rs"]
#[allow(dead_code, unused)]
mod v1;

use gatewright::{Authorized, Identity, Owned, ResolveError, handler, resolver};
use v1::*;

struct Bank;
struct Account;

#[resolver(ResolveAccount)]
async fn account(_: &Bank, _: resolve_account::Id, _: &Identity) -> Result<Owned<Account>, ResolveError> {
    Ok(Owned::Hidden)
}

#[handler(GetAccount)]
async fn get_account(_: &Bank, _: Authorized<Bank>, _: create_transfer::Request) -> get_account::Result {
    unimplemented!()
}

fn main() {}
