//! What generated code is short by: the names that its modules import, and the macros that write what is alike everywhere.
//!
//! A document's file says what differs: of a type, what its members are called; of a check, what a schema asks; of an
//! operation, where each field of its request comes from and what each answer becomes. No policy is decided here: the tables
//! are written out, and a route cannot be made without one.

mod checks;
mod mount;
mod operation;
mod received;
mod types;

pub use std::collections::BTreeMap;

pub use crate::Visible;
pub use crate::json::{Apart, Json, Number, Patch, Pii, Secret, check};
pub use crate::operation::Meta;
pub use crate::params::{MediaSpec, ParameterSpec, Read, Shape, Style, cookie, header, path, query, query_string};
pub use crate::reply::{HeaderJson, HeaderPairs, JsonHeader, NoError, Reply};
pub use crate::types::{Base64, Date, Timestamp, Uuid};
pub use crate::{check, choice, mark, object, strings};
