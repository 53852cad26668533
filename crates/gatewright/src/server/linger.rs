//! A refusal may be answered before the client has sent its body. Over HTTP/2 the stream is then reset at once, and clients
//! that meet the reset while they still send take it for a failure and show no answer at all. So what is left of a small
//! body is taken off the wire and thrown away, within bounds and behind the answer; nobody waits for it and nobody sees it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;

/// At most this much is thrown away: a stream's first window (RFC 9113, 6.9.2).
const MOST: usize = 65_535;
/// And for no longer than this.
const LONGEST: Duration = Duration::from_secs(1);

/// A request's body that, dropped before its end, is drained behind its back.
pub(super) struct Lingering<B: Body + Send + Unpin + 'static>(Option<B>)
where
    B::Data: Send;

impl<B: Body + Send + Unpin + 'static> Lingering<B>
where
    B::Data: Send,
{
    pub(super) fn new(body: B) -> Self {
        Lingering(Some(body))
    }
}

impl<B: Body + Send + Unpin + 'static> Body for Lingering<B>
where
    B::Data: Send,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let Some(body) = self.0.as_mut() else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(cx));
        if !matches!(frame, Some(Ok(_))) {
            self.0 = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl<B: Body + Send + Unpin + 'static> Drop for Lingering<B>
where
    B::Data: Send,
{
    fn drop(&mut self) {
        let Some(body) = self.0.take().filter(|body| !body.is_end_stream()) else { return };
        // Outside a runtime there is no connection either.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(tokio::time::timeout(LONGEST, drain(body)));
        }
    }
}

async fn drain<B: Body + Unpin>(mut body: B) {
    let mut left = MOST;
    while let Some(Ok(frame)) = body.frame().await {
        let size = frame.data_ref().map_or(0, Buf::remaining);
        match left.checked_sub(size) {
            Some(rest) if rest > 0 => left = rest,
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use bytes::Bytes;

    use super::*;

    /// Endless chunks of 10 kB; it counts what is taken.
    struct Chunks(Arc<AtomicUsize>, usize);

    impl Body for Chunks {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            if self.1 == 0 {
                return Poll::Ready(None);
            }
            self.1 -= 1;
            self.0.fetch_add(1, Ordering::SeqCst);
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[0; 10_000])))))
        }
    }

    async fn taken(chunks: usize, read_first: bool) -> usize {
        let count = Arc::new(AtomicUsize::new(0));
        let mut body = Lingering::new(Chunks(count.clone(), chunks));
        if read_first {
            while body.frame().await.is_some() {}
        }
        drop(body);
        for _ in 0..chunks.min(50) + 5 {
            tokio::task::yield_now().await;
        }
        count.load(Ordering::SeqCst)
    }

    #[tokio::test]
    async fn an_unread_body_is_drained_within_its_bound() {
        assert_eq!(taken(3, false).await, 3);
        assert_eq!(taken(1_000_000, false).await, 7);
        assert_eq!(taken(3, true).await, 3);
    }

    #[test]
    fn without_a_runtime_nothing_happens() {
        drop(Lingering::new(Chunks(Arc::default(), 1)));
    }
}
