//! What is sent: a typed webhook or callback as the parts of a request.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use super::Answer;
use crate::Internal;
use crate::body::Boundary;
use crate::json::{self, Document, ToJson};
use crate::params::media::within;
use crate::params::write::{self, encode};
use crate::params::{Encoded, Style};

/// A webhook or callback that the document declares. Generated.
pub trait Outgoing: Sync {
    /// The method.
    const METHOD: &'static str;
    /// What may come back.
    type Answer: Answer;
    /// Writes it.
    ///
    /// # Errors
    /// It holds what HTTP or its media type cannot say.
    fn write(&self, out: &mut Message) -> Result<(), Internal>;
}

/// A request on its way out, without its target.
#[derive(Debug, Default)]
pub struct Message {
    pub(super) headers: HeaderMap,
    /// As a form writes it; empty without parameters.
    pub(super) query: String,
    /// The `Cookie` field; empty without cookies.
    pub(super) cookies: String,
    pub(super) body: Bytes,
}

impl Message {
    /// Adds a header field in this style; an absent value adds none.
    ///
    /// # Errors
    /// HTTP cannot carry it.
    pub fn header<T: ToJson>(
        &mut self,
        name: &'static str,
        value: &T,
        style: Style,
        explode: bool,
    ) -> Result<(), Internal> {
        let Some(document) = document(value)? else { return Ok(()) };
        let Some(text) = write::header(&document, style, explode) else { return Ok(()) };
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(Internal::new)?;
        self.headers.append(name, HeaderValue::from_str(&text).map_err(Internal::new)?);
        Ok(())
    }

    /// Adds a query parameter in this style; an absent value adds none.
    ///
    /// # Errors
    /// It has no JSON form.
    pub fn query<T: ToJson>(
        &mut self,
        name: &'static str,
        value: &T,
        style: Style,
        explode: bool,
    ) -> Result<(), Internal> {
        if let Some(document) = document(value)? {
            write::query(name, document.root(), style, explode, &mut self.query);
        }
        Ok(())
    }

    /// Adds a cookie parameter in this style; an absent value adds none.
    ///
    /// # Errors
    /// It has no JSON form, or holds what no cookie can.
    pub fn cookie<T: ToJson>(
        &mut self,
        name: &'static str,
        value: &T,
        style: Style,
        explode: bool,
    ) -> Result<(), Internal> {
        match document(value)? {
            Some(document) => write::cookie(name, &document, style, explode, &mut self.cookies).map_err(Internal::new),
            None => Ok(()),
        }
    }

    /// The whole query (OpenAPI 3.2, `in: querystring`), as a form, JSON or text; an absent value leaves it empty.
    ///
    /// # Errors
    /// It has no JSON form, or is to be a form and no object.
    pub fn query_string<T: ToJson>(&mut self, value: &T, style: Style) -> Result<(), Internal> {
        match document(value)? {
            Some(document) => write::query_string(&document, style, &mut self.query).map_err(Internal::new),
            None => Ok(()),
        }
    }

    /// A JSON body of this media type.
    ///
    /// # Errors
    /// It holds what JSON cannot say.
    pub fn json<T: ToJson>(&mut self, media_type: &'static str, body: &T) -> Result<(), Internal> {
        let text = json::to_vec(body).map_err(Internal::new)?;
        self.body(media_type, text);
        Ok(())
    }

    /// An XML body of this media type.
    ///
    /// # Errors
    /// It holds what XML cannot say.
    #[cfg(feature = "xml")]
    pub fn xml<T: ToJson>(
        &mut self,
        media_type: &'static str,
        table: &'static crate::body::XmlTable,
        body: &T,
    ) -> Result<(), Internal> {
        let text = crate::body::write_xml(table, &json::to_vec(body).map_err(Internal::new)?)?;
        self.body(media_type, text);
        Ok(())
    }

    /// A form: the members of an object, as their `encoding` says, else those of an array each on its own.
    ///
    /// # Errors
    /// It is no object, or holds what JSON cannot say.
    pub fn form<T: ToJson>(&mut self, media_type: &'static str, body: &T, encoded: &[Encoded]) -> Result<(), Internal> {
        let document = write::document(body).map_err(Internal::new)?;
        let mut form = String::new();
        write::form(document.root(), encoded, &mut form).map_err(Internal::new)?;
        self.body(media_type, form);
        Ok(())
    }

    /// A body whose media type the document leaves open.
    ///
    /// # Errors
    /// It is not of the declared type or range; or a multipart body does not say its boundary (RFC 2046, 5.1.1).
    pub fn content(&mut self, declared: &'static str, body: &Content) -> Result<(), Internal> {
        let value = HeaderValue::from_str(&body.media_type).map_err(Internal::new)?;
        if !within(&body.media_type, declared) {
            return Err(Internal::new("a body is of a media type that the document does not declare"));
        }
        self.headers.insert(CONTENT_TYPE, value);
        if within(declared, "multipart/*") && Boundary::of(&self.headers).is_none() {
            return Err(Internal::new("the media type of a multipart body does not say its boundary"));
        }
        self.body = body.bytes.clone();
        Ok(())
    }

    /// A body of this media type as it stands.
    pub fn body(&mut self, media_type: &'static str, body: impl Into<Bytes>) {
        // A document can name a media type that HTTP cannot carry; the compiler refuses it, and this does not panic.
        if let Ok(value) = HeaderValue::from_str(media_type) {
            self.headers.insert(CONTENT_TYPE, value);
        }
        self.body = body.into();
    }
}

/// A body with its media type, where the document declares a range, or parts between boundaries.
#[derive(Clone, Debug)]
pub struct Content {
    /// The media type with its parameters: `image/png`, `multipart/form-data; boundary=b`.
    pub media_type: String,
    /// The body.
    pub bytes: Bytes,
}

/// A parameter's value as JSON; nothing for one that is absent.
fn document<T: ToJson>(value: &T) -> Result<Option<Document>, Internal> {
    if value.is_absent() { Ok(None) } else { write::document(value).map(Some).map_err(Internal::new) }
}

/// The URL of a callback from its expression: texts of the document, and values between them. A value that is the whole
/// URL, or its beginning, stands as it is; one within is a part of it, and is encoded.
pub fn target(pieces: &[Piece<'_>]) -> String {
    let mut url = String::new();
    for (i, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Text(text) => url.push_str(text),
            Piece::Value(value) if i == 0 => url.push_str(value),
            Piece::Value(value) => encode(value, &mut url),
        }
    }
    url
}

/// A piece of a callback's URL.
#[derive(Clone, Copy, Debug)]
pub enum Piece<'p> {
    /// Of the document.
    Text(&'static str),
    /// Of the request that asked for the callback, or its answer.
    Value(&'p str),
}
