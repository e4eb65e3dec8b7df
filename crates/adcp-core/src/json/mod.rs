//! JSON as it arrives from strangers: parsed strictly, and in one canonical text for hashing.

mod canonical;
mod parse;

pub use canonical::{NotCanonical, canonical, number_text};
pub use parse::{Limits, ParseError, parse};

/// The JSON pointer of a path that was collected from the inside out.
fn pointer(path: &[String]) -> String {
    path.iter().rev().map(|token| format!("/{}", token.replace('~', "~0").replace('/', "~1"))).collect()
}
