//! Responses whose body is a sequence of items, sent as they are made.

use std::fmt;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Bytes;
use futures_core::Stream;
use http_body::Frame;
use tokio::sync::mpsc;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::Internal;

/// A stream of items on the heap.
pub(super) type Source<T> = Pin<Box<dyn Stream<Item = Result<T, Internal>> + Send>>;

/// The end through which a task gives items to a response. Dropping it ends the response in order.
pub struct Sender<T>(mpsc::Sender<Result<T, Internal>>);

impl<T> Sender<T> {
    /// Gives an item; waits while the client is slower than we are.
    ///
    /// # Errors
    /// The client is gone, and nothing more need be made.
    pub async fn send(&self, item: T) -> Result<(), Closed> {
        self.0.send(Ok(item)).await.map_err(|_| Closed)
    }

    /// Breaks the response off: the client sees that it is not complete, the log sees why.
    pub async fn fail(self, error: impl Into<Internal>) {
        // Whoever is gone need not be told.
        let _ = self.0.send(Err(error.into())).await;
    }

    /// Ends when the client is gone: for work that should stop then.
    pub async fn closed(&self) {
        self.0.closed().await;
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Sender(self.0.clone())
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender")
    }
}

/// The client of a response is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the client is gone")
    }
}

impl std::error::Error for Closed {}

impl From<Closed> for Internal {
    fn from(closed: Closed) -> Internal {
        Internal::new(closed)
    }
}

/// A channel of at most `capacity` items that wait.
pub(super) fn channel<T: Send + 'static>(capacity: usize) -> (Sender<T>, Source<T>) {
    let (sender, receiver) = mpsc::channel(capacity.max(1));
    (Sender(sender), Box::pin(Received(receiver)))
}

struct Received<T>(mpsc::Receiver<T>);

impl<T> Stream for Received<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.0.poll_recv(cx)
    }
}

/// The items of an iterator, one at a time.
pub(super) struct Iterated<I>(pub(super) I);

impl<I: Iterator + Unpin> Stream for Iterated<I> {
    type Item = Result<I::Item, Internal>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.next().map(Ok))
    }
}

/// A stream whose errors are made internal ones, and whose items are changed.
pub(super) struct Changed<S, F>(pub(super) Pin<Box<S>>, pub(super) F);

impl<S, F, T, E, R> Stream for Changed<S, F>
where
    S: Stream<Item = Result<T, E>>,
    E: Into<Internal>,
    F: FnMut(T) -> Result<R, Internal> + Unpin,
{
    type Item = Result<R, Internal>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = ready!(self.0.as_mut().poll_next(cx));
        Poll::Ready(next.map(|item| item.map_err(Into::into).and_then(|item| (self.1)(item))))
    }
}

/// The body: each item's bytes as one frame, pulled when the connection can take them. Dropping it, as the server does
/// when the client goes, drops the source.
pub(crate) struct ItemBody {
    source: Mutex<Option<Source<Bytes>>>,
    /// What is sent after so much silence, so that nothing between takes the connection for dead.
    keep_alive: Option<(Duration, &'static [u8])>,
    silence: Option<Pin<Box<Sleep>>>,
}

impl ItemBody {
    pub(super) fn new(source: Source<Bytes>, keep_alive: Option<(Duration, &'static [u8])>) -> ItemBody {
        ItemBody { source: Mutex::new(Some(source)), keep_alive, silence: None }
    }

    /// Something was sent: silence is counted from now.
    fn spoke(&mut self) {
        if let (Some((every, _)), Some(silence)) = (self.keep_alive, &mut self.silence) {
            silence.as_mut().reset(Instant::now() + every);
        }
    }
}

impl fmt::Debug for ItemBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ItemBody")
    }
}

impl http_body::Body for ItemBody {
    type Data = Bytes;
    type Error = Aborted;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        let this = &mut *self;
        let slot = this.source.get_mut().unwrap_or_else(PoisonError::into_inner);
        let Some(source) = slot else { return Poll::Ready(None) };
        match source.as_mut().poll_next(cx) {
            Poll::Ready(Some(Ok(bytes))) => {
                this.spoke();
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Poll::Ready(None) => {
                *slot = None;
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(error))) => {
                *slot = None;
                // The status is sent long ago. What is left is not to end in order, so that nobody takes a part for the
                // whole.
                let cause = error.for_log();
                let cause = crate::gateway::one_line(&cause);
                tracing::error!(target: "gatewright::internal", %cause, "a response broke off");
                Poll::Ready(Some(Err(Aborted)))
            }
            Poll::Pending => {
                let Some((every, text)) = this.keep_alive else { return Poll::Pending };
                let silence = this.silence.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + every)));
                ready!(silence.as_mut().poll(cx));
                this.spoke();
                // The timer was taken for a frame; it is asked again before the next.
                Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(text)))))
            }
        }
    }
}

/// A response that ends where it should not.
#[derive(Debug)]
pub(crate) struct Aborted;

impl fmt::Display for Aborted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the response broke off")
    }
}

impl std::error::Error for Aborted {}
