//! Says why an instance is not valid: walks schema and instance, and stops when it has said enough.
//!
//! The engine decides what is valid. This walk only runs on instances the engine refused, so it is written
//! for good words and bounded work, not for speed.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::leaf::Leaves;
use super::violation::{MAX_VIOLATIONS, Violation, Violations};
use super::{union, words};
use crate::bundle::Files;
use crate::reference::{push_token, resolve};

/// Explains an instance that the schema at `path` refuses. Never says nothing.
pub(super) fn explain(files: &Files, path: &str, instance: &Value) -> Violations {
    let mut violations = violations(files, path, instance);
    if violations.list.is_empty() {
        violations.list.push(Violation {
            pointer: String::new(),
            keyword: Cow::Borrowed("$ref"),
            expected: "a document the schema allows".to_owned(),
            schema_path: path.to_owned(),
            missing: None,
        });
    }
    violations
}

/// What is wrong with an instance; nothing when it is valid.
pub(super) fn violations(files: &Files, path: &str, instance: &Value) -> Violations {
    let (file, pointer) = path.split_once('#').unwrap_or((path, ""));
    let mut walk = Walk { files, documents: HashMap::new(), leaves: files.leaves() };
    let mut found = Found::new(MAX_VIOLATIONS + 1);
    let schema = At { file: Arc::from(file), pointer: pointer.to_owned() };
    walk.at(&schema, instance, "", &mut found);
    let mut list = found.list;
    let truncated = list.len() > MAX_VIOLATIONS;
    list.truncate(MAX_VIOLATIONS);
    Violations { list, truncated }
}

/// A place in the bundle.
#[derive(Clone)]
pub(super) struct At {
    file: Arc<str>,
    pointer: String,
}

impl At {
    pub(super) fn down(&self, token: &str) -> Self {
        let mut pointer = self.pointer.clone();
        push_token(&mut pointer, token);
        Self { file: Arc::clone(&self.file), pointer }
    }
}

/// Violations found so far, up to a limit.
pub(super) struct Found {
    pub(super) list: Vec<Violation>,
    limit: usize,
}

impl Found {
    pub(super) fn new(limit: usize) -> Self {
        Self { list: Vec::new(), limit }
    }

    pub(super) fn enough(&self) -> bool {
        self.list.len() >= self.limit
    }

    pub(super) fn room(&self) -> usize {
        self.limit.saturating_sub(self.list.len())
    }

    pub(super) fn push(&mut self, at: &At, keyword: &str, place: &str, expected: String) {
        let schema = at.down(keyword);
        self.list.push(Violation {
            pointer: place.to_owned(),
            keyword: Cow::Owned(keyword.to_owned()),
            expected,
            schema_path: format!("{}#{}", schema.file, schema.pointer),
            missing: None,
        });
    }

    /// A required field that is not there.
    fn missing(&mut self, at: &At, place: &str, name: &str) {
        self.push(at, "required", place, format!("the field `{name}`"));
        if let Some(violation) = self.list.last_mut() {
            violation.missing = Some(name.to_owned());
        }
    }
}

pub(super) struct Walk<'a> {
    files: &'a Files,
    documents: HashMap<Arc<str>, Option<Arc<Value>>>,
    leaves: &'a Leaves,
}

