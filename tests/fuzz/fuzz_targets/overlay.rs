//! An overlay over a fixed document: the input is the overlay.
#![no_main]

use gatewright_compiler::{Options, OverlayFile};
use libfuzzer_sys::fuzz_target;

const DOCUMENT: &str = include_str!("../api/openapi.yaml");

fuzz_target!(|input: &[u8]| {
    let overlay = OverlayFile { name: "overlay.yaml".to_owned(), bytes: input.to_vec() };
    let options = Options { allow_unguarded: true, overlays: vec![overlay], ..Options::named("api") };
    gatewright_fuzz::compile(DOCUMENT, &options);
});
