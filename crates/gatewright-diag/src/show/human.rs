//! Diagnostics as rustc shows them: the source lines with the place underlined, in colour where wanted.

use annotate_snippets::{AnnotationKind, Group, Level as Show, Origin, Padding, Renderer, Snippet};

use super::clean;
use crate::{Diagnostic, Level, Source, SourceMap, Span};

/// Of lines longer than this (minified JSON) only what is near a place is shown.
const MAX_LINE: usize = 1_000;
/// So many bytes before a place in such a line, and behind where it begins.
const NEAR: (usize, usize) = (40, 80);
/// Lines of source shown around a place at most, so that a span over a whole document stays readable.
const MAX_LINES: usize = 12;

/// How to show.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// With ANSI colours.
    pub color: bool,
    /// Columns of the terminal; 0 means 140.
    pub width: usize,
}

/// Every diagnostic, each followed by an empty line.
pub fn text(diagnostics: &[Diagnostic], map: &SourceMap, style: Style) -> String {
    let renderer = if style.color { Renderer::styled() } else { Renderer::plain() };
    let renderer = if style.width > 0 { renderer.term_width(style.width) } else { renderer };
    let mut out = String::new();
    for d in diagnostics {
        let groups = [group(d, map)];
        for line in renderer.render(&groups).lines().filter(|line| !is_nameless(line)) {
            out.push_str(line);
            out.push('\n');
        }
        out.push('\n');
    }
    out
}

/// Whether a line says that another file begins, and names none: that of an [`excerpt`] was named before.
fn is_nameless(line: &str) -> bool {
    !line.contains('|') && line.replace("\u{1b}[0m", "").trim_end().ends_with(":::")
}

fn group<'a>(d: &'a Diagnostic, map: &'a SourceMap) -> Group<'a> {
    let level = match d.level {
        Level::Error => Show::ERROR,
        Level::Warning => Show::WARNING,
        Level::Note => Show::NOTE,
    };
    let mut group = Group::with_title(level.primary_title(clean(&d.message)).id(d.code.to_string()));
    let mut marks: Vec<(Span, &str, AnnotationKind)> = Vec::new();
    marks.extend(d.span.map(|span| (span, d.label.as_str(), AnnotationKind::Primary)));
    marks.extend(d.related.iter().map(|l| (l.span, l.text.as_str(), AnnotationKind::Context)));
    while let Some(&(first, ..)) = marks.first() {
        let Some(source) = map.get(first.file) else {
            marks.remove(0);
            continue;
        };
        let near: Vec<_> =
            marks.iter().copied().filter(|(s, ..)| s.file == first.file && close(source, first, *s)).collect();
        marks.retain(|mark| !near.contains(mark));
        group = match window(source, &near) {
            Some((start, text)) => group.element(snippet(source, start, text, &near)),
            None => near.iter().fold(group, |group, (span, words, _)| {
                let at = source.line_col(span.start);
                let origin = Origin::path(clean(source.name())).line(at.line as usize).char_column(at.column as usize);
                group.element(origin).element(excerpt(source, *span, words))
            }),
        };
    }
    match &d.help {
        Some(help) => group.element(Padding).element(Show::HELP.message(clean(help))),
        None => group,
    }
}

fn line_of(source: &Source, offset: u32) -> usize {
    source.line_starts().partition_point(|&start| start <= offset).saturating_sub(1)
}

/// Whether two places fit into one excerpt.
fn close(source: &Source, a: Span, b: Span) -> bool {
    line_of(source, a.start).abs_diff(line_of(source, b.start)) < MAX_LINES
}

/// The lines that hold the marks: where they start, and their text. `None` if a line is too long to show.
fn window<'a>(source: &'a Source, marks: &[(Span, &str, AnnotationKind)]) -> Option<(u32, &'a str)> {
    let starts = source.line_starts();
    let first = marks.iter().map(|(s, ..)| line_of(source, s.start)).min()?;
    let last = marks.iter().map(|(s, ..)| line_of(source, s.start)).max()?;
    let ends = marks.iter().map(|(s, ..)| line_of(source, s.end.max(s.start + 1) - 1)).max()?;
    let last = ends.min(first + MAX_LINES).max(last);
    let start = *starts.get(first)?;
    let end = starts.get(last + 1).map_or(source.text().len(), |e| *e as usize);
    let text = source.text().get(start as usize..end)?;
    (text.lines().all(|l| l.len() <= MAX_LINE)).then_some((start, text))
}

