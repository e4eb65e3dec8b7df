//! The normal form of a bundle: what structures and constrains, none of the prose.
//!
//! Prose is dropped by position, not by key: a property that happens to be called
//! `description` stays, the annotation of that name goes.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value};

use super::titles;

/// A bundle in normal form.
pub(super) struct Bundle {
    /// Schemas and `manifest.json`, by path.
    pub(super) files: BTreeMap<String, Value>,
    /// Identifiers made of the titles of union arms, by `path#pointer`.
    pub(super) titles: BTreeMap<String, String>,
    /// Upstream's own samples: file path, pointer of the schema they belong to, instance.
    pub(super) examples: Vec<Example>,
    /// Files left out, counted by reason.
    pub(super) skipped: BTreeMap<&'static str, usize>,
}

/// A sample instance that upstream printed beside a schema.
pub(super) struct Example {
    pub(super) path: String,
    pub(super) pointer: String,
    pub(super) instance: Value,
}

/// Keywords kept as they are.
const KEPT: &[&str] = &[
    "$schema",
    "const",
    "default",
    "deprecated",
    "discriminator",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "readOnly",
    "required",
    "type",
    "uniqueItems",
    "writeOnly",
    "x-entity",
    "x-mutates-state",
    "x-status",
];

/// Keywords whose value is a schema.
const ONE_SCHEMA: &[&str] =
    &["additionalProperties", "contains", "else", "if", "not", "propertyNames", "then"];

/// Keywords whose value is a list of schemas.
const SCHEMA_LIST: &[&str] = &["allOf", "anyOf", "oneOf"];

/// Keywords whose value maps names to schemas.
const SCHEMA_MAP: &[&str] = &["$defs", "definitions", "dependencies", "patternProperties", "properties"];

/// Keywords that tell people something and machines nothing.
const PROSE: &[&str] = &[
    "$comment",
    "$id",
    "description",
    "enumDescriptions",
    "enumMetadata",
    "errorMessage",
    "examples",
    "notes",
    "title",
];

/// Bookkeeping and documentation that upstream puts beside a root schema.
const ROOT_METADATA: &[&str] = &[
    "_generated",
    "_generatedAt",
    "adcp_version",
    "architecture",
    "asset_types",
    "baseUrl",
    "extensions",
    "governance",
    "lastUpdated",
    "last_updated",
    "mappings",
    "prerelease",
    "protocol_layers",
    "published_version",
    "schemas",
    "stability",
    "usage",
    "usage_notes",
    "version",
    "versioning",
    "vocabulary",
];

/// Brings all files of an upstream bundle into normal form.
pub(super) fn bundle(sources: &BTreeMap<String, Vec<u8>>) -> Result<Bundle> {
    let mut bundle = Bundle {
        files: BTreeMap::new(),
        titles: BTreeMap::new(),
        examples: Vec::new(),
        skipped: BTreeMap::new(),
    };
    let mut spare = BTreeMap::new();
    for (path, bytes) in sources {
        if let Some(reason) = skipped(path) {
            *bundle.skipped.entry(reason).or_default() += 1;
            if reason == ASYNC_COPIES {
                spare.insert(path.as_str(), bytes.as_slice());
            }
            continue;
        }
        bundle.add(path, bytes)?;
    }
    bundle.fetch_spares(&spare)?;
    bundle.check_references()?;
    Ok(bundle)
}

const ASYNC_COPIES: &str = "core/async-response-refs: copies nothing refers to";

/// Why a file is left out, if it is.
fn skipped(path: &str) -> Option<&'static str> {
    let top = path.split('/').next().unwrap_or_default();
    match top {
        "bundled" => Some("bundled: dereferenced copies"),
        "mcp" => Some("mcp: dereferenced copies"),
        "manifest.schema.json" => Some("documentation"),
        _ if path == "index.json" || path.ends_with("/index.json") => Some("documentation"),
        _ if path.starts_with("core/async-response-refs/") => Some(ASYNC_COPIES),
        _ => None,
    }
}

impl Bundle {
    fn add(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        let json: Value = serde_json::from_slice(bytes).with_context(|| format!("{path} is not JSON"))?;
        if path == "manifest.json" {
            self.files.insert(path.to_owned(), manifest(json));
            return Ok(());
        }
        let Value::Object(json) = json else { bail!("{path} is not a schema") };
        let mut walk = Walk { path, titles: &mut self.titles, examples: &mut self.examples };
        let normal = walk.object(json, "")?;
        if normal.keys().all(|key| key == "$schema") {
            *self.skipped.entry("documentation").or_default() += 1;
        } else {
            self.files.insert(path.to_owned(), Value::Object(normal));
        }
        Ok(())
    }

