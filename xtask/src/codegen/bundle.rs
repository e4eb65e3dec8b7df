//! Reads a schema tree and resolves references in it.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// A position in a schema file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Loc {
    /// Path relative to the version's directory.
    pub file: String,
    /// JSON pointer inside it.
    pub ptr: String,
}

impl Loc {
    /// The root of `file`.
    pub fn root(file: &str) -> Self {
        Self { file: file.to_owned(), ptr: String::new() }
    }

    /// The place below `self` reached by `tokens`.
    pub fn at(&self, tokens: &[&str]) -> Self {
        let mut ptr = self.ptr.clone();
        for token in tokens {
            ptr.push('/');
            ptr.push_str(&token.replace('~', "~0").replace('/', "~1"));
        }
        Self { file: self.file.clone(), ptr }
    }

    /// `path#pointer`, as in names.lock.
    pub fn key(&self) -> String {
        format!("{}#{}", self.file, self.ptr)
    }

    /// The pointer's tokens, unescaped.
    pub fn tokens(&self) -> Vec<String> {
        self.ptr.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~")).collect()
    }
}

/// A version's schemas.
#[derive(Debug)]
pub struct Bundle {
    /// As the manifest says, or the directory's name.
    pub version: String,
    /// Every schema file by path.
    pub files: BTreeMap<String, Value>,
    /// `manifest.json`, or null in versions that have none.
    pub manifest: Value,
}

const SKIPPED_DIRS: [&str; 3] = ["bundled", "mcp", "core/async-response-refs"];
const SKIPPED_FILES: [&str; 4] =
    ["index.json", "manifest.json", "manifest.schema.json", "extensions/index.json"];

impl Bundle {
    /// Reads the tree below `dir`.
    ///
    /// # Errors
    ///
    /// Unreadable files and JSON that does not parse.
    pub fn load(dir: &Path) -> Result<Self> {
        let mut files = BTreeMap::new();
        let mut queue = vec![String::new()];
        while let Some(below) = queue.pop() {
            let here = dir.join(&below);
            for entry in std::fs::read_dir(&here).with_context(|| format!("reading {}", here.display()))? {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let path = if below.is_empty() { name } else { format!("{below}/{name}") };
                if entry.file_type()?.is_dir() {
                    if !SKIPPED_DIRS.contains(&path.as_str()) {
                        queue.push(path);
                    }
                } else if path.ends_with(".json") && !SKIPPED_FILES.contains(&path.as_str()) {
                    let text = std::fs::read_to_string(entry.path())?;
                    let value: Value =
                        serde_json::from_str(&text).with_context(|| format!("parsing {path}"))?;
                    if is_schema(&value) {
                        files.insert(path, value);
                    }
                }
            }
        }
        let manifest = match std::fs::read_to_string(dir.join("manifest.json")) {
            Ok(text) => serde_json::from_str(&text).context("parsing manifest.json")?,
            Err(_) => Value::Null,
        };
        let version = match manifest["adcp_version"].as_str() {
            Some(version) => version.to_owned(),
            None => dir.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        };
        Ok(Self { version, files, manifest })
    }

    /// The schema at `loc`.
    ///
    /// # Panics
    ///
    /// When `loc` was not obtained from this bundle.
    pub fn get(&self, loc: &Loc) -> &Value {
        self.files.get(&loc.file).and_then(|root| root.pointer(&loc.ptr)).unwrap_or(&Value::Null)
    }

    /// Where a `$ref` written in `from` leads.
    ///
    /// # Errors
    ///
    /// When nothing is there.
    pub fn resolve(&self, from: &str, reference: &str) -> Result<Loc> {
        let (path, ptr) = reference.split_once('#').unwrap_or((reference, ""));
        let file = if path.is_empty() {
            from.to_owned()
        } else if let Some(below) = after_version(path) {
            below
        } else {
            let mut parts: Vec<&str> = from.split('/').collect();
            parts.pop();
            for part in path.split('/') {
                match part {
                    "." => {}
                    ".." => _ = parts.pop(),
                    other => parts.push(other),
                }
            }
            parts.join("/")
        };
        let ptr = if ptr == "/" { String::new() } else { ptr.replace("%24", "$") };
        let loc = Loc { file, ptr };
        let Some(root) = self.files.get(&loc.file) else { bail!("{from}: `{reference}` leads to no file") };
        if root.pointer(&loc.ptr).is_none() {
            bail!("{from}: `{reference}` leads nowhere in {}", loc.file);
        }
        Ok(loc)
    }
}

/// The path below `/schemas/<version>/` of an absolute reference.
fn after_version(path: &str) -> Option<String> {
    let (_, below) =
        path.split_once("/schemas/").filter(|_| path.starts_with('/') || path.contains("://"))?;
    let (_, below) = below.split_once('/')?;
    Some(below.to_owned())
}

fn is_schema(value: &Value) -> bool {
    const MARKS: [&str; 12] = [
        "$ref",
        "additionalProperties",
        "allOf",
        "anyOf",
        "const",
        "definitions",
        "enum",
        "if",
        "items",
        "not",
        "oneOf",
        "properties",
    ];
    let Some(map) = value.as_object() else { return false };
    let typed = map.get("type").is_some_and(|kind| match kind {
        Value::String(_) => true,
        Value::Array(kinds) => kinds.iter().all(Value::is_string),
        _ => false,
    });
    typed || MARKS.iter().any(|mark| map.contains_key(*mark))
}
