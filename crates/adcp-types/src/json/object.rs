//! Objects taken apart and put together, field by field.

#![allow(dead_code, reason = "which fields exist depends on the features and the version")]

use serde_json::{Number, Value};

use super::{DecodeError, FromJson, JsonObject, ToJson};

/// Takes an object apart, field by field; what nobody asked for stays.
pub(crate) struct Dec {
    map: JsonObject,
    error: Option<DecodeError>,
}

impl Dec {
    pub(crate) fn new(value: Value) -> Result<Self, DecodeError> {
        match value {
            Value::Object(map) => Ok(Self { map, error: None }),
            other => Err(DecodeError::new("an object", &other)),
        }
    }

    /// A required field.
    pub(crate) fn req<T: FromJson>(&mut self, key: &str) -> Result<T, DecodeError> {
        match self.map.remove(key) {
            Some(value) => T::from_json(value).map_err(|error| error.under(key)),
            None => Err(DecodeError::missing(key)),
        }
    }

    /// An optional field; null reads as absent.
    pub(crate) fn opt<T: FromJson>(&mut self, key: &str, out: &mut Option<T>) {
        match self.map.remove(key) {
            None | Some(Value::Null) => {}
            Some(value) => match T::from_json(value) {
                Ok(value) => *out = Some(value),
                Err(error) => self.fail(error, key),
            },
        }
    }

    /// An optional field whose null is a value of its own.
    pub(crate) fn opt_null<T: FromJson>(&mut self, key: &str, out: &mut Option<T>) {
        if let Some(value) = self.map.remove(key) {
            match T::from_json(value) {
                Ok(value) => *out = Some(value),
                Err(error) => self.fail(error, key),
            }
        }
    }

    /// A required field with one legal value: not stored when it has it, kept with the unknown fields when it differs.
    pub(crate) fn text(&mut self, key: &str, expected: &str) {
        match self.map.get(key) {
            Some(Value::String(found)) if found == expected => _ = self.map.remove(key),
            Some(_) => {}
            None => self.absent(key),
        }
    }

    /// Like [`Dec::text`], for a boolean.
    pub(crate) fn flag(&mut self, key: &str, expected: bool) {
        match self.map.get(key) {
            Some(Value::Bool(found)) if *found == expected => _ = self.map.remove(key),
            Some(_) => {}
            None => self.absent(key),
        }
    }

    /// Like [`Dec::text`], for an integer.
    pub(crate) fn whole(&mut self, key: &str, expected: i64) {
        match self.map.get(key) {
            Some(value) if value.as_f64() == Some(expected as f64) => _ = self.map.remove(key),
            Some(_) => {}
            None => self.absent(key),
        }
    }

    /// What is left, once all fields were read.
    pub(crate) fn rest(self, out: &mut JsonObject) -> Result<(), DecodeError> {
        match self.error {
            Some(error) => Err(error),
            None => {
                *out = self.map;
                Ok(())
            }
        }
    }

    #[cold]
    fn fail(&mut self, error: DecodeError, key: &str) {
        if self.error.is_none() {
            self.error = Some(error.under(key));
        }
    }

    #[cold]
    fn absent(&mut self, key: &str) {
        if self.error.is_none() {
            self.error = Some(DecodeError::missing(key));
        }
    }
}

/// Puts an object together. Fields arrive sorted by wire name, so the map is built in one pass.
pub(crate) struct Enc<'a> {
    fields: Vec<(String, Value)>,
    extra: &'a JsonObject,
}

impl<'a> Enc<'a> {
    pub(crate) fn new(fields: usize, extra: &'a JsonObject) -> Self {
        Self { fields: Vec::with_capacity(fields), extra }
    }

    pub(crate) fn req<T: ToJson>(&mut self, key: &str, value: &T) {
        self.push(key, value.to_json());
    }

    pub(crate) fn opt<T: ToJson>(&mut self, key: &str, value: &Option<T>) {
        if let Some(value) = value {
            self.push(key, value.to_json());
        }
    }

    pub(crate) fn text(&mut self, key: &str, value: &str) {
        if !self.extra.contains_key(key) {
            self.push(key, Value::String(value.to_owned()));
        }
    }

    pub(crate) fn flag(&mut self, key: &str, value: bool) {
        if !self.extra.contains_key(key) {
            self.push(key, Value::Bool(value));
        }
    }

    pub(crate) fn whole(&mut self, key: &str, value: i64) {
        if !self.extra.contains_key(key) {
            self.push(key, Value::Number(Number::from(value)));
        }
    }

    fn push(&mut self, key: &str, value: Value) {
        self.fields.push((key.to_owned(), value));
    }

    /// The object; a field wins over an unknown field of the same name.
    pub(crate) fn done(self) -> Value {
        let mut map: JsonObject = self.fields.into_iter().collect();
        for (key, value) in self.extra {
            if !map.contains_key(key) {
                map.insert(key.clone(), value.clone());
            }
        }
        Value::Object(map)
    }
}