    /// Takes in skipped files that something kept refers to after all.
    fn fetch_spares(&mut self, spare: &BTreeMap<&str, &[u8]>) -> Result<()> {
        loop {
            let mut missing = BTreeSet::new();
            for (path, schema) in &self.files {
                each_reference(schema, &mut |reference| {
                    let (file, _) = resolve(path, reference);
                    if !self.files.contains_key(&file) && spare.contains_key(file.as_str()) {
                        missing.insert(file);
                    }
                });
            }
            if missing.is_empty() {
                return Ok(());
            }
            for file in missing {
                self.add(&file, spare[file.as_str()])?;
                if let Some(count) = self.skipped.get_mut(ASYNC_COPIES) {
                    *count -= 1;
                }
            }
        }
    }

    /// Every reference must lead to a schema that is still there.
    fn check_references(&self) -> Result<()> {
        let mut dangling = Vec::new();
        for (path, schema) in &self.files {
            each_reference(schema, &mut |reference| {
                let (file, pointer) = resolve(path, reference);
                if self.files.get(&file).and_then(|schema| schema.pointer(&pointer)).is_none() {
                    dangling.push(format!("{path}: {reference}"));
                }
            });
        }
        ensure!(dangling.is_empty(), "references that lead nowhere:\n  {}", dangling.join("\n  "));
        Ok(())
    }
}

/// One file on its way to normal form.
struct Walk<'a> {
    path: &'a str,
    titles: &'a mut BTreeMap<String, String>,
    examples: &'a mut Vec<Example>,
}

impl Walk<'_> {
    fn schema(&mut self, schema: Value, pointer: &str) -> Result<Value> {
        match schema {
            Value::Object(object) => Ok(Value::Object(self.object(object, pointer)?)),
            Value::Bool(_) => Ok(schema),
            _ => bail!("{}#{pointer} is not a schema", self.path),
        }
    }

    fn object(&mut self, schema: Map<String, Value>, pointer: &str) -> Result<Map<String, Value>> {
        let mut normal = Map::new();
        for (keyword, value) in schema {
            let here = format!("{pointer}/{}", escape(&keyword));
            let key = keyword.as_str();
            let kept = if key == "$ref" {
                self.reference(&value, &here)?
            } else if KEPT.contains(&key) {
                value
            } else if ONE_SCHEMA.contains(&key) {
                self.schema(value, &here)?
            } else if key == "items" || key == "additionalItems" {
                match value {
                    Value::Array(items) => self.list(items, &here)?,
                    one => self.schema(one, &here)?,
                }
            } else if SCHEMA_LIST.contains(&key) {
                let Value::Array(arms) = value else { bail!("{}#{here} is not a list", self.path) };
                self.list(arms, &here)?
            } else if SCHEMA_MAP.contains(&key) {
                self.map(value, &here)?
            } else {
                self.prose(key, value, pointer)?;
                continue;
            };
            normal.insert(keyword, kept);
        }
        Ok(normal)
    }

    fn list(&mut self, schemas: Vec<Value>, pointer: &str) -> Result<Value> {
        let schemas = schemas.into_iter().enumerate();
        let normal: Result<Vec<_>> =
            schemas.map(|(index, schema)| self.schema(schema, &format!("{pointer}/{index}"))).collect();
        Ok(Value::Array(normal?))
    }

    fn map(&mut self, schemas: Value, pointer: &str) -> Result<Value> {
        let Value::Object(schemas) = schemas else { bail!("{}#{pointer} is not an object", self.path) };
        let mut normal = Map::new();
        for (name, schema) in schemas {
            let here = format!("{pointer}/{}", escape(&name));
            // A dependency may also be a list of names.
            let schema = if schema.is_array() { schema } else { self.schema(schema, &here)? };
            normal.insert(name, schema);
        }
        Ok(Value::Object(normal))
    }

    /// Notes what is worth keeping of an annotation, and refuses one nobody has decided about.
    fn prose(&mut self, keyword: &str, value: Value, pointer: &str) -> Result<()> {
        match (keyword, value) {
            ("title", Value::String(title)) if titles::is_arm(pointer) => {
                if let Some(identifier) = titles::identifier(&title) {
                    self.titles.insert(format!("{}#{pointer}", self.path), identifier);
                }
            }
            ("examples", Value::Array(instances)) => {
                let (path, pointer) = (self.path.to_owned(), pointer.to_owned());
                self.examples.extend(instances.into_iter().map(|instance| Example {
                    path: path.clone(),
                    pointer: pointer.clone(),
                    instance,
                }));
            }
            _ => {}
        }
        let known = PROSE.contains(&keyword)
            || keyword.starts_with("x-")
            || (pointer.is_empty() && ROOT_METADATA.contains(&keyword));
        ensure!(
            known,
            "{}#{pointer} has the keyword `{keyword}`, which nobody has decided about: \
             it belongs into one of the lists in xtask/src/schemas/normal.rs",
            self.path
        );
        Ok(())
    }

    /// The reference as a path relative to the file, with its pointer.
    fn reference(&self, reference: &Value, pointer: &str) -> Result<Value> {
        let Some(text) = reference.as_str() else { bail!("{}#{pointer} is not a string", self.path) };
        let (file, fragment) = text.split_once('#').unwrap_or((text, ""));
        let target = match in_bundle(file) {
            Some(path) => path.to_owned(),
            None => resolve(self.path, file).0,
        };
        let mut written = if target == self.path { String::new() } else { relative(self.path, &target) };
        if !fragment.is_empty() || written.is_empty() {
            written.push('#');
            written.push_str(fragment);
        }
        Ok(Value::String(written))
    }
}

