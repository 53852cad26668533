//! From an admitted request to values: parameters in every style of OpenAPI, bodies by media type. What generated code
//! reads from is [`Input`]; what it is read by are the constant tables in [`spec`].

mod form;
pub(crate) mod gather;
pub(crate) mod media;
pub mod spec;
pub(crate) mod text;
pub(crate) mod write;

use smallvec::SmallVec;

pub use spec::{
    BodySpec, Encoded, MediaSpec, ParameterSpec, Place, Read, Shape, Style, cookie, header, kinds, path, query,
    query_string,
};

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};

use crate::body::{Boundary, ByteStream, Framing, ItemStream, Parts};
use crate::guard::Sieve;
use crate::json::{Check, Document, FromJson, Limits, Scope, Value, Violations};
use crate::operation::Meta;

pub(crate) use form::form;
use gather::{Gathered, Presence, Wrong};

/// Everything that came with an admitted request, not yet judged.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) parameters: Option<Document>,
    pub(crate) at: SmallVec<[Presence; 4]>,
    pub(crate) body: Sent,
}

/// What the body is.
#[derive(Debug)]
pub(crate) enum Sent {
    /// There is none.
    Nothing,
    /// A JSON document, also made of a form or a text; of the declared media type with this index.
    Json(usize, Document),
    /// Not read yet: the handler will. A multipart body has its boundary with it. Taken once.
    Stream(usize, Mutex<Option<(ByteStream, Option<Boundary>)>>),
    /// What is wrong with it has been noted.
    Wrong,
}

impl Received {
    /// Puts parameters and body together, and notes in `found` what is wrong with a parameter as a whole.
    pub(crate) fn new(gathered: Gathered, body: Sent, found: &mut Violations) -> Received {
        for Wrong { place, name, rule, detail } in gathered.wrong {
            found.scope_of_absent(scope(place, name));
            found.add(rule, detail);
        }
        let json = gathered.json.into_bytes();
        let parameters = if json.len() > 2 { Document::parse_owned(json, &Limits::default()).ok() } else { None };
        Received { parameters, at: gathered.at, body }
    }
}

impl Received {
    /// The parameters that were sent, with their values; not those that have their defaults.
    pub(crate) fn sent<'r>(
        &'r self,
        specs: &'static [ParameterSpec],
    ) -> impl Iterator<Item = (&'static ParameterSpec, Value<'r>)> {
        specs.iter().zip(&self.at).filter_map(|(spec, presence)| {
            let Presence::At(at) = presence else { return None };
            Some((spec, self.parameters.as_ref()?.root().items().nth(*at)?))
        })
    }
}

fn scope(place: Place, name: Cow<'static, str>) -> Scope {
    match place {
        Place::Path => Scope::Path(name),
        Place::Query => Scope::Query(name),
        Place::QueryString => Scope::QueryString,
        Place::Header => Scope::Header(name),
        Place::Cookie => Scope::Cookie(name),
    }
}

/// An admitted request, as [`Operation::read`](crate::Operation::read) sees it. Each method gives `None` where a
/// violation stands in `found`.
#[derive(Debug)]
pub struct Input<'a> {
    pub(crate) meta: &'static Meta,
    pub(crate) received: &'a Received,
    /// What its caller may not send within an item of its body.
    pub(crate) items: Option<Sieve>,
}

impl<'a> Input<'a> {
    /// The parameter with this index in the operation's table; it is required or has a default.
    pub fn required<T: FromJson>(&self, index: usize, found: &mut Violations) -> Option<T> {
        self.optional(index, found)?
    }

    /// The parameter with this index in the operation's table.
    #[allow(clippy::option_option)]
    pub fn optional<T: FromJson>(&self, index: usize, found: &mut Violations) -> Option<Option<T>> {
        match self.parameter(index, found) {
            Looked::Value(value) => found.decode(value).map(Some),
            Looked::Absent => Some(None),
            Looked::Wrong => None,
        }
    }

