//! Every way in which a request can be refused.

use alloc::string::String;

use crate::Check;

/// Why a request is refused. What a caller sees of it is its status and its [`slug`](Refusal::slug), nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The request head is not what HTTP allows (RFC 9112), or names no host.
    BadRequest,
    /// Plain HTTP where HTTPS is required.
    HttpsRequired,
    /// The `Host` is not one of ours (RFC 9110, 15.5.20).
    WrongHost,
    /// The address is not in an allowed network.
    NetworkNotAllowed,
    /// No such path.
    NotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// This version is retired.
    Gone,
    /// Too many requests.
    RateLimited,
    /// A credential is needed and none was presented.
    CredentialMissing,
    /// A credential was presented and is not good.
    CredentialInvalid,
    /// More than one credential where one may stand (RFC 6750, 2).
    CredentialRepeated,
    /// The API key's level is too low.
    LevelTooLow,
    /// A scope is missing.
    ScopeMissing,
    /// None of the roles.
    RoleMissing,
    /// A claim does not hold.
    ClaimMismatch,
    /// The caller is not on the list.
    CallerNotAllowed,
    /// A fresh second factor is needed (RFC 9470).
    StepUpRequired,
    /// A ceremony with a passkey is not good (WebAuthn Level 3, 7).
    PasskeyRefused,
    /// The body's media type is not declared.
    UnsupportedMediaType,
    /// No declared media type is acceptable to the caller.
    NotAcceptable,
    /// The body is larger than allowed.
    BodyTooLarge,
    /// The body is not well-formed.
    Malformed,
    /// Parameters or body break the schema's rules.
    Invalid,
    /// The caller may not send a field that he sent.
    FieldNotAllowed,
    /// The object is not the caller's, or is not there: one answer for both, so that existence does not leak.
    NotOwned,
    /// The request has no `Idempotency-Key`, and needs one.
    IdempotencyKeyMissing,
    /// Its `Idempotency-Key` is none, or there are two.
    IdempotencyKeyInvalid,
    /// The same request is being worked on, or its answer could not be kept.
    IdempotencyConflict,
    /// The same request was begun before, and nobody knows how it ended: it may have acted.
    IdempotencyOutcomeUnknown,
    /// Another request had this `Idempotency-Key`.
    IdempotencyKeyReused,
    /// The deadline passed before the request was read whole.
    RequestTimeout,
    /// The deadline passed while the handler worked.
    Timeout,
    /// Nobody has written the handler yet.
    NotImplemented,
    /// Something is broken on our side.
    Internal,
    /// Something that we need is not to be had just now.
    Unavailable,
    /// The server has as many requests as it takes at a time.
    Overloaded,
}

impl Refusal {
    /// Every refusal, for tables and catalogues.
    pub const ALL: [Refusal; 36] = [
        Refusal::BadRequest,
        Refusal::HttpsRequired,
        Refusal::WrongHost,
        Refusal::NetworkNotAllowed,
        Refusal::NotFound,
        Refusal::MethodNotAllowed,
        Refusal::Gone,
        Refusal::RateLimited,
        Refusal::CredentialMissing,
        Refusal::CredentialInvalid,
        Refusal::CredentialRepeated,
        Refusal::LevelTooLow,
        Refusal::ScopeMissing,
        Refusal::RoleMissing,
        Refusal::ClaimMismatch,
        Refusal::CallerNotAllowed,
        Refusal::StepUpRequired,
        Refusal::PasskeyRefused,
        Refusal::UnsupportedMediaType,
        Refusal::NotAcceptable,
        Refusal::BodyTooLarge,
        Refusal::Malformed,
        Refusal::Invalid,
        Refusal::FieldNotAllowed,
        Refusal::NotOwned,
        Refusal::IdempotencyKeyMissing,
        Refusal::IdempotencyKeyInvalid,
        Refusal::IdempotencyConflict,
        Refusal::IdempotencyOutcomeUnknown,
        Refusal::IdempotencyKeyReused,
        Refusal::RequestTimeout,
        Refusal::Timeout,
        Refusal::NotImplemented,
        Refusal::Internal,
        Refusal::Unavailable,
        Refusal::Overloaded,
    ];

