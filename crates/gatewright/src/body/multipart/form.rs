//! A form of parts as one document: fields as JSON, files put aside, each judged by the table that generated code holds.

use std::borrow::Cow;

use super::{Part, Parts};
use crate::body::error::{BodyError, Kind};
use crate::body::file::File;
use crate::json::{Document, Scope, Violations};
use crate::params::gather::{Presence, gather};
use crate::params::media::within;
use crate::params::spec::{ParameterSpec, Shape};
use crate::params::text;
use crate::route::PathParams;

/// All fields of a form together: what is not a file is held in memory.
const MOST_OF_FIELDS: usize = 1 << 20;
/// The most files of a form: each may be a file on the disk, or 64 KiB of memory.
const MOST_FILES: usize = 128;

/// The declared parts of a form.
#[derive(Clone, Copy, Debug)]
pub struct FormSpec {
    /// By name.
    pub parts: &'static [PartSpec],
}

/// A declared part.
#[derive(Clone, Copy, Debug)]
pub struct PartSpec {
    /// The field's name.
    pub name: &'static str,
    /// What is made of it.
    pub kind: PartKind,
    /// Whether it may come several times, each an item of an array.
    pub repeated: bool,
    /// The media types that it may have (`contentType` of its `encoding`), wildcards allowed; empty means any.
    pub types: &'static [&'static str],
    /// Its header fields.
    pub headers: &'static [ParameterSpec],
}

/// What is made of a part.
#[derive(Clone, Copy, Debug)]
pub enum PartKind {
    /// Text, read as a value of this shape.
    Text(&'static Shape),
    /// A JSON document.
    Json,
    /// A file.
    File,
}

const UNDECLARED: PartSpec =
    PartSpec { name: "", kind: PartKind::Text(&Shape::TEXT), repeated: true, types: &[], headers: &[] };

/// What is wrong with a part before any schema is asked.
struct Wrong {
    name: String,
    rule: &'static str,
    detail: Cow<'static, str>,
}

#[derive(Default)]
struct Collected {
    /// Of each field, the JSON of each of its parts, in the order of the first.
    fields: Vec<(String, &'static str, Vec<String>)>,
    files: Vec<File>,
    size: usize,
    wrong: Vec<Wrong>,
}

/// Reads a whole form: an object of its fields, in which a file is the number of an attachment.
///
/// # Errors
/// The body is not well-formed, too large, late, or breaks off. What the table finds wrong stands in `found`; `None`
/// then.
pub(crate) async fn read(
    mut parts: Parts,
    spec: &'static FormSpec,
    found: &mut Violations,
) -> Result<Option<Document>, BodyError> {
    let mut all = Collected::default();
    while let Some(part) = parts.next().await? {
        all.take(part, spec).await?;
    }
    let mut document = Document::parse(all.json(spec).as_bytes())
        .map_err(|_| BodyError::malformed("the form has too many fields, or one that is nested too deeply"))?;
    if !all.wrong.is_empty() {
        let root = document.root();
        found.scope(Scope::Body, root);
        for Wrong { name, rule, detail } in &all.wrong {
            found.at_member(root, name, rule, format_args!("{detail}"));
        }
        return Ok(None);
    }
    document.attach(all.files);
    Ok(Some(document))
}

impl Collected {
    async fn take(&mut self, mut part: Part<'_>, spec: &'static FormSpec) -> Result<(), BodyError> {
        let Some(name) = part.name().map(str::to_owned) else {
            return Err(BodyError::malformed("a part of the form has no name"));
        };
        self.size += name.len();
        let declared = spec.parts.iter().find(|p| p.name == name);
        if let Some(declared) = declared {
            self.judge(&part, declared);
        }
        let json = match declared.unwrap_or(&UNDECLARED).kind {
            PartKind::File => {
                if self.files.len() == MOST_FILES {
                    return Err(BodyError(Kind::TooLarge));
                }
                let file = part.save().await?;
                self.files.push(file);
                format!("\"{}\"", self.files.len() - 1)
            }
            // A file that nobody declares is nobody's: its place is kept for the check that refuses or ignores it.
            PartKind::Text(_) if declared.is_none() && part.file_name().is_some() => {
                part.skip().await?;
                "\"\"".to_owned()
            }
            PartKind::Text(shape) => {
                let is_json = part.media_type().is_some_and(|t| within(t, "application/json"));
                let sent = self.text(&mut part).await?;
                match is_json && Document::parse(sent.as_bytes()).is_ok() {
                    true => sent,
                    false => {
                        let mut json = String::with_capacity(sent.len() + 2);
                        let item = if shape.is_array() { shape.items.unwrap_or(&Shape::TEXT) } else { shape };
                        text::scalar(item, &sent, &mut json);
                        json
                    }
                }
            }
            PartKind::Json => {
                let sent = self.text(&mut part).await?;
                match Document::parse(sent.as_bytes()) {
                    Ok(_) => sent,
                    Err(error) => {
                        self.wrong.push(Wrong { name: name.clone(), rule: "json", detail: error.to_string().into() });
                        "null".to_owned()
                    }
                }
            }
        };
        match self.fields.iter_mut().find(|(known, ..)| *known == name) {
            Some((_, _, values)) => values.push(json),
            None => self.fields.push((name, declared.map_or("", |d| d.name), vec![json])),
        }
        Ok(())
    }

