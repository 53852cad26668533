//! Server-sent events (HTML, 9.2), out; and what an event is as a value, both ways.

use std::fmt;
use std::time::Duration;

use axum::body::Bytes;
use futures_core::Stream;

use super::outgoing::{Changed, ItemBody, Iterated, Sender, Source, channel};
use crate::Internal;
use crate::guard::{Sieve, json_through};
use crate::json::{self, Document, FromJson, Kind, Mismatch, ToJson, Value, Writer};

/// After so much silence a comment is sent. Proxies close what is silent for a minute.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// An event with data of type `T`: a string as it stands, anything else as JSON.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event<T> {
    /// The data.
    pub data: T,
    /// What kind of event it is; none means `message`.
    pub event: Option<String>,
    /// Its id: a client that comes back names the last in `Last-Event-ID`.
    pub id: Option<String>,
    /// After how many milliseconds a client that lost the connection should come back.
    pub retry: Option<u64>,
}

impl<T> Event<T> {
    /// An event with data alone.
    pub fn new(data: T) -> Event<T> {
        Event { data, event: None, id: None, retry: None }
    }

    /// Says what kind of event it is.
    #[must_use]
    pub fn kind(mut self, event: impl Into<String>) -> Event<T> {
        self.event = Some(event.into());
        self
    }

    /// Gives it an id.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Event<T> {
        self.id = Some(id.into());
        self
    }
}

impl<T: ToJson> ToJson for Event<T> {
    fn write(&self, out: &mut Writer) {
        out.begin_object();
        out.member("data", &self.data);
        out.optional("event", &self.event);
        out.optional("id", &self.id);
        out.optional("retry", &self.retry);
        out.end_object();
    }

    const IS_EVENT: bool = true;
}

impl<T: FromJson> FromJson for Event<T> {
    fn decode(value: Value<'_>) -> Result<Self, Mismatch> {
        let [data, event, id, retry] = value.pick(&["data", "event", "id", "retry"])?;
        Ok(Event {
            data: json::required(value, data)?,
            event: json::optional(event)?,
            id: json::optional(id)?,
            retry: json::optional(retry)?,
        })
    }
}

/// The data of an event, for checks of the data alone.
pub(crate) fn data_of(event: Value<'_>) -> Value<'_> {
    event.get("data").unwrap_or(event)
}

/// The events of a response (`text/event-stream`). Each is sent when it is there and the client can take it; after
/// 15 seconds of silence a comment keeps the connection. When the client goes, the stream is dropped.
///
/// `T` is [`Event`], or the type of the document's `itemSchema`, whose members are the fields of an event.
pub struct Events<T>(Source<T>);

impl<T: ToJson + Send + 'static> Events<T> {
    /// The events of a stream.
    pub fn new<E: Into<Internal>>(events: impl Stream<Item = Result<T, E>> + Send + 'static) -> Events<T> {
        Events(Box::pin(Changed(Box::pin(events), Ok)))
    }

    /// Events that are there, or are made without waiting.
    pub fn of<I>(events: I) -> Events<T>
    where
        I: IntoIterator<Item = T>,
        I::IntoIter: Send + Unpin + 'static,
    {
        Events(Box::pin(Iterated(events.into_iter())))
    }

    /// The events that a task will send, of which at most `capacity` wait.
    pub fn channel(capacity: usize) -> (Sender<T>, Events<T>) {
        let (sender, source) = channel(capacity);
        (sender, Events(source))
    }

    pub(crate) fn into_body(self, sieve: Option<Sieve>) -> ItemBody {
        let write = move |event: T| write(&event, sieve.as_ref());
        ItemBody::new(Box::pin(Changed(Box::pin(self.0), write)), Some((KEEP_ALIVE, b":\n\n")))
    }
}

impl<T> fmt::Debug for Events<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Events")
    }
}

