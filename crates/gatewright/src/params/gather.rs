//! Collects the text of every parameter of a request, and makes one JSON array of all that are there. What is wrong
//! before any schema is asked (missing, repeated, unknown, unreadable) is noted beside it.

use std::borrow::Cow;

use http::HeaderMap;
use http::header::COOKIE;
use smallvec::SmallVec;

use super::form::{self, Tree};
use super::spec::{ParameterSpec, Place, Style};
use super::text;
use crate::route::PathParams;

/// The most parameters in a query, and the most cookies: a longer one is refused, because each is looked up.
pub(super) const MOST: usize = 1024;

/// Something wrong with a parameter as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) place: Place,
    pub(crate) name: Cow<'static, str>,
    pub(crate) rule: &'static str,
    pub(crate) detail: &'static str,
}

/// All parameters of a request.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    /// A JSON array of the values that are there.
    pub(crate) json: String,
    /// By parameter: its index in the array.
    pub(crate) at: SmallVec<[Presence; 4]>,
    pub(crate) wrong: Vec<Wrong>,
}

/// Whether a parameter is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// As this item of the array.
    At(usize),
    /// Not sent: its default is this item of the array.
    Default(usize),
    Absent,
    /// What is wrong with it has been noted.
    Wrong,
}

/// One `name=value`, still as sent and decoded. Of the style `cookie` only what was sent counts: it has no escapes
/// (OpenAPI 3.2.0, section 4.12.3).
pub(super) struct Pair<'r> {
    pub(super) name: Cow<'r, str>,
    raw: &'r str,
    pub(super) value: Option<Cow<'r, str>>,
    used: bool,
}

/// What of a parameter was found.
enum Text {
    /// JSON, written to the array.
    Written,
    Absent,
    Wrong(&'static str, &'static str),
}

const REPEATED: Text = Text::Wrong("repeated", "must be given once");
const UNREADABLE: Text = Text::Wrong("style", "is not written as the operation declares");

/// Collects. `admitted` are query parameters that carry credentials.
pub(crate) fn gather(
    specs: &'static [ParameterSpec],
    path: &PathParams,
    query: Option<&str>,
    headers: &HeaderMap,
    admitted: &[&str],
    refuse_unknown: bool,
) -> Gathered {
    if specs.is_empty() && query.is_none() {
        return Gathered::default();
    }
    let mut out = Gathered { json: String::with_capacity(64), at: SmallVec::new(), wrong: Vec::new() };
    out.json.push('[');
    let mut pairs = pairs(query.unwrap_or(""), '&', true);
    let needs_cookies = specs.iter().any(|s| s.place == Place::Cookie);
    let mut cookies = if needs_cookies { cookies(headers) } else { Vec::new() };
    if pairs.len() > MOST || cookies.len() > MOST {
        let place = if pairs.len() > MOST { Place::Query } else { Place::Cookie };
        out.wrong.push(Wrong { place, name: Cow::Borrowed(""), rule: "count", detail: "has too many parameters" });
    }
    let mut count = 0;
    for spec in specs {
        let start = out.json.len();
        if count > 0 {
            out.json.push(',');
        }
        let found = match spec.place {
            Place::Path => of_path(spec, path, &mut out.json),
            Place::Query => of_pairs(spec, &mut pairs, &mut out.json),
            Place::Cookie => of_pairs(spec, &mut cookies, &mut out.json),
            Place::Header => of_header(spec, headers, &mut out.json),
            Place::QueryString => of_whole_query(spec, query, &mut pairs, &mut out.json),
        };
        let found = match (found, spec.default) {
            (Text::Absent, Some(default)) => {
                out.json.push_str(default);
                out.at.push(Presence::Default(count));
                count += 1;
                continue;
            }
            (Text::Absent, None) if spec.required => Text::Wrong("required", "is missing"),
            (found, _) => found,
        };
        out.at.push(match found {
            Text::Written => {
                count += 1;
                Presence::At(count - 1)
            }
            Text::Absent => {
                out.json.truncate(start);
                Presence::Absent
            }
            Text::Wrong(rule, detail) => {
                out.json.truncate(start);
                out.wrong.push(Wrong { place: spec.place, name: Cow::Borrowed(spec.name), rule, detail });
                Presence::Wrong
            }
        });
    }
    out.json.push(']');
    if refuse_unknown {
        for pair in &pairs {
            if !pair.used && !admitted.contains(&&*pair.name) {
                // The name is the caller's own text, shown to the caller alone, and cut.
                let name: String = pair.name.chars().take(64).collect();
                out.wrong.push(Wrong {
                    place: Place::Query,
                    name: Cow::Owned(name),
                    rule: "unknown",
                    detail: "is not a parameter of this operation",
                });
            }
        }
    }
    out
}

