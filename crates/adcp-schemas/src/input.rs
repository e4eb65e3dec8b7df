//! A tool's request schema made complete in itself.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::SchemaError;
use crate::bundle::Files;
use crate::reference::resolve;

/// The dialect of every schema in the bundle.
const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

/// Keywords of the root that survive; the rest are conditions between its properties.
const ROOT: &[&str] = &["additionalProperties", "deprecated", "properties", "required"];

/// Keywords a caller has no use for, and definitions, which are hoisted instead.
const DROPPED: &[&str] = &["$defs", "$schema", "definitions", "discriminator"];

/// Keywords whose value maps names, not keywords.
const NAMES: &[&str] = &["dependencies", "patternProperties", "properties"];

/// Keywords whose value is data.
const DATA: &[&str] = &["const", "default", "enum", "required"];

/// Builds the schema for the request at `path`.
pub(crate) fn build(files: &Files, path: &str) -> Result<Map<String, Value>, SchemaError> {
    let mut hoist = Hoist {
        files,
        parsed: BTreeMap::new(),
        names: BTreeMap::new(),
        taken: BTreeSet::new(),
        defs: Map::new(),
    };
    let root = hoist.root(path, "")?;
    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), json!(DRAFT));
    schema.insert("type".to_owned(), json!("object"));
    schema.extend(root.into_iter().filter(|(keyword, _)| ROOT.contains(&keyword.as_str())));
    if schema.get("additionalProperties") == Some(&Value::Bool(false)) {
        schema.remove("additionalProperties");
    }
    hoist.keep_reachable(&schema);
    if !hoist.defs.is_empty() {
        schema.insert("$defs".to_owned(), Value::Object(hoist.defs));
    }
    Ok(schema)
}

struct Hoist<'a> {
    files: &'a Files,
    parsed: BTreeMap<String, Value>,
    /// Definition names by file and pointer.
    names: BTreeMap<(String, String), String>,
    taken: BTreeSet<String>,
    defs: Map<String, Value>,
}

impl Hoist<'_> {
    /// An object schema with everything its `allOf` and the arms of its union say about properties.
    fn root(&mut self, path: &str, pointer: &str) -> Result<Map<String, Value>, SchemaError> {
        let Value::Object(raw) = self.fetch(path, pointer)? else {
            return Err(SchemaError::unusable(path, "a request is an object"));
        };
        self.flat(path, &raw)
    }

    fn flat(&mut self, path: &str, raw: &Map<String, Value>) -> Result<Map<String, Value>, SchemaError> {
        if let Some(reference) = raw.get("$ref").and_then(Value::as_str) {
            let (file, pointer) = resolve(path, reference);
            return self.root(&file, pointer);
        }
        let mut flat = Map::new();
        for (keyword, value) in raw.iter().filter(|(keyword, _)| ROOT.contains(&keyword.as_str())) {
            let value = match keyword.as_str() {
                "properties" => self.names(path, value)?,
                "additionalProperties" => self.schema(path, value)?,
                _ => value.clone(),
            };
            flat.insert(keyword.clone(), value);
        }
        for part in schemas(raw.get("allOf")) {
            let part = self.flat(path, part)?;
            add_required(&mut flat, &part);
            add_properties(&mut flat, part);
        }
        for union in ["oneOf", "anyOf"] {
            let arms: Result<Vec<_>, _> = schemas(raw.get(union)).map(|arm| self.flat(path, arm)).collect();
            merge_arms(&mut flat, arms?);
        }
        Ok(flat)
    }

    /// A schema with its references pointing into `$defs`.
    fn schema(&mut self, path: &str, schema: &Value) -> Result<Value, SchemaError> {
        let Value::Object(schema) = schema else { return Ok(schema.clone()) };
        // Draft-07 ignores whatever stands beside a reference.
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let (file, pointer) = resolve(path, reference);
            return Ok(json!({ "$ref": format!("#/$defs/{}", self.define(&file, pointer)?) }));
        }
        let mut slim = Map::new();
        for (keyword, value) in schema {
            let key = keyword.as_str();
            if DROPPED.contains(&key) || key.starts_with("x-") {
                continue;
            }
            let value = if DATA.contains(&key) {
                value.clone()
            } else if NAMES.contains(&key) {
                self.names(path, value)?
            } else if let Value::Array(list) = value {
                Value::Array(list.iter().map(|item| self.schema(path, item)).collect::<Result<_, _>>()?)
            } else {
                self.schema(path, value)?
            };
            slim.insert(keyword.clone(), value);
        }
        Ok(Value::Object(slim))
    }

    fn names(&mut self, path: &str, map: &Value) -> Result<Value, SchemaError> {
        let entries = map.as_object().into_iter().flatten();
        let entries = entries.map(|(name, schema)| Ok((name.clone(), self.schema(path, schema)?)));
        entries.collect::<Result<Map<_, _>, _>>().map(Value::Object)
    }

    /// Puts a schema under `$defs` unless it is there; returns its name.
    fn define(&mut self, path: &str, pointer: &str) -> Result<String, SchemaError> {
        let key = (path.to_owned(), pointer.to_owned());
        if let Some(name) = self.names.get(&key) {
            return Ok(name.clone());
        }
        let name = self.name(path, pointer);
        self.names.insert(key, name.clone());
        let raw = self.fetch(path, pointer)?;
        let schema = self.schema(path, &raw)?;
        self.defs.insert(name.clone(), schema);
        Ok(name)
    }

    /// The file's stem, with what is needed to tell it from others.
    fn name(&mut self, path: &str, pointer: &str) -> String {
        let stem = path.trim_end_matches(".json");
        let last = pointer.rsplit('/').next().filter(|token| !token.is_empty());
        let short = last.or_else(|| stem.rsplit('/').next()).unwrap_or(stem);
        let long = format!("{stem}{pointer}");
        let plain = |text: &str| text.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
        let name = [plain(short), plain(&long)].into_iter().find(|name| !self.taken.contains(name));
        let name = name.unwrap_or_else(|| format!("{}_{}", plain(&long), self.taken.len()));
        self.taken.insert(name.clone());
        name
    }

    fn fetch(&mut self, path: &str, pointer: &str) -> Result<Value, SchemaError> {
        if !self.parsed.contains_key(path) {
            let json = self.files.parse(path)?;
            self.parsed.insert(path.to_owned(), json);
        }
        let found = self.parsed.get(path).and_then(|json| json.pointer(pointer));
        found.cloned().ok_or_else(|| SchemaError::unusable(path, format_args!("nothing at `{pointer}`")))
    }

    /// Drops definitions that only a condition of the root needed.
    fn keep_reachable(&mut self, root: &Map<String, Value>) {
        let mut kept = BTreeSet::new();
        let mut queue: Vec<String> = root.values().flat_map(references).collect();
        while let Some(name) = queue.pop() {
            if let Some(schema) = self.defs.get(&name)
                && kept.insert(name)
            {
                queue.extend(references(schema));
            }
        }
        self.defs.retain(|name, _| kept.contains(name));
    }
}

