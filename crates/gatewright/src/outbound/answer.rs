//! What comes back: an answer as one of those that the document declares, or what is wrong with it.

use std::fmt;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap};
use http::{StatusCode, header};

use crate::json::{Check, Document, FromJson, Limits, Violations};
use crate::params::media;

/// What came back, with its body as it came or as what the document declares.
#[derive(Clone, Debug)]
pub struct Received<B = Bytes> {
    /// The status; a redirect is one as any other.
    pub status: StatusCode,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: B,
}

/// The answers that a webhook or callback declares. Generated; [`Bytes`] where it declares none.
pub trait Answer: Sized {
    /// The media types that are asked for in `Accept`; none where nothing with a body is declared.
    const ACCEPT: &'static [&'static str];

    /// The declared answer that this is.
    ///
    /// # Errors
    /// It is none of them.
    fn read(received: &Received) -> Result<Self, Misfit>;
}

impl Answer for Bytes {
    const ACCEPT: &'static [&'static str] = &[];

    fn read(received: &Received) -> Result<Bytes, Misfit> {
        Ok(received.body.clone())
    }
}

/// Why an answer is none of those that are declared.
#[derive(Debug)]
pub enum Misfit {
    /// Its status is not declared.
    Status,
    /// Its media type is not declared for its status, or its text is not in UTF-8, or it has a `Content-Encoding`.
    MediaType,
    /// Its body is no JSON, XML or text.
    Malformed(String),
    /// Its body breaks what the schema asks. Values are never repeated.
    Invalid(Box<Violations>),
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Misfit::Status => f.write_str("its status is not declared"),
            Misfit::MediaType => f.write_str("its media type is not declared"),
            Misfit::Malformed(why) => write!(f, "its body cannot be read: {why}"),
            Misfit::Invalid(found) => {
                f.write_str("its body breaks its schema")?;
                for (i, violation) in found.list().iter().take(3).enumerate() {
                    let (between, pointer) = (if i == 0 { ": " } else { ", " }, &violation.pointer);
                    write!(f, "{between}`{pointer}` {}", violation.detail)?;
                }
                Ok(())
            }
        }
    }
}

/// What a body is read as; `None` is for another of the declared media types. Called by generated code.
impl Received {
    /// A response that declares no body: what comes nevertheless is not looked at.
    ///
    /// # Errors
    /// There are none.
    #[doc(hidden)]
    pub fn nothing(&self) -> Result<Option<()>, Misfit> {
        Ok(Some(()))
    }

    /// The body as it came.
    ///
    /// # Errors
    /// There are none.
    #[doc(hidden)]
    pub fn bytes(&self, types: &[&str]) -> Result<Option<Bytes>, Misfit> {
        Ok(self.is_one_of(types).then(|| self.body.clone()))
    }

    /// The body as text.
    ///
    /// # Errors
    /// It is not in UTF-8.
    #[doc(hidden)]
    pub fn text(&self, types: &[&str]) -> Result<Option<String>, Misfit> {
        if !self.is_text_of(types)? {
            return Ok(None);
        }
        let text = std::str::from_utf8(&self.body).map_err(|e| Misfit::Malformed(e.to_string()))?;
        Ok(Some(text.to_owned()))
    }

    /// The body as JSON that holds what its schema asks.
    ///
    /// # Errors
    /// It is no JSON, or does not.
    #[doc(hidden)]
    pub fn json<T: FromJson>(&self, types: &[&str], check: Check) -> Result<Option<T>, Misfit> {
        if !self.is_text_of(types)? {
            return Ok(None);
        }
        checked(&self.body, check).map(Some)
    }

    /// The body as XML that holds what its schema asks.
    ///
    /// # Errors
    /// It is no XML, or does not.
    #[cfg(feature = "xml")]
    #[doc(hidden)]
    pub fn xml<T: FromJson>(
        &self,
        types: &[&str],
        table: &'static crate::body::XmlTable,
        check: Check,
    ) -> Result<Option<T>, Misfit> {
        if !self.is_text_of(types)? {
            return Ok(None);
        }
        let text = std::str::from_utf8(&self.body).map_err(|e| Misfit::Malformed(e.to_string()))?;
        let json = crate::body::read_xml(table, text).map_err(|why| Misfit::Malformed(format!("it {why}")))?;
        checked(json.as_bytes(), check).map(Some)
    }

    /// As [`is_one_of`](Self::is_one_of), for what we read as text.
    fn is_text_of(&self, types: &[&str]) -> Result<bool, Misfit> {
        if !self.is_one_of(types) {
            return Ok(false);
        }
        let coded = self.headers.get_all(header::CONTENT_ENCODING).iter();
        let coded = coded.map(http::HeaderValue::as_bytes).any(|v| !v.eq_ignore_ascii_case(b"identity"));
        let charset = self.content_type().is_none_or(media::utf8);
        if coded || !charset { Err(Misfit::MediaType) } else { Ok(true) }
    }

    /// Whether it is of one of these media types, or does not say of which (RFC 9110, 8.3: then it is for us to assume).
    fn is_one_of(&self, types: &[&str]) -> bool {
        if !self.headers.contains_key(CONTENT_TYPE) {
            return true;
        }
        self.content_type().is_some_and(|own| types.iter().any(|range| media::within(own, range)))
    }

    fn content_type(&self) -> Option<&str> {
        let mut all = self.headers.get_all(CONTENT_TYPE).iter();
        let (first, None) = (all.next(), all.next()) else { return None };
        first?.to_str().ok()
    }
}

fn checked<T: FromJson>(text: &[u8], check: Check) -> Result<T, Misfit> {
    let document =
        Document::parse_owned(text.to_vec(), &Limits::default()).map_err(|e| Misfit::Malformed(e.to_string()))?;
    let (root, mut found) = (document.root(), Violations::new());
    found.scope(crate::json::Scope::Body, root);
    check(root, &mut found);
    if found.is_empty()
        && let Some(value) = found.decode(root)
    {
        return Ok(value);
    }
    Err(Misfit::Invalid(Box::new(found)))
}
