//! Who may call an operation, and what more must hold.

use gatewright_diag::{Span, Spanned};

/// Who may call an operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Access {
    /// `public: "why"`
    Public(Spanned<String>),
    /// Neither `security` nor `public` stands anywhere.
    Unsaid,
    /// `security: []` with no `public`.
    Opened,
    /// `security`: any of these; never empty.
    Guarded(Vec<Alternative>),
    /// Nobody: stands for what could not be understood, so that it is closed.
    Nobody,
}

/// One alternative of `security`; without needs it is `{}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Alternative {
    /// All of these.
    pub needs: Vec<Need>,
    /// Where it stands.
    pub span: Span,
}

/// A scheme with its scopes.
#[derive(Clone, Debug, PartialEq)]
pub struct Need {
    /// The scheme's name.
    pub scheme: Spanned<String>,
    /// All of these.
    pub scopes: Vec<Spanned<String>>,
}

/// A condition on a claim.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// The claim's path: `realm_access.roles` has two parts.
    pub path: Vec<String>,
    /// What must hold.
    pub must: Must,
    /// Where it stands.
    pub span: Span,
}

/// What must hold for a claim.
#[derive(Clone, Debug, PartialEq)]
pub enum Must {
    /// `equals`
    Equal(Operand),
    /// `in`
    In(Vec<Operand>),
    /// `contains`
    Contain(Operand),
}

/// What a claim is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// A string.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A boolean.
    Bool(bool),
    /// A value of the request.
    Request(Reference),
}

/// `{path.X}`, `{query.X}`, `{header.X}`, `{body./pointer}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Which part of the request.
    pub part: RequestPart,
    /// The parameter's name, or the JSON pointer.
    pub name: String,
    /// Where it stands.
    pub span: Span,
}

/// A part of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestPart {
    /// A path parameter.
    Path,
    /// A query parameter.
    Query,
    /// A header field.
    Header,
    /// A place in the JSON body (RFC 6901).
    Body,
}

/// `owner`: object-level authorization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The kind of object: `account`.
    pub resource: Spanned<String>,
    /// Which value of the request is its id.
    pub id: Reference,
}

/// `step-up`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepUp {
    /// `webauthn` or `mfa`
    pub method: Spanned<String>,
    /// `acr`: any of these; empty where `method` alone says what is enough.
    pub acr: Vec<Spanned<String>>,
    /// `within`, seconds.
    pub within: u32,
}

/// `allow` of an operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allow {
    /// Names of networks; `None` where the key is absent.
    pub networks: Option<Vec<Spanned<String>>>,
    /// Subjects.
    pub users: Option<Vec<Spanned<String>>>,
    /// Names of device groups.
    pub devices: Option<Vec<Spanned<String>>>,
}
