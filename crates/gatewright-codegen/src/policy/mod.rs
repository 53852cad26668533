//! Policies as constant tables: `gatewright_policy::table`, written out. And read back, to see that they say the same.

mod bits;
mod fields;
mod limits;
mod passkeys;
mod schemes;
mod sha256;
mod shared;
mod tables;
pub(crate) mod verify;

pub(crate) use bits::Bits;
pub(crate) use fields::Graph;
pub(crate) use tables::{Source, api, operations};
