//! How a union chooses its arm.

#![allow(dead_code, reason = "which unions exist depends on the features and the version")]

use serde_json::Value;

/// One condition on a value, by which a union chooses its arm.
pub(crate) enum Test {
    /// The value's own JSON type.
    Is(Kind),
    /// The key is there.
    Has(&'static str),
    /// The key is there and of this JSON type.
    HasKind(&'static str, Kind),
    /// The key is absent or null.
    Not(&'static str),
    /// The key holds one of these strings.
    Text(&'static str, &'static [&'static str]),
    /// The key holds this boolean.
    Flag(&'static str, bool),
    /// The key holds this integer.
    Whole(&'static str, i64),
    /// The first item of this array has the given JSON type; an empty array matches too.
    Items(Kind),
}

/// A JSON type, with whole numbers apart.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Text,
    Number,
    Integer,
    Bool,
    List,
    Object,
}

impl Kind {
    pub(crate) fn of(self, value: &Value) -> bool {
        match self {
            Self::Text => value.is_string(),
            Self::Number => value.is_number(),
            Self::Integer => {
                value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|float| float.fract() == 0.0)
            }
            Self::Bool => value.is_boolean(),
            Self::List => value.is_array(),
            Self::Object => value.is_object(),
        }
    }
}

/// Whether `value` passes all `tests`.
pub(crate) fn passes(value: &Value, tests: &[Test]) -> bool {
    let map = value.as_object();
    let get = |key: &str| map.and_then(|map| map.get(key)).filter(|value| !value.is_null());
    tests.iter().all(|test| match test {
        Test::Is(kind) => kind.of(value),
        Test::Has(key) => map.is_some_and(|map| map.contains_key(*key)),
        Test::HasKind(key, kind) => get(key).is_some_and(|value| kind.of(value)),
        Test::Not(key) => get(key).is_none(),
        Test::Text(key, allowed) => {
            get(key).and_then(Value::as_str).is_some_and(|text| allowed.contains(&text))
        }
        Test::Flag(key, flag) => get(key).and_then(Value::as_bool) == Some(*flag),
        Test::Whole(key, whole) => get(key).and_then(Value::as_f64) == Some(*whole as f64),
        Test::Items(kind) => {
            value.as_array().is_some_and(|items| items.first().is_none_or(|item| kind.of(item)))
        }
    })
}

/// The string under `key`, by which a tagged union chooses its arm.
pub(crate) fn tag<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.as_object()?.get(key)?.as_str()
}

/// The boolean under `key`.
pub(crate) fn tag_flag(value: &Value, key: &str) -> Option<bool> {
    value.as_object()?.get(key)?.as_bool()
}
