#[path = "../../golden/bank_v1/expected.rs"]
#[allow(dead_code, unused)]
mod v1;

use gatewright::{Identity, Owned, ResolveError, handler, resolver};
use v1::*;

struct Bank;
struct Account;

#[resolver(ResolveAccount)]
async fn account(_: &Bank, _: resolve_account::Id, _: &Identity) -> Result<Owned<Account>, ResolveError> {
    Ok(Owned::Hidden)
}

#[handler(GetAccount)]
async fn get_account(_: &Bank) -> get_account::Result {
    let shared = std::rc::Rc::new(1);
    std::future::ready(()).await;
    drop(shared);
    unimplemented!()
}

fn main() {}
