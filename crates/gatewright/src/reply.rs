//! What a handler answers: from the operation's own types to a response, by way of one small builder.

use axum::body::Body;
use gatewright_policy::Refusal;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, SET_COOKIE, VARY};

use crate::answer::Fields;
use crate::body::{BodyError, Events, Framing, Lines};
use crate::guard::Sieve;
use crate::json::{self, ToJson};
use crate::params::{Style, media, write};
use crate::principal::ClaimUnfit;
use crate::{Internal, Problem, Refused};

/// A response on its way out of a handler.
#[derive(Debug)]
pub struct Reply {
    pub(crate) outcome: Outcome,
    pub(crate) headers: Fields,
}

#[derive(Debug)]
pub(crate) enum Outcome {
    /// Status and body.
    Plain(StatusCode, Body),
    /// Values that are no plain JSON when they are sent: they become a body once it is known who sees it.
    Values(StatusCode, Values),
    /// One of several media types, to be written as the caller likes best.
    Chosen(Box<Chosen>),
    /// A problem that the handler declared: rendered as all problems are.
    Problem(Box<Problem>),
    /// What went wrong is logged and never printed.
    Internal(Internal),
    /// Refused after all.
    Refused(Refused),
}

/// A value that can be written in several media types.
pub(crate) struct Chosen {
    types: &'static [&'static str],
    write: Box<dyn FnOnce(usize, &'static str) -> Reply + Send>,
}

impl std::fmt::Debug for Chosen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Chosen").field(&self.types).finish()
    }
}

/// Values on their way to a body, which leave out what a sieve says.
pub(crate) struct Values(Box<dyn FnOnce(Option<Sieve>) -> Result<Body, Internal> + Send>);

impl Values {
    pub(crate) fn body(self, sieve: Option<Sieve>) -> Result<Body, Internal> {
        (self.0)(sieve)
    }
}

impl std::fmt::Debug for Values {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Values")
    }
}

/// Something that a handler may answer.
pub trait IntoReply {
    /// The response.
    fn into_reply(self) -> Reply;
}

impl IntoReply for Reply {
    fn into_reply(self) -> Reply {
        self
    }
}

impl<T: IntoReply, E: IntoReply> IntoReply for Result<T, E> {
    fn into_reply(self) -> Reply {
        match self {
            Ok(response) => response.into_reply(),
            Err(error) => error.into_reply(),
        }
    }
}

impl IntoReply for Internal {
    fn into_reply(self) -> Reply {
        if self.downcast_ref::<ClaimUnfit>().is_some() {
            return Reply::of(Outcome::Refused(Refused::new(Refusal::ClaimMismatch).because(self.for_log())));
        }
        if let Some(error) = self.downcast_ref::<BodyError>() {
            return Reply::of(Outcome::Refused(error.refused()));
        }
        Reply::of(Outcome::Internal(self))
    }
}

impl IntoReply for Problem {
    fn into_reply(self) -> Reply {
        Reply::of(Outcome::Problem(Box::new(self)))
    }
}

impl IntoReply for std::convert::Infallible {
    fn into_reply(self) -> Reply {
        match self {}
    }
}

impl Reply {
    fn of(outcome: Outcome) -> Reply {
        Reply { outcome, headers: Fields::default() }
    }

    /// No body.
    pub fn empty(status: u16) -> Reply {
        Reply::sent(status, Body::empty())
    }

    /// A JSON body of this media type.
    pub fn json<T: ToJson>(status: u16, media_type: &'static str, body: &T) -> Reply {
        match json::to_vec(body) {
            Ok(text) => Reply::sent(status, Body::from(text)).typed(media_type),
            Err(error) => Internal::new(error).into_reply(),
        }
    }

    /// A body of this media type as it stands.
    pub fn body(status: u16, media_type: &'static str, body: impl Into<Body>) -> Reply {
        Reply::sent(status, body.into()).typed(media_type)
    }

