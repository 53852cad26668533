//! A refusal on its way to the renderer: bland outside, full inside.

use std::borrow::Cow;

use gatewright_policy::Refusal;
use http::header::{ALLOW, HeaderName, HeaderValue, RETRY_AFTER};

use crate::limit::Standing;

/// One rule that the request breaks, as shown in `errors`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// `body`, `path`, `query`, `header` or `cookie`.
    pub place: &'static str,
    /// The parameter's name; none for the body.
    pub name: Option<String>,
    /// A JSON pointer (RFC 6901) into the body or parameter.
    pub pointer: String,
    /// The keyword of the schema that is broken.
    pub rule: &'static str,
    /// What is wrong. Never shows the value.
    pub detail: String,
}

/// A request that is refused, and why.
#[derive(Debug)]
pub struct Refused(Box<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) refusal: Refusal,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// Shown to the caller.
    pub(crate) detail: Option<Cow<'static, str>>,
    /// A JSON array for `errors`, and whether there were more.
    pub(crate) errors: Option<(String, bool)>,
    /// For the log and the audit record only.
    pub(crate) reason: Option<Cow<'static, str>>,
    pub(crate) violated: Vec<&'static str>,
    pub(crate) standing: Standing,
    /// Where plain HTTP is redirected to.
    pub(crate) redirect: Option<HeaderValue>,
    /// The subject, where it is known.
    pub(crate) subject: Option<String>,
    pub(crate) cause: Option<crate::Internal>,
}

impl Refused {
    /// A refusal with nothing to add.
    #[must_use]
    pub fn new(refusal: Refusal) -> Refused {
        Refused(Box::new(Inner {
            refusal,
            headers: Vec::new(),
            detail: None,
            errors: None,
            reason: None,
            violated: Vec::new(),
            standing: Standing::default(),
            redirect: None,
            subject: None,
            cause: None,
        }))
    }

    /// The caller may not send the member of the body with this pointer.
    pub(crate) fn not_allowed(pointer: &str) -> Refused {
        Refused::new(Refusal::FieldNotAllowed).with_detail(format!("the caller may not send `{pointer}`"))
    }

    /// 405, with the methods that there are (RFC 9110, 15.5.6).
    #[must_use]
    pub fn method_not_allowed<'m>(methods: impl IntoIterator<Item = &'m str>) -> Refused {
        let allow = methods.into_iter().collect::<Vec<_>>().join(", ");
        let refused = Refused::new(Refusal::MethodNotAllowed);
        match HeaderValue::try_from(allow) {
            Ok(value) => refused.with_header(ALLOW, value),
            Err(_) => refused,
        }
    }

    /// Parameters or body break these rules of the schema; `more` says that there were others too many to list.
    #[must_use]
    pub fn invalid(faults: &[Fault], more: bool) -> Refused {
        let mut refused = Refused::new(Refusal::Invalid);
        refused.0.errors = Some((super::text::faults(faults), more));
        refused
    }

    /// As [`invalid`](Refused::invalid), with the JSON array of `errors` written already.
    #[must_use]
    pub fn violations(errors: String, more: bool) -> Refused {
        let mut refused = Refused::new(Refusal::Invalid);
        refused.0.errors = Some((errors, more));
        refused
    }

    /// 500: something broke on our side.
    #[must_use]
    pub fn internal(cause: crate::Internal) -> Refused {
        let mut refused = Refused::new(Refusal::Internal);
        refused.0.cause = Some(cause);
        refused
    }

    /// Adds a header field to the response.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Refused {
        self.0.headers.push((name, value));
        self
    }

    /// Says more to the caller. Must not tell what the status is silent about.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<Cow<'static, str>>) -> Refused {
        self.0.detail = Some(detail.into());
        self
    }

    /// Says why in the log and the audit record, where the caller does not see it. Never a secret.
    #[must_use]
    pub fn because(mut self, reason: impl Into<Cow<'static, str>>) -> Refused {
        self.0.reason = Some(reason.into());
        self
    }

    /// Adds `Retry-After` in seconds.
    #[must_use]
    pub(crate) fn retry_after(self, seconds: u64) -> Refused {
        self.with_header(RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// Which refusal it is.
    #[must_use]
    pub fn refusal(&self) -> Refusal {
        self.0.refusal
    }

    /// The header fields that were added.
    #[must_use]
    pub fn header(&self, name: &HeaderName) -> Option<&HeaderValue> {
        self.0.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v)
    }

    /// The cause, or the refusal's name in its place.
    pub(crate) fn into_cause(self) -> crate::Internal {
        let refusal = self.0.refusal;
        self.0.cause.unwrap_or_else(|| crate::Internal::new(format!("{refusal:?}")))
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    pub(crate) fn inner_mut(&mut self) -> &mut Inner {
        &mut self.0
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Refused {
        Refused::new(refusal)
    }
}

impl From<crate::Internal> for Refused {
    fn from(cause: crate::Internal) -> Refused {
        Refused::internal(cause)
    }
}
