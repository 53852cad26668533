//! Version 1, for callers who have not moved yet.

use gatewright::types::Uuid;
use gatewright::{Authorized, handler};

use crate::api::v1::types::{InsufficientFunds, Transfer};
use crate::api::v1::{self, create_transfer};
use crate::app::Bank;
use crate::ledger::{Entry, Refused};

// `v2::GetAccount` answers the old one too: what is between the two is generated.

// A transfer of version 1 asks for less than one of version 2 (no verified address), so `also` would not compile, and it
// has a handler of its own.
#[handler(v1::CreateTransfer)]
async fn transfer(bank: &Bank, from: Authorized<Entry>, request: create_transfer::Request) -> create_transfer::Result {
    let order = request.body;
    match bank.ledger.transfer(&from.id, &order.to, order.amount, order.note) {
        Ok(moved) => Ok(create_transfer::Response::Created(Transfer {
            id: Uuid::from_u128(u128::from(moved.number)),
            amount: moved.amount,
        })),
        Err(why) => Err(create_transfer::Error::Conflict(InsufficientFunds {
            type_: "https://bank.example/problems/insufficient-funds".to_owned(),
            title: "the money did not move".to_owned(),
            status: 409,
            available: match why {
                Refused::Insufficient { available } => available,
                Refused::NoReceiver => 0,
            },
        })),
    }
}
