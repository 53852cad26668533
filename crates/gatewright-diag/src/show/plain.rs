//! A diagnostic as a few lines of text, for places that have no terminal: Cargo messages and macro errors.

use std::fmt::Write;

use super::clean;
use crate::{Diagnostic, SourceMap, Span};

/// `bank.yaml:41:7`; empty for a span of another map.
pub fn place(span: Span, map: &SourceMap) -> String {
    match map.get(span.file) {
        Some(source) => {
            let at = source.line_col(span.start);
            format!("{}:{}:{}", clean(source.name()), at.line, at.column)
        }
        None => String::new(),
    }
}

/// One line: `bank.yaml:41:7: error[GW0101]: message`.
pub fn line(d: &Diagnostic, map: &SourceMap) -> String {
    let at = d.span.map(|s| place(s, map)).filter(|p| !p.is_empty()).map(|p| p + ": ").unwrap_or_default();
    format!("{at}{}[{}]: {}", d.level, d.code, clean(&d.message))
}

/// Several lines, as rustc does without showing the source.
pub fn text(d: &Diagnostic, map: &SourceMap) -> String {
    let mut out = format!("{}[{}]: {}\n", d.level, d.code, clean(&d.message));
    if let Some(span) = d.span {
        let _ = write!(out, "  --> {}", place(span, map));
        if !d.label.is_empty() {
            let _ = write!(out, ": {}", clean(&d.label));
        }
        out.push('\n');
    }
    for other in &d.related {
        let _ = writeln!(out, "  ::: {}: {}", place(other.span, map), clean(&other.text));
    }
    if let Some(help) = &d.help {
        let _ = writeln!(out, "  = help: {}", clean(help));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Code, Sink};

    #[test]
    fn says_the_place_and_the_help() {
        let mut map = SourceMap::new();
        let file = map.add("a.yaml", "x: 1\nyy: 2\n");
        let mut sink = Sink::new();
        drop(sink.error(Code(7), Span { file, start: 5, end: 7 }, "no `yy`").label("here").help("write `y`"));
        let list = sink.finish();
        assert_eq!(line(&list[0], &map), "a.yaml:2:1: error[GW0007]: no `yy`");
        assert_eq!(text(&list[0], &map), "error[GW0007]: no `yy`\n  --> a.yaml:2:1: here\n  = help: write `y`\n");
    }
}
