//! One schema position with its references and `allOf` parts merged.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde_json::Value;

use super::bundle::{Bundle, Loc};

/// A property of a merged object.
#[derive(Debug, Clone)]
pub struct Prop {
    /// Where its most specific declaration stands.
    pub loc: Loc,
    rank: u8,
    /// Declared by one of the envelope schemas.
    pub envelope: bool,
}

/// What a schema position says, references and `allOf` merged, assertions left out.
#[derive(Debug, Clone, Default)]
pub struct Flat {
    /// JSON types allowed, when stated.
    pub types: Option<BTreeSet<String>>,
    /// Properties by wire name.
    pub props: BTreeMap<String, Prop>,
    /// Required keys in the order of the schema.
    pub required: Vec<String>,
    /// Keys required by one of the envelope schemas only.
    pub envelope_required: BTreeSet<String>,
    /// Keys that must not be there.
    pub forbidden: BTreeSet<String>,
    /// Places of `oneOf` and `anyOf` lists.
    pub unions: Vec<Loc>,
    /// The legal values of `enum` or `const`.
    pub values: Option<Vec<Value>>,
    /// Schema of the items of an array.
    pub items: Option<Loc>,
    /// Schema of further properties.
    pub additional: Option<Loc>,
    /// Further properties are refused by a validator.
    pub closed: bool,
    /// Schemas of properties by pattern.
    pub patterns: Vec<Loc>,
    /// The declared discriminator.
    pub discriminator: Option<String>,
    /// Format of a string.
    pub format: Option<String>,
    /// Merges the protocol envelope.
    pub enveloped: bool,
}

const ENVELOPES: [&str; 2] = ["core/protocol-envelope.json", "core/version-envelope.json"];

impl Flat {
    /// Merges the position at `loc`.
    ///
    /// # Errors
    ///
    /// When a reference leads nowhere.
    pub fn of(bundle: &Bundle, loc: &Loc) -> Result<Self> {
        let mut flat = Self::default();
        flat.add(bundle, loc, false, 0)?;
        Ok(flat)
    }

    /// Merges the position at `loc` into what is here already; later declarations win among equals.
    ///
    /// # Errors
    ///
    /// When a reference leads nowhere.
    pub fn merge(&mut self, bundle: &Bundle, loc: &Loc) -> Result<()> {
        self.add(bundle, loc, false, 0)
    }

