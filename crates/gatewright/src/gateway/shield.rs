//! What stands between the guards and code that may hang or panic: the body of a request, and the handler.

use std::any::Any;
use std::error::Error;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::Poll;

use axum::body::{Body, Bytes};
use bytes::BytesMut;
use gatewright_policy::Refusal;
use http::header::{CONTENT_LENGTH, HeaderMap};
use http_body::Body as _;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::task::unconstrained;
use tokio::time::{Instant, sleep_until};

use crate::Internal;
use crate::problem::Refused;

/// Refuses a body that says itself that it is larger than `limit` bytes.
pub(crate) fn fits(headers: &HeaderMap, limit: u64) -> Result<(), Refused> {
    let declared = headers.get(CONTENT_LENGTH).map(|v| v.to_str().ok().and_then(|t| t.parse::<u64>().ok()));
    match declared {
        Some(None) => Err(Refused::new(Refusal::BadRequest).because("Content-Length is no number")),
        Some(Some(length)) if length > limit => Err(Refused::new(Refusal::BodyTooLarge)),
        _ => Ok(()),
    }
}

/// Collects a body of at most `limit` bytes until `deadline`.
///
/// # Errors
/// 413 for one that is larger, at once where it says so itself; 408 for one that is late; 400 for one that breaks off.
pub async fn collect_body(headers: &HeaderMap, body: Body, limit: u64, deadline: Instant) -> Result<Bytes, Refused> {
    fits(headers, limit)?;
    let limited = Limited::new(body, usize::try_from(limit).unwrap_or(usize::MAX));
    match until(deadline, pin!(collect(limited))).await {
        None => Err(Refused::new(Refusal::RequestTimeout)),
        Some(Ok(bytes)) => Ok(bytes),
        Some(Err(error)) if error.is::<LengthLimitError>() => Err(Refused::new(Refusal::BodyTooLarge)),
        Some(Err(_)) => Err(Refused::new(Refusal::BadRequest).because("the body breaks off")),
    }
}

/// The data of all frames. Nearly all bodies come in one, which is taken as it is.
async fn collect(mut body: Limited<Body>) -> Result<Bytes, Box<dyn Error + Send + Sync>> {
    let (mut first, mut all) = (Bytes::new(), BytesMut::new());
    while !body.is_end_stream() {
        let Some(frame) = body.frame().await else { break };
        // Trailers are nothing that we read.
        let Ok(data) = frame?.into_data() else { continue };
        if all.is_empty() && first.is_empty() {
            first = data;
            continue;
        }
        if all.is_empty() {
            all.extend_from_slice(&std::mem::take(&mut first));
        }
        all.extend_from_slice(&data);
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

/// Runs a handler until `deadline`; a panic of it is a breakdown, not the end of the connection.
///
/// # Errors
/// 504 for one that is late, 500 for one that panics.
pub async fn shield<T>(
    deadline: Instant,
    mut work: Pin<Box<dyn Future<Output = T> + Send + '_>>,
) -> Result<T, Refused> {
    // After a panic the future is dropped and never polled again.
    let mut caught = poll_fn(move |cx| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
        Err(panic) => Poll::Ready(Err(Internal::new(format!("a handler panicked: {}", message(&*panic))))),
    });
    match until(deadline, &mut caught).await {
        None => Err(Refused::new(Refusal::Timeout)),
        Some(Err(panic)) => Err(Refused::internal(panic)),
        Some(Ok(value)) => Ok(value),
    }
}

/// What a future gives before `deadline`. As `tokio::time::timeout_at`, but a timer is made only once there is something
/// to wait for, which most handlers and nearly all bodies never do.
async fn until<F: Future + Unpin>(deadline: Instant, mut work: F) -> Option<F::Output> {
    let mut timer = None;
    poll_fn(move |cx| {
        if let Poll::Ready(value) = Pin::new(&mut work).poll(cx) {
            return Poll::Ready(Some(value));
        }
        // Unconstrained: work that uses up the task's budget at each turn must not keep its deadline from being seen.
        let timer = timer.get_or_insert_with(|| Box::pin(unconstrained(sleep_until(deadline))));
        timer.as_mut().poll(cx).map(|()| None)
    })
    .await
}

fn message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn run<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(future)
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(1)
    }

    fn refusal<T: std::fmt::Debug>(result: Result<T, Refused>) -> Refusal {
        result.unwrap_err().refusal()
    }

    #[test]
    fn a_panic_and_a_hang_are_answers() {
        run(async {
            assert_eq!(shield(soon(), Box::pin(async { 7 })).await.unwrap(), 7);
            let panics = shield(soon(), Box::pin(async { assert_eq!(1, 2, "secret") })).await;
            assert_eq!(refusal(panics), Refusal::Internal);
            let hangs = shield(soon(), Box::pin(std::future::pending::<()>())).await;
            assert_eq!(refusal(hangs), Refusal::Timeout);
        });
    }

    #[test]
    fn a_body_in_pieces_is_put_together() {
        run(async {
            for pieces in [&[][..], &["abc"], &["ab", "c"], &["", "ab", "", "c"], &["a", "b", "c"]] {
                let body = Body::new(Pieces(pieces.to_vec()));
                let bytes = collect_body(&HeaderMap::new(), body, 3, soon()).await.unwrap();
                assert_eq!(bytes, pieces.concat(), "{pieces:?}");
            }
        });
    }

    #[test]
    fn a_body_is_bounded_in_size_and_time() {
        run(async {
            let none = HeaderMap::new();
            assert_eq!(collect_body(&none, Body::from("1234"), 4, soon()).await.unwrap(), "1234");
            assert_eq!(refusal(collect_body(&none, Body::from("12345"), 4, soon()).await), Refusal::BodyTooLarge);
            for (length, want) in
                [("5", Refusal::BodyTooLarge), ("x", Refusal::BadRequest), ("-1", Refusal::BadRequest)]
            {
                let mut headers = HeaderMap::new();
                headers.insert(CONTENT_LENGTH, length.parse().unwrap());
                // Were the body looked at, this would hang.
                let body = Body::new(Silent);
                assert_eq!(refusal(collect_body(&headers, body, 4, soon()).await), want, "{length}");
            }
            let late = collect_body(&none, Body::new(Silent), 4, soon()).await;
            assert_eq!(refusal(late), Refusal::RequestTimeout);
        });
    }

    /// A body of these frames.
    struct Pieces(Vec<&'static str>);

    impl http_body::Body for Pieces {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
            let piece = if self.0.is_empty() { None } else { Some(self.0.remove(0)) };
            Poll::Ready(piece.map(|piece| Ok(http_body::Frame::data(Bytes::from_static(piece.as_bytes())))))
        }
    }

    /// A body that never comes.
    struct Silent;

    impl http_body::Body for Silent {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
            Poll::Pending
        }
    }
}
