//! What the crate promises, seen from outside.

mod bundle;
mod input;
mod validate;
