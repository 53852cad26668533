//! A generated server against one written by hand, in one run.
//!
//! `cargo run --release -p gatewright-bench` starts both as processes of their own, on loopback and without TLS (which
//! would cost both the same and hide the difference), and sends each the same requests in turns: a guarded GET and a
//! validated POST. It prints answers a second, CPU time an answer, and the ratio of the two; the ratio is the figure, the
//! rest depends on the machine.
//!
//! In the same way, each with both sides in one run:
//!
//! - `… -- validate`: a body of a kilobyte to a valid value, against `serde_json` with checks by hand and `jsonschema`;
//! - `… -- guards`: a request through each kind of guard, in process, against a plain axum handler;
//! - `… -- networks`: an address in an allowlist of 4,096 networks, against one of a single one;
//! - `… -- limits`: the rate limiter against the `governor` crate;
//! - `… -- shared`: limits in a Redis, which it starts, against a `PING` of it;
//! - `… -- compile SPEC`: the compiler on a document, by stage.

#![allow(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods, reason = "a command of its own")]

mod byhand;
mod compile;
mod guards;
mod limits;
mod load;
mod networks;
mod peers;
mod shared;
mod timing;
mod validate;

/// What the compiler made of `spec/shop.yaml`.
#[allow(dead_code, missing_docs, unreachable_pub)]
mod shop {
    gatewright::include_api!("shop");
}

use std::error::Error;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use gatewright::Config;
use gatewright::store::{MemoryStore, Pepper};
use gatewright_example_bank::ledger::Ledger;
use gatewright_tests::issuer::{ISSUER, Issuer};
use serde_json::json;

/// How many turns each server gets, and how long one takes.
const TURNS: usize = 7;
const TURN: Duration = Duration::from_millis(1_500);
const CONNECTIONS: usize = 8;

/// The key's JWKS and DER travel to the servers in these.
const JWKS: &str = "GATEWRIGHT_BENCH_JWKS";

fn main() -> Result<(), Box<dyn Error>> {
    match std::env::args().nth(1).as_deref() {
        Some("generated") => serve(false),
        Some("byhand") => serve(true),
        Some("compile") => compile::measure(std::path::Path::new(&std::env::args().nth(2).ok_or("which document?")?)),
        Some("validate") => validate::measure(),
        Some("guards") => guards::measure(),
        Some("networks") => networks::measure(),
        Some("limits") => limits::measure(),
        Some("shared") => shared::measure(),
        Some("limits-of") => limits::one(),
        Some(other) => {
            Err(format!("`{other}` is none of `validate`, `guards`, `networks`, `limits`, `shared`, `compile SPEC`")
                .into())
        }
        None => compare(),
    }
}

fn serve(byhand: bool) -> Result<(), Box<dyn Error>> {
    let jwks = std::env::var(JWKS)?;
    tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(1).build()?.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        println!("{}", listener.local_addr()?);
        // The process ends when its parent closes standard input, however the parent ends.
        std::thread::spawn(|| {
            let _ = std::io::stdin().read(&mut [0]);
            std::process::exit(0);
        });
        if byhand {
            let keys: jsonwebtoken::jwk::JwkSet = serde_json::from_str(&jwks)?;
            let key = keys.keys.first().ok_or("a key")?;
            let key = jsonwebtoken::DecodingKey::from_jwk(key)?;
            let router = byhand::router(Ledger::with_examples(), key, ISSUER, "bank-api");
            axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await?;
        } else {
            let fast = [
                ("BANK_ADDRESS_RATE", "4000000000/min"),
                ("BANK_USER_RATE", "4000000000/min"),
                ("BANK_TENANT_RATE", "4000000000/min"),
            ];
            // The bank's other operations take API keys; nobody sends one here.
            let (store, pepper) = (Arc::new(MemoryStore::default()), Pepper::new(vec![9; 32])?);
            let config = Config::new().variables(fast).jwks("oauth", jwks);
            let config = config.passkeys(store.clone()).api_keys(store, pepper);
            axum::serve(listener, peers::Peers(gatewright_example_bank::app::router(config)?)).await?;
        }
        Ok(())
    })
}

/// A server process.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(kind: &str, issuer: &Issuer) -> Result<Server, Box<dyn Error>> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(kind)
            .env(JWKS, issuer.jwks())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("standard output")?).read_line(&mut line)?;
        Ok(Server { address: line.trim().parse()?, child })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn compare() -> Result<(), Box<dyn Error>> {
    let issuer = Issuer::new();
    let now = i64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs())?;
    let claims = json!({ "sub": "alice", "scope": "accounts:read transfers:write", "tenant": "acme",
                         "email_verified": true, "roles": [] });
    let token = issuer.token(now, &claims);
    let head = format!("Host: localhost\r\nAuthorization: Bearer {token}\r\n");
    let body = json!({
        "to": "acc_bob001", "amount": 1, "currency": "EUR", "reference": "rent for November and a little more",
        "labels": ["rent", "monthly"], "metadata": { "contract": "A-2031-77", "flat": "3 left" },
    })
    .to_string();
    let length = body.len();
    let get = format!("GET /v2/accounts/acc_alice1 HTTP/1.1\r\n{head}\r\n");
    let post = format!(
        "POST /v2/accounts/acc_alice1/transfers HTTP/1.1\r\n{head}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    for (name, request, status) in [("guarded GET", get, 200), ("validated POST", post, 201)] {
        // Fresh servers for each, so that the transfers of one cannot empty the account of another.
        let generated = Server::start("generated", &issuer)?;
        let byhand = Server::start("byhand", &issuer)?;
        let turn = |server: &Server, time| {
            load::run(server.address, server.child.id(), request.as_bytes(), status, CONNECTIONS, time)
        };
        turn(&generated, Duration::from_millis(300))?;
        turn(&byhand, Duration::from_millis(300))?;
        let mut runs = Vec::new();
        for _ in 0..TURNS {
            runs.push((turn(&generated, TURN)?, turn(&byhand, TURN)?));
        }
        let median = |of: &dyn Fn(&(load::Run, load::Run)) -> f64| {
            let mut all: Vec<f64> = runs.iter().map(of).collect();
            all.sort_by(f64::total_cmp);
            all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
        };
        println!(
            "{name}: requests a second, generated / by hand: {:.3}",
            median(&|(g, b)| g.per_second / b.per_second)
        );
        println!("  {:>9.0} / {:.0} a second", median(&|(g, _)| g.per_second), median(&|(_, b)| b.per_second));
        println!("  CPU an answer, generated / by hand: {:.3}", median(&|(g, b)| g.cpu_us / b.cpu_us));
        println!("  {:>9.2} / {:.2} µs", median(&|(g, _)| g.cpu_us), median(&|(_, b)| b.cpu_us));
    }
    Ok(())
}