/// The bundle path of an absolute or rooted reference: what follows `/schemas/<version>/`.
fn in_bundle(file: &str) -> Option<&str> {
    let rooted = match file.split_once("://") {
        Some((_, rest)) => &rest[rest.find('/')?..],
        None => file,
    };
    let path = rooted.strip_prefix("/schemas/")?;
    match path.split_once('/') {
        Some((first, rest)) if is_version(first) => Some(rest),
        _ => Some(path),
    }
}

fn is_version(segment: &str) -> bool {
    let digits = segment.strip_prefix('v').unwrap_or(segment);
    segment == "latest" || digits.starts_with(|first: char| first.is_ascii_digit())
}

/// File and pointer that a reference inside `path` leads to.
pub(crate) fn resolve(path: &str, reference: &str) -> (String, String) {
    let (file, pointer) = reference.split_once('#').unwrap_or((reference, ""));
    if file.is_empty() {
        return (path.to_owned(), pointer.to_owned());
    }
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in file.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    (parts.join("/"), pointer.to_owned())
}

/// `target` as seen from the folder of `path`.
fn relative(path: &str, target: &str) -> String {
    let from: Vec<&str> = path.split('/').collect();
    let to: Vec<&str> = target.split('/').collect();
    let folders = from.len() - 1;
    let shared =
        from[..folders].iter().zip(&to[..to.len() - 1]).take_while(|(left, right)| left == right).count();
    let mut parts = vec![".."; folders - shared];
    parts.extend(&to[shared..]);
    parts.join("/")
}

/// Calls `found` with every `$ref` of a schema in normal form.
fn each_reference(schema: &Value, found: &mut impl FnMut(&str)) {
    let Value::Object(schema) = schema else { return };
    for (keyword, value) in schema {
        let key = keyword.as_str();
        match value {
            Value::String(reference) if key == "$ref" => found(reference),
            Value::Array(list) if key == "items" || SCHEMA_LIST.contains(&key) => {
                list.iter().for_each(|schema| each_reference(schema, found));
            }
            Value::Object(map) if SCHEMA_MAP.contains(&key) => {
                map.values().for_each(|schema| each_reference(schema, found));
            }
            Value::Object(_) if key == "items" || key == "additionalItems" || ONE_SCHEMA.contains(&key) => {
                each_reference(value, found);
            }
            _ => {}
        }
    }
}

/// The manifest without sentences, timestamps and the address of its own schema.
fn manifest(json: Value) -> Value {
    const SENTENCES: &[&str] = &["description", "note", "suggestion", "summary", "title"];
    fn strip(value: Value) -> Value {
        match value {
            Value::Object(object) => Value::Object(
                object
                    .into_iter()
                    .filter(|(key, value)| !(value.is_string() && SENTENCES.contains(&key.as_str())))
                    .map(|(key, value)| (key, strip(value)))
                    .collect(),
            ),
            Value::Array(list) => Value::Array(list.into_iter().map(strip).collect()),
            scalar => scalar,
        }
    }
    let mut stripped = strip(json);
    if let Some(root) = stripped.as_object_mut() {
        root.retain(|key, _| key != "$schema" && key != "generated_at");
    }
    stripped
}

