//! Parts of a request that the ad server keeps and never reads: they come back to the buyer as they were sent.

use adcp_types::json::{FromJson, ToJson};
use serde_json::Value;

use crate::ad_server::Note;

/// The `keys` of a wire value, as they stand in it.
pub(crate) fn keep(value: &impl ToJson, keys: &[&str]) -> Note {
    let Value::Object(mut object) = value.to_json() else { return Note::new() };
    object.retain(|key, _| keys.contains(&key.as_str()));
    object
}

/// Everything of a wire value but the `keys`, as it stands in it.
pub(crate) fn except(value: &impl ToJson, keys: &[&str]) -> Note {
    let Value::Object(mut object) = value.to_json() else { return Note::new() };
    object.retain(|key, _| !keys.contains(&key.as_str()));
    object
}

/// A kept value, as the wire type it was.
pub(crate) fn recall<T: FromJson>(note: &Note, key: &str) -> Option<T> {
    T::from_json(note.get(key)?.clone()).ok()
}

/// A wire type made of everything that was kept and one more field, by which it is known.
pub(crate) fn with<T: FromJson>(note: &Note, key: &str, value: &str) -> Option<T> {
    let mut object = note.clone();
    object.insert(key.to_owned(), Value::from(value));
    T::from_json(Value::Object(object)).ok()
}
