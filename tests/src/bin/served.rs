//! A server as a deployment runs it, in a process of its own, for the tests of signals and files: `tests/process.rs`. It says
//! on its output where it listens, and when a slow request has begun.
#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "a shell: its settings come from the environment")]

use std::error::Error;
use std::time::Duration;

use gatewright::server::{Certificate, Logs, Server};
use gatewright::{Config, handler};

mod api {
    gatewright::api!("served/openapi.yaml");
}

use api::{get_office, get_open, get_slow};

struct App;

#[handler(api::GetOpen)]
async fn get_open(_: &App) -> get_open::Result {
    Ok(get_open::Response::NoContent)
}

#[handler(api::GetOffice)]
async fn get_office(_: &App) -> get_office::Result {
    Ok(get_office::Response::NoContent)
}

#[handler(api::GetSlow)]
async fn get_slow(_: &App, request: get_slow::Request) -> get_slow::Result {
    println!("entered");
    tokio::time::sleep(Duration::from_millis(request.milliseconds.unsigned_abs().into())).await;
    Ok(get_slow::Response::NoContent)
}

fn main() -> Result<(), Box<dyn Error>> {
    gatewright::server::log(Logs::from_env());
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(serve())
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let config = Config::from_env().environment_file(std::env::var("ENVIRONMENT")?);
    let (router, gateway) = gatewright::serve([api::mount(std::sync::Arc::new(App))], config)?;
    let certificate = Certificate::files(std::env::var("TLS_CERTIFICATE")?, std::env::var("TLS_KEY")?);
    let running = Server::new(router).gateway(&gateway).https(([127, 0, 0, 1], 0).into(), certificate)?;
    let private = Server::new(gateway.diagnostics()).plain(([127, 0, 0, 1], 0).into())?;
    println!("{} {}", running.address(), private.address());
    running.until_signal(Duration::from_millis(std::env::var("GRACE")?.parse()?)).await?;
    Ok(())
}
