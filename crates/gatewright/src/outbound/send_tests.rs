use super::*;
use crate::params::Style;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

struct Ping;

impl Outgoing for Ping {
    const METHOD: &'static str = "POST";
    type Answer = Bytes;

    fn write(&self, out: &mut Message) -> Result<(), Internal> {
        out.header("x-count", &7, Style::Simple, false)?;
        out.query("tag", &vec!["a b".to_owned(), "c".to_owned()], Style::Form, true)?;
        out.cookie("sid", &"a;b", Style::Form, true)?;
        out.cookie("n", &vec![1, 2], Style::Cookie, true)?;
        out.json("application/json", &vec![1, 2])
    }
}

/// A certificate for these names that is its own authority, and the authority as PEM.
fn certificate(name: &str) -> (rcgen::CertifiedKey<rcgen::KeyPair>, Vec<u8>) {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let pem = made.cert.pem().into_bytes();
    (made, pem)
}

fn client() -> Outbound {
    Outbound::with_authorities(&certificate("other.example").1).unwrap()
}

/// A server that gives each connection this answer, and counts; a piece of what it was sent comes back.
async fn server(
    answer: &'static [u8],
    hang: bool,
) -> (SocketAddr, Arc<AtomicUsize>, tokio::sync::mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (count, (sender, receiver)) = (Arc::new(AtomicUsize::new(0)), tokio::sync::mpsc::channel(8));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let mut bytes = vec![0; 4096];
            let mut length = 0;
            while !String::from_utf8_lossy(&bytes[..length]).contains("\r\n\r\n[1,2]") {
                match stream.read(&mut bytes[length..]).await {
                    Ok(0) | Err(_) => break,
                    Ok(more) => length += more,
                }
            }
            let _ = sender.send(String::from_utf8_lossy(&bytes[..length]).into_owned()).await;
            let _ = stream.write_all(answer).await;
            if hang {
                std::future::pending::<()>().await;
            }
        }
    });
    (address, count, receiver)
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";

/// Rows: A18.
#[tokio::test]
async fn targets_that_may_not_be_called_are_not_called() {
    let (address, count, _received) = server(OK, false).await;
    let port = address.port();
    let client = client();
    for url in [
        &format!("http://127.0.0.1:{port}/"),
        &format!("https://127.0.0.1:{port}/"),
        &format!("https://localhost:{port}/"),
        &format!("https://localhost.:{port}/"),
        &format!("https://[::1]:{port}/"),
        &format!("https://[::ffff:127.0.0.1]:{port}/"),
        &format!("https://2130706433:{port}/"),
        &format!("https://0x7f000001:{port}/"),
        &format!("https://0x7f.1:{port}/"),
        &format!("https://127.1:{port}/"),
        &format!("https://0177.0.0.1:{port}/"),
        &format!("https://user@127.0.0.1:{port}/"),
        "https://169.254.169.254/latest/meta-data",
        "http://example.com/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "/relative",
        "",
    ] {
        let error = client.send(url, &Ping).await.unwrap_err();
        let closed = matches!(error, SendError::Target(_)) || url.contains("localhost");
        assert!(closed, "{url}: {error}");
    }
    // Plain HTTP stays closed where no network was allowed.
    let open = client.allow_plain_http();
    assert!(open.send(&format!("http://127.0.0.1:{port}/"), &Ping).await.is_err());
    let inner = self::client().allow_network("127.0.0.0/8").unwrap();
    let plain = inner.send(&format!("http://127.0.0.1:{port}/"), &Ping).await;
    assert!(matches!(plain, Err(SendError::Target(_))));
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_message_arrives_as_it_was_typed() {
    let (address, _, mut received) = server(OK, false).await;
    let client = client().allow_network("127.0.0.0/8").unwrap().allow_plain_http();
    let mut signature = HeaderMap::new();
    signature.insert("x-signature", HeaderValue::from_static("abc"));
    signature.insert("cookie", HeaderValue::from_static("theirs=3"));
    let answer = client.send_with(&format!("http://{address}/hook?own=1"), &Ping, signature).await.unwrap();
    assert_eq!((answer.status.as_u16(), &answer.body[..]), (200, &b"hi"[..]));
    let sent = received.recv().await.unwrap();
    assert!(sent.starts_with("POST /hook?own=1&tag=a%20b&tag=c HTTP/1.1\r\n"), "{sent}");
    for line in [
        "x-count: 7\r\n",
        "x-signature: abc\r\n",
        "content-type: application/json\r\n",
        "cookie: sid=a%3Bb; n=1; n=2; theirs=3\r\n",
    ] {
        assert!(sent.contains(line), "{sent}");
    }
    assert!(sent.contains(&format!("host: {address}\r\n")) && sent.ends_with("[1,2]"), "{sent}");
}

#[tokio::test]
async fn answers_are_bounded_and_redirects_are_answers() {
    let allowed = || client().allow_network("127.0.0.1/32").unwrap().allow_plain_http();
    let redirect = b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n";
    let (address, count, _received) = server(redirect, false).await;
    let answer = allowed().send(&format!("http://{address}/"), &Ping).await.unwrap();
    assert_eq!((answer.status.as_u16(), count.load(Ordering::SeqCst)), (302, 1));
    let (address, ..) = server(b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n12345678901234567890", false).await;
    let small = allowed().answers_up_to(19);
    assert!(matches!(small.send(&format!("http://{address}/"), &Ping).await, Err(SendError::Failed(_))));
    let (address, ..) = server(b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n1", true).await;
    let short = allowed().within(Duration::from_millis(50));
    assert!(matches!(short.send(&format!("http://{address}/"), &Ping).await, Err(SendError::Late)));
    let (address, ..) = server(b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n1", false).await;
    assert!(allowed().send(&format!("http://{address}/"), &Ping).await.is_err());
}

#[tokio::test]
async fn certificates_are_those_of_the_host() {
    let serve = async |name: &str| {
        let (made, pem) = certificate(name);
        let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = rustls::ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let mut bytes = [0; 4096];
                let _ = stream.read(&mut bytes).await;
                let _ = stream.write_all(OK).await;
                let _ = stream.shutdown().await;
            }
        });
        (address, pem)
    };
    let trusting = |pem: &[u8]| Outbound::with_authorities(pem).unwrap().allow_network("127.0.0.0/8").unwrap();
    let (address, pem) = serve("127.0.0.1").await;
    assert_eq!(trusting(&pem).send(&format!("https://{address}/"), &Ping).await.unwrap().status, 200);
    let (address, pem) = serve("other.example").await;
    assert!(matches!(trusting(&pem).send(&format!("https://{address}/"), &Ping).await, Err(SendError::Failed(_))));
    let (address, _) = serve("127.0.0.1").await;
    let stranger = certificate("127.0.0.1").1;
    assert!(matches!(trusting(&stranger).send(&format!("https://{address}/"), &Ping).await, Err(SendError::Failed(_))));
}

#[test]
fn the_url_of_a_callback() {
    use super::super::message::{Piece, target};
    let whole = [Piece::Value("https://a.example/x?y=1")];
    assert_eq!(target(&whole), "https://a.example/x?y=1");
    let inner = [Piece::Text("https://a.example/"), Piece::Value("../b?c"), Piece::Text("/done")];
    assert_eq!(target(&inner), "https://a.example/..%2Fb%3Fc/done");
    let begun = [Piece::Value("https://a.example"), Piece::Text("/n/"), Piece::Value("7")];
    assert_eq!(target(&begun), "https://a.example/n/7");
}
