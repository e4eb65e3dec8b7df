//! Whether a text is JSON in which no object names a key twice.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// Why a body is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadJson {
    Syntax,
    DuplicateKey,
}

/// Checks a whole text.
pub(crate) fn check(bytes: &[u8]) -> Result<(), BadJson> {
    serde_json::from_slice::<Unique>(bytes).map(|_| ()).map_err(|error| {
        // The only error of ours; everything else is the parser's.
        if error.is_data() { BadJson::DuplicateKey } else { BadJson::Syntax }
    })
}

/// Checks and parses.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, BadJson> {
    check(bytes)?;
    serde_json::from_slice(bytes).map_err(|_| BadJson::Syntax)
}

/// JSON of any shape, looked at and forgotten.
struct Unique;

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Look)
    }
}

/// Keys of one object that are compared one by one, which costs less than hashing them.
const FEW: usize = 16;

/// A key: a part of the text, unless it has escapes.
struct Key<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(LookKey)
    }
}

struct LookKey;

impl<'de> Visitor<'de> for LookKey {
    type Value = Key<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Borrowed(key)))
    }

    fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Owned(key.to_owned())))
    }
}

struct Look;

impl<'de> Visitor<'de> for Look {
    type Value = Unique;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_str<E>(self, _: &str) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_unit<E>(self) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Unique, A::Error> {
        while seq.next_element::<Unique>()?.is_some() {}
        Ok(Unique)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Unique, A::Error> {
        let (mut few, mut many) = (Vec::new(), HashSet::new());
        while let Some(Key(key)) = map.next_key()? {
            let is_new = !few.contains(&key) && !many.contains(&key);
            if !is_new {
                return Err(de::Error::custom("a key occurs twice"));
            }
            if few.len() < FEW {
                few.push(key);
            } else {
                many.insert(key);
            }
            map.next_value::<Unique>()?;
        }
        Ok(Unique)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_twice_is_told_from_bad_syntax() {
        for text in [r#"{"a":1,"b":{"a":[1.5,-2,true,null,"x",{"c":{}}]}}"#, "[]", "1", "\"a\"", " {} "] {
            assert_eq!(check(text.as_bytes()), Ok(()), "{text}");
        }
        for text in [r#"{"a":1,"a":1}"#, r#"[{"b":{"a":1,"\u0061":2}}]"#, r#"{"a":{"x":0},"a":{}}"#] {
            assert_eq!(check(text.as_bytes()), Err(BadJson::DuplicateKey), "{text}");
        }
        // Twice among the first keys, among the later ones, and one among both.
        for (first, second) in [(0, 3), (20, 30), (3, 30), (15, 16), (16, 17)] {
            let keys = |n: usize| if n == second { first } else { n };
            let members: Vec<String> = (0..40).map(|n| format!("\"k{}\":{n}", keys(n))).collect();
            let text = format!("{{{}}}", members.join(","));
            assert_eq!(check(text.as_bytes()), Err(BadJson::DuplicateKey), "{text}");
            let text = text.replace(&format!("\"k{first}\":{second}"), &format!("\"k\\u{second:04x}\":1"));
            assert_eq!(check(text.as_bytes()), Ok(()), "{text}");
        }
        let deep = "[".repeat(100_000);
        for text in ["", "{", "{} {}", "nul", "{\"a\":01}", deep.as_str()] {
            assert_eq!(check(text.as_bytes()), Err(BadJson::Syntax), "{}", &text[..text.len().min(9)]);
        }
        assert_eq!(check(&[b'"', 0xff, b'"']), Err(BadJson::Syntax));
    }
}