fn of_path(spec: &ParameterSpec, path: &PathParams, out: &mut String) -> Text {
    let Some(value) = path.value(spec.name) else { return Text::Absent };
    if matches!(spec.style, Style::Json | Style::Text) {
        return content(spec, &value.text, out);
    }
    // Delimiters count as sent: an escaped comma is a letter of its item.
    match (&value.raw, spec.shape.is_array() || spec.shape.is_object()) {
        (Some(raw), true) => escaped(spec, raw, false, out),
        _ => read(spec, &value.text, out),
    }
}

fn of_header(spec: &ParameterSpec, headers: &HeaderMap, out: &mut String) -> Text {
    let mut lines = headers.get_all(spec.name).iter();
    let Some(first) = lines.next() else { return Text::Absent };
    let Ok(first) = first.to_str() else { return UNREADABLE };
    let mut whole = Cow::Borrowed(first.trim());
    for line in lines {
        if !spec.shape.is_array() {
            return REPEATED;
        }
        let Ok(line) = line.to_str() else { return UNREADABLE };
        whole = Cow::Owned(format!("{whole},{}", line.trim()));
    }
    if matches!(spec.style, Style::Json | Style::Text) {
        return content(spec, &whole, out);
    }
    // White space around the commas of a list is no part of the items (RFC 9110, 5.6.1).
    if spec.shape.is_array() {
        let items = if whole.is_empty() { None } else { Some(whole.split(',').map(str::trim)) };
        text::array(spec.shape, items.into_iter().flatten(), out);
        return Text::Written;
    }
    if spec.shape.is_object() && whole.contains([' ', '\t']) {
        whole = Cow::Owned(whole.split(',').map(str::trim).collect::<Vec<_>>().join(","));
    }
    read(spec, &whole, out)
}

/// The value of a `content` parameter. JSON is read here alone before it joins the others, so that no text can add
/// items to their array.
fn content(spec: &ParameterSpec, value: &str, out: &mut String) -> Text {
    if spec.style == Style::Text {
        text::quote(value, out);
        return Text::Written;
    }
    match is_json(value) {
        true => {
            out.push_str(value);
            Text::Written
        }
        false => Text::Wrong("json", "is not well-formed JSON"),
    }
}

pub(super) fn is_json(text: &str) -> bool {
    crate::json::Document::parse(text.as_bytes()).is_ok()
}

fn read(spec: &ParameterSpec, value: &str, out: &mut String) -> Text {
    match text::delimited(spec.shape, spec.style, spec.explode, spec.name, value, out) {
        Ok(()) => Text::Written,
        Err(text::Unreadable) => UNREADABLE,
    }
}

/// A value in which escaped delimiters are no delimiters: split as sent, then decoded. A private-use character stands
/// for an escaped delimiter in between; a text that holds one is refused rather than misread.
fn escaped(spec: &ParameterSpec, raw: &str, plus: bool, out: &mut String) -> Text {
    const STAND_INS: [(char, &str, &str); 4] =
        [('\u{f8f0}', ",", "%2C"), ('\u{f8f1}', ".", "%2E"), ('\u{f8f2}', ";", "%3B"), ('\u{f8f3}', "=", "%3D")];
    let mut marked = raw.to_owned();
    for (stand_in, _, code) in STAND_INS {
        marked = marked.replace(code, stand_in.encode_utf8(&mut [0; 4]));
        marked = marked.replace(&code.to_ascii_lowercase(), stand_in.encode_utf8(&mut [0; 4]));
    }
    let Some(decoded) = decode(&marked, plus) else { return UNREADABLE };
    let stand_ins: Vec<char> = STAND_INS.iter().map(|s| s.0).collect();
    if raw.contains(stand_ins.as_slice()) || decode(raw, plus).is_none_or(|d| d.contains(stand_ins.as_slice())) {
        return UNREADABLE;
    }
    let mut json = String::new();
    let found = read(spec, &decoded, &mut json);
    for (stand_in, text, _) in STAND_INS {
        json = json.replace(stand_in, text);
    }
    out.push_str(&json);
    found
}

