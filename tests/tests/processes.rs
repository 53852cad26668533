//! Servers that are processes, one Redis, and clients all at once: what passes in all while the store works, is paused, is
//! killed, and is back. `cargo test -p gatewright-tests --test processes -- --nocapture` prints the figures.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]
#![allow(clippy::disallowed_methods, reason = "starts programs, and measures them")]

use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use gatewright::server::Server;
use gatewright::{Config, handler};
use gatewright_tests::redis::RedisServer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

mod closed {
    gatewright::api!("processes/closed.yaml");
}
mod local {
    gatewright::api!("processes/local.yaml");
}

/// As the documents say.
const BURST: f64 = 100.0;
const PER_SECOND: f64 = 20.0;

struct Ticks;

#[handler(closed::Tick)]
async fn tick(_: &Ticks) -> closed::tick::Result {
    Ok(closed::tick::Response::NoContent)
}

#[handler(local::Tick)]
async fn tick_alone(_: &Ticks) -> local::tick::Result {
    Ok(local::tick::Response::NoContent)
}

/// Which policy a process of this test serves; without it, there is nothing to do.
const POLICY: &str = "GATEWRIGHT_TEST_PROCESS";

/// Not a test by itself: the processes of the others begin here.
#[test]
fn process() {
    let Ok(policy) = std::env::var(POLICY) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let router = match policy.as_str() {
            "closed" => closed::router(Ticks, Config::from_env()).unwrap(),
            _ => local::router(Ticks, Config::from_env()).unwrap(),
        };
        let running = Server::new(router).plain(([127, 0, 0, 1], 0).into()).unwrap();
        println!("\naddress {}", running.address());
        // It ends with its parent, however that ends.
        std::thread::spawn(|| {
            let _ = std::io::stdin().read(&mut [0]);
            std::process::exit(0);
        });
        running.wait().await.unwrap();
    });
}

/// A server that is a process of its own.
struct Process(Child, SocketAddr);

