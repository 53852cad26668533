//! What is wrong, and where stages put it.

use crate::{Code, Level, Span};

/// A place and a few words about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is to be seen there; may be empty.
    pub text: String,
}

/// One thing wrong: a message, the place it is about, and one edit that helps.
///
/// Messages are lower case, without full stop, with the user's own text in backticks, and name no Rust type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its kind.
    pub code: Code,
    /// How bad it is.
    pub level: Level,
    /// What is wrong.
    pub message: String,
    /// The place. `None` only where there is no text, such as a file that could not be opened.
    pub span: Option<Span>,
    /// What is to be seen at [`span`](Self::span); may be empty.
    pub label: String,
    /// Other places that matter.
    pub related: Vec<Label>,
    /// The edit that mends it.
    pub help: Option<String>,
}

/// Collects diagnostics. A sink that is dropped with diagnostics in it unread panics in tests, so that none is lost.
#[derive(Debug, Default)]
pub struct Sink {
    list: Vec<Diagnostic>,
    dropped: usize,
    errors: usize,
    kept_errors: usize,
    kept_others: usize,
}

/// More errors than this, and more of the others than this, are counted and not kept: input must not buy memory, and
/// nobody reads them. They are counted apart, so that no number of warnings hides an error.
const MAX_KEPT: usize = 100;

impl Sink {
    /// An empty sink.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reports an error at `span`; finish it with the methods of [`Report`].
    pub fn error(&mut self, code: Code, span: impl Into<Option<Span>>, message: impl Into<String>) -> Report<'_> {
        self.report(code, Level::Error, span, message)
    }

    /// Reports a warning at `span`.
    pub fn warning(&mut self, code: Code, span: impl Into<Option<Span>>, message: impl Into<String>) -> Report<'_> {
        self.report(code, Level::Warning, span, message)
    }

    /// Reports at a level decided elsewhere.
    pub fn report(
        &mut self,
        code: Code,
        level: Level,
        span: impl Into<Option<Span>>,
        message: impl Into<String>,
    ) -> Report<'_> {
        Report {
            diagnostic: Some(Diagnostic {
                code,
                level,
                message: message.into(),
                span: span.into(),
                label: String::new(),
                related: Vec::new(),
                help: None,
            }),
            sink: self,
        }
    }

    /// Adds a finished diagnostic.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        let error = diagnostic.level == Level::Error;
        self.errors += usize::from(error);
        let kept = if error { &mut self.kept_errors } else { &mut self.kept_others };
        if *kept < MAX_KEPT {
            *kept += 1;
            self.list.push(diagnostic);
        } else {
            self.dropped += 1;
        }
    }

    /// Takes over all of another sink.
    pub fn append(&mut self, mut other: Sink) {
        self.dropped += std::mem::take(&mut other.dropped);
        for diagnostic in std::mem::take(&mut other.list) {
            self.push(diagnostic);
        }
    }

    /// Whether an error was reported.
    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// How many errors were reported, kept or not.
    pub fn errors(&self) -> usize {
        self.errors
    }

    /// How many diagnostics were counted and not kept.
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    /// The known name nearest to `word`, as [`nearest`](crate::nearest) finds it; `None` when nobody would read it any
    /// more. Only the first 500 names are compared: input must not buy work without bound.
    pub fn suggest<'a>(&self, word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
        if self.list.len() >= MAX_KEPT { None } else { crate::nearest(word, known.into_iter().take(500)) }
    }

    /// What was reported so far.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.list
    }

    /// Everything reported, in the order of files and places, without repeats.
    #[must_use = "diagnostics must be shown"]
    pub fn finish(mut self) -> Vec<Diagnostic> {
        let mut list = std::mem::take(&mut self.list);
        list.sort_by_key(|d| (d.span.map(|s| (s.file, s.start)), std::cmp::Reverse(d.level)));
        list.dedup();
        list
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        #[cfg(test)]
        if !self.list.is_empty() && !std::thread::panicking() {
            #[allow(clippy::panic)]
            {
                panic!("{} diagnostics were never read", self.list.len());
            }
        }
    }
}

/// A diagnostic being written; it enters its sink when this is dropped.
pub struct Report<'s> {
    sink: &'s mut Sink,
    diagnostic: Option<Diagnostic>,
}

impl Report<'_> {
    /// Words to stand under the place itself.
    pub fn label(mut self, text: impl Into<String>) -> Self {
        if let Some(d) = &mut self.diagnostic {
            d.label = text.into();
        }
        self
    }

    /// Another place that matters.
    pub fn related(mut self, span: Span, text: impl Into<String>) -> Self {
        if let Some(d) = &mut self.diagnostic {
            d.related.push(Label { span, text: text.into() });
        }
        self
    }

    /// The edit that mends it.
    pub fn help(mut self, text: impl Into<String>) -> Self {
        if let Some(d) = &mut self.diagnostic {
            d.help = Some(text.into());
        }
        self
    }
}

impl Drop for Report<'_> {
    fn drop(&mut self) {
        if let Some(d) = self.diagnostic.take() {
            self.sink.push(d);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_hide_no_error() {
        let mut sink = Sink::new();
        for _ in 0..500 {
            sink.warning(Code(205), None, "w");
        }
        for n in 0..300 {
            sink.error(Code(203), None, format!("e{n}"));
        }
        assert!(sink.has_errors());
        assert_eq!(sink.dropped(), 600);
        let kept = sink.finish();
        assert_eq!(kept.iter().filter(|d| d.level == Level::Error).count(), MAX_KEPT);
    }
}
