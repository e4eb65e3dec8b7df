//! A schema and all it refers to as one document, ready to compile.
//!
//! The engine keeps an address per keyword when schemas come from addresses of their own; in one document
//! it does not, and a compiled schema takes a third of the memory.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::SchemaError;
use crate::bundle::Files;
use crate::reference::resolve;

/// Keywords that assert nothing.
const IDLE: &[&str] = &["$schema", "default", "deprecated", "discriminator", "readOnly", "writeOnly"];

/// Keywords whose value maps names to schemas.
const NAMES: &[&str] = &["$defs", "definitions", "dependencies", "patternProperties", "properties"];

/// Keywords whose value is data.
const DATA: &[&str] = &["const", "enum", "required"];

/// The document for the schema at `path`: a file, or `file#pointer`.
pub(super) fn assemble(files: &Files, path: &str) -> Result<Value, SchemaError> {
    let mut document = Document { files, numbers: BTreeMap::new(), definitions: Map::new() };
    let root = document.reference("", &encoded(path))?;
    Ok(json!({ "$ref": root, "definitions": document.definitions }))
}

/// A path as a reference: what may not stand in a fragment is percent-encoded.
fn encoded(path: &str) -> String {
    let mut reference = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/#-_.~$!&'()*+,;=:@?".contains(&byte) {
            reference.push(char::from(byte));
        } else {
            reference.push_str(&format!("%{byte:02X}"));
        }
    }
    reference
}

struct Document<'a> {
    files: &'a Files,
    /// The definition each file has become.
    numbers: BTreeMap<String, usize>,
    definitions: Map<String, Value>,
}

impl Document<'_> {
    /// A reference as one into the document; what it leads to is taken in.
    fn reference(&mut self, from: &str, reference: &str) -> Result<String, SchemaError> {
        let (file, pointer) = resolve(from, reference);
        let number = match self.numbers.get(&file) {
            Some(number) => *number,
            None => {
                let number = self.numbers.len();
                self.numbers.insert(file.clone(), number);
                let mut schema = self.files.parse(&file)?;
                self.schema(&file, &mut schema)?;
                self.definitions.insert(number.to_string(), schema);
                number
            }
        };
        Ok(format!("#/definitions/{number}{pointer}"))
    }

    fn schema(&mut self, path: &str, schema: &mut Value) -> Result<(), SchemaError> {
        let Value::Object(schema) = schema else { return Ok(()) };
        schema.retain(|keyword, _| !keyword.starts_with("x-") && !IDLE.contains(&keyword.as_str()));
        for (keyword, value) in schema {
            let key = keyword.as_str();
            match value {
                Value::String(reference) if key == "$ref" => *reference = self.reference(path, reference)?,
                _ if DATA.contains(&key) => {}
                Value::Object(map) if NAMES.contains(&key) => {
                    map.values_mut().try_for_each(|schema| self.schema(path, schema))?;
                }
                Value::Array(list) => list.iter_mut().try_for_each(|schema| self.schema(path, schema))?,
                one => self.schema(path, one)?,
            }
        }
        Ok(())
    }
}
