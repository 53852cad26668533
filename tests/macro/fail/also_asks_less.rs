#[path = "../../golden/bank_v1/expected.rs"]
#[allow(dead_code, unused)]
mod v1;
#[path = "../../golden/bank_v2/expected.rs"]
#[allow(dead_code, unused)]
mod v2;

use gatewright::{Identity, Owned, ResolveError, handler, resolver};
use v2::create_transfer;

struct Bank;
struct Account;

#[resolver(v2::ResolveAccount, also = v1::ResolveAccount)]
async fn account(_: &Bank, _: v2::resolve_account::Id, _: &Identity) -> Result<Owned<Account>, ResolveError> {
    Ok(Owned::Hidden)
}

// Version 1 does not ask for a verified address.
#[handler(v2::CreateTransfer, also = v1::CreateTransfer)]
async fn transfer(_: &Bank) -> create_transfer::Result {
    unimplemented!()
}

impl From<v1::create_transfer::Request> for create_transfer::Request {
    fn from(_: v1::create_transfer::Request) -> Self {
        unimplemented!()
    }
}

impl From<create_transfer::Response> for v1::create_transfer::Response {
    fn from(_: create_transfer::Response) -> Self {
        unimplemented!()
    }
}

impl From<create_transfer::Error> for v1::create_transfer::Error {
    fn from(_: create_transfer::Error) -> Self {
        unimplemented!()
    }
}

fn main() {}
