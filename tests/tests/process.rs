//! A server in a process of its own: what it does on signals, and when its files change. Clients are other threads with
//! sockets of their own.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, reason = "a process, its files, and how long it takes")]

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// Longer than anything here may take.
const LONG: Duration = Duration::from_secs(60);
/// A watched file is looked at every ten seconds; a signal acts sooner.
const SOON: Duration = Duration::from_secs(8);

type Tls = StreamOwned<ClientConnection, TcpStream>;

/// A certificate, its text and that of its key.
struct Pair {
    der: CertificateDer<'static>,
    chain: String,
    key: String,
}

impl Pair {
    fn new() -> Pair {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        Pair { der: made.cert.der().clone(), chain: made.cert.pem(), key: made.signing_key.serialize_pem() }
    }
}

struct Served {
    child: Child,
    output: BufReader<ChildStdout>,
    address: SocketAddr,
    private: SocketAddr,
    folder: tempfile::TempDir,
    first: Pair,
}

impl Served {
    fn start(office: &str, grace: Duration) -> Served {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let first = Pair::new();
        write(&path("chain.pem"), &first.chain);
        write(&path("key.pem"), &first.key);
        write(&path("environment"), &format!("OFFICE={office}\n"));
        let mut child = Command::new(env!("CARGO_BIN_EXE_served"))
            .env("ENVIRONMENT", path("environment"))
            .env("TLS_CERTIFICATE", path("chain.pem"))
            .env("TLS_KEY", path("key.pem"))
            .env("GRACE", grace.as_millis().to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::from(std::fs::File::create(path("log")).unwrap()))
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        // Of the log's lines none is this one.
        let (address, private) = loop {
            line.clear();
            assert_ne!(output.read_line(&mut line).unwrap(), 0, "it does not start: {}", log(folder.path()));
            let parsed = line.trim().split_once(' ').map(|(a, b)| (a.parse(), b.parse()));
            if let Some((Ok(address), Ok(private))) = parsed {
                break (address, private);
            }
        };
        Served { child, output, address, private, folder, first }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn signal(&self, name: &str) {
        let done = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status().unwrap();
        assert!(done.success());
    }

    /// Waits until a slow request has begun.
    fn entered(&mut self) {
        let mut line = String::new();
        while line.trim() != "entered" {
            line.clear();
            assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "it ended");
        }
    }

    fn status(&self, path: &str) -> u16 {
        status(&mut tls(self.address, &[&self.first.der]).unwrap(), path, true).unwrap()
    }

    /// Asks until the answer is this, but not for longer than so.
    fn until(&self, path: &str, want: u16, patience: Duration) {
        let start = Instant::now();
        loop {
            let is = self.status(path);
            if is == want {
                return;
            }
            assert!(start.elapsed() < patience, "{path} is {is}, not {want}: {}", log(self.folder.path()));
            std::thread::yield_now();
        }
    }

    fn ready(&self) -> u16 {
        status(&mut tcp(self.private).unwrap(), "/ready", true).unwrap()
    }

    fn ended(&mut self, patience: Duration) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < patience, "it does not end: {}", log(self.folder.path()));
            std::thread::yield_now();
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

fn log(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("log")).unwrap_or_default()
}

fn tcp(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(LONG))?;
    stream.set_write_timeout(Some(LONG))?;
    Ok(stream)
}

/// A connection to a server that has one of these certificates.
fn tls(address: SocketAddr, certificates: &[&CertificateDer<'static>]) -> io::Result<Tls> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add((*certificate).clone()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut connection = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap();
    let mut stream = tcp(address)?;
    while connection.is_handshaking() {
        connection.complete_io(&mut stream)?;
    }
    Ok(StreamOwned::new(connection, stream))
}

/// Sends a request and reads its answer whole; an answer that breaks off is an error of another kind than none at all.
fn status(stream: &mut (impl Read + Write), path: &str, last: bool) -> io::Result<u16> {
    let close = if last { "Connection: close\r\n" } else { "" };
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{close}\r\n").as_bytes())?;
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            Ok(_) if head.is_empty() => return Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) if head.is_empty() => return Err(error),
            broken => panic!("the answer broke off: {broken:?}, {}", String::from_utf8_lossy(&head)),
        }
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    let length = head.split("content-length: ").nth(1).map_or(0, |rest| rest.lines().next().unwrap().parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap_or_else(|e| panic!("the answer broke off: {e}"));
    Ok(head[9..12].parse().unwrap())
}

