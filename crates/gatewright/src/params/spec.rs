//! Parameters and bodies as the constant tables that generated code holds.

use crate::json::Check;

/// A parameter of an operation.
#[derive(Clone, Copy, Debug)]
pub struct ParameterSpec {
    /// The name on the wire.
    pub name: &'static str,
    /// Where it stands in a request.
    pub place: Place,
    /// How its value is written.
    pub style: Style,
    /// Whether each item or property stands alone.
    pub explode: bool,
    /// Whether a request without it is refused.
    pub required: bool,
    /// Whether `name=` counts as absent rather than as an empty value.
    pub allow_empty: bool,
    /// What JSON value its text becomes.
    pub shape: &'static Shape,
    /// The value that stands where it is absent, as JSON.
    pub default: Option<&'static str>,
    /// What its value must be.
    pub check: Check,
}

impl ParameterSpec {
    /// A parameter of the path, written plainly.
    #[must_use]
    pub const fn path(name: &'static str, shape: &'static Shape, check: Check) -> ParameterSpec {
        ParameterSpec::new(name, Place::Path, shape, check).style(Style::Simple, false).required()
    }

    /// A parameter of the query, written as forms are.
    #[must_use]
    pub const fn query(name: &'static str, shape: &'static Shape, check: Check) -> ParameterSpec {
        ParameterSpec::new(name, Place::Query, shape, check).style(Style::Form, true)
    }

    /// The whole query.
    #[must_use]
    pub const fn query_string(name: &'static str, shape: &'static Shape, check: Check) -> ParameterSpec {
        ParameterSpec::new(name, Place::QueryString, shape, check).style(Style::Form, true)
    }

    /// A header field, its name in lower case.
    #[must_use]
    pub const fn header(name: &'static str, shape: &'static Shape, check: Check) -> ParameterSpec {
        ParameterSpec::new(name, Place::Header, shape, check).style(Style::Simple, false)
    }

    /// A cookie.
    #[must_use]
    pub const fn cookie(name: &'static str, shape: &'static Shape, check: Check) -> ParameterSpec {
        ParameterSpec::new(name, Place::Cookie, shape, check).style(Style::Form, true)
    }

    const fn new(name: &'static str, place: Place, shape: &'static Shape, check: Check) -> ParameterSpec {
        let (style, explode) = (Style::Simple, false);
        ParameterSpec { name, place, style, explode, required: false, allow_empty: false, shape, default: None, check }
    }

    /// Written in another style than is usual there; the second says whether each item or property stands alone.
    #[must_use]
    pub const fn style(self, style: Style, explode: bool) -> ParameterSpec {
        ParameterSpec { style, explode, ..self }
    }

    /// A request without it is refused.
    #[must_use]
    pub const fn required(self) -> ParameterSpec {
        ParameterSpec { required: true, ..self }
    }

    /// A request without it has this value, as JSON.
    #[must_use]
    pub const fn default(self, json: &'static str) -> ParameterSpec {
        ParameterSpec { default: Some(json), ..self }
    }

    /// `name=` counts as absent.
    #[must_use]
    pub const fn allow_empty(self) -> ParameterSpec {
        ParameterSpec { allow_empty: true, ..self }
    }
}

/// [`ParameterSpec::path`], as generated code calls it.
#[must_use]
pub const fn path(name: &'static str, shape: &'static Shape, check: Check) -> ParameterSpec {
    ParameterSpec::path(name, shape, check)
}

/// [`ParameterSpec::query`], as generated code calls it.
#[must_use]
pub const fn query(name: &'static str, shape: &'static Shape, check: Check) -> ParameterSpec {
    ParameterSpec::query(name, shape, check)
}

/// [`ParameterSpec::query_string`], as generated code calls it.
#[must_use]
pub const fn query_string(name: &'static str, shape: &'static Shape, check: Check) -> ParameterSpec {
    ParameterSpec::query_string(name, shape, check)
}

/// [`ParameterSpec::header`], as generated code calls it.
#[must_use]
pub const fn header(name: &'static str, shape: &'static Shape, check: Check) -> ParameterSpec {
    ParameterSpec::header(name, shape, check)
}

/// [`ParameterSpec::cookie`], as generated code calls it.
#[must_use]
pub const fn cookie(name: &'static str, shape: &'static Shape, check: Check) -> ParameterSpec {
    ParameterSpec::cookie(name, shape, check)
}

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// A header field.
    Header,
    /// A cookie.
    Cookie,
    /// The whole query (3.2).
    QueryString,
}

impl Place {
    /// What messages and tables call it; the whole query is the query too.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Place::Path => "path",
            Place::Query | Place::QueryString => "query",
            Place::Header => "header",
            Place::Cookie => "cookie",
        }
    }
}

/// How a parameter's value is written (OpenAPI, style values).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `;a=1;b=2`
    Matrix,
    /// `.1.2`
    Label,
    /// `1,2`
    Simple,
    /// `a=1&a=2`
    Form,
    /// `1%202`
    SpaceDelimited,
    /// `1|2`
    PipeDelimited,
    /// `a[x]=1&a[y]=2`
    DeepObject,
    /// `a=1; b=2`, not percent-encoded (3.2)
    Cookie,
    /// A JSON text (`content`).
    Json,
    /// Text of another media type (`content`): a string.
    Text,
}

