//! Values with one more state than their type: null, or of another type.

use serde_json::Value;

use super::{DecodeError, FromJson, ToJson};

/// A field that may be absent, null, or hold a value, where the schema tells the three apart.
///
/// It stands inside an `Option`: `None` is absent, `Some(Nullable::Null)` is an explicit null.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_enums, reason = "complete by definition")]
pub enum Nullable<T> {
    /// JSON `null`.
    #[default]
    Null,
    /// A value.
    Value(T),
}

impl<T> Nullable<T> {
    /// The value, unless null.
    pub fn as_ref(&self) -> Option<&T> {
        match self {
            Self::Null => None,
            Self::Value(value) => Some(value),
        }
    }

    /// The value, unless null, by value.
    pub fn into_option(self) -> Option<T> {
        match self {
            Self::Null => None,
            Self::Value(value) => Some(value),
        }
    }
}

impl<T> From<T> for Nullable<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

impl<T: FromJson> FromJson for Nullable<T> {
    fn from_json(value: Value) -> Result<Self, DecodeError> {
        if value.is_null() { Ok(Self::Null) } else { T::from_json(value).map(Self::Value) }
    }
}

impl<T: ToJson> ToJson for Nullable<T> {
    fn to_json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Value(value) => value.to_json(),
        }
    }
}

/// A map's value where the schema types only the keys that match a pattern: other keys may hold anything.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "complete by definition")]
pub enum Loose<T> {
    /// A value of the declared type.
    Typed(T),
    /// Anything else, as it came.
    Other(Value),
}

impl<T> From<T> for Loose<T> {
    fn from(value: T) -> Self {
        Self::Typed(value)
    }
}

impl<T: FromJson> FromJson for Loose<T> {
    fn from_json(value: Value) -> Result<Self, DecodeError> {
        // The copy is the price of giving the value back when it is of another type; such maps are small and rare.
        match T::from_json(value.clone()) {
            Ok(typed) => Ok(Self::Typed(typed)),
            Err(_) => Ok(Self::Other(value)),
        }
    }
}

impl<T: ToJson> ToJson for Loose<T> {
    fn to_json(&self) -> Value {
        match self {
            Self::Typed(value) => value.to_json(),
            Self::Other(value) => value.clone(),
        }
    }
}
