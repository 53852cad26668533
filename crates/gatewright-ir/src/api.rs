//! What exists: operations, what goes in, what comes out. Who may call them stands in [`policy`](crate::policy).

use gatewright_diag::{Span, Spanned};

use crate::policy::PolicyId;
use crate::schema::{Protection, SchemaId, Schemas};

/// One version of one API.
#[derive(Clone, Debug, Default)]
pub struct Api {
    /// `info.title`
    pub title: String,
    /// `info.version`: the document's own version, not the path prefix.
    pub version: String,
    /// `info.description`
    pub description: Option<String>,
    /// Every operation, in the order of the document.
    pub operations: Vec<Operation>,
    /// `webhooks`: what the API sends by itself.
    pub webhooks: Vec<Operation>,
    /// Every schema that an operation uses, and the components that none does.
    pub schemas: Schemas,
    /// `components.schemas`, by name, in the order of the document.
    pub components: Vec<(String, SchemaId)>,
    /// `tags`, with what the document says about them.
    pub tags: Vec<Tag>,
    /// `servers`: URL and description. Informative: where a server is mounted is the deployment's choice.
    pub servers: Vec<(String, Option<String>)>,
    /// The files that were read, entry document first, as people see their names.
    pub files: Vec<String>,
}

/// One of the document's `tags`.
#[derive(Clone, Debug)]
pub struct Tag {
    /// `name`
    pub name: String,
    /// `description`
    pub description: Option<String>,
}

/// One operation.
#[derive(Clone, Debug)]
pub struct Operation {
    /// `operationId`, or where the document gives none, one made of method and path (`get /a/{id}` → `getAById`).
    /// Unique in its API.
    pub id: String,
    /// Whether the document gives the id.
    pub id_given: bool,
    /// The method as it stands in a request line (`GET`, `QUERY`, or an additional one).
    pub method: String,
    /// The path, parsed.
    pub path: PathTemplate,
    /// Where the operation stands.
    pub span: Span,
    /// `summary`
    pub summary: Option<String>,
    /// `description`
    pub description: Option<String>,
    /// `tags`
    pub tags: Vec<String>,
    /// `deprecated`
    pub deprecated: bool,
    /// Path parameters first and in the path's order, then the others in the document's.
    pub parameters: Vec<Parameter>,
    /// `requestBody`
    pub body: Option<Body>,
    /// `responses`, in the document's order.
    pub responses: Vec<Response>,
    /// `callbacks`: what the API calls back, by expression.
    pub callbacks: Vec<Operation>,
    /// Who may call it.
    pub policy: PolicyId,
}

/// A path, parsed.
#[derive(Clone, Debug, Default)]
pub struct PathTemplate {
    /// As written: `/accounts/{id}.json`.
    pub text: String,
    /// Where it stands.
    pub span: Span,
    /// The segments between the `/`s; a trailing slash is a last segment without pieces.
    pub segments: Vec<Vec<PathPiece>>,
}

/// A part of a path segment. Most segments have one piece; `{id}.json` has two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathPiece {
    /// Text that must stand there, percent-decoded.
    Literal(String),
    /// The parameter of this name.
    Parameter(String),
}

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Location {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// A header field.
    Header,
    /// A cookie.
    Cookie,
    /// The whole query string as one value (3.2).
    QueryString,
}

impl Location {
    /// OpenAPI's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Location::Path => "path",
            Location::Query => "query",
            Location::Header => "header",
            Location::Cookie => "cookie",
            Location::QueryString => "querystring",
        }
    }
}

/// How a parameter's value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// `a=1; b=2` (3.2)
    Cookie,
}

/// A parameter of an operation, its path item's included.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// The name on the wire.
    pub name: String,
    /// Where it stands in a request.
    pub location: Location,
    /// Where it stands in the document.
    pub span: Span,
    /// `required`
    pub required: bool,
    /// `deprecated`
    pub deprecated: bool,
    /// `description`
    pub description: Option<String>,
    /// How its value is written.
    pub encoding: ParameterEncoding,
    /// What its value must be.
    pub schema: SchemaId,
    /// `x-security`
    pub protection: Option<Protection>,
    /// `allowEmptyValue`
    pub allow_empty: bool,
}

/// How a parameter's value is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParameterEncoding {
    /// By style.
    Style {
        /// `style`
        style: Style,
        /// `explode`
        explode: bool,
        /// `allowReserved`
        allow_reserved: bool,
    },
    /// As a document of this media type (`content`).
    Content(String),
}

/// A request body.
#[derive(Clone, Debug)]
pub struct Body {
    /// Where it stands.
    pub span: Span,
    /// `description`
    pub description: Option<String>,
    /// `required`
    pub required: bool,
    /// Each media type, in the document's order; never empty.
    pub content: Vec<Media>,
}

