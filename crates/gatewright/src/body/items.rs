//! Sequences of items, in: JSON Lines, JSON text sequences (RFC 7464) and server-sent events (HTML, 9.2). Each item is a
//! JSON document of its own, checked when it is asked for.

use std::fmt;
use std::marker::PhantomData;

use bytes::BytesMut;

use super::error::{BodyError, Kind};
use super::events::data_of;
use super::stream::ByteStream;
use crate::guard::Sieve;
use crate::json::{Check, Document, FromJson, Scope, Violations};
use crate::params::text::quote;

/// The longest item.
const LONGEST: usize = 1 << 20;

/// What ends an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// A line.
    Lines,
    /// A record separator begins it, a line's end ends it.
    Sequence,
    /// An empty line ends an event. `true`: only its data is judged, and is JSON.
    Events(bool),
}

/// The items of a request's body, read one by one within the operation's limit and deadline. An item has at most 1 MiB.
///
/// ```text
/// while let Some(item) = req.body.next().await? { ledger.post(item) }
/// ```
///
/// What came before an item that breaks the rules was given out already: a handler that wants all or nothing collects
/// first.
pub struct ItemStream<T> {
    bytes: ByteStream,
    framing: Framing,
    check: Check,
    /// What a caller may not send within an item.
    sieve: Option<Sieve>,
    buffer: BytesMut,
    /// How much of the buffer is known to hold no end.
    looked: usize,
    /// No more bytes will come.
    drained: bool,
    given: u64,
    ended: bool,
    item: PhantomData<fn() -> T>,
}

impl<T: FromJson> ItemStream<T> {
    pub(crate) fn new(bytes: ByteStream, framing: Framing, check: Check, sieve: Option<Sieve>) -> ItemStream<T> {
        let (buffer, item) = (BytesMut::new(), PhantomData);
        ItemStream { bytes, framing, check, sieve, buffer, looked: 0, drained: false, given: 0, ended: false, item }
    }

    /// The next item; `None` at the end.
    ///
    /// # Errors
    /// The item is not well-formed, breaks its schema, is too long or holds what this caller may not send; or the body is too large, late, or breaks off.
    /// Behind an error there is nothing more.
    pub async fn next(&mut self) -> Result<Option<T>, BodyError> {
        if self.ended {
            return Ok(None);
        }
        let next = self.read().await;
        self.ended = !matches!(next, Ok(Some(_)));
        next
    }

    async fn read(&mut self) -> Result<Option<T>, BodyError> {
        loop {
            while let Some(item) = self.cut() {
                let json = match self.framing {
                    Framing::Events(data) => event(&item, data)?,
                    _ => line(&item),
                };
                if let Some(json) = json {
                    return self.judge(json).map(Some);
                }
            }
            if self.drained {
                return Ok(None);
            }
            if self.buffer.len() > LONGEST {
                return Err(BodyError(Kind::TooLarge));
            }
            match self.bytes.next().await? {
                Some(bytes) => self.buffer.extend_from_slice(&bytes),
                None => self.drained = true,
            }
        }
    }

    /// The next item's bytes, if its end is there. What stands behind the last end counts as an item of a sequence of
    /// lines; an event that was not ended is none (HTML, 9.2.6).
    fn cut(&mut self) -> Option<BytesMut> {
        let rest = self.buffer.get(self.looked..).unwrap_or_default();
        let end = match self.framing {
            Framing::Events(_) => event_end(rest, self.drained).map(|(at, length)| (self.looked + at, length)),
            _ => rest.iter().position(|b| *b == b'\n').map(|at| (self.looked + at, 1)),
        };
        match end {
            Some((at, length)) => {
                let mut item = self.buffer.split_to((at + length).min(self.buffer.len()));
                item.truncate(at);
                self.looked = 0;
                Some(item)
            }
            None if self.drained && !self.buffer.is_empty() && !matches!(self.framing, Framing::Events(_)) => {
                self.looked = 0;
                Some(std::mem::take(&mut self.buffer))
            }
            None => {
                // An event's end may lie across what has come: it has at most four bytes.
                self.looked = self.buffer.len().saturating_sub(3);
                None
            }
        }
    }

