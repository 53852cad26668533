//! The whole compiler, from text to Rust.
#![no_main]

use gatewright_compiler::Options;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    let options = Options { allow_unguarded: true, ..Options::named("api") };
    let done = gatewright_fuzz::compile(input, &options);
    // The same text compiles to the same code.
    if let Some(files) = done.files {
        let again = gatewright_fuzz::compile(input, &options).files.expect("it compiled a moment ago");
        assert!(files.iter().eq(again.iter()), "two runs differ");
    }
});