/// One media type of a body or a response.
#[derive(Clone, Debug)]
pub struct Media {
    /// As written, parameters included: `application/json; charset=utf-8`, `image/*`.
    pub media_type: Spanned<String>,
    /// What kind of thing it is to us.
    pub kind: MediaKind,
    /// What its value must be; `None` where the document says nothing.
    pub schema: Option<SchemaId>,
    /// `itemSchema` of a sequential media type (3.2).
    pub item_schema: Option<SchemaId>,
    /// `encoding`, by property name.
    pub encoding: Vec<(String, PartEncoding)>,
}

impl Media {
    /// Whether it is a range that holds JSON beside others: `*/*`, `application/*`.
    pub fn is_wide(&self) -> bool {
        let essence = self.media_type.value.split(';').next().unwrap_or("").trim();
        essence == "*/*" || essence.eq_ignore_ascii_case("application/*")
    }

    /// The media type that is taken and written. A wide range whose schema is of values is JSON, and nothing else: bytes of
    /// another type would not be of the schema, and browsers send some types across origins without asking.
    pub fn taken(&self) -> &str {
        if self.kind == MediaKind::Json && self.is_wide() { "application/json" } else { &self.media_type.value }
    }
}

/// `encoding` of one property of a form or multipart body.
#[derive(Clone, Debug, Default)]
pub struct PartEncoding {
    /// `contentType`: one or several, separated by commas, wildcards allowed.
    pub content_type: Option<String>,
    /// `style`
    pub style: Option<Style>,
    /// `explode`
    pub explode: Option<bool>,
    /// `headers`
    pub headers: Vec<Header>,
}

/// What kind of thing a media type is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MediaKind {
    /// `application/json`, `text/json`, `…+json`
    Json,
    /// `application/x-www-form-urlencoded`
    Form,
    /// `multipart/…`
    Multipart,
    /// `text/event-stream`
    EventStream,
    /// `application/jsonl`, `application/x-ndjson`, `application/json-seq`
    JsonLines,
    /// `application/xml`, `text/xml`, `…+xml`
    Xml,
    /// Other `text/…`
    Text,
    /// Anything else, wildcards included: bytes.
    Binary,
}

impl MediaKind {
    /// The kind of a media type, parameters and case ignored.
    pub fn of(media_type: &str) -> MediaKind {
        let essence = media_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        let (main, sub) = essence.split_once('/').unwrap_or((essence.as_str(), ""));
        match (main, sub) {
            (_, "json") => MediaKind::Json,
            (_, sub) if sub.ends_with("+json") => MediaKind::Json,
            ("application", "x-www-form-urlencoded") => MediaKind::Form,
            ("multipart", _) => MediaKind::Multipart,
            ("text", "event-stream") => MediaKind::EventStream,
            (_, "jsonl" | "x-ndjson" | "ndjson" | "x-jsonlines" | "json-seq" | "x-json-stream") => MediaKind::JsonLines,
            (_, "xml") => MediaKind::Xml,
            (_, sub) if sub.ends_with("+xml") => MediaKind::Xml,
            ("text", _) => MediaKind::Text,
            _ => MediaKind::Binary,
        }
    }
}

/// One declared response.
#[derive(Clone, Debug)]
pub struct Response {
    /// Which statuses it is for.
    pub status: StatusKey,
    /// Where it stands.
    pub span: Span,
    /// `description`
    pub description: Option<String>,
    /// `headers`
    pub headers: Vec<Header>,
    /// Each media type; empty means no body.
    pub content: Vec<Media>,
    /// The name of the component it refers to, for naming.
    pub name: Option<String>,
    /// `links`, for docs.
    pub links: Vec<Link>,
}

/// One of a response's `links`: what the answer is good for next.
#[derive(Clone, Debug)]
pub struct Link {
    /// Its name.
    pub name: String,
    /// `operationId`, or else `operationRef`: of the same document as `GET /a/{id}`.
    pub target: Option<String>,
    /// `parameters`: each name with its value, an expression or JSON.
    pub parameters: Vec<(String, String)>,
    /// `description`
    pub description: Option<String>,
}

/// Which statuses a response is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatusKey {
    /// One status, 100 to 599.
    Code(u16),
    /// `4XX`: the class, 1 to 5.
    Class(u8),
    /// `default`
    Default,
}

impl StatusKey {
    /// Whether it is an error to the handler API: 4xx, 5xx and `default`.
    pub const fn is_error(self) -> bool {
        match self {
            StatusKey::Code(code) => code >= 400,
            StatusKey::Class(class) => class >= 4,
            StatusKey::Default => true,
        }
    }
}

/// A response's or a part's header.
#[derive(Clone, Debug)]
pub struct Header {
    /// The field's name as written.
    pub name: String,
    /// `description`
    pub description: Option<String>,
    /// `required`
    pub required: bool,
    /// What its value must be.
    pub schema: SchemaId,
    /// `explode`; the style is always simple.
    pub explode: bool,
    /// It is a JSON text (`content`).
    pub json: bool,
}
