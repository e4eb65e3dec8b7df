//! One valid request and one valid answer for every tool, for tests that walk all of them.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

use super::bundle::Bundle;
use super::tools::{self, Tool};
use crate::sample::{Sampler, read_bundle};

/// Where the samples go, from the repository's root.
pub(crate) const PATH: &str = "crates/adcp-decisioning/tests/data/samples.json";

/// Seeds that fill in so many levels of optional fields.
fn seeds(levels: u64) -> impl Iterator<Item = u64> {
    (0..40).map(move |i| i * 5 + levels)
}

/// The samples as JSON text.
///
/// # Errors
///
/// When no valid instance of a message is found.
pub(crate) fn text(bundle: &Bundle, folder: &Path) -> Result<String> {
    let sampler = Sampler::new(read_bundle(folder)?);
    let mut beside_requests = fields_of(bundle, "core/version-envelope.json");
    beside_requests.extend(["context", "push_notification_config"].map(str::to_owned));
    let mut beside_answers = fields_of(bundle, "core/protocol-envelope.json");
    beside_answers.extend(beside_requests.iter().cloned());
    let mut out = Map::new();
    for tool in tools::tools(bundle) {
        let request = request(&sampler, &tool, &beside_requests).with_context(|| tool.request.clone())?;
        let mut sample = json!({ "request": request });
        // The SDK's own answers about tasks cannot be told from their envelope, and no test needs them.
        if let Some(response) = response(&sampler, &tool, &beside_answers)? {
            sample["response"] = response;
        }
        out.insert(tool.name, sample);
    }
    Ok(serde_json::to_string_pretty(&out)? + "\n")
}

/// The fields of one of the envelope's schemas.
fn fields_of(bundle: &Bundle, file: &str) -> BTreeSet<String> {
    let fields = bundle.files.get(file).and_then(|schema| schema["properties"].as_object());
    fields.into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

/// The fields of an instance without some.
fn bare(instance: Value, without: &BTreeSet<String>) -> Map<String, Value> {
    let fields = match instance {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    fields.into_iter().filter(|(name, _)| !without.contains(name)).collect()
}

/// A request that leaves versions, context and notifications to the test.
fn request(sampler: &Sampler, tool: &Tool, without: &BTreeSet<String>) -> Result<Value> {
    let validator = sampler.bundle().validator(&tool.request)?;
    // Only what must be sent: optional fields of one request can mean things that exclude each other.
    let found = seeds(0)
        .chain(seeds(1))
        .filter_map(|seed| sampler.random(&tool.request, seed))
        .map(|instance| Value::Object(bare(instance, without)))
        .find(|instance| validator.validate(instance).is_ok());
    found.context("no request was found")
}

/// An answer that is neither an error nor a task: valid once it says `completed`.
fn response(sampler: &Sampler, tool: &Tool, without: &BTreeSet<String>) -> Result<Option<Value>> {
    let validator = sampler.bundle().validator(&tool.response)?;
    let found = seeds(1).chain(seeds(0)).filter_map(|seed| sampler.random(&tool.response, seed)).find_map(
        |instance| {
            let mut fields = bare(instance, without);
            fields.remove("errors");
            let body = Value::Object(fields.clone());
            fields.insert("status".to_owned(), "completed".into());
            let refused = fields.get("success") == Some(&Value::Bool(false));
            (!refused && validator.validate(&Value::Object(fields)).is_ok()).then_some(body)
        },
    );
    Ok(found)
}
