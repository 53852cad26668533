//! Limits that several servers share: what asking a Redis on this machine adds to a request, beside the time of its `PING`, and
//! beside a limit of the plainest kind, `INCR` and `EXPIRE` in one pipeline, and beside another crate for limits in Redis; and
//! what a store that stopped adds.
//!
//! All go through connections of the same crate, one call at a time, in turns.

use std::error::Error;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use gatewright::store::{MemoryStore, Pepper};
use gatewright::{Config, Peer, StatusCode};
use gatewright_tests::issuer::Issuer;
use redis::aio::{ConnectionManager, MultiplexedConnection};
use tower_service::Service;
use trypema::redis::{RedisKey, RedisRateLimiterProvider};
use trypema::{BucketSize, RateLimit, RateLimitDecision, RateLimiterBuilder, WindowSize};

use crate::guards::{BODY, Shop};
use crate::shop::echoes::echo_open;

const TURNS: usize = 20;
/// Calls of each in a turn.
const CALLS: usize = 500;
/// Calls behind a store that has stopped.
const AWAY: usize = 20_000;

/// A Redis of our own, which ends with this.
struct Redis {
    process: Child,
    url: String,
}

impl Redis {
    fn start() -> Result<Redis, Box<dyn Error>> {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let process = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .stdout(Stdio::null())
            .spawn()
            .map_err(|e| format!("`redis-server` does not start ({e}); `cargo xtask stores` installs it"))?;
        Ok(Redis { process, url: format!("redis://127.0.0.1:{port}") })
    }

