//! The translator of patterns. The first line is the pattern, the rest a text that is matched with the translation.
#![no_main]

use gatewright_spec::pattern::{PatternError, translate};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    let (pattern, text) = input.split_once('\n').unwrap_or((input, ""));
    match translate(pattern) {
        Ok(done) => {
            if let Some(translated) = done.translated {
                let engine = regex::Regex::new(&translated).expect("what is translated can be compiled");
                let _ = engine.is_match(text);
            }
        }
        Err(PatternError::Invalid { at, why }) => {
            assert!(pattern.is_char_boundary(at), "a place inside a character");
            assert!(!why.is_empty());
        }
        Err(PatternError::TooBig) => {}
    }
});
