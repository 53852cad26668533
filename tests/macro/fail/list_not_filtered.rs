#[path = "../../golden/bank_v2/expected.rs"]
#[allow(dead_code, unused)]
mod v2;

use gatewright::{Visible, handler};
use v2::types::{Account, ListAccountsResponse};
use v2::*;

struct Bank(Vec<Entry>);
#[derive(Clone)]
struct Entry;

fn shown(_: Entry) -> Account {
    unimplemented!()
}

#[handler(ListAccounts)]
async fn list_accounts(bank: &Bank, who: list_accounts::Caller) -> list_accounts::Result {
    let accounts = bank.0.clone();
    if who.subject().is_none() {
        // What is not asked about is not visible, and nobody but the runtime says that it is.
        return Ok(list_accounts::Response::Ok(Visible(ListAccountsResponse { accounts: Vec::new() })));
    }
    if who.client().is_none() {
        // Nothing says who may see these.
        let accounts = who.filter(accounts).each(shown);
        return Ok(list_accounts::Response::Ok(accounts.map(|accounts| ListAccountsResponse { accounts })));
    }
    let accounts = accounts.into_iter().map(shown).collect();
    Ok(list_accounts::Response::Ok(ListAccountsResponse { accounts }))
}

fn main() {}
