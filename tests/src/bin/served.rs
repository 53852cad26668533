//! A server as a deployment runs it, in a process of its own, for the tests of signals and files, `tests/process.rs`, and
//! of load, `tests/load.rs`. It says
//! on its output where it listens, and when a slow request has begun.
#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "a shell: its settings come from the environment")]

use std::error::Error;
use std::time::Duration;

use gatewright::server::{Bounds, Certificate, Logs, Server};
use gatewright::{Config, handler};

mod api {
    gatewright::api!("served/openapi.yaml");
}

use api::{get_much, get_office, get_open, get_slow, put_note};

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

#[handler(api::GetMuch)]
async fn get_much(_: &App) -> get_much::Result {
    Ok(get_much::Response::Ok("x".repeat(4 << 20)))
}

#[handler(api::PutNote)]
async fn put_note(_: &App, _: put_note::Request) -> put_note::Result {
    Ok(put_note::Response::NoContent)
}

fn main() -> Result<(), Box<dyn Error>> {
    gatewright::server::log(Logs::from_env());
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(serve())
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let mut config = Config::from_env().environment_file(std::env::var("ENVIRONMENT")?);
    if let Ok(places) = std::env::var("PLACES") {
        config = config.requests_at_once(places.parse()?);
    }
    let mut bounds = Bounds::default();
    if let Ok(seconds) = std::env::var("PATIENCE") {
        let patience = Duration::from_secs(seconds.parse()?);
        bounds = Bounds { handshake: patience, first_request: patience, head: patience, stalled: patience, ..bounds };
    }
    let (router, gateway) = gatewright::serve([api::mount(std::sync::Arc::new(App))], config)?;
    let certificate = Certificate::files(std::env::var("TLS_CERTIFICATE")?, std::env::var("TLS_KEY")?);
    let running =
        Server::new(router).gateway(&gateway).bounds(bounds).https(([127, 0, 0, 1], 0).into(), certificate)?;
    let private = Server::new(gateway.diagnostics()).plain(([127, 0, 0, 1], 0).into())?;
    // Whoever reads where it listens may send a signal at once: from here on it ends no process.
    let _hang_up = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())?;
    println!("{} {}", running.address(), private.address());
    running.until_signal(Duration::from_millis(std::env::var("GRACE")?.parse()?)).await?;
    Ok(())
}
