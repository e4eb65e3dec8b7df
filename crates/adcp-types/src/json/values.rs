//! JSON for the types below the generated ones: text, numbers, lists, maps, boxes.

use std::collections::BTreeMap;

use serde_json::{Number, Value};

use super::{DecodeError, FromJson, JsonObject, ToJson};

impl FromJson for Value {
    fn from_json(value: Value) -> Result<Self, DecodeError> {
        Ok(value)
    }
}

impl ToJson for Value {
    fn to_json(&self) -> Value {
        self.clone()
    }
}

impl FromJson for JsonObject {
    fn from_json(value: Value) -> Result<Self, DecodeError> {
        match value {
            Value::Object(map) => Ok(map),
            other => Err(DecodeError::new("an object", &other)),
        }
    }
}

impl ToJson for JsonObject {
    fn to_json(&self) -> Value {
        Value::Object(self.clone())
    }
}

impl FromJson for String {
    fn from_json(value: Value) -> Result<Self, DecodeError> {
        match value {
            Value::String(text) => Ok(text),
            other => Err(DecodeError::new("a string", &other)),
        }
    }
}

impl ToJson for String {
    fn to_json(&self) -> Value {
        Value::String(self.clone())
    }
}

impl FromJson for bool {
    fn from_json(value: Value) -> Result<Self, DecodeError> {
        match value {
            Value::Bool(flag) => Ok(flag),
            other => Err(DecodeError::new("a boolean", &other)),
        }
    }
}

impl ToJson for bool {
    fn to_json(&self) -> Value {
        Value::Bool(*self)
    }
}

impl FromJson for f64 {
    fn from_json(value: Value) -> Result<Self, DecodeError> {
        value.as_f64().ok_or_else(|| DecodeError::new("a number", &value))
    }
}

impl ToJson for f64 {
    fn to_json(&self) -> Value {
        number(*self)
    }
}

impl FromJson for i64 {
    fn from_json(value: Value) -> Result<Self, DecodeError> {
        if let Some(whole) = value.as_i64() {
            return Ok(whole);
        }
        match value.as_f64() {
            // Between these bounds every integral f64 is an exact i64.
            Some(float) if float.fract() == 0.0 && (-9.2e18..9.2e18).contains(&float) => Ok(float as Self),
            _ => Err(DecodeError::new("an integer of 64 bits", &value)),
        }
    }
}

impl ToJson for i64 {
    fn to_json(&self) -> Value {
        Value::Number(Number::from(*self))
    }
}

/// Integral numbers are written as integers, as JavaScript and the canonical form do.
fn number(value: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() <= EXACT {
        return Value::Number(Number::from(value as i64));
    }
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

impl<T: FromJson> FromJson for Box<T> {
    fn from_json(value: Value) -> Result<Self, DecodeError> {
        T::from_json(value).map(Self::new)
    }
}

impl<T: ToJson> ToJson for Box<T> {
    fn to_json(&self) -> Value {
        T::to_json(self)
    }
}

/// Null reads as `None` and the other way round; for required fields that may be null.
impl<T: FromJson> FromJson for Option<T> {
    fn from_json(value: Value) -> Result<Self, DecodeError> {
        if value.is_null() { Ok(None) } else { T::from_json(value).map(Some) }
    }
}

impl<T: ToJson> ToJson for Option<T> {
    fn to_json(&self) -> Value {
        match self {
            None => Value::Null,
            Some(value) => value.to_json(),
        }
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(value: Value) -> Result<Self, DecodeError> {
        let items = match value {
            Value::Array(items) => items,
            other => return Err(DecodeError::new("an array", &other)),
        };
        let mut out = Self::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            match T::from_json(item) {
                Ok(item) => out.push(item),
                Err(error) => return Err(error.under_index(index)),
            }
        }
        Ok(out)
    }
}

impl<T: ToJson> ToJson for Vec<T> {
    fn to_json(&self) -> Value {
        Value::Array(self.iter().map(ToJson::to_json).collect())
    }
}

impl<T: FromJson> FromJson for BTreeMap<String, T> {
    fn from_json(value: Value) -> Result<Self, DecodeError> {
        let map = match value {
            Value::Object(map) => map,
            other => return Err(DecodeError::new("an object", &other)),
        };
        let mut out = Self::new();
        for (key, item) in map {
            match T::from_json(item) {
                Ok(item) => _ = out.insert(key, item),
                Err(error) => return Err(error.under(&key)),
            }
        }
        Ok(out)
    }
}

impl<T: ToJson> ToJson for BTreeMap<String, T> {
    fn to_json(&self) -> Value {
        Value::Object(self.iter().map(|(key, value)| (key.clone(), value.to_json())).collect())
    }
}
