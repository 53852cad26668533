//! Path templates: `/accounts/{id}.json` as segments of pieces, and which templates are the same route.

use std::collections::HashMap;

use gatewright_diag::{Sink, Span, codes};
use gatewright_ir::api::{Operation, PathPiece, PathTemplate};

use super::shown;

/// Reads a template. `None` where it is none, which is reported.
pub(super) fn parse(text: &str, span: Span, sink: &mut Sink) -> Option<PathTemplate> {
    // A path without a slash was reported when its shape was.
    let rest = text.strip_prefix('/')?;
    let mut segments = Vec::new();
    for segment in rest.split('/') {
        match pieces(segment) {
            Ok(pieces) => segments.push(pieces),
            Err(why) => {
                sink.error(codes::PATH_TEMPLATE, span, format!("the path `{}` {why}", shown(text)))
                    .help("a parameter is written `{name}`, and two parameters of a segment have text between them");
                return None;
            }
        }
    }
    if let Some(name) = segments.iter().find_map(|pieces| colon(pieces)) {
        sink.warning(codes::PATH_TEMPLATE, span, format!("`:{}` is literal text here, no parameter", shown(name)))
            .help(format!("write `{{{}}}`", shown(name)));
    }
    if text.contains(['?', '#']) {
        sink.warning(codes::PATH_UNREACHABLE, span, format!("the path `{}` holds `?` or `#`", shown(text)))
            .label("no request has these in its path")
            .help("say query parameters under `parameters`, and give the operation a path of its own");
    }
    // A request's dot segments are gone before its path is compared (RFC 3986, 5.2.4).
    let dots = |pieces: &Vec<PathPiece>| matches!(pieces.as_slice(), [PathPiece::Literal(t)] if t == "." || t == "..");
    if segments.iter().any(dots) {
        sink.warning(codes::PATH_UNREACHABLE, span, format!("the path `{}` holds `.` or `..`", shown(text)))
            .label("no request has these in its path")
            .help("write the path as it is without them");
    }
    let mut template = PathTemplate { text: text.to_owned(), span, segments };
    for piece in template.segments.iter_mut().flatten() {
        let PathPiece::Parameter(name) = piece else { continue };
        let plain = name.trim_start_matches(['.', ';']).trim_end_matches('*');
        if plain.len() < name.len() && !plain.is_empty() {
            sink.warning(
                codes::PATH_TEMPLATE,
                span,
                format!("`{{{}}}` is read as `{{{}}}`", shown(name), shown(plain)),
            )
            .label("how a value is written is said by `style` and `explode`")
            .help(format!("write `{{{}}}`", shown(plain)));
            *name = plain.to_owned();
        }
    }
    let names: Vec<&str> = parameters(&template).collect();
    if let Some((_, twice)) = names.iter().enumerate().find(|(i, name)| names.iter().take(*i).any(|n| n == *name)) {
        sink.error(codes::PATH_TEMPLATE, span, format!("`{{{}}}` stands twice in one path", shown(twice)))
            .help("give each parameter of a path its own name");
        return None;
    }
    Some(template)
}

/// The name in a segment that other routers would take for a parameter: `:id`.
fn colon(pieces: &[PathPiece]) -> Option<&str> {
    let [PathPiece::Literal(text)] = pieces else { return None };
    let name = text.strip_prefix(':')?;
    let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    plain.then_some(name)
}

/// The names of a template's parameters, in its order.
pub(super) fn parameters(template: &PathTemplate) -> impl Iterator<Item = &str> {
    template.segments.iter().flatten().filter_map(|piece| match piece {
        PathPiece::Parameter(name) => Some(name.as_str()),
        PathPiece::Literal(_) => None,
    })
}

