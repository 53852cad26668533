#[path = "../../golden/bank_v1/expected.rs"]
#[allow(dead_code, unused)]
mod v1;

use gatewright::handler;
use v1::*;

struct Bank;
struct Account;

#[handler(GetAccount)]
async fn get_account(_: &Bank) -> get_account::Result {
    unimplemented!()
}

#[handler(CreateTransfer)]
async fn create_transfer(_: &Bank) -> create_transfer::Result {
    unimplemented!()
}

fn main() {
    let _ = v1::mount(std::sync::Arc::new(Bank));
}
