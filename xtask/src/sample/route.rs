//! Choices inside a schema file, and how to get to each of them from its root.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::Value;

use super::{Spot, Texts};

/// A choice that deserves a sample of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// An arm of a union, by the place of the arm.
    Arm { union: String, index: usize },
    /// A value of an enumeration.
    Value { choice: String, index: usize },
}

/// The targets of a file, each with the places on the way to it.
pub(super) fn targets(texts: &Texts, file: &str) -> Vec<(Target, BTreeSet<String>)> {
    let root = Spot::root(file);
    let mut parents: BTreeMap<String, Option<String>> = BTreeMap::from([(root.to_string(), None)]);
    let mut queue = VecDeque::from([root]);
    let mut targets = Vec::new();
    while let Some(spot) = queue.pop_front() {
        let Some(schema) = texts.get(&spot) else { continue };
        let place = spot.to_string();
        let way = way(&parents, &place);
        let values = schema.get("enum").and_then(Value::as_array).map_or(0, Vec::len);
        for index in 0..values {
            targets.push((Target::Value { choice: place.clone(), index }, way.clone()));
        }
        for (next, arm) in steps(&spot, &schema) {
            if next.file.as_ref() != file || parents.contains_key(&next.to_string()) {
                continue;
            }
            parents.insert(next.to_string(), Some(place.clone()));
            if let Some((union, index)) = arm {
                let mut way = way.clone();
                way.insert(next.to_string());
                targets.push((Target::Arm { union, index }, way));
            }
            queue.push_back(next);
        }
    }
    targets
}

/// The places from the root to this one.
fn way(parents: &BTreeMap<String, Option<String>>, place: &str) -> BTreeSet<String> {
    let mut way = BTreeSet::new();
    let mut next = Some(place.to_owned());
    while let Some(place) = next {
        next = parents.get(&place).cloned().flatten();
        way.insert(place);
    }
    way
}

/// The schemas a schema leads to, in the order of the text; arms with their union.
fn steps(spot: &Spot, schema: &Value) -> Vec<(Spot, Option<(String, usize)>)> {
    let Value::Object(schema) = schema else { return Vec::new() };
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        return vec![(spot.follow(reference), None)];
    }
    let mut steps = Vec::new();
    for (keyword, value) in schema {
        let inner = spot.down(keyword);
        match (keyword.as_str(), value) {
            ("properties" | "patternProperties", Value::Object(fields)) => {
                steps.extend(fields.keys().map(|name| (inner.down(name), None)));
            }
            ("items" | "additionalProperties", Value::Object(_)) => steps.push((inner, None)),
            ("allOf", Value::Array(parts)) => {
                steps.extend((0..parts.len()).map(|index| (inner.down(&index.to_string()), None)));
            }
            ("oneOf" | "anyOf", Value::Array(arms)) => {
                let union = inner.to_string();
                steps.extend(
                    (0..arms.len())
                        .map(|index| (inner.down(&index.to_string()), Some((union.clone(), index)))),
                );
            }
            _ => {}
        }
    }
    steps
}
