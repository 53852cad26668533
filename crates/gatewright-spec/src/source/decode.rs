//! Bytes to text: UTF-8 only, with a message that says what the bytes are instead.

use std::sync::Arc;

use gatewright_diag::{FileId, Sink, SourceMap, Span, codes};

/// Enters a file's bytes into the map as text. A file that is not text gets an error at its first wrong byte.
pub(super) fn decode(name: String, bytes: Vec<u8>, map: &mut SourceMap, sink: &mut Sink) -> Option<FileId> {
    if let Some(encoding) = utf16(&bytes) {
        let file = map.add(name, "");
        sink.error(codes::NOT_UTF8, Span { file, ..Span::default() }, format!("the file is {encoding}, not UTF-8"))
            .help("save it as UTF-8, for example with `iconv -f UTF-16 -t UTF-8`");
        return None;
    }
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let bytes = error.into_bytes();
            let wrong = bytes.get(at).copied().unwrap_or(0);
            // What was text up to there is kept, so that the place can be shown.
            let text = String::from_utf8_lossy(bytes.get(..at).unwrap_or(&[])).into_owned();
            let len = text.len() as u32;
            let file = map.add(name, text);
            let message = format!("the file is not UTF-8: byte {at} is 0x{wrong:02x}");
            sink.error(codes::NOT_UTF8, Span { file, start: len, end: len }, message)
                .help("save it as UTF-8, for example with `iconv -f LATIN1 -t UTF-8`");
            return None;
        }
    };
    // A byte-order mark says nothing that UTF-8 needs, and must not become a part of the first key.
    let text: Arc<str> = text.strip_prefix('\u{feff}').map_or_else(|| Arc::from(text.as_str()), Arc::from);
    let nul = text.find('\0');
    let empty = text.trim().is_empty();
    let file = map.add(name, text);
    if let Some(at) = nul {
        let span = Span { file, start: at as u32, end: at as u32 + 1 };
        sink.error(codes::CONTROL_CHARACTER, span, "a NUL byte stands in the text")
            .help("remove it; the file may be damaged or no text");
        return None;
    }
    if empty {
        sink.error(codes::EMPTY_FILE, Span { file, ..Span::default() }, "the file is empty")
            .help("write an OpenAPI document, or run `gatewright new` for one to start from");
        return None;
    }
    Some(file)
}

/// UTF-16 by its mark, or by the zero bytes of an ASCII first character.
fn utf16(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Some("UTF-32"),
        [0xff, 0xfe, ..] => Some("UTF-16 (little endian)"),
        [0xfe, 0xff, ..] => Some("UTF-16 (big endian)"),
        [first, 0, second, 0, ..] if *first != 0 && *second != 0 => Some("UTF-16 (little endian)"),
        [0, first, 0, second, ..] if *first != 0 && *second != 0 => Some("UTF-16 (big endian)"),
        _ => None,
    }
}
