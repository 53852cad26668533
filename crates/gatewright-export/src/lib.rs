//! The compiled API in other formats: an operation's policy explained, an OpenAPI document of another version, the
//! first files of a new project, and reports. What is not code of ours comes from `templates/`.

pub mod explain;
pub mod openapi;
pub mod project;
pub mod report;
mod template;
pub mod variables;
