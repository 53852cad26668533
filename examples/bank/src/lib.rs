//! The bank of the documentation: one application behind two versions of one API.
//!
//! `api` is what the compiler made of `specs/examples/bank/`; everything else is what a person writes.

pub mod app;
pub mod handlers;
pub mod ledger;
pub mod page;

/// The generated API, by version.
pub mod api {
    /// Version 1, deprecated.
    pub mod v1 {
        gatewright::include_api!("v1");
    }
    /// Version 2.
    pub mod v2 {
        gatewright::include_api!("v2");
    }
}
