//! What the crate promises, seen from outside.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod error;
mod json;
