//! The listener against clients good and slow, over loopback. Clients block in threads of their own; what is waited for
//! is the server's doing, so nothing sleeps.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Router;
use http::Extensions;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::certificate::Source;
use super::*;
use crate::net::Peer;

const SOON: Duration = Duration::from_millis(200);
/// Longer than anything here may take.
const LONG: Duration = Duration::from_secs(20);

fn router() -> Router {
    Router::new().fallback(|extensions: Extensions| async move {
        let peer = extensions.get::<Peer>().copied();
        peer.map_or_else(|| "nobody".to_owned(), |p| format!("{} {}", p.address(), p.tls()))
    })
}

fn certified() -> (Certificate, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let der = made.cert.der().clone();
    (Certificate::pem(made.cert.pem().into_bytes(), made.signing_key.serialize_pem().into_bytes()), der)
}

fn short() -> Bounds {
    // A good handshake must fit in, also on a busy machine.
    Bounds { handshake: 10 * SOON, first_request: SOON, head: SOON, ..Bounds::default() }
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap().block_on(test);
}

async fn client<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

fn tcp(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream
}

fn tls(
    address: SocketAddr,
    root: &CertificateDer<'static>,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut connection = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap();
    let mut stream = tcp(address);
    while connection.is_handshaking() {
        connection.complete_io(&mut stream)?;
    }
    Ok(StreamOwned::new(connection, stream))
}

fn get(stream: &mut (impl Read + Write)) -> io::Result<String> {
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        // A server may close TCP without ending TLS; what counts is the answer.
        Err(error) if answer.is_empty() => Err(error),
        _ => Ok(String::from_utf8(answer).unwrap()),
    }
}

#[test]
fn requests_know_their_connection() {
    run(async {
        let (certificate, root) = certified();
        let local = SocketAddr::from(([127, 0, 0, 1], 0));
        let secure = Server::new(router()).https(local, certificate).unwrap();
        let plain = Server::new(router()).plain(local).unwrap();
        let (a, b) = (secure.address(), plain.address());
        client(move || {
            for versions in [&[&rustls::version::TLS13][..], &[&rustls::version::TLS12]] {
                let answer = get(&mut tls(a, &root, versions).unwrap()).unwrap();
                assert!(answer.ends_with("127.0.0.1 true"), "{answer}");
            }
            let answer = get(&mut tcp(b)).unwrap();
            assert!(answer.ends_with("127.0.0.1 false"), "{answer}");
        })
        .await;
        secure.stop(LONG).await.unwrap();
        plain.stop(LONG).await.unwrap();
    });
}

/// Rows: T2.
#[test]
fn tls_1_2_is_refused_where_the_spec_says_so() {
    run(async {
        let (certificate, root) = certified();
        let server = Server { tls13_only: true, ..Server::new(router()) };
        let server = server.https(([127, 0, 0, 1], 0).into(), certificate).unwrap();
        let address = server.address();
        client(move || {
            assert!(tls(address, &root, &[&rustls::version::TLS12]).is_err());
            assert!(tls(address, &root, &[&rustls::version::TLS13]).is_ok());
        })
        .await;
    });
}

/// A name that the certificate has not, or none: the one certificate that there is. Who asked for another name does not take it.
///
/// Rows: T6.
#[test]
fn whatever_name_is_asked_for_there_is_one_certificate() {
    run(async {
        let (certificate, root) = certified();
        let server = Server::new(router()).https(([127, 0, 0, 1], 0).into(), certificate).unwrap();
        let address = server.address();
        client(move || {
            for (name, sni, good) in [
                ("localhost", true, true),
                ("localhost", false, true),
                ("other.example", true, false),
                ("other.example", false, false),
            ] {
                let mut roots = RootCertStore::empty();
                roots.add(root.clone()).unwrap();
                let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                    .with_safe_default_protocol_versions()
                    .unwrap()
                    .with_root_certificates(roots)
                    .with_no_client_auth();
                config.enable_sni = sni;
                let mut connection =
                    ClientConnection::new(Arc::new(config), ServerName::try_from(name).unwrap()).unwrap();
                let mut stream = tcp(address);
                let ended = loop {
                    match connection.complete_io(&mut stream) {
                        Ok(_) if connection.is_handshaking() => {}
                        Ok(_) => break None,
                        Err(error) => break Some(error.to_string()),
                    }
                };
                assert_eq!(ended.is_none(), good, "{name} {sni}: {ended:?}");
                // The server presented its certificate: it is the client that refuses it.
                assert!(
                    ended.is_none_or(|why| why.contains("NotValidForName") || why.contains("not valid for")),
                    "{name}"
                );
            }
        })
        .await;
    });
}

