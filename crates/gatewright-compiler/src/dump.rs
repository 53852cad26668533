//! What a stage made, as text to read and to compare. The front end's stages print themselves.

use std::fmt::Write;

use gatewright_diag::{SourceMap, show::clean};
use gatewright_ir::{Ir, OutputFiles};

pub(crate) fn files(map: &SourceMap) -> String {
    map.files().fold(String::new(), |mut out, (_, source)| {
        let _ = writeln!(out, "{}: {} bytes", clean(source.name()), source.text().len());
        out
    })
}

pub(crate) fn ir(ir: &Ir) -> String {
    format!("{ir:#?}\n")
}

pub(crate) fn output(files: &OutputFiles) -> String {
    files.iter().fold(String::new(), |mut out, (path, text)| {
        let _ = writeln!(out, "// ==== {path}\n{text}");
        out
    })
}
