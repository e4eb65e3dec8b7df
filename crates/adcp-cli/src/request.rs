//! Makes a request ready to be sent: an idempotency key where one is missed, then the check against the schema.

use adcp_core::random_bytes;
use adcp_schemas::{Part, SchemaError, Violation, Violations, tool_validator};
use adcp_types::json::JsonObject;
use adcp_types::tools::{self, Presence};
use serde_json::Value;

use crate::exit::{Exit, Failure};

/// Adds a fresh key to a request that changes something and has none; returns what was added.
pub(crate) fn fill_idempotency_key(
    tool: &str,
    arguments: &mut JsonObject,
) -> Result<Option<String>, Failure> {
    let takes_one =
        tools::find(tool).is_some_and(|spec| spec.mutating && spec.idempotency_key != Presence::Absent);
    if !takes_one || arguments.contains_key("idempotency_key") {
        return Ok(None);
    }
    let key = fresh_key()?;
    arguments.insert("idempotency_key".to_owned(), Value::from(key.as_str()));
    Ok(Some(key))
}

/// A key nobody has used: a UUID, version 4.
pub(crate) fn fresh_key() -> Result<String, Failure> {
    let mut bytes = random_bytes::<16>()
        .map_err(|error| Failure::new(Exit::Broken, "cannot make an idempotency key").because(error))?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = adcp_core::hex(&bytes);
    Ok([&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-"))
}

/// Checks a request against the schema of its tool.
pub(crate) fn check(tool: &str, arguments: &JsonObject) -> Result<(), Failure> {
    let validator = tool_validator(tool, Part::Request).map_err(|error| match error {
        SchemaError::UnknownTool(_) => Failure::usage(unknown_tool(tool)),
        error => Failure::new(Exit::Broken, "cannot check the request").because(error),
    })?;
    let Err(violations) = validator.validate(&Value::Object(arguments.clone())) else { return Ok(()) };
    Err(Failure::new(
        Exit::Correctable,
        format!(
            "the request is not a valid {tool}:\n{}\nNothing was sent. --no-validate sends it all the same.",
            listed(&violations)
        ),
    ))
}

/// Every violation on a line of its own.
pub(crate) fn listed(violations: &Violations) -> String {
    let mut lines: Vec<String> = violations.iter().map(line).collect();
    if violations.truncated() {
        lines.push("  … and more".to_owned());
    }
    lines.join("\n")
}

fn line(violation: &Violation) -> String {
    let place = match violation.pointer() {
        "" => "(the document)",
        pointer => pointer,
    };
    format!("  {place}  {}: expected {}", violation.keyword(), violation.expected())
}

fn unknown_tool(tool: &str) -> String {
    let mut words = format!("AdCP {} has no tool `{tool}`", adcp_types::ADCP_VERSION);
    let close = tools::ALL.iter().map(|spec| spec.name).min_by_key(|name| distance(tool, name));
    if let Some(close) = close.filter(|name| distance(tool, name) <= 3) {
        words.push_str(&format!("; did you mean `{close}`?"));
    }
    words.push_str("\n`adcp tools URL` lists what the agent offers; --no-validate sends any call.");
    words
}

/// Edits that make one word of the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut before = i;
        let mut left = i + 1;
        row[0] = left;
        for (j, b) in other.iter().enumerate() {
            let up = row[j + 1];
            left = (before + usize::from(a != *b)).min(left + 1).min(up + 1);
            before = up;
            row[j + 1] = left;
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: &Value) -> JsonObject {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_missing_key_is_made_for_changes_only() {
        let mut order = JsonObject::new();
        let key = fill_idempotency_key("create_media_buy", &mut order).unwrap().unwrap();
        assert_eq!(order["idempotency_key"], key.as_str());
        assert_eq!((key.len(), &key[14..15]), (36, "4"));
        assert_eq!(fill_idempotency_key("create_media_buy", &mut order).unwrap(), None);
        for tool in ["get_products", "no_such_tool"] {
            assert_eq!(fill_idempotency_key(tool, &mut JsonObject::new()).unwrap(), None);
        }
    }

    #[test]
    fn an_invalid_request_names_its_field_and_an_unknown_tool_its_neighbour() {
        let bad = check("get_products", &object(&json!({"buying_mode": 7}))).unwrap_err();
        assert_eq!(bad.exit(), Exit::Correctable);
        assert!(bad.to_string().contains("/buying_mode"), "{bad}");
        let unknown = check("get_product", &JsonObject::new()).unwrap_err();
        assert_eq!(unknown.exit(), Exit::Usage);
        assert!(unknown.to_string().contains("`get_products`"), "{unknown}");
        assert!(check("get_adcp_capabilities", &JsonObject::new()).is_ok());
    }

    #[test]
    fn distance_counts_edits() {
        for (one, other, edits) in [("", "", 0), ("abc", "abc", 0), ("abc", "", 3), ("kitten", "sitting", 3)]
        {
            assert_eq!(distance(one, other), edits, "{one} {other}");
        }
    }
}
