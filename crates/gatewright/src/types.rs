//! The types behind formats, under one roof for generated code and handlers.

pub use crate::json::{Base64, Json, Number, Patch, Pii, Secret};
pub use jiff::Timestamp;
pub use jiff::civil::Date;
pub use uuid::Uuid;
