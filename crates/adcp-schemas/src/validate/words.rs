//! Expectations in words. They speak of the schema's side only, never of the value.

use serde_json::{Map, Value};

/// At most this many choices are listed.
const MAX_CHOICES: usize = 12;

/// Longest constant, pattern or name that is repeated.
const MAX_LENGTH: usize = 80;

/// What a `type` keyword expects.
pub(super) fn types(types: &Value) -> String {
    let one = |name: &str| match name {
        "array" => "an array",
        "boolean" => "true or false",
        "integer" => "an integer",
        "null" => "null",
        "number" => "a number",
        "object" => "an object",
        _ => "a string",
    };
    match types {
        Value::Array(list) => {
            let words: Vec<&str> = list.iter().filter_map(Value::as_str).map(one).collect();
            words.join(" or ")
        }
        other => one(other.as_str().unwrap_or_default()).to_owned(),
    }
}

/// One of some constants.
pub(super) fn choices<'a>(values: impl IntoIterator<Item = &'a Value>) -> String {
    let values: Vec<&Value> = values.into_iter().collect();
    if let [one] = values.as_slice() {
        return constant(one);
    }
    let mut words: Vec<String> = values.iter().take(MAX_CHOICES).map(|value| constant(value)).collect();
    let rest = values.len().saturating_sub(MAX_CHOICES);
    if rest > 0 {
        words.push(format!("{rest} more"));
    }
    format!("one of {}", words.join(", "))
}

/// A constant of the schema as JSON.
pub(super) fn constant(value: &Value) -> String {
    shortened(&value.to_string())
}

/// A bound: `at least 1`, `fewer than …`.
pub(super) fn bound(keyword: &str, limit: &Value) -> String {
    let count = |one: &str, many: &str| {
        let unit = if limit.as_u64() == Some(1) { one } else { many };
        format!("{limit} {unit}")
    };
    match keyword {
        "minimum" => format!("at least {limit}"),
        "maximum" => format!("at most {limit}"),
        "exclusiveMinimum" => format!("more than {limit}"),
        "exclusiveMaximum" => format!("less than {limit}"),
        "multipleOf" => format!("a multiple of {limit}"),
        "minLength" => format!("at least {}", count("character", "characters")),
        "maxLength" => format!("at most {}", count("character", "characters")),
        "minItems" => format!("at least {}", count("item", "items")),
        "maxItems" => format!("at most {}", count("item", "items")),
        "minProperties" => format!("at least {}", count("field", "fields")),
        _ => format!("at most {}", count("field", "fields")),
    }
}

/// A format, as people call it.
pub(super) fn format(name: &str) -> String {
    match name {
        "date-time" => "a date and time with offset (RFC 3339)".to_owned(),
        "date" => "a date (YYYY-MM-DD)".to_owned(),
        "uri" => "an absolute URI".to_owned(),
        "email" => "an email address".to_owned(),
        "hostname" => "a host name".to_owned(),
        "uuid" => "a UUID".to_owned(),
        "uri-template" => "a URI template (RFC 6570)".to_owned(),
        other => format!("text of the format `{}`", shortened(other)),
    }
}

/// A text that matches.
pub(super) fn pattern(pattern: &str) -> String {
    format!("text that matches `{}`", shortened(pattern))
}

/// What a negated schema rules out.
pub(super) fn not(schema: &Value) -> String {
    match schema.as_object().and_then(only_required) {
        Some(names) => format!("no {} here", together(&names, "and")),
        None => "something else: this form is ruled out".to_owned(),
    }
}

/// The names of a schema that does nothing but require them.
pub(super) fn only_required(schema: &Map<String, Value>) -> Option<Vec<&str>> {
    let names = schema.get("required")?.as_array()?;
    let idle = |keyword: &String| matches!(keyword.as_str(), "required" | "type" | "not");
    schema.keys().all(idle).then(|| names.iter().filter_map(Value::as_str).collect())
}

/// Field names joined by a word.
pub(super) fn together(names: &[&str], word: &str) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(&format!(" {word} "))
}

/// A text cut to a length worth reading.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_LENGTH) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