impl Process {
    fn start(policy: &str, store: &RedisServer) -> Process {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "process", "--nocapture"])
            .env(POLICY, policy)
            .env("GATEWRIGHT_STORE", store.url())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let address = lines.find_map(|line| line.strip_prefix("address ").map(|a| a.parse().unwrap()));
        std::thread::spawn(move || lines.for_each(drop));
        Process(child, address.expect("the process says where it listens"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One answer: in which phase, its status, how long it took.
#[derive(Clone, Copy)]
struct Met(usize, u16, Duration);

/// A client that sends one request after the other, from an address of its own, until the last phase is over.
async fn client(from: Ipv4Addr, to: SocketAddr, phase: Arc<AtomicUsize>, last: usize) -> Vec<Met> {
    let mut stream = connect(from, to).await;
    let mut met = Vec::new();
    loop {
        let now = phase.load(Ordering::SeqCst);
        if now >= last {
            return met;
        }
        let began = Instant::now();
        let status = ask(&mut stream).await;
        met.push(Met(now, status, began.elapsed()));
    }
}

async fn connect(from: Ipv4Addr, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    let stream = socket.connect(to).await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

async fn ask(stream: &mut TcpStream) -> u16 {
    stream.write_all(b"POST /ticks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    loop {
        let mut buffer = [0; 4_096];
        let count = stream.read(&mut buffer).await.unwrap();
        assert!(count > 0, "a server closed a connection");
        answer.extend_from_slice(&buffer[..count]);
        let Some(end) = answer.windows(4).position(|w| w == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&answer[..end]).unwrap().to_ascii_lowercase();
        let length =
            head.split("content-length: ").nth(1).map_or(0, |rest| rest.lines().next().unwrap().parse().unwrap());
        if answer.len() >= end + 4 + length {
            return head[9..12].parse().unwrap();
        }
    }
}

const CALLERS: usize = 4;
const EACH: usize = 2;

/// Runs clients of some callers against both servers while `phases` go by; of each caller, what was met.
async fn load(servers: &[Process], phases: usize, mut next: impl FnMut(usize)) -> (Vec<Vec<Met>>, f64) {
    let phase = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let mut callers = Vec::new();
    for caller in 0..CALLERS {
        let from = Ipv4Addr::new(127, 0, 1, u8::try_from(caller + 1).unwrap());
        let clients = servers.iter().flat_map(|server| (0..EACH).map(|_| server.1));
        let clients: Vec<_> = clients.map(|to| tokio::spawn(client(from, to, phase.clone(), phases))).collect();
        callers.push(clients);
    }
    for n in 0..phases {
        next(n);
        // A phase is a time: the clients are at work meanwhile.
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        phase.store(n + 1, Ordering::SeqCst);
    }
    let mut met = Vec::new();
    for clients in callers {
        let mut all = Vec::new();
        for client in clients {
            all.extend(client.await.unwrap());
        }
        met.push(all);
    }
    (met, began.elapsed().as_secs_f64())
}

fn passed(met: &[Met]) -> f64 {
    met.iter().filter(|m| m.1 == 204).count() as f64
}

fn show(title: &str, names: &[&str], met: &[Vec<Met>]) {
    println!("{title}: {} servers, {CALLERS} callers, {} connections", 2, CALLERS * EACH * 2);
    println!(
        "  {:<12} {:>8} {:>8} {:>8} {:>9} {:>9} {:>9}",
        "store", "passed", "429", "503", "p50 µs", "p99 µs", "max µs"
    );
    for (phase, name) in names.iter().enumerate() {
        let all: Vec<Met> = met.iter().flatten().copied().filter(|m| m.0 == phase).collect();
        let count = |status| all.iter().filter(|m| m.1 == status).count();
        let mut times: Vec<Duration> = all.iter().map(|m| m.2).collect();
        times.sort_unstable();
        let at =
            |part: f64| times.get((times.len() as f64 * part) as usize).or(times.last()).map_or(0, Duration::as_micros);
        println!(
            "  {name:<12} {:>8} {:>8} {:>8} {:>9} {:>9} {:>9}",
            count(204),
            count(429),
            count(503),
            at(0.5),
            at(0.99),
            at(1.0)
        );
    }
}

/// One after the other: each needs the machine to itself.
static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(future)
}

/// Rows: R5.
#[test]
fn two_processes_pass_no_more_than_the_limit_together() {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let redis = RedisServer::start();
    let servers = [0, 1].map(|_| Process::start("closed", &redis));
    run(async {
        let (met, seconds) = load(&servers, 2, |_| {}).await;
        show("one store", &["at work", "at work"], &met);
        for caller in &met {
            assert!(passed(caller) <= BURST + PER_SECOND * seconds, "{} in {seconds} s", passed(caller));
            assert!(passed(caller) >= BURST, "{} in {seconds} s", passed(caller));
            assert!(caller.iter().all(|m| matches!(m.1, 204 | 429 | 503)));
        }
    });
}

const PHASES: [&str; 6] = ["at work", "paused", "back", "killed", "still away", "restarted"];

fn faults(policy: &str) -> (Vec<Vec<Met>>, f64) {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut redis = RedisServer::start();
    let servers = [0, 1].map(|_| Process::start(policy, &redis));
    let (met, seconds) = run(load(&servers, PHASES.len(), |phase| match phase {
        1 => redis.pause(),
        2 => redis.go_on(),
        3 => redis.kill(),
        5 => redis.restart(),
        _ => {}
    }));
    show(policy, &PHASES, &met);
    // Nobody waits for a store that is known to be away: all answers of that phase, but for the machine's own hiccups.
    let mut away: Vec<Duration> = met.iter().flatten().filter(|m| m.0 == 4).map(|m| m.2).collect();
    away.sort_unstable();
    assert!(away[away.len() / 2] < Duration::from_millis(20), "{:?}", away[away.len() / 2]);
    (met, seconds)
}

/// Rows: R11.
#[test]
fn closed_passes_nothing_uncounted_whatever_happens_to_the_store() {
    let (met, seconds) = faults("closed");
    for caller in &met {
        // A server that asks an empty store first may know less than the other: at most what was on its way.
        let way = (2 * EACH) as f64;
        assert!(passed(caller) <= BURST + PER_SECOND * seconds + way, "{} in {seconds} s", passed(caller));
        let of = |phase| caller.iter().filter(|m| m.0 == phase && m.1 == 204).count();
        assert_eq!(of(4), 0, "nothing passes while it is away");
        assert!(of(2) > 0 && of(5) > 0, "it is found back");
    }
}

/// Rows: R11.
#[test]
fn local_passes_at_most_the_limit_of_each_server() {
    let (met, seconds) = faults("local");
    for caller in &met {
        assert!(passed(caller) <= 2.0 * (BURST + PER_SECOND * seconds), "{} in {seconds} s", passed(caller));
        assert!(caller.iter().all(|m| m.1 != 503), "nobody is refused for want of a store");
        assert!(caller.iter().any(|m| m.0 == 4 && m.1 == 204));
    }
}
