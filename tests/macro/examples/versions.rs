//! One handler for two versions: a function and a use case, with a resolver that serves both.

#[rustfmt::skip] // As the compiler writes it.
#[path = "../../golden/bank_v1/expected.rs"]
#[allow(dead_code, unused)]
mod v1;
#[rustfmt::skip] // As the compiler writes it.
#[path = "../../golden/bank_v2/expected.rs"]
#[allow(dead_code, unused)]
mod v2;

use gatewright::{Authorized, Handler, Identity, Owned, ResolveError, handler, resolver};
use v2::get_account;

struct Bank;
struct Account(String);

#[resolver(v2::ResolveAccount, also = v1::ResolveAccount)]
async fn account(_: &Bank, id: v2::resolve_account::Id, _: &Identity) -> Result<Owned<Account>, ResolveError> {
    Ok(Owned::Yes(Account(id)))
}

fn shown(account: Account) -> v2::types::Account {
    v2::types::Account {
        id: account.0,
        currency: v2::types::Currency::Eur,
        balance: 1,
        status: v2::types::AccountStatus::Open,
        nickname: Default::default(),
        owner_name: None,
    }
}

#[handler(v2::GetAccount, also = v1::GetAccount)]
async fn get(_: &Bank, account: Authorized<Account>, _: get_account::Request) -> get_account::Result {
    Ok(get_account::Response::Ok(shown(account.into_inner())))
}

/// The same by the other door.
struct Branch;

#[resolver(v2::ResolveAccount, also = v1::ResolveAccount)]
async fn account_of(_: &Branch, id: v2::resolve_account::Id, _: &Identity) -> Result<Owned<Account>, ResolveError> {
    Ok(Owned::Yes(Account(id)))
}

#[derive(Handler)]
#[handler(v2::GetAccount, app = Branch, also = v1::GetAccount)]
struct Get {
    account: Authorized<Account>,
}

impl Get {
    async fn handle(self) -> get_account::Result {
        Ok(get_account::Response::Ok(shown(self.account.into_inner())))
    }
}

impl From<v1::get_account::Request> for get_account::Request {
    fn from(_: v1::get_account::Request) -> Self {
        get_account::Request {}
    }
}

impl From<get_account::Response> for v1::get_account::Response {
    fn from(response: get_account::Response) -> Self {
        match response {
            get_account::Response::Ok(v2::types::Account { id, balance, nickname, .. }) => {
                Self::Ok(v1::types::Account { id, balance, nickname })
            }
            get_account::Response::With(with) => Self::With(Box::new(with.map(Self::from))),
        }
    }
}

impl From<get_account::Error> for v1::get_account::Error {
    fn from(error: get_account::Error) -> Self {
        match error {
            get_account::Error::Internal(error) => Self::Internal(error),
            get_account::Error::With(with) => Self::With(Box::new(with.map(Self::from))),
        }
    }
}

fn main() {
    let _ = v1::partial(std::sync::Arc::new(Bank)).operation::<v1::get_account::Op>();
    let _ = v2::partial(std::sync::Arc::new(Branch)).operation::<v2::get_account::Op>();
}
