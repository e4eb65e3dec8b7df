//! Where and why a JSON value did not fit.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;

/// Why a JSON value is not of the wanted type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError(Box<Inner>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    pointer: String,
    expected: Cow<'static, str>,
    found: &'static str,
}

impl DecodeError {
    /// An error at the root of the value being read, which `found` instead.
    pub fn new(expected: impl Into<Cow<'static, str>>, found: &Value) -> Self {
        Self(Box::new(Inner { pointer: String::new(), expected: expected.into(), found: kind(found) }))
    }

    /// An error for a required field which is not there.
    pub fn missing(field: &str) -> Self {
        Self(Box::new(Inner {
            pointer: String::new(),
            expected: Cow::Owned(format!("the required field `{field}`")),
            found: "nothing",
        }))
    }

    /// Where the value is wrong, as a JSON pointer (RFC 6901); empty at the root.
    pub fn pointer(&self) -> &str {
        &self.0.pointer
    }

    /// What was expected there, in words.
    pub fn expected(&self) -> &str {
        &self.0.expected
    }

    /// The same error seen from the object that holds the value under `key`.
    #[must_use]
    pub fn under(mut self, key: &str) -> Self {
        let mut pointer = String::with_capacity(key.len() + 1 + self.0.pointer.len());
        pointer.push('/');
        for part in key.chars() {
            match part {
                '~' => pointer.push_str("~0"),
                '/' => pointer.push_str("~1"),
                other => pointer.push(other),
            }
        }
        pointer.push_str(&self.0.pointer);
        self.0.pointer = pointer;
        self
    }

    pub(super) fn under_index(self, index: usize) -> Self {
        self.under(&index.to_string())
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.0.pointer.is_empty() { "the root" } else { &self.0.pointer };
        write!(f, "at {pointer}: expected {}, found {}", self.0.expected, self.0.found)
    }
}

impl std::error::Error for DecodeError {}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
