//! A load generator of the benchmark's own: keep-alive connections, one request at a time on each, every answer's status
//! and length checked. It runs in another process than the server, so that the server's CPU time can be read alone.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// What a run did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// Answers a second.
    pub(crate) per_second: f64,
    /// The server's CPU time an answer, in microseconds, user and system.
    pub(crate) cpu_us: f64,
}

/// Sends `request` over `connections` for `time`, and reads the CPU time that process `pid` used meanwhile.
///
/// # Errors
/// An answer with another status than `status`, or a connection that breaks.
pub(crate) fn run(
    address: SocketAddr,
    pid: u32,
    request: &[u8],
    status: u16,
    connections: usize,
    time: Duration,
) -> Result<Run, String> {
    let cpu_before = cpu_seconds(pid)?;
    let began = Instant::now();
    let answers = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..connections).map(|_| scope.spawn(move || connection(address, request, status, began + time))).collect();
        threads.into_iter().try_fold(0_u64, |sum, thread| {
            let answers = thread.join().map_err(|_| "a connection panicked".to_owned())??;
            Ok::<_, String>(sum + answers)
        })
    })?;
    let seconds = began.elapsed().as_secs_f64();
    let cpu = cpu_seconds(pid)? - cpu_before;
    Ok(Run { per_second: answers as f64 / seconds, cpu_us: cpu * 1e6 / answers as f64 })
}

fn connection(address: SocketAddr, request: &[u8], status: u16, end: Instant) -> Result<u64, String> {
    let mut stream = TcpStream::connect(address).map_err(|e| e.to_string())?;
    stream.set_nodelay(true).map_err(|e| e.to_string())?;
    let expected = format!("HTTP/1.1 {status} ");
    let mut buffer = vec![0_u8; 64 << 10];
    let mut answers = 0;
    while Instant::now() < end {
        stream.write_all(request).map_err(|e| e.to_string())?;
        let mut filled = 0;
        loop {
            let read = stream.read(buffer.get_mut(filled..).unwrap_or_default()).map_err(|e| e.to_string())?;
            if read == 0 {
                return Err("the server closed the connection".to_owned());
            }
            filled += read;
            let got = buffer.get(..filled).unwrap_or_default();
            if let Some(whole) = whole_length(got)
                && filled >= whole
            {
                if !got.starts_with(expected.as_bytes()) {
                    return Err(String::from_utf8_lossy(got).into_owned());
                }
                break;
            }
        }
        answers += 1;
    }
    Ok(answers)
}

/// The length of the answer that begins here, once its head is complete.
fn whole_length(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(bytes.get(..head)?).ok()?;
    let length = text
        .lines()
        .find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
        })
        .unwrap_or(0);
    Some(head + length)
}

/// User and system CPU seconds of a process so far (`proc(5)`, fields 14 and 15 of `stat`).
fn cpu_seconds(pid: u32) -> Result<f64, String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).map_err(|e| e.to_string())?;
    let fields: Vec<&str> =
        stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect()).unwrap_or_default();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok());
    match (ticks(11), ticks(12)) {
        (Some(user), Some(system)) => Ok((user + system) / TICKS_PER_SECOND),
        _ => Err(format!("/proc/{pid}/stat could not be read")),
    }
}

/// `USER_HZ`, the same on every Linux that this runs on.
const TICKS_PER_SECOND: f64 = 100.0;
