//! The compiled API to formatted Rust
