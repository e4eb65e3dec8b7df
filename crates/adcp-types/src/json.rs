//! The small runtime below the generated types: decoding from and encoding to `serde_json::Value`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Number, Value};

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

    fn under_index(self, index: usize) -> Self {
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
    #[allow(dead_code, reason = "other versions have such fields")]
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

    #[allow(dead_code, reason = "other versions have such fields")]
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

/// One condition on a value, by which a union chooses its arm.
#[allow(dead_code, reason = "not every version needs every condition")]
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
#[allow(dead_code, reason = "not every version needs every type")]
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

#[allow(dead_code, reason = "not every set of features has such unions")]
/// The string under `key`, by which a tagged union chooses its arm.
pub(crate) fn tag<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.as_object()?.get(key)?.as_str()
}

/// The boolean under `key`.
#[allow(dead_code, reason = "not every set of features has such unions")]
pub(crate) fn tag_flag(value: &Value, key: &str) -> Option<bool> {
    value.as_object()?.get(key)?.as_bool()
}

/// `Debug`, equality and serde traits through JSON, for each type named: printing shows the fields that are there, and
/// values are equal when they are the same on the wire. A derive for each costs a quarter of the crate's build time.
macro_rules! bridge {
    ($($name:ident),* $(,)?) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                $crate::json::debug(stringify!($name), &$crate::json::ToJson::to_json(self), f)
            }
        }
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                $crate::json::ToJson::to_json(self) == $crate::json::ToJson::to_json(other)
            }
        }
        $crate::json::serde_bridge! { $name }
    )*};
}
pub(crate) use bridge;

/// `Name { "field": … }`.
pub(crate) fn debug(name: &str, value: &Value, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{name} ")?;
    if f.alternate() { write!(f, "{value:#}") } else { write!(f, "{value}") }
}

/// serde traits through [`FromJson`] and [`ToJson`], for each type named.
macro_rules! serde_bridge {
    ($($name:ident),* $(,)?) => {$(
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = <serde_json::Value as serde::Deserialize>::deserialize(deserializer)?;
                <Self as $crate::json::FromJson>::from_json(value).map_err(serde::de::Error::custom)
            }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serde::Serialize::serialize(&$crate::json::ToJson::to_json(self), serializer)
            }
        }
    )*};
}
pub(crate) use serde_bridge;

/// An open vocabulary of strings: constants for the known values, one arm for all others.
macro_rules! string_enum {
    ($(#[$meta:meta])* $name:ident, $other:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$vmeta])* $variant,)*
            /// Any other string, kept as it came.
            $other(String),
        }

        impl $name {
            /// The known values, as they stand on the wire.
            pub const VALUES: &'static [&'static str] = &[$($text),*];

            /// The value as it stands on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::$other(text) => text,
                }
            }

            fn known(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }

        $crate::json::string_enum_impls!($name, $other);
    };
}
pub(crate) use string_enum;

/// The traits every open vocabulary has.
macro_rules! string_enum_impls {
    ($name:ident, $other:ident) => {
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.as_str() == other.as_str()
            }
        }
        impl Eq for $name {}
        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }
        impl Ord for $name {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.as_str().cmp(other.as_str())
            }
        }
        impl std::hash::Hash for $name {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                self.as_str().hash(state);
            }
        }
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::known(text).unwrap_or_else(|| Self::$other(text.to_owned()))
            }
        }
        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::known(&text).unwrap_or(Self::$other(text))
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl $crate::json::FromJson for $name {
            fn from_json(value: serde_json::Value) -> Result<Self, $crate::json::DecodeError> {
                <String as $crate::json::FromJson>::from_json(value).map(Self::from)
            }
        }
        impl $crate::json::ToJson for $name {
            fn to_json(&self) -> serde_json::Value {
                serde_json::Value::String(self.as_str().to_owned())
            }
        }
        $crate::json::serde_bridge! { $name }
    };
}
pub(crate) use string_enum_impls;

/// `with_*` setters for the optional fields of a struct: strings, other values, values held in a box.
macro_rules! setters {
    (
        $name:ident
        $(text { $($tset:ident $tfield:ident),* $(,)? })?
        $(plain { $($pset:ident $pfield:ident: $pty:ty),* $(,)? })?
        $(boxed { $($bset:ident $bfield:ident: $bty:ty),* $(,)? })?
    ) => {
        impl $name {
            $($(
                #[doc = concat!("Sets `", stringify!($tfield), "`.")]
                #[must_use]
                pub fn $tset(mut self, $tfield: impl Into<String>) -> Self {
                    self.$tfield = Some($tfield.into());
                    self
                }
            )*)?
            $($(
                #[doc = concat!("Sets `", stringify!($pfield), "`.")]
                #[must_use]
                pub fn $pset(mut self, $pfield: $pty) -> Self {
                    self.$pfield = Some($pfield);
                    self
                }
            )*)?
            $($(
                #[doc = concat!("Sets `", stringify!($bfield), "`.")]
                #[must_use]
                pub fn $bset(mut self, $bfield: $bty) -> Self {
                    self.$bfield = Some(Box::new($bfield));
                    self
                }
            )*)?
        }
    };
}
pub(crate) use setters;
