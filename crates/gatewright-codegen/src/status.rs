//! What a declared status is called.

use gatewright_ir::api::StatusKey;

/// Whether HTTP lets a response of this status have a body (RFC 9110, 6.4.1).
pub(crate) fn has_body(status: StatusKey) -> bool {
    !matches!(status, StatusKey::Code(100..=199 | 204 | 205 | 304))
}

/// The status, or those of a class, as documentation says it.
pub(crate) fn status_words(status: StatusKey) -> String {
    match status {
        StatusKey::Code(code) => format!("{code}"),
        StatusKey::Class(class) => format!("{class}XX"),
        StatusKey::Default => "Any other status".to_owned(),
    }
}

/// The status' own phrase (RFC 9110, 15), as one name.
pub(crate) fn status_name(status: StatusKey) -> String {
    let name = match status {
        StatusKey::Default => "Default",
        StatusKey::Class(1) => "Informational",
        StatusKey::Class(2) => "Success",
        StatusKey::Class(3) => "Redirection",
        StatusKey::Class(4) => "ClientError",
        StatusKey::Class(_) => "ServerError",
        StatusKey::Code(code) => match code {
            100 => "Continue",
            101 => "SwitchingProtocols",
            102 => "Processing",
            103 => "EarlyHints",
            200 => "Ok",
            201 => "Created",
            202 => "Accepted",
            203 => "NonAuthoritativeInformation",
            204 => "NoContent",
            205 => "ResetContent",
            206 => "PartialContent",
            207 => "MultiStatus",
            208 => "AlreadyReported",
            226 => "ImUsed",
            300 => "MultipleChoices",
            301 => "MovedPermanently",
            302 => "Found",
            303 => "SeeOther",
            304 => "NotModified",
            305 => "UseProxy",
            307 => "TemporaryRedirect",
            308 => "PermanentRedirect",
            400 => "BadRequest",
            401 => "Unauthorized",
            402 => "PaymentRequired",
            403 => "Forbidden",
            404 => "NotFound",
            405 => "MethodNotAllowed",
            406 => "NotAcceptable",
            407 => "ProxyAuthenticationRequired",
            408 => "RequestTimeout",
            409 => "Conflict",
            410 => "Gone",
            411 => "LengthRequired",
            412 => "PreconditionFailed",
            413 => "ContentTooLarge",
            414 => "UriTooLong",
            415 => "UnsupportedMediaType",
            416 => "RangeNotSatisfiable",
            417 => "ExpectationFailed",
            418 => "ImATeapot",
            421 => "MisdirectedRequest",
            422 => "UnprocessableContent",
            423 => "Locked",
            424 => "FailedDependency",
            425 => "TooEarly",
            426 => "UpgradeRequired",
            428 => "PreconditionRequired",
            429 => "TooManyRequests",
            431 => "RequestHeaderFieldsTooLarge",
            451 => "UnavailableForLegalReasons",
            500 => "InternalServerError",
            501 => "NotImplemented",
            502 => "BadGateway",
            503 => "ServiceUnavailable",
            504 => "GatewayTimeout",
            505 => "HttpVersionNotSupported",
            506 => "VariantAlsoNegotiates",
            507 => "InsufficientStorage",
            508 => "LoopDetected",
            510 => "NotExtended",
            511 => "NetworkAuthenticationRequired",
            other => return format!("Status{other}"),
        },
    };
    name.to_owned()
}