fn of_pairs(spec: &ParameterSpec, pairs: &mut [Pair<'_>], out: &mut String) -> Text {
    let shape = spec.shape;
    if spec.style == Style::DeepObject {
        return deep_object(spec, pairs, out);
    }
    if spec.explode && shape.is_object() && matches!(spec.style, Style::Form | Style::Cookie) {
        return exploded_object(spec, pairs, out);
    }
    let mut mine: Vec<&mut Pair<'_>> = pairs.iter_mut().filter(|p| p.name == spec.name).collect();
    mine.iter_mut().for_each(|p| p.used = true);
    if spec.style == Style::Cookie {
        mine.iter_mut().for_each(|p| p.value = Some(Cow::Borrowed(p.raw)));
    }
    match mine.as_slice() {
        [] => return Text::Absent,
        [one] if one.raw.is_empty() && spec.allow_empty && !shape.is_array() => return Text::Absent,
        [_] => {}
        _ if shape.is_array() && spec.explode => {}
        _ => return REPEATED,
    }
    if mine.iter().any(|p| p.value.is_none()) {
        return UNREADABLE;
    }
    if shape.is_array()
        && spec.explode
        && matches!(spec.style, Style::Form | Style::Cookie | Style::SpaceDelimited | Style::PipeDelimited)
    {
        // `?tags=` alone is the empty array.
        let empty = matches!(mine.as_slice(), [one] if one.raw.is_empty());
        let items = if empty { None } else { Some(mine.iter().map(|p| p.value.as_deref().unwrap_or(""))) };
        text::array(shape, items.into_iter().flatten(), out);
        return Text::Written;
    }
    let Some(one) = mine.first() else { return Text::Absent };
    let value = one.value.as_deref().unwrap_or("");
    match spec.style {
        Style::Json | Style::Text => content(spec, value, out),
        Style::SpaceDelimited | Style::PipeDelimited => read(spec, value, out),
        Style::Cookie => read(spec, value, out),
        _ if shape.is_array() || shape.is_object() => escaped(spec, one.raw, spec.place == Place::Query, out),
        _ => read(spec, value, out),
    }
}

/// `filter[name]=x&filter[age]=3`, and brackets within.
fn deep_object(spec: &ParameterSpec, pairs: &mut [Pair<'_>], out: &mut String) -> Text {
    let mut mine = Vec::new();
    for pair in pairs.iter_mut() {
        let inside = pair.name.strip_prefix(spec.name).is_some_and(|rest| rest.starts_with('['));
        if inside {
            pair.used = true;
            mine.push(&*pair);
        }
    }
    let mut tree = Tree::new();
    for pair in &mine {
        let path = pair.name.get(spec.name.len()..).and_then(form::path);
        let (Some(path), Some(value)) = (path, &pair.value) else { return UNREADABLE };
        // The first is what stands before the brackets: nothing.
        if tree.add(path.get(1..).unwrap_or_default(), value).is_err() {
            return UNREADABLE;
        }
    }
    if mine.is_empty() {
        return Text::Absent;
    }
    match tree.write(spec.shape, out) {
        Ok(()) => Text::Written,
        Err((rule, detail)) => Text::Wrong(rule, detail),
    }
}

/// `role=admin&age=3` for a parameter that is an object: its properties are the query's names.
fn exploded_object(spec: &ParameterSpec, pairs: &mut [Pair<'_>], out: &mut String) -> Text {
    let mut members: Vec<(String, Vec<String>)> = Vec::new();
    for pair in pairs.iter_mut().filter(|p| !p.used) {
        let declared = spec.shape.properties.iter().any(|(name, _)| *name == pair.name);
        if !declared && spec.shape.additional.is_none() {
            continue;
        }
        pair.used = true;
        if spec.style == Style::Cookie {
            pair.value = Some(Cow::Borrowed(pair.raw));
        }
        let Some(value) = &pair.value else { return UNREADABLE };
        match members.iter_mut().find(|(k, _)| *k == pair.name) {
            Some((_, values)) => values.push(value.to_string()),
            None => members.push((pair.name.to_string(), vec![value.to_string()])),
        }
    }
    if members.is_empty() { Text::Absent } else { write_members(spec, &members, out) }
}

fn write_members(spec: &ParameterSpec, members: &[(String, Vec<String>)], out: &mut String) -> Text {
    out.push('{');
    for (i, (name, values)) in members.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        text::quote(name, out);
        out.push(':');
        let declared = spec.shape.properties.iter().find(|(n, _)| n == name).map(|(_, s)| s);
        let shape = declared.or(spec.shape.additional).unwrap_or(&super::spec::Shape::TEXT);
        match values.as_slice() {
            _ if shape.is_array() => text::array(shape, values.iter().map(String::as_str), out),
            [one] => text::scalar(shape, one, out),
            _ => return REPEATED,
        }
    }
    out.push('}');
    Text::Written
}

/// The whole query as one value (3.2): JSON if its media type is, else a form.
fn of_whole_query(spec: &ParameterSpec, query: Option<&str>, pairs: &mut [Pair<'_>], out: &mut String) -> Text {
    let Some(query) = query.filter(|q| !q.is_empty()) else { return Text::Absent };
    if spec.style == Style::Form {
        return exploded_object(spec, pairs, out);
    }
    pairs.iter_mut().for_each(|p| p.used = true);
    match decode(query, false) {
        Some(text) => content(spec, &text, out),
        None => UNREADABLE,
    }
}

/// The pairs of a query or form, or of a `Cookie` field.
pub(super) fn pairs(text: &str, separator: char, plus: bool) -> Vec<Pair<'_>> {
    text.split(separator)
        .filter(|part| !part.is_empty())
        // One more than is looked at: the one too many is an unknown parameter.
        .take(MOST + 1)
        .map(|part| {
            let (name, raw) = part.split_once('=').unwrap_or((part, ""));
            // A name that cannot be decoded stays as it is: nobody declares it.
            let name = decode(name, plus).unwrap_or(Cow::Borrowed(name));
            Pair { name, raw, value: decode(raw, plus), used: false }
        })
        .collect()
}

fn cookies(headers: &HeaderMap) -> Vec<Pair<'_>> {
    let mut all = Vec::new();
    for line in headers.get_all(COOKIE) {
        let Ok(line) = line.to_str() else { continue };
        for part in line.split(';').map(str::trim).filter(|p| !p.is_empty()) {
            let (name, raw) = part.split_once('=').unwrap_or((part, ""));
            let raw = raw.strip_prefix('"').and_then(|r| r.strip_suffix('"')).unwrap_or(raw);
            all.push(Pair { name: Cow::Borrowed(name), raw, value: decode(raw, false), used: false });
        }
        if all.len() > MOST {
            break;
        }
    }
    all
}

/// Percent-decoding; with `plus`, a `+` is a space, as forms write it.
fn decode(raw: &str, plus: bool) -> Option<Cow<'_, str>> {
    if plus && raw.contains('+') {
        let spaced = raw.replace('+', " ");
        return crate::route::path::decode(&spaced).map(|d| Cow::Owned(d.into_owned()));
    }
    crate::route::path::decode(raw)
}

