//! Parts as they come.

use std::fmt;

use axum::body::Bytes;
use bytes::BytesMut;
use http::HeaderMap;

use super::boundary::Boundary;
use super::head::Head;
use super::{LONGEST_HEAD, MOST_PARTS};
use crate::body::error::{BodyError, Kind};
use crate::body::file::{File, Spool};
use crate::body::stream::ByteStream;

/// The parts of a multipart body, in the order in which they were sent, read when they are asked for: within the
/// operation's limit and deadline, at most 1,000, with heads of at most 8 KiB.
///
/// ```text
/// while let Some(mut part) = req.body.next().await? {
///     match part.name() {
///         Some("note") => note = part.text(1024).await?,
///         _ => while let Some(bytes) = part.next().await? { store.append(&bytes).await? },
///     }
/// }
/// ```
pub struct Parts {
    bytes: ByteStream,
    boundary: Boundary,
    buffer: BytesMut,
    state: State,
    count: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before a boundary: in the preamble, or within a part.
    Data,
    /// Right behind a boundary.
    Boundary,
    /// Behind the last boundary, or behind an error.
    End,
}

/// One part. What is not read of it is skipped.
pub struct Part<'p> {
    parts: &'p mut Parts,
    head: Head,
}

impl Parts {
    pub(crate) fn new(bytes: ByteStream, boundary: Boundary) -> Parts {
        // The first boundary may begin the body; before all others an end of line stands.
        Parts { bytes, boundary, buffer: BytesMut::from(&b"\r\n"[..]), state: State::Data, count: 0 }
    }

    /// The next part; `None` behind the last. What was not read of the one before is skipped.
    ///
    /// # Errors
    /// The body is not well-formed, has too many parts, is too large, late, or breaks off. Behind an error there is
    /// nothing more.
    pub async fn next(&mut self) -> Result<Option<Part<'_>>, BodyError> {
        match self.advance().await {
            Ok(Some(head)) => Ok(Some(Part { parts: self, head })),
            Ok(None) => Ok(None),
            Err(error) => {
                self.state = State::End;
                Err(error)
            }
        }
    }

    async fn advance(&mut self) -> Result<Option<Head>, BodyError> {
        while self.data().await?.is_some() {}
        if self.state == State::End {
            return Ok(None);
        }
        // Behind the boundary: `--` for the end, else white space and the end of the line.
        self.fill(2).await?;
        if self.buffer.starts_with(b"--") {
            let _ = self.buffer.split_to(2);
            return self.end().await.map(|()| None);
        }
        self.count += 1;
        if self.count > MOST_PARTS {
            return Err(BodyError(Kind::TooLarge));
        }
        let line = self.line(LONGEST_HEAD).await?;
        if !line.iter().all(|b| matches!(b, b' ' | b'\t')) {
            return Err(BodyError::malformed("a boundary is followed by something else"));
        }
        let mut text = Vec::new();
        loop {
            let line = self.line(LONGEST_HEAD - text.len()).await?;
            if line.is_empty() {
                break;
            }
            text.extend_from_slice(&line);
            text.extend_from_slice(b"\r\n");
            if text.len() >= LONGEST_HEAD {
                return Err(BodyError::malformed("the head of a part is too long"));
            }
        }
        self.state = State::Data;
        // A part without bytes: the line's end that closes its head may begin its boundary too (RFC 2046, 5.1.1).
        let marker = self.boundary.as_bytes().len() - 2;
        self.fill(marker).await?;
        if self.boundary.as_bytes().get(2..).is_some_and(|marker| self.buffer.starts_with(marker)) {
            let _ = self.buffer.split_to(marker);
            self.state = State::Boundary;
        }
        Head::parse(&text).map(Some).map_err(BodyError::malformed)
    }

    /// Behind the last boundary: the rest is nobody's, but is read, so that the connection can be used again.
    async fn end(&mut self) -> Result<(), BodyError> {
        self.state = State::End;
        while self.buffer.len() < 2 && self.more().await? {}
        let rest = self.buffer.trim_ascii_start();
        if !(rest.is_empty() || self.buffer.starts_with(b"\r\n")) {
            return Err(BodyError::malformed("a boundary is followed by something else"));
        }
        self.buffer.clear();
        while self.bytes.next().await?.is_some() {}
        Ok(())
    }

    /// The next bytes before a boundary; `None` when the boundary is reached, which is then taken.
    async fn data(&mut self) -> Result<Option<Bytes>, BodyError> {
        if self.state != State::Data {
            return Ok(None);
        }
        loop {
            let boundary = self.boundary.as_bytes();
            match find(&self.buffer, boundary) {
                Some(0) => {
                    let _ = self.buffer.split_to(boundary.len());
                    self.state = State::Boundary;
                    return Ok(None);
                }
                Some(at) => return Ok(Some(self.buffer.split_to(at).freeze())),
                None => {
                    // The last bytes may be the beginning of a boundary.
                    let sure = self.buffer.len().saturating_sub(boundary.len() - 1);
                    if sure > 0 {
                        return Ok(Some(self.buffer.split_to(sure).freeze()));
                    }
                    if !self.more().await? {
                        return Err(BodyError::malformed("the body ends before its last boundary"));
                    }
                }
            }
        }
    }

    /// The next line without its end.
    async fn line(&mut self, longest: usize) -> Result<BytesMut, BodyError> {
        let mut looked = 0;
        loop {
            let rest = self.buffer.get(looked..).unwrap_or_default();
            if let Some(at) = rest.iter().position(|b| *b == b'\n').map(|at| looked + at) {
                let mut line = self.buffer.split_to(at + 1);
                line.truncate(at);
                if line.last() != Some(&b'\r') {
                    return Err(BodyError::malformed("a line of a part's head does not end in CRLF"));
                }
                line.truncate(at.saturating_sub(1));
                return if line.contains(&b'\r') {
                    Err(BodyError::malformed("a line of a part's head does not end in CRLF"))
                } else {
                    Ok(line)
                };
            }
            looked = self.buffer.len();
            if looked > longest {
                return Err(BodyError::malformed("the head of a part is too long"));
            }
            self.fill(looked + 1).await?;
        }
    }

    /// Reads until the buffer has so many bytes.
    async fn fill(&mut self, length: usize) -> Result<(), BodyError> {
        while self.buffer.len() < length {
            if !self.more().await? {
                return Err(BodyError::malformed("the body ends before its last boundary"));
            }
        }
        Ok(())
    }

    async fn more(&mut self) -> Result<bool, BodyError> {
        let Some(bytes) = self.bytes.next().await? else { return Ok(false) };
        self.buffer.extend_from_slice(&bytes);
        Ok(true)
    }
}

