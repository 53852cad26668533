//! Certificates of a real ACME server, Pebble: issued over our own plain listener, kept, renewed before they end.
#![cfg(all(feature = "acme", unix))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, reason = "starts programs, and looks at files and the clock")]

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use gatewright::server::{Acme, Running, Server};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme};

const LONG: Duration = Duration::from_secs(60);
/// How long Pebble's certificates live: they are renewed after eight seconds.
const LIFE: u64 = 12;

/// Pebble, and a server of names that says of each that it is this machine.
struct Pebble {
    processes: [Child; 2],
    directory: String,
    authority: Vec<u8>,
    refused_nonces: Arc<AtomicUsize>,
    _folder: tempfile::TempDir,
}

impl Drop for Pebble {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

fn started(command: &mut Command, ready: &str, nonces: Option<Arc<AtomicUsize>>) -> Child {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut child = child.expect("Pebble is missing: `cargo xtask acme` says how to get it");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains(ready)), "it does not say `{ready}`");
    // It would end at a full pipe.
    std::thread::spawn(move || {
        for line in lines {
            if let Some(nonces) = nonces.as_ref().filter(|_| line.contains("nonce")) {
                nonces.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    child
}

impl Pebble {
    /// It comes to this port for its challenges.
    fn start(challenges: u16) -> Pebble {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(path("chain.pem"), made.cert.pem()).unwrap();
        std::fs::write(path("key.pem"), made.signing_key.serialize_pem()).unwrap();
        let (own, management) = (port(), port());
        let names = UdpSocket::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let config = serde_json::json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{own}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": path("chain.pem"),
            "privateKey": path("key.pem"),
            "httpPort": challenges,
            "tlsPort": port(),
            "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
            "certificateValidityPeriod": LIFE,
        }});
        std::fs::write(path("config.json"), config.to_string()).unwrap();
        let refused_nonces = Arc::new(AtomicUsize::new(0));
        let resolver = started(
            Command::new("pebble-challtestsrv")
                .args([
                    "-defaultIPv4",
                    "127.0.0.1",
                    "-defaultIPv6",
                    "",
                    "-http01",
                    "",
                    "-https01",
                    "",
                    "-tlsalpn01",
                    "",
                ])
                .args(["-dns01", &format!("127.0.0.1:{names}")])
                .args(["-management", &format!("127.0.0.1:{}", port())]),
            "Starting",
            None,
        );
        let authority = started(
            Command::new("pebble")
                .args(["-config".as_ref(), path("config.json").as_os_str()])
                .args(["-dnsserver", &format!("127.0.0.1:{names}")])
                .env("PEBBLE_VA_NOSLEEP", "1")
                // Of a hundred nonces five are refused, though they are good.
                .env("PEBBLE_WFE_NONCEREJECT", "5"),
            "ACME directory available at",
            Some(refused_nonces.clone()),
        );
        // It says so before it listens.
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", own)).is_err() {
            assert!(began.elapsed() < LONG, "Pebble does not listen");
            std::thread::yield_now();
        }
        Pebble {
            processes: [authority, resolver],
            directory: format!("https://localhost:{own}/dir"),
            authority: made.cert.pem().into_bytes(),
            refused_nonces,
            _folder: folder,
        }
    }

    fn acme(&self, acme: Acme) -> Acme {
        acme.directory(&self.directory)
            .authorities(self.authority.clone())
            .contact("mailto:ops@bank.test")
            .terms_agreed()
    }
}

/// Takes any certificate, and remembers it.
#[derive(Debug, Default)]
struct Seen(Mutex<Vec<CertificateDer<'static>>>);

impl ServerCertVerifier for Seen {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.0.lock().unwrap().push(own.clone().into_owned());
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// The certificate that a server shows.
fn shown(address: SocketAddr) -> CertificateDer<'static> {
    let seen = Arc::new(Seen::default());
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(seen.clone())
        .with_no_client_auth();
    let mut connection = ClientConnection::new(Arc::new(config), ServerName::try_from("bank.test").unwrap()).unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let mut tls = rustls::Stream::new(&mut connection, &mut stream);
    tls.write_all(b"GET / HTTP/1.1\r\nHost: bank.test\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    let _ = tls.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    seen.0.lock().unwrap().pop().unwrap()
}

fn kept(folder: &Path) -> CertificateDer<'static> {
    CertificateDer::pem_file_iter(folder.join("certificate.pem")).unwrap().next().unwrap().unwrap()
}

fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .write_all(format!("GET {path} HTTP/1.1\r\nHost: bank.test\r\nConnection: close\r\n\r\n").as_bytes())
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn router() -> Router {
    Router::new().fallback(|| async { "served" })
}

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(future)
}