#[cfg(test)]
mod tests {
    use super::super::spec::{Shape, kinds};
    use super::*;
    use http::HeaderValue;

    const fn spec(
        name: &'static str,
        place: Place,
        style: Style,
        explode: bool,
        shape: &'static Shape,
    ) -> ParameterSpec {
        ParameterSpec {
            name,
            place,
            style,
            explode,
            required: false,
            allow_empty: false,
            shape,
            default: None,
            check: |_, _| {},
        }
    }

    const NUMBERS: Shape = Shape::array(&Shape::NUMBER);
    const TEXTS: Shape = Shape::array(&Shape::TEXT);
    const FILTER: Shape = Shape {
        kinds: kinds::OBJECT,
        items: None,
        properties: &[("age", Shape::NUMBER), ("tags", TEXTS), ("name", Shape::TEXT)],
        additional: None,
    };

    const NESTED: Shape = Shape {
        kinds: kinds::OBJECT,
        items: None,
        properties: &[(
            "at",
            Shape {
                kinds: kinds::OBJECT,
                items: None,
                properties: &[("x", Shape::NUMBER), ("y", Shape::NUMBER)],
                additional: None,
            },
        )],
        additional: None,
    };

    fn query(spec: ParameterSpec, query: &str) -> String {
        let specs: &'static [ParameterSpec] = Box::leak(Box::new([spec]));
        let got = gather(specs, &PathParams::default(), Some(query), &HeaderMap::new(), &["key"], true);
        let mut out = got.json;
        for wrong in got.wrong {
            out.push_str(&format!(" {}:{}", wrong.name, wrong.rule));
        }
        out
    }