    fn judge(&mut self, json: Vec<u8>) -> Result<T, BodyError> {
        let number = self.given;
        self.given += 1;
        if json.len() > LONGEST {
            return Err(BodyError(Kind::TooLarge));
        }
        let document =
            Document::parse(&json).map_err(|_| BodyError::malformed("an item of the body is not well-formed JSON"))?;
        let mut found = Violations::new();
        let root = document.root();
        found.scope(Scope::Body, root);
        let data = self.framing == Framing::Events(true);
        let judged = if data { data_of(root) } else { root };
        (self.check)(judged, &mut found);
        let item = if found.is_empty() { found.decode(root) } else { None };
        let item = item.ok_or_else(|| BodyError(Kind::Invalid(errors(&found, number), found.has_more())))?;
        let within = if data { "/data" } else { "" };
        match self.sieve.as_ref().and_then(|sieve| sieve.forbidden(judged, format!("/{number}{within}"))) {
            Some(pointer) => Err(BodyError(Kind::Forbidden(pointer))),
            None => Ok(item),
        }
    }
}

impl<T> fmt::Debug for ItemStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ItemStream").field("framing", &self.framing).field("given", &self.given).finish_non_exhaustive()
    }
}

/// The violations of the item with this number: pointers begin with it, as into an array.
fn errors(found: &Violations, number: u64) -> String {
    let mut out = String::from("[");
    for (i, violation) in found.list().iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        out.push_str("{\"in\":\"body\",\"pointer\":");
        quote(&format!("/{number}{}", violation.pointer), &mut out);
        for (key, text) in [("rule", violation.rule), ("detail", &violation.detail)] {
            out.push_str(",\"");
            out.push_str(key);
            out.push_str("\":");
            quote(text, &mut out);
        }
        out.push('}');
    }
    out.push(']');
    out
}

/// A line without its record separator; an empty one is no item.
fn line(item: &[u8]) -> Option<Vec<u8>> {
    let item = item.strip_prefix(b"\x1e").unwrap_or(item);
    let blank = item.iter().all(|b| matches!(b, b' ' | b'\t' | b'\r'));
    (!blank).then(|| item.to_vec())
}

/// Where an event ends: two ends of lines in a row, each `\n`, `\r\n` or `\r`. Gives the place of the first of them, and
/// the length of both. A `\r` at the very end may be half of `\r\n`, so more is waited for unless there is none.
fn event_end(bytes: &[u8], drained: bool) -> Option<(usize, usize)> {
    let line_end = |at: usize| match (bytes.get(at)?, bytes.get(at + 1)) {
        (b'\n', _) => Some(1),
        (b'\r', Some(b'\n')) => Some(2),
        (b'\r', None) if !drained => None,
        (b'\r', _) => Some(1),
        _ => None,
    };
    let mut at = 0;
    while let Some(ahead) = bytes.get(at..).and_then(|rest| rest.iter().position(|b| matches!(b, b'\n' | b'\r'))) {
        at += ahead;
        let first = line_end(at)?;
        if let Some(second) = line_end(at + first) {
            return Some((at, first + second));
        }
        at += first;
    }
    None
}