    /// A value in the one of these media types that the caller likes best (RFC 9110, 12.5.1), the first where it does not
    /// matter: `write` is given its index and itself. For operations whose facts say [`negotiated`](crate::Meta::negotiated).
    pub fn chosen(
        types: &'static [&'static str],
        write: impl FnOnce(usize, &'static str) -> Reply + Send + 'static,
    ) -> Reply {
        Reply::of(Outcome::Chosen(Box::new(Chosen { types, write: Box::new(write) })))
    }

    /// The reply as these `Accept` fields like it best.
    pub(crate) fn settled(self, accept: &[HeaderValue]) -> Reply {
        let (chosen, headers) = match self {
            Reply { outcome: Outcome::Chosen(chosen), headers } => (chosen, headers),
            reply => return reply,
        };
        // Where nothing is acceptable it is an error's answer: what would have succeeded was judged before.
        let best = media::best(accept.iter(), chosen.types).unwrap_or(0);
        let name = chosen.types.get(best).copied().unwrap_or_default();
        let mut reply = (chosen.write)(best, name).extended(headers);
        reply.headers.append(VARY, HeaderValue::from_static("accept"));
        reply
    }

    /// An XML body of this media type, as the table says.
    #[cfg(feature = "xml")]
    pub fn xml<T: ToJson>(
        status: u16,
        media_type: &'static str,
        table: &'static crate::body::XmlTable,
        body: &T,
    ) -> Reply {
        match json::to_vec(body) {
            Ok(json) => {
                let write = move |sieve: Option<Sieve>| {
                    let json = match sieve {
                        Some(sieve) => sieve.visible(json, false)?,
                        None => json,
                    };
                    crate::body::write_xml(table, &json).map(Body::from)
                };
                Reply::values(status, write).typed(media_type)
            }
            Err(error) => Internal::new(error).into_reply(),
        }
    }

