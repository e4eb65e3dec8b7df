//! Upstream's own samples, checked against the schemas they stand beside.

use std::collections::BTreeMap;

use adcp_schemas::{Inspection, MANIFEST};
use anyhow::{Result, bail};
use serde_json::{Map, Value};

use super::normal::Bundle;

/// How many samples are valid, and how many are not, by schema.
pub(super) struct Checked {
    pub(super) valid: usize,
    pub(super) invalid: BTreeMap<String, usize>,
}

/// Checks the samples of all files that were kept, formats asserted.
pub(super) fn check(bundle: &Bundle) -> Result<Checked> {
    let texts = bundle.files.iter().filter(|(path, _)| *path != MANIFEST);
    let schemas =
        adcp_schemas::Bundle::from_files(texts.map(|(path, json)| (path.clone(), json.to_string())));
    let mut checked = Checked { valid: 0, invalid: BTreeMap::new() };
    for example in bundle.examples.iter().filter(|example| bundle.files.contains_key(&example.path)) {
        let place = match example.pointer.as_str() {
            "" => example.path.clone(),
            pointer => format!("{}#{pointer}", example.path),
        };
        match schemas.inspect(&place, bare(&example.instance)) {
            Ok(()) => checked.valid += 1,
            Err(Inspection::Invalid(_)) => *checked.invalid.entry(place).or_default() += 1,
            Err(error) => bail!("cannot check the samples of {place}: {error}"),
        }
    }
    Ok(checked)
}

/// The instance itself, where upstream wrapped it together with a sentence about it.
fn bare(example: &Value) -> &Value {
    let wrapper =
        |object: &Map<String, Value>| object.keys().all(|key| key == "data" || key == "description");
    match example.as_object().filter(|object| wrapper(object)).and_then(|object| object.get("data")) {
        Some(instance) => instance,
        None => example,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_sentence_around_an_instance_is_taken_off() {
        let instance = json!({ "account_id": "a" });
        assert_eq!(bare(&json!({ "description": "Words.", "data": instance })), &instance);
        assert_eq!(bare(&instance), &instance);
        let own = json!({ "data": 1, "account_id": "a" });
        assert_eq!(bare(&own), &own);
    }
}
