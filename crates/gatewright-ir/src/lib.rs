//! The compiled API and its policies: plain data between the front end and the backends
