//! HTTP/1.1 (RFC 9112), and what RFC 9110 says of bodies and fields.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use super::Wire;

/// The statuses in what came back, in their order.
fn statuses(text: &str) -> Vec<u16> {
    let starts = text.match_indices("HTTP/1.1 ").map(|(at, word)| at + word.len());
    starts.map(|at| text[at..at + 3].parse().unwrap()).collect()
}

struct Answer {
    status: u16,
    /// In lower case.
    head: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// One answer of a connection that stays open. `head` says that it answers a HEAD.
fn read(stream: &mut BufReader<TcpStream>, head: bool) -> Answer {
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    let status = line.split(' ').nth(1).unwrap_or_else(|| panic!("`{line}`")).parse().unwrap();
    let mut fields = Vec::new();
    loop {
        line.clear();
        stream.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        fields.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let mut answer = Answer { status, head: fields, body: Vec::new() };
    assert_eq!(answer.header("transfer-encoding"), None);
    if !head && !matches!(status, 204 | 304) {
        answer.body.resize(answer.header("content-length").unwrap().parse().unwrap(), 0);
        stream.read_exact(&mut answer.body).unwrap();
    }
    answer
}

fn open(wire: &Wire) -> BufReader<TcpStream> {
    BufReader::new(wire.connect())
}

fn ask(stream: &mut BufReader<TcpStream>, method: &str, path: &str, fields: &str) -> Answer {
    let body = if method == "POST" { "{}" } else { "" };
    let request = format!("{method} {path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n{body}");
    stream.get_mut().write_all(request.as_bytes()).unwrap();
    read(stream, method == "HEAD")
}

/// Two parties that read such a request differently let one smuggle a second one past the other: here it is one request, by
/// its transfer coding, and the connection ends with it (RFC 9112, 6.1).
///
/// Rows: H3.
#[test]
fn a_request_with_two_lengths_is_no_way_to_a_second() {
    let wire = Wire::new();
    for lengths in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 4",
        "Content-Length: 46\r\nTransfer-Encoding: chunked",
        "Content-Length: 0\r\nTransfer-Encoding: chunked",
    ] {
        let head = format!("POST /things HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n{lengths}\r\n\r\n");
        let rest = "2\r\n{}\r\n0\r\n\r\nGET /things/1 HTTP/1.1\r\nHost: a\r\n\r\n";
        let before = wire.entered();
        let answer = wire.text(format!("{head}{rest}").as_bytes());
        let statuses = statuses(&answer);
        assert_eq!(statuses.len(), 1, "{lengths}: {answer}");
        assert!(wire.entered() - before <= 1, "{lengths}");
        assert!(matches!(statuses[0], 204 | 400), "{lengths}: {answer}");
    }
}

/// Rows: H4.
#[test]
fn what_is_framed_oddly_is_refused_and_ends_the_connection() {
    let wire = Wire::new();
    let get = "GET /things/1 HTTP/1.1\r\nHost: a\r\n\r\n";
    let chunked = "Transfer-Encoding: chunked";
    for (fields, body) in [
        ("Content-Length: 2\r\nContent-Length: 3", "{} "),
        ("Content-Length: 3, 3", "{} "),
        ("Content-Length: +3", "{} "),
        ("Content-Length: -1", ""),
        ("Content-Length: 0x2", "{}"),
        ("Content-Length: 99999999999999999999999", "{}"),
        ("Transfer-Encoding: chunked, identity", "0\r\n\r\n"),
        ("Transfer-Encoding: xchunked", "0\r\n\r\n"),
        ("Transfer-Encoding : chunked", "0\r\n\r\n"),
        ("Content-Length: 2\r\nX : y", "{}"),
        ("Content-Length: 2\r\nX: a\r\n b", "{}"),
        ("Content-Length: 2\r\nX: a\0b", "{}"),
        ("Content-Length: 2\r\nX\0: a", "{}"),
        (chunked, "FFFFFFFFFFFFFFFFFF\r\n{}"),
        (chunked, "-2\r\n{}\r\n0\r\n\r\n"),
        (chunked, "2;\n{}\r\n0\r\n\r\n"),
        (chunked, &format!("2;x={}\r\n{{}}\r\n0\r\n\r\n", "y".repeat(200_000))),
    ] {
        let head = format!("POST /things HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n{fields}\r\n\r\n");
        let answer = wire.text(format!("{head}{body}{get}").as_bytes());
        let shown = fields.get(..60).unwrap_or(fields);
        // The server may close before it has read all, which takes the answer off the wire.
        assert!(answer.is_empty() || statuses(&answer) == [400], "{shown} {body:.40}: {answer}");
    }
    // HTTP/1.0 knows no transfer coding.
    let old = "POST /things HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    assert_eq!(statuses(&wire.text(format!("{old}{get}").as_bytes())), [400]);
    assert_eq!(wire.entered(), 0);
}

/// Rows: H10.
#[test]
fn a_body_that_is_too_large_is_not_asked_for() {
    let wire = Wire::new();
    let ask = |length: usize, kind: &str| {
        let mut stream = wire.connect();
        let head = format!(
            "POST /things HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        line
    };
    assert!(ask(1_000_000, "application/json").starts_with("HTTP/1.1 413"));
    assert!(ask(10, "text/plain").starts_with("HTTP/1.1 415"));
    assert!(ask(10, "application/json").starts_with("HTTP/1.1 100"));
    assert_eq!(wire.entered(), 0);
}

/// Rows: H11, PD9.
#[test]
fn answers_without_a_body_have_none_and_the_next_one_is_read_right() {
    let wire = Wire::new();
    let mut stream = open(&wire);
    for _ in 0..2 {
        let whole = ask(&mut stream, "GET", "/things/1", "");
        assert_eq!((whole.status, whole.body.len() > 2), (200, true));
        let head = ask(&mut stream, "HEAD", "/things/1", "");
        assert_eq!((head.status, head.header("content-length")), (200, whole.header("content-length")));
        let missing = ask(&mut stream, "GET", "/nothing", "");
        let head = ask(&mut stream, "HEAD", "/nothing", "");
        assert_eq!((head.status, head.header("content-type")), (404, Some("application/problem+json")));
        assert_eq!(head.header("content-length"), missing.header("content-length"));
        let refused = ask(&mut stream, "HEAD", "/things/x", "");
        assert_eq!((refused.status, refused.header("content-type")), (422, Some("application/problem+json")));
        let nothing = ask(&mut stream, "GET", "/things/204", "");
        assert_eq!((nothing.status, nothing.header("content-length")), (204, None));
        assert_eq!(ask(&mut stream, "HEAD", "/things/204", "").status, 204);
        assert_eq!(ask(&mut stream, "GET", "/things/304", "").status, 304);
        assert_eq!(ask(&mut stream, "HEAD", "/things/304", "").status, 304);
        let moved = ask(&mut stream, "GET", "/things/302", "");
        assert_eq!((moved.status, moved.header("location"), moved.body.len()), (302, Some("/things/1"), 0));
    }
}

/// Rows: H16.
#[test]
fn ranges_and_conditions_are_left_alone() {
    let wire = Wire::new();
    let mut stream = open(&wire);
    for field in [
        "Range: bytes=0-1",
        "Range: bytes=5-1",
        "Range: bytes=0-0,1-1,2-2,3-3,4-4",
        "Range: bytes=99999999999999999999-",
        "Range: lines=x",
        "If-Range: \"x\"\r\nRange: bytes=0-1",
        "If-None-Match: *",
        "If-None-Match: \"a\", W/\"b",
        "If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT",
        "If-Modified-Since: soon",
        "If-Unmodified-Since: 1",
    ] {
        let answer = ask(&mut stream, "GET", "/things/1", &format!("{field}\r\n"));
        assert_eq!((answer.status, &answer.body[..]), (200, &b"{\"whole\":7}"[..]), "{field}");
        assert_eq!(answer.header("content-range"), None, "{field}");
    }
}

/// Rows: A2.
#[test]
fn every_body_says_what_it_is() {
    let wire = Wire::new();
    let mut stream = open(&wire);
    for (method, path, status, kind) in [
        ("GET", "/things/1", 200, "application/json"),
        ("GET", "/texts", 200, "text/plain; charset=utf-8"),
        ("GET", "/pages", 200, "application/xml; charset=utf-8"),
        ("GET", "/nothing", 404, "application/problem+json"),
        ("PUT", "/things", 405, "application/problem+json"),
        ("GET", "/things/x", 422, "application/problem+json"),
        ("POST", "/things", 415, "application/problem+json"),
    ] {
        let fields = if method == "POST" { "Content-Type: a/b\r\nContent-Length: 2\r\n" } else { "" };
        let answer = ask(&mut stream, method, path, fields);
        assert_eq!((answer.status, answer.header("content-type")), (status, Some(kind)), "{path}");
        assert!(!answer.body.is_empty() && std::str::from_utf8(&answer.body).is_ok(), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
    }
    // What was refused for its media type took its body along.
    let mut stream = open(&wire);
    for path in ["/things/204", "/things/304", "/things/302"] {
        assert_eq!(ask(&mut stream, "GET", path, "").header("content-type"), None, "{path}");
    }
}

/// The server shares nothing with other origins, and no answer of it depends on the origin: so none need vary by it.
///
/// Rows: A3.
#[test]
fn no_origin_is_let_in() {
    let wire = Wire::new();
    let mut stream = open(&wire);
    for origin in
        ["https://evil.example", "null", "https://a.evil.example", "http://a", "https://a.example\r\nOrigin: b", ""]
    {
        for (method, more) in [
            ("GET", ""),
            ("OPTIONS", "Access-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: authorization\r\n"),
            ("OPTIONS", "Access-Control-Request-Private-Network: true\r\nAccess-Control-Request-Method: PUT\r\n"),
        ] {
            let answer = ask(&mut stream, method, "/things/1", &format!("Origin: {origin}\r\n{more}"));
            assert!(answer.status < 500, "{origin}: {}", answer.status);
            let shared = answer.head.iter().find(|(name, _)| name.starts_with("access-control-"));
            assert_eq!(shared, None, "{method} {origin}");
        }
    }
}
