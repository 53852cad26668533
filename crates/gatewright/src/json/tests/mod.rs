//! The reader against `serde_json`, and what only ours refuses.

mod formats;
mod reader;
