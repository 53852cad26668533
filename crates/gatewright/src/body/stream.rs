//! A body as bytes, read as they come.

use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes};
use futures_core::Stream;
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use super::error::{BodyError, Kind};
use super::file::{File, Spool};

/// A request's body that the handler reads, within the operation's limit and deadline. Frames come as the network gives
/// them; what is not asked for is not read, so a slow handler slows the sender down.
///
/// ```text
/// while let Some(bytes) = req.body.next().await? { digest.update(&bytes) }
/// ```
///
/// It is an `http_body::Body` and a `futures_core::Stream` too, for handing it on.
pub struct ByteStream {
    /// A mutex that is never waited for: it makes the stream `Sync`, which the body is not.
    body: Mutex<Body>,
    left: u64,
    deadline: Pin<Box<Sleep>>,
    ended: bool,
}

impl ByteStream {
    pub(crate) fn new(body: Body, limit: u64, deadline: Instant) -> ByteStream {
        ByteStream { body: Mutex::new(body), left: limit, deadline: Box::pin(sleep_until(deadline)), ended: false }
    }

    /// The next bytes, never none; `None` at the end.
    ///
    /// # Errors
    /// The body is too large, late, or breaks off. Behind an error there is nothing more.
    pub async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        std::future::poll_fn(|cx| self.poll_bytes(cx)).await.transpose()
    }

    /// All that is left, if that is at most `limit` bytes.
    ///
    /// # Errors
    /// As [`next`](Self::next), or there is more.
    pub async fn bytes(&mut self, limit: usize) -> Result<Bytes, BodyError> {
        let mut all = Vec::new();
        while let Some(bytes) = self.next().await? {
            if all.len() + bytes.len() > limit {
                return Err(self.fail(Kind::TooLarge));
            }
            all.extend_from_slice(&bytes);
        }
        Ok(all.into())
    }

    /// All that is left as text, if that is at most `limit` bytes.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes), or it is not UTF-8.
    pub async fn text(&mut self, limit: usize) -> Result<String, BodyError> {
        let bytes = self.bytes(limit).await?;
        String::from_utf8(bytes.into()).map_err(|_| BodyError::malformed("the text is not UTF-8"))
    }

    /// Puts all that is left aside: in memory while it is small, in a temporary file without a name beyond.
    ///
    /// # Errors
    /// As [`next`](Self::next), or the disk fails.
    pub async fn save(&mut self) -> Result<File, BodyError> {
        let mut spool = Spool::new();
        while let Some(bytes) = self.next().await? {
            spool.write(&bytes).await?;
        }
        spool.finish().await
    }

    pub(super) fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        loop {
            // What has come is taken before it is asked whether it is too late.
            let body = self.body.get_mut().unwrap_or_else(PoisonError::into_inner);
            let Poll::Ready(frame) = Pin::new(body).poll_frame(cx) else {
                ready!(self.deadline.as_mut().poll(cx));
                return Poll::Ready(Some(Err(self.fail(Kind::Late))));
            };
            let bytes = match frame {
                None => {
                    self.ended = true;
                    return Poll::Ready(None);
                }
                Some(Err(_)) => return Poll::Ready(Some(Err(self.fail(Kind::Broken)))),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) if !bytes.is_empty() => bytes,
                    // Trailers: nobody declares them.
                    _ if self.deadline.is_elapsed() => return Poll::Ready(Some(Err(self.fail(Kind::Late)))),
                    _ => continue,
                },
            };
            let Some(left) = self.left.checked_sub(bytes.len() as u64) else {
                return Poll::Ready(Some(Err(self.fail(Kind::TooLarge))));
            };
            self.left = left;
            if Instant::now() > self.deadline.deadline() {
                return Poll::Ready(Some(Err(self.fail(Kind::Late))));
            }
            return Poll::Ready(Some(Ok(bytes)));
        }
    }

    /// The end, with an error; the connection's side is let go.
    fn fail(&mut self, kind: Kind) -> BodyError {
        self.ended = true;
        *self.body.get_mut().unwrap_or_else(PoisonError::into_inner) = Body::empty();
        BodyError(kind)
    }
}

impl std::fmt::Debug for ByteStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ByteStream").field("left", &self.left).field("ended", &self.ended).finish_non_exhaustive()
    }
}

impl Stream for ByteStream {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_bytes(cx)
    }
}

impl http_body::Body for ByteStream {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.poll_bytes(cx).map(|next| next.map(|bytes| bytes.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = SizeHint::new();
        hint.set_upper(self.left);
        hint
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::collections::VecDeque;
    use std::convert::Infallible;
    use std::future::Future;
    use std::time::Duration;

    pub(in super::super) fn run<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(future)
    }

    /// A body of these frames, which then ends, or never does.
    pub(in super::super) struct Frames(pub(in super::super) VecDeque<Bytes>, pub(in super::super) bool);

    impl http_body::Body for Frames {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            match (self.0.pop_front(), self.1) {
                (Some(bytes), _) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
                (None, true) => Poll::Pending,
                (None, false) => Poll::Ready(None),
            }
        }
    }

    /// A stream of `text` in frames of `size` bytes; it ends unless `hangs`.
    pub(in super::super) fn stream(text: &[u8], size: usize, limit: u64, hangs: bool) -> ByteStream {
        let frames = text.chunks(size).map(Bytes::copy_from_slice).collect();
        ByteStream::new(Body::new(Frames(frames, hangs)), limit, Instant::now() + Duration::from_secs(1))
    }

    #[test]
    fn it_gives_all_within_the_limit_and_nothing_behind_an_error() {
        run(async {
            assert_eq!(stream(b"abcdef", 2, 6, false).bytes(6).await.unwrap(), "abcdef");
            assert!(stream(b"abcdef", 2, 6, false).bytes(5).await.unwrap_err().is_too_large());
            let mut over = stream(b"abcdef", 2, 5, false);
            assert_eq!(over.next().await.unwrap().unwrap(), "ab");
            assert_eq!(over.next().await.unwrap().unwrap(), "cd");
            assert!(over.next().await.unwrap_err().is_too_large());
            assert!(over.next().await.unwrap().is_none());
            assert!(stream(b"a\xff", 2, 5, false).text(5).await.unwrap_err().is_invalid());
        });
    }

    #[test]
    fn a_slow_sender_is_late() {
        run(async {
            let mut slow = stream(b"ab", 2, 5, true);
            assert_eq!(slow.next().await.unwrap().unwrap(), "ab");
            assert!(slow.next().await.unwrap_err().is_late());
        });
    }

    #[test]
    fn what_is_saved_can_be_read_again() {
        run(async {
            let text = vec![b'x'; 300_000];
            let file = stream(&text, 1_000, 300_000, false).save().await.unwrap();
            assert_eq!(file.len(), 300_000);
            assert!(file.is_on_disk());
            assert_eq!(file.bytes(300_000).await.unwrap(), text);
            assert!(file.bytes(299_999).await.unwrap_err().is_too_large());
        });
    }
}
