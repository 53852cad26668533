//! Regular expressions of a spec, compiled once.

use std::sync::OnceLock;

use super::violations::Violations;

/// Automata larger than this are refused; the compiler refuses such patterns before.
const SIZE_LIMIT: usize = 10 << 20;
/// A pattern with look-around or back-references is not tried on longer texts.
const MAX_BACKTRACKED: usize = 4096;
/// And may take this many steps back.
const MAX_STEPS: usize = 100_000;

/// A pattern of a spec.
///
/// Almost all run on a linear-time engine. The few with look-around or back-references, which no such engine has, run with
/// bounded backtracking: a text over 4,096 bytes or a search over 100,000 steps back does not match, so it is refused.
#[derive(Debug)]
pub struct Pattern {
    text: &'static str,
    source: &'static str,
    backtracks: bool,
    engine: OnceLock<Engine>,
}

#[derive(Debug)]
enum Engine {
    Linear(regex::Regex),
    Backtracking(Box<fancy_regex::Regex>),
    /// It does not compile: it matches nothing.
    None,
}

impl Pattern {
    /// `text` in the syntax of the `regex` crate, `source` as the spec has it.
    #[must_use]
    pub const fn new(text: &'static str, source: &'static str) -> Self {
        Pattern { text, source, backtracks: false, engine: OnceLock::new() }
    }

    /// A pattern with look-around or back-references.
    #[must_use]
    pub const fn backtracking(source: &'static str) -> Self {
        Pattern { text: source, source, backtracks: true, engine: OnceLock::new() }
    }

    /// The pattern as the spec has it.
    #[must_use]
    pub const fn source(&self) -> &'static str {
        self.source
    }

    /// Whether it matches somewhere in `text`; `None` where that is not known, because the bound on backtracking was
    /// passed or the pattern does not compile.
    #[must_use]
    pub fn verdict(&self, text: &str) -> Option<bool> {
        match self.engine.get_or_init(|| self.compile()) {
            Engine::Linear(regex) => Some(regex.is_match(text)),
            Engine::Backtracking(regex) if text.len() <= MAX_BACKTRACKED => regex.is_match(text).ok(),
            Engine::Backtracking(_) | Engine::None => None,
        }
    }

    /// Whether it matches. Where that is not known the request is refused, also within `not`.
    pub(super) fn matches(&self, text: &str, found: &mut Violations) -> bool {
        self.verdict(text).unwrap_or_else(|| {
            found.give_up("has a text that takes too much work to match");
            false
        })
    }

    fn compile(&self) -> Engine {
        if self.backtracks {
            let built = fancy_regex::RegexBuilder::new(&super::ecma::adapt(self.text))
                .backtrack_limit(MAX_STEPS)
                .delegate_size_limit(SIZE_LIMIT)
                .build();
            return built.map_or(Engine::None, |regex| Engine::Backtracking(Box::new(regex)));
        }
        let built = regex::RegexBuilder::new(self.text).size_limit(SIZE_LIMIT).nest_limit(1000).build();
        built.map_or(Engine::None, Engine::Linear)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_around_is_bounded() {
        static UPPER_AND_DIGIT: Pattern = Pattern::backtracking("^(?=.*[A-Z])(?=.*[0-9]).{8,}$");
        assert_eq!(UPPER_AND_DIGIT.verdict("Passw0rd"), Some(true));
        assert_eq!(UPPER_AND_DIGIT.verdict("password"), Some(false));
        static NESTED: Pattern = Pattern::backtracking("^(?=(a+)+$)(a|aa)+$");
        let start = std::time::Instant::now();
        assert_ne!(NESTED.verdict(&format!("{}b", "a".repeat(3000))), Some(true));
        assert!(start.elapsed().as_secs() < 5);
        assert_eq!(UPPER_AND_DIGIT.verdict(&"A1".repeat(3000)), None, "too long to try");
    }

    #[test]
    fn look_around_speaks_ecma() {
        for (source, text, verdict) in [
            (r"^(?!\d+$)\w+\S+", "abc", true),
            (r"^(?!\d+$)\w+\S+", "123", false),
            (r"^(?=\d)\d+$", "١٢", false),
            (r"^(?!.*\s)[^]+$", "a\u{feff}b", false),
            (r"^(?!x)[\w\/[&&~~--.]+$", "a/[&~-.", true),
            (r"^(?!x)\u0041\u{42}\x43\/\cJ$", "ABC/\n", true),
            (r"^(?!x)\ud83d\udc36$", "🐶", true),
            (r"^(?!x)a.b$", "a\u{2028}b", false),
            (r"(?=é)\bé", "é", false),
            (r"^(a|b)\1$", "aa", true),
            (r"^(a|b)\1$", "ab", false),
            (r"^(?<x>a|b)\k<x>$", "bb", true),
            (r"^(?!\s*[sS][yY]\$).*$", " sY$", false),
            (r"^(?=[^\W_])\D$", "x", true),
            (r"^(?!a)[]$", "b", false),
        ] {
            let source: &'static str = Box::leak(source.to_owned().into_boxed_str());
            let pattern: &'static Pattern = Box::leak(Box::new(Pattern::backtracking(source)));
            assert_eq!(pattern.verdict(text), Some(verdict), "{source} {text:?} {}", crate::json::ecma::adapt(source));
        }
    }

    #[test]
    fn what_does_not_compile_refuses() {
        static BROKEN: Pattern = Pattern::new("(", "(");
        assert_eq!(BROKEN.verdict(""), None);
        let mut found = Violations::new();
        assert!(!BROKEN.matches("", &mut found));
        assert!(!found.is_empty(), "refused wherever it stands");
    }
}