impl Part<'_> {
    /// Its name in a form.
    pub fn name(&self) -> Option<&str> {
        self.head.name.as_deref()
    }

    /// The name of the file that it is, without folders. It is the sender's word: never a path to write to.
    pub fn file_name(&self) -> Option<&str> {
        self.head.file_name.as_deref()
    }

    /// The media type that it is sent as; none means `text/plain`.
    pub fn media_type(&self) -> Option<&str> {
        self.head.media_type.as_deref()
    }

    /// Its header fields.
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// The next bytes; `None` at the end of the part.
    ///
    /// # Errors
    /// As [`Parts::next`].
    pub async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        let next = self.parts.data().await;
        if next.is_err() {
            self.parts.state = State::End;
        }
        next
    }

    /// All that is left of it, if that is at most `limit` bytes.
    ///
    /// # Errors
    /// As [`Parts::next`], or there is more.
    pub async fn bytes(&mut self, limit: usize) -> Result<Bytes, BodyError> {
        let mut all = Vec::new();
        while let Some(bytes) = self.next().await? {
            if all.len() + bytes.len() > limit {
                self.parts.state = State::End;
                return Err(BodyError(Kind::TooLarge));
            }
            all.extend_from_slice(&bytes);
        }
        Ok(all.into())
    }

    /// All that is left of it as text, if that is at most `limit` bytes.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes), or it is not UTF-8.
    pub async fn text(&mut self, limit: usize) -> Result<String, BodyError> {
        let bytes = self.bytes(limit).await?;
        String::from_utf8(bytes.into()).map_err(|_| BodyError::malformed("a part is not UTF-8"))
    }

    /// Puts all that is left of it aside: in memory while it is small, in a temporary file without a name beyond.
    ///
    /// # Errors
    /// As [`Parts::next`], or the disk fails.
    pub async fn save(mut self) -> Result<File, BodyError> {
        let mut spool = Spool::new();
        while let Some(bytes) = self.next().await? {
            spool.write(&bytes).await?;
        }
        Ok(spool.finish().await?.described(self.head.file_name.take(), self.head.media_type.take()))
    }

    /// Skips what is left of it.
    pub(super) async fn skip(&mut self) -> Result<(), BodyError> {
        while self.next().await?.is_some() {}
        Ok(())
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").field("count", &self.count).field("state", &self.state).finish_non_exhaustive()
    }
}

impl fmt::Debug for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part").finish_non_exhaustive()
    }
}

