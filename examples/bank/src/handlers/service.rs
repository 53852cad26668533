//! About the service itself.

use gatewright::handler;

use crate::api::v2::{self, get_health, start_recovery};
use crate::app::Bank;

#[handler(v2::GetHealth)]
async fn health(_bank: &Bank) -> get_health::Result {
    Ok(get_health::Response::NoContent)
}

#[handler(v2::StartRecovery)]
async fn recover(_bank: &Bank, _request: start_recovery::Request) -> start_recovery::Result {
    // A real bank would send the message from a queue, so that the answer takes as long for an unknown address.
    Ok(start_recovery::Response::Accepted)
}