fn pieces(segment: &str) -> Result<Vec<PathPiece>, &'static str> {
    let mut pieces = Vec::new();
    let mut rest = segment;
    while !rest.is_empty() {
        let open = rest.find('{').unwrap_or(rest.len());
        let (literal, after) = rest.split_at(open);
        if literal.contains('}') {
            return Err("closes a `}` that is not open");
        }
        if !literal.is_empty() {
            pieces.push(PathPiece::Literal(decode(literal).ok_or("has a `%` that is no escape of UTF-8 text")?));
        }
        let Some(inner) = after.strip_prefix('{') else { break };
        let Some((name, behind)) = inner.split_once('}') else { return Err("opens a `{` that is never closed") };
        if name.is_empty() || name.contains('{') {
            return Err("has a parameter without a name");
        }
        if matches!(pieces.last(), Some(PathPiece::Parameter(_))) {
            return Err("has two parameters with nothing between them");
        }
        pieces.push(PathPiece::Parameter(name.to_owned()));
        rest = behind;
    }
    Ok(pieces)
}

/// Undoes percent-encoding. A `%` that begins no escape stands for itself only where it cannot be one.
fn decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let (high, low) = (digit()?, digit()?);
        bytes.push((high * 16 + low) as u8);
    }
    String::from_utf8(bytes).ok()
}

/// What makes two templates one route: all but the names of parameters.
fn shape(template: &PathTemplate) -> String {
    let mut shape = String::new();
    for segment in &template.segments {
        shape.push('/');
        for piece in segment {
            match piece {
                PathPiece::Literal(text) => shape.push_str(&text.replace(['/', '\0'], "\0")),
                PathPiece::Parameter(_) => shape.push_str("\0{}"),
            }
        }
    }
    shape
}

/// Reports templates that are the same route under other names: an error where they share a method, since one could
/// never be called.
pub(super) fn conflicts(operations: &[Operation], sink: &mut Sink) {
    let mut first: HashMap<String, Vec<&Operation>> = HashMap::new();
    for operation in operations {
        let same = first.entry(shape(&operation.path)).or_default();
        let clash = same.iter().find(|o| o.method == operation.method && o.path.text != operation.path.text);
        let other = same.iter().find(|o| o.path.text != operation.path.text);
        if let Some(earlier) = clash {
            sink.error(
                codes::PATH_CONFLICT,
                operation.path.span,
                format!(
                    "`{}` and `{}` are the same route, and both have {}",
                    shown(&earlier.path.text),
                    shown(&operation.path.text),
                    shown(&operation.method)
                ),
            )
            .related(earlier.path.span, "the other stands here")
            .help("remove one, or put a literal segment between them");
        } else if let Some(earlier) = other.filter(|_| !same.iter().any(|o| o.path.text == operation.path.text)) {
            sink.warning(
                codes::PATH_CONFLICT,
                operation.path.span,
                format!("`{}` and `{}` are the same route", shown(&earlier.path.text), shown(&operation.path.text)),
            )
            .related(earlier.path.span, "the other stands here")
            .help("write their operations under one path");
        }
        // One of each method is enough to compare with.
        if !same.iter().any(|o| o.method == operation.method) {
            same.push(operation);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(text: &str) -> Option<Vec<Vec<PathPiece>>> {
        let mut sink = Sink::new();
        let parsed = parse(text, Span::default(), &mut sink).map(|t| t.segments);
        assert_eq!(parsed.is_none(), sink.has_errors(), "{text}");
        drop(sink.finish());
        parsed
    }

    #[test]
    fn templates_have_pieces() {
        let literal = |t: &str| PathPiece::Literal(t.to_owned());
        let parameter = |t: &str| PathPiece::Parameter(t.to_owned());
        assert_eq!(segments("/").unwrap(), vec![vec![]]);
        assert_eq!(segments("/a/").unwrap(), vec![vec![literal("a")], vec![]]);
        assert_eq!(segments("/{id}.json").unwrap(), vec![vec![parameter("id"), literal(".json")]]);
        assert_eq!(segments("/{a}-{b}").unwrap(), vec![vec![parameter("a"), literal("-"), parameter("b")]]);
        assert_eq!(segments("/caf%C3%A9").unwrap(), vec![vec![literal("café")]]);
        for bad in ["/{a", "/a}", "/{}", "/{a}{b}", "/{a}/{a}", "/%zz", "/%ff", "/{a{b}}"] {
            assert!(segments(bad).is_none(), "{bad}");
        }
    }
}
