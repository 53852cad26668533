//! Names of files inside the root folder. The type is the confinement: it can hold no `..` and no absolute path.

use std::fmt;

/// A file inside the root folder: parts joined by `/`, none empty, `.` or `..`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilePath(String);

/// Why a reference names no file that may be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathError {
    /// It names a URL. Compiling never opens a connection.
    Url,
    /// It starts at the root of the file system, or at a drive.
    Absolute,
    /// It climbs out of the root folder.
    Outside,
    /// It holds characters that no file name should, or bad percent-encoding.
    Malformed,
}

impl FilePath {
    /// The entry document's name, relative to the root folder.
    ///
    /// # Errors
    /// As for [`FilePath::join`].
    pub fn entry(path: &str) -> Result<FilePath, PathError> {
        normalise(&[], path)
    }

    /// The file that a relative reference in this file names. `reference` is a relative URI without its fragment
    /// (RFC 3986, section 4.2), percent-encoding and all.
    ///
    /// # Errors
    /// Whatever is no file inside the root folder; nothing is read to find that out.
    pub fn join(&self, reference: &str) -> Result<FilePath, PathError> {
        if scheme(reference).is_some() || reference.starts_with("//") {
            // One letter is a drive of Windows, not a scheme.
            let drive = scheme(reference).is_some_and(|s| s.len() == 1);
            return Err(if drive { PathError::Absolute } else { PathError::Url });
        }
        let decoded = percent_decode(reference).ok_or(PathError::Malformed)?;
        let mut folder: Vec<&str> = self.0.split('/').collect();
        folder.pop();
        normalise(&folder, &decoded)
    }

    /// As text, `/` between parts.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The file's name without folder and extension: what a schema that is a whole file is called.
    pub fn stem(&self) -> &str {
        let name = self.0.rsplit('/').next().unwrap_or("");
        name.split_once('.').map_or(name, |(stem, _)| stem)
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The scheme of a URI, if it has one.
pub(crate) fn scheme(reference: &str) -> Option<&str> {
    let (scheme, _) = reference.split_once(':')?;
    let first = scheme.as_bytes().first()?;
    let ok = first.is_ascii_alphabetic()
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    ok.then_some(scheme)
}

fn normalise(folder: &[&str], path: &str) -> Result<FilePath, PathError> {
    if path.starts_with('/') || path.starts_with('\\') {
        return Err(PathError::Absolute);
    }
    if path.contains(['\\', '\0']) || path.chars().any(char::is_control) || path.contains(':') {
        return Err(PathError::Malformed);
    }
    let mut parts: Vec<&str> = folder.to_vec();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop().ok_or(PathError::Outside)?;
            }
            part => parts.push(part),
        }
    }
    if parts.is_empty() || path.ends_with('/') || path.is_empty() {
        return Err(PathError::Malformed);
    }
    Ok(FilePath(parts.join("/")))
}

/// Undoes percent-encoding (RFC 3986, section 2.1). `None` if an escape is cut short or the result is not UTF-8.
pub(crate) fn percent_decode(text: &str) -> Option<String> {
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
        let high = char::from(rest.next()?).to_digit(16)?;
        let low = char::from(rest.next()?).to_digit(16)?;
        bytes.push((high * 16 + low) as u8);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_stay_inside() {
        let from = FilePath::entry("v1/api.yaml").unwrap();
        let rows = [
            ("pets.yaml", Ok("v1/pets.yaml")),
            ("./a/../pets.yaml", Ok("v1/pets.yaml")),
            ("../common.yaml", Ok("common.yaml")),
            ("a%20b.yaml", Ok("v1/a b.yaml")),
            ("../../etc/passwd", Err(PathError::Outside)),
            ("a/../../../x", Err(PathError::Outside)),
            ("%2e%2e/%2e%2e/x", Err(PathError::Outside)),
            ("..%2f..%2fx", Err(PathError::Outside)),
            ("/etc/passwd", Err(PathError::Absolute)),
            ("%2Fetc/passwd", Err(PathError::Absolute)),
            ("C:/x", Err(PathError::Absolute)),
            ("\\\\server\\x", Err(PathError::Absolute)),
            ("a\\..\\..\\x", Err(PathError::Malformed)),
            ("file:///etc/passwd", Err(PathError::Url)),
            ("https://example.com/x.yaml", Err(PathError::Url)),
            ("//example.com/x.yaml", Err(PathError::Url)),
            ("%66ile:///etc/passwd", Err(PathError::Malformed)),
            ("x%00.yaml", Err(PathError::Malformed)),
            ("x%zz", Err(PathError::Malformed)),
            ("sub/", Err(PathError::Malformed)),
            ("..", Err(PathError::Malformed)),
        ];
        for (reference, expected) in rows {
            let got = from.join(reference);
            assert_eq!(got.as_ref().map(FilePath::as_str).map_err(|e| *e), expected, "{reference}");
        }
        assert_eq!(FilePath::entry("../x.yaml"), Err(PathError::Outside));
        assert_eq!(FilePath::entry("a/Pet.v1.yaml").unwrap().stem(), "Pet");
    }
}