/// An event's fields as a JSON object; one without data is none (HTML, 9.2.6).
fn event(item: &[u8], data_is_json: bool) -> Result<Option<Vec<u8>>, BodyError> {
    let text = std::str::from_utf8(item).map_err(|_| BodyError::malformed("an event is not UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (mut kind, mut id, mut retry) = (None, None, None);
    let mut data: Option<String> = None;
    for line in text.replace("\r\n", "\n").split(['\n', '\r']) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "event" => kind = Some(value.to_owned()),
            "id" if !value.contains('\0') => id = Some(value.to_owned()),
            "retry" if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) => {
                retry = value.parse::<u64>().ok();
            }
            "data" => match &mut data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => data = Some(value.to_owned()),
            },
            _ => {}
        }
    }
    let Some(data) = data else { return Ok(None) };
    let mut out = String::from("{\"data\":");
    if data_is_json {
        // Judged alone before it joins the others, so that no text can add members to their object.
        Document::parse(data.as_bytes())
            .map_err(|_| BodyError::malformed("the data of an event is not well-formed JSON"))?;
        out.push_str(&data);
    } else {
        quote(&data, &mut out);
    }
    for (name, value) in [("event", kind), ("id", id)] {
        if let Some(value) = value {
            out.push_str(&format!(",\"{name}\":"));
            quote(&value, &mut out);
        }
    }
    if let Some(retry) = retry {
        out.push_str(&format!(",\"retry\":{retry}"));
    }
    out.push('}');
    Ok(Some(out.into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::super::events::Event;
    use super::super::stream::tests::{run, stream};
    use super::*;
    use crate::json::{Value, check};

    fn number(value: Value<'_>, found: &mut Violations) {
        check::types(value, found, check::INTEGER);
    }

    /// All items, and the words of the error that ends them.
    fn read<T: FromJson>(text: &str, framing: Framing, check: Check) -> (Vec<T>, Option<String>) {
        let mut all: Option<(Vec<T>, Option<String>)> = None;
        // However the network cuts it, it is the same.
        for size in [1, 2, 3, 7, 1_000] {
            let got = run(async {
                let mut items =
                    ItemStream::<T>::new(stream(text.as_bytes(), size, 1 << 24, false), framing, check, None);
                let mut got = Vec::new();
                loop {
                    match items.next().await {
                        Ok(Some(item)) => got.push(item),
                        Ok(None) => break (got, None),
                        Err(error) => {
                            assert!(items.next().await.unwrap().is_none());
                            let errors = match &error.0 {
                                Kind::Invalid(errors, _) => errors.clone(),
                                _ => error.to_string(),
                            };
                            break (got, Some(errors));
                        }
                    }
                }
            });
            if let Some(before) = &all {
                assert_eq!((before.0.len(), &before.1), (got.0.len(), &got.1), "frames of {size}");
            }
            all = Some(got);
        }
        all.unwrap()
    }

    #[test]
    fn lines_and_sequences() {
        let lines = |text: &str| read::<i64>(text, Framing::Lines, number);
        assert_eq!(lines("1\n2\r\n\n 3 \n4"), (vec![1, 2, 3, 4], None));
        assert_eq!(lines(""), (vec![], None));
        let (got, error) = lines("1\n\"a\"\n3\n");
        assert_eq!(got, [1]);
        assert!(error.unwrap().contains(r#""pointer":"/1","rule":"type""#));
        assert_eq!(lines("1\n{\n").1.unwrap(), "an item of the body is not well-formed JSON");
        assert_eq!(lines("1 2\n").1.unwrap(), "an item of the body is not well-formed JSON");
        assert_eq!(read::<i64>("\u{1e}1\n\u{1e}2\n", Framing::Sequence, number), (vec![1, 2], None));
    }

    #[test]
    fn a_line_without_end_is_not_kept_for_ever() {
        run(async {
            let text = vec![b' '; LONGEST + 10_000];
            let mut items = ItemStream::<i64>::new(stream(&text, 10_000, 1 << 24, true), Framing::Lines, number, None);
            assert!(items.next().await.unwrap_err().is_too_large());
        });
    }

    #[test]
    fn events() {
        fn any(_: Value<'_>, _: &mut Violations) {}
        let text = ": hello\n\ndata: a\ndata:b\nid: 7\nevent: k\nretry: 5\n\r\ndata\r\rid: 8\n\ndata: lost";
        let (got, error) = read::<Event<String>>(text, Framing::Events(false), any);
        assert_eq!(error, None);
        let first = Event { data: "a\nb".into(), event: Some("k".into()), id: Some("7".into()), retry: Some(5) };
        assert_eq!(got, [first, Event::new(String::new())]);
        let (got, error) = read::<Event<i64>>("data: 1\n\ndata: x\n\n", Framing::Events(true), number);
        assert_eq!(got, [Event::new(1)]);
        assert!(error.is_some());
        let forged = "data: 1,\"id\":\"x\"\n\n";
        assert!(read::<Event<i64>>(forged, Framing::Events(true), number).1.is_some());
    }
}
