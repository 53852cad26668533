//! Accounts, and what moves between them.

use std::collections::BTreeMap;

use gatewright::types::{Timestamp, Uuid};
use gatewright::{Authorized, Handler, Principal, Problem, SteppedUp, handler};

use crate::api::v1;
use crate::api::v2::create_transfer::CreatedHeaders;
use crate::api::v2::types::{
    Account, AccountStatus, Currency, InsufficientFunds, TenantReport, Transfer, TransferState,
};
use crate::api::v2::{
    self, close_account, create_transfer, get_account, get_tenant_report, list_accounts, list_transfers, release_hold,
    set_limit,
};
use crate::app::Bank;
use crate::ledger::{Entry, Ledger, Movement, Refused};

fn currency(code: &str) -> Currency {
    match code {
        "CHF" => Currency::Chf,
        "USD" => Currency::Usd,
        _ => Currency::Eur,
    }
}

fn account(entry: Entry) -> Account {
    Account {
        currency: currency(entry.currency),
        balance: entry.balance,
        status: AccountStatus::Open,
        nickname: entry.nickname.into(),
        owner_name: Some(entry.owner.into()),
        id: entry.id,
    }
}

fn transfer(movement: Movement) -> Transfer {
    Transfer {
        id: Uuid::from_u128(u128::from(movement.number)),
        from: movement.from,
        to: movement.to,
        amount: movement.amount,
        currency: currency(movement.currency),
        reference: movement.reference,
        created_at: Timestamp::UNIX_EPOCH,
        state: TransferState::Done,
    }
}

#[handler(v2::ListAccounts)]
async fn list(bank: &Bank, who: list_accounts::Caller, wanted: list_accounts::Request) -> list_accounts::Result {
    let wants = |entry: &Entry| {
        wanted.currency.as_ref().is_none_or(|currencies| currencies.contains(&currency(entry.currency)))
    };
    let most = usize::try_from(wanted.limit).unwrap_or(0);
    // The books are small, so all of them are gone through. The answer is declared as what the caller may see, and without
    // `filter` there is none.
    let accounts = who.filter(bank.ledger.accounts().into_iter().filter(wants)).each(account);
    Ok(list_accounts::Response::Ok(accounts.map(|mut accounts| {
        accounts.truncate(most);
        v2::types::ListAccountsResponse { accounts }
    })))
}

#[handler(v2::GetAccount, also = v1::GetAccount)]
async fn get(_bank: &Bank, owned: Authorized<Entry>) -> get_account::Result {
    Ok(get_account::Response::Ok(account(owned.into_inner())))
}

/// Nobody reaches this whose token does not say that he signed in with several factors, and when: that is what
/// [`SteppedUp`] proves.
#[handler(v2::CloseAccount)]
async fn close(bank: &Bank, owned: Authorized<Entry>, _recently: SteppedUp) -> close_account::Result {
    if bank.ledger.close(&owned.id) {
        Ok(close_account::Response::NoContent)
    } else {
        Err(close_account::Error::Conflict)
    }
}

/// Nor this, who did not show a passkey to the server itself.
#[handler(v2::SetLimit)]
async fn set_limit(
    bank: &Bank,
    owned: Authorized<Entry>,
    _recently: SteppedUp,
    wanted: set_limit::Request,
) -> set_limit::Result {
    bank.ledger.set_limit(&owned.id, wanted.body.limit);
    Ok(set_limit::Response::Ok(wanted.body))
}

#[handler(v2::ListTransfers)]
async fn transfers(bank: &Bank, from: Authorized<Entry>, wanted: list_transfers::Request) -> list_transfers::Result {
    let most = usize::try_from(wanted.limit).unwrap_or(0);
    let transfers = bank.ledger.movements_from(&from.id, most).into_iter().map(transfer).collect();
    Ok(list_transfers::Response::Ok(v2::types::ListTransfersResponse { transfers }))
}

/// Why a transfer is not made.
#[derive(Debug, Problem)]
#[problem(v2::CreateTransfer)]
enum TransferError {
    #[problem(Conflict, with = explain)]
    Insufficient(i64),
    #[problem(Conflict, with = explain)]
    NoReceiver,
}

fn conflict(kind: &str, title: &str, available: i64) -> InsufficientFunds {
    InsufficientFunds {
        type_: format!("https://bank.example/problems/{kind}"),
        title: title.to_owned(),
        status: 409,
        available,
    }
}

fn explain(error: &TransferError) -> InsufficientFunds {
    match error {
        TransferError::Insufficient(available) => {
            conflict("insufficient-funds", "the account does not hold enough", *available)
        }
        TransferError::NoReceiver => conflict("no-receiver", "nobody can receive this", 0),
    }
}

/// Moving money, as a struct: a test builds it and awaits `handle`.
#[derive(Handler)]
#[handler(v2::CreateTransfer, app = Bank)]
struct MakeTransfer {
    #[state]
    ledger: Ledger,
    from: Authorized<Entry>,
    request: create_transfer::Request,
}

impl MakeTransfer {
    async fn handle(self) -> create_transfer::Result {
        let order = self.request.body;
        let reference = order.reference.into_option();
        let moved =
            self.ledger.transfer(&self.from.id, &order.to, order.amount, reference).map_err(|why| match why {
                Refused::Insufficient { available } => TransferError::Insufficient(available),
                Refused::NoReceiver => TransferError::NoReceiver,
            })?;
        let location = format!("/v2/accounts/{}/transfers", self.from.id);
        Ok(create_transfer::Response::Created(transfer(moved), CreatedHeaders { location }))
    }
}

#[handler(v2::ReleaseHold)]
async fn release(_bank: &Bank, _request: release_hold::Request) -> release_hold::Result {
    Err(release_hold::Error::NotFound)
}

/// The claims that a report is made for.
#[derive(Debug, Principal)]
struct Auditor {
    tenant: String,
}

#[handler(v2::GetTenantReport)]
async fn report(bank: &Bank, auditor: Auditor) -> get_tenant_report::Result {
    let mut total = BTreeMap::new();
    let accounts = bank.ledger.accounts_in(&auditor.tenant);
    for entry in &accounts {
        *total.entry(entry.currency.to_owned()).or_insert(0) += entry.balance;
    }
    let accounts = i64::try_from(accounts.len()).unwrap_or(i64::MAX);
    Ok(get_tenant_report::Response::Ok(TenantReport { tenant: auditor.tenant, accounts, total }))
}
