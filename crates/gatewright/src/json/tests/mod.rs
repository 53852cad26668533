//! The reader against `serde_json`, and what only ours refuses.

mod checks;
mod formats;
mod reader;
