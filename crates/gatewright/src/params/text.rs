//! From the text of parameters to JSON: strings quoted, numbers and booleans bare where the schema admits them.

use super::spec::{Shape, Style, kinds};

/// Writes one text as the JSON value that `shape` makes of it. A text that is none of the admitted kinds is written as
/// a string: the check will say what it should have been.
pub(crate) fn scalar(shape: &Shape, text: &str, out: &mut String) {
    let admits = |kind: u8| shape.kinds & kind != 0;
    let bare = (admits(kinds::NULL) && (text == "null" || text.is_empty() && !admits(kinds::STRING)))
        || (admits(kinds::BOOLEAN) && matches!(text, "true" | "false"))
        || (admits(kinds::NUMBER) && is_number(text));
    match bare {
        true if text.is_empty() => out.push_str("null"),
        true => out.push_str(text),
        false => quote(text, out),
    }
}

/// The items of an array.
pub(crate) fn array<'t>(shape: &Shape, items: impl Iterator<Item = &'t str>, out: &mut String) {
    let item = shape.items.unwrap_or(&Shape::TEXT);
    out.push('[');
    for (i, text) in items.enumerate() {
        if i > 0 {
            out.push(',');
        }
        scalar(item, text, out);
    }
    out.push(']');
}

/// The members of an object. A name met twice is [`Unreadable`]: the reader of JSON would refuse it too, but could not say where.
pub(crate) fn object<'t>(
    shape: &Shape,
    members: impl Iterator<Item = (&'t str, &'t str)>,
    out: &mut String,
) -> Result<(), Unreadable> {
    let mut seen: Vec<&str> = Vec::new();
    out.push('{');
    for (name, text) in members {
        if seen.contains(&name) {
            return Err(Unreadable);
        }
        if !seen.is_empty() {
            out.push(',');
        }
        seen.push(name);
        quote(name, out);
        out.push(':');
        let member = shape.properties.iter().find(|(n, _)| *n == name).map(|(_, s)| s);
        let member = member.or(shape.additional).unwrap_or(&Shape::TEXT);
        if member.is_array() {
            array(member, text.split(','), out);
        } else {
            scalar(member, text, out);
        }
    }
    out.push('}');
    Ok(())
}

/// A JSON number, exactly (RFC 8259, 6): `+1`, `01`, `1.`, `0x1` and `NaN` are none.
pub(crate) fn is_number(text: &str) -> bool {
    let rest = text.strip_prefix('-').unwrap_or(text);
    let digits = |s: &str| s.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest.starts_with('0')) {
        return false;
    }
    let mut rest = rest.get(whole..).unwrap_or("");
    if let Some(fraction) = rest.strip_prefix('.') {
        let n = digits(fraction);
        if n == 0 {
            return false;
        }
        rest = fraction.get(n..).unwrap_or("");
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let n = digits(exponent);
        if n == 0 {
            return false;
        }
        rest = exponent.get(n..).unwrap_or("");
    }
    rest.is_empty()
}

