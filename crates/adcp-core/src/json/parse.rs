//! Strict parsing: bounded size, bounded depth, no key twice.

use std::cell::RefCell;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// How much JSON is accepted from a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of one message. Default 2 MiB.
    pub max_bytes: usize,
    /// Nested arrays and objects, counted from 1 at the root. Default 64, at most 120.
    pub max_depth: usize,
}

impl Limits {
    /// The defaults: 2 MiB and 64 levels.
    #[must_use]
    pub const fn new() -> Self {
        Self { max_bytes: 2 * 1024 * 1024, max_depth: 64 }
    }

    /// Sets the largest message, in bytes.
    #[must_use]
    pub const fn with_max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Sets the deepest nesting; values above 120 are lowered to it.
    #[must_use]
    pub const fn with_max_depth(mut self, levels: usize) -> Self {
        self.max_depth = if levels > 120 { 120 } else { levels };
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}

/// Why a text was not accepted as JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The message is larger than the limit.
    #[error("the message has {bytes} bytes; the limit is {limit}")]
    TooLarge {
        /// Its size in bytes.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// Arrays and objects nest deeper than the limit.
    #[error("nesting at `{pointer}` is deeper than the limit of {limit} levels")]
    TooDeep {
        /// JSON pointer of the place.
        pointer: String,
        /// The limit in levels.
        limit: usize,
    },
    /// An object names one key twice, so readers could disagree about its value.
    #[error("{} has the key `{key}` twice", place(pointer))]
    DuplicateKey {
        /// JSON pointer of the object.
        pointer: String,
        /// The repeated key, cut at 32 bytes and at the first unprintable character.
        key: String,
    },
    /// Not JSON.
    #[error("not valid JSON at line {line}, column {column}")]
    Syntax {
        /// Line, counted from 1.
        line: usize,
        /// Column, counted from 1.
        column: usize,
    },
}

fn place(pointer: &str) -> String {
    if pointer.is_empty() { "the root object".to_owned() } else { format!("the object at `{pointer}`") }
}

/// Parses one JSON value and nothing after it.
///
/// # Errors
///
/// [`ParseError`], naming the limit or the place.
pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Value, ParseError> {
    if bytes.len() > limits.max_bytes {
        return Err(ParseError::TooLarge { bytes: bytes.len(), limit: limits.max_bytes });
    }
    let fault = RefCell::new(None);
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let seed = Strict { left: limits.max_depth, limit: limits.max_depth, fault: &fault };
    let parsed = seed.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    parsed.map_err(|error| {
        fault.borrow_mut().take().map_or_else(
            || ParseError::Syntax { line: error.line(), column: error.column() },
            Fault::into_error,
        )
    })
}

/// A refusal on its way out, collecting the path from the inside.
struct Fault {
    kind: FaultKind,
    path: Vec<String>,
}

enum FaultKind {
    Deep(usize),
    Duplicate(String),
}

impl Fault {
    fn into_error(self) -> ParseError {
        let pointer = super::pointer(&self.path);
        match self.kind {
            FaultKind::Deep(limit) => ParseError::TooDeep { pointer, limit },
            FaultKind::Duplicate(key) => ParseError::DuplicateKey { pointer, key },
        }
    }
}

#[derive(Clone, Copy)]
struct Strict<'a> {
    left: usize,
    limit: usize,
    fault: &'a RefCell<Option<Fault>>,
}

impl Strict<'_> {
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        match self.left.checked_sub(1) {
            Some(left) => Ok(Self { left, ..self }),
            None => Err(self.refuse(FaultKind::Deep(self.limit))),
        }
    }

    fn refuse<E: de::Error>(self, kind: FaultKind) -> E {
        *self.fault.borrow_mut() = Some(Fault { kind, path: Vec::new() });
        E::custom("refused")
    }

    fn at(self, segment: impl FnOnce() -> String) {
        if let Some(fault) = self.fault.borrow_mut().as_mut() {
            fault.path.push(segment());
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(Value::Bool(v))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(Value::from(v))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(Value::from(v))
    }

    fn visit_f64<E>(self, v: f64) -> Result<Value, E> {
        Ok(Number::from_f64(v).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(Value::String(v.to_owned()))
    }

    fn visit_string<E>(self, v: String) -> Result<Value, E> {
        Ok(Value::String(v))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::new();
        loop {
            match seq.next_element_seed(inner) {
                Ok(Some(item)) => items.push(item),
                Ok(None) => return Ok(Value::Array(items)),
                Err(error) => {
                    self.at(|| items.len().to_string());
                    return Err(error);
                }
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut fields = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if fields.contains_key(&key) {
                return Err(self.refuse(FaultKind::Duplicate(printable(&key))));
            }
            match map.next_value_seed(inner) {
                Ok(value) => fields.insert(key, value),
                Err(error) => {
                    self.at(|| printable(&key));
                    return Err(error);
                }
            };
        }
        Ok(Value::Object(fields))
    }
}

/// A stranger's key, fit for a log line.
fn printable(key: &str) -> String {
    let mut out = String::new();
    for c in key.chars() {
        if c.is_control() || out.len() + c.len_utf8() > 32 {
            out.push('…');
            break;
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str, limits: Limits) -> String {
        parse(text.as_bytes(), &limits).unwrap_err().to_string()
    }

    #[test]
    fn keeps_what_serde_json_keeps() {
        let text = r#"{"a":[1,-2,3.5,true,null,"é\n"],"b":{"c":18446744073709551615}}"#;
        let strict = parse(text.as_bytes(), &Limits::new()).unwrap();
        assert_eq!(strict, serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn names_the_limit_and_the_place() {
        let limits = Limits::new().with_max_depth(3).with_max_bytes(40);
        let cases = [
            (r#"{"a":{"b":1,"b":2}}"#, "the object at `/a` has the key `b` twice"),
            (r#"{"a":[0,{"b":{}}]}"#, "nesting at `/a/1/b` is deeper than the limit of 3 levels"),
            (r#"{"a":1} x"#, "not valid JSON at line 1, column 9"),
            (r#""01234567890123456789012345678901234567890""#, "the message has 43 bytes; the limit is 40"),
        ];
        for (text, want) in cases {
            assert_eq!(refused(text, limits), want, "{text}");
        }
    }

    #[test]
    fn a_long_or_binary_key_is_cut() {
        let text = format!(r#"{{"{0}":1,"{0}":1}}"#, "k".repeat(80));
        assert!(refused(&text, Limits::new()).ends_with("`kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk…` twice"));
        assert!(refused("{\"a\\u0007b\":1,\"a\\u0007b\":1}", Limits::new()).contains("`a…` twice"));
    }

    #[test]
    fn depth_at_the_limit_is_accepted() {
        let text = format!("{}1{}", "[".repeat(64), "]".repeat(64));
        assert!(parse(text.as_bytes(), &Limits::new()).is_ok());
        let text = format!("{}1{}", "[".repeat(65), "]".repeat(65));
        assert!(parse(text.as_bytes(), &Limits::new()).is_err());
        assert_eq!(Limits::new().with_max_depth(4096).max_depth, 120);
    }
}
