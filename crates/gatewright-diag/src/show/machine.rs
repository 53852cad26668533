//! Diagnostics for programs: JSON lines, SARIF 2.1.0, and the annotations of GitHub's workflow commands.

use serde_json::{Value, json};

use super::clean;
use crate::{Diagnostic, Level, LineCol, SourceMap, Span};

fn ends(span: Span, map: &SourceMap) -> Option<(String, LineCol, LineCol)> {
    let source = map.get(span.file)?;
    Some((source.name().to_owned(), source.line_col(span.start), source.line_col(span.end)))
}

fn location(span: Span, label: &str, map: &SourceMap) -> Value {
    match ends(span, map) {
        Some((file, start, end)) => json!({
            "file": file,
            "line": start.line, "column": start.column, "end_line": end.line, "end_column": end.column,
            "start_byte": span.start, "end_byte": span.end,
            "label": label,
        }),
        None => Value::Null,
    }
}

/// One object per diagnostic, each on a line of its own. Keys are never removed or renamed.
pub fn json(diagnostics: &[Diagnostic], map: &SourceMap) -> String {
    let mut out = String::new();
    for d in diagnostics {
        let object = json!({
            "code": d.code.to_string(),
            "level": d.level.to_string(),
            "message": d.message,
            "location": d.span.map_or(Value::Null, |span| location(span, &d.label, map)),
            "related": d.related.iter().map(|l| location(l.span, &l.text, map)).collect::<Vec<_>>(),
            "help": d.help,
        });
        out.push_str(&object.to_string());
        out.push('\n');
    }
    out
}

/// A SARIF 2.1.0 log of one run. `version` is the tool's; `summary` says in a few words what a code means.
pub fn sarif<'a>(
    runs: impl IntoIterator<Item = (&'a [Diagnostic], &'a SourceMap)>,
    version: &str,
    summary: impl Fn(crate::Code) -> Option<&'static str>,
) -> String {
    let mut rules: Vec<Value> = Vec::new();
    let mut codes = Vec::new();
    let mut results = Vec::new();
    for (diagnostics, map) in runs {
        for d in diagnostics {
            let index = codes.iter().position(|c| *c == d.code).unwrap_or_else(|| {
                codes.push(d.code);
                let mut rule = json!({ "id": d.code.to_string() });
                if let (Some(text), Some(rule)) = (summary(d.code), rule.as_object_mut()) {
                    rule.insert("shortDescription".to_owned(), json!({ "text": text }));
                }
                rules.push(rule);
                codes.len() - 1
            });
            let text = match &d.help {
                Some(help) => format!("{}; help: {help}", d.message),
                None => d.message.clone(),
            };
            results.push(json!({
                "ruleId": d.code.to_string(),
                "ruleIndex": index,
                "level": d.level.to_string(),
                "message": { "text": text },
                "locations": d.span.and_then(|s| physical(s, None, map)).into_iter().collect::<Vec<_>>(),
                "relatedLocations": d.related.iter().filter_map(|l| physical(l.span, Some(&l.text), map)).collect::<Vec<_>>(),
            }));
        }
    }
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "gatewright", "version": version, "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

fn physical(span: Span, words: Option<&str>, map: &SourceMap) -> Option<Value> {
    let (file, start, end) = ends(span, map)?;
    let mut value = json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri(&file) },
            "region": {
                "startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column,
            },
        },
    });
    if let (Some(words), Some(object)) = (words.filter(|w| !w.is_empty()), value.as_object_mut()) {
        object.insert("message".to_owned(), json!({ "text": words }));
    }
    Some(value)
}

/// A relative file name as a URI reference (RFC 3986): everything but unreserved characters and `/` is percent-encoded.
fn uri(name: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(byte as char),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// `::error file=…,line=…::…`, which GitHub shows beside the changed lines.
pub fn github(diagnostics: &[Diagnostic], map: &SourceMap) -> String {
    let mut out = String::new();
    for d in diagnostics {
        let command = match d.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "notice",
        };
        let place = d.span.and_then(|s| ends(s, map)).map_or(String::new(), |(file, start, end)| {
            format!("file={},line={},endLine={},col={},", property(&file), start.line, end.line, start.column)
        });
        let help = d.help.as_deref().map(|h| format!("\nhelp: {}", clean(h))).unwrap_or_default();
        let message = escape(&format!("{}{help}", clean(&d.message)));
        out.push_str(&format!("::{command} {place}title={}::{message}\n", d.code));
    }
    out
}

fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    escape(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Code, Sink};

    fn sample() -> (Vec<Diagnostic>, SourceMap) {
        let mut map = SourceMap::new();
        let file = map.add("my spec,1.yaml", "x: 1\nyy: 2\n");
        let mut sink = Sink::new();
        let at = Span { file, start: 5, end: 7 };
        drop(sink.error(Code(7), at, "no\n::error `yy` 100%").label("here").help("write `y`").related(at, "also"));
        drop(sink.warning(Code(8), None, "no place"));
        (sink.finish(), map)
    }

    #[test]
    fn json_lines_hold_everything() {
        let (list, map) = sample();
        let text = json(&list, &map);
        let objects: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert_eq!(objects.len(), 2);
        assert_eq!(objects[0]["location"], Value::Null);
        assert_eq!(objects[1]["code"], "GW0007");
        assert_eq!(objects[1]["location"]["line"], 2);
        assert_eq!(objects[1]["related"][0]["label"], "also");
    }

    #[test]
    fn sarif_has_the_places_and_the_rules() {
        let (list, map) = sample();
        let log: Value =
            serde_json::from_str(&sarif([(&list[..], &map)], "1.2.3", |c| (c == Code(7)).then_some("seven"))).unwrap();
        let run = &log["runs"][0];
        assert_eq!(run["tool"]["driver"]["rules"][1]["shortDescription"]["text"], "seven");
        let place = &run["results"][1]["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "my%20spec%2C1.yaml");
        assert_eq!(place["region"]["startLine"], 2);
    }

    #[test]
    fn a_message_cannot_write_a_second_command() {
        let (list, map) = sample();
        let text = github(&list, &map);
        assert_eq!(text.lines().count(), 2);
        assert_eq!(
            text.lines().nth(1).unwrap(),
            "::error file=my spec%2C1.yaml,line=2,endLine=2,col=1,title=GW0007::no ::error `yy` 100%25%0Ahelp: write `y`"
        );
    }
}
