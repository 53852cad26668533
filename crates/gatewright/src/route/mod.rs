//! Which operation a request is for. Our own trie, because axum's router matches on percent-encoded text, refuses two
//! names at one position, and knows no `{id}.json`.

pub(crate) mod path;
pub mod table;
mod template;

pub use table::{Found, PathParams, SameRoute, Table};
pub use template::{Piece, Template};
