//! The whole compiler on one screen
