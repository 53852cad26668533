//! Errors as callers see them: problem details (RFC 9457), all written by one renderer, and errors as we see them,
//! which have no way out into a response.

mod internal;
mod refused;
mod render;
mod text;

pub use internal::{Internal, ResultExt};
pub use refused::{Fault, Refused};
pub(crate) use render::{Style, internal, problem, refusal};

use http::StatusCode;
use serde_json::Value;

/// A problem that a handler declares: RFC 9457, section 3. Everything in it is shown to the caller.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) kind: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) detail: Option<String>,
    pub(crate) instance: Option<String>,
    pub(crate) members: Vec<(String, Value)>,
}

impl Problem {
    /// A problem whose type is `about:blank` and whose title is the status' own.
    #[must_use]
    pub fn new(status: StatusCode) -> Problem {
        Problem { status, kind: None, title: None, detail: None, instance: None, members: Vec::new() }
    }

    /// Its type: a URI, or a name that is put behind `errors.type-base` of the spec.
    #[must_use]
    pub fn kind(mut self, kind: impl Into<String>) -> Problem {
        self.kind = Some(kind.into());
        self
    }

    /// What kind of problem it is, in words: the same for each occurrence.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Problem {
        self.title = Some(title.into());
        self
    }

    /// What is wrong this time.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Problem {
        self.detail = Some(detail.into());
        self
    }

    /// A URI reference of this occurrence.
    #[must_use]
    pub fn instance(mut self, instance: impl Into<String>) -> Problem {
        self.instance = Some(instance.into());
        self
    }

    /// An extension member. The members of RFC 9457 itself and `request_id` cannot be set so.
    #[must_use]
    pub fn member(mut self, name: impl Into<String>, value: impl Into<Value>) -> Problem {
        let name = name.into();
        if !["type", "title", "status", "detail", "instance", "request_id"].contains(&name.as_str()) {
            self.members.retain(|(n, _)| *n != name);
            self.members.push((name, value.into()));
        }
        self
    }

    /// The status, of the response and in the body.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }
}