impl Walk<'_> {
    /// Checks an instance against the schema at a place.
    fn at(&mut self, at: &At, instance: &Value, place: &str, found: &mut Found) {
        let files = self.files;
        let document =
            self.documents.entry(Arc::clone(&at.file)).or_insert_with(|| files.parsed(&at.file).ok()).clone();
        if let Some(schema) = document.as_deref().and_then(|document| document.pointer(&at.pointer)) {
            self.schema(schema, at, instance, place, found);
        }
    }

    /// Checks an instance against a schema.
    pub(super) fn schema(
        &mut self,
        schema: &Value,
        at: &At,
        instance: &Value,
        place: &str,
        found: &mut Found,
    ) {
        if found.enough() {
            return;
        }
        let schema = match schema {
            Value::Object(schema) => schema,
            Value::Bool(false) => return found.push(at, "false", place, "nothing here".to_owned()),
            _ => return,
        };
        // Draft-07 ignores whatever stands beside a reference.
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let (file, pointer) = resolve(&at.file, reference);
            let target = At { file: Arc::from(file), pointer: pointer.to_owned() };
            return self.at(&target, instance, place, found);
        }
        if !self.type_and_values(schema, at, instance, place, found) {
            return;
        }
        match instance {
            Value::Object(object) => self.object(schema, at, object, place, found),
            Value::Array(items) => self.array(schema, at, items, place, found),
            Value::String(text) => self.string(schema, at, text, place, found),
            Value::Number(_) => number(schema, at, instance, place, found),
            Value::Null | Value::Bool(_) => {}
        }
        self.combined(schema, at, instance, place, found);
    }

    /// Whether an instance is valid, without saying why not.
    pub(super) fn fits(&mut self, schema: &Value, at: &At, instance: &Value) -> bool {
        let mut found = Found::new(1);
        self.schema(schema, at, instance, "", &mut found);
        found.list.is_empty()
    }

    /// `type`, `const` and `enum`; false when the rest would only repeat the complaint.
    fn type_and_values(
        &mut self,
        schema: &Map<String, Value>,
        at: &At,
        instance: &Value,
        place: &str,
        found: &mut Found,
    ) -> bool {
        if let Some(types) = schema.get("type") {
            let fits = match types {
                Value::Array(list) => list.iter().any(|one| has_type(one, instance)),
                one => has_type(one, instance),
            };
            if !fits {
                found.push(at, "type", place, words::types(types));
                return false;
            }
        }
        if let Some(constant) = schema.get("const")
            && !same(constant, instance)
        {
            found.push(at, "const", place, words::constant(constant));
            return false;
        }
        if let Some(Value::Array(values)) = schema.get("enum")
            && !values.iter().any(|value| same(value, instance))
        {
            found.push(at, "enum", place, words::choices(values));
            return false;
        }
        true
    }

    fn object(
        &mut self,
        schema: &Map<String, Value>,
        at: &At,
        object: &Map<String, Value>,
        place: &str,
        found: &mut Found,
    ) {
        for name in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
            if let Some(name) = name.as_str().filter(|name| !object.contains_key(*name)) {
                found.missing(at, place, name);
            }
        }
        count(schema, at, ["minProperties", "maxProperties"], object.len(), place, found);
        self.dependencies(schema, at, object, place, found);
        for (name, value) in object {
            if found.enough() {
                return;
            }
            self.property(schema, at, (name, value), place, found);
        }
    }

    /// Everything an object schema says about one field.
    fn property(
        &mut self,
        schema: &Map<String, Value>,
        at: &At,
        (name, value): (&str, &Value),
        place: &str,
        found: &mut Found,
    ) {
        let mut inner = place.to_owned();
        push_token(&mut inner, name);
        let mut known = false;
        if let Some(own) = schema.get("properties").and_then(|properties| properties.get(name)) {
            known = true;
            self.schema(own, &at.down("properties").down(name), value, &inner, found);
        }
        for (pattern, own) in schema.get("patternProperties").and_then(Value::as_object).into_iter().flatten()
        {
            if self.leaves.matches_pattern(pattern, name) {
                known = true;
                self.schema(own, &at.down("patternProperties").down(pattern), value, &inner, found);
            }
        }
        match schema.get("additionalProperties") {
            Some(Value::Bool(false)) if !known => {
                found.push(at, "additionalProperties", &inner, "no such field".to_owned());
            }
            Some(own) if !known => self.schema(own, &at.down("additionalProperties"), value, &inner, found),
            _ => {}
        }
        if let Some(names) = schema.get("propertyNames")
            && !self.fits(names, &at.down("propertyNames"), &Value::String(name.to_owned()))
        {
            found.push(at, "propertyNames", &inner, "a field name of the allowed form".to_owned());
        }
    }

    fn dependencies(
        &mut self,
        schema: &Map<String, Value>,
        at: &At,
        object: &Map<String, Value>,
        place: &str,
        found: &mut Found,
    ) {
        for (name, needs) in schema.get("dependencies").and_then(Value::as_object).into_iter().flatten() {
            if !object.contains_key(name) {
                continue;
            }
            if let Value::Array(needs) = needs {
                for needed in needs.iter().filter_map(Value::as_str).filter(|n| !object.contains_key(*n)) {
                    found.push(at, "dependencies", place, format!("the field `{needed}` beside `{name}`"));
                }
            } else {
                let whole = Value::Object(object.clone());
                self.schema(needs, &at.down("dependencies").down(name), &whole, place, found);
            }
        }
    }

    fn array(
        &mut self,
        schema: &Map<String, Value>,
        at: &At,
        items: &[Value],
        place: &str,
        found: &mut Found,
    ) {
        count(schema, at, ["minItems", "maxItems"], items.len(), place, found);
        if schema.get("uniqueItems") == Some(&Value::Bool(true)) && has_twins(items) {
            found.push(at, "uniqueItems", place, "items that all differ".to_owned());
        }
        if let Some(wanted) = schema.get("contains") {
            let inner = at.down("contains");
            if !items.iter().any(|item| self.fits(wanted, &inner, item)) {
                found.push(at, "contains", place, "at least one item of the required form".to_owned());
            }
        }
        for (index, item) in items.iter().enumerate() {
            if found.enough() {
                return;
            }
            let (own, inner) = match schema.get("items") {
                Some(Value::Array(own)) if index < own.len() => {
                    (own.get(index), at.down("items").down(&index.to_string()))
                }
                Some(Value::Array(_)) => (schema.get("additionalItems"), at.down("additionalItems")),
                own => (own, at.down("items")),
            };
            if let Some(own) = own {
                self.schema(own, &inner, item, &format!("{place}/{index}"), found);
            }
        }
    }

    fn string(&mut self, schema: &Map<String, Value>, at: &At, text: &str, place: &str, found: &mut Found) {
        if schema.contains_key("minLength") || schema.contains_key("maxLength") {
            count(schema, at, ["minLength", "maxLength"], text.chars().count(), place, found);
        }
        if let Some(pattern) = schema.get("pattern").and_then(Value::as_str)
            && !self.leaves.matches_pattern(pattern, text)
        {
            found.push(at, "pattern", place, words::pattern(pattern));
        }
        if let Some(format) = schema.get("format").and_then(Value::as_str)
            && !self.leaves.has_format(format, text)
        {
            found.push(at, "format", place, words::format(format));
        }
    }

    /// `allOf`, unions, `not` and conditions.
    fn combined(
        &mut self,
        schema: &Map<String, Value>,
        at: &At,
        instance: &Value,
        place: &str,
        found: &mut Found,
    ) {
        if let Some(Value::Array(parts)) = schema.get("allOf") {
            let inner = at.down("allOf");
            for (index, part) in parts.iter().enumerate() {
                self.schema(part, &inner.down(&index.to_string()), instance, place, found);
            }
        }
        for keyword in ["anyOf", "oneOf"] {
            if let Some(Value::Array(arms)) = schema.get(keyword) {
                union::explain(self, (keyword, arms), at, instance, place, found);
            }
        }
        if let Some(ruled_out) = schema.get("not")
            && self.fits(ruled_out, &at.down("not"), instance)
        {
            found.push(at, "not", place, words::not(ruled_out));
        }
        if let Some(condition) = schema.get("if") {
            let branch = if self.fits(condition, &at.down("if"), instance) { "then" } else { "else" };
            if let Some(consequence) = schema.get(branch) {
                self.schema(consequence, &at.down(branch), instance, place, found);
            }
        }
    }
}

