//! The doors to one trait: a function, a struct, an `impl`; and the derives beside them.

#[rustfmt::skip] // As the compiler writes it.
#[path = "../../golden/bank_v1/expected.rs"]
#[allow(dead_code)]
mod v1;

use gatewright::{Authorized, Identity, Internal, Owned, RawParts, ResolveError, handler, resolver};
use v1::*;

#[derive(Clone)]
struct Ledger;

#[derive(gatewright::App)]
struct Bank {
    ledger: Ledger,
}

struct Account(String);

#[resolver(ResolveAccount)]
async fn account(_: &Bank, id: resolve_account::Id, who: &Identity) -> Result<Owned<Account>, ResolveError> {
    Ok(Owned::when(Some(Account(id)), |_| who.subject().is_some()))
}

#[derive(gatewright::Principal)]
struct Customer {
    sub: String,
    #[claim("realm.roles")]
    roles: Option<Vec<String>>,
}

#[handler(GetAccount)]
async fn get_account(_: &Bank, who: Customer, raw: RawParts, account: Authorized<Account>) -> get_account::Result {
    let _ = (who.roles, raw.into_inner().method);
    let id = account.into_inner().0 + &who.sub;
    Ok(get_account::Response::Ok(types::Account { id, balance: 1, nickname: Default::default() }))
}

#[derive(gatewright::Problem)]
#[problem(CreateTransfer)]
#[allow(dead_code)]
enum TransferError {
    #[problem(Conflict, with = TransferError::funds)]
    Funds { available: i64 },
    #[problem(internal)]
    Store(std::io::Error),
}

impl TransferError {
    fn funds(&self) -> types::InsufficientFunds {
        let available = if let TransferError::Funds { available } = self { *available } else { 0 };
        types::InsufficientFunds { type_: String::new(), title: String::new(), status: 409, available }
    }
}

#[derive(gatewright::Handler)]
#[handler(CreateTransfer, app = Bank)]
struct MakeTransfer {
    #[state]
    ledger: Ledger,
    from: Authorized<Account>,
    who: create_transfer::Caller,
    req: create_transfer::Request,
}

impl MakeTransfer {
    async fn handle(self) -> create_transfer::Result {
        let Ledger = self.ledger;
        if self.req.body.to == self.from.0 || self.who.subject().is_none() {
            return Err(TransferError::Funds { available: 0 }.into());
        }
        Err(Internal::new("not today"))?
    }
}

fn main() {
    let app = std::sync::Arc::new(Bank { ledger: Ledger });
    let _ = v1::mount(app.clone());
    let _ = v1::partial(app).operation::<get_account::Op>().missing_as_501();
}
