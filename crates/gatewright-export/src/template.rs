//! The engine of all templates: strict about what it does not know, and with a filter for each format that text is
//! written into.

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};

pub(crate) fn environment() -> Result<Environment<'static>, String> {
    let mut environment = Environment::new();
    // A tag on a line of its own leaves no line behind.
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build();
    environment.set_syntax(syntax.map_err(|e| e.to_string())?);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.add_filter("toml", |text: String| crate::project::toml_string(&text));
    environment.add_filter("rust", |text: String| format!("{text:?}"));
    environment.add_filter("markdown", |text: String| markdown(&text));
    Ok(environment)
}

/// Text on one line of Markdown, in which nothing has a meaning.
pub(crate) fn markdown(text: &str) -> String {
    let mut out = String::new();
    for c in gatewright_diag::show::clean(text).chars() {
        if c.is_ascii_punctuation() {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A cell of a table: as [`markdown`], but for what means nothing within a line, so that people can read it.
pub(crate) fn cell(text: &str) -> String {
    let mut out = String::new();
    for c in gatewright_diag::show::clean(text).chars() {
        if matches!(c, '\\' | '|' | '`' | '*' | '_' | '<' | '>' | '[' | ']' | '&' | '~') {
            out.push('\\');
        }
        out.push(c);
    }
    if out.is_empty() { "·".to_owned() } else { out }
}