/// Where `needle` begins. `memchr` would be faster on short needles; the first byte is rare enough for this.
fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = haystack.get(from..)?.iter().position(|b| *b == b'\r') {
        if haystack.get(from + at..)?.starts_with(needle) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::MOST_FIELDS;
    use super::*;
    use crate::body::stream::tests::{run, stream};

    /// Name and bytes of every part, or the words of the error; however the network cuts it.
    fn read(text: &str) -> Result<Vec<(String, String)>, String> {
        let mut all = None;
        for size in [1, 2, 5, 64, 100_000] {
            let got = run(async {
                let mut parts = Parts::new(stream(text.as_bytes(), size, 1 << 20, false), Boundary::new("b").unwrap());
                let mut got = Vec::new();
                loop {
                    match parts.next().await {
                        Ok(Some(mut part)) => {
                            let name = part.name().unwrap_or_default().to_owned();
                            match part.text(1 << 20).await {
                                Ok(text) => got.push((name, text)),
                                Err(error) => return Err(error.to_string()),
                            }
                        }
                        Ok(None) => return Ok(got),
                        Err(error) => return Err(error.to_string()),
                    }
                }
            });
            if let Some(before) = &all {
                assert_eq!(before, &got, "frames of {size}: {text:?}");
            }
            all = Some(got);
        }
        all.unwrap()
    }

    fn part(name: &str, text: &str) -> String {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
    }

    #[test]
    fn parts_as_they_are_sent() {
        let own = |list: &[(&str, &str)]| Ok(list.iter().map(|(n, t)| ((*n).to_owned(), (*t).to_owned())).collect());
        assert_eq!(read(&format!("{}{}--b--\r\n", part("x", "1"), part("y", ""))), own(&[("x", "1"), ("y", "")]));
        assert_eq!(read(&format!("preamble\r\n{}--b--", part("x", "1\r\n2"))), own(&[("x", "1\r\n2")]));
        assert_eq!(read("--b--\r\nepilogue --b"), own(&[]));
        // What looks nearly like a boundary is data.
        let near = "\r\n--\r\n-b--b--\n--b";
        assert_eq!(read(&format!("{}--b--", part("x", near))), own(&[("x", near)]));
        // A boundary may be followed by white space, and begin where a head ends.
        assert_eq!(read("--b \t\r\nx-a: b\r\n\r\n--b--\r\n"), own(&[("", "")]));
        assert_eq!(read("--b\r\n\r\ntext\r\n--b--\r\n"), own(&[("", "text")]));
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        let followed = "a boundary is followed by something else";
        let ends = "the body ends before its last boundary";
        let line = "a line of a part's head does not end in CRLF";
        for (text, expected) in [
            (part("x", "1"), ends),
            (format!("{}--b", part("x", "1")), ends),
            (format!("{}--b-", part("x", "1")), ends),
            (String::new(), ends),
            ("--b\r\n".to_owned(), ends),
            ("--bb\r\n\r\nx\r\n--b--".to_owned(), followed),
            ("--b--x".to_owned(), followed),
            ("--b\n\nx\n--b--".to_owned(), line),
            ("--b\r\nx: y\n\r\n\r\n--b--".to_owned(), line),
            ("--b\r\nx: y\rz: w\r\n\r\n\r\n--b--".to_owned(), line),
        ] {
            assert_eq!(read(&text).unwrap_err(), expected, "{text:?}");
        }
    }

    #[test]
    fn what_a_sender_chooses_has_a_bound() {
        let head = format!("--b\r\nx: {}\r\n\r\n\r\n--b--", "y".repeat(LONGEST_HEAD));
        assert_eq!(read(&head).unwrap_err(), "the head of a part is too long");
        let endless = format!("--b\r\nx: {}", "y".repeat(2 * LONGEST_HEAD));
        assert_eq!(read(&endless).unwrap_err(), "the head of a part is too long");
        let fields: String = (0..=MOST_FIELDS).map(|i| format!("x{i}: y\r\n")).collect();
        assert_eq!(read(&format!("--b\r\n{fields}\r\n\r\n--b--")).unwrap_err(), "a part has too many header fields");
        let most = "--b\r\n\r\n\r\n".repeat(MOST_PARTS);
        assert_eq!(read(&format!("{most}--b--")).unwrap().len(), MOST_PARTS);
        assert_eq!(read(&format!("{most}--b\r\n\r\n\r\n--b--")).unwrap_err(), "the body is too large");
    }

    #[test]
    fn what_is_not_read_is_skipped() {
        run(async {
            let text = format!("{}{}--b--", part("x", &"1".repeat(5_000)), part("y", "2"));
            let mut parts = Parts::new(stream(text.as_bytes(), 7, 1 << 20, false), Boundary::new("b").unwrap());
            let mut first = parts.next().await.unwrap().unwrap();
            assert!(first.next().await.unwrap().is_some());
            assert!(first.bytes(10).await.unwrap_err().is_too_large());
            assert!(parts.next().await.unwrap().is_none());
            let mut parts = Parts::new(stream(text.as_bytes(), 7, 1 << 20, false), Boundary::new("b").unwrap());
            drop(parts.next().await.unwrap());
            assert_eq!(parts.next().await.unwrap().unwrap().name(), Some("y"));
            assert!(parts.next().await.unwrap().is_none());
        });
    }

    #[test]
    fn a_body_that_stops_is_late() {
        run(async {
            let text = part("x", "1");
            let mut parts = Parts::new(stream(text.as_bytes(), 7, 1 << 20, true), Boundary::new("b").unwrap());
            let mut first = parts.next().await.unwrap().unwrap();
            assert!(first.bytes(10).await.unwrap_err().is_late());
            assert!(parts.next().await.unwrap().is_none());
        });
    }
}
