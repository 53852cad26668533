//! Exchange rates.

use std::collections::BTreeMap;

use gatewright::types::Date;
use gatewright::{Handler, handler};

use crate::api::v2::types::{Currency, Rates};
use crate::api::v2::{self, get_rate_history, get_rates};
use crate::app::Bank;

fn rates(day: Date) -> Rates {
    let rates = BTreeMap::from([("CHF".to_owned(), 0.93), ("USD".to_owned(), 1.08)]);
    Rates { base: Currency::Eur, day, rates }
}

#[handler(v2::GetRates)]
async fn today(_bank: &Bank) -> get_rates::Result {
    Ok(get_rates::Response::Ok(rates(Date::constant(2026, 11, 24))))
}

/// A use case as a struct: its fields are its inputs.
#[derive(Handler)]
#[handler(v2::GetRateHistory, app = Bank)]
struct History {
    request: get_rate_history::Request,
}

impl History {
    async fn handle(self) -> get_rate_history::Result {
        Ok(get_rate_history::Response::Ok(rates(self.request.day)))
    }
}
