#[path = "../../golden/bank_v1/expected.rs"]
#[allow(dead_code, unused)]
mod v1;
#[path = "../../golden/bank_v2/expected.rs"]
#[allow(dead_code, unused)]
mod v2;

use gatewright::{Identity, Owned, ResolveError, handler, resolver};
use v2::get_account;

struct Bank;
struct Account;

#[resolver(v2::ResolveAccount, also = v1::ResolveAccount)]
async fn account(_: &Bank, _: v2::resolve_account::Id, _: &Identity) -> Result<Owned<Account>, ResolveError> {
    Ok(Owned::Hidden)
}

#[handler(v2::GetAccount, also = v1::GetAccount)]
async fn get(_: &Bank) -> get_account::Result {
    unimplemented!()
}

fn main() {}
