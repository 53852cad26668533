//! Compile a spec from build.rs