/// The object schemas in a list of schemas.
fn schemas(list: Option<&Value>) -> impl Iterator<Item = &Map<String, Value>> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

/// Names of the definitions a slim schema refers to.
fn references(schema: &Value) -> Vec<String> {
    match schema {
        Value::Object(object) => {
            let own =
                object.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix("#/$defs/"));
            own.map(str::to_owned).into_iter().chain(object.values().flat_map(references)).collect()
        }
        Value::Array(list) => list.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

fn add_required(flat: &mut Map<String, Value>, part: &Map<String, Value>) {
    let new = part.get("required").and_then(Value::as_array).into_iter().flatten();
    let required = flat.entry("required").or_insert_with(|| json!([]));
    if let Value::Array(required) = required {
        for name in new {
            if !required.contains(name) {
                required.push(name.clone());
            }
        }
    }
    if flat.get("required") == Some(&json!([])) {
        flat.remove("required");
    }
}

/// Adds properties the object does not describe itself.
fn add_properties(flat: &mut Map<String, Value>, part: Map<String, Value>) {
    let Some((_, Value::Object(new))) = part.into_iter().find(|(keyword, _)| keyword == "properties") else {
        return;
    };
    let properties = flat.entry("properties").or_insert_with(|| json!({}));
    if let Value::Object(properties) = properties {
        for (name, schema) in new {
            properties.entry(name).or_insert(schema);
        }
    }
}

/// Lets the object have any arm's properties, and require what every arm requires.
fn merge_arms(flat: &mut Map<String, Value>, arms: Vec<Map<String, Value>>) {
    let mut choices: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut common: Option<Vec<Value>> = None;
    for arm in arms {
        let required = arm.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
        common = Some(match common {
            None => required,
            Some(common) => common.into_iter().filter(|name| required.contains(name)).collect(),
        });
        let properties = arm.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
        for (name, schema) in properties {
            let schemas = choices.entry(name).or_default();
            if !schemas.contains(&schema) {
                schemas.push(schema);
            }
        }
    }
    let properties = choices.into_iter().map(|(name, mut schemas)| {
        let schema = if schemas.len() == 1 { schemas.swap_remove(0) } else { json!({ "anyOf": schemas }) };
        (name, schema)
    });
    let merged = Map::from_iter([
        ("properties".to_owned(), Value::Object(properties.collect())),
        ("required".to_owned(), Value::Array(common.unwrap_or_default())),
    ]);
    add_required(flat, &merged);
    add_properties(flat, merged);
}
