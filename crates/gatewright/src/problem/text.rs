//! The little JSON writing that problems need: objects in a fixed order of members, strings escaped so that they also
//! stand unharmed in HTML and logs.

use std::fmt::Write;

use super::Fault;

/// An object under construction.
pub(crate) struct Object {
    out: String,
    first: bool,
}

impl Object {
    pub(crate) fn new() -> Object {
        let mut out = String::with_capacity(256);
        out.push('{');
        Object { out, first: true }
    }

    pub(crate) fn string(&mut self, name: &'static str, value: &str) -> &mut Object {
        self.key(name);
        string(&mut self.out, value);
        self
    }

    /// A string in two parts.
    pub(crate) fn joined(&mut self, name: &'static str, base: &str, rest: &str) -> &mut Object {
        self.key(name);
        self.out.push('"');
        escaped(&mut self.out, base);
        escaped(&mut self.out, rest);
        self.out.push('"');
        self
    }

    pub(crate) fn raw(&mut self, name: &'static str, json: &str) -> &mut Object {
        self.key(name);
        self.out.push_str(json);
        self
    }

    /// A member whose name is somebody else's.
    pub(crate) fn named(&mut self, name: &str, json: &str) -> &mut Object {
        self.separate();
        string(&mut self.out, name);
        self.out.push(':');
        self.out.push_str(json);
        self
    }

    /// Our own names are plain.
    fn key(&mut self, name: &'static str) {
        self.separate();
        self.out.push('"');
        self.out.push_str(name);
        self.out.push_str("\":");
    }

    fn separate(&mut self) {
        if !std::mem::take(&mut self.first) {
            self.out.push(',');
        }
    }

    pub(crate) fn finish(mut self) -> String {
        self.out.push('}');
        self.out
    }
}

fn string(out: &mut String, text: &str) {
    out.push('"');
    escaped(out, text);
    out.push('"');
}

fn escaped(out: &mut String, text: &str) {
    // Nearly all texts are plain, and go over at once. Without a way out of the loop, many bytes are looked at in one step.
    let plain = |b: u8| matches!(b, b' '..=b'~') & !matches!(b, b'"' | b'\\' | b'<' | b'>' | b'&');
    if text.bytes().fold(true, |all, b| all & plain(b)) {
        return out.push_str(text);
    }
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() || matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}') => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
}

/// The `errors` array.
pub(crate) fn faults(faults: &[Fault]) -> String {
    let mut out = String::from("[");
    for (i, fault) in faults.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        let mut object = Object::new();
        object.string("in", fault.place);
        if let Some(name) = &fault.name {
            object.string("name", name);
        }
        object.string("pointer", &fault.pointer).string("rule", fault.rule).string("detail", &fault.detail);
        out.push_str(&object.finish());
    }
    out.push(']');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let nasty = "a\"b\\c\n\r\t\u{0}\u{7f}\u{85}<script>&\u{2028}é\u{1F600}";
        let mut object = Object::new();
        object.string("text", nasty).named(nasty, "1");
        let text = object.finish();
        assert!(!text.contains('<') && !text.chars().any(char::is_control), "{text}");
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["text"], nasty);
        assert_eq!(value[nasty], 1);
    }
}
