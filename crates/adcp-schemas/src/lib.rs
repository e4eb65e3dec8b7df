//! The AdCP schema bundle, embedded, with validators by tool and by schema path.
//!
#![doc = include_str!("docs/overview.md")]

mod bundle;
mod error;
mod input;
mod reference;
mod table;
#[cfg(feature = "validate")]
mod validate;

pub use bundle::{Bundle, MANIFEST, input_schema, paths, raw};
pub use error::SchemaError;
pub use table::Part;
#[cfg(feature = "validate")]
pub use validate::{Inspection, MAX_VIOLATIONS, Validator, Violation, Violations, tool_validator, validator};