/// The text of a file: keys sorted, one space per level, a final line feed.
pub(super) fn text(value: &Value) -> String {
    let mut text = Vec::new();
    let layout = serde_json::ser::PrettyFormatter::with_indent(b" ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, layout);
    serde::Serialize::serialize(value, &mut serializer).expect("a JSON value has a text");
    text.push(b'\n');
    String::from_utf8(text).expect("JSON text is UTF-8")
}

/// A name as one token of a JSON pointer.
pub(crate) fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn files(files: &[(&str, Value)]) -> BTreeMap<String, Vec<u8>> {
        files.iter().map(|(path, json)| ((*path).to_owned(), json.to_string().into_bytes())).collect()
    }

    #[test]
    fn prose_goes_and_properties_named_like_prose_stay() {
        let bundle = bundle(&files(&[(
            "core/a.json",
            json!({
                "title": "A", "description": "Words.", "type": "object",
                "properties": { "description": { "type": "string", "description": "Words." },
                                "title": { "const": { "title": "kept" } } },
                "required": ["description"]
            }),
        )]))
        .unwrap();
        assert_eq!(
            bundle.files["core/a.json"],
            json!({
                "type": "object",
                "properties": { "description": { "type": "string" }, "title": { "const": { "title": "kept" } } },
                "required": ["description"]
            })
        );
    }

    #[test]
    fn references_become_relative_whatever_they_were() {
        let target = json!({ "definitions": { "x": { "type": "string" } }, "type": "object" });
        let cases = [
            ("https://example.org/schemas/3.2.4/core/b.json", "../core/b.json"),
            ("/schemas/v3/core/b.json#/definitions/x", "../core/b.json#/definitions/x"),
            ("../core/b.json", "../core/b.json"),
            ("./c.json", "c.json"),
            ("c.json#/definitions/x", "c.json#/definitions/x"),
            ("/schemas/3.0.0/media-buy/a.json#/definitions/y", "#/definitions/y"),
            ("#/definitions/y", "#/definitions/y"),
        ];
        for (written, expected) in cases {
            let bundle = bundle(&files(&[
                ("media-buy/a.json", json!({ "$ref": written, "definitions": { "y": {} } })),
                ("media-buy/c.json", target.clone()),
                ("core/b.json", target.clone()),
            ]))
            .unwrap();
            assert_eq!(bundle.files["media-buy/a.json"]["$ref"], expected, "{written}");
        }
    }

    #[test]
    fn what_nobody_decided_about_is_refused() {
        let unknown = bundle(&files(&[("core/a.json", json!({ "unheardOf": 1, "type": "object" }))]));
        assert!(unknown.err().unwrap().to_string().contains("`unheardOf`"));
        let dangling = bundle(&files(&[("core/a.json", json!({ "$ref": "b.json" }))]));
        assert!(dangling.err().unwrap().to_string().contains("core/a.json: b.json"));
    }

    #[test]
    fn copies_stay_out_unless_something_needs_them() {
        let copy = json!({ "type": "object" });
        let path = "core/async-response-refs/x.json";
        let alone = bundle(&files(&[(path, copy.clone()), ("bundled/y.json", copy.clone())])).unwrap();
        assert!(alone.files.is_empty());
        let used =
            bundle(&files(&[(path, copy), ("core/a.json", json!({ "$ref": "async-response-refs/x.json" }))]));
        assert!(used.unwrap().files.contains_key(path));
    }

    #[test]
    fn the_manifest_keeps_its_tables() {
        let manifest = manifest(json!({
            "$schema": "/schemas/x/manifest.schema.json", "generated_at": "now", "adcp_version": "x",
            "tools": { "title": { "mutating": true, "summary": "Words." } },
            "error_codes": { "GONE": { "recovery": "terminal", "suggestion": "Words." } }
        }));
        assert_eq!(
            manifest,
            json!({ "adcp_version": "x", "tools": { "title": { "mutating": true } },
                    "error_codes": { "GONE": { "recovery": "terminal" } } })
        );
    }
}
