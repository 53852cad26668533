//! Patterns: ECMA 262 regular expressions read, checked, and said again in the syntax of the `regex` crate, which matches
//! in linear time. Both sides agree on code points (the `u` flag); escapes that only Annex B of ECMA 262 allows are
//! taken where they cannot be misread, because real documents are full of `\-` and `\_`. So are the names that other
//! languages have for sets of ASCII characters, `\p{Alnum}`, and their `\A` and `\z`: ECMA 262 has nothing of that name, so
//! they can only mean what they mean there.

mod class;
mod read;
#[cfg(test)]
mod tests;
mod write;

use read::{Foreign, Reader};

/// A compiled pattern may need this much memory: the `regex` crate's own limit, which the server keeps too.
const SIZE_LIMIT: usize = 10 << 20;
/// Longer patterns are refused unread.
const LENGTH_LIMIT: usize = 64 << 10;

/// The least and the largest length in code points.
pub type Length = (u64, Option<u64>);

/// What became of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Translation {
    /// The same language in the syntax of the `regex` crate; `None` for look-around and back-references.
    pub translated: Option<String>,
    /// A length in code points that must hold besides: `^.{0,100000}$` is too big for a linear engine, and is exactly
    /// `^.*$` with a largest length.
    pub length: Option<Length>,
    /// What in it is another language's, as it stands there.
    pub foreign: Option<String>,
}

/// Why a pattern is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatternError {
    /// It is no regular expression. `at` counts bytes.
    Invalid {
        /// Where.
        at: usize,
        /// What is wrong, in words.
        why: String,
    },
    /// It would need more memory to match than we spend.
    TooBig,
}

/// Reads a pattern and says it again for a linear-time engine.
///
/// # Errors
/// It is no ECMA 262 pattern, or its automaton would be larger than 10 MiB.
pub fn translate(source: &str) -> Result<Translation, PatternError> {
    if source.len() > LENGTH_LIMIT {
        return Err(PatternError::TooBig);
    }
    let mut reader = Reader::new(source);
    let terms = reader.disjunction(0)?;
    if reader.at < reader.chars.len() {
        return Err(reader.invalid("a `)` closes no group"));
    }
    if let Some(name) = reader.references.iter().find(|name| !reader.names.contains(*name)) {
        let why = format!("`\\k<{name}>` refers to no group");
        return Err(PatternError::Invalid { at: source.len(), why });
    }
    if let Some(Foreign { at, text }) = &reader.foreign
        && (!reader.linear || source.contains("&&"))
    {
        // What looks around is matched as it stands; what another language takes for an intersection is none here.
        return Err(PatternError::Invalid { at: *at, why: format!("`{text}` means nothing in ECMA 262") });
    }
    let foreign = reader.foreign.map(|foreign| foreign.text);
    if !reader.linear {
        return Ok(Translation { translated: None, length: None, foreign });
    }
    let plain = terms.text;
    match build(&plain) {
        Ok(()) => Ok(Translation { translated: Some(plain), length: None, foreign }),
        Err(PatternError::TooBig) => {
            let simple = terms.repeated.and_then(Repeated::simplify).ok_or(PatternError::TooBig)?;
            Ok(Translation { foreign, ..simple })
        }
        Err(other) => Err(other),
    }
}

/// Whether the `regex` crate takes it within the limit.
fn build(pattern: &str) -> Result<(), PatternError> {
    match regex::RegexBuilder::new(pattern).size_limit(SIZE_LIMIT).nest_limit(1000).build() {
        Ok(_) => Ok(()),
        Err(regex::Error::CompiledTooBig(_)) => Err(PatternError::TooBig),
        Err(error) => {
            // Only a Unicode property can be unknown to the engine once our own reading has passed.
            let text = error.to_string();
            let why = text.lines().last().unwrap_or("").trim().trim_start_matches("error: ");
            Err(PatternError::Invalid { at: 0, why: why.to_owned() })
        }
    }
}

/// A whole pattern that is one repeated character class, between optional anchors.
struct Repeated {
    class: String,
    min: u64,
    max: Option<u64>,
    from_start: bool,
    to_end: bool,
}

impl Repeated {
    /// The same language without a large count, if there is such a form.
    fn simplify(self) -> Option<Translation> {
        let Repeated { class, min, max, from_start, to_end } = self;
        if from_start && to_end {
            return Some(Translation {
                translated: Some(format!("^{class}*$")),
                length: Some((min, max)),
                foreign: None,
            });
        }
        // With an open side a longest repetition forbids nothing.
        let (start, end) = (if from_start { "^" } else { "" }, if to_end { "$" } else { "" });
        let translated = format!("{start}{class}{{{min}}}{end}");
        build(&translated).ok()?;
        Some(Translation { translated: Some(translated), length: None, foreign: None })
    }
}