    /// Items as JSON Lines of this media type.
    pub fn lines<T: ToJson + Send + 'static>(status: u16, media_type: &'static str, items: Lines<T>) -> Reply {
        Reply::values(status, |sieve| Ok(Body::new(items.into_body(Framing::Lines, sieve)))).typed(media_type)
    }

    /// Items as a JSON text sequence (RFC 7464) of this media type.
    pub fn sequence<T: ToJson + Send + 'static>(status: u16, media_type: &'static str, items: Lines<T>) -> Reply {
        Reply::values(status, |sieve| Ok(Body::new(items.into_body(Framing::Sequence, sieve)))).typed(media_type)
    }

    /// Server-sent events.
    pub fn events<T: ToJson + Send + 'static>(status: u16, media_type: &'static str, events: Events<T>) -> Reply {
        Reply::values(status, |sieve| Ok(Body::new(events.into_body(sieve)))).typed(media_type)
    }

    /// A body of a media type that the handler chose within the declared range (`image/*`).
    pub fn media(status: u16, range: &'static str, media: Media) -> Reply {
        match HeaderValue::from_str(&media.media_type) {
            Ok(value) if crate::params::media::within(&media.media_type, range) => {
                let mut reply = Reply::sent(status, media.body);
                reply.headers.insert(CONTENT_TYPE, value);
                reply
            }
            _ => Internal::new("a handler answered a media type that the operation does not declare").into_reply(),
        }
    }

    /// A problem under this status.
    pub fn problem(status: u16, problem: Problem) -> Reply {
        match StatusCode::from_u16(status) {
            Ok(status) => Problem { status, ..problem }.into_reply(),
            Err(_) => Internal::new("a handler answered a status that HTTP does not have").into_reply(),
        }
    }

    /// The status a handler gave to a response for a whole class (`4XX`), or for `default`. Another class is our fault.
    pub fn in_class(status: StatusCode, class: Option<u8>) -> Result<u16, Reply> {
        match class {
            Some(class) if status.as_u16() / 100 != u16::from(class) => {
                Err(Internal::new("a handler answered a status outside the declared class").into_reply())
            }
            _ => Ok(status.as_u16()),
        }
    }

    /// The reply with its values as a body, where every caller sees all of them.
    pub(crate) fn opened(self) -> Reply {
        match self {
            Reply { outcome: Outcome::Values(status, values), headers } => match values.body(None) {
                Ok(body) => Reply { outcome: Outcome::Plain(status, body), headers },
                Err(error) => error.into_reply(),
            },
            reply => reply,
        }
    }

    /// Whether its body is values in another form than JSON, in which nobody can look for what to leave out.
    pub(crate) fn holds_other_values(&self) -> bool {
        let of_values =
            |value: &HeaderValue| value.to_str().is_ok_and(|text| media::is_of_values(text) && !media::is_json(text));
        self.headers.iter().any(|(name, value)| *name == CONTENT_TYPE && of_values(value))
    }

    fn values(status: u16, write: impl FnOnce(Option<Sieve>) -> Result<Body, Internal> + Send + 'static) -> Reply {
        Reply::with(status, |status| Outcome::Values(status, Values(Box::new(write))))
    }

    fn sent(status: u16, body: Body) -> Reply {
        Reply::with(status, |status| Outcome::Plain(status, body))
    }

    fn with(status: u16, outcome: impl FnOnce(StatusCode) -> Outcome) -> Reply {
        match StatusCode::from_u16(status) {
            Ok(status) => Reply::of(outcome(status)),
            Err(_) => Internal::new("a handler answered a status that HTTP does not have").into_reply(),
        }
    }

    fn typed(mut self, media_type: &'static str) -> Reply {
        // A document can name a media type that HTTP cannot carry; the compiler refuses it, and this does not panic.
        if let Ok(value) = HeaderValue::from_maybe_shared(axum::body::Bytes::from_static(media_type.as_bytes())) {
            self.headers.insert(CONTENT_TYPE, value);
        }
        self
    }

    /// Sets a header field of this name to a declared value; `None` sets none. A text that HTTP cannot carry (control
    /// characters) makes the reply an internal error rather than a split response.
    #[must_use]
    pub fn header<T: ToHeader + ?Sized>(mut self, name: &'static str, value: &T) -> Reply {
        let Some(text) = value.to_header() else { return self };
        match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&text)) {
            (Ok(name), Ok(value)) => {
                self.headers.insert(name, value);
                self
            }
            _ => Internal::new("a response header holds what HTTP cannot carry").into_reply(),
        }
    }

    pub(crate) fn extended(mut self, more: Fields) -> Reply {
        self.headers.extend(more);
        self
    }
}

/// A body and its media type, where the document declares a range.
#[derive(Debug)]
pub struct Media {
    /// The media type: `image/png`.
    pub media_type: String,
    /// The body.
    pub body: Body,
}

/// A declared response with header fields that the document does not declare.
#[derive(Debug)]
pub struct With<R> {
    inner: R,
    headers: Fields,
}

impl<R> With<R> {
    /// The same header fields around another response: for a `From` between two versions' answers.
    #[must_use]
    pub fn map<S>(self, response: impl FnOnce(R) -> S) -> With<S> {
        With { inner: response(self.inner), headers: self.headers }
    }
}

impl<R: IntoReply> IntoReply for With<R> {
    fn into_reply(self) -> Reply {
        self.inner.into_reply().extended(self.headers)
    }
}

/// Adds header fields and cookies to a declared response.
pub trait ResponseExt: Sized {
    /// Wraps the response; generated.
    #[doc(hidden)]
    fn wrap(with: With<Self>) -> Self;

    /// Adds a header field. May be called again, for the same name too.
    #[must_use]
    fn with_header(self, name: HeaderName, value: HeaderValue) -> Self {
        let mut headers = Fields::default();
        headers.append(name, value);
        Self::wrap(With { inner: self, headers })
    }

    /// Adds a cookie.
    #[must_use]
    fn with_cookie(self, cookie: Cookie) -> Self {
        self.with_header(SET_COOKIE, cookie.value)
    }
}

