//! The small runtime below the generated types: decoding from and encoding to `serde_json::Value`.

mod choice;
mod error;
mod macros;
mod nullable;
mod object;
mod values;

use std::fmt;

use serde_json::Value;

pub use error::DecodeError;
pub use nullable::{Loose, Nullable};

#[allow(unused_imports, reason = "which unions exist depends on the features")]
pub(crate) use choice::{Kind, Test, passes, tag, tag_flag};
pub(crate) use macros::{bridge, serde_bridge, setters, string_enum, string_enum_impls};
pub(crate) use object::{Dec, Enc};

/// A JSON object with owned keys.
pub type JsonObject = serde_json::Map<String, Value>;

/// A type that can be read from JSON, taking the value apart without copying.
///
/// # Errors of implementations
///
/// Only a missing required field or a wrong JSON type is refused. Unknown fields, enum values and union arms are kept.
pub trait FromJson: Sized {
    /// Reads `value`.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] with the place and what was expected there.
    fn from_json(value: Value) -> Result<Self, DecodeError>;
}

/// A type that can be written as JSON.
pub trait ToJson {
    /// Writes `self` as a JSON value; absent fields are left out.
    fn to_json(&self) -> Value;
}

/// `Name { "field": … }`.
pub(crate) fn debug(name: &str, value: &Value, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut value = value.clone();
    withhold(&mut value);
    write!(f, "{name} ")?;
    if f.alternate() { write!(f, "{value:#}") } else { write!(f, "{value}") }
}

/// Members whose names say that they are nobody's business: a type that is printed into a log must not carry them.
const WITHHELD: [&str; 3] = ["token", "credentials", "bank"];

/// Replaces what must not be printed.
fn withhold(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let secret = WITHHELD.iter().any(|word| {
                    name.strip_suffix(word).is_some_and(|rest| rest.is_empty() || rest.ends_with('_'))
                });
                if secret && !member.is_null() {
                    *member = "…".into();
                } else {
                    withhold(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(withhold),
        _ => {}
    }
}