/// Rows: T5.
#[test]
fn a_changed_certificate_is_taken_and_a_broken_one_is_not() {
    run(async {
        let folder = std::env::temp_dir().join(format!("gatewright-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (chain, key) = (folder.join("chain.pem"), folder.join("key.pem"));
        let mut age = 0;
        let mut write = |certificate: &Certificate| {
            let Source::Text { chain: c, key: k } = &certificate.source else { panic!() };
            age += 1;
            for (path, text) in [(&chain, c), (&key, &**k)] {
                std::fs::write(path, text).unwrap();
                let time = SystemTime::UNIX_EPOCH + Duration::from_secs(age);
                std::fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
            }
        };
        let ((first, first_root), (second, second_root)) = (certified(), certified());
        write(&first);
        let server = Server::new(router()).https(([127, 0, 0, 1], 0).into(), Certificate::files(&chain, &key)).unwrap();
        let address = server.address();
        let root = first_root.clone();
        let mut open = client(move || tls(address, &root, rustls::ALL_VERSIONS).unwrap()).await;
        write(&second);
        let _ = server.reload();
        let root = second_root.clone();
        client(move || {
            assert!(tls(address, &first_root, rustls::ALL_VERSIONS).is_err());
            assert!(get(&mut tls(address, &root, rustls::ALL_VERSIONS).unwrap()).is_ok());
            assert!(get(&mut open).unwrap().starts_with("HTTP/1.1 200"), "an open connection lives on");
        })
        .await;
        write(&Certificate::pem(b"broken".to_vec(), b"broken".to_vec()));
        let _ = server.reload();
        client(move || assert!(get(&mut tls(address, &second_root, rustls::ALL_VERSIONS).unwrap()).is_ok())).await;
        // A key that is not the certificate's is no certificate.
        let Source::Text { chain: c, .. } = &first.source else { panic!() };
        let Source::Text { key: k, .. } = &second.source else { panic!() };
        let error = Server::new(router()).https(([127, 0, 0, 1], 0).into(), Certificate::pem(c.clone(), k.to_vec()));
        assert!(error.is_err());
        std::fs::remove_dir_all(&folder).unwrap();
    });
}

/// Rows: H18.
#[test]
fn slow_clients_are_cut_off() {
    run(async {
        let (certificate, root) = certified();
        let local = SocketAddr::from(([127, 0, 0, 1], 0));
        let secure = Server::new(router()).bounds(short()).https(local, certificate).unwrap();
        let plain = Server::new(router()).bounds(short()).plain(local).unwrap();
        let (a, b) = (secure.address(), plain.address());
        client(move || {
            let ends = |stream: &mut dyn ReadWrite, sent: &[u8]| {
                stream.write_all(sent).unwrap();
                let mut rest = Vec::new();
                // Either an orderly end or a reset: but an end, before the client's own patience is over.
                match stream.read_to_end(&mut rest) {
                    Ok(_) => {}
                    Err(e) => {
                        assert!(e.kind() != io::ErrorKind::WouldBlock && e.kind() != io::ErrorKind::TimedOut, "{e}")
                    }
                }
            };
            ends(&mut tcp(a), b"");
            ends(&mut tcp(b), b"");
            ends(&mut tcp(b), b"GET / HT");
            ends(&mut tcp(b), b"GET / HTTP/1.1\r\nHost: a\r\n");
            ends(&mut tcp(b), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
            ends(&mut tcp(b), b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
            ends(&mut tls(a, &root, rustls::ALL_VERSIONS).unwrap(), b"");
            ends(&mut tls(a, &root, rustls::ALL_VERSIONS).unwrap(), b"GET / HTTP/1.1\r\nX: ");
        })
        .await;
    });
}

/// Who asks for much and takes nothing of it does not keep his place.
#[test]
fn slow_readers_are_cut_off() {
    run(async {
        let router = Router::new()
            .route("/much", axum::routing::get(|| async { "x".repeat(64 << 20) }))
            .fallback(|| async { "hello" });
        let bounds = Bounds { stalled: SOON, connections_per_address: 1, ..Bounds::default() };
        let (certificate, root) = certified();
        let local = SocketAddr::from(([127, 0, 0, 1], 0));
        let secure = Server::new(router.clone()).bounds(bounds.clone()).https(local, certificate).unwrap();
        let plain = Server::new(router).bounds(bounds).plain(local).unwrap();
        let (a, b) = (secure.address(), plain.address());
        client(move || {
            let much = b"GET /much HTTP/1.1\r\nHost: a\r\n\r\n";
            let mut reader = tls(a, &root, rustls::ALL_VERSIONS).unwrap();
            reader.write_all(much).unwrap();
            // The only place of this address is free again.
            while !tls(a, &root, rustls::ALL_VERSIONS)
                .is_ok_and(|mut s| get(&mut s).is_ok_and(|a| a.ends_with("hello")))
            {}
            let mut reader = tcp(b);
            reader.write_all(much).unwrap();
            reader.read_exact(&mut [0; 9]).unwrap();
            while !get(&mut tcp(b)).is_ok_and(|a| a.ends_with("hello")) {}
            // What was on its way came, and not the whole.
            let mut rest = Vec::new();
            let _ = reader.read_to_end(&mut rest);
            assert!(rest.len() < 64 << 20);
        })
        .await;
    });
}

trait ReadWrite: Read + Write {}
impl<T: Read + Write> ReadWrite for T {}

/// Rows: H13.
#[test]
fn heads_are_bounded() {
    run(async {
        let plain = Server::new(router()).plain(([127, 0, 0, 1], 0).into()).unwrap();
        let address = plain.address();
        client(move || {
            let many = "X: y\r\n".repeat(150);
            let long = format!("X: {}\r\n", "y".repeat(200_000));
            for fields in [many, long] {
                let mut stream = tcp(address);
                // The server may answer and close before all is written.
                let _ = stream.write_all(format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n").as_bytes());
                let mut answer = Vec::new();
                let _ = stream.read_to_end(&mut answer);
                let answer = String::from_utf8_lossy(&answer);
                assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
            }
        })
        .await;
    });
}

#[test]
fn one_connection_too_many_is_closed() {
    run(async {
        let bounds = Bounds { connections_per_address: 1, ..Bounds::default() };
        let plain = Server::new(router()).bounds(bounds).plain(([127, 0, 0, 1], 0).into()).unwrap();
        let address = plain.address();
        client(move || {
            let mut first = tcp(address);
            first.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
            let mut byte = [0];
            first.read_exact(&mut byte).unwrap();
            assert!(get(&mut tcp(address)).is_ok_and(|a| a.is_empty()) || get(&mut tcp(address)).is_err());
            drop(first);
        })
        .await;
    });
}

#[test]
fn requests_know_which_tls_was_agreed_on() {
    run(async {
        let router = Router::new().fallback(|extensions: Extensions| async move {
            extensions.get::<Peer>().map_or("nobody", |p| if p.old_tls() { "old" } else { "modern" })
        });
        let (certificate, root) = certified();
        let server = Server::new(router).https(([127, 0, 0, 1], 0).into(), certificate).unwrap();
        let address = server.address();
        client(move || {
            for (versions, said) in [(&[&rustls::version::TLS13][..], "modern"), (&[&rustls::version::TLS12], "old")] {
                let answer = get(&mut tls(address, &root, versions).unwrap()).unwrap();
                assert!(answer.ends_with(said), "{answer}");
            }
        })
        .await;
        server.stop(LONG).await.unwrap();
    });
}

/// One frame of HTTP/2 (RFC 9113, 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Streams that are opened and reset as fast as can be (CVE-2023-44487) end their connection, long before they are many.
///
/// Rows: H15.
#[test]
fn rapid_resets_end_the_connection() {
    run(async {
        let plain = Server::new(router()).plain(([127, 0, 0, 1], 0).into()).unwrap();
        let address = plain.address();
        client(move || {
            let mut stream = tcp(address);
            let mut all = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
            all.extend(frame(4, 0, 0, &[]));
            // GET http://localhost/ in HPACK, and CANCEL.
            let mut head = vec![0x82, 0x86, 0x84, 0x41, 9];
            head.extend(b"localhost");
            for n in 0..20_000 {
                all.extend(frame(1, 0x5, 2 * n + 1, &head));
                all.extend(frame(3, 0, 2 * n + 1, &8_u32.to_be_bytes()));
            }
            // It hangs up before all is written.
            let _ = stream.write_all(&all);
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            // GOAWAY (7) with ENHANCE_YOUR_CALM (11), where the reset of the connection did not overtake it.
            let mut rest = &answer[..];
            let mut answered = 0;
            while let Some((head, more)) = rest.split_at_checked(9) {
                let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
                let Some((payload, more)) = more.split_at_checked(length) else { break };
                answered += u32::from(head[3] == 1);
                assert!(head[3] != 7 || payload[4..8] == 11_u32.to_be_bytes(), "{payload:?}");
                rest = more;
            }
            assert!(answered < 1_000, "{answered}");
        })
        .await;
        // Others are served as before.
        let answer = client(move || get(&mut tcp(address))).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    });
}

/// An answer of which a client takes nothing, by its own flow control, ends its connection, though that lives otherwise; one
/// that it takes in small pieces does not.
#[test]
fn an_answer_that_nobody_takes_ends_the_connection() {
    run(async {
        // An answer that fits into one frame, one that does not, and one whose handler is waited for.
        let waiting = || async { axum::body::Body::new(Endless) };
        let router = Router::new()
            .route("/small", axum::routing::get(|| async { "x".repeat(100) }))
            .route("/large", axum::routing::get(|| async { "x".repeat(1 << 20) }))
            .route("/waiting", axum::routing::get(waiting));
        let bounds = Bounds { stalled: SOON, ..Bounds::default() };
        let plain = Server::new(router).bounds(bounds).plain(([127, 0, 0, 1], 0).into()).unwrap();
        let address = plain.address();
        client(move || {
            let all_but_one = (1 << 20) - 1;
            for (path, window) in [("/small", 0), ("/large", 0), ("/large", 1), ("/large", all_but_one)] {
                let mut asked = Asked::new(address, path, window);
                let begun = std::time::Instant::now();
                while asked.lives() {
                    assert!(begun.elapsed() < LONG, "{path} {window} {}", asked.taken);
                }
            }
            // Each of these is at work for more than twice as long as nothing may be taken.
            let mut asked = Asked::new(address, "/waiting", 0);
            let mut slow = Asked::new(address, "/large", 0);
            let begun = std::time::Instant::now();
            let mut pieces = 0;
            while pieces < 5 {
                if begun.elapsed() > pieces * SOON / 2 {
                    pieces += 1;
                    slow.take(16_384);
                }
                assert!(asked.lives() && slow.lives());
            }
            assert!(slow.taken >= 4 * 16_384, "{}", slow.taken);
        })
        .await;
    });
}

/// A body that never comes.
struct Endless;

impl http_body::Body for Endless {
    type Data = bytes::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, Self::Error>>> {
        std::task::Poll::Pending
    }
}

/// One request over HTTP/2 whose client opens the answer's window as it likes.
struct Asked {
    stream: TcpStream,
    taken: usize,
}

impl Asked {
    fn new(address: SocketAddr, path: &str, window: u32) -> Asked {
        let mut stream = tcp(address);
        let mut all = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        // SETTINGS_INITIAL_WINDOW_SIZE.
        all.extend(frame(4, 0, 0, &[&[0, 4][..], &window.to_be_bytes()].concat()));
        // The window of the connection is never what is waited for.
        all.extend(frame(8, 0, 0, &(1_u32 << 20).to_be_bytes()));
        // GET in HPACK, the path as a literal.
        let mut head = vec![0x82, 0x86, 0x04, u8::try_from(path.len()).unwrap()];
        head.extend(path.as_bytes());
        head.extend(b"\x41\x09localhost");
        all.extend(frame(1, 0x5, 1, &head));
        stream.write_all(&all).unwrap();
        Asked { stream, taken: 0 }
    }

    /// Opens both windows by so much.
    fn take(&mut self, more: u32) {
        for stream in [0, 1] {
            let _ = self.stream.write_all(&frame(8, 0, stream, &more.to_be_bytes()));
        }
    }

    /// Sends a ping, and reads frames up to its answer.
    fn lives(&mut self) -> bool {
        if self.stream.write_all(&frame(6, 0, 0, &[7; 8])).is_err() {
            return false;
        }
        loop {
            let mut head = [0; 9];
            let Ok(()) = self.stream.read_exact(&mut head) else { return false };
            let mut payload = vec![0; usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2])];
            let Ok(()) = self.stream.read_exact(&mut payload) else { return false };
            match head[3] {
                0 => self.taken += payload.len(),
                4 if head[4] == 0 => self.stream.write_all(&frame(4, 1, 0, &[])).unwrap(),
                6 if head[4] == 1 => return true,
                _ => {}
            }
        }
    }
}

#[test]
fn what_was_accepted_is_finished_when_the_server_stops() {
    run(async {
        let (enter, mut entered) = tokio::sync::mpsc::channel::<()>(8);
        let go = Arc::new(tokio::sync::Semaphore::new(0));
        let router = Router::new().fallback({
            let go = go.clone();
            move || async move {
                enter.send(()).await.unwrap();
                go.acquire().await.unwrap().forget();
                "done"
            }
        });
        let running = Server::new(router).plain(([127, 0, 0, 1], 0).into()).unwrap();
        let address = running.address();
        let asking: Vec<_> =
            (0..4).map(|_| tokio::task::spawn_blocking(move || get(&mut tcp(address)).unwrap())).collect();
        for _ in 0..4 {
            entered.recv().await.unwrap();
        }
        let stopped = tokio::spawn(running.stop(LONG));
        // No new connection is taken.
        client(move || while TcpStream::connect(address).is_ok() {}).await;
        go.add_permits(4);
        for answer in asking {
            let answer = answer.await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("done"), "{answer}");
        }
        stopped.await.unwrap().unwrap();
    });
}

/// Rows: T8.
#[test]
fn a_capable_client_agrees_on_a_hybrid_key() {
    run(async {
        let (certificate, root) = certified();
        let running = Server::new(router()).https(([127, 0, 0, 1], 0).into(), certificate).unwrap();
        let address = running.address();
        let group = client(move || {
            let mut roots = RootCertStore::empty();
            roots.add(root).unwrap();
            let mut provider = aws_lc_rs::default_provider();
            provider.kx_groups.sort_by_key(|group| group.name() != rustls::NamedGroup::X25519MLKEM768);
            let config = ClientConfig::builder_with_provider(Arc::new(provider))
                .with_protocol_versions(&[&rustls::version::TLS13])
                .unwrap()
                .with_root_certificates(roots)
                .with_no_client_auth();
            let name = ServerName::try_from("localhost").unwrap();
            let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
            let mut stream = tcp(address);
            while connection.is_handshaking() {
                connection.complete_io(&mut stream).unwrap();
            }
            connection.negotiated_key_exchange_group().map(rustls::crypto::SupportedKxGroup::name)
        });
        assert_eq!(group.await, Some(rustls::NamedGroup::X25519MLKEM768));
    });
}
