//! HTTP/2 (RFC 9113), frame by frame.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::Ordering;

use super::Wire;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A field as HPACK writes it without any table (RFC 7541, 6.2.2).
fn field(name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut out = vec![0, u8::try_from(name.len()).unwrap()];
    out.extend(name);
    out.push(u8::try_from(value.len()).unwrap());
    out.extend(value);
    out
}

fn head(method: &str, path: &str, more: &[(&[u8], &[u8])]) -> Vec<u8> {
    let usual = [(":method", method), (":scheme", "http"), (":path", path), (":authority", "a")];
    let mut out: Vec<u8> = usual.iter().flat_map(|(n, v)| field(n.as_bytes(), v.as_bytes())).collect();
    out.extend(more.iter().flat_map(|(n, v)| field(n, v)));
    out
}

fn start() -> Vec<u8> {
    [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()
}

/// What came back, frame by frame, until `end` says that it is enough or the server closes.
fn frames(stream: &mut TcpStream, mut end: impl FnMut(u8, u32, &[u8]) -> bool) -> Vec<(u8, u32, Vec<u8>)> {
    let mut found = Vec::new();
    let mut head = [0; 9];
    while stream.read_exact(&mut head).is_ok() {
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        let mut payload = vec![0; length];
        if stream.read_exact(&mut payload).is_err() {
            break;
        }
        let id = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let enough = end(head[3], id, &payload);
        found.push((head[3], id, payload));
        if enough {
            break;
        }
    }
    found
}

/// Sends this on a connection of its own: what came back until the stream or the connection was refused, or answered.
fn probe(wire: &Wire, sent: &[u8]) -> Vec<(u8, u32, Vec<u8>)> {
    let mut stream = wire.connect();
    let _ = stream.write_all(&[start(), sent.to_vec()].concat());
    frames(&mut stream, |kind, _, _| matches!(kind, RESET | GOAWAY | DATA))
}

/// Rows: H14.
#[test]
fn a_request_that_http_2_forbids_reaches_nobody() {
    let wire = Wire::new();
    let forbidden: [(&[u8], &[u8]); 11] = [
        (b"connection", b"close"),
        (b"transfer-encoding", b"chunked"),
        (b"keep-alive", b"timeout=5"),
        (b"upgrade", b"h2c"),
        (b"te", b"gzip"),
        (b"X-Upper", b"1"),
        (b"x-split", b"a\r\nx-more: b"),
        (b"x-null", b"a\0b"),
        (b"x name", b"1"),
        (b":status", b"200"),
        (b":path", b"/things/2"),
    ];
    for (name, value) in forbidden {
        let headers = frame(HEADERS, END_STREAM | END_HEADERS, 1, &head("GET", "/things/1", &[(name, value)]));
        let came = probe(&wire, &headers);
        let refused = came.iter().any(|(kind, _, _)| matches!(*kind, RESET | GOAWAY));
        assert!(refused, "{:?}: {came:?}", String::from_utf8_lossy(name));
    }
    // A length that is not the body's.
    for (length, body) in [("5", &b"{}"[..]), ("1", b"{}"), ("x", b"{}"), ("-1", b"{}")] {
        let more: [(&[u8], &[u8]); 2] =
            [(b"content-type", b"application/json"), (b"content-length", length.as_bytes())];
        let headers = frame(HEADERS, END_HEADERS, 1, &head("POST", "/things", &more));
        let came = probe(&wire, &[headers, frame(DATA, END_STREAM, 1, body)].concat());
        assert!(came.iter().any(|(kind, _, _)| matches!(*kind, RESET | GOAWAY)), "{length}: {came:?}");
    }
    assert_eq!(wire.entered(), 0, "no handler was entered");
    // As good as these, but without a fault.
    let good = frame(HEADERS, END_STREAM | END_HEADERS, 1, &head("GET", "/things/1", &[(b"te", b"trailers")]));
    let mut stream = wire.connect();
    stream.write_all(&[start(), good].concat()).unwrap();
    frames(&mut stream, |kind, id, _| kind == DATA && id == 1);
    assert_eq!(wire.entered(), 1);
}

/// Rows: H15.
#[test]
fn no_more_streams_than_were_agreed_on_are_worked_on() {
    let wire = Wire::new();
    let mut stream = wire.connect();
    let mut all = start();
    for n in 0..1_000 {
        all.extend(frame(HEADERS, END_STREAM | END_HEADERS, 2 * n + 1, &head("GET", "/things/408", &[])));
    }
    let _ = stream.write_all(&all);
    // Every stream beyond is refused: REFUSED_STREAM (7), or the end of the connection.
    let mut refused = 0;
    let came = frames(&mut stream, |kind, _, payload| {
        refused += usize::from(kind == RESET && payload == 7_u32.to_be_bytes());
        kind == GOAWAY || refused == 1_000 - 128
    });
    assert!(refused == 1_000 - 128 || came.iter().any(|(kind, _, _)| *kind == GOAWAY), "{refused}");
    assert!(wire.entered() <= 128, "{}", wire.entered());
}

/// Frames that cost the sender next to nothing end the connection before they are many (CVE-2019-9518, CVE-2024-27316).
///
/// Rows: H15.
#[test]
fn endless_frames_end_the_connection() {
    let wire = Wire::new();
    let post: [(&[u8], &[u8]); 1] = [(b"content-type", b"application/json")];
    let body = frame(HEADERS, END_HEADERS, 1, &head("POST", "/things", &post));
    let unread = frame(HEADERS, END_HEADERS, 1, &head("GET", "/things/408", &[]));
    let open = frame(HEADERS, END_STREAM, 1, &head("GET", "/things/1", &[]));
    let more = frame(CONTINUATION, 0, 1, &field(b"x-more", &[b'y'; 200]));
    let empty_more = frame(CONTINUATION, 0, 1, &[]);
    let empty = frame(DATA, 0, 1, &[]);
    let settings = frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 255, 255]);
    let ping = frame(PING, 0, 0, b"12345678");
    for (name, first, again) in [
        ("continuation", &open, &more),
        ("empty continuation", &open, &empty_more),
        ("empty data", &body, &empty),
        ("empty data that nobody reads", &unread, &empty),
        ("settings", &open, &settings),
        ("ping", &body, &ping),
    ] {
        let mut stream = wire.connect();
        stream.write_all(&[start(), first.clone()].concat()).unwrap();
        // The answers are not read: that they pile up is the point. A server that neither ends the connection nor stops
        // reading would take all of this.
        stream.set_write_timeout(Some(std::time::Duration::from_secs(2))).unwrap();
        let burst = again.repeat(1_000);
        let taken = (0..2_000).take_while(|_| stream.write_all(&burst).is_ok()).count();
        assert!(taken < 2_000, "{name}: two million frames were taken");
    }
    let before = wire.seen.0.load(Ordering::SeqCst);
    let good = frame(HEADERS, END_STREAM | END_HEADERS, 1, &head("GET", "/things/1", &[]));
    let mut stream = wire.connect();
    stream.write_all(&[start(), good].concat()).unwrap();
    let by_stream: BTreeMap<u32, u8> = frames(&mut stream, |kind, id, _| kind == DATA && id == 1)
        .into_iter()
        .map(|(kind, id, _)| (id, kind))
        .collect();
    assert_eq!(by_stream.get(&1), Some(&DATA), "others are served as before");
    assert_eq!(wire.entered(), before + 1);
}
