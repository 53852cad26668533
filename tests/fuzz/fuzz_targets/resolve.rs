//! A document of one or more files, read and resolved.
#![no_main]

use gatewright_diag::{Sink, SourceMap};
use gatewright_spec::read;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    let (entry, files) = gatewright_fuzz::files(input);
    let loader = gatewright_fuzz::loader(files);
    let (mut map, mut sink) = (SourceMap::new(), Sink::new());
    if let Some(spec) = read(&entry, &loader, &mut map, &mut sink) {
        let _ = spec.to_string();
    }
    gatewright_fuzz::sound(&sink.finish(), &map);
});