/// What JSON value a text becomes. A parameter has no type on the wire: what the schema admits decides.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// The JSON types that the schema admits, as [`kinds`].
    pub kinds: u8,
    /// Of the items, if an array is admitted.
    pub items: Option<&'static Shape>,
    /// Of the declared properties, if an object is admitted.
    pub properties: &'static [(&'static str, Shape)],
    /// Of other properties; `None` where there can be none.
    pub additional: Option<&'static Shape>,
}

/// The JSON types of a [`Shape`], to be or-ed.
pub mod kinds {
    /// `null`: an empty text.
    pub const NULL: u8 = 1;
    /// `true` and `false`.
    pub const BOOLEAN: u8 = 2;
    /// Numbers, written as JSON writes them.
    pub const NUMBER: u8 = 4;
    /// Any text.
    pub const STRING: u8 = 8;
    /// Arrays.
    pub const ARRAY: u8 = 16;
    /// Objects.
    pub const OBJECT: u8 = 32;
}

impl Shape {
    /// Any text.
    pub const TEXT: Shape = Shape::scalar(kinds::STRING);
    /// A number.
    pub const NUMBER: Shape = Shape::scalar(kinds::NUMBER);
    /// `true` or `false`.
    pub const BOOLEAN: Shape = Shape::scalar(kinds::BOOLEAN);

    /// One text of these kinds.
    pub const fn scalar(kinds: u8) -> Shape {
        Shape { kinds, items: None, properties: &[], additional: None }
    }

    /// An array.
    pub const fn array(items: &'static Shape) -> Shape {
        Shape { kinds: kinds::ARRAY, items: Some(items), properties: &[], additional: None }
    }

    /// An object with these declared properties, and no others.
    pub const fn object(properties: &'static [(&'static str, Shape)]) -> Shape {
        Shape { kinds: kinds::OBJECT, items: None, properties, additional: None }
    }

    /// Other properties too.
    #[must_use]
    pub const fn others(self, additional: &'static Shape) -> Shape {
        Shape { additional: Some(additional), ..self }
    }

    pub(crate) const fn is_array(&self) -> bool {
        self.kinds & kinds::ARRAY != 0
    }

    pub(crate) const fn is_object(&self) -> bool {
        self.kinds & kinds::OBJECT != 0
    }

    /// Whether it is more than one text.
    pub(crate) const fn is_deep(&self) -> bool {
        self.is_array() || self.is_object()
    }

    /// The shape of a member with this name.
    pub(crate) fn member(&self, name: &str) -> &Shape {
        let declared = self.properties.iter().find(|(n, _)| *n == name).map(|(_, shape)| shape);
        declared.or(self.additional).unwrap_or(&Shape::TEXT)
    }
}

/// The body of an operation.
#[derive(Clone, Copy, Debug)]
pub struct BodySpec {
    /// Whether a request without one is refused.
    pub required: bool,
    /// Each declared media type, in the document's order.
    pub content: &'static [MediaSpec],
}

/// One media type of a body.
#[derive(Clone, Copy, Debug)]
pub struct MediaSpec {
    /// The type in lower case without parameters; `*` may stand for a part (`image/*`, `*/*`).
    pub media_type: &'static str,
    /// What is read of it.
    pub read: Read,
}

/// How a field of a form is written (`encoding`).
#[derive(Clone, Copy, Debug)]
pub struct Encoded {
    /// The field's name.
    pub name: &'static str,
    /// Its style; [`Style::Json`] for a field that is a JSON text.
    pub style: Style,
    /// Whether each item is a field of its own.
    pub explode: bool,
}

impl MediaSpec {
    /// What is read of bodies of this type.
    #[must_use]
    pub const fn new(media_type: &'static str, read: Read) -> MediaSpec {
        MediaSpec { media_type, read }
    }
}

/// What is read of a body.
#[derive(Clone, Copy, Debug)]
pub enum Read {
    /// A JSON document, with what it must be.
    Json(Check),
    /// A form (`application/x-www-form-urlencoded`), as a JSON object of this shape, with how its fields are written where
    /// that is said, and what the object must be.
    Form(&'static Shape, &'static [Encoded], Check),
    /// UTF-8 text: a JSON string, with what that must be.
    Text(Check),
    /// A form of parts (`multipart/form-data`), as a JSON object with its files beside it.
    Parts(&'static crate::body::FormSpec, Check),
    /// XML, as the JSON value that this table makes of it. Needs the feature `xml`.
    Xml(&'static crate::body::XmlTable, Check),
    /// A multipart body that the handler reads part by part.
    Multipart,
    /// JSON Lines, each item checked when the handler asks for it.
    Lines(Check),
    /// A JSON text sequence (RFC 7464), likewise.
    Sequence(Check),
    /// Server-sent events, likewise, each as an object of its fields.
    Events(Check),
    /// Server-sent events whose data is JSON, and is what the check is for.
    DataEvents(Check),
    /// Bytes, read by the handler as they come.
    Bytes,
}