/// Rows: T9.
#[test]
fn what_is_under_way_is_finished_when_the_process_is_told_to_end() {
    const SLOW: usize = 16;
    let mut served = Served::start("127.0.0.0/8", LONG);
    let (address, root) = (served.address, served.first.der.clone());
    assert_eq!(served.ready(), 200);
    let stop = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicUsize::new(0));
    // Some that come and go all the time. Whoever is told to go away, or finds nobody, was not promised an answer; an answer
    // that has begun is finished, which `status` holds them to.
    let busy: Vec<_> = (0..4)
        .map(|n| {
            let (root, stop, answered) = (root.clone(), stop.clone(), answered.clone());
            std::thread::spawn(move || {
                while !stop.load(Ordering::SeqCst) {
                    let Ok(mut stream) = tls(address, &[&root]) else { return };
                    while let Ok(status) = status(&mut stream, "/open", n % 2 == 0) {
                        assert_eq!(status, 204);
                        answered.fetch_add(1, Ordering::SeqCst);
                        if n % 2 == 0 {
                            break;
                        }
                    }
                }
            })
        })
        .collect();
    let slow: Vec<_> = (0..SLOW)
        .map(|_| {
            let root = root.clone();
            std::thread::spawn(move || {
                let mut stream = tls(address, &[&root]).unwrap();
                status(&mut stream, "/slow?milliseconds=2000", false).unwrap()
            })
        })
        .collect();
    (0..SLOW).for_each(|_| served.entered());
    let start = Instant::now();
    served.signal("TERM");
    while served.ready() != 503 {
        assert!(start.elapsed() < LONG, "it is still ready");
    }
    for request in slow {
        assert_eq!(request.join().unwrap(), 204, "it was under way");
    }
    assert!(served.ended(LONG).success(), "{}", log(served.folder.path()));
    assert!(start.elapsed() < LONG / 2, "nobody waits once all are gone: {:?}", start.elapsed());
    assert!(TcpStream::connect(address).is_err());
    stop.store(true, Ordering::SeqCst);
    busy.into_iter().for_each(|thread| thread.join().unwrap());
    assert!(answered.load(Ordering::SeqCst) > 0);
}

/// Rows: T9.
#[test]
fn nobody_keeps_a_process_beyond_its_grace() {
    let mut served = Served::start("127.0.0.0/8", Duration::from_millis(500));
    let (address, root) = (served.address, served.first.der.clone());
    let slow = std::thread::spawn(move || {
        let mut stream = tls(address, &[&root]).unwrap();
        status(&mut stream, "/slow?milliseconds=60000", false).is_err()
    });
    served.entered();
    served.signal("TERM");
    assert!(served.ended(LONG / 2).success(), "{}", log(served.folder.path()));
    assert!(slow.join().unwrap(), "it had no answer");
}

#[test]
fn lists_are_read_again_on_a_signal_and_a_broken_one_is_not_taken() {
    let served = Served::start("192.0.2.0/24", LONG);
    assert_eq!(served.status("/office"), 403);
    write(&served.path("environment"), "OFFICE=192.0.2.0/24, 127.0.0.0/8\n");
    served.signal("HUP");
    served.until("/office", 204, SOON);
    // Neither opens it to everybody, nor closes it, nor ends the server.
    for broken in ["OFFICE=everybody\n", "OFFICE\n", "=\n", "OFFICE=192.0.2.0/33\n"] {
        let before = log(served.folder.path()).matches("lists cannot be read").count();
        write(&served.path("environment"), broken);
        served.signal("HUP");
        let start = Instant::now();
        while log(served.folder.path()).matches("lists cannot be read").count() == before {
            assert!(start.elapsed() < SOON, "nobody is told of {broken:?}");
        }
        assert_eq!(served.status("/office"), 204, "{broken:?}");
    }
    write(&served.path("environment"), "OFFICE=192.0.2.0/24\n");
    served.signal("HUP");
    served.until("/office", 403, SOON);
}

#[test]
fn lists_are_read_again_when_their_file_changes() {
    let served = Served::start("192.0.2.0/24", LONG);
    assert_eq!(served.status("/office"), 403);
    write(&served.path("environment"), "OFFICE=127.0.0.0/8\n");
    served.until("/office", 204, LONG);
}

