//! Credentials belong into headers, not into arguments.

use std::sync::LazyLock;

use adcp_core::json::pointer_token;
use adcp_core::{AdcpError, field_path};
use adcp_types::json::JsonObject;
use adcp_types::tools::ToolSpec;
use serde_json::Value;

/// Names that end so hold credentials. Case, hyphens and underscores do not count.
const ENDINGS: [&str; 9] = [
    "accesskey",
    "apikey",
    "bearer",
    "credential",
    "credentials",
    "password",
    "privatekey",
    "secret",
    "token",
];

/// A name that also stands for a structure without secrets; only its text is a credential.
const TEXT_ENDING: &str = "authorization";

/// References inside references are followed this far; the bundle stays far below.
const MAX_NESTING: usize = 32;

/// Refuses a request that carries a credential anywhere its schema asks for none.
///
/// Where a tool's schema names such a field itself (how a notification authenticates, a governance agent's key,
/// a token that the seller gave out), it is allowed just there. The value is never repeated.
///
/// Spec: `enums/error-code.json`, `CREDENTIAL_IN_ARGS`.
pub(super) fn check(spec: &'static ToolSpec, arguments: &Value) -> Result<(), AdcpError> {
    if !holds_any(arguments) {
        return Ok(());
    }
    let schema = adcp_schemas::input_schema(spec.name).ok();
    let root = schema.as_deref();
    let declared = Declared { definitions: root.and_then(|root| root.get("$defs")) };
    let mut nodes = Vec::new();
    if let Some(root) = root {
        declared.expand_object(root, &mut nodes, 0);
    }
    // Some clients send this one with every call, whether or not the tool declares it.
    nodes.push(&ENVELOPE);
    match declared.first_stray(arguments, &nodes, &mut String::new()) {
        None => Ok(()),
        Some(pointer) => Err(AdcpError::credential_in_args(field_path(&pointer))),
    }
}

/// Whether this may be said back to the caller, and stored with a task.
pub(in crate::path) fn is_clean(context: &JsonObject) -> bool {
    !context.iter().any(|(name, value)| is_credential(name, value) || holds_any(value))
}

static ENVELOPE: LazyLock<JsonObject> = LazyLock::new(|| {
    let file = |path| adcp_schemas::raw(path).and_then(|text| serde_json::from_str::<Value>(text).ok());
    let config = file("core/push-notification-config.json").unwrap_or_default();
    let properties = JsonObject::from_iter([("push_notification_config".to_owned(), config)]);
    JsonObject::from_iter([("properties".to_owned(), Value::Object(properties))])
});

fn holds_any(value: &Value) -> bool {
    match value {
        Value::Object(fields) => {
            fields.iter().any(|(name, value)| is_credential(name, value) || holds_any(value))
        }
        Value::Array(items) => items.iter().any(holds_any),
        _ => false,
    }
}

fn is_credential(name: &str, value: &Value) -> bool {
    let present = match value {
        Value::Null | Value::Bool(_) => false,
        Value::Number(_) => true,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    };
    present
        && (ENDINGS.iter().any(|ending| ends_with(name, ending))
            || (value.is_string() && ends_with(name, TEXT_ENDING)))
}

fn ends_with(name: &str, ending: &str) -> bool {
    let mut letters = name
        .bytes()
        .rev()
        .filter(|letter| !b"-_ .".contains(letter))
        .map(|letter| letter.to_ascii_lowercase());
    ending.bytes().rev().all(|letter| letters.next() == Some(letter))
}

/// A request schema, walked beside the request: only what is really there is looked up.
struct Declared<'a> {
    definitions: Option<&'a Value>,
}