/// Writes a JSON string.
pub(crate) fn quote(text: &str, out: &mut String) {
    use std::fmt::Write as _;
    out.push('"');
    let mut rest = text;
    // What must be escaped is ASCII, so bytes will do.
    while let Some(at) = rest.bytes().position(|b| matches!(b, b'"' | b'\\') || b < 0x20) {
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        let mut special = special.chars();
        match special.next() {
            Some(c @ ('"' | '\\')) => out.extend(['\\', c]),
            Some(c) => {
                // Writing to a string does not fail.
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            None => {}
        }
        rest = special.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

/// The text of one value without a name around it (`simple`, `label`, `matrix`, and the delimited styles): as JSON.
pub(crate) fn delimited(
    shape: &Shape,
    style: Style,
    explode: bool,
    name: &str,
    text: &str,
    out: &mut String,
) -> Result<(), Unreadable> {
    match style {
        Style::Label => {
            let text = text.strip_prefix('.').ok_or(Unreadable)?;
            let separator = if explode { '.' } else { ',' };
            split(shape, explode, separator, text, out)
        }
        Style::Matrix => {
            let text = text.strip_prefix(';').ok_or(Unreadable)?;
            if explode && shape.is_array() {
                let items: Option<Vec<&str>> =
                    text.split(';').map(|part| part.split_once('=').filter(|(n, _)| *n == name).map(|p| p.1)).collect();
                array(shape, items.ok_or(Unreadable)?.into_iter(), out);
                Ok(())
            } else if explode && shape.is_object() {
                split(shape, true, ';', text, out)
            } else {
                let text = if text == name {
                    ""
                } else {
                    text.strip_prefix(name).and_then(|t| t.strip_prefix('=')).ok_or(Unreadable)?
                };
                split(shape, false, ',', text, out)
            }
        }
        Style::SpaceDelimited => split(shape, false, ' ', text, out),
        Style::PipeDelimited => split(shape, false, '|', text, out),
        _ => split(shape, explode, ',', text, out),
    }
}

/// The text does not have the form of the parameter's style.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable;

fn split(shape: &Shape, explode: bool, separator: char, text: &str, out: &mut String) -> Result<(), Unreadable> {
    if shape.is_array() {
        // An empty text is the empty array: `?tags=` has no tags rather than one without letters.
        let items = if text.is_empty() { None } else { Some(text.split(separator)) };
        array(shape, items.into_iter().flatten(), out);
        return Ok(());
    }
    if !shape.is_object() {
        scalar(shape, text, out);
        return Ok(());
    }
    if explode {
        let parts = if text.is_empty() { None } else { Some(text.split(separator)) };
        return object(shape, parts.into_iter().flatten().map(|p| p.split_once('=').unwrap_or((p, ""))), out);
    }
    let parts: Vec<&str> = if text.is_empty() { Vec::new() } else { text.split(separator).collect() };
    let (pairs, []) = parts.as_chunks::<2>() else { return Err(Unreadable) };
    object(shape, pairs.iter().map(|[name, value]| (*name, *value)), out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERS: Shape = Shape::array(&Shape::NUMBER);
    const POINT: Shape = Shape {
        kinds: kinds::OBJECT,
        items: None,
        properties: &[("R", Shape::NUMBER), ("G", Shape::NUMBER)],
        additional: None,
    };

    fn read(shape: &Shape, style: Style, explode: bool, text: &str) -> String {
        let mut out = String::new();
        match delimited(shape, style, explode, "color", text, &mut out) {
            Ok(()) => out,
            Err(Unreadable) => "unreadable".to_owned(),
        }
    }

    #[test]
    fn every_style_of_the_specification() {
        use Style::*;
        let text = Shape::TEXT;
        for (shape, style, explode, sent, json) in [
            (&text, Simple, false, "blue", r#""blue""#),
            (&text, Simple, false, "1", r#""1""#),
            (&Shape::NUMBER, Simple, false, "1", "1"),
            (&Shape::NUMBER, Simple, false, "01", r#""01""#),
            (&NUMBERS, Simple, false, "1,2", "[1,2]"),
            (&NUMBERS, Simple, false, "", "[]"),
            (&NUMBERS, Simple, true, "1,2", "[1,2]"),
            (&POINT, Simple, false, "R,100,G,200", r#"{"R":100,"G":200}"#),
            (&POINT, Simple, true, "R=100,G=200", r#"{"R":100,"G":200}"#),
            (&POINT, Simple, false, "R,100,R,200", "unreadable"),
            (&NUMBERS, Label, false, ".1,2", "[1,2]"),
            (&NUMBERS, Label, true, ".1.2", "[1,2]"),
            (&POINT, Label, true, ".R=100.G=200", r#"{"R":100,"G":200}"#),
            (&NUMBERS, Label, false, "1,2", "unreadable"),
            (&text, Matrix, false, ";color=blue", r#""blue""#),
            (&text, Matrix, false, ";color", r#""""#),
            (&NUMBERS, Matrix, false, ";color=1,2", "[1,2]"),
            (&NUMBERS, Matrix, true, ";color=1;color=2", "[1,2]"),
            (&NUMBERS, Matrix, true, ";color=1;other=2", "unreadable"),
            (&POINT, Matrix, true, ";R=100;G=200", r#"{"R":100,"G":200}"#),
            (&NUMBERS, SpaceDelimited, false, "1 2", "[1,2]"),
            (&NUMBERS, PipeDelimited, false, "1|2", "[1,2]"),
        ] {
            assert_eq!(read(shape, style, explode, sent), json, "{style:?} {explode} {sent}");
        }
    }

    #[test]
    fn numbers_are_those_of_json() {
        for good in ["0", "-0", "1", "-12.5", "1e3", "1E-3", "0.0"] {
            assert!(is_number(good), "{good}");
        }
        for bad in ["", "-", "+1", "01", "1.", ".5", "1e", "0x1", "NaN", "1 ", " 1", "１", "1_0"] {
            assert!(!is_number(bad), "{bad}");
        }
    }

    #[test]
    fn text_cannot_break_out_of_its_quotes() {
        let mut out = String::new();
        scalar(&Shape::TEXT, "\",\"x\":\"\\\n", &mut out);
        assert_eq!(out, r#""\",\"x\":\"\\\u000a""#);
        let mut out = String::new();
        scalar(&Shape::NUMBER, "1,2", &mut out);
        assert_eq!(out, r#""1,2""#);
    }
}
