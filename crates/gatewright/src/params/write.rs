//! Values as parameters, in the styles of OpenAPI: what we answer in header fields, and what we send in a query and in cookies.

use super::spec::{Encoded, Style};
use crate::json::{self, Document, Kind, NotJson, ToJson, Value};

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
pub(crate) fn query(name: &str, value: Value<'_>, style: Style, explode: bool, out: &mut String) {
    let delimiter = match style {
        Style::SpaceDelimited => "%20",
        Style::PipeDelimited => "%7C",
        _ => ",",
    };
    match (value.kind(), style) {
        (Kind::Null, _) => {}
        (_, Style::Json) => pair(name, &json_text(value), out),
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

/// Adds a cookie parameter to the `Cookie` field that stands there. An exploded one is several cookies. Values are
/// percent-encoded; those of the style `cookie` have no escapes (OpenAPI 3.2.0, section 4.12.3), so one that no cookie can hold
/// is an error, and so is a name that is none (RFC 6265, 4.1.1).
pub(crate) fn cookie(
    name: &str,
    document: &Document,
    style: Style,
    explode: bool,
    out: &mut String,
) -> Result<(), &'static str> {
    let value = document.root();
    let mut add = |name: &str, parts: &[String]| {
        if !is_token(name) {
            return Err("a cookie's name is a token");
        }
        if !out.is_empty() {
            out.push_str("; ");
        }
        out.push_str(name);
        out.push('=');
        for (i, part) in parts.iter().enumerate() {
            if i > 0 {
                out.push(',');
            }
            match style {
                Style::Cookie if is_cookie_value(part) => out.push_str(part),
                Style::Cookie => return Err("a value of the style `cookie` holds what no cookie can"),
                _ => encode(part, out),
            }
        }
        Ok(())
    };
    match (value.kind(), style) {
        (Kind::Null, _) => Ok(()),
        (_, Style::Json) => add(name, &[document.text().to_owned()]),
        (Kind::Array, _) if explode => value.items().try_for_each(|item| add(name, &[text(item)])),
        (Kind::Object, _) if explode => value.members().try_for_each(|m| add(m.name, &[text(m.value)])),
        (Kind::Array, _) => add(name, &value.items().map(text).collect::<Vec<_>>()),
        (Kind::Object, _) => {
            add(name, &value.members().flat_map(|m| [m.name.to_owned(), text(m.value)]).collect::<Vec<_>>())
        }
        _ => add(name, &[text(value)]),
    }
}

/// Whether a text is a token (RFC 9110, 5.6.2).
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// Whether a cookie can have this value (RFC 6265, 4.1.1).
pub(crate) fn is_cookie_value(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_graphic() && !b"\",;\\".contains(&b))
}

/// A whole query: a form; or anything else as JSON or text, encoded.
pub(crate) fn query_string(document: &Document, style: Style, out: &mut String) -> Result<(), &'static str> {
    let value = document.root();
    match (value.kind(), style) {
        (Kind::Null, _) => {}
        (_, Style::Form) => form(value, &[], out)?,
        (_, Style::Json) => encode(document.text(), out),
        _ => encode(&text(value), out),
    }
    Ok(())
}

/// The members of an object as a form: as their `encoding` says, else those of an array each on its own and an object as
/// JSON (OpenAPI 3.1.1, 4.8.15.1). What is no object is none.
pub(crate) fn form(value: Value<'_>, encoded: &[Encoded], out: &mut String) -> Result<(), &'static str> {
    if value.kind() != Kind::Object {
        return Err("a form is an object");
    }
    for member in value.members() {
        if let Some(field) = encoded.iter().find(|field| field.name == member.name) {
            query(field.name, member.value, field.style, field.explode, out);
            continue;
        }
        match member.value.kind() {
            Kind::Array => member.value.items().for_each(|item| pair(member.name, &text(item), out)),
            _ => pair(member.name, &text(member.value), out),
        }
    }
    Ok(())
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
    // What was read from JSON can be written as JSON.
    json::to_vec(&value).ok().and_then(|text| String::from_utf8(text).ok()).unwrap_or_default()
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
            query("q", Document::parse(json.as_bytes()).unwrap().root(), style, explode, &mut out);
            assert_eq!(out, expected, "{style:?} {explode} {json}");
        }
        for (style, explode, json, expected) in [
            (Form, true, r#""a b;""#, Ok("q=a%20b%3B")),
            (Form, true, "null", Ok("")),
            (Form, true, LIST, Ok("q=a%2Cb; q=c%20d; q=1; q=true")),
            (Form, false, LIST, Ok("q=a%2Cb,c%20d,1,true")),
            (Form, false, OBJECT, Ok("q=R,100,x%20y,a%26b")),
            (Form, true, OBJECT, Err("a cookie's name is a token")),
            (Form, true, r#"{"R":100,"x!":"a&b"}"#, Ok("R=100; x!=a%26b")),
            (Cookie, true, r#"["a&%41",2]"#, Ok("q=a&%41; q=2")),
            (Cookie, false, r#"["a&%41",2]"#, Ok("q=a&%41,2")),
            (Cookie, true, LIST, Err("a value of the style `cookie` holds what no cookie can")),
            (Cookie, true, r#""a;b""#, Err("a value of the style `cookie` holds what no cookie can")),
            (Cookie, true, r#""a\r\nb""#, Err("a value of the style `cookie` holds what no cookie can")),
            (Json, false, r#"{"a":[1]}"#, Ok("q=%7B%22a%22%3A%5B1%5D%7D")),
        ] {
            let mut out = String::new();
            let done = cookie("q", &Document::parse(json.as_bytes()).unwrap(), style, explode, &mut out);
            assert_eq!(done.map(|()| out.as_str()), expected, "{style:?} {explode} {json}");
        }
        for (style, json, expected) in [
            (Form, r#"{"a":[1,"x y"],"b":{"c":true},"d&":null}"#, Ok("a=1&a=x%20y&b=%7B%22c%22%3Atrue%7D&d%26=null")),
            (Json, r#"{"a":[1]}"#, Ok("%7B%22a%22%3A%5B1%5D%7D")),
            (Text, r#""a=b&c""#, Ok("a%3Db%26c")),
            (Form, "null", Ok("")),
            (Form, "[1]", Err("a form is an object")),
        ] {
            let mut out = String::new();
            let done = query_string(&Document::parse(json.as_bytes()).unwrap(), style, &mut out);
            assert_eq!(done.map(|()| out.as_str()), expected, "{style:?} {json}");
        }
        for (style, explode, json, expected) in [
            (PipeDelimited, false, r#"{"a":[1,"x|y"],"b":[1,2]}"#, "a=1%7Cx%7Cy&b=1&b=2"),
            (Json, false, r#"{"a":[1,"x"],"b":null}"#, "a=%5B1%2C%22x%22%5D&b=null"),
            (DeepObject, true, r#"{"b":1,"a":{"c":2}}"#, "b=1&a%5Bc%5D=2"),
            (Form, true, r#"{"a":{"c":2}}"#, "c=2"),
        ] {
            let mut out = String::new();
            form(Document::parse(json.as_bytes()).unwrap().root(), &[Encoded { name: "a", style, explode }], &mut out)
                .unwrap();
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
