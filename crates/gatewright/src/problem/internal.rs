//! Errors of our own side. The type has neither `Display` nor `Serialize`: it can be logged, by us, and nothing else.

use std::error::Error;
use std::fmt;

/// Something broke. The caller gets a bland 500 with the request's id; the log gets the cause with the same id.
pub struct Internal {
    cause: Box<dyn Error + Send + Sync>,
}

impl Internal {
    /// Wraps a cause: an error, or a text for the log.
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Internal {
        Internal { cause: cause.into() }
    }

    /// The cause, if it is of this type: for errors of our own that travel as internal ones.
    #[allow(dead_code)]
    pub(crate) fn downcast_ref<E: Error + 'static>(&self) -> Option<&E> {
        self.cause.downcast_ref()
    }

    /// The whole chain of causes, for the log alone.
    pub(crate) fn for_log(&self) -> String {
        let mut text = self.cause.to_string();
        let mut next = self.cause.source();
        // A chain that loops would be a bug of the error's author; sixteen causes tell enough.
        for _ in 0..16 {
            let Some(cause) = next else { break };
            text.push_str(": ");
            text.push_str(&cause.to_string());
            next = cause.source();
        }
        text
    }
}

impl fmt::Debug for Internal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Internal(..)")
    }
}

/// `x.internal()?` makes any error an [`Internal`] one.
pub trait ResultExt<T> {
    /// Turns the error into [`Internal`].
    ///
    /// # Errors
    /// Those of `self`.
    fn internal(self) -> Result<T, Internal>;
}

impl<T, E: Into<Box<dyn Error + Send + Sync>>> ResultExt<T> for Result<T, E> {
    fn internal(self) -> Result<T, Internal> {
        self.map_err(Internal::new)
    }
}
