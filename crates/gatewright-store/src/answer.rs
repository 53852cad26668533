//! What a store answers: at once where it is in this process, later where a network is between.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use crate::StoreError;

/// The answer of a store: a future that costs nothing where the answer is there already.
#[must_use = "nothing is asked before it is awaited"]
pub struct Answer<'a, T>(Inner<'a, T>);

enum Inner<'a, T> {
    Now(Option<Result<T, StoreError>>),
    Later(Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>),
}

// Nothing in it is borrowed from itself: what is pinned is behind a box.
impl<T> Unpin for Answer<'_, T> {}

impl<'a, T> Answer<'a, T> {
    /// One that is there.
    pub fn now(result: Result<T, StoreError>) -> Answer<'a, T> {
        Answer(Inner::Now(Some(result)))
    }

    /// One that must be waited for.
    pub fn later(future: impl Future<Output = Result<T, StoreError>> + Send + 'a) -> Answer<'a, T> {
        Answer(Inner::Later(Box::pin(future)))
    }
}

impl<T> Future for Answer<'_, T> {
    type Output = Result<T, StoreError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Inner::Now(result) => match result.take() {
                Some(result) => Poll::Ready(result),
                None => Poll::Ready(Err(StoreError::new("its answer was taken before"))),
            },
            Inner::Later(future) => future.as_mut().poll(cx),
        }
    }
}

impl<T> std::fmt::Debug for Answer<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Answer(..)")
    }
}

/// What a future gives that need not wait: those of [`Keys`](crate::Keys) over a [`MemoryStore`](crate::MemoryStore) or a
/// [`FileStore`](crate::FileStore), outside of a runtime. Nothing for one that must wait.
pub fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    }
}
