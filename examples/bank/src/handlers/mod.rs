//! What the operations do. Each handler gets its request only when it is valid and its caller only when he may call.

mod accounts;
mod old;
mod rates;
mod service;
