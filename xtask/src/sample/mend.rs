//! What the validator's complaints teach about the next try.

use adcp_schemas::{Violation, Violations};
use serde_json::Value;

use super::plan::Plan;
use super::{Spot, Texts, names};

/// Changes the plan so that the violations do not come again; false when there is nothing to learn.
pub(super) fn learn(texts: &Texts, plan: &mut Plan, violations: &Violations, instance: &Value) -> bool {
    violations.iter().filter(|violation| learn_one(texts, plan, violation, instance)).count() > 0
}

fn learn_one(texts: &Texts, plan: &mut Plan, violation: &Violation, instance: &Value) -> bool {
    let Some((file, pointer)) = violation.schema_path().split_once('#') else { return false };
    let keyword = Spot { file: file.into(), pointer: pointer.to_owned() };
    let value = texts.get(&keyword);
    let place = violation.pointer();
    let there = |name: &String| instance.pointer(place).is_some_and(|object| object.get(name).is_some());
    match violation.keyword() {
        "required" => {
            let missing = names(value.as_ref()).into_iter().filter(|name| !there(name));
            let missing: Vec<String> = missing.filter(|name| !plan.omits(place, name)).collect();
            add(plan, place, missing)
        }
        "dependencies" => {
            let needed = value.as_ref().and_then(Value::as_object).into_iter().flatten();
            let needed = needed.filter(|(name, _)| there(name)).flat_map(|(_, needs)| names(Some(needs)));
            add(plan, place, needed.collect())
        }
        "anyOf" | "oneOf" => {
            let arms = value.as_ref().and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            let choices: Vec<_> = arms.iter().map(|arm| names(arm.get("required"))).collect();
            if choices.iter().any(std::collections::BTreeSet::is_empty) {
                return false;
            }
            let present: Vec<String> = choices.iter().flatten().filter(|name| there(name)).cloned().collect();
            if present.is_empty() {
                add(plan, place, choices.into_iter().next().into_iter().flatten().collect())
            } else {
                omit(plan, place, present.into_iter().skip(1).collect())
            }
        }
        "not" => {
            let ruled_out = value.as_ref().map(ruled_out).unwrap_or_default();
            let present: Vec<String> = ruled_out.into_iter().filter(there).collect();
            omit(plan, place, present.into_iter().rev().take(1).collect())
        }
        "additionalProperties" | "false" | "propertyNames" => match place.rsplit_once('/') {
            Some((object, name)) => omit(plan, object, vec![name.replace("~1", "/").replace("~0", "~")]),
            None => false,
        },
        _ => false,
    }
}

/// Names that a negated schema requires, in any of its arms.
fn ruled_out(schema: &Value) -> Vec<String> {
    let mut all: Vec<String> = names(schema.get("required")).into_iter().collect();
    for keyword in ["anyOf", "allOf", "oneOf"] {
        let arms = schema.get(keyword).and_then(Value::as_array).into_iter().flatten();
        all.extend(arms.flat_map(ruled_out));
    }
    all
}

fn add(plan: &mut Plan, place: &str, fields: Vec<String>) -> bool {
    let known = plan.added.entry(place.to_owned()).or_default();
    let before = known.len();
    known.extend(fields);
    known.len() > before
}

fn omit(plan: &mut Plan, place: &str, fields: Vec<String>) -> bool {
    let known = plan.omitted.entry(place.to_owned()).or_default();
    let before = known.len();
    known.extend(fields);
    known.len() > before
}

/// Finds what is wrong with an instance, if anything is.
type Judge<'a> = &'a dyn Fn(&Value) -> Option<Violations>;

/// Takes out what is complained about, from the inside out, until nothing is left to complain.
pub(super) fn prune(judge: Judge<'_>, mut instance: Value, plan: &Plan) -> Option<Value> {
    if plan.full == 0 {
        return None;
    }
    for _round in 0..60 {
        let Some(violations) = judge(&instance) else { return Some(instance) };
        let violation = violations.iter().next()?;
        instance = without(judge, &instance, violation)?;
    }
    None
}

/// The instance without the smallest part around the violation whose loss helps.
fn without(judge: Judge<'_>, instance: &Value, violation: &Violation) -> Option<Value> {
    let before = count(judge, instance);
    let mut pointer = violation.pointer();
    while !pointer.is_empty() {
        let mut fewer = instance.clone();
        let (parent, token) = pointer.rsplit_once('/')?;
        let name = token.replace("~1", "/").replace("~0", "~");
        match fewer.pointer_mut(parent) {
            Some(Value::Object(object)) => drop(object.remove(&name)),
            Some(Value::Array(items)) => {
                let index = name.parse::<usize>().ok()?;
                if index < items.len() {
                    items.remove(index);
                }
            }
            _ => return None,
        }
        if count(judge, &fewer) < before {
            return Some(fewer);
        }
        pointer = parent;
    }
    None
}

fn count(judge: Judge<'_>, instance: &Value) -> usize {
    judge(instance).map_or(0, |violations| violations.iter().len() + usize::from(violations.truncated()))
}
