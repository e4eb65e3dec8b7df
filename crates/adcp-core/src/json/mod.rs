//! JSON as it arrives from strangers: parsed strictly, and in one canonical text for hashing.

mod canonical;
mod parse;

pub use canonical::{NotCanonical, canonical, number_text};
pub use parse::{Limits, ParseError, parse};
