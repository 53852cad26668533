//! A real store for tests: a `redis-server` of their own, on loopback, that ends with them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "of tests")]
#![allow(clippy::disallowed_methods, reason = "starts a program")]
#![allow(unreachable_pub, reason = "tests of several crates have it as a module of theirs")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The server. It holds nothing on a disk.
#[derive(Debug)]
pub struct RedisServer {
    child: Child,
    port: u16,
    arguments: Vec<String>,
}

impl Default for RedisServer {
    fn default() -> RedisServer {
        RedisServer::start()
    }
}

impl RedisServer {
    /// Starts one, and waits until it answers.
    #[must_use]
    pub fn start() -> RedisServer {
        RedisServer::with(&[])
    }

    /// With more arguments. With `--tls-port PORT` the plain port is off.
    #[must_use]
    pub fn with(arguments: &[&str]) -> RedisServer {
        let arguments: Vec<String> = arguments.iter().map(|a| (*a).to_owned()).collect();
        // Somebody else may take a port between its choice and its use.
        for _ in 0..20 {
            let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
            if let Some(child) = started(port, &arguments) {
                return RedisServer { child, port, arguments };
            }
        }
        panic!("no port for redis-server");
    }

    /// `redis://…`
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Stops the process without its knowledge: connections stay, nothing answers.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    /// Lets it go on.
    pub fn go_on(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let done = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(done.success());
    }

    /// Ends it at once: connections break, and everything that it held is gone.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again where it was, empty.
    pub fn restart(&mut self) {
        self.kill();
        let again = (0..200).find_map(|_| started(self.port, &self.arguments));
        self.child = again.expect("redis-server starts again on its port");
    }

    /// What it answers to a command, as text of the protocol.
    #[must_use]
    pub fn ask(&self, words: &[&str]) -> String {
        let mut stream = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], self.port))).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut text = format!("*{}\r\n", words.len());
        words.iter().for_each(|word| text.push_str(&format!("${}\r\n{word}\r\n", word.len())));
        text.push_str("*1\r\n$4\r\nQUIT\r\n");
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A process that says that it is ready; nothing where it ends before.
fn started(port: u16, arguments: &[String]) -> Option<Child> {
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", "/tmp"]);
    if arguments.iter().any(|a| a == "--tls-port") {
        command.args(["--port", "0"]);
    } else {
        command.args(["--port", &port.to_string()]);
    }
    let port = port.to_string();
    command.args(arguments.iter().map(|a| if a == "PORT" { port.as_str() } else { a.as_str() }));
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut child = child.expect("`redis-server` is missing: `cargo xtask stores` says how to get it");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready = lines.by_ref().map_while(Result::ok).any(|line| line.contains("Ready to accept connections"));
    if !ready {
        let _ = child.wait();
        return None;
    }
    // It would end at a full pipe.
    std::thread::spawn(move || lines.for_each(drop));
    Some(child)
}
