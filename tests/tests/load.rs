//! A server in a process of its own under more than it can do: twice its capacity, idle connections by the thousand, clients
//! that are slow on purpose. What it sheds it sheds at once, and whoever behaves is answered. `cargo xtask load` shows the figures.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]
#![allow(clippy::disallowed_methods, reason = "processes, and how long they take")]

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// Longer than anything here may take.
const LONG: Duration = Duration::from_secs(120);

type Tls = StreamOwned<ClientConnection, TcpStream>;

/// Each needs the machine to itself.
static TURN: Mutex<()> = Mutex::new(());

struct Served {
    child: Child,
    address: SocketAddr,
    /// How many slow requests entered their handler.
    entered: Arc<AtomicUsize>,
    output: Option<std::thread::JoinHandle<()>>,
    client: Arc<ClientConfig>,
    _folder: tempfile::TempDir,
}

impl Served {
    fn start(settings: &[(&str, &str)]) -> Served {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let mut child = Command::new(env!("CARGO_BIN_EXE_served"))
            .env("ENVIRONMENT", write("environment", "OFFICE=127.0.0.0/8\n"))
            .env("TLS_CERTIFICATE", write("chain.pem", &made.cert.pem()))
            .env("TLS_KEY", write("key.pem", &made.signing_key.serialize_pem()))
            .env("GRACE", "30000")
            .env("RUST_LOG", "off")
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let address = lines.find_map(|line| line.split_once(' ').and_then(|(first, _)| first.parse().ok()));
        let entered = Arc::new(AtomicUsize::new(0));
        let count = entered.clone();
        let output = std::thread::spawn(move || {
            lines.filter(|line| line == "entered").for_each(|_| {
                count.fetch_add(1, Ordering::SeqCst);
            });
        });
        let client = client(made.cert.der());
        Served { child, address: address.unwrap(), entered, output: Some(output), client, _folder: folder }
    }

    /// Bytes of memory that are its own now (`proc(5)`, `statm`).
    fn memory(&self) -> usize {
        let text = std::fs::read_to_string(format!("/proc/{}/statm", self.child.id())).unwrap();
        text.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4_096
    }

    /// How many sockets it holds.
    fn sockets(&self) -> usize {
        let files = std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap();
        let links = files.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
        links.filter(|link| link.to_string_lossy().starts_with("socket:")).count()
    }

    /// Tells it to end, waits until it has, and says how many requests entered their handler in all.
    fn end(mut self) -> usize {
        let done = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status().unwrap();
        assert!(done.success() && self.child.wait().unwrap().success());
        self.output.take().unwrap().join().unwrap();
        self.entered.load(Ordering::SeqCst)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn client(root: &CertificateDer<'static>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(config.with_root_certificates(roots).with_no_client_auth())
}

/// A connection from an address of loopback, its handshake done.
fn connect(client: &Arc<ClientConfig>, from: Ipv4Addr, to: SocketAddr) -> io::Result<Tls> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.bind((from, 0).into())?;
        socket.connect(to).await
    })?;
    let mut stream = stream.into_std()?;
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(LONG))?;
    stream.set_nodelay(true)?;
    let mut connection = ClientConnection::new(client.clone(), ServerName::try_from("localhost").unwrap()).unwrap();
    while connection.is_handshaking() {
        connection.complete_io(&mut stream)?;
    }
    Ok(StreamOwned::new(connection, stream))
}

/// Sends a request and reads its answer whole; the error of one that was not answered at all.
fn ask(stream: &mut Tls, path: &str) -> io::Result<u16> {
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    loop {
        let mut buffer = [0; 4_096];
        let count = match stream.read(&mut buffer) {
            Ok(0) if answer.is_empty() => return Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) if answer.is_empty() => return Err(error),
            Ok(count) if count > 0 => count,
            broken => panic!("the answer broke off: {broken:?}"),
        };
        answer.extend_from_slice(&buffer[..count]);
        let Some(end) = answer.windows(4).position(|w| w == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&answer[..end]).unwrap().to_ascii_lowercase();
        let length =
            head.split("content-length: ").nth(1).map_or(0, |rest| rest.lines().next().unwrap().parse().unwrap());
        if answer.len() >= end + 4 + length {
            return Ok(head[9..12].parse().unwrap());
        }
    }
}

/// What clients met: the status of each answer, and how long it took.
#[derive(Default)]
struct Met(Vec<(u16, Duration)>);

impl Met {
    fn count(&self, status: u16) -> usize {
        self.0.iter().filter(|(s, _)| *s == status).count()
    }