impl<'a> Declared<'a> {
    fn first_stray(&self, value: &Value, nodes: &[&'a JsonObject], pointer: &mut String) -> Option<String> {
        let here = pointer.len();
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    pointer.push('/');
                    pointer.push_str(&pointer_token(name));
                    let (known, below) = self.property(nodes, name);
                    if is_credential(name, value) && !known {
                        return Some(pointer.clone());
                    }
                    if let Some(found) = self.first_stray(value, &below, pointer) {
                        return Some(found);
                    }
                    pointer.truncate(here);
                }
            }
            Value::Array(items) => {
                let below = self.items(nodes);
                for (at, item) in items.iter().enumerate() {
                    pointer.push_str(&format!("/{at}"));
                    if let Some(found) = self.first_stray(item, &below, pointer) {
                        return Some(found);
                    }
                    pointer.truncate(here);
                }
            }
            _ => {}
        }
        None
    }

    /// Whether a schema names this field, and what the schemas say about its value.
    fn property(&self, nodes: &[&'a JsonObject], name: &str) -> (bool, Vec<&'a JsonObject>) {
        let (mut known, mut below) = (false, Vec::new());
        for node in nodes {
            let named = node.get("properties").and_then(|properties| properties.get(name));
            known |= named.is_some();
            if let Some(schema) = named.or_else(|| node.get("additionalProperties")) {
                self.expand(schema, &mut below, 0);
            }
        }
        (known, below)
    }

    fn items(&self, nodes: &[&'a JsonObject]) -> Vec<&'a JsonObject> {
        let mut below = Vec::new();
        for schema in nodes.iter().filter_map(|node| node.get("items")) {
            self.expand(schema, &mut below, 0);
        }
        below
    }

    fn expand(&self, schema: &'a Value, into: &mut Vec<&'a JsonObject>, depth: usize) {
        if let Value::Object(schema) = schema {
            self.expand_object(schema, into, depth);
        }
    }

    /// The schema with everything that it refers to or combines.
    fn expand_object(&self, schema: &'a JsonObject, into: &mut Vec<&'a JsonObject>, depth: usize) {
        if depth > MAX_NESTING {
            return;
        }
        into.push(schema);
        let target = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|reference| reference.strip_prefix("#/$defs/"))
            .and_then(|name| self.definitions?.get(name));
        let combined = ["allOf", "anyOf", "oneOf"]
            .into_iter()
            .filter_map(|keyword| schema.get(keyword)?.as_array())
            .flatten();
        let conditional = ["then", "else"].into_iter().filter_map(|keyword| schema.get(keyword));
        for schema in target.into_iter().chain(combined).chain(conditional) {
            self.expand(schema, into, depth + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use adcp_types::tools;
    use serde_json::json;

    use super::*;

    #[test]
    fn names_that_hold_credentials() {
        for name in ["token", "auth_token", "X-API-Key", "apiKey", "clientSecret", "Bearer", "db.password"] {
            assert!(is_credential(name, &json!("x")), "{name}");
        }
        for name in ["tokens_used", "idempotency_key", "governance_context", "secretary", "key", "keyword"] {
            assert!(!is_credential(name, &json!("x")), "{name}");
        }
        for empty in [json!(null), json!(false), json!(""), json!({}), json!([])] {
            assert!(!is_credential("token", &empty), "{empty}");
        }
        assert!(is_credential("Authorization", &json!("Basic x")));
        assert!(!is_credential("authorization", &json!({ "read_only": true })));
    }

    #[test]
    fn a_schema_allows_what_it_names_and_only_there() {
        let secret = "s".repeat(40);
        let auth = json!({ "schemes": ["Bearer"], "credentials": secret });
        let push = json!({ "url": "https://b.example", "token": secret, "authentication": auth });
        let listed = json!({ "agent_url": "https://l.example", "list_id": "l", "auth_token": secret });
        let cases = [
            (&tools::CREATE_MEDIA_BUY, json!({ "push_notification_config": push }), None),
            (&tools::CREATE_MEDIA_BUY, json!({ "reporting_webhook": push }), None),
            (&tools::GET_MEDIA_BUYS, json!({ "push_notification_config": push }), None),
            (
                &tools::CREATE_MEDIA_BUY,
                json!({ "packages": [{ "targeting_overlay": { "property_list": listed } }] }),
                None,
            ),
            (
                &tools::SYNC_ACCOUNTS,
                json!({ "accounts": [{ "notification_configs": [{ "authentication": auth }] }] }),
                None,
            ),
            (
                &tools::SYNC_GOVERNANCE,
                json!({ "accounts": [{ "governance_agents": [{ "authentication": auth }] }] }),
                None,
            ),
            (&tools::SI_INITIATE_SESSION, json!({ "offering_token": secret }), None),
            (&tools::SI_GET_OFFERING, json!({ "offering_token": secret }), Some("offering_token")),
            (&tools::CREATE_MEDIA_BUY, json!({ "api_key": secret }), Some("api_key")),
            (
                &tools::CREATE_MEDIA_BUY,
                json!({ "context": { "a": [{ "token": 1 }] } }),
                Some("context.a[0].token"),
            ),
            (&tools::CREATE_MEDIA_BUY, json!({ "ext": push }), Some("ext.authentication.credentials")),
            (
                &tools::CREATE_MEDIA_BUY,
                json!({ "packages": [{}, { "ext": { "x/y": { "password": "p" } } }] }),
                Some("packages[1].ext.x/y.password"),
            ),
            (
                &tools::CREATE_MEDIA_BUY,
                json!({ "push_notification_config": { "ext": { "client_secret": "p" } } }),
                Some("push_notification_config.ext.client_secret"),
            ),
        ];
        for (spec, request, expected) in cases {
            let found = check(spec, &request).err();
            assert_eq!(found.as_ref().and_then(AdcpError::field), expected, "{}: {request}", spec.name);
            assert!(!format!("{found:?}").contains(&secret));
        }
    }
}