/// Rows: T5.
#[test]
fn certificates_change_under_load_and_no_connection_is_lost() {
    let served = Served::start("127.0.0.0/8", LONG);
    let others: Vec<Pair> = (0..6).map(|_| Pair::new()).collect();
    let known: Arc<Vec<CertificateDer<'static>>> =
        Arc::new(others.iter().chain([&served.first]).map(|pair| pair.der.clone()).collect());
    let stop = Arc::new(AtomicBool::new(false));
    let answered: Arc<[AtomicUsize; 6]> = Arc::default();
    let address = served.address;
    let load: Vec<_> = (0..6)
        .map(|n| {
            let (known, stop, answered) = (known.clone(), stop.clone(), answered.clone());
            std::thread::spawn(move || {
                let known: Vec<_> = known.iter().collect();
                // Two keep one connection through all changes, the others come anew each time.
                let mut kept = tls(address, &known).unwrap();
                while !stop.load(Ordering::SeqCst) {
                    if n >= 2 {
                        kept = tls(address, &known).unwrap_or_else(|e| panic!("a handshake failed: {e}"));
                    }
                    let status =
                        status(&mut kept, "/open", false).unwrap_or_else(|e| panic!("a request was lost: {e}"));
                    assert_eq!(status, 204);
                    answered[n].fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    for pair in &others {
        // One file, a signal between, then the other: half a change is none.
        write(&served.path("chain.pem"), &pair.chain);
        served.signal("HUP");
        write(&served.path("key.pem"), &pair.key);
        served.signal("HUP");
        let start = Instant::now();
        while tls(address, &[&pair.der]).is_err() {
            assert!(start.elapsed() < LONG, "the new certificate is not taken: {}", log(served.folder.path()));
        }
        // Each of them goes on behind every change.
        let count = || answered.each_ref().map(|count| count.load(Ordering::SeqCst));
        let before = count();
        while count().iter().zip(before).any(|(now, before)| *now <= before) {
            assert!(start.elapsed() < LONG, "somebody is answered no more: {:?}", count());
            std::thread::yield_now();
        }
    }
    write(&served.path("chain.pem"), "broken");
    served.signal("HUP");
    let start = Instant::now();
    while !log(served.folder.path()).contains("no PEM") && start.elapsed() < SOON {
        std::thread::yield_now();
    }
    assert!(tls(address, &[&others.last().unwrap().der]).is_ok(), "a broken one leaves the last good one");
    stop.store(true, Ordering::SeqCst);
    load.into_iter().for_each(|thread| thread.join().unwrap());
}

/// The port of this process by a scanner from outside, judged row by row. Which suite is taken is the server's to say, in
/// whatever order a client names them.
///
/// Rows: T1.
#[cfg(feature = "scan")]
#[test]
fn a_scanner_finds_nothing_old_in_its_tls() {
    let served = Served::start("127.0.0.0/8", LONG);
    let target = served.address.to_string();
    let scan = Command::new("sslscan").args(["--no-colour", "--xml=-", &target]).output().unwrap();
    let report = String::from_utf8(scan.stdout).unwrap();
    assert!(scan.status.success() && report.contains("</ssltest>"), "{report}");
    let attribute = |line: &str, name: &str| {
        let rest = line.split_once(&format!(" {name}=\"")).unwrap_or_else(|| panic!("no `{name}` in {line}")).1;
        rest.split('"').next().unwrap().to_owned()
    };
    let elements =
        |name: &str| report.lines().map(str::trim).filter(move |l| l.starts_with(&format!("<{name} "))).collect();
    let all = |name: &str| -> Vec<&str> { elements(name) };

    let spoken = all("protocol").into_iter().filter(|line| attribute(line, "enabled") == "1");
    let spoken: Vec<String> = spoken.map(|line| attribute(line, "type") + &attribute(line, "version")).collect();
    assert_eq!(spoken, ["tls1.2", "tls1.3"], "{report}");
    assert_eq!(all("protocol").len(), 6, "{report}");

    for version in ["TLSv1.2", "TLSv1.3"] {
        let suites: Vec<&str> = all("cipher").into_iter().filter(|l| attribute(l, "sslversion") == version).collect();
        assert!(!suites.is_empty(), "{version}: {report}");
        for suite in suites {
            let name = attribute(suite, "cipher");
            let forward = name.starts_with("TLS_") || name.starts_with("ECDHE-");
            let authenticated =
                name.contains("GCM") || name.contains("CHACHA20_POLY1305") || name.contains("CHACHA20-POLY1305");
            assert!(forward && authenticated, "{suite}");
            assert!(attribute(suite, "bits").parse::<u32>().unwrap() >= 128, "{suite}");
            assert!(matches!(&*attribute(suite, "strength"), "strong" | "acceptable"), "{suite}");
        }
    }
    for group in all("group") {
        assert!(attribute(group, "bits").parse::<u32>().unwrap() >= 128, "{group}");
    }
    let nothing = |name: &str, what: &str| {
        for line in all(name) {
            assert_eq!(attribute(line, what), "0", "{line}");
        }
    };
    assert_eq!(all("renegotiation").len(), 1, "{report}");
    nothing("renegotiation", "supported");
    nothing("compression", "supported");
    assert!(!all("heartbleed").is_empty(), "{report}");
    nothing("heartbleed", "vulnerable");

    let taken = |reversed: bool| {
        let mut roots = RootCertStore::empty();
        roots.add(served.first.der.clone()).unwrap();
        let mut provider = rustls::crypto::aws_lc_rs::default_provider();
        provider.cipher_suites.sort_by_key(|suite| format!("{:?}", suite.suite()));
        if reversed {
            provider.cipher_suites.reverse();
        }
        let config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").unwrap();
        let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut stream = tcp(served.address).unwrap();
        while connection.is_handshaking() {
            connection.complete_io(&mut stream).unwrap();
        }
        connection.negotiated_cipher_suite().unwrap().suite()
    };
    assert_eq!(taken(false), taken(true));
}