    #[test]
    fn queries_in_every_style() {
        use Style::*;
        let q = |style, explode, shape| spec("q", Place::Query, style, explode, shape);
        for (spec, sent, expected) in [
            (q(Form, true, &Shape::TEXT), "q=a%20b+c", r#"["a b c"]"#),
            (q(Form, true, &Shape::NUMBER), "q=5&key=secret", "[5]"),
            (q(Form, true, &Shape::NUMBER), "q=5&q=6", "[] q:repeated"),
            (q(Form, true, &Shape::NUMBER), "Q=5", "[] Q:unknown"),
            (q(Form, true, &Shape::TEXT), "q=%ff", "[] q:style"),
            (q(Form, true, &Shape::TEXT), "q", r#"[""]"#),
            (q(Form, true, &NUMBERS), "q=1&q=2", "[[1,2]]"),
            (q(Form, true, &NUMBERS), "q=", "[[]]"),
            (q(Form, false, &NUMBERS), "q=1,2", "[[1,2]]"),
            (q(Form, false, &TEXTS), "q=a%2Cb,c", r#"[["a,b","c"]]"#),
            (q(Form, false, &TEXTS), "q=%EF%A3%B0,c", "[] q:style"),
            (q(Form, false, &NUMBERS), "q=1&q=2", "[] q:repeated"),
            (q(SpaceDelimited, false, &NUMBERS), "q=1%202", "[[1,2]]"),
            (q(PipeDelimited, false, &NUMBERS), "q=1|2", "[[1,2]]"),
            (q(PipeDelimited, false, &NUMBERS), "q=1%7C2", "[[1,2]]"),
            (q(DeepObject, true, &FILTER), "q[age]=3&q%5Bname%5D=x", r#"[{"age":3,"name":"x"}]"#),
            (q(DeepObject, true, &FILTER), "q[tags][]=a&q[tags][]=b", r#"[{"tags":["a","b"]}]"#),
            (q(DeepObject, true, &FILTER), "q[age]=3&q[age]=4", "[] q:repeated"),
            (q(DeepObject, true, &FILTER), "q[a][b]=3", "[] q:style"),
            (q(DeepObject, true, &FILTER), "q[age=3", "[] q:style"),
            (q(DeepObject, true, &FILTER), "q[tags][0]=a&q[tags][1]=b", r#"[{"tags":["a","b"]}]"#),
            (q(DeepObject, true, &NESTED), "q[at][x]=1&q[at][y]=2", r#"[{"at":{"x":1,"y":2}}]"#),
            (q(DeepObject, true, &NESTED), "q[at][x]=1&q[at]=2", "[] q:style"),
            (q(Form, true, &FILTER), "age=3&tags=a&tags=b", r#"[{"age":3,"tags":["a","b"]}]"#),
            (q(Form, true, &FILTER), "age=3&other=1", r#"[{"age":3}] other:unknown"#),
            (q(Form, false, &FILTER), "q=age,3,name,x", r#"[{"age":3,"name":"x"}]"#),
            (q(Json, false, &FILTER), r#"q={"age":3}"#, r#"[{"age":3}]"#),
            (q(Json, false, &FILTER), r#"q=1],[2"#, "[] q:json"),
        ] {
            assert_eq!(query(spec, sent), expected, "{sent}");
        }
    }

    #[test]
    fn headers_and_cookies() {
        let mut headers = HeaderMap::new();
        headers.append("x-one", HeaderValue::from_static("1"));
        headers.append("x-list", HeaderValue::from_static("1 , 2"));
        headers.append("x-list", HeaderValue::from_static("3"));
        headers.append("x-twice", HeaderValue::from_static("1"));
        headers.append("x-twice", HeaderValue::from_static("1"));
        headers.append("cookie", HeaderValue::from_static("a=1; b=x%20y; a=2; c=\"z\""));
        static SPECS: [ParameterSpec; 6] = [
            spec("x-one", Place::Header, Style::Simple, false, &Shape::NUMBER),
            spec("x-list", Place::Header, Style::Simple, false, &NUMBERS),
            spec("x-twice", Place::Header, Style::Simple, false, &Shape::NUMBER),
            spec("a", Place::Cookie, Style::Form, true, &Shape::NUMBER),
            spec("b", Place::Cookie, Style::Form, true, &Shape::TEXT),
            spec("c", Place::Cookie, Style::Form, true, &Shape::TEXT),
        ];
        let got = gather(&SPECS, &PathParams::default(), None, &headers, &[], true);
        assert_eq!(got.json, r#"[1,[1,2,3],"x y","z"]"#);
        let rules: Vec<_> = got.wrong.iter().map(|w| (&*w.name, w.rule)).collect();
        assert_eq!(rules, [("x-twice", "repeated"), ("a", "repeated")]);
        assert_eq!(got.at.get(4), Some(&Presence::At(2)));
    }

    #[test]
    fn defaults_stand_in_and_what_is_required_is_missed() {
        static SPECS: [ParameterSpec; 2] = [
            ParameterSpec { default: Some("20"), ..spec("limit", Place::Query, Style::Form, true, &Shape::NUMBER) },
            ParameterSpec { required: true, ..spec("id", Place::Query, Style::Form, true, &Shape::NUMBER) },
        ];
        let got = gather(&SPECS, &PathParams::default(), None, &HeaderMap::new(), &[], true);
        assert_eq!(got.json, "[20]");
        assert_eq!(got.wrong.first().map(|w| w.rule), Some("required"));
    }
}