    /// The text of a part that is held in memory.
    async fn text(&mut self, part: &mut Part<'_>) -> Result<String, BodyError> {
        let text = part.text(MOST_OF_FIELDS.saturating_sub(self.size)).await?;
        self.size += text.len();
        Ok(text)
    }

    /// The media type and header fields of a declared part.
    fn judge(&mut self, part: &Part<'_>, spec: &'static PartSpec) {
        let wrong = |rule, detail: String| Wrong { name: spec.name.to_owned(), rule, detail: detail.into() };
        let file = matches!(spec.kind, PartKind::File);
        let fits = match part.media_type() {
            Some(sent) => spec.types.iter().any(|t| within(sent, t)),
            // A text or JSON without a type is judged by its text.
            None => !file,
        };
        if !spec.types.is_empty() && !fits {
            self.wrong.push(wrong("contentType", format!("must be sent as {}", spec.types.join(", "))));
        }
        if spec.headers.is_empty() {
            return;
        }
        let gathered = gather(spec.headers, &PathParams::default(), None, part.headers(), &[], false);
        for bad in &gathered.wrong {
            self.wrong.push(wrong(bad.rule, format!("its header field `{}` {}", bad.name, bad.detail)));
        }
        let Ok(document) = Document::parse(gathered.json.as_bytes()) else { return };
        for (header, presence) in spec.headers.iter().zip(&gathered.at) {
            let Presence::At(index) = presence else { continue };
            let Some(value) = document.root().items().nth(*index) else { continue };
            let mut found = Violations::new();
            found.scope(Scope::Header(Cow::Borrowed(header.name)), value);
            (header.check)(value, &mut found);
            if let Some(first) = found.list().first() {
                self.wrong.push(wrong(first.rule, format!("its header field `{}` {}", header.name, first.detail)));
            }
        }
    }

    fn json(&mut self, spec: &'static FormSpec) -> String {
        let mut out = String::from("{");
        for (name, declared, values) in &self.fields {
            if out.len() > 1 {
                out.push(',');
            }
            text::quote(name, &mut out);
            out.push(':');
            let part = spec.parts.iter().find(|p| p.name == *declared).unwrap_or(&UNDECLARED);
            match values.as_slice() {
                // An array in one JSON part is that array.
                [one] if declared.is_empty() || !part.repeated || one.starts_with('[') => out.push_str(one),
                values if part.repeated => {
                    out.push('[');
                    out.push_str(&values.join(","));
                    out.push(']');
                }
                _ => {
                    out.push_str("null");
                    let detail = "must be given once".into();
                    self.wrong.push(Wrong { name: name.clone(), rule: "repeated", detail });
                }
            }
        }
        out.push('}');
        out
    }
}

#[cfg(test)]
mod tests {
    use super::super::boundary::Boundary;
    use super::*;
    use crate::body::stream::tests::{run, stream};
    use crate::json::FromJson as _;
    use crate::params::spec::{Place, Style};

    const VERSION: ParameterSpec = ParameterSpec {
        name: "x-version",
        place: Place::Header,
        style: Style::Simple,
        explode: false,
        required: true,
        allow_empty: false,
        shape: &Shape::NUMBER,
        default: None,
        check: |value, found| crate::json::check::maximum(value, found, &crate::json::Bound::new("9", Some(9))),
    };

    static SPEC: FormSpec = FormSpec {
        parts: &[
            PartSpec { name: "note", kind: PartKind::Text(&Shape::TEXT), repeated: false, ..UNDECLARED },
            PartSpec { name: "sizes", kind: PartKind::Text(&Shape::NUMBER), repeated: true, ..UNDECLARED },
            PartSpec { name: "meta", kind: PartKind::Json, repeated: false, ..UNDECLARED },
            PartSpec { name: "photo", kind: PartKind::File, repeated: false, types: &["image/*"], ..UNDECLARED },
            PartSpec { name: "files", kind: PartKind::File, repeated: true, ..UNDECLARED },
            PartSpec { name: "v", kind: PartKind::Json, repeated: false, headers: &[VERSION], ..UNDECLARED },
        ],
    };

