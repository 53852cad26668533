//! The compiled API to other formats, and project scaffolds, through templates
