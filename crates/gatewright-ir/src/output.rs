//! What a backend produced: paths and bytes, in memory. Only a shell writes them to a disk.

use std::collections::BTreeMap;

/// Files to write, by relative path with `/` between parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutputFiles {
    files: BTreeMap<String, String>,
}

/// A path that may not be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadPath(pub String);

impl OutputFiles {
    /// No files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file.
    ///
    /// # Errors
    /// The path is absolute, climbs (`..`), has an empty part or a backslash, or is there already.
    pub fn add(&mut self, path: impl Into<String>, text: impl Into<String>) -> Result<(), BadPath> {
        let path = path.into();
        let sound = !path.contains(['\\', '\0', ':']) && path.split('/').all(|part| !matches!(part, "" | "." | ".."));
        if !sound || self.files.contains_key(&path) {
            return Err(BadPath(path));
        }
        self.files.insert(path, text.into());
        Ok(())
    }

    /// Each path and its text, in the order of paths.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The text of one file.
    pub fn get(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        let mut files = OutputFiles::new();
        for bad in ["", "/etc/passwd", "../x", "a/../b", "a//b", "C:\\x", "a/./b", "a\0"] {
            assert!(files.add(bad, "").is_err(), "{bad:?}");
        }
        files.add("src/api/mod.rs", "").unwrap();
        assert!(files.add("src/api/mod.rs", "").is_err());
    }
}
