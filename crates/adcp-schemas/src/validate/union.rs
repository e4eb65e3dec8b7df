//! Why no arm of a union fits, told through the arm that comes closest.

use std::cmp::Reverse;

use serde_json::Value;

use super::explain::{At, Found, Walk};
use super::violation::Violation;
use super::words;

/// At most this many violations are gathered per arm to compare arms by.
const PER_ARM: usize = 8;

/// Explains a union that the instance does not satisfy; says nothing when it does.
pub(super) fn explain(
    walk: &mut Walk<'_>,
    (keyword, arms): (&str, &[Value]),
    at: &At,
    instance: &Value,
    place: &str,
    found: &mut Found,
) {
    if found.enough() {
        return;
    }
    let inner = at.down(keyword);
    let mut failed: Vec<Vec<Violation>> = Vec::new();
    let mut fitting = 0_usize;
    for (index, arm) in arms.iter().enumerate() {
        let mut arm_found = Found::new(PER_ARM.min(found.room().max(1)));
        walk.schema(arm, &inner.down(&index.to_string()), instance, place, &mut arm_found);
        if !arm_found.list.is_empty() {
            failed.push(arm_found.list);
        } else if keyword == "anyOf" {
            return;
        } else {
            fitting += 1;
        }
    }
    match fitting {
        0 => none_fits(arms, failed, at, keyword, place, found),
        1 => {}
        _ => {
            let expected = match field_choices(arms) {
                Some(choices) => format!("only one of {choices}"),
                None => "exactly one of the allowed forms; this fits several".to_owned(),
            };
            found.push(at, keyword, place, expected);
        }
    }
}

fn none_fits(
    arms: &[Value],
    failed: Vec<Vec<Violation>>,
    at: &At,
    keyword: &str,
    place: &str,
    found: &mut Found,
) {
    if let Some(choices) = field_choices(arms) {
        return found.push(at, keyword, place, format!("one of the fields {choices}"));
    }
    if let Some(violation) = discriminator(&failed) {
        found.list.push(violation);
        return;
    }
    if let Some(expected) = kinds(&failed, place) {
        return found.push(at, keyword, place, expected);
    }
    let best = failed.into_iter().min_by_key(|arm| distance(arm, place));
    let room = found.room();
    found.list.extend(best.into_iter().flatten().take(room));
}

/// The field names, when every arm does nothing but require some.
fn field_choices(arms: &[Value]) -> Option<String> {
    let names: Option<Vec<String>> = arms
        .iter()
        .map(|arm| arm.as_object().and_then(words::only_required).map(|names| words::together(&names, "and")))
        .collect();
    names.map(|names| names.join(", "))
}

/// One violation for a field whose value no arm has: the choices of all arms together.
fn discriminator(failed: &[Vec<Violation>]) -> Option<Violation> {
    let choice = |violation: &&Violation| matches!(violation.keyword(), "const" | "enum");
    let first = failed.first()?.iter().find(choice)?;
    let mut choices: Vec<&str> = Vec::new();
    for arm in failed {
        let own = arm.iter().filter(choice).find(|violation| violation.pointer == first.pointer)?;
        let expected = own.expected.strip_prefix("one of ").unwrap_or(&own.expected);
        if !choices.contains(&expected) {
            choices.push(expected);
        }
    }
    let expected = match choices.as_slice() {
        [one] => (*one).to_owned(),
        several => format!("one of {}", several.join(", ")),
    };
    Some(Violation { expected, ..first.clone() })
}

/// The kinds of value, when every arm wants one that this is not: `a string or an array`.
fn kinds(failed: &[Vec<Violation>], place: &str) -> Option<String> {
    let mut kinds: Vec<&str> = Vec::new();
    for arm in failed {
        let own = arm.iter().find(|violation| violation.pointer == place)?;
        if !matches!(own.keyword(), "type" | "const" | "enum" | "format" | "pattern") {
            return None;
        }
        if !kinds.contains(&own.expected.as_str()) {
            kinds.push(&own.expected);
        }
    }
    Some(kinds.join(" or "))
}

/// How far an arm is from fitting: its own type and constants count most, then what it lacks.
fn distance(arm: &[Violation], place: &str) -> (usize, usize, usize, Reverse<usize>) {
    let wrong_kind = arm.iter().filter(|v| v.keyword() == "type" && v.pointer == place).count();
    let constants = arm.iter().filter(|v| v.keyword() == "const" && depth(v) <= depth_of(place) + 1).count();
    let deepest = arm.iter().map(depth).max().unwrap_or_default();
    (wrong_kind, constants, arm.len(), Reverse(deepest))
}

fn depth(violation: &Violation) -> usize {
    depth_of(&violation.pointer)
}

fn depth_of(pointer: &str) -> usize {
    pointer.matches('/').count()
}
