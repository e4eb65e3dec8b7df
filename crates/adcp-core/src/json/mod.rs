//! JSON as it arrives from strangers: parsed strictly, and in one canonical text for hashing.

mod canonical;
mod parse;

pub use canonical::{NotCanonical, canonical, number_text};
pub use parse::{Limits, ParseError, parse};

/// A member's name as a token of a JSON pointer.
///
/// Spec: RFC 6901, section 3.
#[must_use]
pub fn pointer_token(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The JSON pointer of a path that was collected from the inside out.
fn pointer(path: &[String]) -> String {
    path.iter().rev().map(|token| format!("/{}", pointer_token(token))).collect()
}