/// An event as the lines that say it. Its text cannot end a line or begin a field of its own.
fn write<T: ToJson>(event: &T, sieve: Option<&Sieve>) -> Result<Bytes, Internal> {
    let text = json_through(sieve, event)?;
    let document = Document::parse(&text).map_err(|e| Internal::new(e.to_string()))?;
    let event = document.root();
    let mut out = String::with_capacity(text.len() + 16);
    for name in ["event", "id", "retry"] {
        let Some(value) = event.get(name).filter(|value| !value.is_null()) else { continue };
        let value = plain(value)?;
        // A client would take what stands behind a line's end for another field, and ignores an id with a NUL.
        if value.contains(['\r', '\n', '\0']) {
            return Err(Internal::new("a field of an event has more than one line"));
        }
        field(&mut out, name, &value);
    }
    if let Some(data) = event.get("data") {
        let data = plain(data)?;
        for line in data.replace("\r\n", "\n").split(['\n', '\r']) {
            field(&mut out, "data", line);
        }
    }
    out.push('\n');
    Ok(out.into())
}

fn field(out: &mut String, name: &str, value: &str) {
    out.push_str(name);
    out.push_str(": ");
    out.push_str(value);
    out.push('\n');
}

/// A string as it stands, another value as JSON.
fn plain(value: Value<'_>) -> Result<String, Internal> {
    match (value.kind(), value.as_str()) {
        (Kind::String, Some(text)) => Ok(text.to_owned()),
        _ => String::from_utf8(json::to_vec(&value).map_err(Internal::new)?).map_err(Internal::new),
    }
}

#[cfg(test)]
mod tests {
    use super::super::lines::Lines;
    use super::super::stream::tests::run;
    use super::*;
    use http_body_util::BodyExt as _;

    #[test]
    fn events_are_written_so_that_none_can_forge_another() {
        let written = |event: Event<String>| write(&event, None).map(|b| String::from_utf8(b.to_vec()).unwrap());
        let plain = |data: &str| Event::new(data.to_owned());
        assert_eq!(written(plain("a")).unwrap(), "data: a\n\n");
        assert_eq!(written(plain("a\nid: 1\r\r\nb")).unwrap(), "data: a\ndata: id: 1\ndata: \ndata: b\n\n");
        assert_eq!(written(plain("a").kind("k").id("7")).unwrap(), "event: k\nid: 7\ndata: a\n\n");
        for bad in ["k\ndata: x", "k\rdata: x", "k\0"] {
            assert!(written(plain("a").kind(bad)).is_err());
            assert!(written(plain("a").id(bad)).is_err());
        }
        let number = write(&Event { retry: Some(5), ..Event::new(vec![1, 2]) }, None).unwrap();
        assert_eq!(number, "retry: 5\ndata: [1,2]\n\n");
    }

    #[test]
    fn silence_is_filled_and_a_client_that_goes_stops_the_work() {
        run(async {
            let (sender, events) = Events::channel(1);
            let mut body = Box::pin(events.into_body(None));
            sender.send(Event::new(1)).await.unwrap();
            let mut next = async || body.frame().await.unwrap().unwrap().into_data().unwrap();
            assert_eq!(next().await, "data: 1\n\n");
            let before = tokio::time::Instant::now();
            assert_eq!(next().await, ":\n\n");
            assert_eq!(next().await, ":\n\n");
            assert_eq!(before.elapsed().as_secs(), 30);
            sender.send(Event::new(2)).await.unwrap();
            assert_eq!(next().await, "data: 2\n\n");
            drop(body);
            sender.closed().await;
            assert!(sender.send(Event::new(3)).await.is_err());
        });
    }

    #[test]
    fn a_slow_client_slows_the_task() {
        run(async {
            let (sender, lines) = Lines::channel(2);
            let mut body = Box::pin(lines.into_body(super::super::Framing::Lines, None));
            let task = tokio::spawn(async move {
                let mut sent = 0;
                for n in 0..10 {
                    if tokio::time::timeout(Duration::from_secs(1), sender.send(n)).await.is_err() {
                        return sent;
                    }
                    sent += 1;
                }
                sent
            });
            assert_eq!(task.await.unwrap(), 2);
            assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "0\n");
        });
    }

    #[test]
    fn an_error_in_the_middle_is_no_end() {
        run(async {
            let (sender, lines) = Lines::channel(4);
            let mut body = Box::pin(lines.into_body(super::super::Framing::Sequence, None));
            sender.send("a".to_owned()).await.unwrap();
            sender.fail(Internal::new("the table is gone")).await;
            assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "\u{1e}\"a\"\n");
            assert!(body.frame().await.unwrap().is_err());
            assert!(body.frame().await.is_none());
        });
    }
}
