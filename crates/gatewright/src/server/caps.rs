//! How many connections there may be: in all, and from one address. One too many is closed before its handshake; one whose
//! client takes nothing of what it is sent, or of one answer of several, is closed after a while.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use super::answers::Answers;
use super::peer::OfPeer;

/// The counters of one listener.
#[derive(Clone)]
pub(super) struct Caps(Arc<Inner>);

struct Inner {
    most: usize,
    most_per_address: usize,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    all: usize,
    /// Bounded by the connections that are open.
    by_address: HashMap<(u64, u64), usize, foldhash::fast::RandomState>,
}

impl Caps {
    pub(super) fn new(most: usize, most_per_address: usize) -> Caps {
        Caps(Arc::new(Inner { most, most_per_address, open: Mutex::default() }))
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for one connection, until it is dropped.
    pub(super) fn enter(&self, address: IpAddr) -> Option<Place> {
        let key = crate::limit::counted(Some(address));
        let mut open = self.lock();
        if open.all >= self.0.most {
            return None;
        }
        let theirs = open.by_address.entry(key).or_insert(0);
        // An entry of zero would be one that a refused connection left behind: there is none, as `most` is at least 1.
        if *theirs >= self.0.most_per_address.max(1) {
            return None;
        }
        *theirs += 1;
        open.all += 1;
        Some(Place { caps: self.clone(), key })
    }
}

/// One connection's place.
pub(super) struct Place {
    caps: Caps,
    key: (u64, u64),
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.caps.lock();
        open.all = open.all.saturating_sub(1);
        if let Some(theirs) = open.by_address.get_mut(&self.key) {
            *theirs = theirs.saturating_sub(1);
            if *theirs == 0 {
                open.by_address.remove(&self.key);
            }
        }
    }
}

/// Takes a place for each connection.
#[derive(Clone)]
pub(super) struct Capped {
    caps: Caps,
    /// How long nothing of an answer may be taken.
    stalled: Duration,
}

impl Capped {
    pub(super) fn new(caps: Caps, stalled: Duration) -> Capped {
        Capped { caps, stalled }
    }
}

impl Accept<TcpStream, OfPeer> for Capped {
    type Stream = Placed;
    type Service = OfPeer;
    type Future = std::future::Ready<io::Result<(Placed, OfPeer)>>;

    fn accept(&self, stream: TcpStream, service: OfPeer) -> Self::Future {
        std::future::ready(stream.peer_addr().and_then(|peer| {
            let place = self.caps.enter(peer.ip()).ok_or_else(|| io::Error::other("too many connections"))?;
            stream.set_nodelay(true)?;
            let answers = service.answers().clone();
            Ok((Placed { stream, stalled: self.stalled, waits: None, answers, _place: place }, service))
        }))
    }
}

/// A connection that holds its place.
pub(super) struct Placed {
    stream: TcpStream,
    stalled: Duration,
    /// Runs while there is something to send that nobody takes.
    waits: Option<Pin<Box<Sleep>>>,
    answers: Answers,
    _place: Place,
}

impl Placed {
    /// What came of an attempt to send: an end, where all have come to nothing for too long.
    fn sent<T>(&mut self, cx: &mut Context<'_>, sent: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if sent.is_ready() {
            self.waits = None;
            return sent;
        }
        let waits = self.waits.get_or_insert_with(|| Box::pin(sleep(self.stalled)));
        if waits.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        Poll::Ready(Err(self.given_up()))
    }

    /// Ends the connection by a reset: what nobody takes would lie in the system's buffers for as long again.
    fn given_up(&self) -> io::Error {
        let _ = self.stream.set_zero_linger();
        io::Error::new(io::ErrorKind::TimedOut, "the client takes nothing of what it is sent")
    }
}

impl AsyncRead for Placed {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // A connection that lives is read from at least as often as it is asked whether it does (`Bounds::ping`).
        if this.answers.are_stalled(this.stalled) {
            return Poll::Ready(Err(this.given_up()));
        }
        Pin::new(&mut this.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Placed {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let sent = Pin::new(&mut this.stream).poll_write(cx, buf);
        this.sent(cx, sent)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let sent = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        this.sent(cx, sent)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_given_and_come_back() {
        let caps = Caps::new(3, 2);
        let enter = |a: &str| caps.enter(a.parse().unwrap());
        let first = enter("192.0.2.1").unwrap();
        let second = enter("::ffff:192.0.2.1").unwrap();
        assert!(enter("192.0.2.1").is_none(), "two of one address");
        let third = enter("192.0.2.2").unwrap();
        assert!(enter("192.0.2.3").is_none(), "three in all");
        drop(second);
        let again = enter("192.0.2.1").unwrap();
        drop((first, third, again));
        assert_eq!(caps.lock().all, 0);
        assert!(caps.lock().by_address.is_empty());
    }
}
