//! The head of a part: its header fields, and what `Content-Disposition` says (RFC 7578, 4.2).

use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use super::MOST_FIELDS;

/// What stands before a part's bytes.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub(super) headers: HeaderMap,
    pub(super) name: Option<String>,
    pub(super) file_name: Option<String>,
    pub(super) media_type: Option<String>,
}

impl Head {
    /// Reads the lines of a head. `Err` says what is wrong.
    pub(super) fn parse(text: &[u8]) -> Result<Head, &'static str> {
        let mut head = Head::default();
        for line in text.split(|b| *b == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() {
                continue;
            }
            if head.headers.len() == MOST_FIELDS {
                return Err("a part has too many header fields");
            }
            let colon = line.iter().position(|b| *b == b':').ok_or("a part has a header field without colon")?;
            let (name, value) = line.split_at_checked(colon).unwrap_or((line, b""));
            let name = HeaderName::from_bytes(name).map_err(|_| "a part has a header field without proper name")?;
            let value = value.get(1..).unwrap_or_default().trim_ascii();
            let value =
                HeaderValue::from_bytes(value).map_err(|_| "a part has a header field that HTTP cannot carry")?;
            if head.headers.insert(name, value).is_some() {
                return Err("a part has a header field twice");
            }
        }
        head.describe()?;
        Ok(head)
    }

    fn describe(&mut self) -> Result<(), &'static str> {
        let text = |value: &HeaderValue| std::str::from_utf8(value.as_bytes()).map(str::to_owned);
        // RFC 7578, 4.7: nobody sends it in a form; what we do not undo we do not take.
        if let Some(coding) = self.headers.get("content-transfer-encoding")
            && !["7bit", "8bit", "binary"].iter().any(|plain| coding.as_bytes().eq_ignore_ascii_case(plain.as_bytes()))
        {
            return Err("a part has a transfer encoding");
        }
        if let Some(value) = self.headers.get(CONTENT_TYPE) {
            self.media_type = Some(text(value).map_err(|_| "a part has a media type that is not UTF-8")?);
        }
        let Some(value) = self.headers.get(CONTENT_DISPOSITION) else { return Ok(()) };
        let value = text(value).map_err(|_| "a part has a name that is not UTF-8")?;
        const BAD: &str = "a part has a `Content-Disposition` that is not well-formed";
        for (key, value) in parameters(&value).ok_or(BAD)? {
            let slot = match key.to_ascii_lowercase().as_str() {
                "name" => &mut self.name,
                "filename" => &mut self.file_name,
                // RFC 7578, 4.2: not in forms. Two names that differ are for two readers that differ.
                "filename*" | "name*" => return Err("a part has a name in extended notation"),
                _ => continue,
            };
            if slot.replace(unescape(&value)).is_some() {
                return Err(BAD);
            }
        }
        if let Some(name) = &mut self.file_name {
            // Some senders write the whole path.
            if let Some(at) = name.rfind(['/', '\\']) {
                *name = name.split_off(at + 1);
            }
            name.retain(|c| !c.is_control());
        }
        Ok(())
    }
}

/// What browsers write for characters that a quoted name cannot hold (HTML, 4.10.21.8).
fn unescape(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    text.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n")
}

/// The parameters behind the first `;`, with quotes undone. `None` if they are not well-formed.
pub(super) fn parameters(value: &str) -> Option<Vec<(&str, String)>> {
    let mut found = Vec::new();
    let Some((_, mut rest)) = value.split_once(';') else { return Some(found) };
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Some(found);
        }
        let (name, behind) = rest.split_once('=')?;
        let name = name.trim_end();
        if !crate::params::write::is_token(name) {
            return None;
        }
        let text = match behind.strip_prefix('"') {
            Some(quoted) => {
                let (text, behind) = unquote(quoted)?;
                rest = behind.trim_start();
                text
            }
            None => {
                let end = behind.find(';').unwrap_or(behind.len());
                let (text, behind) = behind.split_at_checked(end)?;
                rest = behind;
                let text = text.trim_end();
                if text.contains(['"', ' ', '\t']) {
                    return None;
                }
                text.to_owned()
            }
        };
        found.push((name, text));
        rest = match rest.strip_prefix(';') {
            Some(rest) => rest,
            None if rest.is_empty() => return Some(found),
            None => return None,
        };
    }
}

/// The text up to the closing quote, and what is behind that. A backslash makes only a quote or a backslash into
/// letters: others stand for themselves, as in paths of Windows.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((out, text.get(at + 1..)?)),
            '\\' if text.get(at + 1..)?.starts_with('"') => {
                letters.next();
                out.push('"');
            }
            letter => out.push(letter),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(value: &str) -> Result<(Option<String>, Option<String>), &'static str> {
        Head::parse(format!("Content-Disposition: {value}\r\n").as_bytes()).map(|h| (h.name, h.file_name))
    }

    #[test]
    fn dispositions() {
        let some = |name: &str, file: &str| Ok((Some(name.to_owned()), Some(file.to_owned())));
        assert_eq!(names(r#"form-data; name="a"; filename="b.png""#), some("a", "b.png"));
        assert_eq!(names(r#"form-data;name=a;filename=b"#), some("a", "b"));
        assert_eq!(names(r#"form-data; name="a%22;\"b"; filename="../../etc/passwd""#), some("a\";\"b", "passwd"));
        assert_eq!(names(r#"form-data; name="a"; filename="C:\dir\b.png""#), some("a", "b.png"));
        assert_eq!(names(r#"form-data; name="ü""#), Ok((Some("ü".into()), None)));
        for bad in [
            r#"form-data; name="a"; name="b""#,
            r#"form-data; name="a"#,
            r#"form-data; name="a" x"#,
            r#"form-data; name="a"; filename*=UTF-8''b"#,
            r#"form-data; name"#,
        ] {
            assert!(names(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn heads_are_bounded_and_strict() {
        let many = "x-a: b\r\n".repeat(2);
        for bad in ["nocolon\r\n", "x y: b\r\n", " folded: b\r\n", "x: \u{1}\r\n", many.as_str()] {
            assert!(Head::parse(bad.as_bytes()).is_err(), "{bad:?}");
        }
        let lines: String = (0..=MOST_FIELDS).map(|i| format!("x-{i}: b\r\n")).collect();
        assert!(Head::parse(lines.as_bytes()).is_err());
        assert!(Head::parse(b"content-transfer-encoding: base64\r\n").is_err());
        assert!(Head::parse(b"content-transfer-encoding: binary\r\n").is_ok());
    }
}
