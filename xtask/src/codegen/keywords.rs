//! The keywords the generator knows: a new one upstream stops it instead of vanishing.

use serde_json::Value;

use super::bundle::{Bundle, Loc};

/// Shape the types.
const SHAPE: [&str; 17] = [
    "$ref",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "definitions",
    "$defs",
    "discriminator",
    "enum",
    "format",
    "items",
    "not",
    "oneOf",
    "patternProperties",
    "properties",
    "required",
    "type",
];

/// Said in documentation, or left to the validator.
const FACTS: [&str; 27] = [
    "contains",
    "default",
    "dependencies",
    "deprecated",
    "else",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "if",
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
    "propertyNames",
    "readOnly",
    "then",
    "uniqueItems",
    "writeOnly",
    "$schema",
    "$id",
    "dependentRequired",
    "contentMediaType",
];

/// Prose and tables for people; gone from imported trees, still there in raw ones.
const PROSE: [&str; 26] = [
    "$comment",
    "description",
    "enumDescriptions",
    "enumMetadata",
    "errorMessage",
    "example",
    "examples",
    "notes",
    "title",
    "architecture",
    "asset_types",
    "adcp_version",
    "baseUrl",
    "governance",
    "lastUpdated",
    "last_updated",
    "mappings",
    "published_version",
    "usage_notes",
    "version",
    "versioning",
    "vocabulary",
    "status",
    "changelog",
    "deprecationMessage",
    "markdownDescription",
];

/// Every keyword that is none of these, with its places.
pub fn unknown(bundle: &Bundle) -> Vec<String> {
    let mut out = Vec::new();
    for (file, schema) in &bundle.files {
        walk(schema, &Loc::root(file), &mut out);
    }
    out
}

fn walk(schema: &Value, at: &Loc, out: &mut Vec<String>) {
    let Some(map) = schema.as_object() else { return };
    for (key, value) in map {
        let known = [&SHAPE[..], &FACTS, &PROSE].iter().any(|list| list.contains(&key.as_str()))
            || key.starts_with("x-");
        if !known {
            out.push(format!(
                "{}: unknown keyword `{key}`; say in xtask/src/codegen/keywords.rs whether it shapes types",
                at.key()
            ));
        }
        let here = at.at(&[key]);
        match key.as_str() {
            "properties" | "definitions" | "$defs" | "patternProperties" | "dependencies" => {
                for (name, inner) in value.as_object().into_iter().flatten() {
                    walk(inner, &here.at(&[name]), out);
                }
            }
            "allOf" | "anyOf" | "oneOf" => {
                for (index, inner) in value.as_array().into_iter().flatten().enumerate() {
                    walk(inner, &here.at(&[&index.to_string()]), out);
                }
            }
            "additionalProperties"
            | "items"
            | "not"
            | "if"
            | "then"
            | "else"
            | "contains"
            | "propertyNames" => walk(value, &here, out),
            _ => {}
        }
    }
}
