//! Derive macros for handlers, and `api!`
