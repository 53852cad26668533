//! Values as parameters, in the styles of OpenAPI: what we answer in header fields, and what we send in a query.

use super::spec::Style;
use crate::json::{self, Document, FromJson as _, Json, Kind, NotJson, ToJson, Value};

/// A value that was written as JSON, to be written as a parameter.
pub(crate) fn document<T: ToJson>(value: &T) -> Result<Document, String> {
    let text = json::to_vec(value).map_err(|e: NotJson| e.to_string())?;
    Document::parse(&text).map_err(|e| e.to_string())
}

/// The text of a header field (style `simple`, or JSON). Header fields know no escapes: percent-encoding is for URLs
/// (OpenAPI 3.2.0, appendix D). `None` for `null`.
pub(crate) fn header(document: &Document, style: Style, explode: bool) -> Option<String> {
    let value = document.root();
    match (value.kind(), style) {
        (Kind::Null, _) => None,
        (_, Style::Json) => Some(document.text().to_owned()),
        (Kind::Array, _) => Some(value.items().map(text).collect::<Vec<_>>().join(",")),
        (Kind::Object, _) => {
            let between = if explode { '=' } else { ',' };
            let members = value.members().map(|m| format!("{}{between}{}", m.name, text(m.value)));
            Some(members.collect::<Vec<_>>().join(","))
        }
        _ => Some(text(value)),
    }
}

/// Adds a query parameter to what stands there. Values are percent-encoded, and the delimiters between them are not
/// (RFC 6570, 3.2.8), but for `|` and the space, which no URL can hold.
pub(crate) fn query(name: &str, document: &Document, style: Style, explode: bool, out: &mut String) {
    let value = document.root();
    let delimiter = match style {
        Style::SpaceDelimited => "%20",
        Style::PipeDelimited => "%7C",
        _ => ",",
    };
    match (value.kind(), style) {
        (Kind::Null, _) => {}
        (_, Style::Json) => pair(name, document.text(), out),
        (Kind::Array | Kind::Object, Style::DeepObject) => deep(name, value, out),
        (Kind::Array, _) if explode => value.items().for_each(|item| pair(name, &text(item), out)),
        (Kind::Object, _) if explode => value.members().for_each(|m| pair(m.name, &text(m.value), out)),
        (Kind::Array, _) => listed(name, value.items().map(text), delimiter, out),
        (Kind::Object, _) => {
            let parts = value.members().flat_map(|m| [m.name.to_owned(), text(m.value)]);
            listed(name, parts, delimiter, out);
        }
        _ => pair(name, &text(value), out),
    }
}

/// `a[b]=1&a[c]=2`; an array's items repeat its name.
fn deep(name: &str, value: Value<'_>, out: &mut String) {
    match value.kind() {
        Kind::Object => value.members().for_each(|m| deep(&format!("{name}[{}]", m.name), m.value, out)),
        Kind::Array => value.items().for_each(|item| pair(name, &text(item), out)),
        Kind::Null => {}
        _ => pair(name, &text(value), out),
    }
}

fn listed(name: &str, parts: impl Iterator<Item = String>, delimiter: &str, out: &mut String) {
    begin(name, out);
    for (i, part) in parts.enumerate() {
        if i > 0 {
            out.push_str(delimiter);
        }
        encode(&part, out);
    }
}

fn pair(name: &str, value: &str, out: &mut String) {
    begin(name, out);
    encode(value, out);
}

fn begin(name: &str, out: &mut String) {
    if !out.is_empty() {
        out.push('&');
    }
    encode(name, out);
    out.push('=');
}

/// A text as it stands, anything else as JSON.
fn text(value: Value<'_>) -> String {
    value.as_str().map_or_else(|| json_text(value), str::to_owned)
}

fn json_text(value: Value<'_>) -> String {
    let text = Json::decode(value).ok().and_then(|json| json::to_vec(&json).ok());
    text.and_then(|text| String::from_utf8(text).ok()).unwrap_or_default()
}

/// Percent-encoding of everything but RFC 3986's unreserved characters.
pub(crate) fn encode(text: &str, out: &mut String) {
    use std::fmt::Write as _;
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_stand_and_values_are_encoded() {
        use Style::*;
        const LIST: &str = r#"["a,b","c d",1,true]"#;
        const OBJECT: &str = r#"{"R":100,"x y":"a&b"}"#;
        for (style, explode, json, expected) in [
            (Form, true, r#""a b""#, "q=a%20b"),
            (Form, true, "5", "q=5"),
            (Form, true, "null", ""),
            (Form, true, LIST, "q=a%2Cb&q=c%20d&q=1&q=true"),
            (Form, false, LIST, "q=a%2Cb,c%20d,1,true"),
            (Form, false, "[]", "q="),
            (SpaceDelimited, false, LIST, "q=a%2Cb%20c%20d%201%20true"),
            (PipeDelimited, false, LIST, "q=a%2Cb%7Cc%20d%7C1%7Ctrue"),
            (PipeDelimited, true, LIST, "q=a%2Cb&q=c%20d&q=1&q=true"),
            (Form, true, OBJECT, "R=100&x%20y=a%26b"),
            (Form, false, OBJECT, "q=R,100,x%20y,a%26b"),
            (DeepObject, true, OBJECT, "q%5BR%5D=100&q%5Bx%20y%5D=a%26b"),
            (DeepObject, true, r#"{"a":{"b":[1,2]},"c":null}"#, "q%5Ba%5D%5Bb%5D=1&q%5Ba%5D%5Bb%5D=2"),
            (Json, false, r#"{"a":[1]}"#, "q=%7B%22a%22%3A%5B1%5D%7D"),
        ] {
            let mut out = String::new();
            query("q", &Document::parse(json.as_bytes()).unwrap(), style, explode, &mut out);
            assert_eq!(out, expected, "{style:?} {explode} {json}");
        }
        for (style, explode, json, expected) in [
            (Simple, false, LIST, Some("a,b,c d,1,true")),
            (Simple, true, LIST, Some("a,b,c d,1,true")),
            (Simple, false, OBJECT, Some("R,100,x y,a&b")),
            (Simple, true, OBJECT, Some("R=100,x y=a&b")),
            (Json, false, OBJECT, Some(OBJECT)),
            (Json, false, r#""a""#, Some(r#""a""#)),
            (Simple, false, r#""a""#, Some("a")),
            (Simple, false, "null", None),
        ] {
            let found = header(&Document::parse(json.as_bytes()).unwrap(), style, explode);
            assert_eq!(found.as_deref(), expected, "{style:?} {explode} {json}");
        }
    }
}
