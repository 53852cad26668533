//! Over HTTP/2 each answer has a window of its own (RFC 9113, 5.2): a client that does not open it can take nothing of an answer
//! for ever, over a connection that lives. So a connection knows which of its answers have something that nobody takes, and
//! ends when one has had it for too long.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use http::Response;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

/// The answers of one connection that are under way. Over HTTP/1.1 there is one at a time, and the connection itself stalls.
#[derive(Clone, Default)]
pub(super) struct Answers(Arc<OnceLock<Mutex<Open>>>);

/// Bounded by the streams that a connection may have.
#[derive(Default)]
struct Open {
    last: u64,
    offered: BTreeMap<u64, Offered>,
}

/// What is there of one answer and was not sent.
struct Offered {
    pieces: usize,
    /// When something of it was taken last, or the first piece came.
    since: Instant,
}

impl Answers {
    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self) -> Offers {
        let mut open = self.lock();
        open.last += 1;
        Offers { answers: self.clone(), number: open.last }
    }

    /// Whether nothing of one of them was taken for so long.
    pub(super) fn are_stalled(&self, longest: Duration) -> bool {
        // No request came over HTTP/2 yet.
        let Some(open) = self.0.get() else { return false };
        let open = open.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(longest_ago) = open.offered.values().map(|offered| offered.since).min() else { return false };
        longest_ago.elapsed() >= longest
    }
}

/// One answer among those of its connection.
#[derive(Clone)]
struct Offers {
    answers: Answers,
    number: u64,
}

impl Offers {
    fn piece(&self, bytes: Bytes) -> Piece {
        let mut open = self.answers.lock();
        open.offered.entry(self.number).or_insert_with(|| Offered { pieces: 0, since: Instant::now() }).pieces += 1;
        Piece { bytes, of: Some(self.clone()) }
    }

    /// Something of a piece was sent; or the whole, which is no longer there then.
    fn taken(&self, whole: bool) {
        let mut open = self.answers.lock();
        let Some(offered) = open.offered.get_mut(&self.number) else { return };
        offered.since = Instant::now();
        offered.pieces = offered.pieces.saturating_sub(usize::from(whole));
        if offered.pieces == 0 {
            open.offered.remove(&self.number);
        }
    }
}

/// A piece of an answer. The protocol advances it as it is sent, and drops it when all of it is, or nobody is there any more
/// who could take it.
pub(super) struct Piece {
    bytes: Bytes,
    of: Option<Offers>,
}

impl Buf for Piece {
    fn remaining(&self) -> usize {
        self.bytes.len()
    }

    fn chunk(&self) -> &[u8] {
        &self.bytes
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
        if let Some(offers) = &self.of {
            offers.taken(false);
        }
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        if let Some(offers) = &self.of {
            offers.taken(true);
        }
    }
}

/// The answer to come to one request.
pub(super) struct Answering<F> {
    future: F,
    answers: Option<Answers>,
}

impl<F> Answering<F> {
    /// Over HTTP/2, with the answers of the connection.
    pub(super) fn new(future: F, answers: Option<Answers>) -> Answering<F> {
        Answering { future, answers }
    }
}

impl<F, E> Future for Answering<F>
where
    F: Future<Output = Result<Response<axum::body::Body>, E>> + Unpin,
{
    type Output = Result<Response<Answer>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = ready!(Pin::new(&mut self.future).poll(cx));
        let offers = self.answers.take().map(|answers| answers.begin());
        Poll::Ready(answer.map(|response| response.map(|body| Answer { body, offers })))
    }
}

/// A body whose pieces say when they were sent; over HTTP/2.
pub(super) struct Answer {
    body: axum::body::Body,
    offers: Option<Offers>,
}

impl Body for Answer {
    type Data = Piece;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Piece>, axum::Error>>> {
        let this = &mut *self;
        let frame = ready!(Pin::new(&mut this.body).poll_frame(cx));
        Poll::Ready(frame.map(|frame| {
            frame.map(|frame| {
                frame.map_data(|bytes| match &this.offers {
                    Some(offers) => offers.piece(bytes),
                    None => Piece { bytes, of: None },
                })
            })
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