    fn parameter(&self, index: usize, found: &mut Violations) -> Looked<'a> {
        let (Some(spec), Some(presence)) = (self.meta.parameters.get(index), self.received.at.get(index)) else {
            return Looked::Wrong;
        };
        match presence {
            Presence::Absent => Looked::Absent,
            Presence::Wrong => Looked::Wrong,
            Presence::At(at) | Presence::Default(at) => {
                let place = scope(spec.place, Cow::Borrowed(spec.name));
                let value = self.received.parameters.as_ref().and_then(|d| d.root().items().nth(*at));
                let Some(value) = value else {
                    found.scope_of_absent(place);
                    found.add("style", "is not written as the operation declares");
                    return Looked::Wrong;
                };
                found.scope(place, value);
                checked(spec.check, value, found)
            }
        }
    }

    /// Which of the declared media types the body has; `None` without one.
    pub fn media(&self) -> Option<usize> {
        match &self.received.body {
            Sent::Json(index, _) | Sent::Stream(index, _) => Some(*index),
            Sent::Nothing | Sent::Wrong => None,
        }
    }

    /// Whether there is no body at all, and none is required.
    pub fn no_body(&self) -> bool {
        matches!(self.received.body, Sent::Nothing) && self.meta.body.is_none_or(|b| !b.required)
    }

    /// The body as a value: from JSON, a form, or a text.
    pub fn value<T: FromJson>(&self, found: &mut Violations) -> Option<T> {
        match self.body(found) {
            Looked::Value(value) => found.decode(value),
            Looked::Absent | Looked::Wrong => None,
        }
    }

    fn body(&self, found: &mut Violations) -> Looked<'a> {
        let Sent::Json(index, document) = &self.received.body else { return Looked::Wrong };
        let check = match self.how(*index) {
            Some(
                Read::Xml(_, check)
                | Read::Json(check)
                | Read::Form(_, _, check)
                | Read::Text(check)
                | Read::Parts(_, check),
            ) => check,
            _ => return Looked::Wrong,
        };
        let value = document.root();
        found.scope(Scope::Body, value);
        checked(check, value, found)
    }

    /// The value at a place of the JSON body (RFC 6901), for an `owner` that is named there.
    pub fn at<T: FromJson>(&self, pointer: &str, found: &mut Violations) -> Option<T> {
        let Sent::Json(_, document) = &self.received.body else { return None };
        found.scope(Scope::Body, document.root());
        match document.root().pointer(pointer) {
            Some(value) => found.decode(value),
            None => {
                found.add("required", "is missing");
                None
            }
        }
    }

    fn how(&self, media: usize) -> Option<Read> {
        self.meta.body?.content.get(media).map(|spec| spec.read)
    }

    fn stream(&self) -> Option<(Read, ByteStream, Option<Boundary>)> {
        let Sent::Stream(index, stream) = &self.received.body else { return None };
        let (bytes, boundary) = stream.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        Some((self.how(*index)?, bytes, boundary))
    }

    /// The body as bytes that are still to be read.
    pub fn bytes(&self) -> Option<ByteStream> {
        self.stream().map(|(_, bytes, _)| bytes)
    }

    /// The body as items that are still to be read.
    pub fn items<T: FromJson>(&self) -> Option<ItemStream<T>> {
        let (read, bytes, _) = self.stream()?;
        let (framing, check) = match read {
            Read::Lines(check) => (Framing::Lines, check),
            Read::Sequence(check) => (Framing::Sequence, check),
            Read::Events(check) => (Framing::Events(false), check),
            Read::DataEvents(check) => (Framing::Events(true), check),
            _ => return None,
        };
        Some(ItemStream::new(bytes, framing, check, self.items.clone()))
    }

    /// The body as parts that are still to be read.
    pub fn parts(&self) -> Option<Parts> {
        let (_, bytes, boundary) = self.stream()?;
        Some(Parts::new(bytes, boundary?))
    }
}

enum Looked<'a> {
    Value(Value<'a>),
    Absent,
    Wrong,
}

fn checked<'a>(check: Check, value: Value<'a>, found: &mut Violations) -> Looked<'a> {
    let before = found.list().len();
    check(value, found);
    // Behind the last violation that is kept nothing can be told, and nothing is decoded: the request is refused anyway.
    if found.list().len() == before && !found.has_more() { Looked::Value(value) } else { Looked::Wrong }
}