    async fn connect(&self) -> Result<MultiplexedConnection, Box<dyn Error>> {
        let end = Instant::now() + Duration::from_secs(10);
        let client = redis::Client::open(self.url.as_str())?;
        loop {
            match client.get_multiplexed_async_connection().await {
                Ok(connection) => return Ok(connection),
                Err(error) if Instant::now() > end => return Err(error.into()),
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }

    /// Stops it where it stands: connections stay, and nobody answers.
    fn stall(&self) -> Result<(), Box<dyn Error>> {
        let pid = rustix::process::Pid::from_child(&self.process);
        Ok(rustix::process::kill_process(pid, rustix::process::Signal::STOP)?)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A server of the open operation alone.
///
/// # Errors
/// It does not start.
pub(crate) fn router(config: Config) -> Result<Router, Box<dyn Error>> {
    // What the other operations of the document ask for.
    let config = config.jwks("oauth", Issuer::new().jwks());
    let config = config.api_keys(Arc::new(MemoryStore::default()), Pepper::new(vec![9; 32])?);
    Ok(crate::shop::partial(Arc::new(Shop)).operation::<echo_open::Op>().router(config)?)
}

/// One request of this address: how long it took, and how it was answered.
///
/// # Errors
/// It is no request.
pub(crate) async fn ask(router: &mut Router, from: IpAddr) -> Result<(Duration, StatusCode), Box<dyn Error>> {
    let mut request = axum::http::Request::builder()
        .method("POST")
        .uri("/open")
        .header("host", "localhost")
        .header("content-type", "application/json")
        .header("content-length", BODY.len())
        .body(Body::from(Bytes::from_static(BODY.as_bytes())))?;
    request.extensions_mut().insert(Peer::new(SocketAddr::new(from, 4711)).over_tls());
    let began = Instant::now();
    let Ok(response) = router.call(request).await;
    Ok((began.elapsed(), response.status()))
}

fn good((time, status): (Duration, StatusCode)) -> Result<Duration, Box<dyn Error>> {
    if status == StatusCode::OK { Ok(time) } else { Err(format!("answered {status}").into()) }
}

/// The time below which this part of the calls lies.
pub(crate) fn microseconds(mut times: Vec<Duration>, part: f64) -> f64 {
    times.sort_unstable();
    let place = (times.len().saturating_sub(1)) as f64 * part;
    times.get(place as usize).map_or(f64::NAN, |time| time.as_secs_f64() * 1e6)
}

/// Prints the figures.
///
/// # Errors
/// No Redis starts, or a request is answered otherwise than it should be.
pub(crate) fn measure() -> Result<(), Box<dyn Error>> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let redis = Redis::start()?;
        let mut connection = redis.connect().await?;
        let mut alone = router(Config::new())?;
        let mut shared = router(Config::new().shared_store(redis.url.clone()))?;
        let from = IpAddr::from([127, 0, 0, 1]);
        let manager = ConnectionManager::new(redis::Client::open(redis.url.as_str())?).await?;
        let others = RedisRateLimiterProvider::builder(manager)
            .window_size(WindowSize::minutes(1)?)
            .bucket_size(BucketSize::milliseconds(10)?)
            .build()?;
        // Nobody reaches it, as nobody reaches ours.
        let (key, rate) = (RedisKey::try_from("caller".to_owned())?, RateLimit::per_second(1e6)?);
        let [mut ping, mut incr, mut other, mut own, mut both] = [const { Vec::new() }; 5];
        for _ in 0..CALLS {
            good(ask(&mut shared, from).await?)?;
        }
        for _ in 0..TURNS {
            for _ in 0..CALLS {
                let began = Instant::now();
                let _: String = redis::cmd("PING").query_async(&mut connection).await?;
                ping.push(began.elapsed());
            }
            for _ in 0..CALLS {
                let began = Instant::now();
                let mut both = redis::pipe();
                both.atomic().cmd("INCR").arg("plain").cmd("EXPIRE").arg("plain").arg(60);
                let _: (u64, u64) = both.query_async(&mut connection).await?;
                incr.push(began.elapsed());
            }
            for _ in 0..CALLS {
                let began = Instant::now();
                let decision = others.absolute().inc(&key, &rate, 1).await?;
                other.push(began.elapsed());
                if !matches!(decision, RateLimitDecision::Allowed) {
                    return Err("the other limiter refuses".into());
                }
            }
            for _ in 0..CALLS {
                own.push(good(ask(&mut alone, from).await?)?);
            }
            for _ in 0..CALLS {
                both.push(good(ask(&mut shared, from).await?)?);
            }
        }
        let base = microseconds(ping.clone(), 0.5);
        let embedded = microseconds(own.clone(), 0.5);
        println!("one call after another, a Redis on this machine; microseconds");
        println!("  {:<46} {:>8} {:>8} {:>8}", "", "p50", "p99", "/ PING");
        let row = |name: &str, times: Vec<Duration>, less: f64| {
            let (p50, p99) = (microseconds(times.clone(), 0.5) - less, microseconds(times, 0.99) - less);
            println!("  {name:<46} {p50:>8.1} {p99:>8.1} {:>8.2}", p50 / base);
        };
        row("PING", ping, 0.0);
        row("INCR and EXPIRE, one pipeline", incr, 0.0);
        row("one limit of the crate trypema", other, 0.0);
        row("a whole request, limited in the process", own, 0.0);
        row("a whole request, limited in Redis", both.clone(), 0.0);
        row("so the shared check", both, embedded);

        redis.stall()?;
        let (first, _) = ask(&mut shared, from).await?;
        let (mut behind, mut beside) = (Vec::new(), Vec::new());
        for _ in 0..AWAY {
            behind.push(good(ask(&mut shared, from).await?)?);
            beside.push(good(ask(&mut alone, from).await?)?);
        }
        println!("the store has stopped, `on-outage: local`");
        println!("  {:<46} {:>8.1}", "the first request waits", first.as_secs_f64() * 1e6);
        let (behind, beside) = (microseconds(behind, 0.5), microseconds(beside, 0.5));
        println!("  {:<46} {:>8.2}", "each later one, more than without a store", behind - beside);
        Ok(())
    })
}