/// The bounds of a number.
fn number(schema: &Map<String, Value>, at: &At, instance: &Value, place: &str, found: &mut Found) {
    let Some(value) = instance.as_f64() else { return };
    for keyword in ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"] {
        let Some(limit) = schema.get(keyword) else { continue };
        let fits = limit.as_f64().is_none_or(|bound| match keyword {
            "minimum" => value >= bound,
            "maximum" => value <= bound,
            "exclusiveMinimum" => value > bound,
            "exclusiveMaximum" => value < bound,
            _ => ((value / bound) - (value / bound).round()).abs() < 1e-9,
        });
        if !fits {
            found.push(at, keyword, place, words::bound(keyword, limit));
        }
    }
}

/// A pair of bounds on a count.
fn count(
    schema: &Map<String, Value>,
    at: &At,
    [least, most]: [&str; 2],
    size: usize,
    place: &str,
    found: &mut Found,
) {
    let size = u64::try_from(size).unwrap_or(u64::MAX);
    if let Some(limit) = schema.get(least).filter(|limit| limit.as_u64().is_some_and(|limit| size < limit)) {
        found.push(at, least, place, words::bound(least, limit));
    }
    if let Some(limit) = schema.get(most).filter(|limit| limit.as_u64().is_some_and(|limit| size > limit)) {
        found.push(at, most, place, words::bound(most, limit));
    }
}

/// Whether an instance has a type of the schema language.
fn has_type(name: &Value, instance: &Value) -> bool {
    match name.as_str().unwrap_or_default() {
        "array" => instance.is_array(),
        "boolean" => instance.is_boolean(),
        "integer" => {
            instance.is_i64()
                || instance.is_u64()
                || instance.as_f64().is_some_and(|value| value.fract() == 0.0)
        }
        "null" => instance.is_null(),
        "number" => instance.is_number(),
        "object" => instance.is_object(),
        "string" => instance.is_string(),
        _ => false,
    }
}

/// Equality of JSON values, where `1` and `1.0` are the same number.
pub(super) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || (a.as_f64() == b.as_f64() && (a.is_f64() || b.is_f64()))
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => left == right,
    }
}

/// Whether two items are the same. Compares texts, so that long lists stay cheap.
fn has_twins(items: &[Value]) -> bool {
    let mut texts: Vec<String> = items.iter().map(Value::to_string).collect();
    texts.sort_unstable();
    texts.windows(2).any(|pair| pair.first() == pair.last())
}