    fn part(head: &str, text: &str) -> String {
        format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n{text}\r\n")
    }

    async fn form(parts: &[String]) -> Result<(Option<Document>, Vec<String>), BodyError> {
        let text = format!("{}--b--\r\n", parts.concat());
        let mut found = Violations::new();
        let parts = Parts::new(stream(text.as_bytes(), 999, 64 << 20, false), Boundary::new("b").unwrap());
        let document = read(parts, &SPEC, &mut found).await?;
        Ok((document, found.list().iter().map(|v| format!("{} {}", v.pointer, v.rule)).collect()))
    }

    #[test]
    fn fields_and_files_become_one_document() {
        run(async {
            let (document, found) = form(&[
                part("name=note", "a \"b\""),
                part("name=sizes", "1"),
                part("name=files; filename=one", "1"),
                part("name=sizes", "x"),
                part("name=meta", r#"{"a":[1]}"#),
                part("name=photo; filename=\"/x/p.png\"\r\nContent-Type: image/png", "PNG"),
                part("name=files; filename=two", &"2".repeat(100_000)),
                part("name=other", "7"),
            ])
            .await
            .unwrap();
            assert_eq!(found, [""; 0]);
            let document = document.unwrap();
            let root = document.root();
            assert_eq!(root.get("note").unwrap().as_str(), Some("a \"b\""));
            assert_eq!(root.get("other").unwrap().as_str(), Some("7"));
            assert_eq!(root.pointer("/sizes/0").unwrap().as_i128(), Some(1));
            assert_eq!(root.pointer("/sizes/1").unwrap().as_str(), Some("x"));
            assert_eq!(root.pointer("/meta/a/0").unwrap().as_i128(), Some(1));
            let photo = File::decode(root.get("photo").unwrap()).unwrap();
            assert_eq!((photo.name(), photo.media_type(), photo.len()), (Some("p.png"), Some("image/png"), 3));
            let files = Vec::<File>::decode(root.get("files").unwrap()).unwrap();
            assert_eq!(files.iter().map(File::len).collect::<Vec<_>>(), [1, 100_000]);
            assert_eq!(files.iter().map(File::is_on_disk).collect::<Vec<_>>(), [false, true]);
            // A text is no file, whatever number it holds beyond those there are.
            assert!(File::decode(root.get("note").unwrap()).is_err());
        });
    }

    #[test]
    fn what_the_table_does_not_admit() {
        run(async {
            let (document, found) = form(&[
                part("name=note", "1"),
                part("name=note", "2"),
                part("name=meta", "{"),
                part("name=photo; filename=x\r\nContent-Type: text/html", "1"),
                part("name=v", "1"),
            ])
            .await
            .unwrap();
            assert!(document.is_none());
            assert_eq!(found, ["/meta json", "/photo contentType", "/v required", "/note repeated"]);
            let photo = form(&[part("name=photo", "1")]).await.unwrap();
            assert_eq!(photo.1, ["/photo contentType"]);
            assert_eq!(form(&[part("name=v\r\nX-Version: 10", "1")]).await.unwrap().1, ["/v maximum"]);
            assert_eq!(form(&[part("name=v\r\nX-Version: 9", "1")]).await.unwrap().1, [""; 0]);
            assert!(form(&[part("x=note", "1")]).await.unwrap_err().is_invalid());
        });
    }

    #[test]
    fn fields_and_files_are_bounded() {
        run(async {
            let long = form(&[part("name=note", &"x".repeat(MOST_OF_FIELDS + 1))]).await;
            assert!(long.unwrap_err().is_too_large());
            let half = "x".repeat(MOST_OF_FIELDS / 2);
            let two = form(&[part("name=a", &half), part("name=b", &half), part("name=c", "x")]).await;
            assert!(two.unwrap_err().is_too_large());
            let files: Vec<String> = (0..=MOST_FILES).map(|_| part("name=files; filename=x", "")).collect();
            assert!(form(&files).await.unwrap_err().is_too_large());
            // A large file is no matter.
            assert!(form(&[part("name=files; filename=x", &"x".repeat(2 << 20))]).await.unwrap().0.is_some());
        });
    }
}