    /// Of the answers with this status, the time within which so great a part came.
    fn within(&self, status: u16, part: f64) -> Duration {
        let mut times: Vec<Duration> = self.0.iter().filter(|(s, _)| *s == status).map(|(_, time)| *time).collect();
        times.sort_unstable();
        let index = ((times.len() as f64 * part) as usize).min(times.len().saturating_sub(1));
        times.get(index).copied().unwrap_or_default()
    }
}

/// Sends requests over so many connections for a time; `every` apart on each, or as fast as it answers. A connection that the
/// server closes is at its end.
fn load(served: &Served, path: &str, connections: usize, every: Option<Duration>, time: Duration) -> Met {
    let began = Instant::now();
    let threads: Vec<_> = (0..connections)
        .map(|n| {
            let (client, address, path) = (served.client.clone(), served.address, path.to_owned());
            std::thread::spawn(move || {
                let mut met = Vec::new();
                let Ok(mut stream) = connect(&client, Ipv4Addr::LOCALHOST, address) else { return met };
                let mut next = Instant::now() + every.unwrap_or_default().mul_f64(n as f64 / connections as f64);
                while began.elapsed() < time {
                    if let Some(every) = every {
                        std::thread::sleep(next.saturating_duration_since(Instant::now()));
                        next = (next + every).max(Instant::now());
                    }
                    let sent = Instant::now();
                    let Ok(status) = ask(&mut stream, &path) else { break };
                    met.push((status, sent.elapsed()));
                }
                met
            })
        })
        .collect();
    Met(threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect())
}

const PLACES: usize = 16;
/// Milliseconds that a request keeps its place.
const WORK: u32 = 50;
const CONNECTIONS: usize = 64;

/// At capacity, at twice as much, and told to end in the midst of it.
#[test]
fn at_twice_its_capacity_a_server_does_as_much_and_sheds_the_rest() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let served = Served::start(&[("PLACES", &PLACES.to_string())]);
    let path = format!("/slow?milliseconds={WORK}");
    let second = Duration::from_secs(1);
    // As many connections as there are places keep each busy.
    let alone = load(&served, &path, PLACES, None, 3 * second);
    let capacity = alone.count(204) as f64 / 3.0;
    println!("capacity: {capacity:.0} a second ({PLACES} at a time, {WORK} ms each)");
    println!(
        "  {:<8} {:>9} {:>8} {:>12} {:>12} {:>14} {:>8}",
        "load", "answered", "shed", "p50 ms", "p99 ms", "shed p99 ms", "MB"
    );
    let mut answered = Vec::new();
    let mut memory = Vec::new();
    for times in [1.0, 2.0, 2.0] {
        let every = Duration::from_secs_f64(CONNECTIONS as f64 / (capacity * times));
        let met = load(&served, &path, CONNECTIONS, Some(every), 4 * second);
        let ms = |status, part| met.within(status, part).as_secs_f64() * 1e3;
        let (good, shed) = (met.count(204), met.count(503));
        assert_eq!(good + shed, met.0.len(), "every answer is one or the other");
        memory.push(served.memory());
        println!(
            "  {times:<8} {:>9.0} {:>8.0} {:>12.1} {:>12.1} {:>14.1} {:>8.1}",
            good as f64 / 4.0,
            shed as f64 / 4.0,
            ms(204, 0.5),
            ms(204, 0.99),
            ms(503, 0.99),
            served.memory() as f64 / 1e6
        );
        answered.push(good as f64 / 4.0);
        if times > 1.0 {
            assert!(shed > 0, "nothing was too much");
            assert!(met.within(503, 0.5) < Duration::from_millis(u64::from(WORK)), "what is shed is shed at once");
        }
    }
    // What is done beyond what can be done is lost; what can be done is done.
    assert!(answered[1] > 0.8 * answered[0] && answered[2] > 0.8 * answered[0], "{answered:?}");
    assert!(memory[2] < memory[1] + (8 << 20), "it grows: {memory:?}");

    let before = served.entered.load(Ordering::SeqCst);
    let every = Duration::from_secs_f64(CONNECTIONS as f64 / (capacity * 2.0));
    let met = std::thread::scope(|scope| {
        let served = &served;
        let pid = served.child.id().to_string();
        scope.spawn(move || {
            while served.entered.load(Ordering::SeqCst) < before + 100 {
                std::thread::yield_now();
            }
            assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        });
        load(served, &path, CONNECTIONS, Some(every), LONG)
    });
    let entered = served.end() - before;
    println!("told to end meanwhile: {entered} were begun, {} answered", met.count(204));
    assert_eq!(met.count(204) + met.count(503), met.0.len());
    assert_eq!(met.count(204), entered, "whatever was begun was answered");
}