/// The errors of an operation that declares none: what broke on our side.
#[derive(Debug)]
pub enum NoError {
    /// Something broke on our side: 500; the cause is logged and never shown.
    Internal(Internal),
    /// The same, with more header fields: made by `with_header` and `with_cookie`.
    With(Box<With<NoError>>),
}

impl IntoReply for NoError {
    fn into_reply(self) -> Reply {
        match self {
            NoError::Internal(error) => error.into_reply(),
            NoError::With(with) => with.into_reply(),
        }
    }
}

impl ResponseExt for NoError {
    fn wrap(with: With<Self>) -> Self {
        NoError::With(Box::new(with))
    }
}

impl From<Internal> for NoError {
    fn from(error: Internal) -> Self {
        NoError::Internal(error)
    }
}

impl From<BodyError> for NoError {
    fn from(error: BodyError) -> Self {
        NoError::Internal(error.into())
    }
}

/// A `Set-Cookie` (RFC 6265) with the safe attributes: `Secure; HttpOnly; SameSite=Lax; Path=/`.
#[derive(Clone, Debug)]
pub struct Cookie {
    value: HeaderValue,
}

impl Cookie {
    /// A cookie for the session of the browser; `None` if name or value hold what a cookie cannot.
    pub fn new(name: &str, value: &str) -> Option<Cookie> {
        Cookie::made(name, value, "")
    }

    /// A cookie for so many seconds.
    pub fn lasting(name: &str, value: &str, seconds: u32) -> Option<Cookie> {
        Cookie::made(name, value, &format!("; Max-Age={seconds}"))
    }

    fn made(name: &str, value: &str, age: &str) -> Option<Cookie> {
        if !write::is_token(name) || !write::is_cookie_value(value) {
            return None;
        }
        let text = format!("{name}={value}; Secure; HttpOnly; SameSite=Lax; Path=/{age}");
        HeaderValue::from_str(&text).ok().map(|value| Cookie { value })
    }
}

/// A value that a header field can carry (style `simple`).
pub trait ToHeader {
    /// Its text; `None` sends no field.
    fn to_header(&self) -> Option<String>;
}

impl ToHeader for str {
    fn to_header(&self) -> Option<String> {
        Some(self.to_owned())
    }
}

impl ToHeader for String {
    fn to_header(&self) -> Option<String> {
        Some(self.clone())
    }
}

impl<T: ToHeader> ToHeader for Option<T> {
    fn to_header(&self) -> Option<String> {
        self.as_ref().and_then(T::to_header)
    }
}

impl<T: ToHeader> ToHeader for Vec<T> {
    fn to_header(&self) -> Option<String> {
        Some(self.iter().filter_map(T::to_header).collect::<Vec<_>>().join(","))
    }
}

macro_rules! to_header {
    ($($type:ty)*) => { $(
        impl ToHeader for $type {
            fn to_header(&self) -> Option<String> {
                Some(self.to_string())
            }
        }
    )* };
}
to_header!(bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64);

/// A value in a header field as OpenAPI's style `simple` writes it: a text bare, a list and the names and values of an object
/// between commas.
#[derive(Debug)]
pub struct JsonHeader<'v, T>(pub &'v T);

impl<T: ToJson> ToHeader for JsonHeader<'_, T> {
    fn to_header(&self) -> Option<String> {
        write::header(&write::document(self.0).ok()?, Style::Simple, false)
    }
}

/// As [`JsonHeader`], with `explode`: an object as `name=value` between commas.
#[derive(Debug)]
pub struct HeaderPairs<'v, T>(pub &'v T);

impl<T: ToJson> ToHeader for HeaderPairs<'_, T> {
    fn to_header(&self) -> Option<String> {
        write::header(&write::document(self.0).ok()?, Style::Simple, true)
    }
}

/// A value in a header field whose `content` is JSON.
#[derive(Debug)]
pub struct HeaderJson<'v, T>(pub &'v T);

impl<T: ToJson> ToHeader for HeaderJson<'_, T> {
    fn to_header(&self) -> Option<String> {
        write::header(&write::document(self.0).ok()?, Style::Json, false)
    }
}