    /// The HTTP status. [`Invalid`](Refusal::Invalid) is 400 here; `errors.validation` may make it 422.
    pub const fn status(self) -> u16 {
        match self {
            Refusal::BadRequest | Refusal::CredentialRepeated | Refusal::Malformed | Refusal::Invalid => 400,
            Refusal::IdempotencyKeyMissing | Refusal::IdempotencyKeyInvalid => 400,
            Refusal::CredentialMissing | Refusal::CredentialInvalid | Refusal::StepUpRequired => 401,
            Refusal::HttpsRequired
            | Refusal::NetworkNotAllowed
            | Refusal::LevelTooLow
            | Refusal::ScopeMissing
            | Refusal::RoleMissing
            | Refusal::ClaimMismatch
            | Refusal::CallerNotAllowed
            | Refusal::PasskeyRefused
            | Refusal::FieldNotAllowed => 403,
            Refusal::NotFound | Refusal::NotOwned => 404,
            Refusal::MethodNotAllowed => 405,
            Refusal::NotAcceptable => 406,
            Refusal::RequestTimeout => 408,
            Refusal::IdempotencyConflict | Refusal::IdempotencyOutcomeUnknown => 409,
            Refusal::Gone => 410,
            Refusal::BodyTooLarge => 413,
            Refusal::UnsupportedMediaType => 415,
            Refusal::WrongHost => 421,
            Refusal::IdempotencyKeyReused => 422,
            Refusal::RateLimited => 429,
            Refusal::Internal => 500,
            Refusal::NotImplemented => 501,
            Refusal::Unavailable | Refusal::Overloaded => 503,
            Refusal::Timeout => 504,
        }
    }

