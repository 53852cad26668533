#[path = "../../golden/bank_v1/expected.rs"]
#[allow(dead_code, unused)]
mod v1;
#[path = "../../golden/bank_v2/expected.rs"]
#[allow(dead_code, unused)]
mod v2;

use gatewright::{Authorized, Identity, Owned, ResolveError, handler, resolver};
use v2::get_account;

struct Bank;
struct Account;
struct Other;

#[resolver(v1::ResolveAccount)]
async fn old(_: &Bank, _: v1::resolve_account::Id, _: &Identity) -> Result<Owned<Other>, ResolveError> {
    Ok(Owned::Hidden)
}

#[resolver(v2::ResolveAccount)]
async fn account(_: &Bank, _: v2::resolve_account::Id, _: &Identity) -> Result<Owned<Account>, ResolveError> {
    Ok(Owned::Hidden)
}

// Another object was authorized than the one that the newer version hands out.
#[handler(v2::GetAccount, also = v1::GetAccount)]
async fn get(_: &Bank, _: Authorized<Account>) -> get_account::Result {
    unimplemented!()
}

impl From<v1::get_account::Request> for get_account::Request {
    fn from(_: v1::get_account::Request) -> Self {
        unimplemented!()
    }
}

impl From<get_account::Response> for v1::get_account::Response {
    fn from(_: get_account::Response) -> Self {
        unimplemented!()
    }
}

impl From<get_account::Error> for v1::get_account::Error {
    fn from(_: get_account::Error) -> Self {
        unimplemented!()
    }
}

fn main() {}