    fn add(&mut self, bundle: &Bundle, loc: &Loc, envelope: bool, depth: u32) -> Result<()> {
        anyhow::ensure!(depth < 64, "{}: references in a circle", loc.key());
        let Some(schema) = bundle.get(loc).as_object() else { return Ok(()) };
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let target = bundle.resolve(&loc.file, reference)?;
            let from_envelope =
                envelope || (target.ptr.is_empty() && ENVELOPES.contains(&target.file.as_str()));
            self.enveloped |= target.file == ENVELOPES[0];
            self.add(bundle, &target, from_envelope, depth + 1)?;
        }
        if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
            for index in 0..parts.len() {
                self.add(bundle, &loc.at(&["allOf", &index.to_string()]), envelope, depth + 1)?;
            }
        }
        if let Some(kinds) = types(schema.get("type")) {
            self.types = Some(match self.types.take() {
                // `number` and `integer` meet in `integer`.
                Some(before) => {
                    let both: BTreeSet<String> = before.intersection(&kinds).cloned().collect();
                    if both.is_empty() { kinds } else { both }
                }
                None => kinds,
            });
        }
        if let Some(props) = schema.get("properties").and_then(Value::as_object) {
            for (name, prop) in props {
                if prop == &Value::Bool(false) {
                    self.forbidden.insert(name.clone());
                    continue;
                }
                let at = loc.at(&["properties", name]);
                let rank = rank(prop);
                match self.props.get(name) {
                    Some(before) if before.rank > rank && (envelope || !before.envelope) => {}
                    _ => _ = self.props.insert(name.clone(), Prop { loc: at, rank, envelope }),
                }
            }
        }
        if let Some(required) = schema.get("required").and_then(Value::as_array) {
            for key in required.iter().filter_map(Value::as_str) {
                if envelope {
                    self.envelope_required.insert(key.to_owned());
                } else if !self.required.iter().any(|known| known == key) {
                    self.required.push(key.to_owned());
                }
            }
        }
        if let Some(not) = schema.get("not") {
            forbidden(not, &mut self.forbidden);
        }
        for keyword in ["oneOf", "anyOf"] {
            if schema.get(keyword).and_then(Value::as_array).is_some_and(|arms| !arms.is_empty()) {
                self.unions.push(loc.at(&[keyword]));
            }
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            self.narrow(values.clone());
        }
        if let Some(value) = schema.get("const") {
            self.narrow(vec![value.clone()]);
        }
        if schema.get("items").is_some_and(Value::is_object) {
            self.items = Some(loc.at(&["items"]));
        }
        match schema.get("additionalProperties") {
            Some(Value::Bool(false)) => self.closed = true,
            Some(Value::Object(inner)) if !inner.is_empty() => {
                self.additional = Some(loc.at(&["additionalProperties"]))
            }
            _ => {}
        }
        if let Some(patterns) = schema.get("patternProperties").and_then(Value::as_object) {
            for pattern in patterns.keys() {
                self.patterns.push(loc.at(&["patternProperties", pattern]));
            }
        }
        if let Some(name) =
            schema.get("discriminator").and_then(|tag| tag.get("propertyName")).and_then(Value::as_str)
        {
            self.discriminator = Some(name.to_owned());
        }
        if let Some(format) = schema.get("format").and_then(Value::as_str) {
            self.format = Some(format.to_owned());
        }
        Ok(())
    }

    fn narrow(&mut self, values: Vec<Value>) {
        let kept: Option<Vec<Value>> = self
            .values
            .as_ref()
            .map(|before| before.iter().filter(|value| values.contains(value)).cloned().collect());
        self.values = Some(kept.filter(|kept| !kept.is_empty()).unwrap_or(values));
    }

    /// Whether `key` is required by the schema's own body.
    pub fn requires(&self, key: &str) -> bool {
        self.required.iter().any(|known| known == key)
    }

    /// Whether a value can only be an object.
    pub fn is_object(&self) -> bool {
        match &self.types {
            Some(types) => types.len() == 1 && types.contains("object"),
            None => !self.props.is_empty() || !self.required.is_empty(),
        }
    }
}

/// The JSON types of a `type` keyword.
pub fn types(value: Option<&Value>) -> Option<BTreeSet<String>> {
    match value? {
        Value::String(kind) => Some(BTreeSet::from([kind.clone()])),
        Value::Array(kinds) => Some(kinds.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
        _ => None,
    }
}

/// How much a declaration says: a constant, a reference or vocabulary, a type, or bounds only.
fn rank(schema: &Value) -> u8 {
    let has = |key: &str| schema.get(key).is_some();
    if has("const") {
        3
    } else if ["$ref", "enum", "allOf", "oneOf", "anyOf", "properties", "items"].into_iter().any(has) {
        2
    } else if has("type") {
        1
    } else {
        0
    }
}

/// Keys a `not` forbids: `{required: [x]}`, or several of them under `anyOf`.
fn forbidden(not: &Value, out: &mut BTreeSet<String>) {
    let Some(map) = not.as_object() else { return };
    if map.len() == 1 {
        if let Some([key]) = map.get("required").and_then(Value::as_array).map(Vec::as_slice) {
            out.extend(key.as_str().map(str::to_owned));
        }
        if let Some(arms) = map.get("anyOf").and_then(Value::as_array) {
            for arm in arms {
                forbidden(arm, out);
            }
        }
    }
}