    /// The last part of the problem's `type` (RFC 9457, 3.1.1). Refusals that must not be told apart share one:
    /// `NotFound` and `NotOwned`; all failures of a credential; all of a caller who is known and not allowed.
    pub const fn slug(self) -> &'static str {
        match self {
            Refusal::BadRequest => "bad-request",
            Refusal::HttpsRequired => "https-required",
            Refusal::WrongHost => "misdirected-request",
            Refusal::NotFound | Refusal::NotOwned => "not-found",
            Refusal::MethodNotAllowed => "method-not-allowed",
            Refusal::Gone => "version-retired",
            Refusal::RateLimited => "rate-limited",
            Refusal::CredentialMissing => "credential-required",
            Refusal::CredentialInvalid => "credential-invalid",
            Refusal::CredentialRepeated => "credential-repeated",
            Refusal::ScopeMissing => "insufficient-scope",
            Refusal::NetworkNotAllowed
            | Refusal::LevelTooLow
            | Refusal::RoleMissing
            | Refusal::ClaimMismatch
            | Refusal::CallerNotAllowed => "forbidden",
            Refusal::FieldNotAllowed => "field-forbidden",
            Refusal::StepUpRequired => "step-up-required",
            Refusal::PasskeyRefused => "passkey-refused",
            Refusal::UnsupportedMediaType => "unsupported-media-type",
            Refusal::NotAcceptable => "not-acceptable",
            Refusal::BodyTooLarge => "content-too-large",
            Refusal::Malformed => "malformed-body",
            Refusal::Invalid => "validation-failed",
            Refusal::IdempotencyKeyMissing => "idempotency-key-required",
            Refusal::IdempotencyKeyInvalid => "idempotency-key-invalid",
            Refusal::IdempotencyConflict => "idempotency-conflict",
            Refusal::IdempotencyOutcomeUnknown => "idempotency-outcome-unknown",
            Refusal::IdempotencyKeyReused => "idempotency-key-reused",
            Refusal::RequestTimeout => "request-timeout",
            Refusal::Timeout => "timeout",
            Refusal::NotImplemented => "not-implemented",
            Refusal::Internal => "internal",
            Refusal::Unavailable => "unavailable",
            Refusal::Overloaded => "overloaded",
        }
    }

    /// The problem's `title` where it has a `type` of ours: the slug in words.
    pub fn title(self) -> String {
        let mut text = self.slug().replace('-', " ");
        if let Some(first) = text.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        text
    }

    /// When it is answered, in words for those who call: of refusals that share a [`slug`](Refusal::slug), the same.
    pub const fn when(self) -> &'static str {
        match self {
            Refusal::BadRequest => "the head of the request is not what HTTP allows, or names no host",
            Refusal::HttpsRequired => "the request came over plain HTTP, or over a TLS that is too old",
            Refusal::WrongHost => "the request names a host that is not served here",
            Refusal::NotFound | Refusal::NotOwned => {
                "there is no such path or object, or the object is somebody else's"
            }
            Refusal::MethodNotAllowed => "the path does not have this method; `Allow` says which it has",
            Refusal::Gone => "this version of the API is retired",
            Refusal::RateLimited => "too many requests; `Retry-After` says when to try again",
            Refusal::CredentialMissing => "a credential is needed; `WWW-Authenticate` says which",
            Refusal::CredentialInvalid => "a credential was presented and is not good, for whatever reason",
            Refusal::CredentialRepeated => "more than one credential stands where one may",
            Refusal::ScopeMissing => "the credential lacks a scope; `WWW-Authenticate` says which are needed",
            Refusal::NetworkNotAllowed
            | Refusal::LevelTooLow
            | Refusal::RoleMissing
            | Refusal::ClaimMismatch
            | Refusal::CallerNotAllowed => "the caller may not do this, or not from where he is",
            Refusal::FieldNotAllowed => "the caller may not send a field that he sent; `detail` names it",
            Refusal::StepUpRequired => "a fresh and stronger authentication is needed; `WWW-Authenticate` says which",
            Refusal::PasskeyRefused => "a ceremony with a passkey is not good, for whatever reason",
            Refusal::UnsupportedMediaType => "the body's media type is not taken; `Accept` says what would be",
            Refusal::NotAcceptable => "none of the media types that the caller accepts is offered",
            Refusal::BodyTooLarge => "the body is larger than allowed",
            Refusal::Malformed => "the body is not well-formed",
            Refusal::Invalid => "parameters or body break the rules of the document; `errors` says where",
            Refusal::IdempotencyKeyMissing => "the operation needs an `Idempotency-Key`, and the request has none",
            Refusal::IdempotencyKeyInvalid => "the `Idempotency-Key` is not one short text",
            Refusal::IdempotencyConflict => {
                "the same request is being worked on, or was done and its answer is not kept"
            }
            Refusal::IdempotencyOutcomeUnknown => {
                "the same request was begun before, and nobody knows whether it acted: it is not done again"
            }
            Refusal::IdempotencyKeyReused => "another request had this `Idempotency-Key`",
            Refusal::RequestTimeout => "the request was not there in whole in time",
            Refusal::Timeout => "the request could not be answered in time",
            Refusal::NotImplemented => "nobody has written this operation yet",
            Refusal::Internal => "something is broken on the server's side; `request_id` finds it in the log",
            Refusal::Unavailable => "something that the server needs is not to be had just now: try again later",
            Refusal::Overloaded => "the server has as much to do as it takes on: `Retry-After` says when to try again",
        }
    }

    /// The check that refuses so.
    pub const fn check(self) -> Check {
        match self {
            Refusal::BadRequest | Refusal::HttpsRequired | Refusal::WrongHost | Refusal::Overloaded => {
                Check::Connection
            }
            Refusal::NotFound | Refusal::MethodNotAllowed => Check::Route,
            Refusal::Gone => Check::Lifecycle,
            Refusal::NetworkNotAllowed => Check::Networks,
            Refusal::RateLimited => Check::AddressRate,
            Refusal::CredentialMissing | Refusal::CredentialInvalid | Refusal::CredentialRepeated => {
                Check::Authentication
            }
            Refusal::LevelTooLow => Check::Level,
            Refusal::ScopeMissing => Check::Scopes,
            Refusal::RoleMissing => Check::Roles,
            Refusal::ClaimMismatch => Check::Claims,
            Refusal::CallerNotAllowed => Check::AllowedCaller,
            Refusal::StepUpRequired | Refusal::PasskeyRefused => Check::StepUp,
            Refusal::UnsupportedMediaType
            | Refusal::NotAcceptable
            | Refusal::BodyTooLarge
            | Refusal::Malformed
            | Refusal::Invalid
            | Refusal::FieldNotAllowed
            | Refusal::RequestTimeout => Check::Content,
            Refusal::NotOwned => Check::Owner,
            Refusal::IdempotencyKeyMissing
            | Refusal::IdempotencyKeyInvalid
            | Refusal::IdempotencyConflict
            | Refusal::IdempotencyOutcomeUnknown
            | Refusal::IdempotencyKeyReused => Check::Idempotency,
            Refusal::Timeout | Refusal::NotImplemented | Refusal::Internal | Refusal::Unavailable => Check::Handler,
        }
    }
}
