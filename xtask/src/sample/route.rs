//! Choices inside a schema, and how to get to each of them from its root.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use serde_json::Value;

use super::{Spot, Texts};

/// A choice that deserves a sample of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// An arm of a union.
    Arm { union: String, index: usize },
    /// A value of an enumeration.
    Value { choice: String, index: usize },
    /// A type, where several are allowed.
    Kind { place: String, name: String },
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arm { union, index } => write!(f, "{union}/{index}"),
            Self::Value { choice, index } => write!(f, "{choice}/enum/{index}"),
            Self::Kind { place, name } => write!(f, "{place}/type/{name}"),
        }
    }
}

/// A target and the places on the way to it.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) target: Target,
    pub(super) route: BTreeSet<String>,
    /// Whether it is a choice of the root instance, not of something inside it.
    pub(super) at_root: bool,
}

/// A schema that another one leads to.
struct Step {
    spot: Spot,
    /// The arm this is, of which union.
    arm: Option<(String, usize)>,
    /// Whether it is about the same instance.
    same: bool,
}

/// The targets of a schema. Other files are left to their own samples, except what they say of the root instance.
pub(super) fn targets(texts: &Texts, root: &Spot) -> Vec<Way> {
    let mut parents: BTreeMap<String, Option<String>> = BTreeMap::from([(root.to_string(), None)]);
    let mut queue = VecDeque::from([(root.clone(), true)]);
    let mut targets = Vec::new();
    while let Some((spot, at_root)) = queue.pop_front() {
        let Some(schema) = texts.get(&spot) else { continue };
        let place = spot.to_string();
        let route = way(&parents, &place);
        if spot.file == root.file {
            let found = choices(&schema, &place).into_iter();
            targets.extend(found.map(|target| Way { target, route: route.clone(), at_root }));
        }
        for Step { spot: next, arm, same } in steps(&spot, &schema) {
            let at_root = at_root && same;
            if (next.file != root.file && !at_root) || parents.contains_key(&next.to_string()) {
                continue;
            }
            parents.insert(next.to_string(), Some(place.clone()));
            if let Some((union, index)) = arm {
                let mut route = route.clone();
                route.insert(next.to_string());
                targets.push(Way { target: Target::Arm { union, index }, route, at_root });
            }
            queue.push_back((next, at_root));
        }
    }
    targets
}

/// Values and types to choose from.
fn choices(schema: &Value, place: &str) -> Vec<Target> {
    let size = |keyword| schema.get(keyword).and_then(Value::as_array).map_or(0, Vec::len);
    let values = (0..size("enum")).map(|index| Target::Value { choice: place.to_owned(), index });
    let names = schema.get("type").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let kinds = names.map(|name| Target::Kind { place: place.to_owned(), name: name.to_owned() });
    values.chain(kinds).collect()
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

/// The schemas a schema leads to, in the order of the text.
fn steps(spot: &Spot, schema: &Value) -> Vec<Step> {
    let Value::Object(schema) = schema else { return Vec::new() };
    let same = |spot| Step { spot, arm: None, same: true };
    let inside = |spot| Step { spot, arm: None, same: false };
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        return vec![same(spot.follow(reference))];
    }
    let mut steps = Vec::new();
    for (keyword, value) in schema {
        let inner = spot.down(keyword);
        match (keyword.as_str(), value) {
            ("properties" | "patternProperties", Value::Object(fields)) => {
                steps.extend(fields.keys().map(|name| inside(inner.down(name))));
            }
            ("items" | "additionalProperties", Value::Object(_)) => steps.push(inside(inner)),
            ("allOf", Value::Array(parts)) => {
                steps.extend((0..parts.len()).map(|index| same(inner.down(&index.to_string()))));
            }
            ("oneOf" | "anyOf", Value::Array(arms)) => {
                steps.extend((0..arms.len()).map(|index| Step {
                    spot: inner.down(&index.to_string()),
                    arm: Some((inner.to_string(), index)),
                    same: true,
                }));
            }
            _ => {}
        }
    }
    steps
}
