//! The words that the compiler and the server share: rates, checks and their order, refusals, grants