/// How many idle connections: as many as the default bound takes, or as this process may have files.
fn idle() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let most = line.split_whitespace().nth(3).unwrap().parse::<usize>().unwrap_or(usize::MAX);
    most.saturating_sub(200).min(9_900)
}

#[test]
fn idle_connections_by_the_thousand_cost_some_memory_and_nobody_else_any_time() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    // They are to stay: with the default bounds they would be gone in ten seconds.
    let served = Served::start(&[("PATIENCE", "600")]);
    let behaved = |served: &Served| load(served, "/open", 4, Some(Duration::from_millis(2)), Duration::from_secs(3));
    let (few, count) = (behaved(&served), idle());
    let before = served.memory();
    let began = Instant::now();
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let (client, address) = (served.client.clone(), served.address);
            std::thread::spawn(move || {
                // Of one address at most 512 are let in.
                let held = (thread..count).step_by(4).map(|n| {
                    let from = Ipv4Addr::new(127, 0, 2, u8::try_from(n / 500 + 1).unwrap());
                    connect(&client, from, address).unwrap().sock
                });
                held.collect::<Vec<TcpStream>>()
            })
        })
        .collect();
    let held: Vec<TcpStream> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    let took = began.elapsed();
    let many = behaved(&served);
    let each = (served.memory() - before) / held.len();
    println!("{} idle TLS connections, made in {:.1} s: {} bytes each", held.len(), took.as_secs_f64(), each);
    for (name, met) in [("without", &few), ("beside them", &many)] {
        let us = |part| met.within(204, part).as_micros();
        println!("  {name:<12} {:>6} answers, p50 {:>6} µs, p99 {:>6} µs", met.0.len(), us(0.5), us(0.99));
        assert_eq!(met.count(204), met.0.len());
    }
    assert_eq!(held.len(), count);
    assert!(each < 48 << 10, "{each} bytes");
    assert!(many.within(204, 0.5) < 4 * few.within(204, 0.5) + Duration::from_millis(2));
    let alive = |mut stream: &TcpStream| stream.set_nonblocking(true).is_ok() && stream.read(&mut [0]).is_err();
    // A ticket of TLS 1.3 may lie there to be read; the end of the connection is what must not.
    let ended = held.iter().filter(|stream| !alive(stream) && stream.peek(&mut [0]).is_ok_and(|n| n == 0)).count();
    assert_eq!(ended, 0);
}

/// Slow heads, slow bodies and slow readers at once, from one address. The bounds are those that are on by default, in less time.
#[test]
fn slowhttptest_finds_the_server_at_work_and_is_shown_the_door() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let served = Served::start(&[("PATIENCE", "5")]);
    let quiet = served.sockets();
    let attack = |mode: &'static str, path: &str, more: &'static [&'static str]| {
        let url = format!("https://127.0.0.1:{}/{path}", served.address.port());
        std::thread::spawn(move || {
            let mut tool = Command::new("slowhttptest");
            tool.args([mode, "-c", "150", "-r", "75", "-i", "2", "-l", "25", "-p", "5", "-u", &url]).args(more);
            let done = tool.output().expect("`slowhttptest` is missing: `cargo xtask load` installs it");
            (mode, String::from_utf8_lossy(&done.stdout).into_owned())
        })
    };
    let attacks = [
        attack("-H", "open", &["-x", "24"]),
        attack("-B", "note", &["-s", "8192", "-t", "PUT", "-f", "text/plain", "-x", "10"]),
        attack("-X", "much", &["-w", "1", "-y", "2", "-n", "5", "-z", "1", "-k", "3"]),
    ];
    let second = Duration::from_secs(1);
    let met = load(&served, "/open", 4, Some(Duration::from_millis(5)), 5 * second);
    let most = served.sockets();
    let later = load(&served, "/open", 4, Some(Duration::from_millis(5)), 15 * second);
    // The tools are still at it, and think of some of their connections that they were open.
    let left = served.sockets();
    println!("beside slowhttptest: sockets {quiet} before, {most} in five seconds, {left} in twenty");
    for met in [&met, &later] {
        let us = |part| met.within(204, part).as_micros();
        println!("  {} answers, p50 {} µs, p99 {} µs", met.0.len(), us(0.5), us(0.99));
        assert_eq!(met.count(204), met.0.len());
    }
    assert!(most > quiet + 100 && left < quiet + 10, "{quiet} {most} {left}");
    for attack in attacks {
        let (mode, report) = attack.join().unwrap();
        let plain: String = report.chars().filter(|c| !c.is_control() || *c == '\n').collect();
        let last = plain.rfind("slow HTTP test status").map_or(plain.as_str(), |at| &plain[at..]);
        assert!(last.contains("service available:") && last.contains("YES"), "{mode} {last}");
    }
}
