//! Documentation made of facts: what a schema says in keywords, in our own words.

use serde_json::Value;

use super::bundle::{Bundle, Loc};
use super::emit::spec;
use super::model::{Arm, Choice, Field, Kind, Test, TypeDef};
use super::overlay::Overlay;

/// Lines for a type.
pub fn of_type(bundle: &Bundle, overlay: &Overlay, def: &TypeDef) -> Vec<String> {
    let schema = bundle.get(&def.at);
    let kind = match &def.kind {
        Kind::Struct(_) => "An object.".to_owned(),
        Kind::Enum(inner) => format!("An open vocabulary of {} known values.", inner.values.len()),
        Kind::Union(inner) => format!("One of {} shapes.", inner.arms.len()),
        _ => "Another name for a JSON type.".to_owned(),
    };
    let mut out = match overlay.of_type(&def.loc) {
        Some(sentence) if matches!(def.kind, Kind::Struct(_)) => vec![sentence.to_owned()],
        Some(sentence) => vec![sentence.to_owned(), String::new(), kind],
        None => vec![kind],
    };
    if let Kind::Struct(inner) = &def.kind {
        if inner.closed {
            out.extend([String::new(), "Closed: a validator refuses unknown fields.".to_owned()]);
        }
        let consts: Vec<String> =
            inner.consts.iter().map(|(key, value)| format!("`{key}` is always `{value}`")).collect();
        if !consts.is_empty() {
            out.extend([String::new(), format!("On the wire {}.", consts.join(", "))]);
        }
    }
    let facts = keywords(schema);
    if !facts.is_empty() {
        out.extend([String::new(), facts.join(" ")]);
    }
    out.extend([String::new(), format!("Spec: {}.", spec(&def.at))]);
    out
}

/// Lines for a field.
pub fn of_field(bundle: &Bundle, overlay: &Overlay, def: &TypeDef, field: &Field) -> Vec<String> {
    let schema = bundle.get(&field.loc);
    let mut facts = vec![if field.required { "Required.".to_owned() } else { "Optional.".to_owned() }];
    if field.ident != field.wire {
        facts.push(format!("On the wire `{}`.", field.wire));
    }
    facts.extend(keywords(schema));
    match overlay.of_field(&def.loc, &field.wire) {
        Some(sentence) => vec![sentence.to_owned(), String::new(), facts.join(" ")],
        None => vec![facts.join(" ")],
    }
}

/// A line for an arm.
pub fn of_arm(arm: &Arm, choice: &Choice) -> String {
    let one = |test: &Test| match test {
        Test::Is(kind) => format!("JSON type {}", kind.to_lowercase()),
        Test::Has(key) | Test::HasKind(key, _) => format!("has `{key}`"),
        Test::Not(key) => format!("no `{key}`"),
        Test::Text(key, values) => format!("`{key}` is `{}`", values.join("` or `")),
        Test::Flag(key, flag) => format!("`{key}` is `{flag}`"),
        Test::Whole(key, whole) => format!("`{key}` is `{whole}`"),
        Test::Items(kind) => format!("items of JSON type {}", kind.to_lowercase()),
    };
    match choice {
        Choice::Tag(key) | Choice::Flag(key) => {
            let tags: Vec<String> = arm
                .tags
                .iter()
                .map(|tag| tag.as_str().map_or_else(|| tag.to_string(), str::to_owned))
                .collect();
            format!("Chosen when `{key}` is `{}`.", tags.join("` or `"))
        }
        Choice::Tests => {
            let tests: Vec<String> = arm.tests.iter().map(one).collect();
            if tests.is_empty() {
                "Chosen when nothing else fits.".to_owned()
            } else {
                format!("Chosen when: {}.", tests.join(", "))
            }
        }
    }
}

fn keywords(schema: &Value) -> Vec<String> {
    let mut out = Vec::new();
    let Some(map) = schema.as_object() else { return out };
    let text =
        |key: &str| map.get(key).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    if map.get("deprecated") == Some(&Value::Bool(true)) {
        out.push("Deprecated.".to_owned());
    }
    if let Some(format) = text("format") {
        out.push(format!("Format: {format}."));
    }
    let bounds = [
        ("minimum", "At least"),
        ("exclusiveMinimum", "More than"),
        ("maximum", "At most"),
        ("exclusiveMaximum", "Less than"),
    ];
    for (key, words) in bounds {
        out.extend(text(key).map(|value| format!("{words} {value}.")));
    }
    for (low, high, what) in [
        ("minLength", "maxLength", "characters"),
        ("minItems", "maxItems", "items"),
        ("minProperties", "maxProperties", "entries"),
    ] {
        match (text(low), text(high)) {
            (Some(low), Some(high)) => out.push(format!("{low} to {high} {what}.")),
            (Some(low), None) if low == "1" => out.push("Not empty.".to_owned()),
            (Some(low), None) => out.push(format!("At least {low} {what}.")),
            (None, Some(high)) => out.push(format!("At most {high} {what}.")),
            (None, None) => {}
        }
    }
    if map.get("uniqueItems") == Some(&Value::Bool(true)) {
        out.push("No item twice.".to_owned());
    }
    if let Some(pattern) = text("pattern") {
        out.push(format!("Pattern: `{}`.", pattern.replace('`', "\\x60")));
    }
    if let Some(value) = map.get("const") {
        out.push(format!("Only `{value}`."));
    }
    if let Some(value) = map.get("default") {
        out.push(format!("When absent: `{}`.", value.to_string().replace('`', "'")));
    }
    out
}

/// Whether the position is marked experimental.
pub fn experimental(bundle: &Bundle, loc: &Loc) -> bool {
    bundle.get(loc).get("x-status").and_then(Value::as_str) == Some("experimental")
}
