//! JSON Lines and JSON text sequences, out.

use std::fmt;

use axum::body::Bytes;
use futures_core::Stream;

use super::items::Framing;
use super::outgoing::{Changed, ItemBody, Iterated, Sender, Source, channel};
use crate::Internal;
use crate::guard::{Sieve, json_through};
use crate::json::ToJson;

/// The items of a response of JSON Lines (`application/jsonl`, `application/x-ndjson`) or of a JSON text sequence
/// (RFC 7464). Each is sent when it is there and the client can take it; when the client goes, the stream is dropped.
///
/// An error in the middle breaks the response off, so that no client takes what came for all there is.
pub struct Lines<T>(Source<T>);

impl<T: ToJson + Send + 'static> Lines<T> {
    /// The items of a stream.
    pub fn new<E: Into<Internal>>(items: impl Stream<Item = Result<T, E>> + Send + 'static) -> Lines<T> {
        Lines(Box::pin(Changed(Box::pin(items), Ok)))
    }

    /// Items that are there, or are made without waiting.
    pub fn of<I>(items: I) -> Lines<T>
    where
        I: IntoIterator<Item = T>,
        I::IntoIter: Send + Unpin + 'static,
    {
        Lines(Box::pin(Iterated(items.into_iter())))
    }

    /// The items that a task will send, of which at most `capacity` wait.
    pub fn channel(capacity: usize) -> (Sender<T>, Lines<T>) {
        let (sender, source) = channel(capacity);
        (sender, Lines(source))
    }

    pub(crate) fn into_body(self, framing: Framing, sieve: Option<Sieve>) -> ItemBody {
        let write = move |item: T| -> Result<Bytes, Internal> {
            let text = json_through(sieve.as_ref(), &item)?;
            let mut line = Vec::with_capacity(text.len() + 2);
            if framing == Framing::Sequence {
                line.push(0x1e);
            }
            line.extend_from_slice(&text);
            line.push(b'\n');
            Ok(line.into())
        };
        ItemBody::new(Box::pin(Changed(Box::pin(self.0), write)), None)
    }
}

impl<T> fmt::Debug for Lines<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lines")
    }
}