/// What stands near a place in a line that is too long to show. Its column is not the excerpt's, so it is named apart.
fn excerpt<'a>(source: &Source, span: Span, words: &'a str) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let text = source.text();
    let number = line_of(source, span.start);
    let line = source.line_starts().get(number).map_or(0, |start| *start as usize);
    let boundary = |mut at: usize| {
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let at = boundary((span.start as usize).min(text.len()));
    let from = boundary(at.saturating_sub(NEAR.0).max(line));
    let rest = text.get(at..).unwrap_or_default();
    let to = boundary(at + rest.lines().next().map_or(0, str::len).min(NEAR.1));
    let marked = boundary((span.end as usize).clamp(at, to));
    let before = if from > line { "…" } else { "" };
    let behind =
        if text.get(to..).is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['\r', '\n'])) { "…" } else { "" };
    let shown = format!("{before}{}{behind}", text.get(from..to).unwrap_or_default());
    let begin = before.len() + at - from;
    let mark = AnnotationKind::Primary.span(begin..begin + marked - at);
    let mark = if words.is_empty() { mark } else { mark.label(clean(words)) };
    Snippet::source(shown).line_start(number + 1).annotation(mark)
}

fn snippet<'a>(
    source: &'a Source,
    start: u32,
    text: &'a str,
    marks: &[(Span, &'a str, AnnotationKind)],
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let mut snippet = Snippet::source(text).line_start(line_of(source, start) + 1).path(clean(source.name()));
    for (span, words, kind) in marks {
        let from = (span.start.saturating_sub(start) as usize).min(text.len());
        let to = (span.end.saturating_sub(start) as usize).clamp(from, text.len());
        // A place of several lines is underlined on its first: what matters is where it begins.
        let first_line = text.get(from..to).and_then(|t| t.lines().next()).map_or(0, |l| l.trim_end().len());
        let annotation = kind.span(from..from + first_line);
        snippet = snippet.annotation(if words.is_empty() { annotation } else { annotation.label(clean(words)) });
    }
    snippet
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Code, Sink};

    fn shown(text: &str, spans: &[(u32, u32, &str)]) -> String {
        let mut map = SourceMap::new();
        let file = map.add("a.yaml", text);
        let mut sink = Sink::new();
        let mut spans = spans.iter();
        let &(start, end, label) = spans.next().unwrap();
        let mut report =
            sink.error(Code(201), Span { file, start, end }, "unknown key `b`").label(label).help("write `c`");
        for &(start, end, words) in spans {
            report = report.related(Span { file, start, end }, words);
        }
        drop(report);
        super::text(&sink.finish(), &map, Style::default())
    }

    #[test]
    fn looks_like_rustc() {
        let expected = "\
error[GW0201]: unknown key `b`
 --> a.yaml:2:1
  |
2 | b: 2
  | ^ here
  |
  = help: write `c`

";
        assert_eq!(shown("a: 1\nb: 2\nc: 3\n", &[(5, 6, "here")]), expected);
    }

    #[test]
    fn far_places_stand_apart() {
        let mut text = "a: 1\n".repeat(500);
        let far = text.len() as u32;
        text.push_str("b: 2\n");
        let out = shown(&text, &[(far, far + 1, "this"), (0, 1, "that")]);
        assert!(out.contains("501 | b: 2") && out.contains("  1 | a: 1") && out.lines().count() < 15, "{out}");
    }

    #[test]
    fn of_a_long_line_what_is_near_is_shown() {
        let long = format!("{{\"a\":\"{}\",\"ä\":7,\"b\":\"{}\"}}", "x".repeat(5_000), "y".repeat(5_000));
        let start = long.find('7').unwrap() as u32;
        let expected = "\
error[GW0201]: unknown key `b`
 --> a.yaml:1:5013
  |
1 | …xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\",\"ä\":7,\"b\":\"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy…
  |                                         ^ here
  |
  = help: write `c`

";
        assert_eq!(shown(&long, &[(start, start + 1, "here")]), expected);
        assert!(is_nameless("\u{1b}[1m\u{1b}[94m ::: \u{1b}[0m") && !is_nameless(" ::: b.yaml:1:1"));
    }

    #[test]
    fn no_place_panics() {
        let long = format!("ä\n{}", "\u{1f600}".repeat(MAX_LINE));
        for text in ["", "\n", "ä\r\n\tb: \u{202e}\u{1f600}\n"] {
            for start in 0..=text.len() {
                for end in start..=text.len() + 2 {
                    if text.is_char_boundary(start) {
                        let _ = shown(text, &[(start as u32, end as u32, "x"), (0, text.len() as u32, "")]);
                    }
                }
            }
        }
        for start in (3..long.len() as u32).step_by(4) {
            let _ = shown(&long, &[(start, start + 4_000, "x"), (start, start, "")]);
        }
    }
}