/// A listener for challenges, whose port Pebble must know before there is an authority to ask.
fn plain(acme: &Acme) -> Running {
    Server::new(acme.challenges(router())).plain(([127, 0, 0, 1], 0).into()).unwrap()
}

/// Rows: T7.
#[test]
fn a_certificate_is_issued_kept_and_renewed_before_it_ends() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("acme");
        let acme = Acme::new(["bank.test", "www.bank.test"], &place);
        let challenges = plain(&acme);
        let pebble = Pebble::start(challenges.address().port());
        let acme = pebble.acme(acme);
        let certificate = tokio::time::timeout(LONG, acme.certificate()).await.unwrap().unwrap();
        let server = Server::new(router()).https(([127, 0, 0, 1], 0).into(), certificate).unwrap();
        let first = tokio::task::block_in_place(|| shown(server.address()));
        assert_eq!(first, kept(&place));
        for (name, mode) in [("", 0o700), ("certificate.pem", 0o600), ("account.json", 0o600)] {
            let found = std::fs::metadata(place.join(name)).unwrap().permissions().mode() & 0o777;
            assert_eq!(found, mode, "{name}: {found:o}");
        }
        // Nothing is left to be asked for, and all else on the plain listener is the router's.
        let other = tokio::task::block_in_place(|| get(challenges.address(), "/.well-known/acme-challenge/x"));
        assert!(other.starts_with("HTTP/1.1 404"), "{other}");
        let other = tokio::task::block_in_place(|| get(challenges.address(), "/accounts"));
        assert!(other.contains("served"), "{other}");
        // Who starts again has it already; for other names there is none yet.
        let written = || std::fs::metadata(place.join("certificate.pem")).unwrap().modified().unwrap();
        let before = written();
        drop(acme.certificate().await.unwrap());
        assert_eq!(written(), before);
        // At two thirds of its life there is a new one, and the listener that runs takes it.
        let began = Instant::now();
        while kept(&place) == first {
            assert!(began.elapsed() < LONG, "it is not renewed");
            tokio::task::yield_now().await;
        }
        let age = written().duration_since(before).unwrap();
        // Times in a certificate are whole seconds, and the first was written a while after it was issued.
        assert!((LIFE / 2 - 1..LIFE).contains(&age.as_secs()), "{age:?}");
        server.reload().unwrap();
        let second = tokio::task::block_in_place(|| shown(server.address()));
        assert!(second != first && second == kept(&place));
        // A nonce that is refused is no failure: Pebble refuses good ones.
        let began = Instant::now();
        while pebble.refused_nonces.load(Ordering::SeqCst) == 0 {
            assert!(began.elapsed() < LONG, "no nonce was refused");
            let name = format!("n{}.bank.test", began.elapsed().as_nanos());
            let other = tempfile::tempdir().unwrap();
            let more = pebble.acme(Acme::new([name], other.path()).answering(&acme));
            tokio::time::timeout(LONG, more.certificate()).await.unwrap().unwrap();
        }
    });
}

/// Rows: T7.
///
/// An authority that is away is not asked again at once, nor after another start.
#[test]
fn an_authority_that_is_away_is_left_alone_for_a_while() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let (address, count) = (listener.local_addr().unwrap(), asked.clone());
        std::thread::spawn(move || {
            listener.incoming().for_each(|_| {
                count.fetch_add(1, Ordering::SeqCst);
            })
        });
        let acme = Acme::new(["bank.test"], folder.path()).directory(format!("https://{address}/dir")).terms_agreed();
        let acme = acme.authorities(made.cert.pem());
        let later = folder.path().join("later");
        for _ in 0..2 {
            let acme = acme.clone();
            let waits = tokio::spawn(async move { acme.certificate().await.map(drop) });
            let began = Instant::now();
            while !later.exists() && began.elapsed() < LONG {
                tokio::task::yield_now().await;
            }
            for _ in 0..1_000 {
                tokio::task::yield_now().await;
            }
            assert!(!waits.is_finished());
            waits.abort();
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        let until: u64 = std::fs::read_to_string(&later).unwrap().parse().unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        assert!((now + 30..=now + 60).contains(&until), "{until} {now}");
    });
}
